// What libvirt's QEMU driver refuses in a domain that is complete (libvirt: qemu_validate.c).
#include "hv/qemu/machine.h"

#include "virt/domain_check.h"
#include "virt/xml_value.h"

static bool validate_emulator(struct domain_xml *x, struct qemu_machine_facts *facts)
{
    const struct qemu_lookup *lookup = qemu_lookup_of(x);
    struct slice emulator = qemu_emulator_of(x), os = value_text(xml_find(x->root, "os/type")),
                 type = xml_attr(x->root, "type");
    if (!domain_is_hvm(x))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "Emulator '%.*s' does not support os type '%.*s'",
                           SLICE_ARG(emulator), SLICE_ARG(os));
    if (!lookup->supports(lookup->data, emulator, domain_arch(x), SLICE_NONE))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "Emulator '%.*s' does not support arch '%.*s'",
                           SLICE_ARG(emulator), SLICE_ARG(domain_arch(x)));
    if (!lookup->supports(lookup->data, emulator, domain_arch(x), type))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "Emulator '%.*s' does not support virt type '%.*s'", SLICE_ARG(emulator),
                           SLICE_ARG(type));
    if (!lookup->machine(lookup->data, emulator, type, domain_machine(x), facts, x->err))
        return false;
    if (!facts->machine.len)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "Emulator '%.*s' does not support machine type '%.*s'",
                           SLICE_ARG(emulator), SLICE_ARG(domain_machine(x)));
    return true;
}

static bool validate_firmware(struct domain_xml *x)
{
    const struct xml_node *os = xml_child(x->root, "os"), *loader = xml_child(os, "loader");
    bool acpi = xml_find(x->root, "features/acpi") != NULL;
    bool uefi = xml_attr_is(os, "firmware", "efi") || xml_attr_is(loader, "type", "pflash");
    if (uefi && domain_is_x86(x) && !acpi)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "UEFI requires ACPI on this architecture");
    if (acpi && slice_is(domain_arch(x), "aarch64") && !uefi)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "ACPI requires UEFI on this architecture");
    if (xml_attr_is(xml_child(os, "bios"), "useserial", "yes")) {
        if (!domain_is_x86(x))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "BIOS serial console only supported on x86 architectures");
        if (!xml_child(x->devices, "serial"))
            return REFUSE_QEMU(x, XML_ERROR,
                               "need at least one serial port to use BIOS serial output");
    }
    if (!xml_attr_is(loader, "secure", "yes"))
        return true;
    if (!machine_is_q35(x))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "Secure boot is supported with q35 machine types only");
    if (!slice_is(domain_arch(x), "x86_64"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "Secure boot is supported for x86_64 architecture only");
    if (!slice_present(xml_attr(os, "firmware")) &&
        !xml_attr_is(xml_find(x->root, "features/smm"), "state", "on"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "Secure boot requires SMM feature enabled");
    return true;
}

static bool validate_lifecycle(struct domain_xml *x)
{
    struct slice off = value_text(xml_child(x->root, "on_poweroff")),
                 again = value_text(xml_child(x->root, "on_reboot")),
                 crash = value_text(xml_child(x->root, "on_crash"));
    if (slice_is(off, "rename-restart") || slice_is(again, "rename-restart") ||
        slice_is(crash, "rename-restart"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "qemu driver doesn't support the 'rename-restart' action for "
                           "'on_reboot'/'on_poweroff'/'on_crash'");
    if (slice_is(off, "preserve") || slice_is(again, "preserve"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "qemu driver doesn't support the 'preserve' action for "
                           "'on_reboot'/'on_poweroff'");
    if (slice_is(off, "restart") && slice_is(again, "destroy"))
        return REFUSE_QEMU(
            x, CONFIG_UNSUPPORTED,
            "qemu driver doesn't support 'onReboot' set to 'destroy and 'onPoweroff' set to "
            "'reboot'");
    return true;
}

// 255 processors are what an APIC can number without extended interrupt mode.
#define VCPUS_WITHOUT_EIM 255

static bool validate_vcpus(struct domain_xml *x, const struct qemu_machine_facts *facts)
{
    unsigned most = domain_vcpu_max(x->root);
    const struct xml_node *topology = xml_find(x->root, "cpu/topology");
    if (domain_number(xml_child(x->root, "vcpu"), "current", most) == 0)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "Domain requires at least 1 vCPU");
    if (facts->max_cpus && most > facts->max_cpus)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "Maximum CPUs greater than specified machine type limit %u",
                           facts->max_cpus);
    uint64_t product =
        (uint64_t)domain_number(topology, "sockets", 1) * domain_number(topology, "dies", 1);
    product *= domain_number(topology, "cores", 1);
    if (product <= UINT32_MAX)
        product *= domain_number(topology, "threads", 1);
    if (product > UINT32_MAX)
        return REFUSE(x, CONFIG_UNSUPPORTED, "cpu topology results in more than %u cpus",
                      UINT32_MAX);
    if (topology && product != most)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "CPU topology doesn't match maximum vcpu count");
    if (!domain_is_x86(x) || most <= VCPUS_WITHOUT_EIM)
        return true;
    if (!machine_is_q35(x))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "more than %d vCPUs are only supported on q35-based machine types",
                           VCPUS_WITHOUT_EIM);
    return xml_attr_is(xml_find(x->devices, "iommu/driver"), "eim", "on") ||
           REFUSE_QEMU(
               x, CONFIG_UNSUPPORTED,
               "more than %d vCPUs require extended interrupt mode enabled on the iommu device",
               VCPUS_WITHOUT_EIM);
}

