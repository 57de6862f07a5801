// Checks of a domain: graphics and where they listen.
#include "virt/xml/domain_check.h"

#include "virt/xml/xml_value.h"

static bool listens(struct slice type)
{
    return slice_is(type, "vnc") || slice_is(type, "spice") || slice_is(type, "rdp");
}

// --- <listen>

bool domain_check_listen(struct schema_walk *walk, struct xml_node *node)
{
    struct slice type = xml_attr(node, "type"), graphics = xml_attr(node->parent, "type");
    struct slice address = xml_attr(node, "address"), network = xml_attr(node, "network"),
                 socket = xml_attr(node, "socket");
    bool first = true;
    for (const struct xml_node *other = node->prev; other; other = other->prev)
        first = first && !xml_named(other, "listen");
    if (!listens(graphics)) {
        xml_remove(node);
        return true;
    }
    if (slice_is(graphics, "rdp") && (slice_is(type, "socket") || slice_is(type, "none")))
        return REFUSE(walk, CONFIG_UNSUPPORTED,
                      "listen type '%.*s' is not available for graphics type '%.*s'",
                      SLICE_ARG(type), SLICE_ARG(graphics));
    struct slice old_address = first ? xml_attr(node->parent, "listen") : SLICE_NONE;
    struct slice old_socket = first ? xml_attr(node->parent, "socket") : SLICE_NONE;
    if (slice_is(type, "address")) {
        if (slice_present(address) && slice_present(old_address) &&
            !slice_equal(address, old_address))
            return REFUSE(
                walk, CONFIG_UNSUPPORTED,
                "graphics 'listen' attribute '%.*s' must match 'address' attribute of first "
                "listen element (found '%.*s')",
                SLICE_ARG(old_address), SLICE_ARG(address));
        address = slice_present(address) ? address : old_address;
    }
    if (slice_is(type, "socket")) {
        if (slice_present(socket) && slice_present(old_socket) && !slice_equal(socket, old_socket))
            return REFUSE(
                walk, CONFIG_UNSUPPORTED,
                "graphics 'socket' attribute '%.*s' must match 'socket' attribute of first "
                "listen element (found '%.*s')",
                SLICE_ARG(old_socket), SLICE_ARG(socket));
        socket = slice_present(socket) ? socket : old_socket;
    }
    if (slice_present(network) && !slice_is(type, "network"))
        return REFUSE(walk, XML_ERROR,
                      "'network' attribute is valid only for listen type 'network'");
    if (slice_present(socket) && !slice_is(type, "socket"))
        return REFUSE(walk, XML_ERROR, "'socket' attribute is valid only for listen type 'socket'");
    node->attrs = NULL;
    xml_set(walk->doc, node, "type", type);
    bool shows_address = slice_is(type, "address") || (slice_is(type, "network") && walk->live);
    if (address.len && shows_address)
        xml_set(walk->doc, node, "address", address);
    if (slice_present(network))
        xml_set(walk->doc, node, "network", network);
    if (socket.len)
        xml_set(walk->doc, node, "socket", socket);
    return true;
}

// The attributes listen= and socket= of older definitions become a <listen> element.
static struct xml_node *need_listen(struct schema_walk *walk, struct xml_node *node)
{
    struct xml_node *listen = xml_child(node, "listen");
    struct slice address = xml_attr(node, "listen"), socket = xml_attr(node, "socket");
    bool vnc = xml_attr_is(node, "type", "vnc");
    if (!listen) {
        listen = node->child ? xml_add_before(walk->doc, node->child, "listen")
                             : xml_add(walk->doc, node, "listen");
        bool use_socket = vnc && slice_present(socket);
        xml_sets(walk->doc, listen, "type", use_socket ? "socket" : "address");
        if (use_socket && socket.len)
            xml_set(walk->doc, listen, "socket", socket);
        else if (!use_socket && address.len)
            xml_set(walk->doc, listen, "address", address);
    } else if (vnc && slice_present(socket) &&
               (xml_attr_is(listen, "type", "address") || xml_attr_is(listen, "type", "network"))) {
        listen->attrs = NULL;
        xml_sets(walk->doc, listen, "type", "socket");
        if (socket.len)
            xml_set(walk->doc, listen, "socket", socket);
    }
    return listen;
}

