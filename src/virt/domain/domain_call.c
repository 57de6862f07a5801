// What the handlers of domain procedures share.
#include "virt/domain/domain_call.h"

#include "core/assert.h"

#include <stdio.h>
#include <string.h>

const struct hypervisor *call_hypervisor(struct call *call)
{
    const struct hypervisor *hypervisor = call->client ? connection_hypervisor(call->client) : NULL;
    if (!hypervisor)
        call_fail(call, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "hypervisor connection not open");
    return hypervisor;
}

bool call_driver_flags(struct call *call, const struct hypervisor *hypervisor, uint32_t flags,
                       uint32_t allowed, const char *function)
{
    char name[64];
    snprintf(name, sizeof(name), "%s%s", hypervisor->prefix, function);
    return call_flags(call, flags, allowed, hypervisor->error_domain, name);
}

enum co_status call_unsupported(struct call *call)
{
    return call_fail(call, VIR_FROM_DOMAIN, VIR_ERR_NO_SUPPORT, "%s",
                     xdr_procedure_name(call->procedure));
}

bool call_invalid_argument(struct call *call, const char *argument, const char *must)
{
    return error_set_plain(&call->error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "%s in %s %s",
                           argument, xdr_procedure_name(call->procedure), must);
}

bool call_exclusive_flags(struct call *call, uint32_t flags, uint32_t a, const char *a_name,
                          uint32_t b, const char *b_name)
{
    if (!(flags & a) || !(flags & b))
        return true;
    return error_set_plain(&call->error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                           "Flags '%s' and '%s' are mutually exclusive", a_name, b_name);
}

struct domain *call_find_domain(struct call *call, const struct remote_nonnull_domain *dom)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return NULL;
    struct domain *domain = domain_by_uuid(hypervisor, dom->uuid);
    if (!domain) {
        char uuid[37];
        domain_uuid_format(dom->uuid, uuid);
        call_fail(call, hypervisor->error_domain, VIR_ERR_NO_DOMAIN,
                  "no domain with matching uuid '%s' (%.*s)", uuid, SLICE_ARG(dom->name));
    }
    return domain;
}

bool domain_call_open(struct call *call, struct domain_call *s,
                      const struct remote_nonnull_domain *dom)
{
    s->domain = call_find_domain(call, dom);
    if (s->domain)
        domain_ref(s->domain);
    return s->domain != NULL;
}

void domain_call_close(struct call *call, struct domain_call *s)
{
    if (!s->domain)
        return;
    domain_job_end(s->domain, &call->task);
    domain_unref(s->domain);
    s->domain = NULL;
}

enum co_status domain_call_job(struct call *call, struct domain_call *s, const char *holder,
                               enum domain_job_kind kind)
{
    return domain_job_begin(&s->job, s->domain, &call->task, holder, kind, &call->error);
}

bool domain_check_active(const struct domain *domain, struct error *err)
{
    if (domain_active(domain))
        return true;
    return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain is not running");
}

bool domain_check_impact(const struct domain *domain, uint32_t *flags, struct error *err)
{
    const uint32_t both = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;
    if (!(*flags & both))
        *flags |= domain_active(domain) ? VIR_DOMAIN_AFFECT_LIVE : VIR_DOMAIN_AFFECT_CONFIG;
    if ((*flags & VIR_DOMAIN_AFFECT_LIVE) && !domain_active(domain))
        return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain is not running");
    if ((*flags & VIR_DOMAIN_AFFECT_CONFIG) && !domain->persistent)
        return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID,
                         "transient domains do not have any persistent config");
    return true;
}

struct xml_node *domain_definition_for(const struct domain *domain, uint32_t flags,
                                       struct error *err)
{
    return definition_tree(
        domain, flags & VIR_DOMAIN_AFFECT_LIVE ? DEFINITION_LIVE : DEFINITION_PERSISTENT, err);
}

void domain_to_wire(const struct domain *domain, struct remote_nonnull_domain *dom)
{
    dom->name = slice_of(domain->name);
    memcpy(dom->uuid, domain->uuid, sizeof(dom->uuid));
    dom->id = domain->id;
}

void domain_put(struct xdr_writer *w, const struct domain *domain)
{
    xdr_put_object(w, domain->name, domain->uuid, domain->id);
}

void call_reply_domain(struct call *call, const struct domain *domain)
{
    domain_put(call_reply(call), domain);
}

// ---- one operation of the driver

struct action_state {
    struct domain_call base;
    struct hypervisor_op op;
};

static hypervisor_fn *action_function(const struct hypervisor *hypervisor,
                                      const struct domain_action *action)
{
    hypervisor_fn *function;
    memcpy(&function, (const char *)hypervisor + action->op, sizeof(function));
    return function;
}

static bool action_open(struct call *call, struct action_state *s,
                        const struct domain_action *action)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return false;
    if (!action_function(hypervisor, action)) {
        call_unsupported(call);
        return false;
    }
    s->op = (struct hypervisor_op){.task = &call->task, .err = &call->error};
    if (action->prepare && !action->prepare(call, &s->op))
        return false;
    uint32_t allowed = action->allowed ? action->allowed(hypervisor) : 0;
    if (!call_driver_flags(call, hypervisor, s->op.flags, allowed,
                           action->holder + strlen("remoteDispatch")))
        return false;
    return domain_call_open(call, &s->base, CALL_ARGS(call, struct remote_nonnull_domain));
}

static bool action_check(struct call *call, struct action_state *s,
                         const struct domain_action *action, bool *nothing_to_do)
{
    *nothing_to_do = false;
    s->op.domain = s->base.domain;
    if (action->check)
        return action->check(s->base.domain, nothing_to_do, &call->error);
    return domain_check_active(s->base.domain, &call->error);
}

bool domain_any_state(const struct domain *domain, bool *nothing_to_do, struct error *err)
{
    (void)domain, (void)nothing_to_do, (void)err;
    return true;
}

enum co_status domain_call_action(struct call *call, const struct domain_action *action)
{
    struct action_state *s = CALL_STATE(call, struct action_state);
    bool nothing_to_do;

    CO_BEGIN(&call->co);
    if (!action_open(call, s, action))
        CO_RETURN(&call->co);
    CO_CALL(&call->co, domain_call_job(call, &s->base, action->holder, action->job));
    if (!error_is_set(&call->error) && action_check(call, s, action, &nothing_to_do) &&
        !nothing_to_do) {
        CO_CALL(&call->co, action_function(s->base.domain->hypervisor, action)(&s->op));
        if (!error_is_set(&call->error) && action->reply)
            action->reply(call, &s->op);
    }
    domain_call_close(call, &s->base);
    CO_END(&call->co);
}
