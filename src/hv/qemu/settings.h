// qemu.conf: the settings of the QEMU driver.
#ifndef HV_QEMU_SETTINGS_H
#define HV_QEMU_SETTINGS_H

#include "core/error.h"
#include "core/slice.h"

#define QEMU_SETTING_MAX 256 // bytes of a string with its NUL

struct qemu_settings {
    char user[QEMU_SETTING_MAX], group[QEMU_SETTING_MAX]; // guests run as; "" leaves ours
    bool dynamic_ownership; // images are given to the guest's user when it starts
    char vnc_listen[QEMU_SETTING_MAX], vnc_password[QEMU_SETTING_MAX];
    char spice_listen[QEMU_SETTING_MAX], spice_password[QEMU_SETTING_MAX];
    uint32_t remote_display_port_min, remote_display_port_max;
    uint32_t remote_websocket_port_min, remote_websocket_port_max;
    uint64_t max_core; // bytes, UINT64_MAX: unlimited
    bool dump_guest_core;
    bool seccomp_sandbox;
    bool log_timestamp;
    bool set_process_name;             // to qemu:NAME
    uint32_t max_processes, max_files; // of the guest's user, of each guest; 0: the daemon's
    char deprecation_behavior[16];     // "none", "omit", "reject", "crash"
    char memory_backing_dir[QEMU_SETTING_MAX]; // of <source type='file'/>; "": below the state_dir
};

// The built-in values: as Debian's libvirt for root ("libvirt-qemu", "libvirt-qemu"; the built-in
// names can be changed by the caller), as qemu:///session otherwise.
void qemu_settings_default(struct qemu_settings *settings, bool privileged);

// Reads the text of a qemu.conf over the defaults. `file` is its name for messages. A key that
// libvirt does not know, a value of the wrong type, and a setting that asks for what is not built
// (a security driver other than "none" and "dac") are refused with VIR_ERR_CONF_SYNTAX and file and
// line.
bool qemu_settings_read(struct qemu_settings *settings, struct slice text, const char *file,
                        struct error *err);

#endif
