// Handlers: counters of the network interfaces and disks of running guests.
#include "virt/domain/domain_call.h"
#include "virt/domain/domain_facts.h"
#include "virt/handlers.h"
#include "rpc/xdr_params.h"

#include <stddef.h>
#include <string.h>

// ---- virDomainInterfaceStats

// An interface by its MAC address or the name of its device on the host.
static const struct xml_node *find_interface(const struct xml_node *tree, struct slice name)
{
    XML_EACH (interface, xml_child(tree, "devices"), "interface")
        if (slice_equal(xml_attr_at(interface, "target", "dev"), name) ||
            slice_equal(xml_attr_at(interface, "mac", "address"), name))
            return interface;
    return NULL;
}

static enum co_status interface_stats(struct call *call)
{
    struct slice name = CALL_ARGS(call, struct remote_domain_interface_stats_args)->device;
    const struct domain *domain =
        call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain));
    char device[PORT_IFNAME_MAX];
    struct port_link_stats stats;
    if (!domain)
        return CO_DONE;
    if (!domain->hypervisor->interface_stats)
        return call_unsupported(call);
    if (!domain_check_active(domain, &call->error))
        return CO_DONE;
    const struct xml_node *tree = definition_tree(domain, DEFINITION_LIVE, &call->error);
    const struct xml_node *interface = find_interface(tree, name);
    if (!interface)
        return call_fail(call, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                         "'%.*s' is not a known interface", SLICE_ARG(name));
    if (!slice_copy(device, sizeof(device), xml_attr_at(interface, "target", "dev")))
        device[0] = '\0';
    if (!domain->hypervisor->interface_stats(domain, device, &stats, &call->error))
        return CO_DONE;
    struct remote_domain_interface_stats_ret ret = {
        .rx_bytes = (int64_t)stats.rx_bytes,
        .rx_packets = (int64_t)stats.rx_packets,
        .rx_errs = (int64_t)stats.rx_errors,
        .rx_drop = (int64_t)stats.rx_dropped,
        .tx_bytes = (int64_t)stats.tx_bytes,
        .tx_packets = (int64_t)stats.tx_packets,
        .tx_errs = (int64_t)stats.tx_errors,
        .tx_drop = (int64_t)stats.tx_dropped,
    };
    xdr_encode(call_reply(call), XDR_TYPE(remote_domain_interface_stats_ret), &ret);
    return CO_DONE;
}

// ---- virDomainBlockStats, virDomainBlockStatsFlags, virDomainGetBlockInfo

struct block_args { // how the arguments of all three begin
    struct remote_nonnull_domain dom;
    struct slice path;
};

static void add_block(struct hypervisor_block *sum, const struct hypervisor_block *block)
{
    sum->rd_reqs += block->rd_reqs;
    sum->rd_bytes += block->rd_bytes;
    sum->rd_ns += block->rd_ns;
    sum->wr_reqs += block->wr_reqs;
    sum->wr_bytes += block->wr_bytes;
    sum->wr_ns += block->wr_ns;
    sum->fl_reqs += block->fl_reqs;
    sum->fl_ns += block->fl_ns;
}

// What was asked for: one disk, or with an empty path the sum of all.
static bool pick_block(struct call *call, const struct hypervisor_op *op,
                       struct hypervisor_block *to)
{
    struct slice path = CALL_ARGS(call, struct block_args)->path;
    *to = (struct hypervisor_block){.errors = -1};
    if (path.len == 0) {
        for (uint32_t i = 0; i < op->blocks.count; i++)
            add_block(to, &op->blocks.blocks[i]);
        return true;
    }
    bool info = call->header.proc == REMOTE_PROC_DOMAIN_GET_BLOCK_INFO;
    const struct xml_node *tree = definition_current(op->domain, &call->error);
    const struct xml_node *disk = domain_find_disk(tree, path);
    struct slice target = xml_attr_at(disk, "target", "dev");
    if (info && disk && !xml_child(disk, "source"))
        return error_set(&call->error, op->domain->hypervisor->error_domain, VIR_ERR_INVALID_ARG,
                         "disk '%.*s' does not currently have a source assigned", SLICE_ARG(path));
    for (uint32_t i = 0; i < op->blocks.count; i++) {
        if (slice_is(target, op->blocks.blocks[i].target)) {
            *to = op->blocks.blocks[i];
            return true;
        }
    }
    return error_set(&call->error, op->domain->hypervisor->error_domain, VIR_ERR_INVALID_ARG,
                     info ? "invalid path %.*s not assigned to domain" : "invalid path: %.*s",
                     SLICE_ARG(path));
}

