// QMP events: what QEMU tells by itself, turned into states and libvirt's events.
//
// The rules are those of libvirt's qemuProcessHandle... functions, one function here for each.
#include "hv/qemu/guest/events.h"

#include "core/log.h"
#include "hv/qemu/guest/events_flow.h"
#include "hv/qemu/guest/guest_agent.h"
#include "hv/qemu/guest/guest_ops.h"
#include "hv/qemu/guest/process.h"
#include "virt/domain/definition.h"
#include "virt/domain/domain_event.h"

#include <string.h>

#define AGENT_CHANNEL "org.qemu.guest_agent.0"
#define DETAILS_SIZE  8192

static void change_state(struct guest *guest, int state, int reason, int event, int detail)
{
    domain_set_state(guest->domain, state, reason);
    domain_event_lifecycle(guest->domain, event, detail);
    guest_save(guest, NULL);
}

// ---- stopping and running

static int suspended_detail(int reason)
{
    switch (reason) {
    case VIR_DOMAIN_PAUSED_MIGRATION:
        return VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED;
    case VIR_DOMAIN_PAUSED_FROM_SNAPSHOT:
        return VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT;
    default:
        return VIR_DOMAIN_EVENT_SUSPENDED_PAUSED;
    }
}

static void take_stop(struct guest *guest, const struct json_value *data)
{
    int reason = guest->paused_reason;
    (void)data;
    guest->paused_reason = VIR_DOMAIN_PAUSED_UNKNOWN;
    if (guest->domain->state == VIR_DOMAIN_RUNNING && !guest->paused_shutdown)
        change_state(guest, VIR_DOMAIN_PAUSED, reason, VIR_DOMAIN_EVENT_SUSPENDED,
                     suspended_detail(reason));
}

static void take_resume(struct guest *guest, const struct json_value *data)
{
    int reason = VIR_DOMAIN_RUNNING_UNPAUSED;
    (void)data;
    if (guest->running_reason != VIR_DOMAIN_RUNNING_UNKNOWN)
        reason = guest->running_reason;
    guest->running_reason = VIR_DOMAIN_RUNNING_UNKNOWN;
    if (guest->domain->state != VIR_DOMAIN_RUNNING)
        change_state(guest, VIR_DOMAIN_RUNNING, reason, VIR_DOMAIN_EVENT_RESUMED,
                     VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
}

static void take_shutdown(struct guest *guest, const struct json_value *data)
{
    const struct json_value *by_guest = json_get(data, "guest");
    int detail = VIR_DOMAIN_EVENT_SHUTDOWN_FINISHED;
    if (guest->domain->state == VIR_DOMAIN_SHUTDOWN)
        return;
    if (by_guest && by_guest->kind == JSON_BOOL)
        detail = by_guest->truth ? VIR_DOMAIN_EVENT_SHUTDOWN_GUEST : VIR_DOMAIN_EVENT_SHUTDOWN_HOST;
    // A fake reboot is none of the clients' business.
    if (guest->fake_reboot || guest->on_poweroff == GUEST_RESTART)
        guest->paused_shutdown = true;
    else
        change_state(guest, VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_UNKNOWN,
                     VIR_DOMAIN_EVENT_SHUTDOWN, detail);
    agent_tell_event(&guest->agent, AGENT_EVENT_SHUTDOWN);
    events_shut_down_or_reboot(guest);
}

static void take_reset(struct guest *guest, const struct json_value *data)
{
    const struct domain *domain = guest->domain;
    (void)data;
    if (domain->state == VIR_DOMAIN_PAUSED && domain->reason == VIR_DOMAIN_PAUSED_STARTING_UP)
        return;
    domain_event_reboot(domain);
    agent_tell_event(&guest->agent, AGENT_EVENT_RESET);
    guest->fake_reboot = false;
    guest_save(guest, NULL);
}

static void take_panic(struct guest *guest, const struct json_value *data)
{
    slice_copy(guest->panic_type, sizeof(guest->panic_type),
               json_string(json_find(data, "info/type")));
    events_begin_panic(guest);
}

static void take_crashloaded(struct guest *guest, const struct json_value *data)
{
    (void)data;
    domain_event_lifecycle(guest->domain, VIR_DOMAIN_EVENT_CRASHED,
                           VIR_DOMAIN_EVENT_CRASHED_CRASHLOADED);
}

// ---- sleeping

static void take_sleep(struct guest *guest, int id, int detail)
{
    domain_event_pmsuspend(guest->domain, id, 0);
    if (guest->domain->state != VIR_DOMAIN_RUNNING)
        return;
    change_state(guest, VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN,
                 VIR_DOMAIN_EVENT_PMSUSPENDED, detail);
    agent_tell_event(&guest->agent, AGENT_EVENT_SUSPEND);
}

static void take_suspend(struct guest *guest, const struct json_value *data)
{
    (void)data;
    take_sleep(guest, VIR_DOMAIN_EVENT_ID_PMSUSPEND, VIR_DOMAIN_EVENT_PMSUSPENDED_MEMORY);
}

static void take_suspend_disk(struct guest *guest, const struct json_value *data)
{
    (void)data;
    take_sleep(guest, VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK, VIR_DOMAIN_EVENT_PMSUSPENDED_DISK);
}

static void take_wakeup(struct guest *guest, const struct json_value *data)
{
    (void)data;
    domain_event_pmsuspend(guest->domain, VIR_DOMAIN_EVENT_ID_PMWAKEUP, 0);
    if (guest->domain->state == VIR_DOMAIN_PMSUSPENDED)
        change_state(guest, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_WAKEUP, VIR_DOMAIN_EVENT_STARTED,
                     VIR_DOMAIN_EVENT_STARTED_WAKEUP);
}

// ---- devices

static int number_of(struct slice name, const char *const *names, size_t count, int otherwise)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(name, names[i]))
            return (int)i;
    return otherwise;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void take_watchdog(struct guest *guest, const struct json_value *data)
{
    static const char *const actions[] = {"none",     "pause", "reset",     "poweroff",
                                          "shutdown", "debug", "inject-nmi"};
    int action = number_of(json_get_string(data, "action"), actions, COUNT(actions),
                           VIR_DOMAIN_EVENT_WATCHDOG_NONE);
    domain_event_watchdog(guest->domain, action);
    if (action == VIR_DOMAIN_EVENT_WATCHDOG_PAUSE && guest->domain->state == VIR_DOMAIN_RUNNING)
        change_state(guest, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG,
                     VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG);
}

