// Operation: what happens when a running guest ends, from now on.
#include "hv/qemu/guest/guest_ops.h"

#include "hv/qemu/definition/lifecycle.h"

struct lifecycle {
    struct guest *guest;
    struct monitor_call call;
};

// By virDomainLifecycleAction; a guest that is to be renamed is not allowed.
static const uint8_t actions[] = {
    GUEST_DESTROY,  GUEST_RESTART,          GUEST_RESTART,
    GUEST_PRESERVE, GUEST_COREDUMP_DESTROY, GUEST_COREDUMP_RESTART,
};

static void take_action(struct guest *guest, uint32_t event, uint8_t action)
{
    if (event == VIR_DOMAIN_LIFECYCLE_POWEROFF)
        guest->on_poweroff = action;
    else if (event == VIR_DOMAIN_LIFECYCLE_REBOOT)
        guest->on_reboot = action;
    else
        guest->on_crash = action;
}

// A reboot that destroys is a shutdown to QEMU; of the others only we know.
static enum co_status tell_qemu(struct hypervisor_op *op, struct lifecycle *s, uint8_t action)
{
    if (op->lifecycle.event != VIR_DOMAIN_LIFECYCLE_REBOOT || s->guest->on_reboot == action)
        return CO_DONE;
    return monitor_command(&s->call, &s->guest->monitor, op->task, "set-action",
                           action == GUEST_DESTROY ? SLICE("{\"reboot\":\"shutdown\"}")
                                                   : SLICE("{\"reboot\":\"reset\"}"),
                           op->err);
}

enum co_status guest_set_lifecycle(struct hypervisor_op *op)
{
    struct lifecycle *s = HYPERVISOR_STATE(op, struct lifecycle);
    uint8_t action = actions[op->lifecycle.action];
    if (!s->guest && !(s->guest = guest_need(op->domain, op->err)))
        return CO_DONE;
    if (tell_qemu(op, s, action) != CO_DONE)
        return CO_WAITING;
    if (!error_is_set(op->err) && guest_of(op->domain) == s->guest)
        take_action(s->guest, op->lifecycle.event, action);
    return CO_DONE;
}