static void block_stats_reply(struct call *call, const struct hypervisor_op *op)
{
    struct hypervisor_block block;
    if (!pick_block(call, op, &block))
        return;
    struct remote_domain_block_stats_ret ret = {
        .rd_req = (int64_t)block.rd_reqs,
        .rd_bytes = (int64_t)block.rd_bytes,
        .wr_req = (int64_t)block.wr_reqs,
        .wr_bytes = (int64_t)block.wr_bytes,
        .errs = block.errors,
    };
    xdr_encode(call_reply(call), XDR_TYPE(remote_domain_block_stats_ret), &ret);
}

static bool block_stats_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    (void)op;
    // libvirt's test driver has no sums, and no typed parameters.
    if (hypervisor->no_block_sums && CALL_ARGS(call, struct block_args)->path.len == 0)
        return error_set(&call->error, hypervisor->error_domain, VIR_ERR_OPERATION_UNSUPPORTED,
                         "summary statistics are not supported yet");
    return true;
}

static enum co_status block_stats(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainBlockStats",
        .job = DOMAIN_JOB_QUERY,
        .op = offsetof(struct hypervisor, blocks),
        .prepare = block_stats_prepare,
        .reply = block_stats_reply,
    };
    return domain_call_action(call, &action);
}

#define BLOCK_PARAMS 8

static void block_stats_flags_reply(struct call *call, const struct hypervisor_op *op)
{
    static const struct {
        const char *name;
        size_t offset;
    } params[BLOCK_PARAMS] = {
        {"wr_bytes", offsetof(struct hypervisor_block, wr_bytes)},
        {"wr_operations", offsetof(struct hypervisor_block, wr_reqs)},
        {"rd_bytes", offsetof(struct hypervisor_block, rd_bytes)},
        {"rd_operations", offsetof(struct hypervisor_block, rd_reqs)},
        {"flush_operations", offsetof(struct hypervisor_block, fl_reqs)},
        {"wr_total_times", offsetof(struct hypervisor_block, wr_ns)},
        {"rd_total_times", offsetof(struct hypervisor_block, rd_ns)},
        {"flush_total_times", offsetof(struct hypervisor_block, fl_ns)},
    };
    int32_t room = CALL_ARGS(call, struct remote_domain_block_stats_flags_args)->nparams;
    struct hypervisor_block block;
    if (!pick_block(call, op, &block))
        return;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_BLOCK_STATS_PARAMETERS_MAX);
    for (int32_t i = 0; i < BLOCK_PARAMS && i < room; i++) {
        uint64_t value;
        memcpy(&value, (const char *)&block + params[i].offset, sizeof(value));
        xdr_param_add_i64(w, &list, params[i].name, (int64_t)value);
    }
    xdr_list_end(w, &list);
    xdr_put_i32(w, room ? 0 : BLOCK_PARAMS);
}

static bool block_stats_flags_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct remote_domain_block_stats_flags_args *args =
        CALL_ARGS(call, struct remote_domain_block_stats_flags_args);
    op->flags = args->flags;
    if (call_hypervisor(call)->no_block_sums) {
        call_unsupported(call);
        return false;
    }
    if (args->nparams > REMOTE_DOMAIN_BLOCK_STATS_PARAMETERS_MAX)
        return error_set(&call->error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "nparams too large");
    return args->nparams >= 0 || call_invalid_argument(call, "*nparams", "must be zero or greater");
}

