// Handlers: how much memory a domain has, and what its balloon tells.
#include "virt/domain/domain_edit.h"
#include "virt/domain/domain_facts.h"
#include "virt/handlers.h"

#include <stddef.h>

static bool refuse(struct call *call, const struct domain *domain, int code, const char *why)
{
    call_fail(call, domain->hypervisor->error_domain, code, "%s", why);
    return false;
}

// ---- virDomainSetMemory, virDomainSetMaxMemory, virDomainSetMemoryFlags

// What a definition can not say: its bytes are counted in 63 bits (virMemoryMaxValue).
#define KIB_END ((uint64_t)INT64_MAX / 1024)

// The three have the same beginning of their arguments.
static uint64_t wanted_kib(const struct call *call)
{
    return CALL_ARGS(call, struct remote_domain_set_memory_flags_args)->memory;
}

static bool memory_prepare(struct call *call, struct domain_edit *edit)
{
    switch (call->header.proc) {
    case REMOTE_PROC_DOMAIN_SET_MEMORY:
        edit->flags = VIR_DOMAIN_AFFECT_LIVE;
        break;
    case REMOTE_PROC_DOMAIN_SET_MAX_MEMORY:
        edit->flags = VIR_DOMAIN_MEM_MAXIMUM;
        break;
    default:
        edit->flags = CALL_ARGS(call, struct remote_domain_set_memory_flags_args)->flags;
        break;
    }
    if (wanted_kib(call) >= KIB_END)
        return error_set(&call->error, VIR_FROM_DOMAIN, VIR_ERR_OVERFLOW, "input too large: %llu",
                         (unsigned long long)wanted_kib(call));
    return wanted_kib(call) > 0 || call_invalid_argument(call, "memory", "must not be zero");
}

static uint32_t memory_flags(const struct hypervisor *hypervisor)
{
    return domain_edit_impact_flags(hypervisor) | VIR_DOMAIN_MEM_MAXIMUM;
}

static bool check_maximum(struct call *call, const struct domain_edit *edit)
{
    const struct domain *domain = edit->base.domain;
    uint64_t limit;
    if (edit->flags & VIR_DOMAIN_AFFECT_LIVE)
        return refuse(call, domain, VIR_ERR_OPERATION_INVALID,
                      "cannot resize the maximum memory on an active domain");
    const struct xml_node *tree = definition_tree(domain, DEFINITION_PERSISTENT, &call->error);
    if (!tree)
        return false;
    if (xml_find(tree, "cpu/numa/cell"))
        return refuse(call, domain, VIR_ERR_OPERATION_INVALID,
                      "initial memory size of a domain with NUMA nodes cannot be modified with "
                      "this API");
    if (slice_u64(xml_text_at(tree, "maxMemory"), 10, &limit) && limit < wanted_kib(call))
        return refuse(call, domain, VIR_ERR_OPERATION_INVALID,
                      "cannot set initial memory size greater than the maximum memory size");
    return true;
}

// The least that is the most of the definitions that are concerned.
static bool check_current(struct call *call, const struct domain_edit *edit)
{
    const struct domain *domain = edit->base.domain;
    uint64_t most = UINT64_MAX;
    static const struct {
        uint32_t flag;
        enum definition which;
    } kinds[] = {{VIR_DOMAIN_AFFECT_LIVE, DEFINITION_LIVE},
                 {VIR_DOMAIN_AFFECT_CONFIG, DEFINITION_PERSISTENT}};
    for (size_t i = 0; i < 2; i++) {
        if (!(edit->flags & kinds[i].flag))
            continue;
        const struct xml_node *tree = definition_tree(domain, kinds[i].which, &call->error);
        if (!tree)
            return false;
        if (domain_memory_kib(tree) < most)
            most = domain_memory_kib(tree);
    }
    return wanted_kib(call) <= most ||
           refuse(call, domain, VIR_ERR_INVALID_ARG, "cannot set memory higher than max memory");
}

static bool memory_check(struct call *call, struct domain_edit *edit)
{
    edit->op.memory.kib = wanted_kib(call);
    return edit->flags & VIR_DOMAIN_MEM_MAXIMUM ? check_maximum(call, edit)
                                                : check_current(call, edit);
}

static void set_kib(struct xml_doc *doc, struct xml_node *tree, const char *name, uint64_t kib)
{
    struct xml_node *node = xml_need(doc, tree, name);
    xml_sets(doc, node, "unit", "KiB");
    xml_set_textf(doc, node, "%llu", (unsigned long long)kib);
}

static bool memory_edit(struct call *call, struct xml_doc *doc, struct xml_node *tree)
{
    const struct domain_edit *edit = CALL_STATE(call, struct domain_edit);
    if (edit->flags & VIR_DOMAIN_MEM_MAXIMUM) {
        if (domain_current_memory_kib(tree) > wanted_kib(call))
            set_kib(doc, tree, "currentMemory", wanted_kib(call));
        set_kib(doc, tree, "memory", wanted_kib(call));
    } else {
        set_kib(doc, tree, "currentMemory", wanted_kib(call));
    }
    return true;
}

