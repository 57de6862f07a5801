// virt-ssh-helper: what a client over SSH starts on this host: it finds the daemon's socket and
// carries bytes between that and the client. Usage and choices are libvirt's.
#include "core/buffer.h"
#include "core/paths.h"
#include "daemon/arguments.h"
#include "daemon/commands.h"
#include "port/port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM       "virt-ssh-helper"
#define RETRIES       500 // of connecting to a daemon that starts
#define RETRY_NS      10000000
#define PIPE_SIZE     65536
#define ENVIRONMENT   4096
#define IDLE_ARGUMENT "--timeout=120" // how long a user's own daemon stays without clients

static const struct argument known[] = {
    {'r', "readonly", false}, {'V', "version", false}, {'h', "help", false},
    {'R', "root", true},      {0, NULL, false},
};

static const char help[] =
    "Usage:\n"
    "  " PROGRAM " [options] URI\n"
    "\n"
    "Carries the connection of a remote client to the daemon of this host. Clients\n"
    "start it, people do not.\n"
    "\n"
    "Options:\n"
    "  -r, --readonly   Connect to the read-only socket\n"
    "      --root DIR   As nanovirtd --root DIR\n"
    "  -V, --version    Display version information\n"
    "  -h, --help       Display program help\n";

struct order {
    const char *root, *uri;
    bool read_only;
};

static int fail(const char *what, const char *which, int result)
{
    fprintf(stderr, "%s: %s '%s'%s%s\n", PROGRAM, what, which, result < 0 ? ": " : "",
            result < 0 ? strerror(-result) : "");
    return 1;
}

// ---- which daemon

struct place {
    bool is_session, starts;
};

// DRIVER[+unix]://PATH: without a server, since this host is the one. NULL when it is fine, else
// what is wrong with it.
static const char *read_uri(const char *text, struct place *place)
{
    struct slice rest = slice_of(text), scheme, path;
    if (slice_find(rest, ':') <= 0 || !slice_split(&rest, ':', &scheme))
        return "cannot parse";
    ptrdiff_t plus = slice_find(scheme, '+');
    bool is_test = slice_starts(scheme, "test+");
    if (plus >= 0 && !slice_is(slice_from(scheme, (size_t)plus + 1), "unix"))
        return "unexpected URI transport";
    if (slice_starts(rest, "//"))
        rest = slice_from(rest, 2);
    if (rest.len && rest.at[0] != '/')
        return "unexpected URI transport";
    slice_split(&rest, '#', &path); // neither fragment nor query matters here
    rest = path;
    slice_split(&rest, '?', &path);
    place->is_session = (slice_is(path, "/session") || is_test) && port_uid() != 0;
    const char *start = getenv("LIBVIRT_AUTOSTART");
    place->starts = place->is_session && (!start || strcmp(start, "0") != 0);
    return NULL;
}

// ---- a daemon of the user's own

static const char *const *environment(void)
{
    static const char *const names[] = {
        "PATH",          "HOME",           "USER",           "LOGNAME",
        "TMPDIR",        "LC_ALL",         "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
        "XDG_DATA_HOME", "XDG_RUNTIME_DIR"};
    static const char *list[sizeof(names) / sizeof(names[0]) + 1];
    static char memory[ENVIRONMENT];
    size_t count = 0, used = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        struct buffer b = buffer_over(memory + used, sizeof(memory) - used);
        if (!value)
            continue;
        buffer_printf(&b, "%s=%s", names[i], value);
        if (!buffer_ok(&b) || used + b.len + 2 > sizeof(memory))
            continue;
        list[count++] = b.at;
        used += b.len + 1;
    }
    list[count] = NULL;
    return list;
}

static int start_daemon(void)
{
    static char own[PORT_PATH_MAX];
    const char *program = getenv("VIRTD_PATH");
    if (!program)
        program = getenv("LIBVIRTD_PATH");
    if (!program) {
        int result = port_own_program(own, sizeof(own));
        if (result < 0)
            return result;
        program = own;
    }
    const char *const argv[] = {program, "--daemon", IDLE_ARGUMENT, NULL};
    const struct port_spawn spawn = {.argv = argv,
                                     .environment = environment(),
                                     .in = -1,
                                     .out = -1,
                                     .err = -1,
                                     .session = true,
                                     .mask = 0077};
    int pid = port_spawn(&spawn);
    return pid < 0 ? pid : 0;
}

// The socket's path is libvirt's own, whatever libvirtd.conf says: the client does not ask it,
// either.
static int connect_to(const char *path, bool starts)
{
    for (int i = 0;; i++) {
        int fd = port_connect_unix(path);
        bool absent = fd == -ENOENT || fd == -ECONNREFUSED;
        if (fd >= 0 || i == RETRIES || !(fd == -EAGAIN || (absent && starts)))
            return fd;
        if (absent && i == 0) {
            int result = start_daemon();
            if (result < 0)
                return result;
        }
        port_poll(NULL, 0, RETRY_NS);
    }
}

// ---- carrying bytes

// One direction: read only while there is room, written as far as it is taken.
struct pipe {
    int from, to;
    size_t len;
    bool ended; // nothing more comes
    char bytes[PIPE_SIZE];
};

