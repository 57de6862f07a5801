// Which actions QEMU guests can take together when they end (<on_poweroff>, <on_reboot>,
// <on_crash>).
#ifndef HV_QEMU_LIFECYCLE_H
#define HV_QEMU_LIFECYCLE_H

#include "core/error.h"
#include "text/xml.h"

// libvirt (qemuValidateLifecycleAction). Errors: VIR_ERR_CONFIG_UNSUPPORTED.
bool qemu_validate_lifecycle(const struct xml_node *tree, struct error *err);

#endif
