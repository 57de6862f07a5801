// Handlers: what the guest itself tells, through its agent: host name, time, file systems.
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"

#include <stddef.h>

// ---- virDomainGetHostname

static bool hostname_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    op->flags = CALL_ARGS(call, struct remote_domain_get_hostname_args)->flags;
    if ((op->flags & ~hypervisor->allowed.hostname) || // refused first
        call_exclusive_flags(call, op->flags, VIR_DOMAIN_GET_HOSTNAME_LEASE,
                             "VIR_DOMAIN_GET_HOSTNAME_LEASE", VIR_DOMAIN_GET_HOSTNAME_AGENT,
                             "VIR_DOMAIN_GET_HOSTNAME_AGENT"))
        return true;
    call->error.domain = hypervisor->error_domain; // it is the driver that looks
    return false;
}

static uint32_t hostname_flags(const struct hypervisor *hypervisor)
{
    return hypervisor->allowed.hostname;
}

static void hostname_reply(struct call *call, const struct hypervisor_op *op)
{
    xdr_put_string(call_reply(call), slice_of(op->hostname.name));
}

static enum co_status get_hostname(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainGetHostname",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, hostname),
        .allowed = hostname_flags,
        .prepare = hostname_prepare,
        .reply = hostname_reply,
    };
    return domain_call_action(call, &action);
}

// ---- virDomainGetTime, virDomainSetTime

static bool get_time_prepare(struct call *call, struct hypervisor_op *op)
{
    op->flags = CALL_ARGS(call, struct remote_domain_get_time_args)->flags;
    return true;
}

static void get_time_reply(struct call *call, const struct hypervisor_op *op)
{
    struct remote_domain_get_time_ret ret = {.seconds = op->time.seconds,
                                             .nseconds = op->time.nseconds};
    xdr_encode(call_reply(call), XDR_TYPE(remote_domain_get_time_ret), &ret);
}

static enum co_status get_time(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainGetTime",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, get_time),
        .prepare = get_time_prepare,
        .reply = get_time_reply,
    };
    return domain_call_action(call, &action);
}

static bool set_time_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct remote_domain_set_time_args *args =
        CALL_ARGS(call, struct remote_domain_set_time_args);
    op->flags = args->flags;
    op->time.seconds = args->seconds;
    op->time.nseconds = args->nseconds;
    return true;
}

static uint32_t set_time_flags(const struct hypervisor *hypervisor)
{
    return hypervisor->allowed.set_time;
}

static enum co_status set_time(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainSetTime",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, set_time),
        .allowed = set_time_flags,
        .prepare = set_time_prepare,
    };
    return domain_call_action(call, &action);
}

// ---- virDomainGetFSInfo

static bool fsinfo_prepare(struct call *call, struct hypervisor_op *op)
{
    op->flags = CALL_ARGS(call, struct remote_domain_get_fsinfo_args)->flags;
    return true;
}

static void fsinfo_reply(struct call *call, const struct hypervisor_op *op)
{
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_FSINFO_MAX);
    for (uint32_t i = 0; i < op->filesystems.count; i++) {
        const struct hypervisor_filesystem *found = &op->filesystems.at[i];
        xdr_list_add(w, &list);
        xdr_put_string(w, slice_of(found->mountpoint));
        xdr_put_string(w, slice_of(found->name));
        xdr_put_string(w, slice_of(found->type));
        struct xdr_list_mark targets = xdr_list_begin(w, REMOTE_DOMAIN_FSINFO_DISKS_MAX);
        for (uint32_t k = 0; k < found->target_count; k++) {
            xdr_list_add(w, &targets);
            xdr_put_string(w, slice_of(found->targets[k]));
        }
        xdr_list_end(w, &targets);
    }
    xdr_list_end(w, &list);
    xdr_put_u32(w, op->filesystems.count);
}

static enum co_status get_fsinfo(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainGetFSInfo",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, filesystems),
        .prepare = fsinfo_prepare,
        .reply = fsinfo_reply,
    };
    return domain_call_action(call, &action);
}

// ---- virDomainAgentSetResponseTimeout

#define TIMEOUT_BLOCK (-2) // the least of virDomainAgentResponseTimeoutValues

static enum co_status set_response_timeout(struct call *call)
{
    const struct remote_domain_agent_set_response_timeout_args *args =
        CALL_ARGS(call, struct remote_domain_agent_set_response_timeout_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return CO_DONE;
    if (!hypervisor->set_agent_timeout)
        return call_unsupported(call);
    if (!call_driver_flags(call, hypervisor, args->flags, 0, "DomainAgentSetResponseTimeout"))
        return CO_DONE;
    if (args->timeout < TIMEOUT_BLOCK)
        return call_fail(call, hypervisor->error_domain, VIR_ERR_INVALID_ARG,
                         "guest agent timeout '%d' is less than the minimum '%d'", args->timeout,
                         TIMEOUT_BLOCK);
    struct domain *domain = call_find_domain(call, &args->dom);
    if (domain && hypervisor->set_agent_timeout(domain, args->timeout, &call->error))
        xdr_put_i32(call_reply(call), 0);
    return CO_DONE;
}

const struct call_entry domain_agent_handlers[] = {
    {REMOTE_PROC_DOMAIN_AGENT_SET_RESPONSE_TIMEOUT, set_response_timeout},
    {REMOTE_PROC_DOMAIN_GET_FSINFO, get_fsinfo},
    {REMOTE_PROC_DOMAIN_GET_HOSTNAME, get_hostname},
    {REMOTE_PROC_DOMAIN_GET_TIME, get_time},
    {REMOTE_PROC_DOMAIN_SET_TIME, set_time},
    {0, NULL},
};
