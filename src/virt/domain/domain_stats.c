// Handlers: statistics of many domains in one call (virConnectGetAllDomainStats).
//
// Some groups have to be asked for and waited for, and a reply is written without a wait: so the
// records are written into a slot of the call's own first.
#include "rpc/gather.h"
#include "rpc/xdr_params.h"
#include "virt/domain/domain_call.h"
#include "virt/domain/domain_facts.h"
#include "virt/access.h"
#include "virt/domain/domain_list.h"
#include "virt/handlers.h"

#include <stdio.h>
#include <string.h>

struct stats_state {
    struct domain_call base; // of the domain at hand
    struct hypervisor_op op;
    struct hypervisor_memory_stats memory;
    struct hypervisor_running_stats running;
    struct gather records;
    struct xdr_list wanted; // what is left of the domains that were named
    const struct hypervisor *hypervisor;
    uint32_t groups;
    struct co ask_co;
    struct error ignored;
};

#define STATS_FLAGS                                                                                \
    (DOMAIN_LIST_STATE_FILTERS | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT |                        \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING | VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS)

static const struct remote_connect_get_all_domain_stats_args *stats_args(const struct call *call)
{
    return CALL_ARGS(call, struct remote_connect_get_all_domain_stats_args);
}

static bool wants_chains(const struct call *call)
{
    return stats_args(call)->flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING;
}

// ---- groups

struct group_writer {
    struct xdr_writer *w;
    struct xdr_list_mark params;
    const struct domain *domain;
    const struct xml_node *tree; // the current definition
    const struct hypervisor_memory_stats *memory;
    const struct hypervisor_running_stats *running;
    const struct hypervisor_op *op; // with blocks, when there are
    bool chains;                    // of disks are wanted
};

static const char *field(const char *format, unsigned number) __attribute__((format(printf, 1, 0)));
static const char *field(const char *format, unsigned number)
{
    static char name[80]; // VIR_TYPED_PARAM_FIELD_LENGTH
    snprintf(name, sizeof(name), format, number);
    return name;
}

static void put_state(struct group_writer *g)
{
    xdr_param_add_i32(g->w, &g->params, "state.state", g->domain->state);
    xdr_param_add_i32(g->w, &g->params, "state.reason", g->domain->reason);
}

static void put_cpu(struct group_writer *g)
{
    struct hypervisor_cpu_stats stats;
    struct error ignored = {0};
    if (!domain_active(g->domain) || !g->domain->hypervisor->cpu_stats ||
        !g->domain->hypervisor->cpu_stats(g->domain, -1, &stats, &ignored))
        return;
    xdr_param_add_u64(g->w, &g->params, "cpu.time", stats.cpu_ns);
    xdr_param_add_u64(g->w, &g->params, "cpu.user", stats.user_ns);
    xdr_param_add_u64(g->w, &g->params, "cpu.system", stats.system_ns);
    // There are no monitors of caches (<cachetune>): they are the kernel's resctrl groups.
    xdr_param_add_u32(g->w, &g->params, "cpu.cache.monitor.count", 0);
    if (!g->running->polling_known)
        return;
    xdr_param_add_u64(g->w, &g->params, "cpu.haltpoll.success.time", g->running->poll_success_ns);
    xdr_param_add_u64(g->w, &g->params, "cpu.haltpoll.fail.time", g->running->poll_fail_ns);
}

static const struct {
    int32_t tag;
    const char *name;
} memory_stats[] = {
    {VIR_DOMAIN_MEMORY_STAT_SWAP_IN, "balloon.swap_in"},
    {VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, "balloon.swap_out"},
    {VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, "balloon.major_fault"},
    {VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, "balloon.minor_fault"},
    {VIR_DOMAIN_MEMORY_STAT_UNUSED, "balloon.unused"},
    {VIR_DOMAIN_MEMORY_STAT_AVAILABLE, "balloon.available"},
    {VIR_DOMAIN_MEMORY_STAT_RSS, "balloon.rss"},
    {VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, "balloon.last-update"},
    {VIR_DOMAIN_MEMORY_STAT_USABLE, "balloon.usable"},
    {VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, "balloon.disk_caches"},
    {VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, "balloon.hugetlb_pgalloc"},
    {VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, "balloon.hugetlb_pgfail"},
};

