// Turning a definition into that of a running guest: id, aliases (as libvirt's qemu_alias.c names
// devices), resource partition.
#include "virt/xml/domain_check.h"
#include "virt/xml/domain_complete.h"
#include "virt/xml/xml_value.h"

// The order among a device's children comes from domain_xml_order().
static void set_alias(struct xml_doc *doc, struct xml_node *device, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void set_alias(struct xml_doc *doc, struct xml_node *device, const char *format, ...)
{
    char name[128];
    struct buffer out = buffer_over(name, sizeof(name));
    va_list args;
    va_start(args, format);
    buffer_vprintf(&out, format, args);
    va_end(args);
    if (!xml_child(device, "alias"))
        xml_set(doc, xml_add(doc, device, "alias"), "name", buffer_slice(&out));
}

static bool machine_starts(const struct xml_doc *doc, const char *prefix)
{
    return slice_starts(xml_attr_at(doc->root, "os/type", "machine"), prefix);
}

// Of a device that is numbered with its siblings of the same name.
static void number_alias(struct xml_doc *doc, struct xml_node *device, const char *prefix)
{
    unsigned index = 0;
    for (const struct xml_node *other = device->prev; other; other = other->prev)
        index += slice_equal(other->name, device->name);
    set_alias(doc, device, "%s%u", prefix, index);
}

// The lowest number that no sibling's alias of that prefix has reached.
static void next_alias(struct xml_doc *doc, struct xml_node *device, const char *prefix)
{
    uint32_t next = 0, number;
    XML_EACH (other, device->parent, NULL) {
        struct slice name = xml_attr_at(other, "alias", "name");
        struct slice rest = slice_from(name, slice_of(prefix).len);
        if (slice_starts(name, prefix) && slice_u32(rest, 10, &number) && number >= next)
            next = number + 1;
    }
    set_alias(doc, device, "%s%u", prefix, (unsigned)next);
}

static void alias_controller(struct xml_doc *doc, struct xml_node *node)
{
    struct slice type = xml_attr(node, "type");
    unsigned index = domain_number(node, "index", 0);
    bool first = index == 0;
    bool q35 = machine_starts(doc, "pc-q35") || machine_starts(doc, "q35");
    bool pc = !q35 && (machine_starts(doc, "pc-") || machine_starts(doc, "pc"));
    if (slice_is(type, "pci"))
        set_alias(doc, node, xml_attr_is(node, "model", "pcie-root") ? "pcie.%u" : "pci.%u", index);
    else if (first && ((slice_is(type, "ide") && pc) || (slice_is(type, "sata") && q35)))
        set_alias(doc, node, "ide");
    else if (first && slice_is(type, "usb"))
        set_alias(doc, node, "usb");
    else if (first && xml_attr_is(node, "model", "ncr53c90"))
        set_alias(doc, node, "scsi");
    else
        set_alias(doc, node, "%.*s%u", SLICE_ARG(type), index);
}

static void alias_disk(struct xml_doc *doc, struct xml_node *disk)
{
    const struct xml_node *target = xml_child(disk, "target"),
                          *address = xml_child(disk, "address");
    struct slice bus = xml_attr(target, "bus");
    if (!xml_attr_is(address, "type", "drive")) {
        set_alias(doc, disk, "%.*s-disk%d", SLICE_ARG(bus),
                  domain_disk_index(xml_attr(target, "dev")));
        return;
    }
    unsigned controller = domain_number(address, "controller", 0);
    bool lsi = false;
    XML_EACH (other, disk->parent, "controller")
        if (xml_attr_is(other, "type", "scsi") && domain_number(other, "index", 0) == controller)
            lsi = xml_attr_is(other, "model", "lsilogic");
    if (slice_is(bus, "scsi") && !lsi)
        set_alias(doc, disk, "scsi%u-%u-%u-%u", controller, domain_number(address, "bus", 0),
                  domain_number(address, "target", 0), domain_number(address, "unit", 0));
    else
        set_alias(doc, disk, "%.*s%u-%u-%u", SLICE_ARG(bus), controller,
                  domain_number(address, "bus", 0), domain_number(address, "unit", 0));
}

// A guest without a balloon has no device to name.
static void alias_memballoon(struct xml_doc *doc, struct xml_node *memballoon)
{
    if (!xml_attr_is(memballoon, "model", "none"))
        number_alias(doc, memballoon, "balloon");
}

static void alias_memory(struct xml_doc *doc, struct xml_node *memory)
{
    static const struct {
        const char *model, *prefix;
    } models[] = {{"dimm", "dimm"},
                  {"nvdimm", "nvdimm"},
                  {"virtio-pmem", "virtiopmem"},
                  {"virtio-mem", "virtiomem"},
                  {"sgx-epc", "epc"}};
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (!xml_attr_is(memory, "model", models[i].model))
            continue;
        if (i < 2)
            set_alias(doc, memory, "%s%u", models[i].prefix,
                      domain_number(xml_child(memory, "address"), "slot", 0));
        else
            next_alias(doc, memory, models[i].prefix);
    }
}

static const struct {
    const char *element, *prefix;
    void (*assign)(struct xml_doc *doc, struct xml_node *device);
} aliases[] = {
    {"disk", NULL, alias_disk},     {"interface", "net", NULL},
    {"filesystem", "fs", NULL},     {"sound", "sound", NULL},
    {"hostdev", "hostdev", NULL},   {"redirdev", "redir", NULL},
    {"video", "video", NULL},       {"controller", NULL, alias_controller},
    {"input", "input", NULL},       {"parallel", "parallel", NULL},
    {"serial", "serial", NULL},     {"channel", "channel", NULL},
    {"console", "console", NULL},   {"hub", "hub", NULL},
    {"shmem", "shmem", NULL},       {"smartcard", "smartcard", NULL},
    {"watchdog", "watchdog", NULL}, {"memballoon", NULL, alias_memballoon},
    {"rng", "rng", NULL},           {"tpm", "tpm", NULL},
    {"memory", NULL, alias_memory}, {"vsock", "vsock", NULL},
    {"iommu", "iommu", NULL},
};

// Devices that are named by the next free number rather than by their position.
static bool takes_next(const char *element)
{
    return schema_has_word("interface|filesystem|hostdev|rng", slice_of(element));
}

static void assign_aliases(struct xml_doc *doc, struct xml_node *devices)
{
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        XML_EACH (device, devices, aliases[i].element) {
            if (aliases[i].assign)
                aliases[i].assign(doc, device);
            else if (takes_next(aliases[i].element))
                next_alias(doc, device, aliases[i].prefix);
            else
                number_alias(doc, device, aliases[i].prefix);
        }
}

bool domain_xml_make_live(struct xml_doc *doc, int id, bool partition, struct error *err)
{
    struct domain_xml x = {.doc = doc, .root = doc->root, .err = err};
    x.devices = xml_need(doc, doc->root, "devices");
    xml_setf(doc, doc->root, "id", "%d", id);
    struct xml_node *console = xml_child(x.devices, "console");
    if (console && domain_is_serial_console(&x, console) && xml_child(x.devices, "serial"))
        xml_remove(xml_child(console, "alias"));
    assign_aliases(doc, x.devices);
    if (partition && !xml_find(doc->root, "resource/partition"))
        xml_add_text(doc, xml_need(doc, doc->root, "resource"), "partition", SLICE("/machine"));
    domain_mirror_console(&x);
    domain_xml_order(doc);
    return xml_ok(doc, err);
}
