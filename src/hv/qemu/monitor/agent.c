// The guest agent: the socket, its lines, and commands one after the other.
#include "hv/qemu/monitor/agent.h"

#include "hv/qemu/monitor/monitor.h"

#include <stddef.h>
#include <string.h>

#define LINES_A_TURN      64
#define RETRY_DELAY_NS    (20 * NS_PER_MS)
#define DEFAULT_WAIT      5 // seconds
#define SYNC_TRIES        2
#define AGENT_OF(p, part) ((struct agent *)(void *)((char *)(p)-offsetof(struct agent, part)))

static void update_watch(struct agent *a)
{
    short events = 0;
    if (!a->reply_held && !a->retry.task)
        events |= PORT_POLL_IN;
    if (a->out)
        events |= PORT_POLL_OUT;
    if (a->watch.place)
        loop_watch_for(&a->watch, events);
}

static struct agent_call *first_call(const struct agent *a)
{
    return (struct agent_call *)(void *)a->queue.first;
}

static void drop_output(struct agent *a)
{
    slot_release(a->out);
    a->out = NULL;
}

// The channel is at its end; its owner closes it when QEMU tells so too.
static void fail(struct agent *a)
{
    a->failed = true;
    a->reply_held = false;
    loop_unwatch(&a->watch);
    drop_output(a);
    queue_wake_all(&a->queue);
}

// ---- lines

// Whether an answer is the one that `call` waits for. While synchronizing, all others are stale.
static bool is_awaited(const struct agent_call *call, const struct json_value *root)
{
    uint64_t number;
    if (!call || !call->sent || call->answered)
        return false;
    if (call->sync_id == 0)
        return json_get(root, "return") || json_get(root, "error");
    return json_get_u64(root, "return", &number) && number == call->sync_id;
}

static void take_line(struct agent *a, struct slice line)
{
    struct error err = {0};
    // An agent that was asked with guest-sync-delimited before us leaves a 0xFF.
    while (line.len && (unsigned char)line.at[0] == 0xFF)
        line = slice_from(line, 1);
    if (!json_parse(monitor_json(), line, &err) || monitor_json()->root->kind != JSON_OBJECT)
        return;
    struct agent_call *call = first_call(a);
    if (!is_awaited(call, monitor_json()->root))
        return;
    a->reply = line;
    a->reply_held = true;
    call->answered = true;
    queue_wake_first(&a->queue);
}

static void take_lines(struct agent *a)
{
    struct slice line;
    for (unsigned i = 0; i < LINES_A_TURN; i++) {
        if (a->reply_held)
            return;
        enum lines_result result = lines_next(&a->lines, &line);
        if (result == LINES_NONE)
            return;
        if (result == LINES_LINE)
            take_line(a, line);
    }
    task_wake(&a->more);
}

// ---- the socket

static void read_lines(struct agent *a)
{
    int error;
    switch (lines_read(&a->lines, a->fd, &error)) {
    case LINES_READ:
        take_lines(a);
        break;
    case LINES_WAIT:
        break;
    case LINES_NO_ROOM:
        pause_start(&a->retry, &a->more, RETRY_DELAY_NS);
        break;
    case LINES_END:
        fail(a);
        return;
    }
    update_watch(a);
}

static void write_output(struct agent *a)
{
    ptrdiff_t sent = port_write(a->fd, a->out->at + a->out->done, a->out->len - a->out->done);
    if (sent >= 0)
        a->out->done += (uint32_t)sent;
    if (a->out->done == a->out->len)
        drop_output(a);
    update_watch(a);
}

static void agent_ready(struct watch *watch, short events)
{
    struct agent *a = AGENT_OF(watch, watch);
    if ((events & PORT_POLL_OUT) && a->out)
        write_output(a);
    if ((events & ~PORT_POLL_OUT) && !a->reply_held && !a->retry.task)
        read_lines(a);
}

static void go_on(struct task *task)
{
    struct agent *a = AGENT_OF(task, more);
    if (a->retry.task && a->retry.over) {
        pause_stop(&a->retry);
        a->retry.task = NULL;
    }
    if (!a->open || a->failed)
        return;
    take_lines(a);
    update_watch(a);
}

bool agent_start(struct agent *a, int fd, struct error *err)
{
    memset(a, 0, sizeof(*a));
    a->fd = fd;
    a->more.run = go_on;
    a->open = loop_watch(&a->watch, fd, PORT_POLL_IN, agent_ready, err);
    return a->open;
}

static void leave(struct agent_call *call)
{
    struct agent *a = call->agent;
    call->agent = NULL;
    pause_stop(&call->limit);
    queue_leave(&a->queue, &call->place);
}

void agent_close(struct agent *a)
{
    if (!a->open)
        return;
    queue_wake_all(&a->queue);
    for (struct agent_call *call; (call = first_call(a)) != NULL;) {
        call->gone = true;
        leave(call);
    }
    a->open = false;
    pause_stop(&a->retry);
    task_forget(&a->more);
    loop_unwatch(&a->watch);
    port_close(a->fd);
    drop_output(a);
    lines_reset(&a->lines);
}

void agent_tell_event(struct agent *a, enum agent_event event)
{
    struct agent_call *call = a->open ? first_call(a) : NULL;
    if (event == AGENT_EVENT_RESET && a->open)
        a->in_sync = false; // another agent, or none, answers from now on
    if (!call || call->await != event || call->sync_id || !call->sent || call->answered)
        return;
    call->answered = true;
    call->await = AGENT_EVENT_NONE;
    a->reply = SLICE_NONE;
    queue_wake_first(&a->queue);
}

