// The documents of virConnectGetCapabilities and virConnectGetDomainCapabilities.
#ifndef HV_QEMU_CAPABILITIES_DOCUMENT_H
#define HV_QEMU_CAPABILITIES_DOCUMENT_H

#include "core/buffer.h"
#include "core/error.h"

// Writes <capabilities>: the host, and a <guest> for each architecture that an installed and
// probed emulator serves.
void qemu_capabilities_document(struct buffer *out, struct error *err);

// Writes the <domainCapabilities> of the emulator, architecture, machine and virt type that are
// asked for; absent arguments are chosen as libvirt chooses them. Errors, in libvirt's words:
// VIR_ERR_INVALID_ARG for arguments that are unknown or do not fit each other,
// VIR_ERR_CONFIG_UNSUPPORTED when no emulator serves the architecture.
bool qemu_domain_capabilities_write(struct buffer *out, struct slice emulator, struct slice arch,
                                    struct slice machine, struct slice virt_type,
                                    struct error *err);

#endif