static void put_balloon(struct group_writer *g)
{
    uint64_t cpu_ns, current = domain_current_memory_kib(g->tree);
    if (g->domain->hypervisor->info)
        g->domain->hypervisor->info(g->domain, &current, &cpu_ns);
    xdr_param_add_u64(g->w, &g->params, "balloon.current", current);
    xdr_param_add_u64(g->w, &g->params, "balloon.maximum", domain_memory_kib(g->tree));
    for (uint32_t i = 0; i < g->memory->count; i++)
        for (size_t k = 0; k < sizeof(memory_stats) / sizeof(memory_stats[0]); k++)
            if (memory_stats[k].tag == g->memory->stats[i].tag)
                xdr_param_add_u64(g->w, &g->params, memory_stats[k].name,
                                  g->memory->stats[i].value);
}

static void put_vcpu(struct group_writer *g)
{
    uint32_t count = domain_vcpus(g->tree);
    xdr_param_add_u32(g->w, &g->params, "vcpu.current", count);
    xdr_param_add_u32(g->w, &g->params, "vcpu.maximum", domain_vcpus_max(g->tree));
    for (uint32_t i = 0; i < count && domain_active(g->domain) && g->domain->hypervisor->vcpu;
         i++) {
        struct hypervisor_vcpu vcpu;
        struct error ignored = {0};
        if (!g->domain->hypervisor->vcpu(g->domain, i, &vcpu, &ignored))
            continue;
        xdr_param_add_i32(g->w, &g->params, field("vcpu.%u.state", i), vcpu.state);
        xdr_param_add_u64(g->w, &g->params, field("vcpu.%u.time", i), vcpu.cpu_ns);
        xdr_param_add_u64(g->w, &g->params, field("vcpu.%u.wait", i), vcpu.wait_ns);
        xdr_param_add_u64(g->w, &g->params, field("vcpu.%u.delay", i), vcpu.delay_ns);
    }
}

static void put_interface(struct group_writer *g)
{
    unsigned number = 0;
    const struct xml_node *devices = xml_child(g->tree, "devices");
    if (!domain_active(g->domain))
        return;
    xdr_param_add_u32(g->w, &g->params, "net.count", xml_count(devices, "interface"));
    XML_EACH (interface, devices, "interface") {
        char device[PORT_IFNAME_MAX];
        struct port_link_stats stats;
        struct error ignored = {0};
        struct slice name = xml_attr_at(interface, "target", "dev");
        unsigned i = number++;
        if (!slice_copy(device, sizeof(device), name) || !slice_present(name))
            continue;
        xdr_param_add_string(g->w, &g->params, field("net.%u.name", i), name);
        if (!g->domain->hypervisor->interface_stats ||
            !g->domain->hypervisor->interface_stats(g->domain, device, &stats, &ignored))
            continue;
        xdr_param_add_u64(g->w, &g->params, field("net.%u.rx.bytes", i), stats.rx_bytes);
        xdr_param_add_u64(g->w, &g->params, field("net.%u.rx.pkts", i), stats.rx_packets);
        xdr_param_add_u64(g->w, &g->params, field("net.%u.rx.errs", i), stats.rx_errors);
        xdr_param_add_u64(g->w, &g->params, field("net.%u.rx.drop", i), stats.rx_dropped);
        xdr_param_add_u64(g->w, &g->params, field("net.%u.tx.bytes", i), stats.tx_bytes);
        xdr_param_add_u64(g->w, &g->params, field("net.%u.tx.pkts", i), stats.tx_packets);
        xdr_param_add_u64(g->w, &g->params, field("net.%u.tx.errs", i), stats.tx_errors);
        xdr_param_add_u64(g->w, &g->params, field("net.%u.tx.drop", i), stats.tx_dropped);
    }
}

static const struct hypervisor_block *find_block(const struct group_writer *g, struct slice target)
{
    for (uint32_t i = 0; i < g->op->blocks.count; i++)
        if (slice_is(target, g->op->blocks.blocks[i].target))
            return &g->op->blocks.blocks[i];
    return NULL;
}

