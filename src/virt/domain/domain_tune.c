// Handlers: limits of processor time, memory and disks, as the definition has them. Guests are put
// into no control groups, so of running ones there are no limits to tell: the answer is libvirt's
// on a host without.
#include "rpc/xdr_params.h"
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"
#include "virt/xml/xml_value.h"

#define IMPACT    (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)
#define UNLIMITED UINT64_C(9007199254740991) // VIR_DOMAIN_MEMORY_PARAM_UNLIMITED, KiB

// Where the parameters of a kind go: at most as many as the client has room for.
struct params {
    struct xdr_writer *w;
    struct xdr_list_mark list;
    uint32_t room;
    const struct xml_node *tree;
};

struct tuning {
    const char *function; // of the driver: "DomainGetMemoryParameters"
    uint32_t count, max;  // of its parameters, of a reply's
    bool counts;          // the reply ends with their number
    bool flags_first;     // the driver looks at the flags, not the public function
    const char *absent;   // what is said of a running guest; NULL: the live definition counts
    void (*put)(struct params *p);
};

static bool room(struct params *p)
{
    return p->room > 0 && p->room-- > 0;
}

static uint64_t number_at(const struct params *p, const char *path, uint64_t otherwise)
{
    uint64_t value;
    return slice_u64(xml_text_at(p->tree, path), 10, &value) ? value : otherwise;
}

// ---- memory

static void put_limit(struct params *p, const char *name, const char *path)
{
    if (room(p))
        xdr_param_add_u64(p->w, &p->list, name, number_at(p, path, UNLIMITED));
}

static void put_memory(struct params *p)
{
    put_limit(p, "hard_limit", "memtune/hard_limit");
    put_limit(p, "soft_limit", "memtune/soft_limit");
    put_limit(p, "swap_hard_limit", "memtune/swap_hard_limit");
}

// ---- processor time

static void put_period(struct params *p, const char *name, const char *path)
{
    if (room(p))
        xdr_param_add_u64(p->w, &p->list, name, number_at(p, path, 0));
}

static void put_quota(struct params *p, const char *name, const char *path)
{
    int64_t value = 0;
    slice_i64(xml_text_at(p->tree, path), 10, &value);
    if (room(p))
        xdr_param_add_i64(p->w, &p->list, name, value);
}

static void put_scheduler(struct params *p)
{
    put_period(p, "cpu_shares", "cputune/shares");
    put_period(p, "vcpu_period", "cputune/period");
    put_quota(p, "vcpu_quota", "cputune/quota");
    put_period(p, "emulator_period", "cputune/emulator_period");
    put_quota(p, "emulator_quota", "cputune/emulator_quota");
    put_period(p, "global_period", "cputune/global_period");
    put_quota(p, "global_quota", "cputune/global_quota");
    put_period(p, "iothread_period", "cputune/iothread_period");
    put_quota(p, "iothread_quota", "cputune/iothread_quota");
}

// ---- disks

// "/dev/sda,500,/dev/sdb,200": of the devices that have such a number.
static void put_devices(struct params *p, const char *name, const char *element)
{
    static char text[CONFIG_REMOTE_STRING_MAX];
    struct buffer out = buffer_over(text, sizeof(text));
    XML_EACH (device, xml_child(p->tree, "blkiotune"), "device") {
        struct slice path = xml_text_at(device, "path"), value = xml_text_at(device, element);
        if (slice_present(value) && !slice_is(value, "0"))
            buffer_printf(&out, "%s%.*s,%.*s", out.len ? "," : "", SLICE_ARG(path),
                          SLICE_ARG(value));
    }
    if (room(p))
        xdr_param_add_string(p->w, &p->list, name, buffer_slice(&out));
}

static void put_blkio(struct params *p)
{
    if (room(p))
        xdr_param_add_u32(p->w, &p->list, "weight", (uint32_t)number_at(p, "blkiotune/weight", 0));
    put_devices(p, "device_weight", "weight");
    put_devices(p, "device_read_iops_sec", "read_iops_sec");
    put_devices(p, "device_write_iops_sec", "write_iops_sec");
    put_devices(p, "device_read_bytes_sec", "read_bytes_sec");
    put_devices(p, "device_write_bytes_sec", "write_bytes_sec");
}

// ---- NUMA cells

static void put_numa(struct params *p)
{
    static const char *const modes[] = {"strict", "preferred", "interleave", "restrictive"};
    const struct xml_node *memory = xml_find(p->tree, "numatune/memory");
    struct slice nodeset = xml_attr(memory, "nodeset");
    int32_t mode = 0;
    for (int32_t i = 0; i < 4; i++)
        if (xml_attr_is(memory, "mode", modes[i]))
            mode = i;
    if (room(p))
        xdr_param_add_i32(p->w, &p->list, "numa_mode", mode);
    if (room(p))
        xdr_param_add_string(p->w, &p->list, "numa_nodeset",
                             slice_present(nodeset) ? nodeset : SLICE(""));
}

// ---- the calls

static bool check_flags(struct call *call, const struct hypervisor *hypervisor,
                        const struct tuning *tuning, uint32_t flags)
{
    const uint32_t allowed = IMPACT | VIR_TYPED_PARAM_STRING_OKAY;
    return (!tuning->flags_first ||
            call_driver_flags(call, hypervisor, flags, allowed, tuning->function)) &&
           call_exclusive_flags(call, flags, VIR_DOMAIN_AFFECT_LIVE, "VIR_DOMAIN_AFFECT_LIVE",
                                VIR_DOMAIN_AFFECT_CONFIG, "VIR_DOMAIN_AFFECT_CONFIG") &&
           call_driver_flags(call, hypervisor, flags, allowed, tuning->function);
}

