// Handlers: how far a long job of a domain is (virDomainGetJobInfo, virDomainGetJobStats), and its
// end (virDomainAbortJob). Of such jobs there are dumps only; once ended they are forgotten.
#include "rpc/xdr_params.h"
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"

// The domain; NULL, with the error set, when there is none or it has no such jobs.
static const struct domain *find(struct call *call, uint32_t flags, uint32_t allowed,
                                 const char *function)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return NULL;
    if (!hypervisor->has_jobs) {
        call_unsupported(call);
        return NULL;
    }
    if (!call_driver_flags(call, hypervisor, flags, allowed, function))
        return NULL;
    return call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain));
}

static bool has_job(const struct domain *domain, struct hypervisor_job *job)
{
    return domain->hypervisor->job && domain->hypervisor->job(domain, job);
}

static uint64_t remaining(const struct hypervisor_job *job)
{
    return job->total > job->done ? job->total - job->done : 0;
}

static enum co_status get_job_info(struct call *call)
{
    struct hypervisor_job job;
    struct remote_domain_get_job_info_ret ret = {.type = VIR_DOMAIN_JOB_NONE};
    const struct domain *domain = find(call, 0, 0, "DomainGetJobInfo");
    if (!domain || !domain_check_active(domain, &call->error))
        return CO_DONE;
    if (has_job(domain, &job)) {
        ret.type = VIR_DOMAIN_JOB_UNBOUNDED;
        ret.timeElapsed = job.elapsed_ms;
        ret.dataTotal = ret.memTotal = job.total;
        ret.dataProcessed = ret.memProcessed = job.done;
        ret.dataRemaining = ret.memRemaining = remaining(&job);
    }
    xdr_encode(call_reply(call), XDR_TYPE(remote_domain_get_job_info_ret), &ret);
    return CO_DONE;
}

static void put_job(struct xdr_writer *w, struct xdr_list_mark *list,
                    const struct hypervisor_job *job)
{
    xdr_param_add_i32(w, list, "operation", VIR_DOMAIN_JOB_OPERATION_DUMP);
    xdr_param_add_u64(w, list, "time_elapsed", job->elapsed_ms);
    xdr_param_add_u64(w, list, "memory_total", job->total);
    xdr_param_add_u64(w, list, "memory_processed", job->done);
    xdr_param_add_u64(w, list, "memory_remaining", remaining(job));
}

static enum co_status get_job_stats(struct call *call)
{
    const uint32_t known = VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED;
    uint32_t flags = CALL_ARGS(call, struct remote_domain_get_job_stats_args)->flags;
    bool completed = flags & VIR_DOMAIN_JOB_STATS_COMPLETED;
    if ((flags & VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED) && !completed) {
        error_set_plain(&call->error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                        "Flag 'VIR_DOMAIN_JOB_STATS_COMPLETED' is required by flag "
                        "'VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED'");
        return CO_DONE;
    }
    const struct domain *domain = find(call, flags, known, "DomainGetJobStats");
    if (!domain || (!completed && !domain_check_active(domain, &call->error)))
        return CO_DONE;
    struct hypervisor_job job;
    bool active = !completed && has_job(domain, &job);
    struct xdr_writer *w = call_reply(call);
    xdr_put_i32(w, active ? VIR_DOMAIN_JOB_UNBOUNDED : VIR_DOMAIN_JOB_NONE);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_JOB_STATS_MAX);
    if (active)
        put_job(w, &list, &job);
    xdr_list_end(w, &list);
    return CO_DONE;
}

static enum co_status abort_job(struct call *call)
{
    uint32_t flags = 0;
    if (call->header.proc == REMOTE_PROC_DOMAIN_ABORT_JOB_FLAGS)
        flags = CALL_ARGS(call, struct remote_domain_abort_job_flags_args)->flags;
    const struct domain *domain =
        find(call, flags, VIR_DOMAIN_ABORT_JOB_POSTCOPY, "DomainAbortJobFlags");
    if (!domain || !domain_check_active(domain, &call->error))
        return CO_DONE;
    if (flags)
        return call_fail(call, domain->hypervisor->error_domain, VIR_ERR_OPERATION_INVALID,
                         "current job is not outgoing migration in post-copy mode");
    if (domain->hypervisor->abort_job)
        domain->hypervisor->abort_job(domain, &call->error);
    return CO_DONE;
}

// ---- virDomainGetLaunchSecurityInfo: no guest is launched in secret

static enum co_status get_launch_security_info(struct call *call)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return CO_DONE;
    if (!hypervisor->has_jobs)
        return call_unsupported(call);
    if (!call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain)))
        return CO_DONE;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_LAUNCH_SECURITY_INFO_PARAMS_MAX);
    xdr_list_end(w, &list);
    return CO_DONE;
}

const struct call_entry domain_job_info_handlers[] = {
    {REMOTE_PROC_DOMAIN_GET_JOB_INFO, get_job_info},
    {REMOTE_PROC_DOMAIN_GET_JOB_STATS, get_job_stats},
    {REMOTE_PROC_DOMAIN_ABORT_JOB, abort_job},
    {REMOTE_PROC_DOMAIN_ABORT_JOB_FLAGS, abort_job},
    {REMOTE_PROC_DOMAIN_GET_LAUNCH_SECURITY_INFO, get_launch_security_info},
    {0, NULL},
};
