// Linux: what a service manager hands over and is told (sd_listen_fds(3), sd_notify(3)).
#include "port/linux/linux.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A whole decimal number of the environment; -1 when it is missing or none.
static long number_of(const char *variable)
{
    const char *text = getenv(variable);
    if (!text || *text < '0' || *text > '9' || strlen(text) > 9)
        return -1;
    char *end;
    long value = strtol(text, &end, 10);
    return *end ? -1 : value;
}

static void prepare(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (flags >= 0)
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int port_sockets_passed(const char **names)
{
    long count = number_of("LISTEN_FDS");
    *names = getenv("LISTEN_FDNAMES");
    if (count <= 0 || number_of("LISTEN_PID") != (long)getpid())
        return 0;
    unsetenv("LISTEN_PID"); // our own children are not meant
    unsetenv("LISTEN_FDS");
    for (long i = 0; i < count && i < PORT_SOCKETS_PASSED_MAX; i++)
        prepare(PORT_SOCKETS_PASSED_FIRST + (int)i);
    return count > PORT_SOCKETS_PASSED_MAX ? -E2BIG : (int)count;
}

int port_socket_listens(int fd, bool *is_unix)
{
    union port_address address = {0};
    socklen_t size = sizeof(address);
    int listens = 0, type = 0;
    socklen_t int_size = sizeof(int);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_size) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &int_size) < 0 ||
        getsockname(fd, &address.any, &size) < 0)
        return -errno;
    sa_family_t family = address.any.sa_family;
    *is_unix = family == AF_UNIX;
    return listens && type == SOCK_STREAM && (*is_unix || family == AF_INET || family == AF_INET6)
               ? 0
               : -EINVAL;
}

int port_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    union port_address address = {.local = {.sun_family = AF_UNIX}};
    if (!path)
        return 0;
    size_t len = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || len > sizeof(address.local.sun_path))
        return -EINVAL;
    memcpy(address.local.sun_path, path, len);
    if (path[0] == '@')
        address.local.sun_path[0] = '\0'; // a name that is no file (unix(7), abstract)
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, &address.any,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    int result = sent < 0 ? -errno : 0;
    port_close(fd);
    return result;
}