static bool validate_features(struct domain_xml *x)
{
    const struct xml_node *features = xml_child(x->root, "features"),
                          *tcg = xml_child(features, "tcg");
    static const char *const x86_only[] = {"ioapic", "pvspinlock"};
    uint64_t cache;
    for (int i = 0; i < 2; i++)
        if (xml_child(features, x86_only[i]) && !domain_is_x86(x))
            return REFUSE_QEMU(
                x, CONFIG_UNSUPPORTED,
                "The '%s' feature is not supported for architecture '%.*s' or machine type "
                "'%.*s'",
                x86_only[i], SLICE_ARG(domain_arch(x)), SLICE_ARG(domain_machine(x)));
    if (xml_child(features, "gic") && !machine_is_arm_virt(x))
        return REFUSE_QEMU(
            x, CONFIG_UNSUPPORTED,
            "The 'gic' feature is not supported for architecture '%.*s' or machine type "
            "'%.*s'",
            SLICE_ARG(domain_arch(x)), SLICE_ARG(domain_machine(x)));
    if (xml_child(features, "hyperv") && !domain_is_x86(x) && !machine_is_arm_virt(x))
        return REFUSE_QEMU(
            x, CONFIG_UNSUPPORTED,
            "Hyperv features are not supported for architecture '%.*s' or machine type "
            "'%.*s'",
            SLICE_ARG(domain_arch(x)), SLICE_ARG(domain_machine(x)));
    if (tcg && !xml_attr_is(x->root, "type", "qemu"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "TCG features are incompatible with domain type '%.*s'",
                           SLICE_ARG(xml_attr(x->root, "type")));
    if (slice_u64(xml_text(xml_child(tcg, "tb-cache")), 10, &cache) && cache & 0x3ff)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "tb-cache size must be an integer multiple of MiB");
    return true;
}

static bool validate_cpu(struct domain_xml *x)
{
    const struct xml_node *cpu = xml_child(x->root, "cpu");
    struct slice mode = xml_attr(cpu, "mode"), type = xml_attr(x->root, "type");
    if (slice_is(mode, "host-passthrough") && !slice_is(type, "kvm"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "CPU mode '%.*s' for %.*s %.*s domain on %.*s host is not supported by "
                           "hypervisor",
                           SLICE_ARG(mode), SLICE_ARG(domain_arch(x)), SLICE_ARG(type),
                           SLICE_ARG(qemu_lookup_of(x)->host_arch));
    return true;
}

static bool validate_consoles(struct domain_xml *x)
{
    XML_EACH (console, x->devices, "console") {
        struct slice type = xml_attr_at(console, "target", "type");
        if (!schema_has_word("serial|virtio", type))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "unsupported console target type %.*s",
                               SLICE_ARG(type));
    }
    return true;
}

bool qemu_validate_domain(struct domain_xml *x)
{
    struct qemu_machine_facts facts = {0};
    if (!validate_emulator(x, &facts))
        return false;
    if (xml_find(x->root, "memtune/min_guarantee"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "Parameter 'min_guarantee' not supported by QEMU.");
    return validate_firmware(x) && validate_lifecycle(x) && validate_cpu(x) &&
           validate_vcpus(x, &facts) && validate_features(x) && validate_consoles(x);
}
