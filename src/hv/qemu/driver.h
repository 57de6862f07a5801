// The QEMU driver: its directories, settings and start.
#ifndef HV_QEMU_DRIVER_H
#define HV_QEMU_DRIVER_H

#include "hv/qemu/settings.h"
#include "port/port.h"
#include "virt/hypervisor.h"

struct qemu_driver {
    bool privileged;   // qemu:///system; else qemu:///session
    uint32_t uid, gid; // guests run as
    // Directories, without a slash at the end. Below lib: channel/target, nvram, domain-ID-NAME.
    char config_dir[PORT_PATH_MAX]; // etc/libvirt/qemu
    char state_dir[PORT_PATH_MAX];  // run/libvirt/qemu
    char lib_dir[PORT_PATH_MAX];    // var/lib/libvirt/qemu
    char log_dir[PORT_PATH_MAX];    // var/log/libvirt/qemu
    char cache_dir[PORT_PATH_MAX];  // var/cache/libvirt/qemu
    struct qemu_settings settings;
};

extern struct qemu_driver qemu_driver;
extern struct hypervisor qemu_hypervisor;

// Where everything lies: for qemu:///system below --root, else below the user's XDG directories.
struct qemu_directories {
    const char *config, *state, *lib, *log, *cache; // as in struct qemu_driver
    const char *settings;                           // the path of qemu.conf
};

// Reads qemu.conf, makes the directories, loads the definitions and begins to adopt the guests that
// still run; afterwards, and in the background, those with autostart are started. Called once,
// before the loop runs. Errors: what qemu.conf says wrong; directories that can not be made.
bool qemu_driver_start(const struct qemu_directories *directories, struct error *err);

#endif
