// Handlers: what clients ask about the node.
#include "core/child.h"
#include "proto/remote.h"
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"
#include "virt/node/node.h"

#include <string.h>

// The view that the connection's driver has of the node, if it has the function at all.
#define NODE_VIEW(call, function) node_view_with(call, offsetof(struct node_view, function))

typedef void function(void);

static const struct node_view *node_view_with(struct call *call, size_t offset)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return NULL;
    function *wanted = NULL;
    if (hypervisor->node)
        memcpy(&wanted, (const char *)hypervisor->node + offset, sizeof(wanted));
    if (wanted)
        return hypervisor->node;
    call_unsupported(call);
    return NULL;
}

// Flags are refused by the driver's function, or by the one of the host that libvirt's driver
// calls.
static bool check_flags(struct call *call, uint32_t flags, uint32_t allowed, const char *of_host,
                        const char *of_driver)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (of_host && hypervisor->node == &node_of_host)
        return call_flags(call, flags, allowed, VIR_FROM_NONE, of_host);
    return call_driver_flags(call, hypervisor, flags, allowed, of_driver);
}

// ---- information --------------------------------------------------------------------------------

static enum co_status get_info(struct call *call)
{
    const struct node_view *view = NODE_VIEW(call, info);
    struct node_info info;
    if (!view || !view->info(&info, &call->error))
        return CO_DONE;
    struct remote_node_get_info_ret ret = {
        .memory = info.memory_kib,
        .cpus = (int32_t)info.cpus,
        .mhz = (int32_t)info.mhz,
        .nodes = (int32_t)info.nodes,
        .sockets = (int32_t)info.sockets,
        .cores = (int32_t)info.cores,
        .threads = (int32_t)info.threads,
    };
    memcpy(ret.model, info.model, sizeof(ret.model));
    xdr_encode(call_reply(call), XDR_TYPE(remote_node_get_info_ret), &ret);
    return CO_DONE;
}

static enum co_status get_cpu_map(struct call *call)
{
    const struct remote_node_get_cpu_map_args *args =
        CALL_ARGS(call, struct remote_node_get_cpu_map_args);
    const struct node_view *view = NODE_VIEW(call, cpu_map);
    struct port_cpuset online;
    if (!view || !check_flags(call, args->flags, 0, "virHostCPUGetMap", "NodeGetCPUMap"))
        return CO_DONE;
    int count = view->cpu_map(&online, &call->error);
    if (count < 0)
        return CO_DONE;
    struct xdr_writer *reply = call_reply(call);
    xdr_put_opaque(reply, online.bits, args->need_map ? (size_t)(count + 7) / 8 : 0,
                   REMOTE_CPUMAP_MAX);
    xdr_put_u32(reply, args->need_online ? port_cpuset_count(&online) : 0);
    xdr_put_i32(reply, count);
    return CO_DONE;
}

static enum co_status get_security_model(struct call *call)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return CO_DONE;
    if (!hypervisor->node || !hypervisor->node->security_model)
        return call_unsupported(call);
    const char *model = hypervisor->node->security_model, *doi = hypervisor->node->security_doi;
    struct xdr_writer *reply = call_reply(call); // both travel with their NUL
    xdr_put_chars(reply, ((struct slice){model, strlen(model) + 1}), REMOTE_SECURITY_MODEL_MAX);
    xdr_put_chars(reply, ((struct slice){doi, strlen(doi) + 1}), REMOTE_SECURITY_DOI_MAX);
    return CO_DONE;
}

static enum co_status get_sysinfo(struct call *call)
{
    const struct remote_connect_get_sysinfo_args *args =
        CALL_ARGS(call, struct remote_connect_get_sysinfo_args);
    const struct node_view *view = NODE_VIEW(call, sysinfo);
    if (!view || !check_flags(call, args->flags, 0, NULL, "ConnectGetSysinfo"))
        return CO_DONE;
    struct xdr_writer *reply = call_reply(call);
    struct buffer text = xdr_string_begin(reply);
    view->sysinfo(&text, &call->error);
    xdr_string_end(reply, &text);
    return CO_DONE;
}

// ---- statistics ---------------------------------------------------------------------------------

// Both calls are made twice by clients: with no parameters to learn how many there are, and with as
// many as there are.
static bool check_count(struct call *call, int32_t nparams, int32_t limit)
{
    if (nparams > limit) {
        call_fail(call, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "nparams too large");
        return false;
    }
    if (nparams < 0)
        call_fail(call, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "nparams must be non-negative");
    return nparams >= 0;
}

static bool check_number(struct call *call, const char *name, int32_t number)
{
    if (number >= -1)
        return true;
    return call_invalid_argument(call, name, "only accepts -1 as a negative value");
}

