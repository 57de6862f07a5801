// QEMU machines: which family a definition's machine belongs to, and what its emulator has.
#ifndef HV_QEMU_MACHINE_H
#define HV_QEMU_MACHINE_H

#include "hv/qemu/definition/defaults.h"
#include "virt/xml/domain_complete.h"

bool machine_is_q35(const struct domain_xml *x);
bool machine_is_i440fx(const struct domain_xml *x);
bool machine_is_arm_virt(const struct domain_xml *x);
// The controller pci-root (or pcie-root) with index 0.
bool machine_has_pci_root(const struct domain_xml *x);
bool machine_has_pcie_root(const struct domain_xml *x);

const struct qemu_lookup *qemu_lookup_of(const struct domain_xml *x);
struct slice qemu_emulator_of(const struct domain_xml *x);
bool qemu_has_device(const struct domain_xml *x, const char *device);

// Sets an error of domain VIR_FROM_QEMU; always false.
#define REFUSE_QEMU(x, code, ...) error_set((x)->err, VIR_FROM_QEMU, VIR_ERR_##code, __VA_ARGS__)

// --- the parts of the rules

bool qemu_complete_device(struct domain_xml *x, struct xml_node *device);
bool qemu_complete_tpm(struct domain_xml *x, struct xml_node *tpm);
bool qemu_complete_shmem(struct domain_xml *x, struct xml_node *shmem);
bool qemu_validate_domain(struct domain_xml *x);
bool qemu_validate_device(struct domain_xml *x, const struct xml_node *device);
bool qemu_validate_disk(struct domain_xml *x, const struct xml_node *disk);
bool qemu_validate_cpu(struct domain_xml *x);
bool qemu_validate_memory(struct domain_xml *x);
// Fails unless the guest's memory is shared with other processes, as `what` needs it.
bool qemu_need_shared_memory(struct domain_xml *x, const char *what);
bool qemu_assign_addresses(struct domain_xml *x);
bool qemu_assign_pci_addresses(struct domain_xml *x);
bool qemu_assign_usb_addresses(struct domain_xml *x);

#endif
