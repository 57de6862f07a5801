// Network interfaces: -netdev for the host's end and -device for the guest's.
#include "hv/qemu/command/command_parts.h"

static const struct qemu_interface_fds *fds_of(const struct builder *b, size_t index)
{
    return index < b->context->interface_count ? &b->context->interfaces[index] : NULL;
}

static void put_tap(struct builder *b, const struct xml_node *interface,
                    const struct qemu_interface_fds *fds)
{
    if (!fds || fds->tap < 0) {
        unsupported(b, "no tap device for interface of type '%.*s'",
                    SLICE_ARG(xml_attr(interface, "type")));
        return;
    }
    buffer_printf(&b->text, "tap,fd=%d", fds->tap);
    if (fds->vhost >= 0)
        buffer_printf(&b->text, ",vhost=on,vhostfd=%d", fds->vhost);
    put_option(b, "sndbuf", xml_text_at(interface, "tune/sndbuf"));
}

static void put_user(struct builder *b, const struct xml_node *interface)
{
    buffer_puts(&b->text, "user");
    XML_EACH (ip, interface, "ip") {
        struct slice address = xml_attr(ip, "address"), prefix = xml_attr(ip, "prefix");
        bool ipv6 = xml_attr_is(ip, "family", "ipv6");
        put_option(b, ipv6 ? "ipv6-prefix" : "net", address);
        if (!slice_present(prefix))
            continue;
        if (ipv6)
            put_option(b, "ipv6-prefixlen", prefix);
        else
            buffer_printf(&b->text, "/%.*s", SLICE_ARG(prefix));
    }
}

// Sockets between emulators: one option names the peer or the listening address.
static bool put_socket(struct builder *b, const struct xml_node *interface, struct slice type)
{
    static const struct {
        const char *type, *option;
    } kinds[] = {{"client", "connect"}, {"server", "listen"}, {"mcast", "mcast"}, {"udp", "udp"}};
    const struct xml_node *source = xml_child(interface, "source");
    const struct xml_node *local = xml_child(source, "local");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!slice_is(type, kinds[i].type))
            continue;
        buffer_printf(&b->text, "socket,%s=%.*s:%.*s", kinds[i].option,
                      SLICE_ARG(xml_attr(source, "address")), SLICE_ARG(xml_attr(source, "port")));
        if (local)
            buffer_printf(&b->text, ",localaddr=%.*s:%.*s", SLICE_ARG(xml_attr(local, "address")),
                          SLICE_ARG(xml_attr(local, "port")));
        return true;
    }
    return false;
}

static void build_host_end(struct builder *b, const struct xml_node *interface, size_t index)
{
    struct slice type = xml_attr(interface, "type");
    const struct qemu_interface_fds *fds = fds_of(b, index);
    bool tap = slice_is(type, "bridge") || slice_is(type, "ethernet") ||
               ((slice_is(type, "network") || slice_is(type, "direct")) && fds && fds->tap >= 0);
    arg(b, "-netdev");
    arg_open(b);
    if (tap)
        put_tap(b, interface, fds);
    else if (slice_is(type, "user") || slice_is(type, "internal"))
        put_user(b, interface);
    else if (!put_socket(b, interface, type))
        unsupported(b, "interfaces of type '%.*s' are not supported", SLICE_ARG(type));
    buffer_printf(&b->text, ",id=host%.*s", SLICE_ARG(device_alias(interface)));
    arg_close(b);
}

static void put_offloads(struct builder *b, const struct xml_node *driver)
{
    static const char *const host[] = {"csum", "gso", "tso4", "tso6", "ecn", "ufo", "mrg_rxbuf"};
    static const char *const host_names[] = {"csum",     "gso",      "host_tso4", "host_tso6",
                                             "host_ecn", "host_ufo", "mrg_rxbuf"};
    static const char *const guest[] = {"csum", "tso4", "tso6", "ecn", "ufo"};
    static const char *const guest_names[] = {"guest_csum", "guest_tso4", "guest_tso6", "guest_ecn",
                                              "guest_ufo"};
    for (size_t i = 0; i < sizeof(host) / sizeof(host[0]); i++)
        put_switch(b, host_names[i], xml_attr_at(driver, "host", host[i]));
    for (size_t i = 0; i < sizeof(guest) / sizeof(guest[0]); i++)
        put_switch(b, guest_names[i], xml_attr_at(driver, "guest", guest[i]));
}

