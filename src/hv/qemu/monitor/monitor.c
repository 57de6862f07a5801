// The monitor: QMP over a unix socket. Sockets and lines here, commands in monitor_call.c.
#include "hv/qemu/monitor/monitor_private.h"

#include <errno.h>
#include <string.h>

#define LINES_A_TURN   64 // then the others have their turn
#define RETRY_DELAY_NS (20 * NS_PER_MS)

static struct json_doc document;

struct json_doc *monitor_json(void)
{
    return &document;
}

static bool listening(const struct monitor *m)
{
    return m->phase == MONITOR_GREETING || m->phase == MONITOR_READY;
}

void monitor_update_watch(struct monitor *m)
{
    short events = 0;
    if (listening(m) && !m->reply_held)
        events |= PORT_POLL_IN;
    if (m->out)
        events |= PORT_POLL_OUT;
    if (m->watch.place)
        loop_watch_for(&m->watch, events);
}

static void wake_everybody(struct monitor *m)
{
    if (m->greeting_task)
        task_wake(m->greeting_task);
    queue_wake_all(&m->queue);
}

// The next command waits until all of the last one has gone, whether its answer is still waited for
// or not.
static void drop_output(struct monitor *m)
{
    slot_release(m->out);
    m->out = NULL;
    queue_wake_first(&m->queue);
}

// Something came that is not QMP. The guest runs on, but nobody can talk to it any more.
static void break_off(struct monitor *m, const char *cause)
{
    m->phase = MONITOR_BROKEN;
    m->cause = cause;
    m->reply_held = false;
    drop_output(m);
    lines_reset(&m->lines);
    loop_watch_for(&m->watch, PORT_POLL_IN);
    wake_everybody(m);
    m->owner->broken(m);
}

static void end(struct monitor *m)
{
    m->phase = MONITOR_ENDED;
    m->reply_held = false;
    drop_output(m);
    lines_reset(&m->lines);
    loop_unwatch(&m->watch);
    wake_everybody(m);
    m->owner->ended(m);
}

// ---- lines

static void take_reply(struct monitor *m, struct slice line, const struct json_value *id)
{
    struct monitor_call *call = monitor_first_call(m);
    uint64_t number;
    struct slice text = json_string(id);
    bool ours = call && call->sent && slice_starts(text, MONITOR_ID_PREFIX) &&
                slice_u64(slice_from(text, sizeof(MONITOR_ID_PREFIX) - 1), 10, &number) &&
                number == call->id;
    // QEMU answers a command that it can not even parse without its id.
    if (!ours && !(call && call->sent && !id))
        return; // the answer to a command whose time was over
    m->reply = line;
    m->reply_held = true;
    call->answered = true;
    queue_wake_first(&m->queue);
    monitor_update_watch(m);
}

static void take_line(struct monitor *m, struct slice line)
{
    struct error err = {0};
    if (slice_trim(line).len == 0)
        return;
    if (!json_parse(&document, line, &err) || document.root->kind != JSON_OBJECT) {
        break_off(m, "Parsed JSON reply isn't an object");
        return;
    }
    const struct json_value *root = document.root;
    if (m->phase == MONITOR_GREETING) {
        if (!json_get(root, "QMP")) {
            break_off(m, "no QMP greeting");
            return;
        }
        m->phase = MONITOR_READY;
        wake_everybody(m);
    } else if (json_get(root, "event")) {
        m->owner->event(m, root);
    } else if (json_get(root, "return") || json_get(root, "error")) {
        take_reply(m, line, json_get(root, "id"));
    } else if (!json_get(root, "QMP")) {
        break_off(m, "Unknown JSON reply");
    }
}

// A line too long to be held. If it was an answer, the command fails; an event is lost.
static void take_long_line(struct monitor *m, struct slice start)
{
    bool event = slice_starts(start, "{\"timestamp\"") || slice_starts(start, "{\"event\"");
    struct monitor_call *call = monitor_first_call(m);
    if (m->phase == MONITOR_GREETING) {
        break_off(m, "no QMP greeting");
    } else if (!event && call && call->sent) {
        call->answered = call->too_long = true;
        m->reply = SLICE_NONE;
        m->reply_held = true;
        queue_wake_first(&m->queue);
        monitor_update_watch(m);
    }
}

