// Emulator processes: ending them, and cleaning up behind them.
#include "hv/qemu/guest/process.h"

#include "core/log.h"
#include "hv/qemu/driver.h"
#include "hv/qemu/guest/events.h"
#include "virt/domain/definition.h"
#include "virt/domain/domain_event.h"
#include "virt/domain/domain_names.h"

#include <errno.h>
#include <string.h>

// libvirt looks every 200 ms; SIGKILL follows SIGTERM after 10 s, and the error after 15 or 40 s.
#define KILL_POLL_NS       (50 * NS_PER_MS)
#define KILL_POLLS         200 // until SIGKILL
#define GIVE_UP_POLLS      300
#define GIVE_UP_KILL_POLLS 800

// ---- ending a process

bool process_gone(const struct guest *guest)
{
    if (guest->pid == 0 || guest->child.ended)
        return true;
    return guest->child.pid == 0 && !port_process_alive(guest->pid, guest->start);
}

static bool give_up(struct process_kill *kill, const struct guest *guest, struct error *err)
{
    if (kill->polls < (kill->killed ? GIVE_UP_KILL_POLLS : GIVE_UP_POLLS))
        return false;
    error_set(err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
              "Failed to terminate process %d with SIG%s: Device or resource busy", guest->pid,
              kill->killed ? "KILL" : "TERM");
    return true;
}

enum co_status process_kill(struct process_kill *kill, struct guest *guest, struct task *task,
                            bool force, struct error *err)
{
    CO_BEGIN(&kill->co);
    if (!process_gone(guest))
        port_kill(guest->pid, PORT_KILL_TERM);
    guest->child.task = task;
    while (!process_gone(guest) && !give_up(kill, guest, err)) {
        if (force && !kill->killed && kill->polls >= KILL_POLLS) {
            port_kill(guest->pid, PORT_KILL_KILL);
            kill->killed = true;
        }
        kill->polls++;
        pause_start(&kill->pause, task, KILL_POLL_NS);
        CO_WAIT(&kill->co, kill->pause.over || process_gone(guest));
        pause_stop(&kill->pause);
    }
    guest->child.task = NULL;
    CO_END(&kill->co);
}

// ---- cleaning up

void process_stop(struct guest *guest, int reason)
{
    char path[PORT_PATH_MAX];
    struct domain *domain = guest->domain;
    process_log_line(domain, "shutting down, reason=%s",
                     domain_reason_name(VIR_DOMAIN_SHUTOFF, reason));
    process_return_images(domain);
    process_remove_guest_directory(domain);
    guest_channel_directory(domain, path);
    process_remove_directory(path);
    definition_remove_live(domain);
    domain_ref(domain);
    guest_remove(guest);
    domain->id = -1;
    domain_set_state(domain, VIR_DOMAIN_SHUTOFF, reason);
    domain_unref(domain);
}

void process_end(struct guest *guest, int reason, int detail)
{
    struct domain *domain = guest->domain;
    struct domain told = *domain;
    domain_ref(domain);
    process_stop(guest, reason);
    // As in libvirt: a guest that ended by itself is told of with the id that it had.
    if (detail == VIR_DOMAIN_EVENT_STOPPED_DESTROYED || detail == VIR_DOMAIN_EVENT_STOPPED_CRASHED)
        told.id = -1;
    domain_event_lifecycle(&told, VIR_DOMAIN_EVENT_STOPPED, detail);
    if (!domain->persistent)
        domain_remove(domain);
    domain_unref(domain);
}

// ---- the end that nobody asked for

static bool still_there(const struct guest *guest, const struct guest_flow *flow)
{
    return guest->used && guest->domain == flow->domain;
}

static enum co_status end_run(struct guest_flow *flow, struct guest *guest)
{
    CO_BEGIN(&flow->co);
    CO_CALL(&flow->co, process_kill(&flow->kill, guest, &flow->task, true, &flow->error));
    if (error_is_set(&flow->error))
        log_error("qemu", "%s: %s", flow->domain->name, flow->error.message);
    error_clear(&flow->error);
    // Whoever holds the job waits for this guest and comes to an end, its monitor being closed.
    monitor_close(&guest->monitor);
    agent_close(&guest->agent);
    CO_CALL(&flow->co,
            domain_job_begin(&flow->job, flow->domain, &flow->task, "remoteDispatchDomainDestroy",
                             DOMAIN_JOB_DESTROY, &flow->error));
    flow->has_job = !error_is_set(&flow->error);
    if (still_there(guest, flow) && process_gone(guest))
        process_end(guest, flow->reason, flow->detail);
    guest_flow_end(flow);
    CO_END(&flow->co);
}

static void run_end(struct task *task)
{
    struct guest_flow *flow = GUEST_FLOW_OF(task);
    end_run(flow, GUEST_OF(flow, stop));
}

void process_begin_end(struct guest *guest, int reason, int detail)
{
    if (guest->stop.running)
        return;
    guest->stop.reason = reason;
    guest->stop.detail = detail;
    guest_flow_begin(guest, &guest->stop, run_end);
}

// libvirt (processMonitorEOFEvent): an end without a SHUTDOWN event is a crash.
static void monitor_ended(struct monitor *monitor)
{
    struct guest *guest = GUEST_OF(monitor, monitor);
    if (guest->starting || guest->being_destroyed)
        return; // who does that looks after it
    if (guest->domain->state == VIR_DOMAIN_SHUTDOWN)
        process_begin_end(guest, VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN);
    else
        process_begin_end(guest, VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_FAILED);
}

static void monitor_broken(struct monitor *monitor)
{
    struct guest *guest = GUEST_OF(monitor, monitor);
    log_error("qemu", "%s: the monitor can not be understood: %s", guest->domain->name,
              monitor->cause);
    domain_event_control_error(guest->domain);
}

static void monitor_event(struct monitor *monitor, const struct json_value *event)
{
    events_take(GUEST_OF(monitor, monitor), event);
}

const struct monitor_owner process_monitor_owner = {
    .event = monitor_event,
    .broken = monitor_broken,
    .ended = monitor_ended,
};

// ---- destroying

void process_interrupt(struct domain *domain, uint32_t flags)
{
    struct guest *guest = guest_of(domain);
    if (!guest || (flags & VIR_DOMAIN_DESTROY_GRACEFUL) || !domain->job.holder)
        return;
    if (guest->starting) {
        port_kill(guest->pid, PORT_KILL_KILL); // its start fails and cleans up
        return;
    }
    // Should the destroying call not get the job in the end, this destroys.
    guest->being_destroyed = true;
    process_begin_end(guest, VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
}

struct destroy {
    struct guest *guest;
    struct process_kill kill;
};

enum co_status process_destroy_op(struct hypervisor_op *op)
{
    struct destroy *s = HYPERVISOR_STATE(op, struct destroy);
    CO_BEGIN(&op->co);
    s->guest = guest_need(op->domain, op->err);
    if (!s->guest)
        CO_RETURN(&op->co);
    s->guest->being_destroyed = true;
    CO_CALL(&op->co, process_kill(&s->kill, s->guest, op->task,
                                  !(op->flags & VIR_DOMAIN_DESTROY_GRACEFUL), op->err));
    if (guest_of(op->domain) != s->guest) {
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is not running");
        CO_RETURN(&op->co);
    }
    s->guest->being_destroyed = false;
    if (error_is_set(op->err))
        CO_RETURN(&op->co);
    process_end(s->guest, VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
    if (op->flags & VIR_DOMAIN_DESTROY_REMOVE_LOGS)
        process_log_remove(op->domain);
    CO_END(&op->co);
}
