// Starting a guest: from its definition to a running emulator, or back to nothing.
#include "hv/qemu/guest/process.h"

#include "hv/qemu/capabilities/capabilities_cache.h"
#include "hv/qemu/command/command.h"
#include "hv/qemu/guest/cpu_live.h"
#include "hv/qemu/driver.h"
#include "hv/qemu/capabilities/driver_probe.h"
#include "hv/qemu/capabilities/host_model.h"
#include "hv/qemu/guest/process_look.h"
#include "hv/qemu/guest/process_prepare.h"
#include "hv/qemu/guest/process_setup.h"
#include "hv/qemu/guest/security.h"
#include "virt/domain/definition.h"
#include "virt/domain/domain_event.h"
#include "virt/xml/domain_xml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOG_TAIL_SIZE 1024 // libvirt shows that much of the log, too
#define UMASK         0002

struct start {
    struct guest *guest;
    struct worker worker;
    uint64_t log_offset; // what the emulator writes begins here
    struct error error;  // of a start that is being undone
    bool greeted;
    bool by_itself; // it was the emulator that ended
    bool seen_running;
    struct co undo;
    union {
        struct monitor_open open;
        struct monitor_call call;
        struct process_setup setup;
        struct process_kill kill;
        struct cpu_live cpu;
        struct {
            struct buffer out;
            char error[sizeof(struct error) + 1]; // as it lies in memory, and a NUL
        } look;
    };
};

// ---- the live definition

// Everything that is decided before the first wait: from here on the status file is the definition.
static bool make_live(struct hypervisor_op *op, struct guest *guest, struct error *err)
{
    struct domain *domain = op->domain;
    if (!op->document && !definition_tree(domain, DEFINITION_PERSISTENT, err))
        return false;
    struct xml_doc *doc = op->document ? definition_scratch() : definition_doc();
    domain->id = domain_new_id(domain->hypervisor);
    domain_set_state(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP);
    qemu_security_label(doc);
    bool partition = qemu_driver.privileged && port_has_cgroups();
    if (!domain_xml_make_live(doc, domain->id, partition, err) ||
        !qemu_domain_xml_resolve(doc, driver_lookup(), err))
        return false;
    guest_learn(guest, doc->root);
    return xml_ok(doc, err) && definition_write_live(domain, doc->root, err);
}

// A state that libvirtd has saved can not be restored here. It must not survive a start without it:
// given back to libvirtd, the guest would wake up with memory that knows nothing of what its disks
// have become.
static bool settle_saved_state(const struct hypervisor_op *op)
{
    char path[PORT_PATH_MAX];
    struct port_stat stat;
    int len = snprintf(path, sizeof(path), "%s/save/%s.save", qemu_driver.lib, op->domain->name);
    if (!op->domain->persistent || len < 0 || (size_t)len >= sizeof(path) ||
        port_stat(path, &stat) < 0)
        return true;
    if (!(op->flags & VIR_DOMAIN_START_FORCE_BOOT))
        return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                         "libvirtd has saved the domain's state in '%s', which can not be restored "
                         "here; start it with --force-boot to remove that",
                         path);
    int result = port_unlink(path);
    return result == 0 || error_set(op->err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                                    "cannot remove file '%s': %s", path, strerror(-result));
}

static bool begin(struct hypervisor_op *op, struct start *s)
{
    if (!settle_saved_state(op))
        return false;
    s->guest = guest_add(op->domain, op->err);
    if (!s->guest)
        return false;
    s->guest->starting = true;
    return make_live(op, s->guest, op->err);
}

static bool emulator_of(const struct domain *domain, char to[PORT_PATH_MAX], struct error *err)
{
    const struct xml_node *tree = definition_tree(domain, DEFINITION_LIVE, err);
    if (!tree)
        return false;
    if (slice_copy(to, PORT_PATH_MAX, xml_text_at(tree, "devices/emulator")) && to[0])
        return true;
    return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "the domain has no emulator");
}

// For CO_WAIT: true when the capabilities are there, or can not be had.
static bool emulator_probed(struct hypervisor_op *op)
{
    char path[PORT_PATH_MAX];
    return !emulator_of(op->domain, path, op->err) || driver_probed_emulator(path, op->task);
}

// ---- variable stores