static struct slice source_path(const struct xml_node *disk)
{
    const struct xml_node *source = xml_child(disk, "source");
    struct slice path = xml_attr(source, "file");
    if (!slice_present(path))
        path = xml_attr(source, "dev");
    if (!slice_present(path))
        path = xml_attr(source, "name");
    return path;
}

static void take_io_error(struct guest *guest, const struct json_value *data)
{
    static const char *const actions[] = {"ignore", "stop", "report"};
    struct error err = {0};
    const struct xml_node *tree = definition_tree(guest->domain, DEFINITION_LIVE, &err);
    const struct xml_node *disk =
        guest_find_disk(tree, json_get_string(data, "device"), json_get_string(data, "node-name"));
    struct slice path = source_path(disk), alias = xml_attr(xml_child(disk, "alias"), "name");
    int action = number_of(json_get_string(data, "action"), actions, COUNT(actions),
                           VIR_DOMAIN_EVENT_IO_ERROR_NONE);
    bool full = json_get_bool(data, "nospace", false);
    domain_event_io_error(guest->domain, slice_present(path) ? path : SLICE(""),
                          slice_present(alias) ? alias : SLICE(""), action,
                          full ? SLICE("enospc") : SLICE(""));
    if (action == VIR_DOMAIN_EVENT_IO_ERROR_PAUSE && guest->domain->state == VIR_DOMAIN_RUNNING)
        change_state(guest, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR,
                     VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_IOERROR);
}

static void take_tray(struct guest *guest, const struct json_value *data)
{
    struct error err = {0};
    bool open = json_get_bool(data, "tray-open", false);
    struct slice device = json_get_string(data, "device");
    if (device.len == 0)
        device = json_get_string(data, "id");
    struct xml_node *tree = definition_tree(guest->domain, DEFINITION_LIVE, &err);
    const struct xml_node *disk = guest_find_disk(tree, device, SLICE_NONE);
    struct slice alias = xml_attr(xml_child(disk, "alias"), "name");
    if (!disk)
        return;
    domain_event_tray_change(guest->domain, alias,
                             open ? VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN
                                  : VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE);
    struct xml_node *target = xml_child(disk, "target");
    if (open)
        xml_sets(definition_doc(), target, "tray", "open");
    else
        xml_unset(target, "tray");
    guest_save(guest, tree);
}

