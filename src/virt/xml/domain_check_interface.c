// Checks of a domain: network interfaces.
#include "virt/xml/domain_check.h"

#include "virt/xml/domain_random.h"
#include "virt/xml/xml_value.h"

#include <string.h>

bool domain_is_virtio_net(struct slice model)
{
    return slice_is(model, "virtio") || slice_is(model, "virtio-transitional") ||
           slice_is(model, "virtio-non-transitional");
}

static bool unsupported_type(struct schema_walk *walk, const char *what, struct slice type)
{
    return REFUSE(walk, CONFIG_UNSUPPORTED, "<%s> element unsupported for <interface type='%.*s'>",
                  what, SLICE_ARG(type));
}

// --- MAC addresses

// virMacAddrParse: six groups of up to two hexadecimal digits between colons.
static bool parse_mac(struct slice text, uint8_t mac[6])
{
    struct slice part;
    for (int i = 0; i < 6; i++) {
        uint64_t byte;
        if (!slice_split(&text, ':', &part) || part.len == 0 || !slice_u64(part, 16, &byte) ||
            byte > 255)
            return false;
        mac[i] = (uint8_t)byte;
    }
    return !slice_present(text);
}

static bool check_mac(struct schema_walk *walk, struct xml_node *node)
{
    struct xml_node *mac = xml_child(node, "mac");
    struct slice address = xml_attr(mac, "address");
    uint8_t bytes[6];
    if (!mac)
        mac = node->child ? xml_add_before(walk->doc, node->child, "mac")
                          : xml_add(walk->doc, node, "mac");
    if (!slice_present(address)) {
        if (!domain_random_mac(walk->user, bytes))
            return false;
    } else if (!parse_mac(address, bytes)) {
        return REFUSE(walk, XML_ERROR, "unable to parse mac address '%.*s'", SLICE_ARG(address));
    } else if (bytes[0] & 1) {
        return REFUSE(walk, XML_ERROR, "expected unicast mac address, found multicast '%.*s'",
                      SLICE_ARG(address));
    }
    struct slice type = xml_attr(mac, "type"), check = xml_attr(mac, "check");
    mac->attrs = NULL;
    xml_setf(walk->doc, mac, "address", "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1],
             bytes[2], bytes[3], bytes[4], bytes[5]);
    if (slice_present(type))
        xml_set(walk->doc, mac, "type", type);
    if (slice_present(check))
        xml_set(walk->doc, mac, "check", check);
    return true;
}

// --- sources

// What <source> has for each type of interface; `needed` lists what must be there.
static const struct {
    const char *type, *keep, *needed;
} sources[] = {
    {"network", "network|portgroup|portid|bridge|macTableManager", "network"},
    {"bridge", "bridge", "bridge"},
    {"internal", "name", "name"},
    {"direct", "dev|mode", "dev"},
    {"vhostuser", "type|path|mode", "type|path|mode"},
    {"vdpa", "dev", "dev"},
    {"server", "address|port", "port"},
    {"client", "address|port", "address|port"},
    {"mcast", "address|port", "address|port"},
    {"udp", "address|port", "address|port"},
    {"vds", "switchid|portid|portgroupid|connectionid", "switchid|portid|portgroupid|connectionid"},
    {"ethernet", "", NULL},
    {"null", "", NULL},
};

static bool check_needed(struct schema_walk *walk, const struct xml_node *source, const char *list)
{
    struct slice rest = slice_of(list), name;
    while (slice_split(&rest, '|', &name)) {
        char text[32];
        slice_copy(text, sizeof(text), name);
        if (!slice_present(xml_attr(source, text)))
            return error_set(walk->err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                             "Missing required attribute '%s' in element 'source'", text);
    }
    return true;
}

static bool check_socket_source(struct schema_walk *walk, struct xml_node *node,
                                struct xml_node *source)
{
    if (!schema_apply_attrs(walk, source, SCHEMA_SOCKET))
        return false;
    if (!xml_attr_is(node, "type", "udp"))
        return true;
    struct xml_node *local = xml_child(source, "local");
    if (!local)
        return REFUSE(walk, XML_ERROR, "'<local>' element missing for 'udp' socket interface");
    return check_needed(walk, local, "address") && schema_apply_attrs(walk, local, SCHEMA_SOCKET);
}

