// Checks of a domain: character devices, controllers, inputs, and the smaller devices.
#include "virt/xml/domain_check.h"

#include "virt/xml/xml_value.h"

#include <string.h>

static struct xml_node *os_of(const struct xml_node *device)
{
    return xml_child(device->parent->parent, "os");
}

static bool is_x86(const struct xml_node *device)
{
    struct slice arch = xml_attr_at(os_of(device), "type", "arch");
    return !slice_present(arch) || slice_is(arch, "x86_64") || slice_is(arch, "i686");
}

void domain_default_first(struct schema_walk *walk, struct xml_node *node, const char *name,
                          const char *value)
{
    if (slice_present(xml_attr(node, name)))
        return;
    struct xml_attr *rest = node->attrs;
    node->attrs = NULL;
    xml_sets(walk->doc, node, name, value);
    if (node->attrs)
        node->attrs->next = rest;
}

// --- character devices

// The attributes of <source> that libvirt reads and shows for each type; NULL for none at all.
static const struct {
    const char *type, *keep;
} char_sources[] = {
    {"null", NULL},
    {"vc", NULL},
    {"stdio", NULL},
    {"spicevmc", NULL},
    {"pty", "path"},
    {"dev", "path"},
    {"file", "path|append"},
    {"pipe", "path"},
    {"udp", "mode|host|service"},
    {"tcp", "mode|host|service|tls"},
    {"unix", "mode|path"},
    {"spiceport", "channel"},
    {"dbus", "channel"},
    {"nmdm", "master|slave"},
    {"qemu-vdagent", ""},
};

static void shape_tcp(struct schema_walk *walk, struct xml_node *node, struct xml_node *source)
{
    struct xml_node *protocol = xml_child(node, "protocol");
    if (!protocol) {
        protocol = source && source->next ? xml_add_before(walk->doc, source->next, "protocol")
                                          : xml_add(walk->doc, node, "protocol");
    }
    if (!slice_present(xml_attr(protocol, "type")))
        xml_sets(walk->doc, protocol, "type", "raw");
    domain_default_first(walk, source, "mode", "connect");
}

// A UDP device binds and connects: libvirt shows the binding half first.
static void shape_udp(struct schema_walk *walk, struct xml_node *node)
{
    XML_EACH (source, node, "source")
        domain_default_first(walk, source, "mode", "connect");
    struct xml_node *first = xml_child(node, "source"), *second = xml_next(first, "source");
    if (second && xml_attr_is(second, "mode", "bind") && !xml_attr_is(first, "mode", "bind"))
        xml_move_before(second, first);
}

static bool drop_sources(struct xml_node *node)
{
    XML_EACH_SAFE (source, node, "source")
        xml_remove(source);
    return true;
}

static const char *source_attrs(struct slice type, bool *known)
{
    *known = false;
    for (size_t i = 0; i < sizeof(char_sources) / sizeof(char_sources[0]); i++)
        if (slice_is(type, char_sources[i].type)) {
            *known = true;
            return char_sources[i].keep;
        }
    return NULL;
}

bool domain_check_char_source(struct schema_walk *walk, struct xml_node *node, struct slice type)
{
    unsigned count = xml_count(node, "source");
    if (count > 1 && !slice_is(type, "udp"))
        return REFUSE(walk, XML_ERROR, "only one source element is allowed for character device");
    if (count > 2)
        return REFUSE(walk, XML_ERROR, "only two source elements are allowed for character device");
    if (xml_count(node, "log") > 1)
        return REFUSE(walk, XML_ERROR, "only one log element is allowed for character device");
    if (xml_count(node, "protocol") > 1)
        return REFUSE(walk, XML_ERROR, "only one protocol element is allowed for character device");
    bool known;
    const char *keep = source_attrs(type, &known);
    if (!slice_is(type, "tcp"))
        xml_remove(xml_child(node, "protocol"));
    if (known && !keep)
        return drop_sources(node);
    XML_EACH_SAFE (source, node, "source") {
        if (keep)
            domain_keep_attrs(source, keep);
        if (slice_is(type, "pty") && !walk->live)
            xml_unset(source, "path");
        if (!source->attrs && !source->child)
            xml_remove(source);
    }
    struct xml_node *source = xml_child(node, "source");
    if (slice_is(type, "tcp") && source)
        shape_tcp(walk, node, source);
    else if (slice_is(type, "udp"))
        shape_udp(walk, node);
    else if (slice_is(type, "unix") && source && slice_present(xml_attr(source, "path")))
        domain_default_first(walk, source, "mode", "connect");
    else if (slice_is(type, "unix") && source)
        xml_remove(source); // the path is generated, and then the mode is "bind"
    return true;
}

