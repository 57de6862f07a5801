// Operations: shutdown, reboot, reset, suspend, resume, waking up, NMI.
#include "hv/qemu/guest/guest_ops.h"

#include "hv/qemu/guest/guest_agent.h"
#include "hv/qemu/guest/process_setup.h"

#include <string.h>

// VIR_DOMAIN_SHUTDOWN_... and VIR_DOMAIN_REBOOT_... have the same values for these.
#define BY_ACPI  VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN
#define BY_AGENT VIR_DOMAIN_SHUTDOWN_GUEST_AGENT

struct power {
    struct guest *guest;
    bool reboot; // it comes up again
    bool agent_forced;
    struct error agent_error;
    union {
        struct agent_call agent;
        struct monitor_call call;
    };
};

static void set_fake_reboot(struct guest *guest, bool on)
{
    if (guest->fake_reboot == on)
        return;
    guest->fake_reboot = on;
    guest_save(guest, NULL);
}

static struct slice agent_shutdown(const struct power *s)
{
    return monitor_args("{\"execute\":\"guest-shutdown\",\"arguments\":{\"mode\":\"%s\"}}",
                        s->reboot ? "reboot" : "powerdown");
}

static bool begin_power(struct hypervisor_op *op, struct power *s, bool reboot)
{
    s->guest = guest_need(op->domain, op->err);
    s->reboot = reboot;
    s->agent_forced = (op->flags & BY_AGENT) && !(op->flags & BY_ACPI);
    return s->guest != NULL;
}

// libvirt prefers an agent that is connected when nothing is asked for.
static bool use_agent(const struct hypervisor_op *op, const struct power *s)
{
    return (op->flags & BY_AGENT) || (op->flags == 0 && s->guest->agent.open);
}

static enum co_status power(struct hypervisor_op *op, struct power *s, struct co *co)
{
    CO_BEGIN(co);
    if (use_agent(op, s) && guest_agent_available(s->guest, &s->agent_error)) {
        set_fake_reboot(s->guest, false);
        memset(&s->agent, 0, sizeof(s->agent));
        s->agent.await = s->reboot ? AGENT_EVENT_RESET : AGENT_EVENT_SHUTDOWN;
        CO_CALL(co, agent_command(&s->agent, &s->guest->agent, op->task, agent_shutdown(s),
                                  AGENT_WAIT_SHUTDOWN, &s->agent_error));
        if (!error_is_set(&s->agent_error))
            CO_RETURN(co);
    }
    if (s->agent_forced) {
        *op->err = s->agent_error;
        CO_RETURN(co);
    }
    // A guest that went away by itself while the agent was asked has done what was wanted.
    if (guest_of(op->domain) != s->guest)
        CO_RETURN(co);
    set_fake_reboot(s->guest, s->reboot);
    memset(&s->call, 0, sizeof(s->call));
    CO_CALL(co, monitor_command(&s->call, &s->guest->monitor, op->task, "system_powerdown",
                                SLICE_NONE, op->err));
    CO_END(co);
}

enum co_status guest_shutdown(struct hypervisor_op *op)
{
    struct power *s = HYPERVISOR_STATE(op, struct power);
    const struct guest *guest = guest_of(op->domain);
    if (!s->guest && !begin_power(op, s, guest && guest->on_poweroff == GUEST_RESTART))
        return CO_DONE;
    return power(op, s, &op->co);
}

enum co_status guest_reboot(struct hypervisor_op *op)
{
    struct power *s = HYPERVISOR_STATE(op, struct power);
    const struct guest *guest = guest_of(op->domain);
    bool down = guest && (guest->on_reboot == GUEST_DESTROY || guest->on_reboot == GUEST_PRESERVE);
    if (!s->guest && !begin_power(op, s, !down))
        return CO_DONE;
    return power(op, s, &op->co);
}

// ---- one command each

struct simple {
    struct guest *guest;
    struct monitor_call call;
};

static bool begin_simple(struct hypervisor_op *op, struct simple *s)
{
    if (!s->guest)
        s->guest = guest_need(op->domain, op->err);
    return s->guest != NULL;
}

static bool lives_on(const struct hypervisor_op *op, const struct simple *s)
{
    return !error_is_set(op->err) && guest_of(op->domain) == s->guest;
}

enum co_status guest_reset(struct hypervisor_op *op)
{
    struct simple *s = HYPERVISOR_STATE(op, struct simple);
    if (!begin_simple(op, s))
        return CO_DONE;
    if (monitor_command(&s->call, &s->guest->monitor, op->task, "system_reset", SLICE_NONE,
                        op->err) != CO_DONE)
        return CO_WAITING;
    if (!lives_on(op, s))
        return CO_DONE;
    s->guest->fake_reboot = false;
    if (op->domain->state == VIR_DOMAIN_CRASHED)
        domain_set_state(op->domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED);
    guest_save(s->guest, NULL);
    return CO_DONE;
}

enum co_status guest_suspend(struct hypervisor_op *op)
{
    struct simple *s = HYPERVISOR_STATE(op, struct simple);
    if (!begin_simple(op, s))
        return CO_DONE;
    return process_stop_cpus(&s->call, s->guest, op->task, VIR_DOMAIN_PAUSED_USER, op->err);
}

enum co_status guest_resume(struct hypervisor_op *op)
{
    struct simple *s = HYPERVISOR_STATE(op, struct simple);
    if (!begin_simple(op, s))
        return CO_DONE;
    return process_run_cpus(&s->call, s->guest, op->task, VIR_DOMAIN_RUNNING_UNPAUSED, op->err);
}

enum co_status guest_wake_up(struct hypervisor_op *op)
{
    struct simple *s = HYPERVISOR_STATE(op, struct simple);
    if (!begin_simple(op, s))
        return CO_DONE;
    return monitor_command(&s->call, &s->guest->monitor, op->task, "system_wakeup", SLICE_NONE,
                           op->err);
}

enum co_status guest_inject_nmi(struct hypervisor_op *op)
{
    struct simple *s = HYPERVISOR_STATE(op, struct simple);
    if (!begin_simple(op, s))
        return CO_DONE;
    return monitor_command(&s->call, &s->guest->monitor, op->task, "inject-nmi", SLICE_NONE,
                           op->err);
}
