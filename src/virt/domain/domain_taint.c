// Taints: their names and messages, as libvirt has them.
#include "virt/domain/domain_taint.h"

static const struct {
    const char *name, *message;
} taints[DOMAIN_TAINTS] = {
    {"custom-argv", "custom configuration parameters specified"},
    {"custom-monitor", "custom monitor control commands issued"},
    {"high-privileges", "running with undesirable elevated privileges"},
    {"shell-scripts", "network configuration using opaque shell scripts"},
    {"disk-probing", "potentially unsafe disk format probing"},
    {"external-launch", "managing externally launched configuration"},
    {"host-cpu", "potentially unsafe use of host CPU passthrough"},
    {"hook-script", "configuration potentially modified by hook script"},
    {"cdrom-passthrough", "use of host cdrom passthrough"},
    {"custom-dtb", "custom device tree blob used"},
    {"custom-ga-command", "custom guest agent control commands issued"},
    {"custom-hypervisor-feature", "hypervisor feature autodetection override"},
    {"deprecated-config", "use of deprecated configuration settings"},
    {"custom-device", "custom device configuration"},
};

const char *domain_taint_name(enum domain_taint taint)
{
    return taints[taint].name;
}

const char *domain_taint_message(enum domain_taint taint)
{
    return taints[taint].message;
}