static void take_balloon_change(struct guest *guest, const struct json_value *data)
{
    uint64_t bytes;
    if (!json_get_u64(data, "actual", &bytes))
        return;
    guest->balloon_kib = (bytes + 1023) / 1024;
    domain_event_balloon_change(guest->domain, guest->balloon_kib);
    guest_save(guest, NULL);
}

static void take_rtc_change(struct guest *guest, const struct json_value *data)
{
    struct error err = {0};
    int64_t offset;
    if (!json_get_i64(data, "offset", &offset))
        return;
    struct xml_node *tree = definition_tree(guest->domain, DEFINITION_LIVE, &err);
    struct xml_node *clock = xml_child(tree, "clock");
    if (xml_attr_is(clock, "offset", "variable")) {
        // QEMU counts from what it was started with.
        if (__builtin_add_overflow(offset, guest->clock_adjustment, &offset))
            return;
        xml_setf(definition_doc(), clock, "adjustment", "%lld", (long long)offset);
        guest_save(guest, tree);
    }
    domain_event_rtc_change(guest->domain, offset);
}

// The port of a virtio channel was opened or closed in the guest.
static void take_port_change(struct guest *guest, const struct json_value *data)
{
    struct error err = {0};
    const struct json_value *open = json_get(data, "open");
    struct slice alias = json_get_string(data, "id");
    struct xml_node *tree = definition_tree(guest->domain, DEFINITION_LIVE, &err);
    struct xml_node *target = NULL;
    XML_EACH (channel, xml_child(tree, "devices"), "channel")
        if (slice_equal(xml_attr(xml_child(channel, "alias"), "name"), alias))
            target = xml_child(channel, "target");
    if (!slice_present(alias) || !open || open->kind != JSON_BOOL ||
        !xml_attr_is(target, "type", "virtio"))
        return;
    xml_sets(definition_doc(), target, "state", open->truth ? "connected" : "disconnected");
    guest_save(guest, tree);
    if (!xml_attr_is(target, "name", AGENT_CHANNEL))
        return;
    guest->agent_connected = open->truth;
    if (open->truth) {
        guest_agent_connect(guest);
    } else {
        agent_close(&guest->agent);
        guest->agent_error = false;
    }
    domain_event_agent_lifecycle(guest->domain,
                                 guest->agent_connected
                                     ? VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
                                     : VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
                                 VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL);
}

// A device that was unplugged over the monitor is gone from the live definition, too.
static void take_device_deleted(struct guest *guest, const struct json_value *data)
{
    struct error err = {0};
    struct slice alias = json_get_string(data, "device");
    struct xml_node *tree = definition_tree(guest->domain, DEFINITION_LIVE, &err);
    if (!slice_present(alias))
        return;
    XML_EACH (device, xml_child(tree, "devices"), NULL) {
        if (!slice_equal(xml_attr(xml_child(device, "alias"), "name"), alias))
            continue;
        domain_event_device(guest->domain, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, alias);
        xml_remove(device);
        guest_save(guest, tree);
        return;
    }
}

static void take_unplug_error(struct guest *guest, const struct json_value *data)
{
    struct slice alias = json_get_string(data, "device");
    if (slice_present(alias))
        domain_event_device(guest->domain, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, alias);
}

// ---- graphics

static void take_graphics(struct guest *guest, const struct json_value *data, int phase,
                          const char *service)
{
    static const char *const families[] = {"ipv4", "ipv6", "unix"};
    const struct json_value *server = json_get(data, "server"), *client = json_get(data, "client");
    struct slice local = json_get_string(server, "host");
    struct slice remote = json_get_string(client, "host");
    struct slice local_service = json_get_string(server, service);
    struct slice remote_service = json_get_string(client, service);
    struct slice scheme = json_get_string(server, "auth");
    if (!slice_present(local) || !slice_present(remote) || !slice_present(local_service) ||
        !slice_present(remote_service))
        return;
    domain_event_graphics(
        guest->domain, phase,
        number_of(json_get_string(server, "family"), families, COUNT(families), 0), local,
        local_service, number_of(json_get_string(client, "family"), families, COUNT(families), 0),
        remote, remote_service, slice_present(scheme) ? scheme : SLICE(""));
}