static bool check_channel_target(struct schema_walk *walk, struct xml_node *node,
                                 struct xml_node *target)
{
    struct slice type = xml_attr(target, "type");
    if (!target || !slice_present(type))
        return REFUSE(walk, XML_ERROR, "target type must be specified for channel device");
    if (slice_is(type, "guestfwd")) {
        if (!slice_present(xml_attr(target, "address")))
            return REFUSE(walk, XML_ERROR, "guestfwd channel does not define a target address");
        if (!slice_present(xml_attr(target, "port")))
            return error_set(walk->err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                             "Missing required attribute 'port' in element 'target'");
        domain_keep_attrs(target, "type|address|port");
    } else {
        domain_keep_attrs(target, "type|name|state");
    }
    if (xml_attr_is(node, "type", "spicevmc") && !slice_is(type, "virtio"))
        return REFUSE(walk, CONFIG_UNSUPPORTED, "spicevmc device type only supports virtio");
    return true;
}

bool domain_check_chardev(struct schema_walk *walk, struct xml_node *node)
{
    domain_default_first(walk, node, "type", "pty");
    if (!domain_check_char_source(walk, node, xml_attr(node, "type")))
        return false;
    struct xml_node *target = xml_child(node, "target");
    if (xml_named(node, "channel"))
        return check_channel_target(walk, node, target);
    if (xml_attr_is(node, "type", "spicevmc"))
        return REFUSE(walk, CONFIG_UNSUPPORTED, "spicevmc device type only supports virtio");
    if (xml_named(node, "parallel"))
        xml_unset(target, "type");
    struct slice address = xml_attr_at(node, "address", "type");
    if (xml_named(node, "serial") && xml_attr_is(target, "type", "usb-serial") &&
        slice_present(address) && !slice_is(address, "usb"))
        return REFUSE(walk, CONFIG_UNSUPPORTED, "usb-serial requires address of usb type");
    return true;
}

bool domain_check_redirdev(struct schema_walk *walk, struct xml_node *node)
{
    struct slice type = xml_attr(node, "type");
    domain_default_first(walk, node, "bus", "usb");
    if (!slice_present(type))
        return REFUSE(walk, XML_ERROR, "missing type in redirdev");
    return domain_check_char_source(walk, node, type);
}

// --- controllers

static const struct {
    const char *type, *models;
} controller_models[] = {
    {"scsi", "auto|buslogic|lsilogic|lsisas1068|vmpvscsi|ibmvscsi|virtio-scsi|lsisas1078|"
             "virtio-transitional|virtio-non-transitional|ncr53c90|dc390|am53c974"},
    {"usb", "piix3-uhci|piix4-uhci|ehci|ich9-ehci1|ich9-uhci1|ich9-uhci2|ich9-uhci3|"
            "vt82c686b-uhci|pci-ohci|nec-xhci|qusb1|qusb2|qemu-xhci|none"},
    {"pci", "pci-root|pcie-root|pci-bridge|dmi-to-pci-bridge|pcie-to-pci-bridge|pcie-root-port|"
            "pcie-switch-upstream-port|pcie-switch-downstream-port|pci-expander-bus|"
            "pcie-expander-bus"},
    {"ide", "piix3|piix4|ich6"},
    {"virtio-serial", "virtio|virtio-transitional|virtio-non-transitional"},
};

static bool check_controller_model(struct schema_walk *walk, const struct xml_node *node)
{
    struct slice model = xml_attr(node, "model"), type = xml_attr(node, "type");
    if (!slice_present(model))
        return true;
    for (size_t i = 0; i < sizeof(controller_models) / sizeof(controller_models[0]); i++)
        if (slice_is(type, controller_models[i].type) &&
            schema_has_word(controller_models[i].models, model))
            return true;
    return REFUSE(walk, CONFIG_UNSUPPORTED, "Unknown model type '%.*s'", SLICE_ARG(model));
}