// --- ports

struct ports {
    int port, tls_port;
    bool automatic;
};

static bool parse_port(struct slice text, int *port)
{
    bool negative;
    uint64_t value;
    if (!schema_number(text, 10, &negative, &value) || value > INT32_MAX)
        return false;
    *port = negative ? -(int)value : (int)value;
    return true;
}

static bool read_vnc_ports(struct schema_walk *walk, struct xml_node *node, struct ports *ports)
{
    struct slice text = xml_attr(node, "port"), automatic = xml_attr(node, "autoport");
    ports->automatic = !slice_present(text);
    if (slice_present(text) && !parse_port(text, &ports->port))
        return REFUSE(walk, INTERNAL_ERROR, "cannot parse %.*s port %.*s",
                      SLICE_ARG(xml_attr(node, "type")), SLICE_ARG(text));
    if (ports->port == -1) {
        ports->automatic = true;
        if (!walk->live)
            ports->port = 0;
    }
    if (slice_is(automatic, "yes") || slice_is(automatic, "no"))
        ports->automatic = slice_is(automatic, "yes");
    if (ports->automatic && !walk->live)
        ports->port = 0;
    return true;
}

static bool read_spice_ports(struct schema_walk *walk, struct xml_node *node, struct ports *ports)
{
    if (!schema_apply_attrs(walk, node, SCHEMA_SPICE_PORTS))
        return false;
    parse_port(xml_attr(node, "port"), &ports->port);
    parse_port(xml_attr(node, "tlsPort"), &ports->tls_port);
    ports->automatic = xml_attr_is(node, "autoport", "yes");
    if (ports->port == -1 && ports->tls_port == -1)
        ports->automatic = true;
    if (ports->automatic && !walk->live)
        ports->port = ports->tls_port = 0;
    return true;
}

static void show_vnc(struct schema_walk *walk, struct xml_node *node, const struct ports *ports,
                     const struct xml_node *listen)
{
    struct slice websocket = xml_attr(node, "websocket");
    xml_unset(node, "socket");
    xml_unset(node, "port");
    xml_unset(node, "autoport");
    xml_unset(node, "websocket");
    xml_unset(node, "listen");
    if (xml_attr_is(listen, "type", "socket")) {
        if (slice_present(xml_attr(listen, "socket")))
            xml_set(walk->doc, node, "socket", xml_attr(listen, "socket"));
        return;
    }
    if (xml_attr_is(listen, "type", "none"))
        return;
    if (ports->port && (!ports->automatic || walk->live))
        xml_setf(walk->doc, node, "port", "%d", ports->port);
    else if (ports->automatic)
        xml_sets(walk->doc, node, "port", "-1");
    xml_sets(walk->doc, node, "autoport", ports->automatic ? "yes" : "no");
    if (slice_present(websocket))
        xml_set(walk->doc, node, "websocket", websocket);
    if (slice_present(xml_attr(listen, "address")) &&
        (walk->live || !xml_attr_is(listen, "type", "network")))
        xml_set(walk->doc, node, "listen", xml_attr(listen, "address"));
}

// Without ports and automatic ones SPICE listens nowhere, which has a listen type of its own.
static void show_spice(struct schema_walk *walk, struct xml_node *node, const struct ports *ports,
                       struct xml_node *listen)
{
    if (xml_attr_is(listen, "type", "address") && !ports->port && !ports->tls_port &&
        !ports->automatic) {
        listen->attrs = NULL;
        xml_sets(walk->doc, listen, "type", "none");
    }
    xml_unset(node, "socket");
    xml_unset(node, "port");
    xml_unset(node, "tlsPort");
    xml_unset(node, "autoport");
    xml_unset(node, "listen");
    if (xml_attr_is(listen, "type", "socket") || xml_attr_is(listen, "type", "none"))
        return;
    if (ports->port)
        xml_setf(walk->doc, node, "port", "%d", ports->port);
    if (ports->tls_port)
        xml_setf(walk->doc, node, "tlsPort", "%d", ports->tls_port);
    xml_sets(walk->doc, node, "autoport", ports->automatic ? "yes" : "no");
    if (slice_present(xml_attr(listen, "address")) &&
        (walk->live || !xml_attr_is(listen, "type", "network")))
        xml_set(walk->doc, node, "listen", xml_attr(listen, "address"));
}