static void take_vnc_connected(struct guest *guest, const struct json_value *data)
{
    take_graphics(guest, data, VIR_DOMAIN_EVENT_GRAPHICS_CONNECT, "service");
}

static void take_vnc_initialized(struct guest *guest, const struct json_value *data)
{
    take_graphics(guest, data, VIR_DOMAIN_EVENT_GRAPHICS_INITIALIZE, "service");
}

static void take_vnc_disconnected(struct guest *guest, const struct json_value *data)
{
    take_graphics(guest, data, VIR_DOMAIN_EVENT_GRAPHICS_DISCONNECT, "service");
}

static void take_spice_connected(struct guest *guest, const struct json_value *data)
{
    take_graphics(guest, data, VIR_DOMAIN_EVENT_GRAPHICS_CONNECT, "port");
}

static void take_spice_initialized(struct guest *guest, const struct json_value *data)
{
    take_graphics(guest, data, VIR_DOMAIN_EVENT_GRAPHICS_INITIALIZE, "port");
}

static void take_spice_disconnected(struct guest *guest, const struct json_value *data)
{
    take_graphics(guest, data, VIR_DOMAIN_EVENT_GRAPHICS_DISCONNECT, "port");
}

// ---- dumps

// Only here QEMU says why a dump failed; guest_dump.c looks for its end.
static void take_dump_completed(struct guest *guest, const struct json_value *data)
{
    struct buffer out = buffer_over(guest->dump.failure, sizeof(guest->dump.failure));
    buffer_put(&out, json_get_string(data, "error"));
}

// ---- all of them

static const struct {
    const char *name;
    void (*take)(struct guest *guest, const struct json_value *data);
} events[] = {
    {"BALLOON_CHANGE", take_balloon_change},
    {"BLOCK_IO_ERROR", take_io_error},
    {"DEVICE_DELETED", take_device_deleted},
    {"DEVICE_TRAY_MOVED", take_tray},
    {"DEVICE_UNPLUG_GUEST_ERROR", take_unplug_error},
    {"DUMP_COMPLETED", take_dump_completed},
    {"GUEST_CRASHLOADED", take_crashloaded},
    {"GUEST_PANICKED", take_panic},
    {"RESET", take_reset},
    {"RESUME", take_resume},
    {"RTC_CHANGE", take_rtc_change},
    {"SHUTDOWN", take_shutdown},
    {"SPICE_CONNECTED", take_spice_connected},
    {"SPICE_DISCONNECTED", take_spice_disconnected},
    {"SPICE_INITIALIZED", take_spice_initialized},
    {"STOP", take_stop},
    {"SUSPEND", take_suspend},
    {"SUSPEND_DISK", take_suspend_disk},
    {"VNC_CONNECTED", take_vnc_connected},
    {"VNC_DISCONNECTED", take_vnc_disconnected},
    {"VNC_INITIALIZED", take_vnc_initialized},
    {"VSERPORT_CHANGE", take_port_change},
    {"WAKEUP", take_wakeup},
    {"WATCHDOG", take_watchdog},
};

// virConnectDomainQemuMonitorEventRegister shows each event as it came.
static void show_event(const struct guest *guest, struct slice name,
                       const struct json_value *message)
{
    static char text[DETAILS_SIZE];
    struct buffer out = buffer_over(text, sizeof(text));
    struct json_writer w = json_writer_to(&out);
    const struct json_value *data = json_get(message, "data");
    const struct json_value *time = json_get(message, "timestamp");
    int64_t seconds = -1;
    uint64_t micros = 0;
    json_get_i64(time, "seconds", &seconds);
    json_get_u64(time, "microseconds", &micros);
    if (data)
        json_put_value(&w, NULL, data);
    domain_event_monitor(guest->domain, name, seconds, (uint32_t)micros,
                         !data             ? SLICE_NONE
                         : buffer_ok(&out) ? buffer_slice(&out)
                                           : data->raw);
}

void events_take(struct guest *guest, const struct json_value *message)
{
    struct slice name = json_get_string(message, "event");
    if (guest->being_destroyed || !slice_present(name))
        return; // libvirt sees these when the domain has ended already, and passes them over
    show_event(guest, name, message);
    for (size_t i = 0; i < COUNT(events); i++) {
        if (slice_is(name, events[i].name)) {
            events[i].take(guest, json_get(message, "data"));
            return;
        }
    }
}
