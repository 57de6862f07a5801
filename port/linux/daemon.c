// Linux: leaving the terminal.
#include "port/linux/linux.h"

#include <fcntl.h>
#include <unistd.h>

static int ready_fd = -1;

static _Noreturn void await_readiness(int fd)
{
    unsigned char status;
    ssize_t got;
    do
        got = read(fd, &status, 1);
    while (got < 0 && errno == EINTR);
    _exit(got == 1 ? status : 1); // a daemon that dies before it is ready says nothing
}

static void to_null(int fd, int flags)
{
    int null = open("/dev/null", flags | O_CLOEXEC);
    if (null >= 0 && null != fd) {
        dup2(null, fd);
        close(null);
    }
}

int port_daemonize(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid > 0) {
        close(ends[1]);
        await_readiness(ends[0]);
    }
    close(ends[0]);
    if (setsid() < 0)
        return -errno;
    // The leader of a session could get a controlling terminal by opening one; its child can not.
    pid = fork();
    if (pid < 0)
        return -errno;
    if (pid > 0)
        _exit(0);
    ready_fd = ends[1];
    to_null(STDIN_FILENO, O_RDONLY);
    to_null(STDOUT_FILENO, O_WRONLY);
    return 0;
}

void port_daemon_ready(int status)
{
    if (ready_fd < 0)
        return;
    unsigned char byte = (unsigned char)status;
    ssize_t ignored = write(ready_fd, &byte, 1);
    (void)ignored;
    close(ready_fd);
    ready_fd = -1;
    to_null(STDERR_FILENO, O_WRONLY); // until here the terminal shows what goes wrong
}
