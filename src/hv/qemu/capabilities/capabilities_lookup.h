// What the completion of definitions asks about this host (struct qemu_lookup), answered from the
// cached capabilities.
#ifndef HV_QEMU_CAPABILITIES_LOOKUP_H
#define HV_QEMU_CAPABILITIES_LOOKUP_H

#include "hv/qemu/capabilities/capabilities_cache.h"
#include "hv/qemu/definition/defaults.h"

// Fills in all functions and host_arch; nvram_dir and channel_dir are the caller's to set.
void qemu_capabilities_lookup(struct qemu_lookup *lookup);

// libvirt's name of the host's architecture.
struct slice qemu_host_arch(void);

#endif
