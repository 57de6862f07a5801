// Linux: work that may block, in a child process.
#include "port/linux/linux.h"

#include <fcntl.h>
#include <unistd.h>

#define KEEP_MAX 16

// Standard error stays: an assertion that fails in the child shall be heard.
static void forget_descriptors(int out, const int *keep, size_t keep_count)
{
    int kept[KEEP_MAX + 1] = {out};
    for (size_t i = 0; i < keep_count; i++)
        kept[i + 1] = keep[i];
    port_close_others(kept, keep_count + 1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    port_close(null);
}

int port_worker(int (*work)(void *argument, int out), void *argument, const int *keep,
                size_t keep_count, int *out_fd)
{
    if (keep_count > KEEP_MAX)
        return -E2BIG;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    int pid = port_fork();
    if (pid == 0) {
        port_loop_guard(false);
        int out = fcntl(ends[1], F_DUPFD_CLOEXEC, 3); // not one of the standard numbers
        forget_descriptors(out, keep, keep_count);
        _exit(work(argument, out));
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return pid;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK); // only this end: the child may wait
    *out_fd = ends[0];
    return pid;
}
