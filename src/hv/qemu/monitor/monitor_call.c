// Commands over a monitor: a queue, one command at a time, answers matched by id.
#include "hv/qemu/monitor/monitor_private.h"

#include <stdio.h>
#include <string.h>

#define ARGS_SIZE (CONFIG_REMOTE_STRING_MAX + 1024)
#define KEY_SIZE  128 // of a command object's own members: "execute", "arguments", "control"

struct slice monitor_args(const char *format, ...)
{
    static char text[ARGS_SIZE];
    struct buffer b = buffer_over(text, sizeof(text));
    va_list args;
    va_start(args, format);
    buffer_vprintf(&b, format, args);
    va_end(args);
    return buffer_slice(&b);
}

// ---- the queue

struct monitor_call *monitor_first_call(const struct monitor *m)
{
    return (struct monitor_call *)(void *)m->queue.first;
}

void monitor_call_leave(struct monitor_call *call)
{
    struct monitor *m = call->monitor;
    if (call->with_fd && call->sent)
        m->out_fd = -1;
    call->monitor = NULL;
    pause_stop(&call->limit);
    queue_leave(&m->queue, &call->place);
}

// ---- errors

static bool fail_closed(const struct monitor *m, struct error *err)
{
    if (!m || m->phase == MONITOR_CLOSED)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "domain is not running");
    if (m->phase == MONITOR_BROKEN)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s (vm='%s')", m->cause,
                         m->name);
    return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                     "End of file from qemu monitor (vm='%s')", m->name);
}

static bool usable(const struct monitor *m)
{
    return m->phase == MONITOR_GREETING || m->phase == MONITOR_READY;
}

// QEMU's words for a command that it refused.
static void fail_refused(struct monitor_call *call, const char *command, struct error *err)
{
    const struct json_value *error = json_get(call->message, "error");
    struct slice description = json_get_string(error, "desc");
    slice_copy(call->error_class, sizeof(call->error_class), json_get_string(error, "class"));
    if (!slice_present(description))
        description = SLICE("unknown QEMU command error");
    error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
              "unable to execute QEMU command '%s': %.*s", command, SLICE_ARG(description));
}

// ---- one command

static bool my_turn(const struct monitor_call *call)
{
    return call->failed || !usable(call->monitor) ||
           (monitor_first_call(call->monitor) == call && call->monitor->phase == MONITOR_READY &&
            !call->monitor->out && !call->monitor->reply_held);
}

static bool settled(const struct monitor_call *call)
{
    return call->failed || call->answered || call->limit.over || !usable(call->monitor);
}

static bool put_object(struct buffer *out, uint32_t id, struct slice object, struct error *err)
{
    if (!json_parse(monitor_json(), object, err))
        return false;
    const struct json_value *root = monitor_json()->root;
    if (root->kind != JSON_OBJECT)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "cannot parse json: the command is no object");
    struct json_writer w = json_writer_to(out);
    json_open_object(&w, NULL);
    for (const struct json_value *member = root->child; member; member = member->next) {
        char key[KEY_SIZE];
        if (slice_is(member->key, "id"))
            continue;
        if (!slice_copy(key, sizeof(key), member->key))
            return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                             "cannot parse json: a key of the command is too long");
        json_put_value(&w, key, member);
    }
    json_putf(&w, "id", MONITOR_ID_PREFIX "%u", id);
    json_close_object(&w);
    return true;
}

static void put_command(struct buffer *out, uint32_t id, const char *command,
                        struct slice arguments)
{
    struct json_writer w = json_writer_to(out);
    json_open_object(&w, NULL);
    json_puts(&w, "execute", command);
    if (slice_present(arguments))
        json_put_raw(&w, "arguments", arguments);
    json_putf(&w, "id", MONITOR_ID_PREFIX "%u", id);
    json_close_object(&w);
}

// What is sent: a command with its arguments, or an object as it is.
struct text {
    const char *command;
    struct slice arguments, object;
};

// Builds the line in a slot and sends it. False with `err` set, or without when there is no slot.
static bool send(struct monitor_call *call, const struct text *text, struct error *err)
{
    size_t wanted = 256 + text->arguments.len + text->object.len * 2;
    struct slot *slot = slot_take_outgoing(wanted > SLOT_LARGE_SIZE ? SLOT_LARGE_SIZE : wanted);
    if (!slot)
        return false;
    struct buffer out = buffer_over(slot->at, slot->size);
    call->id = ++call->monitor->serial;
    if (text->command)
        put_command(&out, call->id, text->command, text->arguments);
    else if (!put_object(&out, call->id, text->object, err))
        goto unsent;
    buffer_puts(&out, "\r\n");
    if (!buffer_ok(&out)) {
        error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "the monitor command is too long: limit is %d, CONFIG_REMOTE_MESSAGE_MAX",
                  SLOT_LARGE_SIZE);
        goto unsent;
    }
    slot->len = (uint32_t)out.len;
    slot->done = 0;
    call->sent = true;
    monitor_send(call->monitor, slot, call->with_fd ? call->fd : -1);
    return true;