static bool check_one_source(struct schema_walk *walk, struct xml_node *node,
                             struct xml_node *source, size_t i)
{
    if (sources[i].needed && !source)
        return REFUSE(walk, XML_ERROR, "interface type='%s' requires a 'source' element",
                      sources[i].type);
    if (!source)
        return true;
    if (sources[i].needed && !check_needed(walk, source, sources[i].needed))
        return false;
    domain_keep_attrs(source, sources[i].keep);
    if (xml_attr_is(node, "type", "vhostuser") && !xml_attr_is(source, "type", "unix"))
        return REFUSE(walk, CONFIG_UNSUPPORTED,
                      "Type='%.*s' unsupported for <interface type='vhostuser'>",
                      SLICE_ARG(xml_attr(source, "type")));
    if (xml_attr_is(node, "type", "direct") && !slice_present(xml_attr(source, "mode")))
        xml_sets(walk->doc, source, "mode", "vepa");
    if (schema_has_word("server|client|mcast|udp", slice_of(sources[i].type)))
        return check_socket_source(walk, node, source);
    if (!source->attrs && !source->child)
        xml_remove(source);
    return true;
}

static bool check_source(struct schema_walk *walk, struct xml_node *node)
{
    struct xml_node *source = xml_child(node, "source");
    if (xml_attr_is(node, "type", "user") && source) {
        bool passt = xml_attr_is(xml_child(node, "backend"), "type", "passt");
        domain_keep_attrs(source, passt ? "dev" : "");
        if (!source->attrs && !source->child)
            xml_remove(source);
        return true;
    }
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
        if (xml_attr_is(node, "type", sources[i].type))
            return check_one_source(walk, node, source, i);
    return true;
}

// --- parts

static bool is_generated_name(struct slice name)
{
    return slice_starts(name, "vnet") || slice_starts(name, "macvtap") ||
           slice_starts(name, "macvlan");
}

// Names of tap devices that libvirt made up are not part of a definition.
bool domain_check_interface_target(struct schema_walk *walk, struct xml_node *node)
{
    if (!walk->live && !xml_attr_is(node, "managed", "no") &&
        is_generated_name(xml_attr(node, "dev")))
        xml_unset(node, "dev");
    if (!node->attrs)
        xml_remove(node);
    return true;
}

bool domain_check_ip(struct schema_walk *walk, struct xml_node *node)
{
    struct slice address = xml_attr(node, "address"), family = xml_attr(node, "family"),
                 prefix = xml_attr(node, "prefix"), peer = xml_attr(node, "peer");
    if (!slice_present(address))
        return REFUSE(walk, INVALID_ARG, "Missing network address");
    bool v6 = slice_find(address, ':') >= 0;
    if (slice_present(family) && !slice_is(family, v6 ? "ipv6" : "ipv4"))
        return REFUSE(walk, INVALID_ARG, "Failed to parse IP address: '%.*s'", SLICE_ARG(address));
    node->attrs = NULL;
    xml_set(walk->doc, node, "address", address);
    xml_sets(walk->doc, node, "family", v6 ? "ipv6" : "ipv4");
    if (slice_present(prefix))
        xml_set(walk->doc, node, "prefix", prefix);
    if (slice_present(peer))
        xml_set(walk->doc, node, "peer", peer);
    return true;
}

bool domain_check_virtualport(struct schema_walk *walk, struct xml_node *node)
{
    struct slice type = xml_attr(node, "type"), interface = xml_attr(node->parent, "type");
    if (!slice_present(interface) || !schema_has_word("network|bridge|direct|hostdev", interface))
        return unsupported_type(walk, "virtualport",
                                slice_present(interface) ? interface : SLICE("user"));
    if (slice_present(type) && !schema_has_word("none|802.1Qbg|802.1Qbh|openvswitch|midonet", type))
        return error_set(walk->err, VIR_FROM_NETWORK, VIR_ERR_XML_ERROR,
                         "unknown virtualport type %.*s", SLICE_ARG(type));
    if (!slice_present(type) && !slice_is(interface, "network"))
        return error_set(walk->err, VIR_FROM_NETWORK, VIR_ERR_XML_ERROR,
                         "missing required virtualport type");
    if (slice_is(type, "openvswitch")) {
        struct xml_node *parameters = xml_need(walk->doc, node, "parameters");
        struct slice profile = xml_attr(parameters, "profileid");
        if (!slice_present(xml_attr(parameters, "interfaceid"))) {
            char uuid[37];
            if (!domain_random_uuid(walk->user, uuid))
                return false;
            xml_unset(parameters, "profileid");
            xml_set(walk->doc, parameters, "interfaceid", slice_of(uuid));
            if (slice_present(profile))
                xml_set(walk->doc, parameters, "profileid", profile);
        }
    }
    return true;
}

