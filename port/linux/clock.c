// Linux: clocks and entropy.
#include "port/linux/linux.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define NS_PER_S 1000000000U

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) < 0)
        abort(); // the clocks that we ask for are in every kernel
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t port_clock_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t port_cpu_left_out;

uint64_t port_cpu_ns(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID) - port_cpu_left_out;
}

int64_t port_time_us(void)
{
    return (int64_t)(clock_ns(CLOCK_REALTIME) / 1000);
}

// The rules of time zones are the C library's to know. It reads them once, at the first call, and
// keeps them in memory of its own: so this is a worker's to call.
int port_utc_offset(int64_t seconds)
{
    struct tm local;
    time_t then = (time_t)seconds;
    return localtime_r(&then, &local) ? (int)local.tm_gmtoff : 0;
}

void port_random(void *to, size_t len)
{
    char *at = to;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            abort(); // a guessable key is worse than no daemon
        at += got;
        len -= (size_t)got;
    }
}