// Of the image below; NULL when there is none.
static const struct hypervisor_block *next_block(const struct group_writer *g,
                                                 const struct hypervisor_block *block)
{
    const struct hypervisor_block *next = block + 1;
    return next < g->op->blocks.blocks + g->op->blocks.count && next->backing ? next : NULL;
}

// What the guest's device counts: of the uppermost image only.
static void put_block_counters(struct group_writer *g, unsigned i,
                               const struct hypervisor_block *block)
{
    xdr_param_add_u64(g->w, &g->params, field("block.%u.rd.reqs", i), block->rd_reqs);
    xdr_param_add_u64(g->w, &g->params, field("block.%u.rd.bytes", i), block->rd_bytes);
    xdr_param_add_u64(g->w, &g->params, field("block.%u.rd.times", i), block->rd_ns);
    xdr_param_add_u64(g->w, &g->params, field("block.%u.wr.reqs", i), block->wr_reqs);
    xdr_param_add_u64(g->w, &g->params, field("block.%u.wr.bytes", i), block->wr_bytes);
    xdr_param_add_u64(g->w, &g->params, field("block.%u.wr.times", i), block->wr_ns);
    xdr_param_add_u64(g->w, &g->params, field("block.%u.fl.reqs", i), block->fl_reqs);
    xdr_param_add_u64(g->w, &g->params, field("block.%u.fl.times", i), block->fl_ns);
}

// A running guest's allocation is what it has written so far, which may be nothing.
static void put_block_sizes(struct group_writer *g, unsigned i,
                            const struct hypervisor_block *block)
{
    if (block->allocation || (block->medium && domain_active(g->domain)))
        xdr_param_add_u64(g->w, &g->params, field("block.%u.allocation", i), block->allocation);
    if (block->capacity)
        xdr_param_add_u64(g->w, &g->params, field("block.%u.capacity", i), block->capacity);
    if (block->physical)
        xdr_param_add_u64(g->w, &g->params, field("block.%u.physical", i), block->physical);
}

static void put_image(struct group_writer *g, unsigned i, struct slice target,
                      const struct xml_node *image, const struct hypervisor_block *block)
{
    uint32_t index = domain_image_index(image);
    struct slice path = domain_disk_path(image);
    xdr_param_add_string(g->w, &g->params, field("block.%u.name", i), target);
    if (slice_present(path))
        xdr_param_add_string(g->w, &g->params, field("block.%u.path", i), path);
    if (index > 0)
        xdr_param_add_u32(g->w, &g->params, field("block.%u.backingIndex", i), index);
    if (block && !block->backing && domain_active(g->domain))
        put_block_counters(g, i, block);
    if (block)
        put_block_sizes(g, i, block);
}

static const struct xml_node *next_image(const struct group_writer *g, const struct xml_node *image)
{
    return g->chains ? domain_image_below(image) : NULL;
}

static void put_block(struct group_writer *g)
{
    unsigned count = 0;
    const struct xml_node *devices = xml_child(g->tree, "devices");
    XML_EACH (disk, devices, "disk")
        for (const struct xml_node *at = disk; at; at = next_image(g, at))
            count++;
    xdr_param_add_u32(g->w, &g->params, "block.count", count);
    count = 0;
    XML_EACH (disk, devices, "disk") {
        struct slice target = xml_attr_at(disk, "target", "dev");
        const struct hypervisor_block *block = find_block(g, target);
        for (const struct xml_node *at = disk; at; at = next_image(g, at)) {
            put_image(g, count++, target, at, block);
            block = block ? next_block(g, block) : NULL;
        }
    }
}

static void put_iothreads(struct group_writer *g)
{
    if (g->running->iothread_count == 0)
        return;
    xdr_param_add_u32(g->w, &g->params, "iothread.count", g->running->iothread_count);
    for (uint32_t i = 0; i < g->running->iothread_count; i++) {
        const struct hypervisor_iothread *at = &g->running->iothreads[i];
        if (!at->polls)
            continue;
        xdr_param_add_u64(g->w, &g->params, field("iothread.%u.poll-max-ns", at->id),
                          at->poll_max_ns);
        xdr_param_add_u32(g->w, &g->params, field("iothread.%u.poll-grow", at->id), at->poll_grow);
        xdr_param_add_u32(g->w, &g->params, field("iothread.%u.poll-shrink", at->id),
                          at->poll_shrink);
    }
}