static void reply_stats(struct call *call, const struct node_stat *stats, int count,
                        int32_t nparams, uint32_t max)
{
    struct xdr_writer *reply = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin_named(reply, max, "REMOTE_NODE_CPU_STATS_MAX");
    for (int i = 0; nparams > 0 && i < count; i++) {
        xdr_list_add(reply, &list);
        xdr_put_string(reply, slice_of(stats[i].field));
        xdr_put_u64(reply, stats[i].value);
    }
    xdr_list_end(reply, &list);
    xdr_put_i32(reply, nparams > 0 ? 0 : count);
}

static enum co_status get_cpu_stats(struct call *call)
{
    const struct remote_node_get_cpu_stats_args *args =
        CALL_ARGS(call, struct remote_node_get_cpu_stats_args);
    const struct node_view *view = NODE_VIEW(call, cpu_stats);
    struct node_stat stats[NODE_CPU_STATS];
    if (!view || !check_count(call, args->nparams, REMOTE_NODE_CPU_STATS_MAX) ||
        !check_number(call, "cpuNum", args->cpuNum) ||
        !check_flags(call, args->flags, 0, "virHostCPUGetStats", "NodeGetCPUStats"))
        return CO_DONE;
    if (args->nparams > 0 && args->nparams != NODE_CPU_STATS && view == &node_of_host) {
        error_set_plain(&call->error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                        "nparams in virHostCPUGetStatsLinux must be equal to %d", NODE_CPU_STATS);
        return CO_DONE;
    }
    if (args->nparams > 0 && !view->cpu_stats(args->cpuNum, stats, &call->error))
        return CO_DONE;
    int count = NODE_CPU_STATS;
    if (args->nparams > 0 && args->nparams < count)
        count = args->nparams;
    reply_stats(call, stats, count, args->nparams, REMOTE_NODE_CPU_STATS_MAX);
    return CO_DONE;
}

static enum co_status get_memory_stats(struct call *call)
{
    const struct remote_node_get_memory_stats_args *args =
        CALL_ARGS(call, struct remote_node_get_memory_stats_args);
    const struct node_view *view = NODE_VIEW(call, memory_stats);
    struct node_stat stats[NODE_MEMORY_STATS];
    if (!view || !check_count(call, args->nparams, REMOTE_NODE_MEMORY_STATS_MAX) ||
        !check_number(call, "cellNum", args->cellNum) ||
        !check_flags(call, args->flags, 0, "virHostMemGetStats", "NodeGetMemoryStats"))
        return CO_DONE;
    int count = view->memory_stats(args->cellNum, stats, &call->error);
    if (count < 0)
        return CO_DONE;
    if (args->nparams > 0 && args->nparams != count) {
        error_set_plain(&call->error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                        "nparams in virHostMemGetStatsLinux must be %d", count);
        return CO_DONE;
    }
    reply_stats(call, stats, count, args->nparams, REMOTE_NODE_MEMORY_STATS_MAX);
    return CO_DONE;
}

// ---- memory and pages ---------------------------------------------------------------------------

static uint64_t values[REMOTE_NODE_MAX_CELLS]; // of one reply
static uint32_t sizes[REMOTE_NODE_MAX_CELLS];

static void reply_values(struct call *call, int count)
{
    struct xdr_writer *reply = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(reply, REMOTE_NODE_MAX_CELLS);
    for (int i = 0; i < count; i++) {
        xdr_list_add(reply, &list);
        xdr_put_u64(reply, values[i]);
    }
    xdr_list_end(reply, &list);
}

static enum co_status get_free_memory(struct call *call)
{
    const struct node_view *view = NODE_VIEW(call, free_memory);
    uint64_t bytes;
    if (view && view->free_memory(&bytes, &call->error))
        xdr_put_u64(call_reply(call), bytes);
    return CO_DONE;
}

static enum co_status get_cells_free_memory(struct call *call)
{
    const struct remote_node_get_cells_free_memory_args *args =
        CALL_ARGS(call, struct remote_node_get_cells_free_memory_args);
    const struct node_view *view = NODE_VIEW(call, cells_free_memory);
    if (!view)
        return CO_DONE;
    if (args->maxcells > REMOTE_NODE_MAX_CELLS)
        return call_fail(call, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                         "maxcells > REMOTE_NODE_MAX_CELLS");
    if ((args->maxcells <= 0 &&
         !call_invalid_argument(call, "maxCells", "must be greater than zero")) ||
        (args->startCell < 0 &&
         !call_invalid_argument(call, "startCell", "must be zero or greater")))
        return CO_DONE;
    int count = view->cells_free_memory(args->startCell, args->maxcells, values, &call->error);
    if (count >= 0)
        reply_values(call, count);
    return CO_DONE;
}

static size_t read_sizes(struct xdr_list list)
{
    size_t count = 0;
    while (count < REMOTE_NODE_MAX_CELLS && xdr_next(&list, &sizes[count]))
        count++;
    return count;
}

