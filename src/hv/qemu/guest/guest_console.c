// Operations: consoles and channels, for streams to clients.
#include "hv/qemu/guest/guest_ops.h"

#include "virt/domain/definition.h"

#include <string.h>

static struct slice alias_of(const struct xml_node *device)
{
    return xml_attr(xml_child(device, "alias"), "name");
}

static const struct xml_node *named(const struct xml_node *devices, const char *kind,
                                    const char *name)
{
    XML_EACH (device, devices, kind)
        if (slice_is(alias_of(device), name))
            return device;
    return NULL;
}

// libvirt (qemuDomainOpenConsole): without a name the first console, or else the first serial port.
static const struct xml_node *find_console(const struct xml_node *devices, const char *name)
{
    static const char *const kinds[] = {"console", "serial", "parallel"};
    const struct xml_node *found = NULL;
    if (!name) {
        found = xml_child(devices, "console");
        return found ? found : xml_child(devices, "serial");
    }
    for (size_t i = 0; !found && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        found = named(devices, kinds[i], name);
    return found;
}

static const struct xml_node *find_channel(const struct xml_node *devices, const char *name)
{
    if (!name)
        return xml_child(devices, "channel");
    XML_EACH (channel, devices, "channel") {
        const struct xml_node *target = xml_child(channel, "target");
        if (slice_is(alias_of(channel), name) ||
            (xml_attr_is(target, "type", "virtio") && xml_attr_is(target, "name", name)))
            return channel;
    }
    return NULL;
}

static bool source_path(const struct xml_node *device, char path[PORT_PATH_MAX])
{
    return slice_copy(path, PORT_PATH_MAX, xml_attr(xml_child(device, "source"), "path")) &&
           path[0];
}

static bool open_console(struct hypervisor_op *op, const struct xml_node *devices)
{
    const char *name = op->channel.device;
    const struct xml_node *device = find_console(devices, name);
    char path[PORT_PATH_MAX];
    if (!device)
        return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "cannot find character device %s", name ? name : "(null)");
    if (!xml_attr_is(device, "type", "pty") || !source_path(device, path))
        return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "character device %.*s is not using a PTY",
                         SLICE_ARG(name ? slice_of(name) : alias_of(device)));
    op->channel.fd = port_tty_open(path);
    if (op->channel.fd >= 0)
        return true;
    return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR, "Unable to open %s: %s", path,
                     strerror(-op->channel.fd));
}

static bool open_channel(struct hypervisor_op *op, const struct xml_node *devices)
{
    const char *name = op->channel.device;
    const struct xml_node *device = find_channel(devices, name);
    char path[PORT_PATH_MAX];
    if (!device)
        return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "cannot find channel %s",
                         name ? name : "(null)");
    if (!xml_attr_is(device, "type", "unix") || !source_path(device, path))
        return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "channel %.*s is not using a UNIX socket",
                         SLICE_ARG(name ? slice_of(name) : alias_of(device)));
    op->channel.fd = port_connect_unix(path);
    if (op->channel.fd >= 0)
        return true;
    return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR, "Unable to connect to %s: %s",
                     path, strerror(-op->channel.fd));
}

enum co_status guest_open_console(struct hypervisor_op *op)
{
    op->channel.fd = -1;
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    if (tree)
        open_console(op, xml_child(tree, "devices"));
    return CO_DONE;
}

enum co_status guest_open_channel(struct hypervisor_op *op)
{
    op->channel.fd = -1;
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    if (tree)
        open_channel(op, xml_child(tree, "devices"));
    return CO_DONE;
}