static void take_lines(struct monitor *m)
{
    struct slice line;
    for (unsigned i = 0; i < LINES_A_TURN; i++) {
        if (!listening(m) || m->reply_held)
            return;
        enum lines_result result = lines_next(&m->lines, &line);
        if (result == LINES_NONE)
            return;
        if (result == LINES_LINE)
            take_line(m, line);
        else
            take_long_line(m, line);
    }
    task_wake(&m->more);
}

// ---- the socket

static void wait_for_room(struct monitor *m)
{
    loop_watch_for(&m->watch, m->out ? PORT_POLL_OUT : 0);
    pause_start(&m->retry, &m->more, RETRY_DELAY_NS);
}

static void read_lines(struct monitor *m)
{
    int error;
    switch (lines_read(&m->lines, m->fd, &error)) {
    case LINES_READ:
        take_lines(m);
        break;
    case LINES_WAIT:
        break;
    case LINES_NO_ROOM:
        wait_for_room(m);
        break;
    case LINES_END:
        end(m);
        break;
    }
}

static ptrdiff_t write_some(struct monitor *m)
{
    const unsigned char *from = m->out->at + m->out->done;
    size_t len = m->out->len - m->out->done;
    if (m->out_fd < 0)
        return port_write(m->fd, from, len);
    return port_send_fds(m->fd, from, len, &m->out_fd, 1);
}

static void write_output(struct monitor *m)
{
    ptrdiff_t sent = write_some(m);
    if (sent == -EAGAIN || sent == -EINTR)
        return;
    m->out_fd = -1;
    if (sent < 0) {
        drop_output(m); // the end of file tells the rest
        monitor_update_watch(m);
        return;
    }
    m->out->done += (uint32_t)sent;
    if (m->out->done == m->out->len) {
        drop_output(m);
        monitor_update_watch(m);
    }
}

// Whatever a broken monitor still says is thrown away.
static void wait_for_end(struct monitor *m)
{
    char waste[512];
    ptrdiff_t got = port_read(m->fd, waste, sizeof(waste));
    if (got <= 0 && got != -EAGAIN && got != -EINTR)
        end(m);
}

static void monitor_ready(struct watch *watch, short events)
{
    struct monitor *m = MONITOR_OF(watch, watch);
    if (m->phase == MONITOR_BROKEN) {
        wait_for_end(m);
        return;
    }
    if ((events & PORT_POLL_OUT) && m->out)
        write_output(m);
    // An end is seen by reading, once all that came before it was taken.
    if ((events & ~PORT_POLL_OUT) && !m->reply_held && !m->retry.task)
        read_lines(m);
}

static void go_on(struct task *task)
{
    struct monitor *m = MONITOR_OF(task, more);
    if (m->retry.task && m->retry.over) {
        pause_stop(&m->retry);
        m->retry.task = NULL;
    }
    if (!listening(m))
        return;
    take_lines(m);
    if (listening(m))
        monitor_update_watch(m);
}

void monitor_send(struct monitor *m, struct slot *slot, int fd)
{
    m->out = slot;
    m->out_fd = fd;
    write_output(m);
    if (listening(m))
        monitor_update_watch(m);
}

void monitor_start(struct monitor *m, int fd, const struct monitor_owner *owner, const char *name)
{
    struct error err = {0};
    uint32_t serial = m->serial;
    memset(m, 0, sizeof(*m));
    m->serial = serial; // ids of an earlier connection do not come back
    m->owner = owner;
    m->name = name;
    m->more.run = go_on;
    m->phase = MONITOR_GREETING;
    m->fd = fd;
    if (!loop_watch(&m->watch, fd, PORT_POLL_IN, monitor_ready, &err)) {
        m->phase = MONITOR_BROKEN;
        m->cause = "too many descriptors in the loop, CONFIG_MAX_WATCHES";
    }
}

void monitor_close(struct monitor *m)
{
    if (m->phase == MONITOR_CLOSED)
        return;
    wake_everybody(m);
    for (struct monitor_call *call; (call = monitor_first_call(m)) != NULL;) {
        call->failed = true;
        monitor_call_leave(call);
    }
    m->phase = MONITOR_CLOSED;
    m->greeting_task = NULL;
    m->reply_held = false;
    pause_stop(&m->retry);
    task_forget(&m->more);
    loop_unwatch(&m->watch);
    port_close(m->fd);
    drop_output(m);
    lines_reset(&m->lines);
}