static enum co_status get_free_pages(struct call *call)
{
    const struct remote_node_get_free_pages_args *args =
        CALL_ARGS(call, struct remote_node_get_free_pages_args);
    const struct node_view *view = NODE_VIEW(call, free_pages);
    if (!view)
        return CO_DONE;
    if ((uint64_t)args->pages.count * args->cellCount > REMOTE_NODE_MAX_CELLS)
        return call_fail(call, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                         "the result won't fit into REMOTE_NODE_MAX_CELLS");
    if ((args->pages.count == 0 && !call_invalid_argument(call, "npages", "must not be zero")) ||
        (args->cellCount == 0 && !call_invalid_argument(call, "cellCount", "must not be zero")) ||
        !check_flags(call, args->flags, 0, NULL, "NodeGetFreePages"))
        return CO_DONE;
    size_t size_count = read_sizes(args->pages);
    int count =
        view->free_pages(sizes, size_count, args->startCell, args->cellCount, values, &call->error);
    if (count >= 0)
        reply_values(call, count);
    return CO_DONE;
}

// The kernel may look long for room, so it is asked in a worker, which tells how that went.
struct allocation {
    struct worker worker;
    struct buffer output;
    char text[sizeof(struct error) + sizeof(int32_t) + 1];
};

static int allocate_pages(void *argument, int out)
{
    struct call *call = argument;
    const struct remote_node_alloc_pages_args *args =
        CALL_ARGS(call, struct remote_node_alloc_pages_args);
    struct xdr_list counts = args->pageCounts;
    size_t size_count = read_sizes(args->pageSizes), count = 0;
    while (count < size_count && xdr_next(&counts, &values[count]))
        count++;
    int32_t changed =
        connection_hypervisor(call->client)
            ->node->allocate_pages(sizes, values, count, args->startCell, args->cellCount,
                                   !(args->flags & VIR_NODE_ALLOC_PAGES_SET), &call->error);
    port_write(out, &changed, sizeof(changed));
    port_write(out, &call->error, sizeof(call->error));
    return 0;
}

static bool check_allocation(struct call *call, const struct remote_node_alloc_pages_args *args)
{
    if (args->pageSizes.count == 0)
        return call_invalid_argument(call, "npages", "must not be zero");
    if (args->pageSizes.count != args->pageCounts.count)
        return call_invalid_argument(call, "pageCounts", "must have as many elements as pageSizes");
    if (args->cellCount == 0)
        return call_invalid_argument(call, "cellCount", "must not be zero");
    return check_flags(call, args->flags, VIR_NODE_ALLOC_PAGES_SET, NULL, "NodeAllocPages");
}

static void finish_allocation(struct call *call, const struct allocation *s)
{
    int32_t changed;
    if (s->worker.result != 0 || s->output.len != sizeof(changed) + sizeof(call->error)) {
        call_fail(call, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "allocating pages came to no end");
        return;
    }
    memcpy(&changed, s->text, sizeof(changed));
    memcpy(&call->error, s->text + sizeof(changed), sizeof(call->error));
    if (!error_is_set(&call->error))
        xdr_put_i32(call_reply(call), changed);
}

static enum co_status alloc_pages(struct call *call)
{
    struct allocation *s = CALL_STATE(call, struct allocation);
    CO_BEGIN(&call->co);
    if (!NODE_VIEW(call, allocate_pages) ||
        !check_allocation(call, CALL_ARGS(call, struct remote_node_alloc_pages_args)))
        CO_RETURN(&call->co);
    s->output = buffer_over(s->text, sizeof(s->text));
    if (!worker_start(&s->worker, allocate_pages, call, &s->output, &call->task, &call->error))
        CO_RETURN(&call->co);
    CO_WAIT(&call->co, worker_done(&s->worker));
    finish_allocation(call, s);
    CO_END(&call->co);
}

const struct call_entry node_handlers[] = {
    {REMOTE_PROC_NODE_GET_INFO, get_info},
    {REMOTE_PROC_NODE_GET_CPU_MAP, get_cpu_map},
    {REMOTE_PROC_NODE_GET_CPU_STATS, get_cpu_stats},
    {REMOTE_PROC_NODE_GET_MEMORY_STATS, get_memory_stats},
    {REMOTE_PROC_NODE_GET_FREE_MEMORY, get_free_memory},
    {REMOTE_PROC_NODE_GET_CELLS_FREE_MEMORY, get_cells_free_memory},
    {REMOTE_PROC_NODE_GET_FREE_PAGES, get_free_pages},
    {REMOTE_PROC_NODE_ALLOC_PAGES, alloc_pages},
    {REMOTE_PROC_NODE_GET_SECURITY_MODEL, get_security_model},
    {REMOTE_PROC_CONNECT_GET_SYSINFO, get_sysinfo},
    {0, NULL},
};
