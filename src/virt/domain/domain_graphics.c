// Handlers: a socket to a guest's display, which the client brings or gets.
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"

// Both calls' arguments are the same.
static bool open_graphics_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct remote_domain_open_graphics_args *args =
        CALL_ARGS(call, struct remote_domain_open_graphics_args);
    bool brings = call->header.proc == REMOTE_PROC_DOMAIN_OPEN_GRAPHICS;
    op->flags = args->flags;
    op->graphics.index = args->idx;
    op->graphics.peer = -1;
    op->graphics.fd = brings ? call_request_fd(call, 0) : -1;
    return !brings || op->graphics.fd >= 0 ||
           error_set(&call->error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                     "No FD available at slot 0");
}

static uint32_t open_graphics_flags(const struct hypervisor *hypervisor)
{
    (void)hypervisor;
    return VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH;
}

static enum co_status open_graphics(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainOpenGraphics",
        .job = DOMAIN_JOB_MODIFY,
        .op = offsetof(struct hypervisor, open_graphics),
        .allowed = open_graphics_flags,
        .prepare = open_graphics_prepare,
    };
    return domain_call_action(call, &action);
}

// The client's end is given away blocking, as socketpair() makes it.
static void open_graphics_fd_reply(struct call *call, const struct hypervisor_op *op)
{
    port_make_blocking(op->graphics.peer, true);
    call_reply(call);
    call_reply_fd(call, op->graphics.peer);
}

static enum co_status open_graphics_fd(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainOpenGraphicsFD",
        .job = DOMAIN_JOB_MODIFY,
        .op = offsetof(struct hypervisor, open_graphics),
        .allowed = open_graphics_flags,
        .prepare = open_graphics_prepare,
        .reply = open_graphics_fd_reply,
    };
    return domain_call_action(call, &action);
}

const struct call_entry domain_graphics_handlers[] = {
    {REMOTE_PROC_DOMAIN_OPEN_GRAPHICS, open_graphics},
    {REMOTE_PROC_DOMAIN_OPEN_GRAPHICS_FD, open_graphics_fd},
    {0, NULL},
};
