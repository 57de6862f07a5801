// Properties that many devices share: aliases, addresses, boot order, virtio options.
#include "hv/qemu/command/command_parts.h"

#include <string.h>

uint64_t number_of(struct slice value)
{
    uint64_t number = 0;
    return slice_present(value) && slice_u64(value, 0, &number) ? number : 0;
}

bool is_on(struct slice value)
{
    return slice_is(value, "on") || slice_is(value, "yes");
}

uint64_t memory_bytes(const struct xml_node *element)
{
    static const struct {
        const char *name;
        uint64_t bytes;
    } units[] = {
        {"b", 1},          {"bytes", 1},        {"KB", 1000},
        {"k", 1ull << 10}, {"KiB", 1ull << 10}, {"MB", 1000000},
        {"M", 1ull << 20}, {"MiB", 1ull << 20}, {"GB", 1000000000},
        {"G", 1ull << 30}, {"GiB", 1ull << 30}, {"TB", 1000000000000},
        {"T", 1ull << 40}, {"TiB", 1ull << 40},
    };
    struct slice unit = xml_attr(element, "unit");
    uint64_t factor = 1024;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (slice_is(unit, units[i].name))
            factor = units[i].bytes;
    return number_of(xml_text(element)) * factor;
}

struct slice device_alias(const struct xml_node *device)
{
    return xml_attr_at(device, "alias", "name");
}

void put_alias(struct builder *b, const struct xml_node *device)
{
    struct slice alias = device_alias(device);
    if (!slice_present(alias))
        internal_error(b, "device <%.*s> has no alias", SLICE_ARG(device->name));
    json_put_string(&b->json, "id", alias);
}

void put_switch(struct builder *b, const char *property, struct slice value)
{
    if (slice_present(value))
        json_put_bool(&b->json, property, is_on(value));
}

void put_number(struct builder *b, const char *property, struct slice value)
{
    if (slice_present(value))
        json_put_u64(&b->json, property, number_of(value));
}

void put_text(struct builder *b, const char *property, struct slice value)
{
    if (slice_present(value))
        json_put_string(&b->json, property, value);
}

const struct xml_node *controller_find(const struct builder *b, const char *type,
                                       struct slice index)
{
    uint64_t wanted = number_of(index);
    XML_EACH (controller, b->devices, "controller")
        if (xml_attr_is(controller, "type", type) &&
            number_of(xml_attr(controller, "index")) == wanted)
            return controller;
    return NULL;
}

// "bus":"CONTROLLER.suffix", or without a suffix the controller's own name.
static void put_bus(struct builder *b, const char *type, struct slice index, const char *suffix)
{
    const struct xml_node *controller = controller_find(b, type, index);
    struct slice alias = device_alias(controller);
    if (!slice_present(alias))
        internal_error(b,
                       "Could not find %s controller with index %u required for device at "
                       "address",
                       type, (unsigned)number_of(index));
    json_putf(&b->json, "bus", "%.*s%s", SLICE_ARG(alias), suffix);
}

static void put_pci_address(struct builder *b, const struct xml_node *address)
{
    unsigned slot = (unsigned)number_of(xml_attr(address, "slot"));
    unsigned function = (unsigned)number_of(xml_attr(address, "function"));
    put_bus(b, "pci", xml_attr(address, "bus"), "");
    put_switch(b, "multifunction", xml_attr(address, "multifunction"));
    if (function)
        json_putf(&b->json, "addr", "0x%x.0x%x", slot, function);
    else
        json_putf(&b->json, "addr", "0x%x", slot);
}

static void put_usb_address(struct builder *b, const struct xml_node *address)
{
    put_bus(b, "usb", xml_attr(address, "bus"), ".0");
    put_text(b, "port", xml_attr(address, "port"));
}