bool domain_check_bandwidth(struct schema_walk *walk, struct xml_node *node)
{
    XML_EACH_SAFE (rate, node, NULL)
        if (!slice_present(xml_attr(rate, "average")) && !slice_present(xml_attr(rate, "floor")))
            return error_set(walk->err, VIR_FROM_NONE, VIR_ERR_XML_DETAIL,
                             "Missing mandatory average or floor attributes");
    return true;
}

// Settings of the virtio back end are read only with a virtio model.
static void shape_driver(struct xml_node *node)
{
    struct xml_node *driver = xml_child(node, "driver"), *backend = xml_child(node, "backend");
    bool virtio = domain_is_virtio_net(xml_attr_at(node, "model", "type"));
    bool hostdev = xml_attr_is(node, "type", "hostdev");
    if (driver && (!virtio || hostdev)) {
        domain_keep_attrs(driver, hostdev ? "name" : "iommu|ats|packed|page_per_vq");
        while (driver->child)
            xml_remove(driver->child);
        if (!driver->attrs)
            xml_remove(driver);
    }
    if (driver && xml_attr_is(driver, "queues", "1"))
        xml_unset(driver, "queues");
    if (driver && driver->parent && !driver->attrs && !driver->child)
        xml_remove(driver);
    if (backend && (!virtio || hostdev)) {
        xml_unset(backend, "vhost");
        if (!backend->attrs)
            xml_remove(backend);
    }
}

#define KNOWN_MODELS                                                                               \
    "netfront|rtl8139|virtio|e1000|e1000e|virtio-transitional|virtio-non-transitional|usb-net|"    \
    "spapr-vlan|lan9118|scm91c111|vlance|vmxnet|vmxnet2|vmxnet3|Am79C970A|Am79C973|82540EM|"       \
    "82545EM|82543GC"

// Upper and lower case are the same.
static bool same_word(struct slice a, struct slice b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if ((a.at[i] | 0x20) != (b.at[i] | 0x20))
            return false;
    return a.len == b.len;
}

static bool check_model(struct schema_walk *walk, struct xml_node *node)
{
    const struct domain_xml *x = walk->user;
    struct slice model = xml_attr_at(node, "model", "type");
    for (size_t i = 0; i < model.len; i++) {
        char c = model.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return REFUSE(walk, INVALID_ARG, "Model name contains invalid characters");
    }
    for (const char *known = KNOWN_MODELS "|"; *known; known = strchr(known, '|') + 1)
        if (same_word(model, (struct slice){known, strcspn(known, "|")}))
            xml_set(walk->doc, xml_child(node, "model"), "type", (struct slice){known, model.len});
    model = xml_attr_at(node, "model", "type");
    if (!slice_present(model) || x->rules->features & DOMAIN_XML_NET_MODEL_STRING ||
        schema_has_word(KNOWN_MODELS, model))
        return true;
    return REFUSE(walk, CONFIG_UNSUPPORTED, "driver does not support net model '%.*s'",
                  SLICE_ARG(model));
}

bool domain_check_interface(struct schema_walk *walk, struct xml_node *node)
{
    if (!slice_present(xml_attr(node, "type"))) {
        struct xml_attr *rest = node->attrs;
        node->attrs = NULL;
        xml_sets(walk->doc, node, "type", "user");
        node->attrs->next = rest;
    }
    struct slice type = xml_attr(node, "type");
    if (!schema_has_word("network|bridge|ethernet", type))
        xml_remove(xml_child(node, "filterref"));
    if (!slice_is(type, "hostdev"))
        xml_unset(node, "managed");
    shape_driver(node);
    struct xml_node *coalesce = xml_child(node, "coalesce");
    if (coalesce && !domain_number(xml_find(coalesce, "rx/frames"), "max", 0))
        xml_remove(coalesce);
    return check_source(walk, node) && check_mac(walk, node) && check_model(walk, node);
}
