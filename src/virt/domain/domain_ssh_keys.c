// Handlers: the keys that a user of a guest lets in (virDomainAuthorizedSSHKeysGet, ...Set).
#include "rpc/gather.h"
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"

#include <stddef.h>

// ---- reading them

struct keys_state {
    struct domain_call base;
    struct hypervisor_op op;
    struct gather keys;
};

static void put_key(void *to, struct slice key)
{
    struct keys_state *s = to;
    xdr_list_add(&s->keys.w, &s->keys.list);
    xdr_put_string(&s->keys.w, key);
}

static bool get_begin(struct call *call, struct keys_state *s)
{
    const struct remote_domain_authorized_ssh_keys_get_args *args =
        CALL_ARGS(call, struct remote_domain_authorized_ssh_keys_get_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return false;
    if (!hypervisor->ssh_keys) {
        call_unsupported(call);
        return false;
    }
    s->op = (struct hypervisor_op){.task = &call->task, .err = &call->error};
    s->op.ssh_keys.user = args->user;
    s->op.ssh_keys.put = put_key;
    s->op.ssh_keys.to = s;
    return call_driver_flags(call, hypervisor, args->flags, 0, "DomainAuthorizedSSHKeysGet") &&
           domain_call_open(call, &s->base, &args->dom);
}

static bool get_ready(struct call *call, struct keys_state *s)
{
    s->op.domain = s->base.domain;
    return !error_is_set(&call->error) &&
           gather_begin(&s->keys, call, REMOTE_DOMAIN_AUTHORIZED_SSH_KEYS_MAX);
}

static enum co_status get_keys(struct call *call)
{
    struct remote_domain_authorized_ssh_keys_get_ret ret;
    struct keys_state *s = CALL_STATE(call, struct keys_state);
    CO_BEGIN(&call->co);
    if (!get_begin(call, s))
        CO_RETURN(&call->co);
    CO_CALL(&call->co, domain_call_job(call, &s->base, "remoteDispatchDomainAuthorizedSshKeysGet",
                                       DOMAIN_JOB_AGENT));
    if (get_ready(call, s)) {
        CO_CALL(&call->co, s->base.domain->hypervisor->ssh_keys(&s->op));
        gather_reply(&s->keys, call, XDR_TYPE(remote_domain_authorized_ssh_keys_get_ret), &ret);
    }
    domain_call_close(call, &s->base);
    CO_END(&call->co);
}

// ---- changing them

static bool nth_key(const void *from, uint32_t n, struct slice *to)
{
    struct xdr_list keys = *(const struct xdr_list *)from;
    for (uint32_t i = 0; i <= n; i++)
        if (!xdr_next(&keys, to))
            return false;
    return true;
}

static bool set_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct remote_domain_authorized_ssh_keys_set_args *args =
        CALL_ARGS(call, struct remote_domain_authorized_ssh_keys_set_args);
    op->flags = args->flags;
    op->ssh_keys.user = args->user;
    op->ssh_keys.key = nth_key;
    op->ssh_keys.from = &args->keys;
    return call_exclusive_flags(call, args->flags, VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND,
                                "VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND",
                                VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE,
                                "VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE");
}

static uint32_t set_flags(const struct hypervisor *hypervisor)
{
    (void)hypervisor;
    return VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND | VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE;
}

static enum co_status set_keys(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainAuthorizedSSHKeysSet",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, set_ssh_keys),
        .check = domain_any_state, // the agent's message says it
        .allowed = set_flags,
        .prepare = set_prepare,
    };
    return domain_call_action(call, &action);
}

const struct call_entry domain_ssh_keys_handlers[] = {
    {REMOTE_PROC_DOMAIN_AUTHORIZED_SSH_KEYS_GET, get_keys},
    {REMOTE_PROC_DOMAIN_AUTHORIZED_SSH_KEYS_SET, set_keys},
    {0, NULL},
};
