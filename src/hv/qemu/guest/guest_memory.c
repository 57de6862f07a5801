// Operations: memory and processor time.
#include "hv/qemu/guest/guest_ops.h"

#include <string.h>

#define BALLOON_PATH "/machine/peripheral/balloon0" // libvirt's id for the device

struct memory {
    struct guest *guest;
    struct monitor_call call;
};

enum co_status guest_set_memory(struct hypervisor_op *op)
{
    struct memory *s = HYPERVISOR_STATE(op, struct memory);
    if (!s->guest && !(s->guest = guest_need(op->domain, op->err)))
        return CO_DONE;
    struct slice arguments =
        monitor_args("{\"value\":%llu}", (unsigned long long)op->memory.kib * 1024);
    if (monitor_command(&s->call, &s->guest->monitor, op->task, "balloon", arguments, op->err) !=
        CO_DONE)
        return CO_WAITING;
    if (error_is_set(op->err) && strcmp(s->call.error_class, "DeviceNotActive") == 0) {
        error_clear(op->err);
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                  "Unable to change memory of active domain without the balloon device and guest "
                  "OS balloon driver");
    }
    return CO_DONE;
}

// ---- statistics

static void add_stat(struct hypervisor_op *op, int tag, uint64_t value)
{
    const uint32_t room = sizeof(op->memory_stats.stats) / sizeof(op->memory_stats.stats[0]);
    if (op->memory_stats.count == room)
        return;
    op->memory_stats.stats[op->memory_stats.count].tag = tag;
    op->memory_stats.stats[op->memory_stats.count++].value = value;
}

// What the guest's balloon driver has told last; values it does not have are all ones.
static void add_guest_stats(struct hypervisor_op *op, const struct json_value *result)
{
    static const struct {
        const char *name;
        int tag;
        uint64_t divisor;
    } stats[] = {
        {"stat-swap-in", VIR_DOMAIN_MEMORY_STAT_SWAP_IN, 1024},
        {"stat-swap-out", VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, 1024},
        {"stat-major-faults", VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, 1},
        {"stat-minor-faults", VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, 1},
        {"stat-free-memory", VIR_DOMAIN_MEMORY_STAT_UNUSED, 1024},
        {"stat-total-memory", VIR_DOMAIN_MEMORY_STAT_AVAILABLE, 1024},
        {"stat-available-memory", VIR_DOMAIN_MEMORY_STAT_USABLE, 1024},
        {"last-update", VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, 1},
        {"stat-disk-caches", VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, 1024},
        {"stat-htlb-pgalloc", VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, 1},
        {"stat-htlb-pgfail", VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, 1},
    };
    const struct json_value *inner = json_get(result, "stats");
    for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++) {
        uint64_t value;
        const struct json_value *from =
            stats[i].tag == VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE ? result : inner;
        if (json_get_u64(from, stats[i].name, &value) && value != UINT64_MAX)
            add_stat(op, stats[i].tag, value / stats[i].divisor);
    }
}

static void add_resident(struct hypervisor_op *op, const struct guest *guest)
{
    struct port_usage usage;
    if (port_process_usage(guest->pid, &usage) == 0)
        add_stat(op, VIR_DOMAIN_MEMORY_STAT_RSS, usage.resident / 1024);
}

static bool begin_stats(struct hypervisor_op *op, struct memory *s)
{
    s->guest = guest_need(op->domain, op->err);
    op->memory_stats.count = 0;
    if (s->guest && s->guest->balloon)
        add_stat(op, VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, s->guest->balloon_kib);
    return s->guest != NULL;
}

enum co_status guest_memory_stats(struct hypervisor_op *op)
{
    struct memory *s = HYPERVISOR_STATE(op, struct memory);
    CO_BEGIN(&op->co);
    if (!begin_stats(op, s))
        CO_RETURN(&op->co);
    if (s->guest->balloon) {
        CO_CALL(&op->co, monitor_command(
                             &s->call, &s->guest->monitor, op->task, "qom-get",
                             SLICE("{\"path\":\"" BALLOON_PATH "\",\"property\":\"guest-stats\"}"),
                             op->err));
        if (!error_is_set(op->err))
            add_guest_stats(op, s->call.result);
        if (s->call.error_class[0])
            error_clear(op->err); // a guest without the driver has no statistics
    }
    if (!error_is_set(op->err) && guest_of(op->domain) == s->guest)
        add_resident(op, s->guest);
    CO_END(&op->co);
}

// virDomainSetMemoryStatsPeriod
enum co_status guest_set_stats_period(struct hypervisor_op *op)
{
    struct memory *s = HYPERVISOR_STATE(op, struct memory);
    if (!s->guest && !(s->guest = guest_need(op->domain, op->err)))
        return CO_DONE;
    if (!s->guest->balloon) {
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                  "Memory balloon model must be virtio to set the collection period");
        return CO_DONE;
    }
    struct slice arguments =
        monitor_args("{\"path\":\"" BALLOON_PATH "\",\"property\":\"guest-stats-polling-interval\","
                     "\"value\":%llu}",
                     (unsigned long long)op->named.value);
    return monitor_command(&s->call, &s->guest->monitor, op->task, "qom-set", arguments, op->err);
}

bool guest_info(const struct domain *domain, uint64_t *memory_kib, uint64_t *cpu_ns)
{
    struct port_usage usage;
    const struct guest *guest = guest_of(domain);
    if (!guest)
        return false;
    if (guest->balloon_kib)
        *memory_kib = guest->balloon_kib;
    if (port_process_usage(guest->pid, &usage) == 0)
        *cpu_ns = usage.user_ns + usage.system_ns;
    return true;
}