static void put_dirty_rate(struct group_writer *g)
{
    const struct hypervisor_running_stats *at = g->running;
    if (!at->dirty_rate_known)
        return;
    xdr_param_add_i32(g->w, &g->params, "dirtyrate.calc_status", at->dirty_rate_status);
    xdr_param_add_i64(g->w, &g->params, "dirtyrate.calc_start_time", at->dirty_rate_start);
    xdr_param_add_i32(g->w, &g->params, "dirtyrate.calc_period", at->dirty_rate_period);
    xdr_param_add_string(g->w, &g->params, "dirtyrate.calc_mode", slice_of(at->dirty_rate_mode));
    if (at->dirty_rate_status == VIR_DOMAIN_DIRTYRATE_MEASURED)
        xdr_param_add_i64(g->w, &g->params, "dirtyrate.megabytes_per_second", at->dirty_rate_mib);
}

static const struct {
    uint32_t group;
    void (*put)(struct group_writer *g);
    bool reads_definition;
} groups[] = {
    {VIR_DOMAIN_STATS_STATE, put_state, false},
    {VIR_DOMAIN_STATS_CPU_TOTAL, put_cpu, false},
    {VIR_DOMAIN_STATS_BALLOON, put_balloon, true},
    {VIR_DOMAIN_STATS_VCPU, put_vcpu, true},
    {VIR_DOMAIN_STATS_INTERFACE, put_interface, true},
    {VIR_DOMAIN_STATS_BLOCK, put_block, true},
    {VIR_DOMAIN_STATS_IOTHREAD, put_iothreads, false},
    {VIR_DOMAIN_STATS_DIRTYRATE, put_dirty_rate, false},
};

static void put_record(struct call *call, struct stats_state *s)
{
    struct group_writer g = {.w = &s->records.w,
                             .domain = s->base.domain,
                             .memory = &s->memory,
                             .running = &s->running,
                             .op = &s->op,
                             .chains = wants_chains(call)};
    struct error err = {0};
    xdr_list_add(&s->records.w, &s->records.list);
    domain_put(&s->records.w, g.domain);
    g.params = xdr_list_begin(&s->records.w, REMOTE_CONNECT_GET_ALL_DOMAIN_STATS_MAX);
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (!(s->groups & groups[i].group))
            continue;
        if (groups[i].reads_definition && !g.tree)
            g.tree = definition_current(g.domain, &err);
        if (!groups[i].reads_definition || g.tree)
            groups[i].put(&g);
    }
    xdr_list_end(&s->records.w, &g.params);
    if (s->records.w.failed)
        call_fail(call, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "the statistics are too long");
}

// ---- the walk

static bool choose_groups(struct call *call, struct stats_state *s)
{
    uint32_t wanted = stats_args(call)->stats, supported = s->hypervisor->stats;
    if ((stats_args(call)->flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS) &&
        (wanted & ~supported))
        return error_set(&call->error, s->hypervisor->error_domain, VIR_ERR_ARGUMENT_UNSUPPORTED,
                         "Stats types bits 0x%x are not supported by this daemon",
                         wanted & ~supported);
    s->groups = wanted ? wanted & supported : supported;
    return true;
}

static bool stats_open(struct call *call, struct stats_state *s)
{
    s->hypervisor = call_hypervisor(call);
    if (!s->hypervisor)
        return false;
    if (!s->hypervisor->stats) {
        call_unsupported(call);
        return false;
    }
    if (!call_driver_flags(call, s->hypervisor, stats_args(call)->flags, STATS_FLAGS,
                           "ConnectGetAllDomainStats") ||
        !choose_groups(call, s))
        return false;
    s->wanted = stats_args(call)->doms;
    return gather_begin(&s->records, call, REMOTE_DOMAIN_LIST_MAX);
}

static struct domain *next_named(struct stats_state *s)
{
    struct remote_nonnull_domain dom;
    while (xdr_next(&s->wanted, &dom)) {
        struct domain *domain = domain_by_uuid(s->hypervisor, dom.uuid);
        if (domain)
            return domain;
    }
    return NULL;
}

