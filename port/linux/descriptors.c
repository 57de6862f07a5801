// Linux: reading, writing and passing descriptors.
#include "port/linux/linux.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX 32 // in one message, as libvirt's VIR_NET_MESSAGE_NUM_FDS_MAX

#define CLOSE_RANGE_ON_EXEC 4U // CLOSE_RANGE_CLOEXEC, which older headers do not have

ptrdiff_t port_read(int fd, void *to, size_t len)
{
    ssize_t got = read(fd, to, len);
    return got < 0 ? -errno : got;
}

// Writes to a socket whose peer has gone end in -EPIPE: SIGPIPE is ignored, see
// port_signals_open().
ptrdiff_t port_write(int fd, const void *from, size_t len)
{
    ssize_t put = write(fd, from, len);
    return put < 0 ? -errno : put;
}

static_assert(sizeof(struct port_span) == sizeof(struct iovec) &&
                  offsetof(struct port_span, at) == offsetof(struct iovec, iov_base) &&
                  offsetof(struct port_span, len) == offsetof(struct iovec, iov_len),
              "struct port_span is handed to the kernel as it is");

ptrdiff_t port_writev(int fd, const struct port_span *spans, size_t count)
{
    ssize_t put = writev(fd, (const struct iovec *)spans, (int)count);
    return put < 0 ? -errno : put;
}

void port_close(int fd)
{
    if (fd >= 0)
        close(fd); // on Linux the descriptor is gone even after EINTR
}

union control {
    struct cmsghdr align;
    char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

ptrdiff_t port_send_fds(int fd, const void *from, size_t len, const int *fds, size_t fd_count)
{
    if (fd_count > FDS_MAX)
        return -E2BIG;
    union control control = {0};
    struct iovec bytes = {(void *)(uintptr_t)from, len};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (fd_count > 0) {
        // The C libraries differ in the types of these lengths.
        size_t len_of_fds = fd_count * sizeof(int);
        message.msg_control = &control;
        message.msg_controllen = (__typeof__(message.msg_controllen))CMSG_SPACE(len_of_fds);
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = (__typeof__(part->cmsg_len))CMSG_LEN(len_of_fds);
        memcpy(CMSG_DATA(part), fds, len_of_fds);
    }
    ssize_t put = sendmsg(fd, &message, MSG_NOSIGNAL);
    return put < 0 ? -errno : put;
}

// Hands out the descriptors of one control message, and closes those for which there is no room.
static void take_fds(const struct cmsghdr *part, int *fds, size_t fd_max, size_t *fd_count)
{
    size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
        if (*fd_count < fd_max)
            fds[(*fd_count)++] = fd;
        else
            close(fd);
    }
}

ptrdiff_t port_receive_fds(int fd, void *to, size_t len, int *fds, size_t fd_max, size_t *fd_count)
{
    union control control;
    struct iovec bytes = {to, len};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    *fd_count = 0;
    ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (got < 0)
        return -errno;
    // The kernel puts the descriptors of a message into one part, and was asked for no other.
    const struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    if (part && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
        take_fds(part, fds, fd_max, fd_count);
    return got;
}

int port_pipe(int ends[2])
{
    return port_result(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
}

int port_socket_pair(int ends[2])
{
    return port_result(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends));
}

int port_make_blocking(int fd, bool blocking)
{
    int flags = fcntl(fd, F_GETFL);
    int wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    return port_result(flags < 0 ? -1 : fcntl(fd, F_SETFL, wanted));
}

// ---- closing what a child shall not have --------------------------------------------------------

static void close_on_exec(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    if (flags >= 0)
        fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

static void close_one(int fd)
{
    close(fd);
}

// For kernels before 5.9, which have no close_range(2): visits the open descriptors from `first` to
// `last` as /proc lists them, or every possible one where /proc is missing.
static void visit_range(int first, int last, void (*visit)(int fd))
{
    struct port_dir dir;
    if (port_dir_open(&dir, "/proc/self/fd") < 0) {
        int most = (int)sysconf(_SC_OPEN_MAX);
        for (int fd = first; fd <= last && fd < most; fd++)
            visit(fd);
        return;
    }
    for (const char *name = port_dir_next(&dir); name; name = port_dir_next(&dir)) {
        int fd = atoi(name);
        if (fd >= first && fd <= last && fd != dir.fd)
            visit(fd);
    }
    port_dir_close(&dir);
}

static void leave_range(int first, int last, unsigned flags)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, (unsigned)last, flags) == 0)
        return;
#endif
    visit_range(first, last, flags ? close_on_exec : close_one);
}

void port_close_others_on_exec(void)
{
    leave_range(3, INT32_MAX, CLOSE_RANGE_ON_EXEC);
}

void port_close_others(const int *keep, size_t keep_count)
{
    int first = 3;
    for (;;) {
        int next = INT32_MAX; // the lowest descriptor to keep from `first` on
        for (size_t i = 0; i < keep_count; i++) {
            if (keep[i] >= first && keep[i] < next)
                next = keep[i];
        }
        if (next > first)
            leave_range(first, next == INT32_MAX ? next : next - 1, 0);
        if (next == INT32_MAX)
            return;
        first = next + 1;
    }
}
