// Addresses of a QEMU domain's USB devices (libvirt: qemuDomainAssignUSBAddresses).
#include "hv/qemu/definition/machine.h"

#include "virt/xml/domain_check.h"

#include <string.h>

#define USB_HUBS      128 // controllers and hubs together
#define USB_BUSES     64
#define USB_PORTS_MAX 32
#define USB_HUB_PORTS 8
#define USB_DEPTH     4

struct usb_hub {
    unsigned ports;
    uint32_t used;
    struct usb_hub *child[USB_PORTS_MAX];
};

struct usb_set {
    struct usb_hub hubs[USB_HUBS];
    size_t hub_count;
    struct usb_hub *buses[USB_BUSES];
    unsigned bus_count;
};

struct usb_path {
    unsigned bus, depth, ports[USB_DEPTH]; // ports are numbered from 1
};

// --- who is on the bus

static bool is_usb_device(const struct xml_node *device)
{
    if (xml_named(device, "hostdev"))
        return xml_attr_is(device, "type", "usb");
    if (xml_named(device, "disk"))
        return xml_attr_is(xml_child(device, "target"), "bus", "usb");
    if (xml_named(device, "controller"))
        return xml_attr_is(device, "type", "ccid");
    if (xml_named(device, "input"))
        return xml_attr_is(device, "bus", "usb");
    if (xml_named(device, "serial"))
        return xml_attr_is(xml_child(device, "target"), "type", "usb-serial");
    if (xml_named(device, "sound"))
        return xml_attr_is(device, "model", "usb");
    return xml_named(device, "redirdev") && xml_attr_is(device, "bus", "usb");
}

static const char *const usb_order[] = {"hostdev", "disk",  "controller", "input",
                                        "serial",  "sound", "redirdev"};

typedef bool usb_fn(struct domain_xml *x, struct usb_set *set, struct xml_node *device);

static bool each_usb_device(struct domain_xml *x, struct usb_set *set, usb_fn *f)
{
    for (size_t i = 0; i < sizeof(usb_order) / sizeof(usb_order[0]); i++)
        XML_EACH (device, x->devices, usb_order[i])
            if (is_usb_device(device) && !f(x, set, device))
                return false;
    return true;
}

static unsigned ports_of(const struct xml_node *controller)
{
    static const struct {
        const char *models;
        unsigned ports;
    } models[] = {
        {"piix3-uhci|piix4-uhci|vt82c686b-uhci", 2}, {"ehci|ich9-ehci1", 6}, {"pci-ohci", 3}};
    struct slice model = xml_attr(controller, "model");
    if (!slice_present(model))
        return 2;
    for (size_t i = 0; i < 3; i++)
        if (schema_has_word(models[i].models, model))
            return models[i].ports;
    if (schema_has_word("nec-xhci|qemu-xhci", model))
        return domain_number(controller, "ports", 4);
    return 0; // companions of a USB 2 controller, and 'none'
}

// --- paths

static bool address_path(const struct xml_node *device, struct usb_path *path)
{
    const struct xml_node *address = xml_child(device, "address");
    struct slice rest = xml_attr(address, "port"), part;
    uint32_t port;
    *path = (struct usb_path){.bus = domain_number(address, "bus", 0)};
    if (!xml_attr_is(address, "type", "usb"))
        return false;
    while (path->depth < USB_DEPTH && slice_split(&rest, '.', &part) && slice_u32(part, 10, &port))
        path->ports[path->depth++] = port;
    return path->depth > 0;
}

static void write_path(struct buffer *out, const struct usb_path *path)
{
    for (unsigned i = 0; i < path->depth; i++)
        buffer_printf(out, i ? ".%u" : "%u", path->ports[i]);
}

