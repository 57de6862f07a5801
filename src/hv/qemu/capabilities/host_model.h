// The processor model that <cpu mode='host-model'/> stands for.
#ifndef HV_QEMU_HOST_MODEL_H
#define HV_QEMU_HOST_MODEL_H

#include "core/config.h"
#include "hv/qemu/capabilities/capabilities.h"
#include "text/xml.h"
#include "virt/node/cpu_x86.h"

struct qemu_host_model {
    struct cpu_x86_description description;
    const char *vendor; // "AMD"; NULL when unknown
};

// Finds the model that comes closest to what the host (KVM) or QEMU (TCG) can do, as libvirt's
// domain capabilities show it. False when there is none: the emulator is not for x86.
bool qemu_host_model_find(struct qemu_host_model *to, const struct qemu_capabilities *capabilities,
                          enum qemu_accelerator accelerator);

#ifdef CONFIG_CPU_MODELS

// Settles <cpu> for this host, as a running guest's definition shows it: mode='host-model' and
// match='minimum' are replaced by the custom model that they stand for, optional features are
// required or disabled, and those that a model has lost are named. Features that the definition
// names keep their policy, and those that would keep a guest from being moved are left out.
void qemu_cpu_update(struct xml_doc *doc, struct xml_node *domain,
                     const struct qemu_capabilities *capabilities);

#else // QEMU settles it

static inline void qemu_cpu_update(struct xml_doc *doc, struct xml_node *domain,
                                   const struct qemu_capabilities *capabilities)
{
    (void)doc, (void)domain, (void)capabilities;
}

#endif

#endif
