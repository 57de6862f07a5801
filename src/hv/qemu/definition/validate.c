// What libvirt's QEMU driver refuses in a domain that is complete (libvirt: qemu_validate.c).
#include "hv/qemu/definition/lifecycle.h"
#include "hv/qemu/definition/machine.h"

#include "virt/xml/domain_check.h"
#include "virt/xml/xml_value.h"

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
    return true;
}

static bool validate_secure_boot(struct domain_xml *x)
{
    const struct xml_node *os = xml_child(x->root, "os");
    if (!xml_attr_is(xml_child(os, "loader"), "secure", "yes"))
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
    static const char *const pseries_only[] = {"hpt",  "htm",  "nested-hv", "ccf-assist",
                                               "cfpc", "sbbc", "ibs"};
    uint64_t cache;
    for (int i = 0; i < 2; i++)
        if (xml_child(features, x86_only[i]) && !domain_is_x86(x))
            return REFUSE_QEMU(
                x, CONFIG_UNSUPPORTED,
                "The '%s' feature is not supported for architecture '%.*s' or machine type "
                "'%.*s'",
                x86_only[i], SLICE_ARG(domain_arch(x)), SLICE_ARG(domain_machine(x)));
    for (int i = 0; i < 7; i++)
        if (xml_child(features, pseries_only[i]))
            return REFUSE_QEMU(
                x, CONFIG_UNSUPPORTED,
                "The '%s' feature is not supported for architecture '%.*s' or machine type "
                "'%.*s'",
                pseries_only[i], SLICE_ARG(domain_arch(x)), SLICE_ARG(domain_machine(x)));
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

static bool refuse_timer(struct domain_xml *x, struct slice name)
{
    return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "Configuring the '%.*s' timer is not supported for virtType=%.*s arch=%.*s "
                       "machine=%.*s guests",
                       SLICE_ARG(name), SLICE_ARG(xml_attr(x->root, "type")),
                       SLICE_ARG(domain_arch(x)), SLICE_ARG(domain_machine(x)));
}

static bool validate_timer(struct domain_xml *x, const struct xml_node *timer)
{
    struct slice name = xml_attr(timer, "name"), policy = xml_attr(timer, "tickpolicy"),
                 track = xml_attr(timer, "track");
    bool present = xml_attr_is(timer, "present", "yes");
    if (slice_is(name, "platform"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "unsupported timer type (name) '%.*s'",
                           SLICE_ARG(name));
    if (schema_has_word("tsc|kvmclock|hypervclock", name) && !domain_is_x86(x) && present)
        return refuse_timer(x, name);
    if (slice_is(name, "rtc") && slice_is(track, "boot"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "unsupported rtc timer track '%.*s'",
                           SLICE_ARG(track));
    if (slice_is(name, "rtc") && schema_has_word("merge|discard", policy))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "unsupported rtc timer tickpolicy '%.*s'",
                           SLICE_ARG(policy));
    if (slice_is(name, "pit") && slice_is(policy, "merge"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "unsupported pit tickpolicy '%.*s'",
                           SLICE_ARG(policy));
    if (!slice_is(name, "armvtimer"))
        return true;
    if (!xml_attr_is(x->root, "type", "kvm") || !machine_is_arm_virt(x))
        return refuse_timer(x, name);
    return !xml_attr_is(timer, "present", "no") ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "The 'armvtimer' timer can't be disabled");
}

static bool validate_timers(struct domain_xml *x)
{
    XML_EACH (timer, xml_child(x->root, "clock"), "timer")
        if (!validate_timer(x, timer))
            return false;
    return true;
}

static bool validate_fwcfg(struct domain_xml *x)
{
    XML_EACH (sysinfo, x->root, "sysinfo") {
        if (!xml_attr_is(sysinfo, "type", "fwcfg"))
            continue;
        XML_EACH (entry, sysinfo, "entry") {
            struct slice name = xml_attr(entry, "name");
            if (!slice_starts(name, "opt/"))
                return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "Invalid firmware name");
            if (slice_starts(name, "opt/ovmf/") || slice_starts(name, "opt/org.qemu/"))
                return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "That firmware name is reserved");
        }
    }
    return true;
}

static bool validate_panic(struct domain_xml *x, const struct xml_node *panic)
{
    struct slice model = xml_attr(panic, "model"), address = domain_address_type(panic);
    if (slice_is(model, "s390"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "only S390 guests support panic device of model 's390'");
    if (slice_is(model, "pseries"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "only pSeries guests support panic device of model 'pseries'");
    if (slice_is(model, "hyperv") && !domain_is_x86(x))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "only i686 and x86_64 guests support panic device of model 'hyperv'");
    if (slice_is(model, "hyperv") && slice_present(address))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "setting the panic device address is not supported for model 'hyperv'");
    return !slice_is(model, "isa") || !slice_present(address) || slice_is(address, "isa") ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "panic is supported only with ISA address type");
}

static bool validate_panics(struct domain_xml *x)
{
    unsigned tpms = 0;
    XML_EACH (panic, x->devices, "panic")
        if (!validate_panic(x, panic))
            return false;
    XML_EACH (tpm, x->devices, "tpm")
        tpms += !xml_attr_is(tpm, "model", "spapr-tpm-proxy");
    return tpms <= 1 ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "only a single TPM non-proxy device is supported");
}

bool qemu_validate_domain(struct domain_xml *x)
{
    struct qemu_machine_facts facts = {0};
    if (!validate_emulator(x, &facts))
        return false;
    if (xml_find(x->root, "memtune/min_guarantee"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "Parameter 'min_guarantee' not supported by QEMU.");
    return validate_firmware(x) && qemu_validate_lifecycle(x->root, x->err) &&
           qemu_validate_cpu(x) && qemu_validate_memory(x) && validate_timers(x) &&
           validate_secure_boot(x) && validate_vcpus(x, &facts) && validate_features(x) &&
           validate_consoles(x) && validate_fwcfg(x) && validate_panics(x);
}