static void shape_usb_controller(struct schema_walk *walk, struct xml_node *node)
{
    static const char *const companions[] = {"ich9-uhci1", "ich9-uhci2", "ich9-uhci3"};
    domain_keep_attrs(node, "type|index|model|ports");
    if (xml_attr_is(node, "model", "none")) {
        xml_remove(xml_child(node, "address"));
        xml_remove(xml_child(node, "alias"));
        xml_remove(xml_child(node, "master"));
    }
    for (unsigned i = 0; i < 3; i++) {
        if (!xml_attr_is(node, "model", companions[i]) || xml_child(node, "master"))
            continue;
        struct xml_node *address = xml_child(node, "address");
        struct xml_node *master = address ? xml_add_before(walk->doc, address, "master")
                                          : xml_add(walk->doc, node, "master");
        xml_setf(walk->doc, master, "startport", "%u", 2 * i);
    }
}

// libvirt keeps controllers of a type together, in order of their indices, a USB master before its
// companions; one without an index goes behind the others (virDomainControllerInsertPreAlloced).
static void insert_controller(struct xml_node *node)
{
    struct slice type = xml_attr(node, "type");
    bool indexed = slice_present(xml_attr(node, "index")), master = !xml_child(node, "master");
    unsigned index = domain_number(node, "index", 0);
    struct xml_node *before = NULL, *after = NULL;
    for (struct xml_node *other = node->prev; other; other = other->prev) {
        if (!xml_named(other, "controller") || !slice_equal(xml_attr(other, "type"), type))
            continue;
        bool other_indexed = slice_present(xml_attr(other, "index"));
        unsigned other_index = domain_number(other, "index", 0);
        if (!indexed) {
            after = other;
            break;
        }
        bool companion =
            other_indexed && other_index == index && master && xml_child(other, "master");
        if ((other_indexed && other_index > index) || companion)
            before = other;
        else if (!before && !after)
            after = other;
    }
    if (before)
        xml_move_before(node, before);
    else if (after && after->next && after->next != node)
        xml_move_before(node, after->next);
}

bool domain_check_controller(struct schema_walk *walk, struct xml_node *node)
{
    domain_default_first(walk, node, "type", "ide");
    struct slice type = xml_attr(node, "type");
    if (!check_controller_model(walk, node))
        return false;
    if (xml_count(node, "model") > 1)
        return REFUSE(walk, XML_ERROR,
                      "Multiple <model> elements in controller definition not allowed");
    if (xml_count(node, "target") > 1)
        return REFUSE(walk, XML_ERROR,
                      "Multiple <target> elements in controller definition not allowed");
    if (!slice_is(type, "pci")) {
        xml_remove(xml_child(node, "target"));
        xml_remove(xml_child(node, "model"));
        xml_remove(xml_child(node, "pcihole64"));
    }
    if (slice_is(type, "usb"))
        shape_usb_controller(walk, node);
    else if (slice_is(type, "virtio-serial"))
        domain_keep_attrs(node, "type|index|model|ports|vectors");
    else if (!slice_is(type, "xenbus"))
        domain_keep_attrs(node, "type|index|model");
    insert_controller(node);
    return true;
}

// --- inputs

static const char *default_input_bus(const struct xml_node *node)
{
    struct slice type = xml_attr(node, "type");
    if ((slice_is(type, "mouse") || slice_is(type, "keyboard")) && is_x86(node))
        return "ps2";
    if (slice_is(type, "passthrough"))
        return "virtio";
    return slice_is(type, "evdev") ? "none" : "usb";
}

static bool check_input_source(struct schema_walk *walk, struct xml_node *node)
{
    struct xml_node *source = xml_child(node, "source");
    bool evdev = xml_attr_is(node, "type", "evdev");
    if (!evdev && !xml_attr_is(node, "type", "passthrough")) {
        xml_remove(source);
        return true;
    }
    if (!slice_present(xml_attr(source, evdev ? "dev" : "evdev")))
        return REFUSE(walk, XML_ERROR, "Missing evdev path for input device");
    domain_keep_attrs(source, evdev ? "dev|grab|grabToggle|repeat" : "evdev");
    return true;
}