static uint32_t string_okay(const struct hypervisor *hypervisor)
{
    (void)hypervisor;
    return VIR_TYPED_PARAM_STRING_OKAY;
}

static enum co_status block_stats_flags(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainBlockStatsFlags",
        .job = DOMAIN_JOB_QUERY,
        .op = offsetof(struct hypervisor, blocks),
        .allowed = string_okay,
        .prepare = block_stats_flags_prepare,
        .reply = block_stats_flags_reply,
    };
    return domain_call_action(call, &action);
}

static bool block_info_prepare(struct call *call, struct hypervisor_op *op)
{
    op->flags = CALL_ARGS(call, struct remote_domain_get_block_info_args)->flags;
    op->blocks.path = CALL_ARGS(call, struct block_args)->path;
    return CALL_ARGS(call, struct block_args)->path.len > 0 ||
           error_set(&call->error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                     "string disk in virDomainGetBlockInfo must not be empty");
}

static void block_info_reply(struct call *call, const struct hypervisor_op *op)
{
    struct hypervisor_block block;
    if (!pick_block(call, op, &block))
        return;
    struct remote_domain_get_block_info_ret ret = {.allocation = block.info_allocation,
                                                   .capacity = block.capacity,
                                                   .physical = block.info_physical};
    xdr_encode(call_reply(call), XDR_TYPE(remote_domain_get_block_info_ret), &ret);
}

static enum co_status get_block_info(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainGetBlockInfo",
        .job = DOMAIN_JOB_QUERY,
        .op = offsetof(struct hypervisor, blocks),
        .prepare = block_info_prepare,
        .check = domain_any_state,
        .reply = block_info_reply,
    };
    return domain_call_action(call, &action);
}

// ---- virDomainGetDiskErrors

static bool disk_errors_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct remote_domain_get_disk_errors_args *args =
        CALL_ARGS(call, struct remote_domain_get_disk_errors_args);
    op->flags = args->flags;
    return args->maxerrors <= REMOTE_DOMAIN_DISK_ERRORS_MAX ||
           error_set(&call->error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "maxerrors too large");
}

// Who asks for none is told how many there can be.
static void disk_errors_reply(struct call *call, const struct hypervisor_op *op)
{
    uint32_t most = CALL_ARGS(call, struct remote_domain_get_disk_errors_args)->maxerrors;
    uint32_t count = 0;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_DISK_ERRORS_MAX);
    for (uint32_t i = 0; i < op->blocks.count && count < most; i++) {
        const struct hypervisor_block *block = &op->blocks.blocks[i];
        struct remote_domain_disk_error told = {slice_of(block->target), block->error};
        if (block->error == VIR_DOMAIN_DISK_ERROR_NONE)
            continue;
        xdr_list_add(w, &list);
        xdr_encode(w, XDR_TYPE(remote_domain_disk_error), &told);
        count++;
    }
    xdr_list_end(w, &list);
    xdr_put_i32(w, (int32_t)(most ? count : op->blocks.count));
}

static enum co_status get_disk_errors(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainGetDiskErrors",
        .job = DOMAIN_JOB_QUERY,
        .op = offsetof(struct hypervisor, blocks),
        .prepare = disk_errors_prepare,
        .reply = disk_errors_reply,
    };
    return domain_call_action(call, &action);
}

const struct call_entry domain_device_stats_handlers[] = {
    {REMOTE_PROC_DOMAIN_INTERFACE_STATS, interface_stats},
    {REMOTE_PROC_DOMAIN_BLOCK_STATS, block_stats},
    {REMOTE_PROC_DOMAIN_BLOCK_STATS_FLAGS, block_stats_flags},
    {REMOTE_PROC_DOMAIN_GET_BLOCK_INFO, get_block_info},
    {REMOTE_PROC_DOMAIN_GET_DISK_ERRORS, get_disk_errors},
    {0, NULL},
};