// --- passwords

static bool check_password(struct schema_walk *walk, struct xml_node *node)
{
    struct slice valid = xml_attr(node, "passwdValidTo"), connected = xml_attr(node, "connected");
    if (!slice_present(xml_attr(node, "passwd"))) {
        xml_unset(node, "passwdValidTo");
        xml_unset(node, "connected");
        return true;
    }
    if (slice_present(valid)) {
        unsigned digits = 0;
        for (size_t i = 0; i < valid.len; i++)
            digits += valid.at[i] >= '0' && valid.at[i] <= '9';
        if (digits < 6 || slice_find(valid, 'T') < 0)
            return REFUSE(walk, INTERNAL_ERROR,
                          "cannot parse password validity time '%.*s', expect YYYY-MM-DDTHH:MM:SS",
                          SLICE_ARG(valid));
    }
    if (slice_present(connected) && xml_attr_is(node, "type", "vnc") &&
        !slice_is(connected, "keep"))
        return REFUSE(walk, CONFIG_UNSUPPORTED, "VNC supports connected='keep' only");
    return true;
}

// --- channels of SPICE are shown in the order of their enumeration

static void sort_channels(struct xml_node *node)
{
    static const char names[] = "main|display|inputs|cursor|playback|record|smartcard|usbredir";
    XML_EACH_SAFE (channel, node, "channel") {
        if (xml_attr_is(channel, "mode", "any")) {
            xml_remove(channel);
            continue;
        }
        int index = schema_word_index(names, xml_attr(channel, "name"));
        struct xml_node *before = channel;
        while (before->prev && xml_named(before->prev, "channel") &&
               schema_word_index(names, xml_attr(before->prev, "name")) > index)
            before = before->prev;
        if (before != channel)
            xml_move_before(channel, before);
    }
}

bool domain_check_graphics(struct schema_walk *walk, struct xml_node *node)
{
    struct slice type = xml_attr(node, "type");
    struct ports ports = {0, 0, false};
    if (!slice_present(type))
        return REFUSE(walk, INTERNAL_ERROR, "missing graphics device type");
    if (slice_is(type, "vnc") || slice_is(type, "rdp")) {
        struct xml_node *listen = need_listen(walk, node);
        if (!read_vnc_ports(walk, node, &ports) || !check_password(walk, node))
            return false;
        show_vnc(walk, node, &ports, listen);
        domain_keep_attrs(node,
                          "type|socket|port|autoport|websocket|listen|keymap|sharePolicy|"
                          "powerControl|passwd|passwdValidTo|connected|replaceUser|multiUser");
    } else if (slice_is(type, "spice")) {
        struct xml_node *listen = need_listen(walk, node);
        if (!read_spice_ports(walk, node, &ports) || !check_password(walk, node))
            return false;
        show_spice(walk, node, &ports, listen);
        domain_keep_attrs(node, "type|port|tlsPort|autoport|listen|keymap|defaultMode|passwd|"
                                "passwdValidTo|connected");
        sort_channels(node);
    } else {
        domain_keep_attrs(node, "type|display|xauth|fullscreen|p2p|address");
    }
    if (!slice_is(type, "spice"))
        XML_EACH_SAFE (child, node, NULL)
            if (schema_has_word(
                    "channel|image|jpeg|zlib|playback|streaming|mouse|clipboard|filetransfer",
                    child->name))
                xml_remove(child);
    return true;
}
