// What libvirt's QEMU driver refuses of a domain's CPU, clock, memory and the like.
#include "hv/qemu/definition/machine.h"

#include "virt/xml/domain_check.h"
#include "virt/xml/xml_value.h"

// --- CPU

static bool validate_phys_bits(struct domain_xml *x, const struct xml_node *bits)
{
    bool number = slice_present(xml_attr(bits, "bits"));
    if (!domain_is_x86(x))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "CPU maximum physical address bits specification is not supported for "
                           "'%.*s' architecture",
                           SLICE_ARG(domain_arch(x)));
    if (xml_attr_is(bits, "mode", "passthrough") && number)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "CPU maximum physical address bits number specification cannot be used "
                           "with mode='passthrough'");
    return !xml_attr_is(bits, "mode", "emulate") || number ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "if using CPU maximum physical address mode='emulate', bits= must be "
                       "specified too");
}

static bool validate_cache(struct domain_xml *x, const struct xml_node *cpu,
                           const struct xml_node *cache)
{
    struct slice mode = xml_attr(cache, "mode");
    bool level = slice_present(xml_attr(cache, "level"));
    if (!domain_is_x86(x))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "CPU cache specification is not supported for '%.*s' architecture",
                           SLICE_ARG(domain_arch(x)));
    if (slice_is(mode, "emulate"))
        return xml_attr_is(cache, "level", "3") ||
               REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "CPU cache mode 'emulate' can only be used with level='3'");
    if (slice_is(mode, "passthrough") &&
        !schema_has_word("host-passthrough|maximum", xml_attr(cpu, "mode")))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "CPU cache mode 'passthrough' can only be used with "
                           "'host-passthrough' / 'maximum' CPUs");
    return !level || REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                                 "unsupported CPU cache level for mode '%.*s'", SLICE_ARG(mode));
}

bool qemu_validate_cpu(struct domain_xml *x)
{
    const struct xml_node *cpu = xml_child(x->root, "cpu"), *bits = xml_child(cpu, "maxphysaddr"),
                          *cache = xml_child(cpu, "cache");
    return (!bits || validate_phys_bits(x, bits)) && (!cache || validate_cache(x, cpu, cache));
}

// --- memory

static uint64_t kib_of(const struct xml_node *node)
{
    uint64_t kib = 0;
    slice_u64(xml_text(node), 10, &kib);
    return kib;
}

static bool validate_memory_device(struct domain_xml *x, const struct xml_node *device)
{
    struct slice model = xml_attr(device, "model"), address = domain_address_type(device);
    bool dimm = schema_has_word("dimm|nvdimm", model), cells = xml_find(x->root, "cpu/numa/cell");
    const struct xml_node *place = xml_child(device, "address");
    unsigned slot = domain_number(place, "slot", 0),
             slots = domain_number(xml_child(x->root, "maxMemory"), "slots", 0);
    if (dimm && slice_present(address) && !slice_is(address, "dimm"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "only 'dimm' addresses are supported for the pc-dimm device");
    if (!dimm && slice_present(address) && !slice_is(address, "pci"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "only 'pci' addresses are supported for the %.*s device",
                           SLICE_ARG(model));
    if (!slice_is(model, "virtio-pmem") && cells && !xml_find(device, "target/node"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "target NUMA node needs to be specified for memory device");
    return !dimm || !place || slot < slots ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "memory device slot '%u' exceeds slots count '%u'",
                       slot, slots);
}

static bool validate_hotplug(struct domain_xml *x)
{
    const struct xml_node *most = xml_child(x->root, "maxMemory");
    unsigned slots = domain_number(most, "slots", 0), devices = xml_count(x->devices, "memory");
    uint64_t space = kib_of(most), used = 0, base = kib_of(xml_child(x->root, "memory"));
    if (!most)
        return !devices || REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                                       "cannot use/hotplug a memory device when domain "
                                       "'maxMemory' is not defined");
    if (!xml_find(x->root, "cpu/numa/cell"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "At least one numa node has to be configured when enabling memory "
                           "hotplug");
    if (devices > slots)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "memory device count '%u' exceeds slots count '%u'", devices, slots);
    XML_EACH (device, x->devices, "memory") {
        used += kib_of(xml_find(device, "target/size"));
        if (!xml_attr_is(device, "model", "sgx-epc") && !validate_memory_device(x, device))
            return false;
    }
    // <memory> counts the devices already.
    return base <= space || used <= space - (base - used) ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "memory device total size exceeds hotplug space");
}

static bool validate_huge_pages(struct domain_xml *x)
{
    const struct xml_node *backing = xml_child(x->root, "memoryBacking");
    if (!xml_child(backing, "hugepages"))
        return true;
    if (xml_attr_is(xml_child(backing, "allocation"), "mode", "ondemand"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "hugepages are not allowed with memory allocation ondemand");
    return !xml_attr_is(xml_child(backing, "source"), "type", "anonymous") ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "hugepages are not allowed with anonymous memory source");
}

bool qemu_need_shared_memory(struct domain_xml *x, const char *what)
{
    bool shared = xml_attr_is(xml_find(x->root, "memoryBacking/access"), "mode", "shared");
    const struct xml_node *numa = xml_find(x->root, "cpu/numa");
    if (!xml_child(numa, "cell") && !shared)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "'%s' requires shared memory", what);
    XML_EACH (cell, numa, "cell") {
        struct slice access = xml_attr(cell, "memAccess");
        if (slice_present(access) ? !slice_is(access, "shared") : !shared)
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "'%s' requires shared memory", what);
    }
    return true;
}

bool qemu_validate_memory(struct domain_xml *x)
{
    return validate_hotplug(x) && validate_huge_pages(x);
}
