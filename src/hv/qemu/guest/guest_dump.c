// Operation: a guest's memory written to a file, by QEMU's own dump or as a migration that nobody
// receives. The file is opened here and given to QEMU, which could not open it.
#include "hv/qemu/guest/guest_ops.h"
#include "hv/qemu/guest/process.h"
#include "hv/qemu/guest/process_setup.h"

#include "core/child.h"

#include <errno.h>
#include <string.h>

#define FD_NAME "dump"
#define POLL_NS (50 * NS_PER_SEC / 1000)
// libvirt's (QEMU_DOMAIN_MIG_BANDWIDTH_MAX): bytes a second, as many as QEMU takes.
#define BANDWIDTH "{\"max-bandwidth\":9223372036853727232}"

struct dump {
    struct co co;
    struct guest *guest;
    struct pause pause;
    int fd; // of the file; 0: not open
    bool was_running;
    bool cancelling;
    bool ended;
    struct error resume_error;
    union {
        struct monitor_call call;
        struct process_kill kill;
        struct worker worker;
    };
};

// In the order of virDomainCoreDumpFormat, in QEMU's words.
static const char *const formats[] = {"elf", "kdump-zlib", "kdump-lzo", "kdump-snappy", "win-dmp"};

static bool is_memory_only(const struct hypervisor_op *op)
{
    return op->flags & VIR_DUMP_MEMORY_ONLY;
}

// ---- the file. Emptying or removing one as large as a guest takes longer than a turn of the loop.

static char path[PORT_PATH_MAX]; // the worker has a copy

static int make_empty(void *argument, int out)
{
    (void)argument, (void)out;
    int fd = port_open(path, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_TRUNCATE, 0600);
    port_close(fd);
    return fd < 0 ? -fd : 0;
}

static int remove_file(void *argument, int out)
{
    (void)argument, (void)out;
    return port_unlink(path) < 0;
}

static bool begin_work(struct hypervisor_op *op, struct dump *s, int (*work)(void *, int))
{
    struct error ignored = {0};
    return slice_copy(path, sizeof(path), op->dump.path) &&
           worker_start(&s->worker, work, NULL, NULL, op->task, &ignored);
}

static bool open_file(struct hypervisor_op *op, struct dump *s, int result)
{
    int fd = -result;
    if (result == 0 && slice_copy(path, sizeof(path), op->dump.path))
        fd = port_open(path, PORT_OPEN_WRITE, 0);
    if (fd < 0)
        return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                         "Failed to create file '%.*s': %s", SLICE_ARG(op->dump.path),
                         strerror(-fd));
    port_make_blocking(fd, true);
    s->fd = fd;
    return true;
}

static enum co_status make_file(struct hypervisor_op *op, struct dump *s)
{
    CO_BEGIN(&s->co);
    if (!begin_work(op, s, make_empty)) {
        open_file(op, s, ENAMETOOLONG);
        CO_RETURN(&s->co);
    }
    CO_WAIT(&s->co, worker_done(&s->worker));
    open_file(op, s, s->worker.result);
    CO_END(&s->co);
}

// What is not whole is of no use.
static enum co_status close_file(struct hypervisor_op *op, struct dump *s)
{
    CO_BEGIN(&s->co);
    if (!s->fd)
        CO_RETURN(&s->co);
    port_close(s->fd);
    s->fd = 0;
    if (!error_is_set(op->err) || !begin_work(op, s, remove_file))
        CO_RETURN(&s->co);
    CO_WAIT(&s->co, worker_done(&s->worker));
    CO_END(&s->co);
}

static bool begin(struct hypervisor_op *op, struct dump *s)
{
    s->guest = guest_need(op->domain, op->err);
    s->was_running = op->domain->state == VIR_DOMAIN_RUNNING;
    return s->guest != NULL;
}

static bool is_ours(const struct hypervisor_op *op, const struct dump *s)
{
    return guest_of(op->domain) == s->guest;
}

// What QEMU was told once is not looked at again: the call is zeroed before each command.
static enum co_status tell(struct hypervisor_op *op, struct dump *s, const char *command,
                           struct slice arguments)
{
    return monitor_command(&s->call, &s->guest->monitor, op->task, command, arguments, op->err);
}

#define TELL(...)                                                                                  \
    do {                                                                                           \
        if (!error_is_set(op->err)) {                                                              \
            memset(&s->call, 0, sizeof(s->call));                                                  \
            CO_CALL(&s->co, tell(op, s, __VA_ARGS__));                                             \
        }                                                                                          \
    } while (0)

