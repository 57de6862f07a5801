// The conversation with an emulator that has just started, or was found running.
#include "hv/qemu/guest/process_setup.h"

#include "core/log.h"
#include "hv/qemu/driver.h"
#include "hv/qemu/guest/guest_agent.h"
#include "hv/qemu/guest/guest_ops.h"
#include "hv/qemu/guest/process.h"
#include "hv/qemu/guest/process_throttle.h"
#include "virt/domain/cpuset.h"
#include "virt/domain/definition.h"
#include "virt/domain/domain_event.h"
#include "virt/xml/domain_xml.h"

#include <string.h>

#define AGENT_CHANNEL "org.qemu.guest_agent.0"

// ---- character devices

// The chardev of a device in the answer of query-chardev: its label is "char" and the alias.
static const struct json_value *chardev_of(const struct json_value *chardevs,
                                           const struct xml_node *device)
{
    struct slice alias = xml_attr(xml_child(device, "alias"), "name");
    if (!slice_present(alias) || chardevs->kind != JSON_ARRAY)
        return NULL;
    for (const struct json_value *chardev = chardevs->child; chardev; chardev = chardev->next) {
        struct slice label = json_get_string(chardev, "label");
        if (slice_starts(label, "char") && slice_equal(slice_from(label, 4), alias))
            return chardev;
    }
    return NULL;
}

static bool note_pty(struct xml_doc *doc, struct xml_node *device,
                     const struct json_value *chardevs, struct error *err)
{
    struct slice file = json_get_string(chardev_of(chardevs, device), "filename");
    if (!xml_attr_is(device, "type", "pty"))
        return true;
    if (!slice_starts(file, "pty:"))
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "no assigned pty for device char%.*s",
                         SLICE_ARG(xml_attr(xml_child(device, "alias"), "name")));
    struct slice path = slice_from(file, 4);
    xml_set(doc, xml_need(doc, device, "source"), "path", path);
    return true;
}

// The first console may be another name of the first serial port.
static bool mirrors_serial(const struct xml_node *console, const struct xml_node *devices)
{
    return console == xml_child(devices, "console") && xml_child(devices, "serial") &&
           xml_attr_is(xml_child(console, "target"), "type", "serial");
}

static void mirror_serial(struct xml_doc *doc, struct xml_node *console,
                          const struct xml_node *serial)
{
    struct slice path = xml_attr(xml_child(serial, "source"), "path");
    if (!xml_attr_is(serial, "type", "pty") || !slice_present(path))
        return;
    xml_set(doc, xml_need(doc, console, "source"), "path", path);
    xml_set(doc, console, "tty", path);
}

static bool note_ptys(struct xml_doc *doc, struct xml_node *devices,
                      const struct json_value *chardevs, struct error *err)
{
    static const char *const kinds[] = {"serial", "parallel", "channel", "console"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        XML_EACH (device, devices, kinds[i]) {
            if (xml_named(device, "console") && mirrors_serial(device, devices))
                mirror_serial(doc, device, xml_child(devices, "serial"));
            else if (!note_pty(doc, device, chardevs, err))
                return false;
        }
    }
    return true;
}

// Whether the guest has a virtio channel's port open.
static void note_channels(struct guest *guest, struct xml_doc *doc, struct xml_node *devices,
                          const struct json_value *chardevs, bool started)
{
    XML_EACH (channel, devices, "channel") {
        struct xml_node *target = xml_child(channel, "target");
        const struct json_value *chardev = chardev_of(chardevs, channel);
        if (!xml_attr_is(target, "type", "virtio") || !json_get(chardev, "frontend-open"))
            continue;
        bool open = json_get_bool(chardev, "frontend-open", false);
        xml_sets(doc, target, "state", open ? "connected" : "disconnected");
        if (!xml_attr_is(target, "name", AGENT_CHANNEL))
            continue;
        guest->agent_connected = open;
        domain_event_agent_lifecycle(
            guest->domain,
            open ? VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
                 : VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
            started ? VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_DOMAIN_STARTED
                    : VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL);
    }
}

// A guest that runs already has a definition in its status file, a little older: better that than
// no guest, where nothing can be written.
static bool keep_definition(struct guest *guest, struct xml_node *tree, bool started,
                            struct error *err)
{
    if (definition_write_live(guest->domain, tree, err))
        return true;
    if (started)
        return false;
    log_warning("qemu", "%s: its status stays as it was: %s", guest->domain->name, err->message);
    error_clear(err);
    return true;
}

