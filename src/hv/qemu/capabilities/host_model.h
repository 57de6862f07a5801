// The processor model that <cpu mode='host-model'/> stands for.
#ifndef HV_QEMU_HOST_MODEL_H
#define HV_QEMU_HOST_MODEL_H

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

// Replaces mode='host-model' of a definition that is about to run by the custom model it stands
// for, as a running guest's definition shows it. Features that the definition names keep their
// policy, and those that would keep a guest from being moved are left out. Other definitions stay
// as they are.
void qemu_host_model_resolve(struct xml_doc *doc, struct xml_node *domain,
                             const struct qemu_capabilities *capabilities);

#endif