static void open_virtio_card(struct builder *b, const struct xml_node *interface,
                             struct slice model)
{
    const struct xml_node *driver = xml_child(interface, "driver");
    struct slice mode = xml_attr(driver, "txmode");
    virtio_open(b, "virtio-net", interface, model);
    if (slice_present(mode))
        json_puts(&b->json, "tx", slice_is(mode, "iothread") ? "bh" : "timer");
    put_switch(b, "ioeventfd", xml_attr(driver, "ioeventfd"));
    put_switch(b, "event_idx", xml_attr(driver, "event_idx"));
    put_offloads(b, driver);
    put_number(b, "rx_queue_size", xml_attr(driver, "rx_queue_size"));
    put_number(b, "tx_queue_size", xml_attr(driver, "tx_queue_size"));
    put_switch(b, "rss", xml_attr(driver, "rss"));
    put_switch(b, "hash", xml_attr(driver, "rss_hash_report"));
    put_number(b, "host_mtu", xml_attr_at(interface, "mtu", "size"));
    if (xml_attr_is(xml_child(interface, "teaming"), "type", "persistent"))
        json_put_bool(&b->json, "failover", true);
}

static void put_rom(struct builder *b, const struct xml_node *interface)
{
    const struct xml_node *rom = xml_child(interface, "rom");
    struct slice bar = xml_attr(rom, "bar"), file = xml_attr(rom, "file");
    if (slice_is(xml_attr(rom, "enabled"), "no")) {
        json_puts(&b->json, "romfile", "");
        return;
    }
    if (slice_present(bar))
        json_put_u64(&b->json, "rombar", is_on(bar));
    put_text(b, "romfile", file);
}

static void build_card(struct builder *b, const struct xml_node *interface)
{
    struct slice model = xml_attr_at(interface, "model", "type");
    char driver[64];
    if (slice_is(model, "virtio") || slice_starts(model, "virtio-")) {
        open_virtio_card(b, interface, model);
    } else if (slice_copy(driver, sizeof(driver), model) && *driver) {
        device_open(b, driver);
    } else {
        internal_error(b, "interface has no usable model");
        return;
    }
    json_putf(&b->json, "netdev", "host%.*s", SLICE_ARG(device_alias(interface)));
    put_alias(b, interface);
    put_text(b, "mac", xml_attr_at(interface, "mac", "address"));
    put_boot_index(b, interface);
    put_address(b, interface);
    put_rom(b, interface);
    json_arg_close(b);
}

static void check_interface(struct builder *b, const struct xml_node *interface)
{
    static const char *const elements[] = {"filterref", "virtualport", "vlan",
                                           "bandwidth", "portForward", "coalesce"};
    struct slice type = xml_attr(interface, "type");
    struct slice model = xml_attr_at(interface, "model", "type");
    for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
        if (xml_child(interface, elements[i]))
            unsupported(b, "<%s> of interfaces is not supported", elements[i]);
    if (xml_child(interface, "mtu") && (slice_is(type, "user") || !slice_starts(model, "virtio")))
        unsupported(b, "setting MTU on interface type %.*s is not supported yet", SLICE_ARG(type));
    if (xml_child(interface, "script"))
        unsupported(b, "scripts are not supported on interfaces of type %.*s", SLICE_ARG(type));
    if (slice_is(xml_attr_at(interface, "backend", "type"), "passt"))
        unsupported(b, "the passt backend is not supported");
    if (number_of(xml_attr_at(interface, "driver", "queues")) > 1)
        unsupported(b, "Multiqueue network is not supported for: %.*s", SLICE_ARG(type));
}

void build_interfaces(struct builder *b)
{
    size_t index = 0;
    XML_EACH (interface, b->devices, "interface") {
        check_interface(b, interface);
        build_host_end(b, interface, index++);
        build_card(b, interface);
    }
}
