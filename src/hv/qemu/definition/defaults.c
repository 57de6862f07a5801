// QEMU domains: what the machine implies (libvirt: qemuDomainDefPostParse).
#include "hv/qemu/definition/machine.h"

#include "virt/xml/domain_check.h"
#include "virt/xml/xml_value.h"

#include <string.h>

// --- architecture and emulator

static bool complete_os(struct domain_xml *x)
{
    const struct qemu_lookup *lookup = qemu_lookup_of(x);
    struct xml_node *type = xml_find(x->root, "os/type");
    if (!slice_present(xml_attr(type, "arch")))
        xml_set(x->doc, type, "arch", lookup->host_arch);
    if (qemu_emulator_of(x).len)
        return true;
    struct slice emulator = lookup->emulator(lookup->data, domain_arch(x));
    if (!emulator.len)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "No emulator found for arch '%.*s'",
                           SLICE_ARG(domain_arch(x)));
    xml_set_text(x->doc, xml_need(x->doc, x->devices, "emulator"), emulator);
    return true;
}

// --- implied devices

static struct xml_node *add_device(struct domain_xml *x, const char *name)
{
    return xml_add(x->doc, x->devices, name);
}

static void need_input(struct domain_xml *x, const char *type)
{
    XML_EACH (input, x->devices, "input")
        if (xml_attr_is(input, "type", type) && xml_attr_is(input, "bus", "ps2"))
            return;
    struct xml_node *input = add_device(x, "input");
    xml_sets(x->doc, input, "type", type);
    xml_sets(x->doc, input, "bus", "ps2");
}

static void add_ich9_usb(struct domain_xml *x)
{
    static const char *const companions[] = {"ich9-uhci1", "ich9-uhci2", "ich9-uhci3"};
    domain_add_controller(x, "usb", 0, "ich9-ehci1");
    for (unsigned i = 0; i < 3; i++) {
        struct xml_node *controller = domain_add_controller(x, "usb", 0, companions[i]);
        xml_setf(x->doc, xml_add(x->doc, controller, "master"), "startport", "%u", 2 * i);
    }
}

// The default of q35 is USB 3 where the emulator has it; elsewhere the model is chosen later.
static void add_default_usb(struct domain_xml *x)
{
    if (domain_find_controller(x, "usb", 0))
        return;
    if (!machine_is_q35(x))
        domain_add_controller(x, "usb", 0, NULL);
    else if (qemu_has_device(x, "qemu-xhci"))
        domain_add_controller(x, "usb", 0, "qemu-xhci");
    else if (qemu_has_device(x, "nec-usb-xhci"))
        domain_add_controller(x, "usb", 0, "nec-xhci");
    else if (qemu_has_device(x, "ich9-usb-ehci1"))
        add_ich9_usb(x);
}

static bool need_pci_root(struct domain_xml *x, const char *model)
{
    struct xml_node *root = domain_find_controller(x, "pci", 0);
    if (!root)
        return domain_add_controller(x, "pci", 0, model) != NULL;
    return xml_attr_is(root, "model", model) ||
           REFUSE_QEMU(
               x, XML_ERROR,
               "The PCI controller with index='0' must be model='%s' for this machine type, but "
               "model='%.*s' was found instead",
               model, SLICE_ARG(xml_attr(root, "model")));
}

static void add_memballoon(struct domain_xml *x)
{
    if (!xml_child(x->devices, "memballoon"))
        xml_sets(x->doc, add_device(x, "memballoon"), "model", "virtio");
}

// Sound goes where the last display goes; VNC's has none (qemuDomainDefSuggestDefaultAudioBackend).
static void add_audio(struct domain_xml *x)
{
    const char *backend = xml_child(x->devices, "graphics") ? NULL : "none";
    if (xml_child(x->devices, "audio"))
        return;
    bool host_audio = false;
    XML_EACH (graphics, x->devices, "graphics") {
        if (xml_attr_is(graphics, "type", "vnc"))
            backend = "none";
        else if (xml_attr_is(graphics, "type", "spice"))
            backend = "spice";
        if (xml_attr_is(graphics, "type", "sdl"))
            host_audio = true;
        else if (schema_has_word("vnc|spice", xml_attr(graphics, "type")))
            host_audio = false;
    }
    if (!backend || host_audio)
        return;
    struct xml_node *audio = add_device(x, "audio");
    xml_sets(x->doc, audio, "id", "1");
    xml_sets(x->doc, audio, "type", backend);
}

static bool add_default_devices(struct domain_xml *x)
{
    struct slice arch = domain_arch(x);
    bool arm = schema_has_word("armv6l|armv7l|aarch64", arch);
    if (domain_is_x86(x)) {
        need_input(x, "mouse");
        need_input(x, "keyboard");
        if (!slice_is(domain_machine(x), "isapc"))
            add_default_usb(x);
        if (machine_is_q35(x))
            domain_need_controller(x, "sata", 0);
    }
    if (machine_is_i440fx(x) && !need_pci_root(x, "pci-root"))
        return false;
    bool express =
        machine_is_q35(x) || (machine_is_arm_virt(x) && qemu_has_device(x, "gpex-pcihost"));
    if (express && !need_pci_root(x, "pcie-root"))
        return false;
    if (!arm)
        add_memballoon(x);
    add_audio(x);
    return true;
}