// ---- what is asked for

static bool knows_format(const struct dump *s, const char *format)
{
    const struct json_value *list = json_get(s->call.result, "formats");
    for (const struct json_value *at = list ? list->child : NULL; at; at = at->next)
        if (slice_is(json_string(at), format))
            return true;
    return false;
}

static void check_format(struct hypervisor_op *op, const struct dump *s)
{
    const char *format = formats[op->dump.format];
    if (!error_is_set(op->err) && !knows_format(s, format))
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                  "unsupported dumpformat '%s' for this QEMU binary", format);
}

static struct slice dump_arguments(const struct hypervisor_op *op)
{
    return monitor_args("{\"paging\":false,\"protocol\":\"fd:" FD_NAME "\",\"detach\":true%s%s%s}",
                        op->dump.format ? ",\"format\":\"" : "",
                        op->dump.format ? formats[op->dump.format] : "",
                        op->dump.format ? "\"" : "");
}

// ---- how far it is

static void take_progress(struct guest *guest, const struct json_value *told, const char *total,
                          const char *done)
{
    json_get_u64(told, total, &guest->dump.total);
    json_get_u64(told, done, &guest->dump.done);
}

static void look_at_dump(struct hypervisor_op *op, struct dump *s)
{
    struct slice status = json_get_string(s->call.result, "status");
    take_progress(s->guest, s->call.result, "total", "completed");
    s->ended = !slice_is(status, "active");
    if (s->ended && !slice_is(status, "completed"))
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "memory-only dump failed%s%s",
                  s->guest->dump.failure[0] ? ": " : " for unknown reason", s->guest->dump.failure);
}

static void look_at_migration(struct hypervisor_op *op, struct dump *s)
{
    struct slice status = json_get_string(s->call.result, "status");
    const struct json_value *ram = json_get(s->call.result, "ram");
    take_progress(s->guest, ram, "total", "transferred");
    s->ended = slice_is(status, "completed") || slice_is(status, "failed") ||
               slice_is(status, "cancelled");
    // Who aborts it is answered before QEMU hears of it, and it may end in between.
    if (s->ended && (slice_is(status, "cancelled") || s->guest->dump.aborted))
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_ABORTED,
                  "job 'domain core dump' canceled by client");
    else if (slice_is(status, "failed"))
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                  "job 'domain core dump' unexpectedly failed");
}

static void look(struct hypervisor_op *op, struct dump *s)
{
    if (error_is_set(op->err) || !is_ours(op, s))
        s->ended = true;
    else if (is_memory_only(op))
        look_at_dump(op, s);
    else
        look_at_migration(op, s);
}

static bool begins_to_cancel(struct dump *s)
{
    bool begins = s->guest->dump.aborted && !s->cancelling && !s->ended;
    s->cancelling = s->cancelling || begins;
    return begins;
}

static enum co_status wait_for_end(struct hypervisor_op *op, struct dump *s)
{
    CO_BEGIN(&s->co);
    while (!s->ended && !error_is_set(op->err)) {
        pause_start(&s->pause, op->task, POLL_NS);
        CO_WAIT(&s->co, s->pause.over);
        TELL(is_memory_only(op) ? "query-dump" : "query-migrate", SLICE_NONE);
        look(op, s);
        if (!error_is_set(op->err) && begins_to_cancel(s))
            TELL("migrate_cancel", SLICE_NONE);
    }
    CO_END(&s->co);
}

// ---- the dump itself

static void note_begin(struct hypervisor_op *op, struct dump *s)
{
    s->guest->dump.active = true;
    s->guest->dump.aborted = false;
    s->guest->dump.failure[0] = '\0';
    s->guest->dump.memory_only = is_memory_only(op);
    s->guest->dump.since = loop_now();
    s->guest->dump.total = s->guest->dump.done = 0;
}

static enum co_status give_file(struct hypervisor_op *op, struct dump *s)
{
    CO_BEGIN(&s->co);
    memset(&s->call, 0, sizeof(s->call));
    s->call.with_fd = true;
    s->call.fd = s->fd;
    CO_CALL(&s->co, tell(op, s, "getfd", SLICE("{\"fdname\":\"" FD_NAME "\"}")));
    CO_END(&s->co);
}

