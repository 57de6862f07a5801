// Handlers: how many vcpus a domain has, and what they do.
#include "virt/domain/cpuset.h"
#include "virt/domain/domain_edit.h"
#include "virt/domain/domain_facts.h"
#include "virt/domain/domain_maps.h"
#include "virt/handlers.h"
#include "rpc/xdr_params.h"

#include <stddef.h>

// ---- virDomainSetVcpus, virDomainSetVcpusFlags

// Both have the same beginning of their arguments.
static uint32_t wanted(const struct call *call)
{
    return CALL_ARGS(call, struct remote_domain_set_vcpus_flags_args)->nvcpus;
}

static bool require_flag(struct call *call, uint32_t flags, uint32_t flag, const char *name,
                         uint32_t required, const char *required_name)
{
    if (!(flags & flag) || (flags & required))
        return true;
    call_fail(call, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "Flag '%s' is required by flag '%s'",
              required_name, name);
    return false;
}

static bool set_prepare(struct call *call, struct domain_edit *edit)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    struct error *err = &call->error;
    if (call->header.proc == REMOTE_PROC_DOMAIN_SET_VCPUS)
        edit->flags = VIR_DOMAIN_AFFECT_LIVE;
    else
        edit->flags = CALL_ARGS(call, struct remote_domain_set_vcpus_flags_args)->flags;
    if (!require_flag(call, edit->flags, VIR_DOMAIN_VCPU_MAXIMUM, "VIR_DOMAIN_VCPU_MAXIMUM",
                      VIR_DOMAIN_AFFECT_CONFIG, "VIR_DOMAIN_AFFECT_CONFIG") ||
        !call_exclusive_flags(call, edit->flags, VIR_DOMAIN_VCPU_GUEST, "VIR_DOMAIN_VCPU_GUEST",
                              VIR_DOMAIN_AFFECT_CONFIG, "VIR_DOMAIN_AFFECT_CONFIG"))
        return false;
    if (wanted(call) == 0)
        return call_invalid_argument(call, "nvcpus", "must not be zero");
    int32_t most = hypervisor->max_vcpus ? hypervisor->max_vcpus(SLICE_NONE, err) : INT32_MAX;
    if (hypervisor->checks_max_vcpus && most >= 0 && wanted(call) > (uint32_t)most)
        return error_set(err, hypervisor->error_domain, VIR_ERR_INVALID_ARG,
                         "requested cpu amount exceeds maximum supported amount (%d > %d)",
                         (int)wanted(call), (int)most);
    return !error_is_set(err);
}

static uint32_t set_flags(const struct hypervisor *hypervisor)
{
    return hypervisor->allowed.set_vcpus;
}

// The vcpus that <cpu><topology> makes; 0 without one.
static uint64_t topology_vcpus(const struct xml_node *tree)
{
    const char *const factors[] = {"sockets", "dies", "cores", "threads"};
    const struct xml_node *topology = xml_find(tree, "cpu/topology");
    uint64_t product = topology ? 1 : 0;
    for (size_t i = 0; topology && i < sizeof(factors) / sizeof(factors[0]); i++) {
        uint64_t factor;
        if (slice_u64(xml_attr(topology, factors[i]), 10, &factor))
            product *= factor;
    }
    return product;
}

static bool check_maximum(struct call *call, const struct domain_edit *edit)
{
    const struct domain *domain = edit->base.domain;
    int from = domain->hypervisor->error_domain;
    if (edit->flags & VIR_DOMAIN_AFFECT_LIVE)
        return error_set(&call->error, from, VIR_ERR_OPERATION_UNSUPPORTED,
                         "maximum vcpu count of a live domain can't be modified");
    const struct xml_node *tree = definition_tree(domain, DEFINITION_PERSISTENT, &call->error);
    uint64_t topology = topology_vcpus(tree);
    if (topology && topology != wanted(call))
        return error_set(&call->error, from, VIR_ERR_INVALID_ARG,
                         "CPU topology doesn't match the desired vcpu count");
    return tree != NULL;
}