// --- firmware

// A read-only flash image needs a place for its variables.
static void complete_nvram(struct domain_xml *x)
{
    struct xml_node *os = xml_child(x->root, "os"), *loader = xml_child(os, "loader"),
                    *nvram = xml_child(os, "nvram");
    bool flash = xml_attr_is(loader, "type", "pflash") && xml_attr_is(loader, "readonly", "yes");
    if (!flash || xml_attr_is(loader, "stateless", "yes") || (nvram && nvram->child))
        return;
    nvram = xml_need(x->doc, os, "nvram");
    xml_set_textf(x->doc, nvram, "%s/%.*s_VARS.fd", qemu_lookup_of(x)->nvram_dir,
                  SLICE_ARG(value_text(xml_child(x->root, "name"))));
}

// --- CPU

static bool set_default_cpu(struct domain_xml *x, const struct qemu_machine_facts *facts)
{
    struct xml_node *cpu = xml_child(x->root, "cpu");
    struct slice model = facts->default_cpu;
    bool chosen = slice_present(xml_attr(cpu, "mode"));
    bool tcg = xml_attr_is(x->root, "type", "qemu");
    if (chosen || !model.len || (!domain_is_x86(x) && !tcg))
        return true;
    cpu = xml_need(x->doc, x->root, "cpu");
    cpu->attrs = NULL;
    if (slice_is(model, "host")) {
        xml_sets(x->doc, cpu, "mode", "host-passthrough");
        return true;
    }
    xml_sets(x->doc, cpu, "mode", "custom");
    xml_sets(x->doc, cpu, "match", "exact");
    xml_sets(x->doc, cpu, "check", "none");
    xml_sets(x->doc, xml_add_text(x->doc, cpu, "model", model), "fallback", "forbid");
    return true;
}

static void complete_cpu(struct domain_xml *x, const struct qemu_machine_facts *facts)
{
    struct xml_node *cpu = xml_child(x->root, "cpu");
    struct slice mode = xml_attr(cpu, "mode");
    if (!slice_present(mode))
        return;
    bool running = x->flags & DOMAIN_XML_PARSE_LIVE;
    if (slice_is(mode, "host-passthrough") && !running &&
        !slice_present(xml_attr(cpu, "migratable"))) {
        if (facts->cpu_migratable)
            xml_sets(x->doc, cpu, "migratable", "on");
        else if (domain_is_x86(x))
            xml_sets(x->doc, cpu, "migratable", "off");
    }
    if (slice_present(xml_attr(cpu, "check")))
        return;
    bool partial = slice_is(mode, "host-model") ||
                   (slice_is(mode, "custom") && !xml_attr_is(x->root, "type", "qemu"));
    xml_sets(x->doc, cpu, "check", partial ? "partial" : "none");
}

// Lengths of SVE vectors need SVE itself.
static bool complete_sve(struct domain_xml *x)
{
    struct xml_node *cpu = xml_child(x->root, "cpu"), *sve = NULL;
    bool lengths = false;
    XML_EACH (feature, cpu, "feature") {
        struct slice name = xml_attr(feature, "name");
        if (slice_is(name, "sve"))
            sve = feature;
        else if (slice_starts(name, "sve"))
            lengths = true;
    }
    if (!lengths)
        return true;
    if (sve && schema_has_word("disable|forbid", xml_attr(sve, "policy")))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "SVE disabled, but SVE vector lengths provided");
    if (!sve)
        sve = xml_add(x->doc, cpu, "feature");
    xml_sets(x->doc, sve, "policy", "require");
    xml_sets(x->doc, sve, "name", "sve");
    return true;
}

// --- features

static void complete_gic(struct domain_xml *x)
{
    const struct qemu_lookup *lookup = qemu_lookup_of(x);
    struct xml_node *features = xml_child(x->root, "features"), *gic = xml_child(features, "gic");
    if (slice_present(xml_attr(gic, "version")) || (!gic && !machine_is_arm_virt(x)))
        return;
    struct slice virt_type = xml_attr(x->root, "type");
    int version = slice_is(virt_type, "qemu")
                      ? 2
                      : lookup->gic_version(lookup->data, qemu_emulator_of(x), virt_type);
    gic = xml_need(x->doc, xml_need(x->doc, x->root, "features"), "gic");
    xml_setf(x->doc, gic, "version", "%d", version ? version : 2);
}

static bool check_tseg(struct domain_xml *x)
{
    struct xml_node *tseg = xml_find(x->root, "features/smm/tseg");
    if (!tseg)
        return true;
    if (!machine_is_q35(x))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "SMM TSEG is only supported with q35 machine type");
    return !schema_has_word("B|KiB", xml_attr(tseg, "unit")) ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "SMM TSEG size must be divisible by 1 MiB");
}