static enum co_status begin_dump(struct hypervisor_op *op, struct dump *s)
{
    CO_BEGIN(&s->co);
    if (is_memory_only(op)) {
        TELL("dump-guest-memory", dump_arguments(op));
    } else {
        TELL("migrate-set-parameters", SLICE(BANDWIDTH));
        TELL("migrate", SLICE("{\"detach\":true,\"uri\":\"fd:" FD_NAME "\"}"));
    }
    CO_END(&s->co);
}

static enum co_status ask_format(struct hypervisor_op *op, struct dump *s)
{
    CO_BEGIN(&s->co);
    if (!is_memory_only(op) && op->dump.format)
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED,
                  "kdump-compressed format is only supported with memory-only dump");
    if (is_memory_only(op) && op->dump.format) {
        TELL("query-dump-guest-memory-capability", SLICE_NONE);
        check_format(op, s);
    }
    CO_END(&s->co);
}

// ---- what comes after it

// Whatever happened, a guest that ran goes on; the first error is the one that is told.
static enum co_status go_on(struct hypervisor_op *op, struct dump *s)
{
    CO_BEGIN(&s->co);
    if (op->flags & VIR_DUMP_RESET)
        TELL("system_reset", SLICE_NONE);
    if (!s->was_running || !is_ours(op, s))
        CO_RETURN(&s->co);
    memset(&s->call, 0, sizeof(s->call));
    CO_CALL(&s->co, process_run_cpus(&s->call, s->guest, op->task, VIR_DOMAIN_RUNNING_UNPAUSED,
                                     &s->resume_error));
    if (error_is_set(&s->resume_error) && !error_is_set(op->err))
        *op->err = s->resume_error;
    CO_END(&s->co);
}

static enum co_status crash(struct hypervisor_op *op, struct dump *s)
{
    CO_BEGIN(&s->co);
    s->guest->being_destroyed = true;
    memset(&s->kill, 0, sizeof(s->kill));
    CO_CALL(&s->co, process_kill(&s->kill, s->guest, op->task, true, op->err));
    if (is_ours(op, s) && !error_is_set(op->err))
        process_end(s->guest, VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_CRASHED);
    CO_END(&s->co);
}

static enum co_status stop_first(struct hypervisor_op *op, struct dump *s)
{
    if (!s->was_running || (op->flags & VIR_DUMP_LIVE))
        return CO_DONE;
    return process_stop_cpus(&s->call, s->guest, op->task, VIR_DOMAIN_PAUSED_DUMP, op->err);
}

enum co_status guest_core_dump(struct hypervisor_op *op)
{
    struct dump *s = HYPERVISOR_STATE(op, struct dump);
    CO_BEGIN(&op->co);
    if (!begin(op, s))
        CO_RETURN(&op->co);
    CO_CALL(&op->co, stop_first(op, s));
    if (!error_is_set(op->err))
        CO_CALL(&op->co, ask_format(op, s));
    if (!error_is_set(op->err)) {
        note_begin(op, s);
        CO_CALL(&op->co, make_file(op, s));
        if (!error_is_set(op->err))
            CO_CALL(&op->co, give_file(op, s));
        if (!error_is_set(op->err))
            CO_CALL(&op->co, begin_dump(op, s));
        CO_CALL(&op->co, wait_for_end(op, s));
        CO_CALL(&op->co, close_file(op, s));
    }
    if (!is_ours(op, s)) {
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "domain is not running");
        CO_RETURN(&op->co);
    }
    s->guest->dump.active = false;
    if (!error_is_set(op->err) && (op->flags & VIR_DUMP_CRASH))
        CO_CALL(&op->co, crash(op, s));
    else
        CO_CALL(&op->co, go_on(op, s));
    CO_END(&op->co);
}

// ---- asked about while it runs

bool guest_job(const struct domain *domain, struct hypervisor_job *to)
{
    const struct guest *guest = guest_of(domain);
    if (!guest || !guest->dump.active)
        return false;
    *to = (struct hypervisor_job){.elapsed_ms = (loop_now() - guest->dump.since) / 1000000,
                                  .total = guest->dump.total,
                                  .done = guest->dump.done};
    return true;
}

bool guest_abort_job(const struct domain *domain, struct error *err)
{
    struct guest *guest = guest_of(domain);
    if (!guest || !guest->dump.active)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                         "no job is active on the domain");
    if (guest->dump.memory_only)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                         "cannot abort memory-only dump");
    guest->dump.aborted = true;
    return true;
}
