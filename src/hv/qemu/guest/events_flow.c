// What follows from an event and takes more than a moment: the fake reboot, and panics.
#include "hv/qemu/guest/events_flow.h"

#include "core/log.h"
#include "hv/qemu/driver.h"
#include "hv/qemu/guest/process.h"
#include "hv/qemu/guest/process_setup.h"
#include "virt/domain/domain_event.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static bool gone(const struct guest *guest, const struct guest_flow *flow)
{
    return !guest->used || guest->domain != flow->domain || guest->being_destroyed;
}

#define JOB(holder)                                                                                \
    CO_CALL(&flow->co, domain_job_begin(&flow->job, flow->domain, &flow->task, holder,             \
                                        DOMAIN_JOB_MODIFY, &flow->error));                         \
    flow->has_job = !error_is_set(&flow->error)

// ---- the fake reboot (libvirt: qemuProcessFakeReboot)

static int reboot_reason(const struct guest *guest)
{
    return guest->domain->state == VIR_DOMAIN_CRASHED ? VIR_DOMAIN_RUNNING_CRASHED
                                                      : VIR_DOMAIN_RUNNING_BOOTED;
}

// A guest that can not be reset is killed; its end is then seen as any other.
static void finish_reboot(struct guest_flow *flow, struct guest *guest)
{
    if (gone(guest, flow))
        return;
    guest->paused_shutdown = false;
    guest->fake_reboot = false;
    if (error_is_set(&flow->error)) {
        log_error("qemu", "%s: the reboot failed: %s", flow->domain->name, flow->error.message);
        port_kill(guest->pid, PORT_KILL_KILL);
    }
    guest_save(guest, NULL);
}

static enum co_status reset_and_run(struct guest_flow *flow, struct guest *guest)
{
    CO_BEGIN(&flow->part);
    memset(&flow->call, 0, sizeof(flow->call));
    CO_CALL(&flow->part, monitor_command(&flow->call, &guest->monitor, &flow->task, "system_reset",
                                         SLICE_NONE, &flow->error));
    if (!error_is_set(&flow->error)) {
        memset(&flow->call, 0, sizeof(flow->call));
        CO_CALL(&flow->part, process_run_cpus(&flow->call, guest, &flow->task, reboot_reason(guest),
                                              &flow->error));
    }
    finish_reboot(flow, guest);
    CO_END(&flow->part);
}

static enum co_status reboot(struct guest_flow *flow, struct guest *guest)
{
    CO_BEGIN(&flow->co);
    JOB("qemuProcessFakeReboot");
    if (!gone(guest, flow))
        CO_CALL(&flow->co, reset_and_run(flow, guest));
    guest_flow_end(flow);
    CO_END(&flow->co);
}

static void run_reboot(struct task *task)
{
    struct guest_flow *flow = GUEST_FLOW_OF(task);
    reboot(flow, GUEST_OF(flow, flow));
}

void events_shut_down_or_reboot(struct guest *guest)
{
    if (guest->fake_reboot || guest->on_poweroff == GUEST_RESTART)
        guest_flow_begin(guest, &guest->flow, run_reboot);
    else
        port_kill(guest->pid, PORT_KILL_TERM);
}

// ---- panics (libvirt: processGuestPanicEvent)

static bool wants_dump(uint8_t action)
{
    return action == GUEST_COREDUMP_DESTROY || action == GUEST_COREDUMP_RESTART;
}

static bool wants_restart(uint8_t action)
{
    return action == GUEST_RESTART || action == GUEST_COREDUMP_RESTART;
}

static void note_crash(struct guest *guest)
{
    process_log_line(guest->domain, "panic %s",
                     guest->panic_type[0] ? guest->panic_type : "unknown");
    domain_set_state(guest->domain, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
    domain_event_lifecycle(guest->domain, VIR_DOMAIN_EVENT_CRASHED,
                           VIR_DOMAIN_EVENT_CRASHED_PANICKED);
    guest_save(guest, NULL);
}

// lib/dump/NAME-TIME, which belongs to the guest's user, since QEMU writes the dump.
static struct slice dump_arguments(struct guest_flow *flow)
{
    static char text[PORT_PATH_MAX + 128];
    char path[PORT_PATH_MAX], when[32];
    struct buffer out = buffer_over(text, sizeof(text));
    struct json_writer w = json_writer_to(&out);
    time_t seconds = (time_t)(port_time_us() / 1000000);
    const struct tm *parts = gmtime(&seconds);
    if (!parts || strftime(when, sizeof(when), "%Y-%m-%d-%H:%M:%S", parts) == 0)
        when[0] = '\0';
    int len =
        snprintf(path, sizeof(path), "%s/dump/%s-%s", qemu_driver.lib, flow->domain->name, when);
    if (len < 0 || (size_t)len >= sizeof(path))
        path[0] = '\0';
    json_open_object(&w, NULL);
    json_put_bool(&w, "paging", false);
    json_putf(&w, "protocol", "file:%s", path);
    json_close_object(&w);
    return buffer_slice(&out);
}

static enum co_status panic(struct guest_flow *flow, struct guest *guest)
{
    CO_BEGIN(&flow->co);
    JOB("processGuestPanicEvent");
    if (gone(guest, flow))
        goto out;
    error_clear(&flow->error);
    flow->action = guest->on_crash;
    if (wants_dump(flow->action)) {
        flow->call.unlimited = true;
        CO_CALL(&flow->co,
                monitor_command(&flow->call, &guest->monitor, &flow->task, "dump-guest-memory",
                                dump_arguments(flow), &flow->error));
        if (error_is_set(&flow->error)) {
            log_error("qemu", "%s: Dump failed: %s", flow->domain->name, flow->error.message);
            goto out;
        }
    }
    if (gone(guest, flow) || flow->action == GUEST_PRESERVE)
        goto out;
    if (wants_restart(flow->action)) {
        guest->fake_reboot = true;
        CO_CALL(&flow->co, reset_and_run(flow, guest));
    } else {
        guest->being_destroyed = true;
        CO_CALL(&flow->co, process_kill(&flow->kill, guest, &flow->task, true, &flow->error));
        if (guest->used && guest->domain == flow->domain)
            process_end(guest, VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_CRASHED);
    }
out:
    guest_flow_end(flow);
    CO_END(&flow->co);
}

static void run_panic(struct task *task)
{
    struct guest_flow *flow = GUEST_FLOW_OF(task);
    panic(flow, GUEST_OF(flow, flow));
}

// The crash is noted at once: the STOP that the emulator tells next is part of it, not a pause.
void events_begin_panic(struct guest *guest)
{
    note_crash(guest);
    guest_flow_begin(guest, &guest->flow, run_panic);
}
