// Network devices of a guest: taps on bridges, and vhost.
#include "hv/qemu/guest/process_prepare.h"

#include "hv/qemu/driver.h"

#include <errno.h>
#include <string.h>

#define TAP_TEMPLATE "vnet%d"

static bool parse_mac(struct slice text, uint8_t mac[6])
{
    struct slice part;
    for (size_t i = 0; i < 6; i++) {
        uint32_t byte;
        if (!slice_split(&text, ':', &part) || part.len > 2 || !slice_u32(part, 16, &byte))
            return false;
        mac[i] = (uint8_t)byte;
    }
    return true;
}

static bool fail(struct error *err, int result, const char *what, const char *name)
{
    return error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "%s %s: %s", what, name,
                     strerror(-result));
}

// The kernel keeps a bridge's address at the lowest of its ports': a high one stays out of the way
// (libvirt: virNetDevTapCreateInBridgePort).
static bool set_mac(const struct xml_node *interface, const char *tap, bool bridge,
                    struct error *err)
{
    uint8_t mac[6];
    if (!parse_mac(xml_attr(xml_child(interface, "mac"), "address"), mac))
        return true;
    if (bridge)
        mac[0] = mac[0] == 0xFE ? 0xFA : 0xFE;
    int result = port_link_set_mac(tap, mac);
    return result == 0 || fail(err, result, "Cannot set interface MAC on", tap);
}

static bool set_mtu(const struct xml_node *interface, const char *tap, const char *bridge,
                    struct error *err)
{
    uint32_t wanted;
    unsigned mtu = 0;
    if (slice_u32(xml_attr(xml_child(interface, "mtu"), "size"), 10, &wanted))
        mtu = wanted;
    else if (bridge[0])
        port_link_get_mtu(bridge, &mtu);
    int result = mtu ? port_link_set_mtu(tap, mtu) : 0;
    return result == 0 || fail(err, result, "Cannot set interface MTU on", tap);
}

static bool set_up_tap(const struct xml_node *interface, const char *tap, const char *bridge,
                       struct error *err)
{
    if (!set_mac(interface, tap, bridge[0] != '\0', err) || !set_mtu(interface, tap, bridge, err))
        return false;
    int result = bridge[0] ? port_bridge_add(bridge, tap) : 0;
    if (result == -ENODEV)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                         "Cannot get interface MTU on '%s': %s", bridge, strerror(ENODEV));
    if (result < 0)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                         "Unable to add bridge %s port %s: %s", bridge, tap, strerror(-result));
    result = port_link_set_up(tap, true);
    return result == 0 || fail(err, result, "Cannot set interface flags on", tap);
}

static bool is_virtio(const struct xml_node *interface)
{
    return slice_starts(xml_attr(xml_child(interface, "model"), "type"), "virtio");
}

// libvirt (qemuInterfaceOpenVhostNet): for virtio under KVM, unless the definition says otherwise.
static void open_vhost(const struct xml_node *root, const struct xml_node *interface,
                       struct qemu_interface_fds *fds)
{
    if (!xml_attr_is(root, "type", "kvm") || !is_virtio(interface) ||
        xml_attr_is(xml_child(interface, "driver"), "name", "qemu"))
        return;
    int fd = port_open("/dev/vhost-net", PORT_OPEN_READ | PORT_OPEN_WRITE, 0);
    if (fd >= 0)
        fds->vhost = fd;
}

static bool open_tap(struct xml_doc *doc, struct xml_node *interface,
                     struct qemu_interface_fds *fds, bool on_bridge, struct error *err)
{
    char name[PORT_IFNAME_MAX], bridge[PORT_IFNAME_MAX] = "";
    struct slice wanted = xml_attr(xml_child(interface, "target"), "dev");
    if (!slice_present(wanted) || slice_starts(wanted, "vnet"))
        wanted = SLICE(TAP_TEMPLATE);
    if (!slice_copy(name, sizeof(name), wanted) ||
        (on_bridge &&
         !slice_copy(bridge, sizeof(bridge), xml_attr(xml_child(interface, "source"), "bridge"))))
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "the name of a network device is too long");
    if (on_bridge && !port_link_exists(bridge))
        return error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                         "Cannot get interface MTU on '%s': %s", bridge, strerror(ENODEV));
    int fd = port_tap_open(name, is_virtio(interface));
    if (fd < 0)
        return fail(err, fd, "Unable to create tap device", name);
    fds->tap = fd;
    if (!set_up_tap(interface, name, bridge, err))
        return false;
    xml_set(doc, xml_need(doc, interface, "target"), "dev", slice_of(name));
    return true;
}

static bool open_interface(struct xml_doc *doc, struct xml_node *interface,
                           struct qemu_interface_fds *fds, struct error *err)
{
    bool bridge = xml_attr_is(interface, "type", "bridge");
    bool tap = bridge || xml_attr_is(interface, "type", "ethernet");
    if (xml_attr_is(interface, "type", "network") || xml_attr_is(interface, "type", "direct"))
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "interfaces of type '%.*s' are not supported",
                         SLICE_ARG(xml_attr(interface, "type")));
    if (!tap)
        return true;
    if (xml_child(interface, "script"))
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "scripts for interfaces are not supported");
    if (!open_tap(doc, interface, fds, bridge, err))
        return false;
    open_vhost(doc->root, interface, fds);
    return true;
}

bool process_open_interfaces(struct process_interfaces *interfaces, struct xml_doc *doc,
                             struct error *err)
{
    interfaces->count = 0;
    XML_EACH (interface, xml_child(doc->root, "devices"), "interface") {
        if (interfaces->count == INTERFACES_MAX)
            return error_set(err, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "too many interfaces: limit is %d", INTERFACES_MAX);
        struct qemu_interface_fds *fds = &interfaces->fds[interfaces->count++];
        *fds = (struct qemu_interface_fds){.tap = -1, .vhost = -1};
        if (!open_interface(doc, interface, fds, err))
            return false;
    }
    return true;
}

void process_close_interfaces(struct process_interfaces *interfaces)
{
    for (size_t i = 0; i < interfaces->count; i++) {
        port_close(interfaces->fds[i].tap);
        port_close(interfaces->fds[i].vhost);
    }
    interfaces->count = 0;
}