static bool take_chardevs(struct guest *guest, const struct json_value *chardevs, bool started,
                          struct error *err)
{
    struct xml_node *tree = definition_tree(guest->domain, DEFINITION_LIVE, err);
    struct xml_doc *doc = definition_doc();
    struct xml_node *devices = xml_child(tree, "devices");
    if (!tree || !note_ptys(doc, devices, chardevs, err))
        return false;
    note_channels(guest, doc, devices, chardevs, started);
    domain_xml_order(doc);
    return xml_ok(doc, err) && keep_definition(guest, tree, started, err);
}

// ---- processors, the balloon

void process_take_cpus(struct guest *guest, const struct json_value *cpus)
{
    guest->vcpu_count = 0;
    memset(guest->vcpu_threads, 0, sizeof(guest->vcpu_threads));
    if (cpus->kind != JSON_ARRAY)
        return;
    for (const struct json_value *cpu = cpus->child; cpu; cpu = cpu->next) {
        uint64_t index, thread;
        if (!json_get_u64(cpu, "cpu-index", &index) || !json_get_u64(cpu, "thread-id", &thread) ||
            index >= CONFIG_QEMU_VCPUS || thread > INT32_MAX)
            continue;
        guest->vcpu_threads[index] = (int32_t)thread;
        if (guest->vcpu_count <= index)
            guest->vcpu_count = (uint32_t)index + 1;
    }
}

// The <vcpupin> of a processor.
static struct slice pin_of(const struct xml_node *tree, uint32_t vcpu)
{
    XML_EACH (pin, xml_child(tree, "cputune"), "vcpupin") {
        uint32_t number;
        if (slice_u32(xml_attr(pin, "vcpu"), 10, &number) && number == vcpu)
            return xml_attr(pin, "cpuset");
    }
    return SLICE_NONE;
}

// Binds a thread, or the emulator, as its own pin says, or else as <vcpu cpuset='...'>.
static bool pin(const struct guest *guest, int vcpu, struct slice own, struct slice common,
                struct error *err)
{
    struct port_cpuset set;
    struct slice text = slice_present(own) ? own : common;
    return !slice_present(text) || !cpuset_parse(text, &set) ||
           guest_pin(guest->domain, vcpu, &set, err);
}

static bool pin_all(const struct guest *guest, struct error *err)
{
    const struct xml_node *tree = definition_tree(guest->domain, DEFINITION_LIVE, err);
    struct slice common = xml_attr(xml_child(tree, "vcpu"), "cpuset");
    if (!tree || !pin(guest, HYPERVISOR_EMULATOR,
                      xml_attr_at(tree, "cputune/emulatorpin", "cpuset"), common, err))
        return false;
    for (uint32_t i = 0; i < guest->vcpu_count; i++)
        if (guest->vcpu_threads[i] > 0 && !pin(guest, (int)i, pin_of(tree, i), common, err))
            return false;
    return true;
}

static void take_balloon(struct guest *guest, const struct json_value *result)
{
    uint64_t bytes;
    if (json_get_u64(result, "actual", &bytes))
        guest->balloon_kib = bytes / 1024;
}

#define ASK(command)                                                                               \
    do {                                                                                           \
        memset(&s->call, 0, sizeof(s->call));                                                      \
        CO_CALL(&s->co,                                                                            \
                monitor_command(&s->call, &guest->monitor, task, command, SLICE_NONE, err));       \
        if (error_is_set(err))                                                                     \
            CO_RETURN(&s->co);                                                                     \
    } while (0)

enum co_status process_refresh(struct process_setup *s, struct guest *guest, struct task *task,
                               bool started, struct error *err)
{
    CO_BEGIN(&s->co);
    ASK("query-chardev");
    if (!take_chardevs(guest, s->call.result, started, err))
        CO_RETURN(&s->co);
    guest_agent_connect(guest);
    ASK("query-cpus-fast");
    process_take_cpus(guest, s->call.result);
    if (started && !pin_all(guest, err))
        CO_RETURN(&s->co);
    if (guest->balloon && !started) {
        ASK("query-balloon");
        take_balloon(guest, s->call.result);
    }
    CO_END(&s->co);
}

// ---- passwords

