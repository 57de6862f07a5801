// Operations: a client of a guest's display that comes over a socket of ours, not over the network.
#include "hv/qemu/guest/guest_ops.h"

#include "virt/domain/definition.h"

#include <string.h>

#define FD_NAME "graphicsfd" // of the socket in QEMU, between the two commands

struct open_graphics {
    struct guest *guest;
    struct monitor_call call;
    char protocol[16]; // QMP's name for it
    int ends[2];       // of a pair made here: QEMU's, the client's
};

static bool find_protocol(struct hypervisor_op *op, struct open_graphics *s)
{
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    uint32_t at = 0;
    if (!tree)
        return false;
    XML_EACH (graphics, xml_child(tree, "devices"), "graphics") {
        struct slice type = xml_attr(graphics, "type");
        if (at++ != op->graphics.index)
            continue;
        if (!slice_is(type, "vnc") && !slice_is(type, "spice"))
            return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "Can only open VNC, SPICE or D-Bus p2p graphics backends, not %.*s",
                             SLICE_ARG(type));
        return slice_copy(s->protocol, sizeof(s->protocol), type);
    }
    return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                     "No graphics backend with index %d", (int)op->graphics.index);
}

static bool begin(struct hypervisor_op *op, struct open_graphics *s)
{
    op->graphics.peer = s->ends[0] = s->ends[1] = -1;
    s->guest = guest_need(op->domain, op->err);
    if (!s->guest || !find_protocol(op, s))
        return false;
    int result = op->graphics.fd < 0 ? port_socket_pair(s->ends) : 0;
    if (result < 0)
        return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                         "Unable to create socket pair: %s", strerror(-result));
    s->call.with_fd = true;
    s->call.fd = op->graphics.fd < 0 ? s->ends[0] : op->graphics.fd;
    return true;
}

static struct slice client_arguments(const struct hypervisor_op *op, const struct open_graphics *s)
{
    bool skip = op->flags & VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH;
    return monitor_args("{\"protocol\":\"%s\",\"fdname\":\"" FD_NAME "\",\"skipauth\":%s}",
                        s->protocol, skip ? "true" : "false");
}

static void end(struct hypervisor_op *op, struct open_graphics *s)
{
    port_close(s->ends[0]);
    if (error_is_set(op->err))
        port_close(s->ends[1]);
    else
        op->graphics.peer = s->ends[1];
}

// The client hears why it was not let in, not how this went.
static enum co_status take_back(struct hypervisor_op *op, struct open_graphics *s)
{
    struct error unheard = {0};
    return monitor_command(&s->call, &s->guest->monitor, op->task, "closefd",
                           SLICE("{\"fdname\":\"" FD_NAME "\"}"), &unheard);
}

enum co_status guest_open_graphics(struct hypervisor_op *op)
{
    struct open_graphics *s = HYPERVISOR_STATE(op, struct open_graphics);
    CO_BEGIN(&op->co);
    if (!begin(op, s))
        CO_RETURN(&op->co);
    CO_CALL(&op->co, monitor_command(&s->call, &s->guest->monitor, op->task, "getfd",
                                     SLICE("{\"fdname\":\"" FD_NAME "\"}"), op->err));
    if (!error_is_set(op->err)) {
        memset(&s->call, 0, sizeof(s->call));
        CO_CALL(&op->co, monitor_command(&s->call, &s->guest->monitor, op->task, "add_client",
                                         client_arguments(op, s), op->err));
        if (error_is_set(op->err)) {
            memset(&s->call, 0, sizeof(s->call));
            CO_CALL(&op->co, take_back(op, s));
        }
    }
    end(op, s);
    CO_END(&op->co);
}
