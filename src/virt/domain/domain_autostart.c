// Handlers: whether a domain is started with the daemon.
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"

struct autostart_state {
    struct domain_call base;
    struct definition_change change;
};

static enum co_status get_autostart(struct call *call)
{
    struct domain *domain = call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain));
    if (domain)
        xdr_put_i32(call_reply(call), domain->autostart);
    return CO_DONE;
}

static bool open(struct call *call, struct autostart_state *s)
{
    if (!domain_call_open(call, &s->base, CALL_ARGS(call, struct remote_nonnull_domain)))
        return false;
    if (s->base.domain->persistent)
        return true;
    call_fail(call, s->base.domain->hypervisor->error_domain, VIR_ERR_OPERATION_INVALID,
              "cannot set autostart for transient domain");
    domain_call_close(call, &s->base);
    return false;
}

static enum co_status set_autostart(struct call *call)
{
    struct autostart_state *s = CALL_STATE(call, struct autostart_state);
    bool on = CALL_ARGS(call, struct remote_domain_set_autostart_args)->autostart != 0;

    CO_BEGIN(&call->co);
    if (!open(call, s))
        CO_RETURN(&call->co);
    if (s->base.domain->autostart != on) {
        CO_CALL(&call->co, domain_call_job(call, &s->base, "remoteDispatchDomainSetAutostart",
                                           DOMAIN_JOB_MODIFY));
        if (!error_is_set(&call->error)) {
            CO_CALL(&call->co, definition_autostart(&s->change, s->base.domain, on, &call->task,
                                                    &call->error));
            s->base.domain->autostart = definition_autostarts(s->base.domain);
        }
    }
    domain_call_close(call, &s->base);
    CO_END(&call->co);
}

const struct call_entry domain_autostart_handlers[] = {
    {REMOTE_PROC_DOMAIN_GET_AUTOSTART, get_autostart},
    {REMOTE_PROC_DOMAIN_SET_AUTOSTART, set_autostart},
    {0, NULL},
};