static bool check_count(struct call *call, const struct domain_edit *edit, uint32_t impact,
                        const char *which)
{
    const struct domain *domain = edit->base.domain;
    if (!(edit->flags & impact))
        return true;
    const struct xml_node *tree = domain_definition_for(domain, impact, &call->error);
    if (!tree)
        return false;
    uint32_t most = domain_vcpus_max(tree);
    if (wanted(call) <= most)
        return true;
    if (domain->hypervisor->checks_max_vcpus)
        return error_set(&call->error, domain->hypervisor->error_domain, VIR_ERR_INVALID_ARG,
                         "requested cpu amount exceeds maximum (%d > %d)", (int)wanted(call),
                         (int)most);
    return error_set(&call->error, domain->hypervisor->error_domain, VIR_ERR_INVALID_ARG,
                     "requested vcpus is greater than max allowable vcpus for the %s domain: "
                     "%u > %u",
                     which, wanted(call), most);
}

static bool set_check(struct call *call, struct domain_edit *edit)
{
    edit->op.vcpus.count = wanted(call);
    if (edit->flags & VIR_DOMAIN_VCPU_GUEST) // the guest's agent looks at the rest
        return domain_check_active(edit->base.domain, &call->error);
    if (edit->flags & VIR_DOMAIN_VCPU_MAXIMUM)
        return check_maximum(call, edit);
    return check_count(call, edit, VIR_DOMAIN_AFFECT_LIVE, "live") &&
           check_count(call, edit, VIR_DOMAIN_AFFECT_CONFIG, "persistent");
}

static bool set_edit(struct call *call, struct xml_doc *doc, struct xml_node *tree)
{
    const struct domain_edit *edit = CALL_STATE(call, struct domain_edit);
    if (!(edit->flags & VIR_DOMAIN_VCPU_MAXIMUM)) {
        domain_vcpus_set(doc, tree, wanted(call));
        return true;
    }
    uint32_t online = domain_vcpus(tree);
    struct xml_node *vcpu = xml_need(doc, tree, "vcpu");
    // As many as before are online, if they fit: new ones are not.
    xml_set_textf(doc, vcpu, "%u", wanted(call));
    domain_vcpus_set(doc, tree, online > wanted(call) ? wanted(call) : online);
    return true;
}

static enum co_status set_vcpus(struct call *call)
{
    static const struct domain_edit_kind kind = {
        .holder = "remoteDispatchDomainSetVcpusFlags",
        .allowed = set_flags,
        .prepare = set_prepare,
        .check = set_check,
        .live_op = offsetof(struct hypervisor, set_vcpus),
        .edit_config = set_edit,
    };
    return domain_edit_run(call, &kind);
}

// ---- virDomainGetVcpusFlags

// How many the guest has, or has online: its agent tells.
static bool guest_count_prepare(struct call *call, struct hypervisor_op *op)
{
    op->flags = CALL_ARGS(call, struct remote_domain_get_vcpus_flags_args)->flags;
    return true;
}

static bool guest_count_check(const struct domain *domain, bool *nothing_to_do, struct error *err)
{
    (void)nothing_to_do;
    return domain_active(domain) ||
           error_set(err, domain->hypervisor->error_domain, VIR_ERR_INVALID_ARG,
                     "vCPU count provided by the guest agent can only be requested for live "
                     "domains");
}

static void guest_count_reply(struct call *call, const struct hypervisor_op *op)
{
    int32_t count = 0;
    for (uint32_t i = 0; i < op->guest_vcpus.count; i++)
        count += op->flags & VIR_DOMAIN_VCPU_MAXIMUM || op->guest_vcpus.at[i].online;
    xdr_put_i32(call_reply(call), count);
}

static uint32_t get_flags(const struct hypervisor *hypervisor)
{
    return hypervisor->allowed.get_vcpus;
}

static enum co_status get_guest_count(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainGetVcpusFlags",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, guest_vcpus),
        .allowed = get_flags,
        .prepare = guest_count_prepare,
        .check = guest_count_check,
        .reply = guest_count_reply,
    };
    return domain_call_action(call, &action);
}

static void get_count(struct call *call, const struct domain *domain, uint32_t flags)
{
    const struct xml_node *tree = domain_definition_for(domain, flags, &call->error);
    if (!tree)
        return;
    uint32_t count = flags & VIR_DOMAIN_VCPU_MAXIMUM ? domain_vcpus_max(tree) : domain_vcpus(tree);
    xdr_put_i32(call_reply(call), (int32_t)count);
}