static int fill(struct pipe *pipe)
{
    ptrdiff_t got = port_read(pipe->from, pipe->bytes + pipe->len, PIPE_SIZE - pipe->len);
    if (got > 0)
        pipe->len += (size_t)got;
    else if (got == 0 || got == -ECONNRESET)
        pipe->ended = true;
    return got < 0 && got != -EAGAIN && got != -EINTR && got != -ECONNRESET ? (int)got : 0;
}

static int drain(struct pipe *pipe)
{
    ptrdiff_t put = port_write(pipe->to, pipe->bytes, pipe->len);
    if (put == -EAGAIN || put == -EINTR)
        return 0;
    if (put < 0)
        return (int)put;
    pipe->len -= (size_t)put;
    memmove(pipe->bytes, pipe->bytes + put, pipe->len);
    return 0;
}

// Moves what can be moved now.
static int move(struct pipe *pipe, const struct port_poll *from, const struct port_poll *to)
{
    int result = 0;
    if (!pipe->ended && pipe->len < PIPE_SIZE && (from->revents & ~PORT_POLL_OUT))
        result = fill(pipe);
    if (result == 0 && pipe->len && (to->revents & ~PORT_POLL_IN))
        result = drain(pipe);
    return result;
}

static bool is_done(const struct pipe *pipe)
{
    return pipe->ended && pipe->len == 0;
}

static short wants_read(const struct pipe *pipe)
{
    return !pipe->ended && pipe->len < PIPE_SIZE ? PORT_POLL_IN : 0;
}

static short wants_write(const struct pipe *pipe)
{
    return pipe->len ? PORT_POLL_OUT : 0;
}

// Whether we are to end; that the daemon's parent has ended is none of it.
static bool is_told_to_end(int signals)
{
    enum port_signal signal;
    bool end = false;
    while ((signal = port_signals_take(signals)) != PORT_SIGNAL_NONE)
        end = end || signal == PORT_SIGNAL_TERMINATE || signal == PORT_SIGNAL_RELOAD;
    return end;
}

// Until either side has ended and all that it had said is delivered, or a signal ends it. A side
// that is not waited for is not polled: its hang-up would be told again and again.
static int carry(int daemon, int signals)
{
    static struct pipe up, down;
    up.from = 0;
    up.to = down.from = daemon;
    down.to = 1;
    for (;;) {
        short in = wants_read(&up), out = wants_write(&down);
        short both = (short)(wants_write(&up) | wants_read(&down));
        struct port_poll polls[] = {{.fd = in ? 0 : -1, .events = in},
                                    {.fd = out ? 1 : -1, .events = out},
                                    {.fd = both ? daemon : -1, .events = both},
                                    {.fd = signals, .events = PORT_POLL_IN}};
        port_poll(polls, 4, -1);
        int result = move(&up, &polls[0], &polls[2]);
        if (result == 0)
            result = move(&down, &polls[2], &polls[1]);
        if (result < 0 || is_done(&up) || is_done(&down) ||
            (polls[3].revents && is_told_to_end(signals)))
            return result;
    }
}

// ---- the command line

// True when there is something to connect to; else *status is the exit status.
static bool read_order(struct order *order, struct arguments *arguments, int *status)
{
    int option;
    *status = 1;
    while ((option = arguments_next(arguments, known)) > 0) {
        if (option == 'V')
            *status = printf("%s (nanovirt) %s\n", PROGRAM, NANOVIRT_VERSION) < 0;
        if (option == 'h')
            *status = fputs(help, stdout) < 0;
        if (option == 'V' || option == 'h')
            return false;
        order->read_only = order->read_only || option == 'r';
        order->root = option == 'R' ? arguments->value : order->root;
    }
    order->uri = *arguments->words;
    if (option == 0 && order->uri && !arguments->words[1])
        return true;
    if (option == 0)
        fputs(help, stderr);
    return false;
}

int ssh_helper_main(int argc, char **argv)
{
    struct order order = {0};
    struct arguments arguments = {.program = PROGRAM, .words = argv + (argc > 0)};
    struct place place;
    struct error err = {0};
    int status;
    if (!read_order(&order, &arguments, &status))
        return status;
    const char *wrong = read_uri(order.uri, &place);
    if (wrong)
        return fail(wrong, order.uri, 0);
    if (!paths_choose(order.root, place.is_session, &err))
        return fail(err.message, order.uri, 0);
    bool read_only = order.read_only && !place.is_session;
    const char *path = paths_join(paths()->run, read_only ? "libvirt-sock-ro" : "libvirt-sock");
    if (!path)
        return fail("the path is too long of", paths()->run, 0);
    int signals = port_signals_open(); // a reader that has left is an error to be told, no signal
    int daemon = signals < 0 ? signals : connect_to(path, place.starts && !order.root);
    if (daemon < 0)
        return fail("cannot connect to", path, daemon);
    port_make_blocking(0, false);
    port_make_blocking(1, false);
    int result = carry(daemon, signals);
    port_make_blocking(0, true);
    port_make_blocking(1, true);
    return result == 0 ? 0 : fail("could not proxy traffic of", path, result);
}