static void reply(struct call *call, const struct tuning *tuning, const struct xml_node *tree,
                  uint32_t wanted)
{
    struct params p = {.w = call_reply(call), .room = wanted, .tree = tree};
    p.list = xdr_list_begin(p.w, tuning->max);
    if (wanted > 0)
        tuning->put(&p);
    xdr_list_end(p.w, &p.list);
    if (tuning->counts)
        xdr_put_i32(p.w, wanted > 0 ? 0 : (int32_t)tuning->count);
}

static enum co_status get(struct call *call, const struct tuning *tuning, int32_t wanted,
                          uint32_t flags)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return CO_DONE;
    if (!hypervisor->shows_tuning)
        return call_unsupported(call);
    if (wanted < 0 || (uint32_t)wanted > tuning->max)
        return call_fail(call, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "nparams too large");
    const struct domain *domain =
        check_flags(call, hypervisor, tuning, flags)
            ? call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain))
            : NULL;
    if (!domain || !domain_check_impact(domain, &flags, &call->error))
        return CO_DONE;
    if (wanted > 0 && (flags & VIR_DOMAIN_AFFECT_LIVE) && tuning->absent)
        return call_fail(call, hypervisor->error_domain, VIR_ERR_OPERATION_INVALID, "%s",
                         tuning->absent);
    const struct xml_node *tree = domain_definition_for(domain, flags, &call->error);
    if (tree)
        reply(call, tuning, tree, (uint32_t)wanted);
    return CO_DONE;
}

static enum co_status get_memory_parameters(struct call *call)
{
    static const struct tuning tuning = {
        .function = "DomainGetMemoryParameters",
        .count = 3,
        .max = REMOTE_DOMAIN_MEMORY_PARAMETERS_MAX,
        .counts = true,
        .absent = "cgroup memory controller is not mounted",
        .put = put_memory,
    };
    const struct remote_domain_get_memory_parameters_args *args =
        CALL_ARGS(call, struct remote_domain_get_memory_parameters_args);
    return get(call, &tuning, args->nparams, args->flags);
}

static enum co_status get_blkio_parameters(struct call *call)
{
    static const struct tuning tuning = {
        .function = "DomainGetBlkioParameters",
        .count = 6,
        .max = REMOTE_DOMAIN_BLKIO_PARAMETERS_MAX,
        .counts = true,
        .absent = "blkio cgroup isn't mounted",
        .put = put_blkio,
    };
    const struct remote_domain_get_blkio_parameters_args *args =
        CALL_ARGS(call, struct remote_domain_get_blkio_parameters_args);
    return get(call, &tuning, args->nparams, args->flags);
}

static enum co_status get_numa_parameters(struct call *call)
{
    static const struct tuning tuning = {
        .function = "DomainGetNumaParameters",
        .count = 2,
        .max = REMOTE_DOMAIN_NUMA_PARAMETERS_MAX,
        .counts = true,
        .flags_first = true,
        .put = put_numa,
    };
    const struct remote_domain_get_numa_parameters_args *args =
        CALL_ARGS(call, struct remote_domain_get_numa_parameters_args);
    return get(call, &tuning, args->nparams, args->flags);
}

#define SCHEDULER_PARAMETERS 9
#define NO_SCHEDULER         "cgroup CPU controller is not mounted"

static enum co_status get_scheduler_parameters(struct call *call)
{
    static const struct tuning tuning = {
        .function = "DomainGetSchedulerParametersFlags",
        .count = SCHEDULER_PARAMETERS,
        .max = REMOTE_DOMAIN_SCHEDULER_PARAMETERS_MAX,
        .absent = NO_SCHEDULER,
        .put = put_scheduler,
    };
    const struct remote_domain_get_scheduler_parameters_flags_args *args =
        CALL_ARGS(call, struct remote_domain_get_scheduler_parameters_flags_args);
    bool has_flags = call->header.proc == REMOTE_PROC_DOMAIN_GET_SCHEDULER_PARAMETERS_FLAGS;
    return get(call, &tuning, args->nparams, has_flags ? args->flags : 0);
}

static enum co_status get_scheduler_type(struct call *call)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return CO_DONE;
    if (!hypervisor->shows_tuning)
        return call_unsupported(call);
    const struct domain *domain =
        call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain));
    if (!domain)
        return CO_DONE;
    if (domain_active(domain))
        return call_fail(call, hypervisor->error_domain, VIR_ERR_OPERATION_INVALID, NO_SCHEDULER);
    struct xdr_writer *w = call_reply(call);
    xdr_put_string(w, SLICE("posix"));
    xdr_put_i32(w, SCHEDULER_PARAMETERS);
    return CO_DONE;
}

const struct call_entry domain_tune_handlers[] = {
    {REMOTE_PROC_DOMAIN_GET_MEMORY_PARAMETERS, get_memory_parameters},
    {REMOTE_PROC_DOMAIN_GET_BLKIO_PARAMETERS, get_blkio_parameters},
    {REMOTE_PROC_DOMAIN_GET_NUMA_PARAMETERS, get_numa_parameters},
    {REMOTE_PROC_DOMAIN_GET_SCHEDULER_TYPE, get_scheduler_type},
    {REMOTE_PROC_DOMAIN_GET_SCHEDULER_PARAMETERS, get_scheduler_parameters},
    {REMOTE_PROC_DOMAIN_GET_SCHEDULER_PARAMETERS_FLAGS, get_scheduler_parameters},
    {0, NULL},
};