static enum co_status get_vcpus_flags(struct call *call)
{
    const struct remote_domain_get_vcpus_flags_args *args =
        CALL_ARGS(call, struct remote_domain_get_vcpus_flags_args);
    if (call->co.line)
        return get_guest_count(call);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    uint32_t flags = args->flags;
    if (!hypervisor ||
        !call_exclusive_flags(call, flags, VIR_DOMAIN_AFFECT_LIVE, "VIR_DOMAIN_AFFECT_LIVE",
                              VIR_DOMAIN_AFFECT_CONFIG, "VIR_DOMAIN_AFFECT_CONFIG") ||
        !call_driver_flags(call, hypervisor, flags, get_flags(hypervisor), "DomainGetVcpusFlags"))
        return CO_DONE;
    const struct domain *domain = call_find_domain(call, &args->dom);
    if (!domain || !domain_check_impact(domain, &flags, &call->error))
        return CO_DONE;
    if (flags & VIR_DOMAIN_VCPU_GUEST)
        return get_guest_count(call);
    get_count(call, domain, flags);
    return CO_DONE;
}

// ---- virDomainGetVcpus

static bool get_check(struct call *call)
{
    const struct remote_domain_get_vcpus_args *args =
        CALL_ARGS(call, struct remote_domain_get_vcpus_args);
    if (args->maxinfo > REMOTE_VCPUINFO_MAX)
        return error_set(&call->error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                         "maxinfo > REMOTE_VCPUINFO_MAX");
    if (!domain_maps_check(call, "maxinfo", args->maxinfo, args->maplen))
        return false;
    if (args->maxinfo <= 0)
        return call_invalid_argument(call, "maxinfo", "must be greater than zero");
    return args->maplen >= 0 || call_invalid_argument(call, "maplen", "must be zero");
}

static enum co_status get_vcpus(struct call *call)
{
    const struct remote_domain_get_vcpus_args *args =
        CALL_ARGS(call, struct remote_domain_get_vcpus_args);
    const struct domain *domain = call_find_domain(call, &args->dom);
    if (!domain || !get_check(call))
        return CO_DONE;
    if (!domain->hypervisor->vcpu)
        return call_unsupported(call);
    if (!domain_active(domain))
        return call_fail(call, domain->hypervisor->error_domain, VIR_ERR_OPERATION_INVALID, "%s",
                         domain->hypervisor->no_vcpus);
    const struct xml_node *tree = definition_current(domain, &call->error);
    if (!tree)
        return CO_DONE;
    uint32_t count = domain_vcpus(tree);
    struct domain_maps maps = domain_maps_begin(args->maxinfo, args->maplen);
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_VCPUINFO_MAX);
    for (uint32_t i = 0; i < count && i < (uint32_t)args->maxinfo; i++) {
        struct hypervisor_vcpu vcpu;
        if (!domain->hypervisor->vcpu(domain, i, &vcpu, &call->error))
            return CO_DONE;
        struct remote_vcpu_info info = {
            .number = i, .state = vcpu.state, .cpu_time = vcpu.cpu_ns, .cpu = vcpu.cpu};
        xdr_list_add(w, &list);
        xdr_encode(w, XDR_TYPE(remote_vcpu_info), &info);
        domain_maps_set(&maps, i, &vcpu.affinity);
    }
    xdr_list_end(w, &list);
    domain_maps_put(w, &maps);
    return CO_DONE;
}

// ---- virDomainGetCPUStats

static bool stats_check(struct call *call)
{
    const struct remote_domain_get_cpu_stats_args *args =
        CALL_ARGS(call, struct remote_domain_get_cpu_stats_args);
    const char *problem = NULL;
    if (args->nparams > REMOTE_NODE_CPU_STATS_MAX)
        problem = "nparams too large";
    else if (args->ncpus > REMOTE_DOMAIN_GET_CPU_STATS_NCPUS_MAX)
        problem = "ncpus too large";
    if (problem)
        return error_set(&call->error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "%s", problem);
    if (args->start_cpu == -1 && args->ncpus != 1)
        return error_set(&call->error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                         "ncpus must be 1 when start_cpu is -1");
    if (args->start_cpu < -1)
        return call_invalid_argument(call, "start_cpu", "must be zero or greater");
    return args->ncpus > 0 || args->nparams == 0 ||
           call_invalid_argument(call, "params", "must be NULL");
}