bool domain_check_input(struct schema_walk *walk, struct xml_node *node)
{
    if (!slice_present(xml_attr(node, "type")))
        return REFUSE(walk, INTERNAL_ERROR, "missing input device type");
    if (!slice_present(xml_attr(node, "bus"))) {
        struct slice model = xml_attr(node, "model");
        xml_unset(node, "model");
        xml_sets(walk->doc, node, "bus", default_input_bus(node));
        if (slice_present(model))
            xml_set(walk->doc, node, "model", model);
    }
    struct slice address = xml_attr_at(node, "address", "type");
    if (xml_attr_is(node, "bus", "usb") && slice_present(address) && !slice_is(address, "usb"))
        return REFUSE(walk, XML_ERROR, "Invalid address for a USB device");
    if (xml_attr_is(node, "bus", "none"))
        xml_unset(node, "bus");
    return !xml_child(node, "source") || check_input_source(walk, node);
}

// --- the rest

bool domain_check_sound(struct schema_walk *walk, struct xml_node *node)
{
    (void)walk;
    if (!xml_attr_is(node, "model", "ich6") && !xml_attr_is(node, "model", "ich9"))
        XML_EACH_SAFE (codec, node, "codec")
            xml_remove(codec);
    return true;
}

// A primary video device comes first.
bool domain_check_video(struct schema_walk *walk, struct xml_node *node)
{
    struct xml_node *model = xml_child(node, "model");
    if (!model) {
        struct xml_node *driver = xml_child(node, "driver"), *first = node->child;
        if (driver)
            first = driver->next;
        model =
            first ? xml_add_before(walk->doc, first, "model") : xml_add(walk->doc, node, "model");
    }
    if (!slice_present(xml_attr(model, "heads")))
        xml_sets(walk->doc, model, "heads", "1");
    if (xml_attr_is(model, "primary", "yes")) {
        struct xml_node *before = node;
        while (before->prev && xml_named(before->prev, "video"))
            before = before->prev;
        if (before != node)
            xml_move_before(node, before);
    }
    return true;
}

bool domain_check_acceleration(struct schema_walk *walk, struct xml_node *node)
{
    return node->attrs || REFUSE(walk, CONFIG_UNSUPPORTED, "missing values for acceleration");
}

bool domain_check_hub(struct schema_walk *walk, struct xml_node *node)
{
    return slice_present(xml_attr(node, "type")) ||
           REFUSE(walk, INTERNAL_ERROR, "missing hub device type");
}

bool domain_check_watchdog(struct schema_walk *walk, struct xml_node *node)
{
    if (!slice_present(xml_attr(node, "model")))
        return REFUSE(walk, INTERNAL_ERROR, "watchdog must contain model name");
    if (!slice_present(xml_attr(node, "action")))
        xml_sets(walk->doc, node, "action", "reset");
    return true;
}

bool domain_check_memballoon(struct schema_walk *walk, struct xml_node *node)
{
    (void)walk;
    struct slice period = xml_attr_at(node, "stats", "period");
    if (slice_starts(period, "-"))
        xml_remove(xml_child(node, "stats"));
    if (xml_attr_is(node, "model", "none")) {
        xml_remove(xml_child(node, "address"));
        xml_remove(xml_child(node, "alias"));
    }
    return true;
}

static bool check_rng_backend(struct schema_walk *walk, struct xml_node *backend)
{
    struct slice model = xml_attr(backend, "model"), type = xml_attr(backend, "type");
    if (!slice_present(model))
        return REFUSE(walk, XML_ERROR, "missing RNG device backend model");
    if (slice_is(model, "egd")) {
        if (!slice_present(type))
            return REFUSE(walk, XML_ERROR, "missing EGD backend type");
        if (!schema_has_word("null|vc|pty|dev|file|pipe|stdio|udp|tcp|unix|spicevmc|spiceport|nmdm|"
                             "qemu-vdagent|dbus",
                             type))
            return REFUSE(walk, CONFIG_UNSUPPORTED, "unknown backend type '%.*s' for egd",
                          SLICE_ARG(type));
        return domain_check_char_source(walk, backend, type);
    }
    xml_unset(backend, "type");
    if (slice_is(model, "builtin"))
        while (backend->child)
            xml_remove(backend->child);
    return true;
}

bool domain_check_rng(struct schema_walk *walk, struct xml_node *node)
{
    if (!slice_present(xml_attr(node, "model")))
        return REFUSE(walk, XML_ERROR, "missing RNG device model");
    struct xml_node *rate = xml_child(node, "rate");
    if (rate && domain_number(rate, "bytes", 0) == 0)
        xml_remove(rate);
    if (xml_count(node, "backend") != 1)
        return REFUSE(walk, XML_ERROR, "only one RNG backend is supported");
    return check_rng_backend(walk, xml_child(node, "backend"));
}
