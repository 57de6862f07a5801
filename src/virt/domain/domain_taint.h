// Taints: what makes a running domain differ from one that is managed by the book
// (virDomainGetMessages with VIR_DOMAIN_MESSAGE_TAINTING).
#ifndef VIRT_DOMAIN_TAINT_H
#define VIRT_DOMAIN_TAINT_H

enum domain_taint {
    DOMAIN_TAINT_CUSTOM_ARGV,
    DOMAIN_TAINT_CUSTOM_MONITOR,
    DOMAIN_TAINT_HIGH_PRIVILEGES,
    DOMAIN_TAINT_SHELL_SCRIPTS,
    DOMAIN_TAINT_DISK_PROBING,
    DOMAIN_TAINT_EXTERNAL_LAUNCH,
    DOMAIN_TAINT_HOST_CPU,
    DOMAIN_TAINT_HOOK,
    DOMAIN_TAINT_CDROM_PASSTHROUGH,
    DOMAIN_TAINT_CUSTOM_DTB,
    DOMAIN_TAINT_CUSTOM_GA_COMMAND,
    DOMAIN_TAINT_CUSTOM_HYPERVISOR_FEATURE,
    DOMAIN_TAINT_DEPRECATED_CONFIG,
    DOMAIN_TAINT_CUSTOM_DEVICE,
    DOMAIN_TAINTS,
};

const char *domain_taint_name(enum domain_taint taint);    // in status files and logs
const char *domain_taint_message(enum domain_taint taint); // for people

#endif
