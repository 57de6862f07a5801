// QEMU machines: families, and what an emulator has.
#include "hv/qemu/definition/machine.h"

#include "virt/xml/domain_check.h"
#include "virt/xml/xml_value.h"

bool machine_is_q35(const struct domain_xml *x)
{
    struct slice machine = domain_machine(x);
    return domain_is_x86(x) && (slice_is(machine, "q35") || slice_starts(machine, "pc-q35-"));
}

bool machine_is_i440fx(const struct domain_xml *x)
{
    static const char *const prefixes[] = {"pc-0.", "pc-1.", "pc-i440fx-", "rhel"};
    struct slice machine = domain_machine(x);
    bool known = slice_is(machine, "pc");
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        known = known || slice_starts(machine, prefixes[i]);
    return domain_is_x86(x) && known;
}

bool machine_is_arm_virt(const struct domain_xml *x)
{
    struct slice machine = domain_machine(x);
    return schema_has_word("armv6l|armv7l|aarch64", domain_arch(x)) &&
           (slice_is(machine, "virt") || slice_starts(machine, "virt-"));
}

bool machine_has_pci_root(const struct domain_xml *x)
{
    return xml_attr_is(domain_find_controller(x, "pci", 0), "model", "pci-root");
}

bool machine_has_pcie_root(const struct domain_xml *x)
{
    return xml_attr_is(domain_find_controller(x, "pci", 0), "model", "pcie-root");
}

const struct qemu_lookup *qemu_lookup_of(const struct domain_xml *x)
{
    return x->rules->data;
}

struct slice qemu_emulator_of(const struct domain_xml *x)
{
    return value_text(xml_child(x->devices, "emulator"));
}

bool qemu_has_device(const struct domain_xml *x, const char *device)
{
    const struct qemu_lookup *lookup = qemu_lookup_of(x);
    return lookup->device(lookup->data, qemu_emulator_of(x), device);
}