static enum co_status set_memory(struct call *call)
{
    static const struct domain_edit_kind kind = {
        .holder = "remoteDispatchDomainSetMemoryFlags",
        .allowed = memory_flags,
        .prepare = memory_prepare,
        .check = memory_check,
        .live_op = offsetof(struct hypervisor, set_memory),
        .edit_config = memory_edit,
    };
    return domain_edit_run(call, &kind);
}

// ---- virDomainSetMemoryStatsPeriod

static bool period_prepare(struct call *call, struct domain_edit *edit)
{
    const struct remote_domain_set_memory_stats_period_args *args =
        CALL_ARGS(call, struct remote_domain_set_memory_stats_period_args);
    edit->flags = args->flags;
    edit->op.named.value = (uint64_t)args->period;
    return args->period >= 0 || call_invalid_argument(call, "period", "must be zero or greater");
}

static bool period_check(struct call *call, struct domain_edit *edit)
{
    const int impacts[] = {VIR_DOMAIN_AFFECT_LIVE, VIR_DOMAIN_AFFECT_CONFIG};
    for (size_t i = 0; i < 2; i++) {
        if (!(edit->flags & (uint32_t)impacts[i]))
            continue;
        const struct xml_node *tree =
            domain_definition_for(edit->base.domain, (uint32_t)impacts[i], &call->error);
        const struct xml_node *balloon = xml_find(tree, "devices/memballoon");
        if (!tree)
            return false;
        if (!balloon || xml_attr_is(balloon, "model", "none"))
            return refuse(call, edit->base.domain, VIR_ERR_INTERNAL_ERROR,
                          "No memory balloon device configured, can not set the collection period");
    }
    return true;
}

// libvirt writes <stats period='n'/> first in the device, and nothing for 0.
static bool period_edit(struct call *call, struct xml_doc *doc, struct xml_node *tree)
{
    int32_t period = CALL_ARGS(call, struct remote_domain_set_memory_stats_period_args)->period;
    struct xml_node *balloon = xml_find(tree, "devices/memballoon");
    struct xml_node *stats = xml_child(balloon, "stats");
    if (period == 0) {
        if (stats)
            xml_remove(stats);
        return true;
    }
    if (!stats) {
        struct xml_node *first = xml_child(balloon, NULL);
        stats = first ? xml_add_before(doc, first, "stats") : xml_add(doc, balloon, "stats");
    }
    xml_setf(doc, stats, "period", "%d", period);
    return true;
}

static enum co_status set_memory_stats_period(struct call *call)
{
    static const struct domain_edit_kind kind = {
        .holder = "remoteDispatchDomainSetMemoryStatsPeriod",
        .allowed = domain_edit_impact_flags,
        .one = true,
        .prepare = period_prepare,
        .check = period_check,
        .live_op = offsetof(struct hypervisor, set_memory_stats_period),
        .edit_live = period_edit,
        .edit_config = period_edit,
    };
    return domain_edit_run(call, &kind);
}

// ---- virDomainMemoryStats

static bool stats_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct remote_domain_memory_stats_args *args =
        CALL_ARGS(call, struct remote_domain_memory_stats_args);
    op->flags = args->flags;
    if (args->maxStats > REMOTE_DOMAIN_MEMORY_STATS_MAX) {
        call_fail(call, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                  "maxStats > REMOTE_DOMAIN_MEMORY_STATS_MAX");
        return false;
    }
    return true;
}

static void stats_reply(struct call *call, const struct hypervisor_op *op)
{
    uint32_t max = CALL_ARGS(call, struct remote_domain_memory_stats_args)->maxStats;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_MEMORY_STATS_MAX);
    for (uint32_t i = 0; i < op->memory_stats.count && i < max; i++) {
        struct remote_domain_memory_stat stat = {.tag = op->memory_stats.stats[i].tag,
                                                 .val = op->memory_stats.stats[i].value};
        xdr_list_add(w, &list);
        xdr_encode(w, XDR_TYPE(remote_domain_memory_stat), &stat);
    }
    xdr_list_end(w, &list);
}

static enum co_status memory_stats(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainMemoryStats",
        .job = DOMAIN_JOB_QUERY,
        .op = offsetof(struct hypervisor, memory_stats),
        .prepare = stats_prepare,
        .reply = stats_reply,
    };
    return domain_call_action(call, &action);
}

const struct call_entry domain_memory_handlers[] = {
    {REMOTE_PROC_DOMAIN_SET_MEMORY, set_memory},
    {REMOTE_PROC_DOMAIN_SET_MAX_MEMORY, set_memory},
    {REMOTE_PROC_DOMAIN_SET_MEMORY_FLAGS, set_memory},
    {REMOTE_PROC_DOMAIN_SET_MEMORY_STATS_PERIOD, set_memory_stats_period},
    {REMOTE_PROC_DOMAIN_MEMORY_STATS, memory_stats},
    {0, NULL},
};