// Goes to the next domain that passes the filters, and keeps it from being reused.
static bool next_domain(struct call *call, struct stats_state *s)
{
    uint32_t filters = stats_args(call)->flags & DOMAIN_LIST_STATE_FILTERS;
    struct domain *previous = s->base.domain, *domain = previous;
    if (error_is_set(&call->error))
        domain = NULL;
    else
        do
            domain =
                stats_args(call)->doms.count ? next_named(s) : domain_next(s->hypervisor, domain);
        while (domain && !(domain_matches(domain, filters) && access_shows_domain(call, domain)));
    if (domain)
        domain_ref(domain);
    s->base.domain = domain;
    if (previous)
        domain_unref(previous);
    return domain != NULL;
}

static bool wants_blocks(const struct stats_state *s)
{
    return (s->groups & VIR_DOMAIN_STATS_BLOCK) && s->hypervisor->blocks;
}

static bool wants_memory(const struct stats_state *s)
{
    return (s->groups & VIR_DOMAIN_STATS_BALLOON) && s->hypervisor->memory_stats &&
           domain_active(s->base.domain);
}

static bool wants_running(const struct stats_state *s)
{
    const uint32_t told =
        VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_IOTHREAD | VIR_DOMAIN_STATS_DIRTYRATE;
    return (s->groups & told) && s->hypervisor->running_stats && domain_active(s->base.domain);
}

// Before each question to the driver. An answer that fails leaves numbers out: that is no error.
static void prepare_op(struct call *call, struct stats_state *s)
{
    s->ignored = (struct error){0};
    s->op =
        (struct hypervisor_op){.task = &call->task, .err = &s->ignored, .domain = s->base.domain};
}

static void begin_ask(struct call *call, struct stats_state *s)
{
    prepare_op(call, s);
    s->memory.count = 0;
    memset(&s->running, 0, sizeof(s->running));
    memset(&s->base.job, 0, sizeof(s->base.job));
}

// A job that can not be had leaves numbers out, too.
static enum co_status ask(struct call *call, struct stats_state *s)
{
    CO_BEGIN(&s->ask_co);
    begin_ask(call, s);
    if (!wants_blocks(s) && !wants_memory(s) && !wants_running(s))
        CO_RETURN(&s->ask_co);
    if ((stats_args(call)->flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT) &&
        s->base.domain->job.holder)
        CO_RETURN(&s->ask_co);
    CO_CALL(&s->ask_co, domain_job_begin(&s->base.job, s->base.domain, &call->task,
                                         "remoteDispatchConnectGetAllDomainStats", DOMAIN_JOB_QUERY,
                                         &s->ignored));
    if (error_is_set(&s->ignored))
        CO_RETURN(&s->ask_co);
    if (wants_memory(s)) {
        CO_CALL(&s->ask_co, s->hypervisor->memory_stats(&s->op));
        if (!error_is_set(&s->ignored))
            s->memory = s->op.memory_stats;
        prepare_op(call, s);
    }
    if (wants_running(s)) {
        s->op.running_stats.groups = s->groups;
        CO_CALL(&s->ask_co, s->hypervisor->running_stats(&s->op));
        s->running = s->op.running_stats.told;
        prepare_op(call, s);
    }
    if (wants_blocks(s)) {
        s->op.blocks.chains = wants_chains(call);
        CO_CALL(&s->ask_co, s->hypervisor->blocks(&s->op));
        if (error_is_set(&s->ignored))
            s->op.blocks.count = 0;
    }
    CO_END(&s->ask_co);
}

static enum co_status get_all_domain_stats(struct call *call)
{
    struct remote_connect_get_all_domain_stats_ret ret;
    struct stats_state *s = CALL_STATE(call, struct stats_state);

    CO_BEGIN(&call->co);
    if (!stats_open(call, s))
        CO_RETURN(&call->co);
    while (next_domain(call, s)) {
        CO_CALL(&call->co, ask(call, s));
        if (!s->base.domain->removed)
            put_record(call, s);
        domain_job_end(s->base.domain, &call->task);
    }
    gather_reply(&s->records, call, XDR_TYPE(remote_connect_get_all_domain_stats_ret), &ret);
    CO_END(&call->co);
}

const struct call_entry domain_stats_handlers[] = {
    {REMOTE_PROC_CONNECT_GET_ALL_DOMAIN_STATS, get_all_domain_stats},
    {0, NULL},
};