static bool begin_nvram(struct hypervisor_op *op, struct start *s)
{
    static struct process_nvram nvram; // the worker has a copy
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    bool reset = op->flags & VIR_DOMAIN_START_RESET_NVRAM;
    return tree && process_needs_nvram(tree, reset, &nvram, op->err) &&
           worker_start(&s->worker, process_make_nvram, &nvram, NULL, op->task, op->err);
}

static void end_nvram(struct hypervisor_op *op, const struct start *s)
{
    if (s->worker.result != 0)
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                  "Failed to make the variable store of the firmware: %s",
                  strerror(s->worker.result));
}

// ---- what has to be looked up

static bool begin_look(struct hypervisor_op *op, struct start *s)
{
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    s->look.out = buffer_over(s->look.error, sizeof(s->look.error));
    return tree && process_needs_look(tree) &&
           worker_start(&s->worker, process_look, op->domain, &s->look.out, op->task, op->err);
}

static void end_look(struct hypervisor_op *op, const struct start *s)
{
    if (s->worker.result == 0) {
        const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
        if (tree)
            guest_learn(s->guest, tree);
    } else if (s->look.out.len == sizeof(*op->err)) {
        memcpy(op->err, s->look.error, sizeof(*op->err));
    } else {
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "the images of the domain's disks can not be looked at");
    }
}

// ---- directories, in a turn of their own: making and giving them away takes a while

static bool make_directories(const struct domain *domain, struct error *err)
{
    char channels[PORT_PATH_MAX];
    const struct xml_node *tree = definition_tree(domain, DEFINITION_LIVE, err);
    if (!tree)
        return false;
    guest_channel_directory(domain, channels);
    bool memory = xml_child(tree, "memoryBacking") || xml_find(tree, "cpu/numa");
    return process_make_guest_directory(domain, memory, err) &&
           process_make_directory(channels, err);
}

// ---- the launch: everything from here to the process in one go

struct launch {
    struct domain *domain;
    struct guest *guest;
    struct xml_doc *doc;
    const struct qemu_capabilities *capabilities;
    struct process_interfaces interfaces;
    struct process_sockets sockets;
    int listener; // for the monitor
    int log;
    char directory[PORT_PATH_MAX], monitor_path[PORT_PATH_MAX];
    struct error *err;
};

static struct qemu_command command;

static bool open_listener(struct launch *l)
{
    l->listener = port_listen_unix(l->monitor_path, 0600, (uint32_t)-1);
    if (l->listener >= 0)
        return true;
    return error_set(l->err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                     "cannot create the monitor's socket %s: %s", l->monitor_path,
                     strerror(-l->listener));
}

static bool build(struct launch *l)
{
    struct qemu_command_context context = {
        .capabilities = l->capabilities,
        .settings = &qemu_driver.settings,
        .privileged = qemu_driver.privileged,
        .state_dir = l->directory,
        .monitor_fd = l->listener,
        .monitor_path = l->monitor_path,
        .interfaces = l->interfaces.fds,
        .interface_count = l->interfaces.count,
        .listen = process_listen,
        .data = &l->sockets,
        .now = port_time_us() / 1000000,
    };
    return qemu_command_build(&command, l->doc->root, &context, l->err);
}

static void write_log_header(struct launch *l)
{
    static char text[CONFIG_QEMU_COMMAND_TEXT + 4096];
    struct buffer out = buffer_over(text, sizeof(text));
    char host[256] = "";
    uint32_t version = l->capabilities->version;
    port_hostname(host, sizeof(host));
    process_log_line(l->domain,
                     "starting up nanovirt version: %s, qemu version: %u.%u.%u%.*s, hostname: %s",
                     NANOVIRT_VERSION, version / 1000000 % 1000, version / 1000 % 1000,
                     version % 1000, SLICE_ARG(l->capabilities->package), host);
    qemu_command_print(&out, &command);
    buffer_puts(&out, "\n");
    process_log_write(l->domain, buffer_slice(&out));
}

// On disk before the emulator runs: one that was not noted would never be found again.
static bool note_process(void *argument, int pid)
{
    struct launch *l = argument;
    l->guest->pid = pid;
    port_process_start(pid, &l->guest->start);
    return definition_write_live(l->domain, l->doc->root, l->err);
}