// --- processors and NUMA

static bool check_vcpus(struct domain_xml *x)
{
    struct xml_node *vcpus = xml_child(x->root, "vcpus");
    bool ordered = false, pluggable_before = false;
    unsigned order_before = 0;
    XML_EACH (vcpu, vcpus, "vcpu") {
        bool first = domain_number(vcpu, "id", 0) == 0,
             online = xml_attr_is(vcpu, "enabled", "yes");
        bool pluggable = xml_attr_is(vcpu, "hotpluggable", "yes");
        unsigned order = domain_number(vcpu, "order", 0);
        if (first && !online)
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "vcpu 0 can't be offline");
        if (first && pluggable)
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "vcpu0 can't be hotpluggable");
        if (first && order > 1)
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "vcpu0 must be enabled first");
        ordered = first ? order != 0 : ordered;
        if (!first && online && (order != 0) != ordered)
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "all vcpus must have either set or unset order");
        if (!first && !pluggable && pluggable_before)
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "online non-hotpluggable vcpus need to be ordered "
                               "prior to hotplugable vcpus");
        if (!first && !pluggable && order_before > order)
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "online non-hotpluggable vcpus must be ordered in ascending order");
        pluggable_before = pluggable;
        order_before = order;
    }
    return true;
}

// Processors that no NUMA cell has are the first cell's.
static void fill_first_cell(struct domain_xml *x)
{
    static struct schema_set taken, set;
    struct xml_node *first = xml_find(x->root, "cpu/numa/cell");
    unsigned most = domain_vcpu_max(x->root), assigned = 0;
    if (!first)
        return;
    memset(&taken, 0, sizeof(taken));
    XML_EACH (cell, first->parent, "cell") {
        if (!schema_set_parse(xml_attr(cell, "cpus"), &set))
            continue;
        for (int cpu = schema_set_next(&set, 0); cpu >= 0; cpu = schema_set_next(&set, cpu + 1)) {
            assigned++;
            if (cell != first)
                schema_set_add(&taken, (unsigned)cpu);
        }
    }
    if (assigned >= most)
        return;
    memset(&set, 0, sizeof(set));
    for (unsigned cpu = 0; cpu < most; cpu++)
        if (!schema_set_has(&taken, cpu))
            schema_set_add(&set, cpu);
    char text[1024];
    struct buffer out = buffer_over(text, sizeof(text));
    schema_set_write(&out, &set);
    xml_set(x->doc, first, "cpus", buffer_slice(&out));
}

// --- the whole

static bool complete_domain(struct domain_xml *x)
{
    const struct qemu_lookup *lookup = qemu_lookup_of(x);
    struct qemu_machine_facts facts = {0};
    struct xml_node *type = xml_find(x->root, "os/type");
    if (xml_child(x->root, "bootloader") || xml_child(x->root, "bootloader_args"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "bootloader is not supported by QEMU");
    if (!lookup->machine(lookup->data, qemu_emulator_of(x), xml_attr(x->root, "type"),
                         domain_machine(x), &facts, x->err))
        return false;
    if (!domain_machine(x).len && !facts.machine.len)
        return REFUSE_QEMU(x, INVALID_ARG, "could not get preferred machine for %.*s type=%.*s",
                           SLICE_ARG(qemu_emulator_of(x)), SLICE_ARG(xml_attr(x->root, "type")));
    if (facts.machine.len)
        xml_set(x->doc, type, "machine", facts.machine);
    complete_nvram(x);
    if (!add_default_devices(x) || !set_default_cpu(x, &facts))
        return false;
    complete_gic(x);
    if (!check_vcpus(x) || !complete_sve(x))
        return false;
    complete_cpu(x, &facts);
    if (!check_tseg(x))
        return false;
    fill_first_cell(x);
    return true;
}

void qemu_domain_xml_rules(struct domain_xml_rules *rules, const struct qemu_lookup *lookup)
{
    *rules = (struct domain_xml_rules){
        .features = DOMAIN_XML_MEMORY_HOTPLUG | DOMAIN_XML_NET_MODEL_STRING |
                    DOMAIN_XML_INDIVIDUAL_VCPUS | DOMAIN_XML_USER_ALIAS | DOMAIN_XML_FIRMWARE_AUTO |
                    DOMAIN_XML_DISK_FD | DOMAIN_XML_ABI_UPDATE,
        .mac_prefix = {0x52, 0x54, 0x00},
        .name_space = "qemu",
        .name_space_attr = "xmlns:qemu",
        .name_space_uri = "http://libvirt.org/schemas/domain/qemu/1.0",
        .security_model = "none",
        .random = lookup->random,
        .complete_os = complete_os,
        .complete_domain = complete_domain,
        .complete_device = qemu_complete_device,
        .assign_addresses = qemu_assign_addresses,
#ifdef CONFIG_DOMAIN_VALIDATION
        .validate = qemu_validate_domain,
        .validate_device = qemu_validate_device,
#endif
        .data = (void *)(uintptr_t)lookup,
    };
}
