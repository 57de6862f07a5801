// Handlers: putting a guest to sleep and waking it up; signals for its processes.
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"

#include <stddef.h>

// ---- virDomainPMSuspendForDuration, virDomainPMWakeup

static bool sleep_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct remote_domain_pm_suspend_for_duration_args *args =
        CALL_ARGS(call, struct remote_domain_pm_suspend_for_duration_args);
    op->flags = args->flags;
    op->sleep.target = args->target;
    if (op->flags) // refused first
        return true;
    if (args->duration)
        return error_set(&call->error, VIR_FROM_QEMU, VIR_ERR_ARGUMENT_UNSUPPORTED,
                         "Duration not supported. Use 0 for now");
    return args->target <= VIR_NODE_SUSPEND_TARGET_HYBRID ||
           error_set(&call->error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "Unknown suspend target: %u",
                     args->target);
}

// libvirt looks for the agent first, which says the same of a domain that does not run.
static enum co_status put_to_sleep(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainPMSuspendForDuration",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, sleep),
        .check = domain_any_state,
        .prepare = sleep_prepare,
    };
    return domain_call_action(call, &action);
}

static bool wake_up_prepare(struct call *call, struct hypervisor_op *op)
{
    op->flags = CALL_ARGS(call, struct remote_domain_pm_wakeup_args)->flags;
    return true;
}

static enum co_status wake_up(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainPMWakeup",
        .job = DOMAIN_JOB_MODIFY,
        .op = offsetof(struct hypervisor, wake_up),
        .prepare = wake_up_prepare,
    };
    return domain_call_action(call, &action);
}

// ---- virDomainSendProcessSignal

#define SIGNALS_END 65 // VIR_DOMAIN_PROCESS_SIGNAL_LAST

static enum co_status send_process_signal(struct call *call)
{
    const struct remote_domain_send_process_signal_args *args =
        CALL_ARGS(call, struct remote_domain_send_process_signal_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return CO_DONE;
    if (args->pid_value == 0) {
        call_invalid_argument(call, "pid_value", "must not be zero");
        return CO_DONE;
    }
    if (!hypervisor->takes_signals)
        return call_unsupported(call);
    if (!call_driver_flags(call, hypervisor, args->flags, 0, "DomainSendProcessSignal"))
        return CO_DONE;
    if (args->pid_value != 1)
        return call_fail(call, hypervisor->error_domain, VIR_ERR_INVALID_ARG,
                         "only sending a signal to pid 1 is supported");
    if (args->signum >= SIGNALS_END)
        return call_fail(call, hypervisor->error_domain, VIR_ERR_INVALID_ARG,
                         "signum value %d is out of range", (int)args->signum);
    call_find_domain(call, &args->dom);
    return CO_DONE;
}

const struct call_entry domain_sleep_handlers[] = {
    {REMOTE_PROC_DOMAIN_PM_SUSPEND_FOR_DURATION, put_to_sleep},
    {REMOTE_PROC_DOMAIN_PM_WAKEUP, wake_up},
    {REMOTE_PROC_DOMAIN_SEND_PROCESS_SIGNAL, send_process_signal},
    {0, NULL},
};