static bool spawn(struct launch *l)
{
    int keep[1 + 2 * INTERFACES_MAX + SOCKETS_MAX];
    size_t count = 0;
    keep[count++] = l->listener;
    for (size_t i = 0; i < l->interfaces.count; i++) {
        if (l->interfaces.fds[i].tap >= 0)
            keep[count++] = l->interfaces.fds[i].tap;
        if (l->interfaces.fds[i].vhost >= 0)
            keep[count++] = l->interfaces.fds[i].vhost;
    }
    for (size_t i = 0; i < l->sockets.count; i++)
        keep[count++] = l->sockets.fds[i];
    struct port_spawn how = {
        .argv = command.args,
        .environment = command.environment,
        .in = -1,
        .out = l->log,
        .err = l->log,
        .keep = keep,
        .keep_count = count,
        .session = true,
        .identity = qemu_driver.privileged,
        .uid = qemu_driver.uid,
        .gid = qemu_driver.gid,
        .mask = UMASK,
        .limit_locked_memory = xml_find(l->doc->root, "memoryBacking/locked") ? UINT64_MAX : 0,
        .limit_core = qemu_driver.settings.max_core,
        .limit_processes = qemu_driver.settings.max_processes,
        .limit_files = qemu_driver.settings.max_files,
        .note = note_process,
        .argument = l,
    };
    bool started = child_start(&l->guest->child, &how, NULL, l->err);
    if (!started)
        l->guest->pid = 0;
    return started;
}

static bool connect_monitor(struct launch *l)
{
    int fd = port_connect_unix(l->monitor_path);
    if (fd < 0)
        return error_set(l->err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                         "failed to connect to monitor socket: %s", strerror(-fd));
    monitor_start(&l->guest->monitor, fd, &process_monitor_owner, l->domain->name);
    return true;
}

// libvirt (qemuDomainObjCheckTaint), as far as there are such things here.
static void note_taints(struct launch *l)
{
    const struct xml_node *root = l->doc->root;
    if (qemu_driver.privileged && (qemu_driver.uid == 0 || qemu_driver.gid == 0))
        guest_taint(l->guest, DOMAIN_TAINT_HIGH_PRIVILEGES);
    if (xml_find(root, "qemu:commandline/qemu:arg") || xml_find(root, "qemu:commandline/qemu:env"))
        guest_taint(l->guest, DOMAIN_TAINT_CUSTOM_ARGV);
    if (xml_child(root, "qemu:override"))
        guest_taint(l->guest, DOMAIN_TAINT_CUSTOM_DEVICE);
    if (xml_child(root, "qemu:capabilities"))
        guest_taint(l->guest, DOMAIN_TAINT_CUSTOM_HYPERVISOR_FEATURE);
    if (xml_find(root, "os/dtb"))
        guest_taint(l->guest, DOMAIN_TAINT_CUSTOM_DTB);
}

static bool open_log(struct launch *l, uint64_t *offset)
{
    write_log_header(l);
    note_taints(l);
    *offset = process_log_size(l->domain);
    l->log = process_log_open(l->domain);
    if (l->log >= 0)
        return true;
    return error_set(l->err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR, "failed to create logfile: %s",
                     strerror(-l->log));
}

static bool read_definition(struct launch *l)
{
    char emulator[PORT_PATH_MAX];
    if (!emulator_of(l->domain, emulator, l->err))
        return false;
    l->doc = definition_doc();
    l->capabilities = qemu_cache_get(emulator);
    return l->capabilities || qemu_cache_refuse(emulator, l->err);
}

static bool launch_steps(struct launch *l, uint64_t *log_offset)
{
    guest_directory(l->domain, l->directory);
    guest_file(l->domain, "monitor.sock", l->monitor_path);
    if (!read_definition(l) || !process_prepare_graphics(l->guest, l->doc, l->err) ||
        !process_open_interfaces(&l->interfaces, l->doc, l->err))
        return false;
    qemu_cpu_update(l->doc, l->doc->root, l->capabilities);
    domain_xml_order(l->doc);
    return xml_ok(l->doc, l->err) && open_listener(l) && build(l) &&
           process_prepare_files(l->domain, &command, l->err) && open_log(l, log_offset) &&
           spawn(l) && connect_monitor(l);
}

static void launch(struct hypervisor_op *op, struct start *s)
{
    static struct launch l; // large, and over before anything is waited for
    memset(&l, 0, sizeof(l));
    l.domain = op->domain;
    l.guest = s->guest;
    l.listener = l.log = -1;
    l.err = op->err;
    launch_steps(&l, &s->log_offset);
    process_close_interfaces(&l.interfaces);
    process_close_sockets(&l.sockets);
    port_close(l.listener);
    port_close(l.log);
}

// ---- the end of a start

