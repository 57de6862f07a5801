// Operation: putting a guest to sleep, through its agent.
#include "hv/qemu/guest/guest_ops.h"

#include "hv/qemu/guest/guest_agent.h"
#include "virt/domain/definition.h"

#include <string.h>

// libvirt (qemuDomainPMSuspendForDuration): what <pm> forbids, where it says anything.
static bool may_sleep(struct hypervisor_op *op)
{
    bool to_disk = op->sleep.target == VIR_NODE_SUSPEND_TARGET_DISK;
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    struct slice enabled =
        xml_attr_at(tree, to_disk ? "pm/suspend-to-disk" : "pm/suspend-to-mem", "enabled");
    if (!slice_is(enabled, "no"))
        return tree != NULL;
    return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                     "S%d state is disabled for this domain", to_disk ? 4 : 3);
}

static bool can_wake_up(struct hypervisor_op *op, const struct guest_agent_op *s)
{
    return json_get_bool(s->call.result, "wakeup-suspend-support", false) ||
           error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED,
                     "Domain does not have suspend support");
}

static bool begin_sleep(struct hypervisor_op *op, struct guest_agent_op *s)
{
    s->guest = guest_need(op->domain, op->err);
    return s->guest && guest_agent_available(s->guest, op->err);
}

static struct slice sleep_command(uint32_t target)
{
    static const char *const modes[] = {"ram", "disk", "hybrid"}; // by VIR_NODE_SUSPEND_TARGET_*
    return monitor_args("{\"execute\":\"guest-suspend-%s\"}", modes[target]);
}

// A guest that falls asleep does not answer: QEMU's event is the answer.
enum co_status guest_sleep(struct hypervisor_op *op)
{
    struct guest_agent_op *s = HYPERVISOR_STATE(op, struct guest_agent_op);
    CO_BEGIN(&op->co);
    if (!begin_sleep(op, s))
        CO_RETURN(&op->co);
    CO_CALL(&op->co, monitor_command(&s->call, &s->guest->monitor, op->task,
                                     "query-current-machine", SLICE_NONE, op->err));
    if (error_is_set(op->err) || !can_wake_up(op, s) || !may_sleep(op))
        CO_RETURN(&op->co);
    memset(&s->agent, 0, sizeof(s->agent));
    s->agent.await = AGENT_EVENT_SUSPEND;
    CO_WAIT(&op->co, guest_agent_ask(op, s, sleep_command(op->sleep.target), AGENT_WAIT_SET));
    CO_END(&op->co);
}