static void reply_totals(struct call *call, const struct domain *domain, uint32_t max)
{
    struct hypervisor_cpu_stats stats;
    if (!domain->hypervisor->cpu_stats(domain, -1, &stats, &call->error))
        return;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_GET_CPU_STATS_MAX);
    if (max > 0)
        xdr_param_add_u64(w, &list, "cpu_time", stats.cpu_ns);
    if (max > 1)
        xdr_param_add_u64(w, &list, "user_time", stats.user_ns);
    if (max > 2)
        xdr_param_add_u64(w, &list, "system_time", stats.system_ns);
    xdr_list_end(w, &list);
    xdr_put_i32(w, max > 0 && max < 3 ? (int32_t)max : 3);
}

static uint32_t count_present(void)
{
    struct port_cpuset present;
    return port_cpus_present(&present) < 0 ? 0 : port_cpuset_end(&present);
}

static void reply_count(struct call *call, uint32_t count)
{
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_GET_CPU_STATS_MAX);
    xdr_list_end(w, &list);
    xdr_put_i32(w, (int32_t)count);
}

// A driver without times of each processor answers as libvirt does where control groups (of version
// 2) do not have them: it knows what there would be to tell.
static void reply_each(struct call *call, const struct domain *domain)
{
    const struct remote_domain_get_cpu_stats_args *args =
        CALL_ARGS(call, struct remote_domain_get_cpu_stats_args);
    uint32_t known = domain->hypervisor->cpu_stats_cpus, cpus = known ? known : count_present();
    uint32_t first = (uint32_t)args->start_cpu;
    if (args->ncpus == 0 || args->nparams == 0) {
        reply_count(call, args->ncpus == 0 ? cpus : 2);
        return;
    }
    if (first >= cpus) {
        call_fail(call, domain->hypervisor->error_domain, VIR_ERR_INVALID_ARG,
                  "start_cpu %d larger than maximum of %d", args->start_cpu, (int)cpus - 1);
        return;
    }
    if (!known) {
        call_fail(call, VIR_FROM_CGROUP, VIR_ERR_OPERATION_UNSUPPORTED,
                  "operation 'getCpuacctPercpuUsage' not supported for backend 'cgroup V2'");
        return;
    }
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_GET_CPU_STATS_MAX);
    for (uint32_t cpu = first; cpu < cpus && cpu - first < args->ncpus; cpu++) {
        struct hypervisor_cpu_stats stats;
        if (!domain->hypervisor->cpu_stats(domain, (int)cpu, &stats, &call->error))
            return;
        xdr_param_add_u64(w, &list, "cpu_time", stats.cpu_ns);
        if (args->nparams > 1)
            xdr_param_add_u64(w, &list, "vcpu_time", stats.vcpu_ns);
    }
    xdr_list_end(w, &list);
    xdr_put_i32(w, args->nparams > 1 ? 2 : 1);
}

static enum co_status get_cpu_stats(struct call *call)
{
    const struct remote_domain_get_cpu_stats_args *args =
        CALL_ARGS(call, struct remote_domain_get_cpu_stats_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor || !stats_check(call) ||
        !call_driver_flags(call, hypervisor, args->flags, VIR_TYPED_PARAM_STRING_OKAY,
                           "DomainGetCPUStats"))
        return CO_DONE;
    const struct domain *domain = call_find_domain(call, &args->dom);
    if (!domain || !domain_check_active(domain, &call->error))
        return CO_DONE;
    if (!hypervisor->cpu_stats)
        return call_unsupported(call);
    if (args->start_cpu == -1)
        reply_totals(call, domain, args->nparams);
    else
        reply_each(call, domain);
    return CO_DONE;
}

const struct call_entry domain_vcpu_handlers[] = {
    {REMOTE_PROC_DOMAIN_SET_VCPUS, set_vcpus},
    {REMOTE_PROC_DOMAIN_SET_VCPUS_FLAGS, set_vcpus},
    {REMOTE_PROC_DOMAIN_GET_VCPUS_FLAGS, get_vcpus_flags},
    {REMOTE_PROC_DOMAIN_GET_VCPUS, get_vcpus},
    {REMOTE_PROC_DOMAIN_GET_CPU_STATS, get_cpu_stats},
    {0, NULL},
};
