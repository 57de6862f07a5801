// A QMP conversation that may block, for the probe.
#include "hv/qemu/capabilities/probe_qmp.h"

#include "hv/qemu/monitor/monitor.h"

#include <errno.h>
#include <string.h>

#define TIME_LIMIT_NS (30ull * 1000000000)

// One line at a time; the longest lists every type that QEMU has.
static char input[1 << 20];
static size_t input_len, line_len; // line_len: of the line that was looked at last

static bool fail(struct probe_qmp *qmp, const char *cause)
{
    if (!qmp->cause)
        qmp->cause = cause;
    return false;
}

static bool wait_for(struct probe_qmp *qmp, short events)
{
    struct port_poll poll = {.fd = qmp->fd, .events = events};
    uint64_t now = port_clock_ns();
    if (now >= qmp->deadline || port_poll(&poll, 1, (int64_t)(qmp->deadline - now)) == 0)
        return port_clock_ns() < qmp->deadline || fail(qmp, "timed out");
    return true;
}

static bool send_all(struct probe_qmp *qmp, struct slice text)
{
    if (qmp->cause)
        return false; // what was sent last may not be whole
    while (text.len) {
        // Not port_write(): in a worker, a program that has ended would take us with it (SIGPIPE).
        ptrdiff_t sent = port_send_fds(qmp->fd, text.at, text.len, NULL, 0);
        if (sent < 0 && sent != -EAGAIN && sent != -EINTR)
            return fail(qmp, "the emulator ended");
        if (sent < 0 && !wait_for(qmp, PORT_POLL_OUT))
            return false;
        if (sent > 0)
            text = slice_from(text, (size_t)sent);
    }
    return true;
}

static bool receive_line(struct probe_qmp *qmp, struct slice *line)
{
    memmove(input, input + line_len, input_len - line_len);
    input_len -= line_len;
    line_len = 0;
    size_t searched = 0;
    for (;;) {
        char *end = memchr(input + searched, '\n', input_len - searched);
        if (end) {
            *line = (struct slice){input, (size_t)(end - input)};
            line_len = line->len + 1;
            return true;
        }
        searched = input_len;
        if (input_len == sizeof(input))
            return fail(qmp, "answer too long");
        if (!wait_for(qmp, PORT_POLL_IN))
            return false;
        ptrdiff_t got = port_read(qmp->fd, input + input_len, sizeof(input) - input_len);
        if (got == 0)
            return fail(qmp, "the emulator ended");
        if (got > 0)
            input_len += (size_t)got;
    }
}

// Receives until a reply comes; events in between are of no interest.
static const struct json_value *receive_reply(struct probe_qmp *qmp)
{
    struct slice line;
    struct error err = {0};
    while (receive_line(qmp, &line)) {
        struct json_doc *document = monitor_json();
        if (!json_parse(document, line, &err)) {
            fail(qmp, "answer is no JSON");
            return NULL;
        }
        if (json_get(document->root, "return") || json_get(document->root, "error"))
            return json_get(document->root, "return");
    }
    return NULL;
}

static bool send_command(struct probe_qmp *qmp, const char *command, struct slice arguments)
{
    char start[128];
    struct buffer text = buffer_over(start, sizeof(start));
    buffer_printf(&text, "{\"execute\":\"%s\"%s", command,
                  slice_present(arguments) ? ",\"arguments\":" : "");
    return send_all(qmp, buffer_slice(&text)) && send_all(qmp, arguments) &&
           send_all(qmp, SLICE("}\n"));
}

const struct json_value *probe_qmp_command(struct probe_qmp *qmp, const char *command,
                                           struct slice arguments)
{
    if (!send_command(qmp, command, arguments))
        return NULL;
    return receive_reply(qmp);
}

bool probe_qmp_mentions(struct probe_qmp *qmp, const char *command, const char *needle)
{
    struct slice line = SLICE_NONE;
    if (!send_command(qmp, command, SLICE_NONE))
        return false;
    do {
        if (!receive_line(qmp, &line))
            return false;
    } while (!slice_starts(line, "{\"return\"") && !slice_starts(line, "{\"error\""));
    return slice_contains(line, needle);
}

static bool spawn(struct probe_qmp *qmp, const struct qemu_probe *probe, const char *machine)
{
    const char *const argv[] = {
        probe->emulator, "-S",   "-no-user-config", "-nodefaults", "-display", "none", "-machine",
        machine,         "-qmp", "stdio",           NULL,
    };
    int ends[2], errors[2];
    if (port_socket_pair(ends) < 0 || port_pipe(errors) < 0)
        return fail(qmp, "no descriptors left");
    struct port_spawn how = {
        .argv = argv,
        .in = ends[1],
        .out = ends[1],
        .err = errors[1],
        .identity = probe->identity,
        .uid = probe->uid,
        .gid = probe->gid,
        .mask = 022,
    };
    qmp->pid = port_spawn(&how);
    port_close(ends[1]);
    port_close(errors[1]);
    qmp->fd = ends[0];
    qmp->err_fd = errors[0];
    return qmp->pid > 0 || fail(qmp, "can not be executed");
}

bool probe_qmp_start(struct probe_qmp *qmp, const struct qemu_probe *probe, const char *accelerator)
{
    *qmp = (struct probe_qmp){.fd = -1, .err_fd = -1};
    qmp->deadline = port_clock_ns() + TIME_LIMIT_NS;
    input_len = line_len = 0;
    char machine[64];
    struct buffer text = buffer_over(machine, sizeof(machine));
    buffer_printf(&text, "none,accel=%s", accelerator);
    struct slice greeting;
    if (!spawn(qmp, probe, machine) || !receive_line(qmp, &greeting))
        return false;
    return probe_qmp_command(qmp, "qmp_capabilities", SLICE_NONE) != NULL;
}

static void read_errors(struct probe_qmp *qmp, struct buffer *to)
{
    char part[512];
    ptrdiff_t got;
    while ((got = port_read(qmp->err_fd, part, sizeof(part))) > 0)
        buffer_put(to, slice_trim((struct slice){part, (size_t)got}));
}

void probe_qmp_end(struct probe_qmp *qmp, struct buffer *to)
{
    struct port_exit how;
    if (qmp->pid > 0) {
        send_all(qmp, SLICE("{\"execute\":\"quit\"}\n"));
        struct slice line;
        while (qmp->cause == NULL && receive_line(qmp, &line))
            ;
        port_kill(qmp->pid, PORT_KILL_KILL);
        while (port_child_ended(qmp->pid, &how) == 0)
            port_poll(NULL, 0, 1000000);
    }
    if (qmp->err_fd >= 0)
        read_errors(qmp, to);
    port_close(qmp->fd);
    port_close(qmp->err_fd);
}