// The hub that has the last port of the path.
static struct usb_hub *find_hub(struct domain_xml *x, struct usb_set *set,
                                const struct usb_path *path)
{
    char text[64];
    struct buffer out = buffer_over(text, sizeof(text));
    write_path(&out, path);
    struct usb_hub *hub = path->bus < set->bus_count ? set->buses[path->bus] : NULL;
    if (!hub) {
        REFUSE_QEMU(x, XML_ERROR, "Missing USB bus %u", path->bus);
        return NULL;
    }
    for (unsigned i = 0; i + 1 < path->depth; i++) {
        unsigned port = path->ports[i];
        if (port < 1 || port > hub->ports) {
            REFUSE_QEMU(x, XML_ERROR, "port %u out of range in USB address bus: %u port: %s", port,
                        path->bus, text);
            return NULL;
        }
        hub = hub->child[port - 1];
        if (!hub) {
            REFUSE_QEMU(x, XML_ERROR, "there is no hub at port %u in USB address bus: %u port: %s",
                        port, path->bus, text);
            return NULL;
        }
    }
    unsigned last = path->ports[path->depth - 1];
    if (last < 1 || last > hub->ports) {
        REFUSE_QEMU(x, XML_ERROR, "requested USB port %s not present on USB bus %u", text,
                    path->bus);
        return NULL;
    }
    return hub;
}

static struct usb_hub *new_hub(struct domain_xml *x, struct usb_set *set, unsigned ports)
{
    if (set->hub_count == USB_HUBS) {
        REFUSE_QEMU(x, INTERNAL_ERROR, "too many USB hubs: limit is %d", USB_HUBS);
        return NULL;
    }
    struct usb_hub *hub = &set->hubs[set->hub_count++];
    hub->ports = ports < USB_PORTS_MAX ? ports : USB_PORTS_MAX;
    return hub;
}

// --- building the set

static bool add_controller(struct domain_xml *x, struct usb_set *set,
                           const struct xml_node *controller)
{
    unsigned ports = ports_of(controller), index = domain_number(controller, "index", 0);
    if (ports == 0)
        return true;
    if (index >= USB_BUSES)
        return REFUSE_QEMU(x, INTERNAL_ERROR, "too many USB controllers: limit is %d", USB_BUSES);
    if (set->buses[index])
        return REFUSE_QEMU(x, XML_ERROR, "Duplicate USB controllers with index %u", index);
    if (set->bus_count <= index)
        set->bus_count = index + 1;
    set->buses[index] = new_hub(x, set, ports);
    return set->buses[index] != NULL;
}

static bool add_hub(struct domain_xml *x, struct usb_set *set, const struct xml_node *node)
{
    struct usb_path path;
    char text[64];
    struct buffer out = buffer_over(text, sizeof(text));
    if (!address_path(node, &path))
        return REFUSE_QEMU(x, XML_ERROR, "Wrong address type for USB hub");
    struct usb_hub *parent = find_hub(x, set, &path), *hub = new_hub(x, set, USB_HUB_PORTS);
    if (!parent || !hub)
        return false;
    unsigned last = path.ports[path.depth - 1] - 1;
    write_path(&out, &path);
    if (parent->child[last])
        return REFUSE_QEMU(x, XML_ERROR, "Duplicate USB hub on bus %u port %s", path.bus, text);
    parent->used |= 1u << last;
    parent->child[last] = hub;
    return true;
}

static bool reserve(struct domain_xml *x, struct usb_set *set, struct xml_node *device)
{
    struct usb_path path;
    char text[64];
    struct buffer out = buffer_over(text, sizeof(text));
    if (!address_path(device, &path))
        return true;
    struct usb_hub *hub = find_hub(x, set, &path);
    if (!hub)
        return false;
    unsigned last = path.ports[path.depth - 1] - 1;
    write_path(&out, &path);
    if (hub->used >> last & 1)
        return REFUSE_QEMU(x, XML_ERROR, "Duplicate USB address bus %u port %s", path.bus, text);
    hub->used |= 1u << last;
    return true;
}

// --- assigning

static bool find_free(const struct usb_hub *hub, struct usb_path *path, unsigned level)
{
    for (unsigned port = 0; port < hub->ports; port++)
        if (!(hub->used >> port & 1)) {
            path->ports[level] = port + 1;
            path->depth = level + 1;
            return true;
        }
    for (unsigned port = 0; level + 1 < USB_DEPTH && port < hub->ports; port++)
        if (hub->child[port] && find_free(hub->child[port], path, level + 1)) {
            path->ports[level] = port + 1;
            return true;
        }
    return false;
}