static void put_virtio_serial_address(struct builder *b, const struct xml_node *address)
{
    char suffix[16];
    struct buffer text = buffer_over(suffix, sizeof(suffix));
    buffer_printf(&text, ".%u", (unsigned)number_of(xml_attr(address, "bus")));
    put_bus(b, "virtio-serial", xml_attr(address, "controller"), suffix);
    put_number(b, "nr", xml_attr(address, "port"));
}

static void put_isa_address(struct builder *b, const struct xml_node *address)
{
    put_number(b, "iobase", xml_attr(address, "iobase"));
    put_number(b, "irq", xml_attr(address, "irq"));
}

static void put_dimm_address(struct builder *b, const struct xml_node *address)
{
    put_number(b, "slot", xml_attr(address, "slot"));
    put_number(b, "addr", xml_attr(address, "base"));
}

void put_address(struct builder *b, const struct xml_node *device)
{
    static const struct {
        const char *type;
        void (*put)(struct builder *b, const struct xml_node *address);
    } kinds[] = {
        {"pci", put_pci_address},   {"usb", put_usb_address},
        {"isa", put_isa_address},   {"virtio-serial", put_virtio_serial_address},
        {"dimm", put_dimm_address},
    };
    const struct xml_node *address = xml_child(device, "address");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (xml_attr_is(address, "type", kinds[i].type))
            kinds[i].put(b, address);
    put_number(b, "acpi-index", xml_attr_at(device, "acpi", "index"));
}

static const char *boot_class(const struct xml_node *device)
{
    if (xml_named(device, "interface"))
        return "network";
    if (xml_attr_is(device, "device", "cdrom"))
        return "cdrom";
    if (xml_attr_is(device, "device", "floppy"))
        return "fd";
    return "hd";
}

// With <os><boot dev='X'/>, the first device of each class boots, in the order of the <boot>s.
static bool first_of_class(const struct builder *b, const struct xml_node *device)
{
    const char *class = boot_class(device);
    for (const struct xml_node *other = xml_child(b->devices, NULL); other;
         other = xml_next(other, NULL)) {
        if (other->name.len != device->name.len ||
            memcmp(other->name.at, device->name.at, other->name.len) != 0 ||
            strcmp(boot_class(other), class) != 0)
            continue;
        return other == device;
    }
    return false;
}

unsigned boot_index(const struct builder *b, const struct xml_node *device)
{
    struct slice order = xml_attr_at(device, "boot", "order");
    if (slice_present(order))
        return (unsigned)number_of(order);
    if (!xml_named(device, "disk") && !xml_named(device, "interface"))
        return 0;
    unsigned index = 0;
    XML_EACH (boot, b->os, "boot") {
        index++;
        if (xml_attr_is(boot, "dev", boot_class(device)))
            return first_of_class(b, device) ? index : 0;
    }
    return 0;
}

void put_boot_index(struct builder *b, const struct xml_node *device)
{
    unsigned index = boot_index(b, device);
    if (index)
        json_put_u64(&b->json, "bootindex", index);
}

void virtio_open(struct builder *b, const char *name, const struct xml_node *device,
                 struct slice model)
{
    const struct xml_node *driver = xml_child(device, "driver");
    bool mmio = xml_attr_is(xml_child(device, "address"), "type", "virtio-mmio");
    const char *bus = mmio ? "device" : "pci";
    char type[64];
    struct buffer text = buffer_over(type, sizeof(type));
    buffer_printf(&text, "%s-%s", name, bus);
    if (slice_is(model, "virtio-transitional"))
        buffer_puts(&text, "-transitional");
    else if (slice_is(model, "virtio-non-transitional"))
        buffer_puts(&text, "-non-transitional");
    device_open(b, type);
    put_switch(b, "iommu_platform", xml_attr(driver, "iommu"));
    put_switch(b, "ats", xml_attr(driver, "ats"));
    put_switch(b, "packed", xml_attr(driver, "packed"));
    put_switch(b, "page-per-vq", xml_attr(driver, "page_per_vq"));
}
