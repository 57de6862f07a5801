// Checks of a domain: disks, and what all devices share: aliases, addresses, labels.
#include "virt/xml/domain_check.h"

#include "virt/xml/xml_value.h"

// --- aliases and ROMs

static bool is_user_alias(struct slice alias)
{
    if (!slice_starts(alias, "ua-"))
        return false;
    for (size_t i = 0; i < alias.len; i++) {
        char c = alias.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return true;
}

// What a client defines may name devices "ua-..."; other aliases are the running guest's.
bool domain_check_alias(struct schema_walk *walk, struct xml_node *node)
{
    const struct domain_xml *x = walk->user;
    struct slice name = xml_attr(node, "name");
    if (!walk->live && !(x->rules->features & DOMAIN_XML_USER_ALIAS && is_user_alias(name)))
        xml_remove(node);
    return true;
}

bool domain_check_rom(struct schema_walk *walk, struct xml_node *node)
{
    if (xml_attr_is(node, "enabled", "no") &&
        (slice_present(xml_attr(node, "bar")) || slice_present(xml_attr(node, "file"))))
        return REFUSE(walk, CONFIG_UNSUPPORTED, "ROM tuning is not supported when ROM is disabled");
    return true;
}

// --- addresses

static const struct {
    const char *type;
    unsigned attrs;   // a table of schema_attrs
    const char *keep; // attributes that are shown; those behind '|' one with a default of 0
    bool defaults;
} address_types[] = {
    {"pci", SCHEMA_PCI_ADDRESS, "type|domain|bus|slot|function|multifunction", false},
    {"drive", SCHEMA_DRIVE_ADDRESS, "type|controller|bus|target|unit", true},
    {"virtio-serial", SCHEMA_SERIAL_ADDRESS, "type|controller|bus|port", true},
    {"ccid", SCHEMA_CCID_ADDRESS, "type|controller|slot", true},
    {"usb", SCHEMA_USB_ADDRESS, "type|bus|port", false},
    {"spapr-vio", SCHEMA_SPAPR_ADDRESS, "type|reg", false},
    {"ccw", SCHEMA_CCW_ADDRESS, "type|cssid|ssid|devno", false},
    {"virtio-mmio", SCHEMA_BARE_ADDRESS, "type", false},
    {"isa", SCHEMA_ISA_ADDRESS, "type|iobase|irq", false},
    {"dimm", SCHEMA_DIMM_ADDRESS, "type|slot|base", false},
    {"unassigned", SCHEMA_BARE_ADDRESS, "type", false},
};

static bool check_pci_range(struct schema_walk *walk, const struct xml_node *node)
{
    static const struct {
        const char *name;
        unsigned most;
    } ranges[] = {{"bus", 0xFF}, {"slot", 0x1F}, {"function", 7}};
    for (size_t i = 0; i < 3; i++) {
        unsigned value = domain_number(node, ranges[i].name, 0);
        if (value > ranges[i].most)
            return error_set(walk->err, VIR_FROM_NONE, VIR_ERR_XML_ERROR,
                             i == 2 ? "Invalid PCI address %s=0x%x, must be <= %X"
                                    : "Invalid PCI address %s='0x%x', must be <= 0x%X",
                             ranges[i].name, value, ranges[i].most);
    }
    return true;
}

// An address without domain, bus and slot is one that is still to be assigned.
static bool shape_pci(struct schema_walk *walk, struct xml_node *node)
{
    unsigned domain = domain_number(node, "domain", 0), bus = domain_number(node, "bus", 0),
             slot = domain_number(node, "slot", 0), function = domain_number(node, "function", 0);
    struct slice multi = xml_attr(node, "multifunction");
    bool typed = slice_present(xml_attr(node, "type"));
    if ((domain || bus || slot) && !check_pci_range(walk, node))
        return false;
    node->attrs = NULL;
    if (typed)
        xml_sets(walk->doc, node, "type", "pci");
    if (!(domain || bus || slot))
        return true;
    xml_setf(walk->doc, node, "domain", "0x%04x", domain);
    xml_setf(walk->doc, node, "bus", "0x%02x", bus);
    xml_setf(walk->doc, node, "slot", "0x%02x", slot);
    xml_setf(walk->doc, node, "function", "0x%u", function);
    if (slice_present(multi))
        xml_set(walk->doc, node, "multifunction", multi);
    return true;
}

// "1.2.3": up to four ports, numbered from 1.
static bool check_usb_port(struct schema_walk *walk, struct xml_node *node)
{
    struct slice rest = xml_attr(node, "port"), part;
    unsigned depth = 0;
    uint32_t port;
    while (slice_split(&rest, '.', &part))
        if (++depth > 4 || !slice_u32(part, 10, &port))
            return error_set(walk->err, VIR_FROM_DEVICE, VIR_ERR_INTERNAL_ERROR,
                             "Cannot parse <address> 'port' attribute");
    if (xml_attr_is(node, "port", "0"))
        xml_unset(node, "port");
    return true;
}

static void fill_zeroes(struct schema_walk *walk, struct xml_node *node, unsigned table)
{
    const struct schema_attr *attrs = &schema_attrs[table];
    struct slice values[8];
    size_t count = 0;
    for (; attrs[count].name; count++)
        values[count] = xml_attr(node, schema_string(attrs[count].name));
    node->attrs = NULL;
    for (size_t i = 0; i < count; i++)
        xml_set(walk->doc, node, schema_string(attrs[i].name),
                slice_present(values[i]) ? values[i] : SLICE("0"));
}

bool domain_check_address(struct schema_walk *walk, struct xml_node *node)
{
    struct slice type = xml_attr(node, "type");
    if (!slice_present(type))
        return REFUSE(walk, INTERNAL_ERROR, "No type specified for device address");
    if (slice_is(type, "virtio-s390"))
        return REFUSE(walk, XML_ERROR, "virtio-s390 bus doesn't have an address");
    for (size_t i = 0; i < sizeof(address_types) / sizeof(address_types[0]); i++) {
        if (!slice_is(type, address_types[i].type))
            continue;
        if (!schema_apply_attrs(walk, node, address_types[i].attrs))
            return false;
        domain_keep_attrs(node, address_types[i].keep);
        if (address_types[i].defaults)
            fill_zeroes(walk, node, address_types[i].attrs);
        if (slice_is(type, "usb")) {
            if (!slice_present(xml_attr(node, "bus"))) {
                struct xml_attr *port = node->attrs->next;
                node->attrs->next = NULL;
                xml_sets(walk->doc, node, "bus", "0");
                node->attrs->next->next = port;
            }
            return check_usb_port(walk, node);
        }
        return !slice_is(type, "pci") || shape_pci(walk, node);
    }
    return REFUSE(walk, CONFIG_UNSUPPORTED, "unknown address type '%.*s'", SLICE_ARG(type));
}

// The address of a host's device below <source>.
bool domain_check_source_address(struct schema_walk *walk, struct xml_node *node)
{
    if (!slice_present(xml_attr(node, "slot")))
        return true;
    return schema_apply_attrs(walk, node, SCHEMA_PCI_ADDRESS) && shape_pci(walk, node);
}

// --- labels of one device

bool domain_check_device_seclabel(struct schema_walk *walk, struct xml_node *node)
{
    bool labelled = xml_child(node, "label") != NULL;
    bool relabel = !xml_attr_is(node, "relabel", "no");
    bool skip = xml_attr_is(node, "labelskip", "yes");
    struct slice model = xml_attr(node, "model");
    if (labelled && !relabel)
        return REFUSE(walk, XML_ERROR,
                      "Cannot specify a label if relabelling is turned off. model=%.*s",
                      SLICE_ARG(slice_present(model) ? model : SLICE("<null>")));
    if (!walk->live && !labelled && relabel) {
        xml_remove(node);
        return true;
    }
    node->attrs = NULL;
    if (slice_present(model))
        xml_set(walk->doc, node, "model", model);
    if (skip && walk->live)
        xml_sets(walk->doc, node, "labelskip", "yes");
    else
        xml_sets(walk->doc, node, "relabel", relabel ? "yes" : "no");
    return true;
}

bool domain_check_reconnect(struct schema_walk *walk, struct xml_node *node)
{
    if (!slice_present(xml_attr(node, "enabled")))
        xml_remove(node);
    else if (!xml_attr_is(node, "enabled", "yes"))
        xml_unset(node, "timeout");
    else if (!slice_present(xml_attr(node, "timeout")))
        return error_set(walk->err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                         "Missing required attribute 'timeout' in element 'reconnect'");
    return true;
}

// --- sources

static const struct {
    const char *type, *keep;
} source_types[] = {
    {"file", "file|fdgroup|startupPolicy|index"},
    {"block", "dev|startupPolicy|index"},
    {"dir", "dir|startupPolicy|index"},
    {"network", "protocol|name|query|tls|tlsHostname|index"},
    {"volume", "pool|volume|mode|startupPolicy|index"},
    {"nvme", "type|managed|namespace|startupPolicy|index"},
    {"vhostuser", "type|path|startupPolicy|index"},
};

#define PROTOCOLS "nbd|rbd|sheepdog|gluster|iscsi|http|https|ftp|ftps|tftp|ssh|vxhs|nfs"

static bool check_network_source(struct schema_walk *walk, struct xml_node *node)
{
    struct slice protocol = xml_attr(node, "protocol");
    if (!slice_present(protocol))
        return REFUSE(walk, XML_ERROR, "missing network source protocol type");
    if (!schema_has_word(PROTOCOLS, protocol))
        return error_set(walk->err, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "unknown protocol type '%.*s'", SLICE_ARG(protocol));
    if (!slice_present(xml_attr(node, "name")) && !slice_is(protocol, "nbd"))
        return REFUSE(walk, XML_ERROR, "missing name for disk source");
    static const struct {
        const char *protocol;
        unsigned port;
    } ports[] = {{"http", 80},    {"https", 443},     {"ftp", 21},   {"ftps", 990},
                 {"tftp", 69},    {"nbd", 10809},     {"ssh", 22},   {"sheepdog", 7000},
                 {"iscsi", 3260}, {"gluster", 24007}, {"vxhs", 9999}};
    XML_EACH (host, node, "host") {
        bool tcp =
            !slice_present(xml_attr(host, "transport")) || xml_attr_is(host, "transport", "tcp");
        if (xml_attr_is(host, "transport", "tcp"))
            xml_unset(host, "transport");
        for (size_t i = 0; tcp && i < sizeof(ports) / sizeof(ports[0]); i++)
            if (slice_is(protocol, ports[i].protocol) && !slice_present(xml_attr(host, "port")))
                xml_setf(walk->doc, host, "port", "%u", ports[i].port);
    }
    return true;
}

bool domain_check_source(struct schema_walk *walk, struct xml_node *node)
{
    struct slice type = xml_attr(node->parent, "type");
    if (!slice_present(type))
        type = SLICE("file");
    for (size_t i = 0; i < sizeof(source_types) / sizeof(source_types[0]); i++)
        if (slice_is(type, source_types[i].type))
            domain_keep_attrs(node, source_types[i].keep);
    if (slice_is(type, "network"))
        return check_network_source(walk, node);
    if (slice_is(type, "volume") &&
        (!slice_present(xml_attr(node, "pool")) || !slice_present(xml_attr(node, "volume"))))
        return REFUSE(walk, XML_ERROR,
                      "'pool' and 'volume' must be specified together for 'pool' type source");
    if (!node->attrs && !node->child)
        xml_remove(node);
    return true;
}

// --- disks

int domain_disk_index(struct slice name)
{
    static const char *const prefixes[] = {"fd", "hd", "vd", "sd", "xvd", "ubd"};
    for (size_t i = 0; i < 6; i++) {
        if (!slice_starts(name, prefixes[i]))
            continue;
        struct slice rest = slice_from(name, prefixes[i][2] ? 3 : 2);
        int index = 0;
        size_t at = 0;
        for (; at < rest.len && rest.at[at] >= 'a' && rest.at[at] <= 'z'; at++) {
            index = (index + (at ? 1 : 0)) * 26 + (rest.at[at] - 'a');
            if (index > 1 << 24)
                return -1;
        }
        if (at == 0)
            return -1;
        for (; at < rest.len; at++) // a partition number
            if (rest.at[at] < '0' || rest.at[at] > '9')
                return -1;
        return index;
    }
    return -1;
}

bool domain_check_disk_driver(struct schema_walk *walk, struct xml_node *node)
{
    if (xml_attr_is(node, "type", "aio")) // Xen's name for it
        xml_sets(walk->doc, node, "type", "raw");
    if (xml_attr_is(node, "rerror_policy", "enospace"))
        return REFUSE(walk, CONFIG_UNSUPPORTED, "Invalid disk read error policy: 'enospace'");
    if (!node->attrs && !node->child)
        xml_remove(node);
    return true;
}

bool domain_check_geometry(struct schema_walk *walk, struct xml_node *node)
{
    (void)walk;
    if (!(domain_number(node, "cyls", 0) && domain_number(node, "heads", 0) &&
          domain_number(node, "secs", 0)))
        xml_remove(node);
    return true;
}

// libvirt keeps disks of a bus together, in order of their names (virDomainDiskInsert).
static void insert_disk(struct xml_node *disk)
{
    struct xml_node *before = NULL, *after = NULL, *target = xml_child(disk, "target");
    struct slice bus = xml_attr(target, "bus");
    int index = domain_disk_index(xml_attr(target, "dev"));
    for (struct xml_node *other = disk->prev; other; other = other->prev) {
        if (!xml_named(other, "disk"))
            continue;
        struct xml_node *other_target = xml_child(other, "target");
        if (!slice_equal(xml_attr(other_target, "bus"), bus))
            continue;
        if (domain_disk_index(xml_attr(other_target, "dev")) > index)
            before = other;
        else if (!after && !before)
            after = other;
    }
    if (before)
        xml_move_before(disk, before);
    else if (after && after->next && after->next != disk)
        xml_move_before(disk, after->next);
}

bool domain_check_disk(struct schema_walk *walk, struct xml_node *node)
{
    struct slice device = xml_attr(node, "device");
    struct xml_node *target = xml_child(node, "target"), *source = xml_child(node, "source");
    bool removable_media = slice_is(device, "cdrom") || slice_is(device, "floppy");
    struct slice type = xml_attr(node, "type"), rest_model = xml_attr(node, "model");
    if (!source) // without a source the type says nothing
        type = SLICE("file");
    struct slice rawio = xml_attr(node, "rawio"), sgio = xml_attr(node, "sgio"),
                 snapshot = xml_attr(node, "snapshot");
    if (source && xml_child(source, "auth") && xml_child(node, "auth"))
        return REFUSE(walk, CONFIG_UNSUPPORTED,
                      "an <auth> definition already found for disk source");
    if (source && xml_child(source, "encryption") && xml_child(node, "encryption"))
        return REFUSE(walk, CONFIG_UNSUPPORTED,
                      "an <encryption> definition already found for disk source");
    node->attrs = NULL;
    xml_set(walk->doc, node, "type", slice_present(type) ? type : SLICE("file"));
    xml_set(walk->doc, node, "device", slice_present(device) ? device : SLICE("disk"));
    static const char *const names[] = {"model", "rawio", "sgio", "snapshot"};
    struct slice values[] = {rest_model, rawio, sgio, snapshot};
    for (int i = 0; i < 4; i++)
        if (slice_present(values[i]))
            xml_set(walk->doc, node, names[i], values[i]);
    if (target && (!removable_media || xml_attr_is(target, "tray", "closed")))
        xml_unset(target, "tray");
    insert_disk(node);
    return true;
}
