// Adoption: finding the guests that ran on while the daemon was away (libvirt:
// qemuProcessReconnect).
#include "hv/qemu/guest/adopt.h"

#include "core/log.h"
#include "hv/qemu/driver.h"
#include "hv/qemu/guest/events_flow.h"
#include "hv/qemu/guest/process.h"
#include "hv/qemu/guest/process_setup.h"
#include "virt/domain/definition.h"
#include "virt/domain/domain_event.h"

#include <string.h>

// ---- the state that a guest is really in

// What query-status calls a stop (QEMU's RunState), as a reason for being paused.
static int paused_reason(struct slice status)
{
    static const struct {
        const char *name;
        int reason;
    } reasons[] = {
        {"guest-panicked", VIR_DOMAIN_PAUSED_CRASHED},
        {"internal-error", VIR_DOMAIN_PAUSED_CRASHED},
        {"io-error", VIR_DOMAIN_PAUSED_IOERROR},
        {"paused", VIR_DOMAIN_PAUSED_USER},
        {"shutdown", VIR_DOMAIN_PAUSED_SHUTTING_DOWN},
        {"watchdog", VIR_DOMAIN_PAUSED_WATCHDOG},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (slice_is(status, reasons[i].name))
            return reasons[i].reason;
    return VIR_DOMAIN_PAUSED_UNKNOWN;
}

static void change_state(struct domain *domain, int state, int reason, int event, int detail)
{
    domain_set_state(domain, state, reason);
    domain_event_lifecycle(domain, event, detail);
}

static void note_pause(struct domain *domain, int reason)
{
    int detail = VIR_DOMAIN_EVENT_SUSPENDED_PAUSED;
    if (reason == VIR_DOMAIN_PAUSED_IOERROR)
        detail = VIR_DOMAIN_EVENT_SUSPENDED_IOERROR;
    else if (reason == VIR_DOMAIN_PAUSED_WATCHDOG)
        detail = VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG;
    change_state(domain, VIR_DOMAIN_PAUSED, reason, VIR_DOMAIN_EVENT_SUSPENDED, detail);
}

// libvirt (qemuProcessUpdateState): only what changed meanwhile. Unlike there it is told: clients
// may have connected before this, and have seen what the status file says.
static void take_status(struct domain *domain, const struct json_value *result)
{
    bool running = json_get_bool(result, "running", false);
    int reason = paused_reason(json_get_string(result, "status"));
    if (domain->state == VIR_DOMAIN_PAUSED && running)
        change_state(domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED,
                     VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
    else if (domain->state != VIR_DOMAIN_RUNNING || running)
        return;
    else if (reason == VIR_DOMAIN_PAUSED_SHUTTING_DOWN)
        change_state(domain, VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_UNKNOWN,
                     VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_FINISHED);
    else if (reason == VIR_DOMAIN_PAUSED_CRASHED)
        change_state(domain, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED,
                     VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED);
    else
        note_pause(domain, reason);
}

// A shutdown or a fake reboot that nobody was there to finish.
static bool is_half_down(const struct guest *guest)
{
    const struct domain *domain = guest->domain;
    if (domain->state == VIR_DOMAIN_SHUTDOWN)
        return true;
    return guest->fake_reboot && domain->state == VIR_DOMAIN_PAUSED &&
           domain->reason == VIR_DOMAIN_PAUSED_USER;
}

// ---- the conversation

static bool gone(const struct guest *guest, const struct guest_flow *flow)
{
    return !guest->used || guest->domain != flow->domain || guest->being_destroyed ||
           guest->stop.running;
}

static void finish(struct guest_flow *flow, struct guest *guest)
{
    guest->starting = false;
    if (gone(guest, flow))
        return;
    if (!error_is_set(&flow->error)) {
        guest_save(guest, NULL);
        return;
    }
    // Better no guest than one that nobody controls and that might be started a second time.
    log_error("qemu", "%s: the guest can not be taken over: %s", flow->domain->name,
              flow->error.message);
    process_begin_end(guest, VIR_DOMAIN_SHUTOFF_DAEMON, VIR_DOMAIN_EVENT_STOPPED_FAILED);
}

static enum co_status adopt(struct guest_flow *flow, struct guest *guest)
{
    CO_BEGIN(&flow->co);
    CO_CALL(&flow->co, domain_job_begin(&flow->job, flow->domain, &flow->task,
                                        "qemuProcessReconnect", DOMAIN_JOB_MODIFY, &flow->error));
    flow->has_job = !error_is_set(&flow->error);
    CO_CALL(&flow->co, monitor_open(&flow->open, &guest->monitor, &flow->task, &flow->error));
    if (!error_is_set(&flow->error)) {
        memset(&flow->call, 0, sizeof(flow->call));
        CO_CALL(&flow->co, monitor_command(&flow->call, &guest->monitor, &flow->task,
                                           "query-status", SLICE_NONE, &flow->error));
    }
    if (!error_is_set(&flow->error)) {
        take_status(flow->domain, flow->call.result);
        memset(&flow->setup, 0, sizeof(flow->setup));
        CO_CALL(&flow->co, process_refresh(&flow->setup, guest, &flow->task, false, &flow->error));
    }
    finish(flow, guest);
    guest_flow_end(flow);
    if (!guest->stop.running && guest->used && is_half_down(guest))
        events_shut_down_or_reboot(guest);
    CO_END(&flow->co);
}

static void run_adopt(struct task *task)
{
    struct guest_flow *flow = GUEST_FLOW_OF(task);
    adopt(flow, GUEST_OF(flow, flow));
}

// ---- finding them

static bool connect_monitor(struct guest *guest, const char *path)
{
    int fd = port_connect_unix(path);
    if (fd < 0) {
        log_warning("qemu", "%s: failed to connect to monitor socket: %s", guest->domain->name,
                    strerror(-fd));
        return false;
    }
    monitor_start(&guest->monitor, fd, &process_monitor_owner, guest->domain->name);
    return true;
}

static void adopt_domain(struct domain *domain)
{
    struct error err = {0};
    char path[PORT_PATH_MAX];
    struct guest *guest = guest_add(domain, &err);
    const struct xml_node *tree = guest ? definition_tree(domain, DEFINITION_LIVE, &err) : NULL;
    if (!tree) {
        log_error("qemu", "%s: %s", domain->name, err.message);
        return;
    }
    const struct xml_node *status = definition_wrapper();
    bool known = guest_read_status(guest, status, tree) &&
                 slice_copy(path, sizeof(path), xml_attr(xml_child(status, "monitor"), "path"));
    bool alive = known && port_process_alive(guest->pid, guest->start);
    if (alive && domain->state == VIR_DOMAIN_PAUSED &&
        domain->reason == VIR_DOMAIN_PAUSED_STARTING_UP) {
        // Its start was not finished, and nobody remembers how far it came.
        process_begin_end(guest, VIR_DOMAIN_SHUTOFF_DAEMON, VIR_DOMAIN_EVENT_STOPPED_FAILED);
    } else if (alive && connect_monitor(guest, path)) {
        guest_flow_begin(guest, &guest->flow, run_adopt);
    } else if (alive) {
        process_begin_end(guest, VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_FAILED);
    } else {
        guest->pid = 0;
        process_end(guest, VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_FAILED);
    }
}

void adopt_all(void)
{
    domain_keep_ids(&qemu_hypervisor);
    struct domain *domain = domain_next(&qemu_hypervisor, NULL);
    while (domain) {
        struct domain *next = domain_next(&qemu_hypervisor, domain);
        if (domain_active(domain))
            adopt_domain(domain);
        domain = next;
    }
}
