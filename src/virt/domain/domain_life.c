// Handlers: stopping, pausing and resetting domains.
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"

#include <stddef.h>

static bool invalid(const struct domain *domain, struct error *err, const char *why)
{
    return error_set(err, domain->hypervisor->error_domain, VIR_ERR_OPERATION_INVALID, "%s", why);
}

// ---- shutdown, reboot

static bool shutdown_prepare(struct call *call, struct hypervisor_op *op)
{
    if (call->header.proc == REMOTE_PROC_DOMAIN_SHUTDOWN_FLAGS)
        op->flags = CALL_ARGS(call, struct remote_domain_shutdown_flags_args)->flags;
    return true;
}

static uint32_t shutdown_flags(const struct hypervisor *hypervisor)
{
    return hypervisor->allowed.shutdown;
}

static bool shutdown_check(const struct domain *domain, bool *nothing_to_do, struct error *err)
{
    (void)nothing_to_do;
    if (domain->hypervisor->may_shutdown)
        return domain->hypervisor->may_shutdown(domain, err);
    return domain->state == VIR_DOMAIN_RUNNING || invalid(domain, err, "domain is not running");
}

static enum co_status shut_down(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainShutdownFlags",
        .job = DOMAIN_JOB_MODIFY,
        .op = offsetof(struct hypervisor, shutdown),
        .allowed = shutdown_flags,
        .prepare = shutdown_prepare,
        .check = shutdown_check,
    };
    return domain_call_action(call, &action);
}

static bool reboot_prepare(struct call *call, struct hypervisor_op *op)
{
    op->flags = CALL_ARGS(call, struct remote_domain_reboot_args)->flags;
    return true;
}

static uint32_t reboot_flags(const struct hypervisor *hypervisor)
{
    return hypervisor->allowed.reboot;
}

static enum co_status reboot(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainReboot",
        .job = DOMAIN_JOB_MODIFY,
        .op = offsetof(struct hypervisor, reboot),
        .allowed = reboot_flags,
        .prepare = reboot_prepare,
    };
    return domain_call_action(call, &action);
}

static bool reset_prepare(struct call *call, struct hypervisor_op *op)
{
    op->flags = CALL_ARGS(call, struct remote_domain_reset_args)->flags;
    return true;
}

static enum co_status reset(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainReset",
        .job = DOMAIN_JOB_MODIFY,
        .op = offsetof(struct hypervisor, reset),
        .prepare = reset_prepare,
    };
    return domain_call_action(call, &action);
}

// ---- destroy

struct destroy_state {
    struct domain_call base;
    struct hypervisor_op op;
};

static uint32_t destroy_flags(const struct call *call)
{
    if (call->header.proc == REMOTE_PROC_DOMAIN_DESTROY_FLAGS)
        return CALL_ARGS(call, struct remote_domain_destroy_flags_args)->flags;
    return 0;
}

static bool destroy_open(struct call *call, struct destroy_state *s)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    uint32_t flags = destroy_flags(call);
    if (!hypervisor || !call_driver_flags(call, hypervisor, flags, hypervisor->allowed.destroy,
                                          "DomainDestroyFlags"))
        return false;
    if (!hypervisor->destroy) {
        call_unsupported(call);
        return false;
    }
    if (!domain_call_open(call, &s->base, CALL_ARGS(call, struct remote_nonnull_domain)))
        return false;
    if (!domain_check_active(s->base.domain, &call->error)) {
        domain_call_close(call, &s->base);
        return false;
    }
    s->op = (struct hypervisor_op){
        .task = &call->task, .err = &call->error, .flags = flags, .domain = s->base.domain};
    return true;
}

// Whoever holds the job may be waiting for this very guest, so it is told to end first. When it has
// ended by the time the job is ours (a start that was under way has failed), all is done.
static enum co_status destroy(struct call *call)
{
    struct destroy_state *s = CALL_STATE(call, struct destroy_state);

    CO_BEGIN(&call->co);
    if (!destroy_open(call, s))
        CO_RETURN(&call->co);
    if (s->base.domain->hypervisor->interrupt)
        s->base.domain->hypervisor->interrupt(s->base.domain, s->op.flags);
    CO_CALL(&call->co, domain_call_job(call, &s->base, "remoteDispatchDomainDestroyFlags",
                                       DOMAIN_JOB_DESTROY));
    if (!error_is_set(&call->error) && domain_active(s->base.domain))
        CO_CALL(&call->co, s->base.domain->hypervisor->destroy(&s->op));
    domain_call_close(call, &s->base);
    CO_END(&call->co);
}

// ---- suspend, resume

static bool suspend_check(const struct domain *domain, bool *nothing_to_do, struct error *err)
{
    if (domain->hypervisor->may_suspend)
        return domain->hypervisor->may_suspend(domain, err);
    if (!domain_check_active(domain, err))
        return false;
    if (domain->state == VIR_DOMAIN_PMSUSPENDED)
        return invalid(domain, err, "domain is pmsuspended");
    *nothing_to_do = domain->state == VIR_DOMAIN_PAUSED;
    return true;
}

static enum co_status suspend(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainSuspend",
        .job = DOMAIN_JOB_MODIFY,
        .op = offsetof(struct hypervisor, suspend),
        .check = suspend_check,
    };
    return domain_call_action(call, &action);
}

static bool resume_check(const struct domain *domain, bool *nothing_to_do, struct error *err)
{
    if (domain->hypervisor->may_resume)
        return domain->hypervisor->may_resume(domain, err);
    if (!domain_check_active(domain, err))
        return false;
    if (domain->state == VIR_DOMAIN_PMSUSPENDED)
        return invalid(domain, err, "domain is pmsuspended");
    if (domain->state == VIR_DOMAIN_RUNNING)
        return invalid(domain, err, "domain is already running");
    *nothing_to_do = domain->state != VIR_DOMAIN_PAUSED && domain->state != VIR_DOMAIN_CRASHED;
    return true;
}

static enum co_status resume(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainResume",
        .job = DOMAIN_JOB_MODIFY,
        .op = offsetof(struct hypervisor, resume),
        .check = resume_check,
    };
    return domain_call_action(call, &action);
}

const struct call_entry domain_life_handlers[] = {
    {REMOTE_PROC_DOMAIN_SHUTDOWN, shut_down},
    {REMOTE_PROC_DOMAIN_SHUTDOWN_FLAGS, shut_down},
    {REMOTE_PROC_DOMAIN_REBOOT, reboot},
    {REMOTE_PROC_DOMAIN_RESET, reset},
    {REMOTE_PROC_DOMAIN_DESTROY, destroy},
    {REMOTE_PROC_DOMAIN_DESTROY_FLAGS, destroy},
    {REMOTE_PROC_DOMAIN_SUSPEND, suspend},
    {REMOTE_PROC_DOMAIN_RESUME, resume},
    {0, NULL},
};