unsent:
    slot_release(slot);
    return false;
}

// Makes the answer readable and lets the monitor go on behind it. When `err` stays clear, `message`
// is set.
static void take_answer(struct monitor_call *call, struct error *err)
{
    struct monitor *m = call->monitor;
    m->reply_held = false;
    task_wake(&m->more);
    if (call->too_long) {
        error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "QEMU monitor reply exceeds buffer size (%d bytes)", SLOT_LARGE_SIZE);
        return;
    }
    if (!json_parse(monitor_json(), m->reply, err))
        return;
    call->message = monitor_json()->root;
    call->result = json_get(call->message, "return");
}

static void finish(struct monitor_call *call, const struct text *text, struct error *err)
{
    struct monitor *m = call->monitor;
    const char *command = text->command ? text->command : "qmp";
    if (call->failed) {
        fail_closed(NULL, err);
        return;
    }
    if (call->answered)
        take_answer(call, err);
    else if (!usable(m))
        fail_closed(m, err);
    else
        error_set(err, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT,
                  "QEMU did not answer '%s' (vm='%s')", command, m->name);
    if (call->message && text->command && !call->result)
        fail_refused(call, command, err);
    monitor_call_leave(call);
}

// A slot for the command is waited for in steps of this.
#define SLOT_DELAY_NS (5 * NS_PER_MS)

static enum co_status run(struct monitor_call *call, struct monitor *m, struct task *task,
                          const struct text *text, uint64_t limit, struct error *err)
{
    CO_BEGIN(&call->co);
    if (m->phase == MONITOR_CLOSED || !usable(m)) {
        fail_closed(m, err);
        CO_RETURN(&call->co);
    }
    call->monitor = m;
    queue_join(&m->queue, &call->place, task);
    if (limit)
        pause_start(&call->limit, task, limit);
    CO_WAIT(&call->co, my_turn(call) || call->limit.over);
    if (!my_turn(call)) {
        finish(call, text, err);
        CO_RETURN(&call->co);
    }
    while (!call->failed && usable(call->monitor) && !send(call, text, err) && !error_is_set(err)) {
        pause_start(&call->limit, task, SLOT_DELAY_NS);
        CO_WAIT(&call->co, call->limit.over || call->failed);
    }
    if (!error_is_set(err) && !call->failed) {
        call->limit.over = false;
        if (limit)
            pause_start(&call->limit, task, limit);
        CO_WAIT(&call->co, settled(call));
    }
    if (error_is_set(err) && !call->failed)
        monitor_call_leave(call);
    else
        finish(call, text, err);
    CO_END(&call->co);
}

enum co_status monitor_command(struct monitor_call *call, struct monitor *m, struct task *task,
                               const char *command, struct slice arguments, struct error *err)
{
    struct text text = {.command = command, .arguments = arguments, .object = SLICE_NONE};
    return run(call, m, task, &text, call->unlimited ? 0 : MONITOR_COMMAND_LIMIT_NS, err);
}

enum co_status monitor_pass(struct monitor_call *call, struct monitor *m, struct task *task,
                            struct slice object, struct error *err)
{
    struct text text = {.command = NULL, .arguments = SLICE_NONE, .object = object};
    return run(call, m, task, &text, call->unlimited ? 0 : MONITOR_COMMAND_LIMIT_NS, err);
}

// ---- the beginning

static enum co_status wait_for_greeting(struct monitor_call *call, struct monitor *m,
                                        struct task *task, struct error *err)
{
    CO_BEGIN(&call->co);
    call->monitor = m;
    m->greeting_task = task;
    pause_start(&call->limit, task, MONITOR_GREETING_LIMIT_NS);
    CO_WAIT(&call->co, m->phase != MONITOR_GREETING || call->limit.over);
    pause_stop(&call->limit);
    m->greeting_task = NULL;
    if (m->phase == MONITOR_GREETING)
        error_set(err, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT, "monitor socket did not show up");
    else if (m->phase != MONITOR_READY)
        fail_closed(m, err);
    CO_END(&call->co);
}

enum co_status monitor_open(struct monitor_open *open, struct monitor *m, struct task *task,
                            struct error *err)
{
    CO_BEGIN(&open->co);
    CO_CALL(&open->co, wait_for_greeting(&open->call, m, task, err));
    if (error_is_set(err))
        CO_RETURN(&open->co);
    memset(&open->call, 0, sizeof(open->call));
    CO_CALL(&open->co, monitor_command(&open->call, m, task, "qmp_capabilities", SLICE_NONE, err));
    CO_END(&open->co);
}