static bool place(struct domain_xml *x, struct usb_set *set, struct xml_node *device,
                  struct usb_path *path)
{
    char text[64];
    struct buffer out = buffer_over(text, sizeof(text));
    write_path(&out, path);
    struct xml_node *address = domain_new_address(x, device, "usb");
    xml_setf(x->doc, address, "bus", "%u", path->bus);
    xml_set(x->doc, address, "port", buffer_slice(&out));
    return reserve(x, set, device);
}

static bool assign(struct domain_xml *x, struct usb_set *set, struct xml_node *device)
{
    struct usb_path path;
    struct slice type = domain_address_type(device);
    if (address_path(device, &path) || (slice_present(type) && !slice_is(type, "usb")))
        return true;
    if (slice_is(type, "usb")) { // on a bus of the user's choice
        if (path.bus >= set->bus_count || !set->buses[path.bus])
            return REFUSE_QEMU(x, XML_ERROR,
                               "USB bus %u requested but no controller with that index is present",
                               path.bus);
        if (find_free(set->buses[path.bus], &path, 0))
            return place(x, set, device, &path);
    } else {
        for (path.bus = 0; path.bus < set->bus_count; path.bus++)
            if (set->buses[path.bus] && find_free(set->buses[path.bus], &path, 0))
                return place(x, set, device, &path);
    }
    return REFUSE_QEMU(x, INTERNAL_ERROR, "No free USB ports");
}

// Hubs are added when the controllers have too few ports.
static bool add_missing_hubs(struct domain_xml *x)
{
    unsigned ports = 0, devices = xml_count(x->devices, "hub");
    bool enabled = false;
    XML_EACH (controller, x->devices, "controller")
        if (xml_attr_is(controller, "type", "usb")) {
            ports += ports_of(controller);
            enabled = enabled || !xml_attr_is(controller, "model", "none");
        }
    ports += devices * USB_HUB_PORTS;
    XML_EACH (device, x->devices, NULL)
        devices += is_usb_device(device);
    if (devices > 0 && !enabled)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "USB is disabled for this domain, but USB devices are "
                           "present in the domain XML");
    if (devices <= ports)
        return true;
    unsigned hubs = (devices - ports + 1 + USB_HUB_PORTS - 2) / (USB_HUB_PORTS - 1);
    for (unsigned i = 0; i < hubs; i++)
        xml_sets(x->doc, xml_add(x->doc, x->devices, "hub"), "type", "usb");
    return true;
}

static bool lacks_address(struct domain_xml *x)
{
    struct usb_path path;
    XML_EACH (device, x->devices, NULL)
        if ((is_usb_device(device) || xml_named(device, "hub")) && !address_path(device, &path))
            return true;
    return false;
}

// Devices of guests that are not new get addresses only when all have them: otherwise the guest's
// USB tree, which QEMU made up, would change.
bool qemu_assign_usb_addresses(struct domain_xml *x)
{
    static struct usb_set set;
    struct usb_path path;
    memset(&set, 0, sizeof(set));
    if (!(x->flags & DOMAIN_XML_PARSE_NEW) && lacks_address(x))
        return true;
    if (!add_missing_hubs(x))
        return false;
    XML_EACH (controller, x->devices, "controller")
        if (xml_attr_is(controller, "type", "usb") && !add_controller(x, &set, controller))
            return false;
    XML_EACH (hub, x->devices, "hub")
        if (address_path(hub, &path) && !add_hub(x, &set, hub))
            return false;
    if (!each_usb_device(x, &set, reserve))
        return false;
    XML_EACH (hub, x->devices, "hub")
        if (!address_path(hub, &path)) {
            if (!assign(x, &set, hub))
                return false;
            address_path(hub, &path);
            find_hub(x, &set, &path)->used &= ~(1u << (path.ports[path.depth - 1] - 1));
            if (!add_hub(x, &set, hub))
                return false;
        }
    return each_usb_device(x, &set, assign);
}