// ---- commands

static bool lost(const struct agent_call *call)
{
    return call->gone || call->agent->failed;
}

static bool my_turn(const struct agent_call *call)
{
    return lost(call) || (first_call(call->agent) == call && !call->agent->reply_held);
}

static bool settled(const struct agent_call *call)
{
    return lost(call) || call->answered || call->limit.over;
}

static bool send(struct agent_call *call, struct slice text)
{
    struct agent *a = call->agent;
    struct slot *slot = slot_take_outgoing(text.len + 1);
    if (!slot)
        return false;
    drop_output(a); // a stuck guest did not take what was sent before; the sync sorts that out
    memcpy(slot->at, text.at, text.len);
    slot->at[text.len] = '\n';
    slot->len = (uint32_t)text.len + 1;
    slot->done = 0;
    a->out = slot;
    call->sent = true;
    call->answered = false;
    write_output(a);
    return true;
}

static void begin_wait(struct agent_call *call, int timeout)
{
    pause_stop(&call->limit);
    if (timeout == AGENT_WAIT_DEFAULT)
        timeout = DEFAULT_WAIT;
    call->limit.over = timeout == AGENT_WAIT_NOT; // an answer that comes at once is too late, too
    if (timeout > 0)
        pause_start(&call->limit, call->place.task, (unsigned)timeout * NS_PER_SEC);
}

static void send_sync(struct agent_call *call)
{
    port_random(&call->sync_id, sizeof(call->sync_id));
    call->sync_id = (call->sync_id >> 12) | 1; // agents written in other languages have doubles
    if (!send(call, monitor_args("{\"execute\":\"guest-sync\",\"arguments\":{\"id\":%llu}}",
                                 (unsigned long long)call->sync_id)))
        call->tries = SYNC_TRIES;
    begin_wait(call, AGENT_WAIT_DEFAULT);
}

static void release_reply(struct agent *a)
{
    a->reply_held = false;
    task_wake(&a->more);
}

static struct slice command_name(struct slice command)
{
    struct error ignored = {0};
    struct slice name = SLICE_NONE;
    if (json_parse(monitor_json(), command, &ignored))
        name = json_get_string(monitor_json()->root, "execute");
    return slice_present(name) ? name : SLICE("<unknown>");
}

static void fail_refused(struct agent_call *call, struct slice command, struct error *err)
{
    const struct json_value *error = json_get(call->message, "error");
    char words[256] = "unknown QEMU command error", name[64];
    struct slice description = json_get_string(error, "desc");
    struct slice class = json_get_string(error, "class");
    slice_copy(call->error_class, sizeof(call->error_class), class);
    if (!slice_present(description))
        description = class;
    if (slice_present(description)) {
        struct buffer b = buffer_over(words, sizeof(words));
        if (description.len >= sizeof(words))
            description.len = sizeof(words) - 1;
        buffer_put(&b, description);
    }
    struct buffer b = buffer_over(name, sizeof(name));
    buffer_put(&b, command_name(command)); // parses: the answer's tree is gone now
    error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
              "unable to execute QEMU agent command '%s': %s", name, words);
    call->message = call->result = NULL;
}

static void take_answer(struct agent_call *call, struct slice command, struct error *err)
{
    struct agent *a = call->agent;
    if (!a->reply_held)
        return; // the awaited event
    bool parsed = json_parse(monitor_json(), a->reply, err);
    release_reply(a);
    if (!parsed)
        return;
    call->message = monitor_json()->root;
    call->result = json_get(call->message, "return");
    if (json_get(call->message, "error"))
        fail_refused(call, command, err);
}

static void fail_silent(struct agent_call *call, struct error *err)
{
    if (lost(call)) {
        error_set(err, VIR_FROM_QEMU, VIR_ERR_AGENT_UNRESPONSIVE,
                  "Guest agent disappeared while executing command");
        return;
    }
    call->agent->in_sync = false;
    error_set(err, VIR_FROM_QEMU, VIR_ERR_AGENT_UNRESPONSIVE, "Guest agent not available for now");
}

// Sends guest-sync until its number comes back.
static enum co_status synchronize(struct agent_call *call, struct co *co)
{
    CO_BEGIN(co);
    while (!lost(call) && !call->agent->in_sync && call->tries < SYNC_TRIES) {
        call->tries++;
        send_sync(call);
        CO_WAIT(co, settled(call));
        if (!call->gone && call->answered) {
            call->agent->in_sync = true;
            release_reply(call->agent);
        }
    }
    call->sync_id = 0;
    call->sent = call->answered = false;
    CO_END(co);
}

enum co_status agent_command(struct agent_call *call, struct agent *a, struct task *task,
                             struct slice command, int timeout, struct error *err)
{
    CO_BEGIN(&call->co);
    if (!a->open) {
        error_set(err, VIR_FROM_QEMU, VIR_ERR_AGENT_UNRESPONSIVE,
                  "QEMU guest agent is not connected");
        CO_RETURN(&call->co);
    }
    call->agent = a;
    queue_join(&a->queue, &call->place, task);
    CO_WAIT(&call->co, my_turn(call));
    CO_CALL(&call->co, synchronize(call, &call->sync));
    if (!lost(call) && call->agent->in_sync && send(call, command)) {
        begin_wait(call, timeout);
        CO_WAIT(&call->co, settled(call));
    }
    if (!call->gone && call->answered)
        take_answer(call, command, err);
    else if (!lost(call) || !call->await || !call->sent)
        fail_silent(call, err); // an agent that leaves with the guest has done what was wanted
    if (!call->gone)
        leave(call);
    CO_END(&call->co);
}
