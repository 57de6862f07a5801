// Linux: signals as a descriptor.
//
// The handler sets a flag and writes a byte to a pipe. A flag is never lost, and the byte is only
// the wake-up: a full pipe wakes as well.
#include "port/linux/linux.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static const struct {
    int number;
    enum port_signal kind;
} routes[] = {
    {SIGTERM, PORT_SIGNAL_TERMINATE}, {SIGINT, PORT_SIGNAL_TERMINATE},
    {SIGQUIT, PORT_SIGNAL_TERMINATE}, {SIGHUP, PORT_SIGNAL_RELOAD},
    {SIGCHLD, PORT_SIGNAL_CHILD},     {SIGUSR1, PORT_SIGNAL_USER},
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static volatile sig_atomic_t pending[PORT_SIGNAL_USER + 1];
static int wake_up[2] = {-1, -1};

static void signal_arrived(int number)
{
    int saved = errno;
    for (size_t i = 0; i < ROUTES; i++) {
        if (routes[i].number == number)
            pending[routes[i].kind] = 1;
    }
    ssize_t ignored = write(wake_up[1], "", 1);
    (void)ignored;
    errno = saved;
}

int port_signals_open(void)
{
    if (pipe2(wake_up, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    struct sigaction action = {.sa_handler = signal_arrived, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < ROUTES; i++) {
        if (sigaction(routes[i].number, &action, NULL) < 0)
            return -errno;
    }
    // Signals that whoever started us left blocked would never arrive.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_IGN);
    return wake_up[0];
}

enum port_signal port_signals_take(int fd)
{
    // The pipe is emptied before the flags are looked at: a signal in between leaves its flag, its
    // byte, or both.
    char bytes[64];
    while (read(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes))
        continue;
    for (int kind = PORT_SIGNAL_NONE + 1; kind <= PORT_SIGNAL_USER; kind++) {
        if (pending[kind]) {
            pending[kind] = 0;
            // More may be pending than this one, and the pipe is empty now.
            ssize_t ignored = write(wake_up[1], "", 1);
            (void)ignored;
            return (enum port_signal)kind;
        }
    }
    return PORT_SIGNAL_NONE;
}