// "2010-04-09T15:51:00" in seconds since 1970 (days from the civil date: H. Hinnant's algorithm).
static bool parse_time(struct slice text, int64_t *seconds)
{
    char copy[32];
    int parts[6];
    static const unsigned char at[6] = {0, 5, 8, 11, 14, 17}, len[6] = {4, 2, 2, 2, 2, 2};
    if (!slice_copy(copy, sizeof(copy), text) || text.len < 19)
        return false;
    for (size_t i = 0; i < 6; i++) {
        uint32_t value;
        if (!slice_u32((struct slice){copy + at[i], len[i]}, 10, &value))
            return false;
        parts[i] = (int)value;
    }
    int64_t year = parts[0] - (parts[1] <= 2);
    int64_t era = year / 400, year_of_era = year % 400;
    int64_t day_of_year = (153 * (parts[1] + (parts[1] > 2 ? -3 : 9)) + 2) / 5 + parts[2] - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    int64_t days = era * 146097 + day_of_era - 719468;
    *seconds = ((days * 24 + parts[3]) * 60 + parts[4]) * 60 + parts[5];
    return true;
}

// The n-th graphics that has a password, its own or that of qemu.conf.
static const struct xml_node *graphics_with_password(const struct guest *guest, unsigned index,
                                                     struct slice *password, struct error *err)
{
    const struct qemu_settings *settings = &qemu_driver.settings;
    const struct xml_node *tree = definition_tree(guest->domain, DEFINITION_LIVE, err);
    unsigned at = 0;
    XML_EACH (graphics, xml_child(tree, "devices"), "graphics") {
        bool vnc = xml_attr_is(graphics, "type", "vnc");
        if (!vnc && !xml_attr_is(graphics, "type", "spice"))
            continue;
        *password = xml_attr(graphics, "passwd");
        if (!slice_present(*password))
            *password = slice_of(vnc ? settings->vnc_password : settings->spice_password);
        if (password->len && at++ == index)
            return graphics;
    }
    return NULL;
}

static struct slice password_arguments(const struct guest *guest, unsigned index, bool expiry)
{
    static char text[2048];
    struct error err = {0};
    struct slice password;
    struct buffer out = buffer_over(text, sizeof(text));
    struct json_writer w = json_writer_to(&out);
    const struct xml_node *graphics = graphics_with_password(guest, index, &password, &err);
    int64_t seconds;
    json_open_object(&w, NULL);
    json_put_string(&w, "protocol", xml_attr(graphics, "type"));
    if (expiry && parse_time(xml_attr(graphics, "passwdValidTo"), &seconds))
        json_putf(&w, "time", "%lld", (long long)seconds);
    else if (expiry)
        json_puts(&w, "time", "never");
    else
        json_put_string(&w, "password", password);
    if (!expiry && slice_present(xml_attr(graphics, "connected")))
        json_put_string(&w, "connected", xml_attr(graphics, "connected"));
    json_close_object(&w);
    return buffer_slice(&out);
}

static bool has_password(const struct guest *guest, unsigned index)
{
    struct error err = {0};
    struct slice password;
    return graphics_with_password(guest, index, &password, &err) != NULL;
}

#define TELL(command, arguments)                                                                   \
    do {                                                                                           \
        memset(&s->call, 0, sizeof(s->call));                                                      \
        CO_CALL(&s->inner,                                                                         \
                monitor_command(&s->call, &guest->monitor, task, command, arguments, err));        \
        if (error_is_set(err))                                                                     \
            CO_RETURN(&s->inner);                                                                  \
    } while (0)

static enum co_status set_passwords(struct process_setup *s, struct guest *guest, struct task *task,
                                    struct error *err)
{
    CO_BEGIN(&s->inner);
    for (s->index = 0; has_password(guest, s->index); s->index++) {
        TELL("set_password", password_arguments(guest, s->index, false));
        TELL("expire_password", password_arguments(guest, s->index, true));
    }
    CO_END(&s->inner);
}

// ---- links

// The n-th interface whose link is down: the arguments of set_link; absent behind the last one.
static struct slice link_arguments(const struct guest *guest, unsigned index)
{
    struct error err = {0};
    const struct xml_node *tree = definition_tree(guest->domain, DEFINITION_LIVE, &err);
    unsigned at = 0;
    XML_EACH (interface, xml_child(tree, "devices"), "interface") {
        if (!xml_attr_is(xml_child(interface, "link"), "state", "down") || at++ != index)
            continue;
        struct slice alias = xml_attr(xml_child(interface, "alias"), "name");
        return monitor_args("{\"name\":\"%.*s\",\"up\":false}", SLICE_ARG(alias));
    }
    return SLICE_NONE;
}

