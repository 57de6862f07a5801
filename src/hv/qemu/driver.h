// The QEMU driver: its directories and settings.
#ifndef HV_QEMU_DRIVER_H
#define HV_QEMU_DRIVER_H

#include "hv/qemu/definition/defaults.h"
#include "hv/qemu/settings.h"
#include "port/port.h"
#include "virt/hypervisor.h"

struct qemu_driver {
    bool privileged;    // qemu:///system; else qemu:///session
    uint32_t uid, gid;  // guests run as
    const char *config; // etc/libvirt/qemu: definitions
    const char *state;  // run/libvirt/qemu: live definitions
    const char *lib;    // var/lib/libvirt/qemu: channel/target, nvram, domain-ID-NAME
    const char *log;    // var/log/libvirt/qemu
    const char *cache;  // var/cache/libvirt/qemu
    struct qemu_settings settings;
};

extern struct qemu_driver qemu_driver;
extern struct hypervisor qemu_hypervisor;

// What the completion of definitions asks about this host.
const struct qemu_lookup *driver_lookup(void);
const struct domain_xml_rules *driver_rules(void);

#endif