static void tell_started(struct hypervisor_op *op, struct guest *guest)
{
    struct domain *domain = op->domain;
    bool paused = op->flags & VIR_DOMAIN_START_PAUSED;
    guest->starting = false;
    if (paused)
        domain_set_state(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
    guest_save(guest, NULL);
    domain_event_lifecycle(domain, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED);
    if (paused)
        domain_event_lifecycle(domain, VIR_DOMAIN_EVENT_SUSPENDED,
                               VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
}

// What an emulator that ended by itself wrote last is the cause.
static void tell_log(struct hypervisor_op *op, const struct start *s)
{
    char tail[LOG_TAIL_SIZE / 2];
    struct slice text = process_log_tail(op->domain, s->log_offset, tail, sizeof(tail));
    error_clear(&op->err[0]);
    error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s%s%.*s",
              s->greeted ? "qemu unexpectedly closed the monitor"
                         : "process exited while connecting to monitor",
              text.len ? ": " : "", SLICE_ARG(text));
}

static bool ended_by_itself(const struct guest *guest)
{
    return guest->pid && (guest->monitor.phase == MONITOR_ENDED || process_gone(guest));
}

static enum co_status undo(struct hypervisor_op *op, struct start *s, struct co *co)
{
    CO_BEGIN(co);
    memset(&s->kill, 0, sizeof(s->kill));
    s->by_itself = ended_by_itself(s->guest);
    s->guest->being_destroyed = true; // what it tells of its end is told by the error
    CO_CALL(co, process_kill(&s->kill, s->guest, op->task, true, &s->error));
    if (s->by_itself)
        tell_log(op, s);
    s->seen_running = op->domain->state == VIR_DOMAIN_RUNNING;
    process_stop(s->guest, VIR_DOMAIN_SHUTOFF_FAILED);
    if (s->seen_running) // so clients were told, before the start was over
        domain_event_lifecycle(op->domain, VIR_DOMAIN_EVENT_STOPPED,
                               VIR_DOMAIN_EVENT_STOPPED_FAILED);
    CO_END(co);
}

enum co_status process_start_op(struct hypervisor_op *op)
{
    struct start *s = HYPERVISOR_STATE(op, struct start);
    CO_BEGIN(&op->co);
    if (!begin(op, s))
        goto out;
    CO_WAIT(&op->co, emulator_probed(op));
    if (error_is_set(op->err))
        goto out;
    if (begin_nvram(op, s)) {
        CO_WAIT(&op->co, worker_done(&s->worker));
        end_nvram(op, s);
    }
    if (!error_is_set(op->err) && begin_look(op, s)) {
        CO_WAIT(&op->co, worker_done(&s->worker));
        end_look(op, s);
    }
    if (error_is_set(op->err) || !make_directories(op->domain, op->err))
        goto out;
    CO_YIELD(&op->co, op->task);
    launch(op, s);
    if (error_is_set(op->err))
        goto out;
    CO_YIELD(&op->co, op->task);
    memset(&s->open, 0, sizeof(s->open));
    CO_CALL(&op->co, monitor_open(&s->open, &s->guest->monitor, op->task, op->err));
    s->greeted = !error_is_set(op->err);
    if (!s->greeted)
        goto out;
    memset(&s->setup, 0, sizeof(s->setup));
    CO_CALL(&op->co, process_refresh(&s->setup, s->guest, op->task, true, op->err));
    if (error_is_set(op->err))
        goto out;
    memset(&s->cpu, 0, sizeof(s->cpu));
    CO_CALL(&op->co, cpu_live_update(&s->cpu, s->guest, op->task, op->err));
    if (error_is_set(op->err))
        goto out;
    memset(&s->setup, 0, sizeof(s->setup));
    CO_CALL(&op->co, process_configure(&s->setup, s->guest, op->task, op->err));
    if (!error_is_set(op->err) && !(op->flags & VIR_DOMAIN_START_PAUSED)) {
        memset(&s->call, 0, sizeof(s->call));
        CO_CALL(&op->co,
                process_run_cpus(&s->call, s->guest, op->task, VIR_DOMAIN_RUNNING_BOOTED, op->err));
    }
    if (!error_is_set(op->err)) {
        tell_started(op, s->guest);
        CO_RETURN(&op->co);
    }
out:
    if (s->guest) {
        s->undo = (struct co){0};
        CO_CALL(&op->co, undo(op, s, &s->undo));
    }
    CO_END(&op->co);
}