static enum co_status set_links(struct process_setup *s, struct guest *guest, struct task *task,
                                struct error *err)
{
    CO_BEGIN(&s->inner);
    for (s->index = 0; slice_present(link_arguments(guest, s->index)); s->index++)
        TELL("set_link", link_arguments(guest, s->index));
    CO_END(&s->inner);
}

// ---- disks

static struct slice throttle_arguments(const struct guest *guest, unsigned index)
{
    struct error err = {0};
    return process_throttle_arguments(definition_tree(guest->domain, DEFINITION_LIVE, &err), index);
}

static enum co_status set_throttles(struct process_setup *s, struct guest *guest, struct task *task,
                                    struct error *err)
{
    CO_BEGIN(&s->inner);
    for (s->index = 0; slice_present(throttle_arguments(guest, s->index)); s->index++)
        TELL("block_set_io_throttle", throttle_arguments(guest, s->index));
    CO_END(&s->inner);
}

// ---- the balloon

static uint64_t stats_period(const struct guest *guest)
{
    struct error err = {0};
    uint64_t period = 0;
    const struct xml_node *tree = definition_tree(guest->domain, DEFINITION_LIVE, &err);
    slice_u64(xml_attr_at(tree, "devices/memballoon/stats", "period"), 10, &period);
    return period;
}

static enum co_status set_balloon(struct process_setup *s, struct guest *guest, struct task *task,
                                  struct error *err)
{
    CO_BEGIN(&s->inner);
    if (!guest->balloon)
        CO_RETURN(&s->inner);
    if (stats_period(guest) > 0)
        TELL("qom-set", monitor_args("{\"path\":\"/machine/peripheral/balloon0\",\"property\":"
                                     "\"guest-stats-polling-interval\",\"value\":%llu}",
                                     (unsigned long long)stats_period(guest)));
    TELL("balloon",
         monitor_args("{\"value\":%llu}", (unsigned long long)guest->balloon_kib * 1024));
    TELL("query-balloon", SLICE_NONE);
    take_balloon(guest, s->call.result);
    CO_END(&s->inner);
}

// ---- all of it

// libvirt (qemuProcessSetupLifecycleActions): a reboot that destroys is a shutdown to QEMU.
#define ACTIONS "{\"reboot\":\"shutdown\"}"

enum co_status process_configure(struct process_setup *s, struct guest *guest, struct task *task,
                                 struct error *err)
{
    CO_BEGIN(&s->co);
    CO_CALL(&s->co, set_passwords(s, guest, task, err));
    if (!error_is_set(err))
        CO_CALL(&s->co, set_links(s, guest, task, err));
    if (!error_is_set(err))
        CO_CALL(&s->co, set_throttles(s, guest, task, err));
    if (!error_is_set(err))
        CO_CALL(&s->co, set_balloon(s, guest, task, err));
    if (!error_is_set(err) && guest->on_reboot == GUEST_DESTROY) {
        memset(&s->call, 0, sizeof(s->call));
        CO_CALL(&s->co, monitor_command(&s->call, &guest->monitor, task, "set-action",
                                        SLICE(ACTIONS), err));
    }
    CO_END(&s->co);
}

// ---- running and pausing

enum co_status process_run_cpus(struct monitor_call *call, struct guest *guest, struct task *task,
                                int reason, struct error *err)
{
    if (call->co.line == 0)
        guest->running_reason = (int16_t)reason;
    enum co_status status = monitor_command(call, &guest->monitor, task, "cont", SLICE_NONE, err);
    if (status == CO_DONE && error_is_set(err))
        guest->running_reason = VIR_DOMAIN_RUNNING_UNKNOWN;
    return status;
}

enum co_status process_stop_cpus(struct monitor_call *call, struct guest *guest, struct task *task,
                                 int reason, struct error *err)
{
    if (call->co.line == 0)
        guest->paused_reason = (int16_t)reason;
    enum co_status status = monitor_command(call, &guest->monitor, task, "stop", SLICE_NONE, err);
    if (status == CO_DONE && error_is_set(err))
        guest->paused_reason = VIR_DOMAIN_PAUSED_UNKNOWN;
    return status;
}
