// Linux: waiting for descriptors, and the check of calls that may block.
#include "port/linux/linux.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_S 1000000000

// struct port_poll is handed to the kernel as it is.
static_assert(sizeof(struct port_poll) == sizeof(struct pollfd), "port_poll is pollfd");
static_assert(offsetof(struct port_poll, fd) == offsetof(struct pollfd, fd), "port_poll is pollfd");
static_assert(offsetof(struct port_poll, events) == offsetof(struct pollfd, events) &&
                  offsetof(struct port_poll, revents) == offsetof(struct pollfd, revents),
              "port_poll is pollfd");
static_assert(PORT_POLL_IN == POLLIN && PORT_POLL_OUT == POLLOUT && PORT_POLL_ERR == POLLERR &&
                  PORT_POLL_HUP == POLLHUP,
              "the bits are poll's");

int port_poll(struct port_poll *polls, size_t count, int64_t timeout_ns)
{
    struct timespec timeout = {0};
    if (timeout_ns > 0) {
        timeout.tv_sec = (time_t)(timeout_ns / NS_PER_S);
        timeout.tv_nsec = (long)(timeout_ns % NS_PER_S);
    }
    int ready = ppoll((struct pollfd *)polls, count, timeout_ns < 0 ? NULL : &timeout, NULL);
    if (ready < 0 && errno == EINTR)
        return 0;
    return port_result(ready);
}

static bool inside_loop;

void port_loop_guard(bool inside)
{
    inside_loop = inside;
}

#ifdef CONFIG_DEBUG_CHECKS
void port_may_block(const char *function)
{
    if (!inside_loop)
        return;
    fprintf(stderr, "nanovirtd: %s may block and was called in a turn of the loop\n", function);
    abort();
}
#endif
