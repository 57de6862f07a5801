// Operation: what an emulator tells of a running guest for statistics only: polling before a vcpu
// halts, I/O threads, the rate at which memory becomes dirty.
#include "hv/qemu/guest/guest_ops.h"

#include <string.h>

struct stats {
    struct guest *guest;
    struct monitor_call call;
};

// An older QEMU does not know the question: then there is nothing to tell.
static enum co_status ask(struct hypervisor_op *op, struct stats *s, const char *command,
                          struct slice arguments)
{
    if (monitor_command(&s->call, &s->guest->monitor, op->task, command, arguments, op->err) !=
        CO_DONE)
        return CO_WAITING;
    if (s->call.error_class[0])
        error_clear(op->err);
    return CO_DONE;
}

static const struct json_value *first_of(const struct json_value *list)
{
    return list && list->kind == JSON_ARRAY ? list->child : NULL;
}

// Of a guest without KVM there is an empty list.
static void take_polling(struct hypervisor_running_stats *to, const struct json_value *result)
{
    to->polling_known = result != NULL;
    for (const struct json_value *vcpu = first_of(result); vcpu; vcpu = vcpu->next) {
        const struct json_value *stat = first_of(json_get(vcpu, "stats"));
        for (; stat; stat = stat->next) {
            uint64_t value = 0;
            json_get_u64(stat, "value", &value);
            if (slice_is(json_get_string(stat, "name"), "halt_poll_success_ns"))
                to->poll_success_ns += value;
            else if (slice_is(json_get_string(stat, "name"), "halt_poll_fail_ns"))
                to->poll_fail_ns += value;
        }
    }
}

static void take_iothreads(struct hypervisor_running_stats *to, const struct json_value *result)
{
    for (const struct json_value *told = first_of(result); told; told = told->next) {
        uint64_t grow = 0, shrink = 0;
        struct slice name = json_get_string(told, "id");
        struct hypervisor_iothread *thread = &to->iothreads[to->iothread_count];
        if (to->iothread_count == HYPERVISOR_IOTHREADS || !slice_starts(name, "iothread") ||
            !slice_u32(slice_from(name, strlen("iothread")), 10, &thread->id))
            continue;
        thread->polls = json_get_u64(told, "poll-max-ns", &thread->poll_max_ns) &&
                        json_get_u64(told, "poll-grow", &grow) &&
                        json_get_u64(told, "poll-shrink", &shrink);
        thread->poll_grow = (uint32_t)grow;
        thread->poll_shrink = (uint32_t)shrink;
        to->iothread_count++;
    }
}

static void take_dirty_rate(struct hypervisor_running_stats *to, const struct json_value *result)
{
    static const char *const states[] = {"unstarted", "measuring", "measured"};
    uint64_t value;
    struct slice state = json_get_string(result, "status"), mode = json_get_string(result, "mode");
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (slice_is(state, states[i])) {
            to->dirty_rate_known = true;
            to->dirty_rate_status = (int32_t)i;
        }
    }
    if (json_get_u64(result, "start-time", &value))
        to->dirty_rate_start = (int64_t)value;
    if (json_get_u64(result, "calc-time", &value))
        to->dirty_rate_period = (int32_t)value;
    if (json_get_u64(result, "dirty-rate", &value))
        to->dirty_rate_mib = (int64_t)value;
    slice_copy(to->dirty_rate_mode, sizeof(to->dirty_rate_mode),
               slice_present(mode) ? mode : SLICE("page-sampling"));
}

static bool begin(struct hypervisor_op *op, struct stats *s)
{
    op->running_stats.told = (struct hypervisor_running_stats){0};
    s->guest = guest_need(op->domain, op->err);
    return s->guest != NULL;
}

static bool wants(const struct hypervisor_op *op, uint32_t group)
{
    return (op->running_stats.groups & group) && !error_is_set(op->err);
}

enum co_status guest_running_stats(struct hypervisor_op *op)
{
    struct stats *s = HYPERVISOR_STATE(op, struct stats);
    CO_BEGIN(&op->co);
    if (!begin(op, s))
        CO_RETURN(&op->co);
    if (wants(op, VIR_DOMAIN_STATS_CPU_TOTAL)) {
        CO_CALL(&op->co,
                ask(op, s, "query-stats",
                    SLICE("{\"target\":\"vcpu\",\"providers\":[{\"provider\":\"kvm\","
                          "\"names\":[\"halt_poll_success_ns\",\"halt_poll_fail_ns\"]}]}")));
        take_polling(&op->running_stats.told, s->call.result);
        memset(&s->call, 0, sizeof(s->call));
    }
    if (wants(op, VIR_DOMAIN_STATS_IOTHREAD)) {
        CO_CALL(&op->co, ask(op, s, "query-iothreads", SLICE_NONE));
        take_iothreads(&op->running_stats.told, s->call.result);
        memset(&s->call, 0, sizeof(s->call));
    }
    if (wants(op, VIR_DOMAIN_STATS_DIRTYRATE)) {
        CO_CALL(&op->co, ask(op, s, "query-dirty-rate", SLICE_NONE));
        take_dirty_rate(&op->running_stats.told, s->call.result);
    }
    CO_END(&op->co);
}
