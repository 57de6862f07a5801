// Linux: unix and TCP sockets.
#include "port/linux/linux.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_FLAGS (SOCK_CLOEXEC | SOCK_NONBLOCK)
#define BACKLOG      128

#define ADDRESSES_MAX 8 // of one name

// ---- unix sockets -------------------------------------------------------------------------------

// A path that is too long for a socket address (108 bytes) is reached through its directory, whose
// descriptor is put into *directory and must stay open until the address has been used.
static int unix_address(union port_address *address, const char *path, int *directory)
{
    char *to = address->local.sun_path;
    size_t size = sizeof(address->local.sun_path);
    *address = (union port_address){.local = {.sun_family = AF_UNIX}};
    *directory = -1;
    if (strlen(path) < size) {
        strcpy(to, path);
        return 0;
    }
    char parent[PORT_PATH_MAX];
    const char *name = strrchr(path, '/');
    if (!name || name == path || (size_t)(name - path) >= sizeof(parent))
        return -ENAMETOOLONG;
    memcpy(parent, path, (size_t)(name - path));
    parent[name - path] = '\0';
    *directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*directory < 0)
        return -errno;
    int len = snprintf(to, size, "/proc/self/fd/%d%s", *directory, name);
    if (len < 0 || (size_t)len >= size) {
        port_close(*directory);
        return -ENAMETOOLONG;
    }
    return 0;
}

int port_connect_unix(const char *path)
{
    union port_address address;
    int directory;
    int result = unix_address(&address, path, &directory);
    if (result < 0)
        return result;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCKET_FLAGS, 0);
    if (fd < 0 || connect(fd, &address.any, sizeof(address.local)) < 0) {
        result = -errno;
        port_close(fd);
        fd = result;
    }
    port_close(directory);
    return fd;
}

// Removes a socket that a dead daemon left behind.
static int remove_stale_socket(const char *path)
{
    struct stat found;
    if (lstat(path, &found) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(found.st_mode))
        return -EADDRINUSE;
    int fd = port_connect_unix(path);
    port_close(fd);
    if (fd == -ENOENT)
        return 0;
    if (fd != -ECONNREFUSED)
        return -EADDRINUSE; // somebody answers, or has more callers than its backlog takes
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

// Until listen() every connect() is refused, so the mode is in force before anybody can connect.
static int listen_at(int fd, const union port_address *address, uint32_t mode, uint32_t gid)
{
    const char *path = address->local.sun_path;
    if (bind(fd, &address->any, sizeof(address->local)) < 0)
        return -errno;
    if ((gid != (uint32_t)-1 && chown(path, (uid_t)-1, gid) < 0) || chmod(path, (mode_t)mode) < 0 ||
        listen(fd, BACKLOG) < 0) {
        int result = -errno;
        unlink(path);
        return result;
    }
    return 0;
}

int port_listen_unix(const char *path, uint32_t mode, uint32_t gid)
{
    int result = remove_stale_socket(path);
    if (result < 0)
        return result;
    union port_address address;
    int directory;
    result = unix_address(&address, path, &directory);
    if (result < 0)
        return result;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCKET_FLAGS, 0);
    result = fd < 0 ? -errno : listen_at(fd, &address, mode, gid);
    port_close(directory);
    if (result == 0)
        return fd;
    port_close(fd);
    return result;
}

// ---- TCP ----------------------------------------------------------------------------------------

static int bind_tcp(const union port_address *address)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCKET_FLAGS, 0);
    if (fd < 0)
        return -errno;
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    // IPv4 has a listener of its own.
    if (address->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, &address->any, sizeof(*address)) == 0)
        return fd;
    int result = -errno;
    port_close(fd);
    return result;
}

// On a kernel without one of the families, or with it switched off, the other one is served.
static bool is_absent(int result)
{
    return result == -EAFNOSUPPORT || result == -EADDRNOTAVAIL;
}

bool port_tcp_is_free(uint16_t port)
{
    static const char *const any[] = {"0.0.0.0", "::"};
    bool free = true;
    for (size_t i = 0; i < 2; i++) {
        union port_address address;
        port_address_parse(any[i], &address);
        port_address_set_port(&address, port);
        int fd = bind_tcp(&address);
        free = free && (fd >= 0 || is_absent(fd));
        port_close(fd);
    }
    return free;
}

static int listen_on(const union port_address *address)
{
    int fd = bind_tcp(address);
    if (fd < 0 || listen(fd, BACKLOG) == 0)
        return fd;
    int result = -errno;
    port_close(fd);
    return result;
}

int port_listen_tcp(const char *address, const char *service, int *fds, size_t max)
{
    union port_address found[ADDRESSES_MAX];
    int found_count = port_resolve(address, service, found, ADDRESSES_MAX);
    if (found_count < 0)
        return found_count;
    int count = 0, result = -EADDRNOTAVAIL;
    for (int i = 0; i < found_count && (size_t)count < max; i++) {
        int fd = listen_on(&found[i]);
        if (fd >= 0) {
            fds[count++] = fd;
            continue;
        }
        result = fd;
        if (!is_absent(fd))
            break; // somebody has the port
    }
    if (count > 0 && is_absent(result))
        return count;
    while (count > 0)
        port_close(fds[--count]);
    return result;
}

// ---- connections --------------------------------------------------------------------------------

static void describe(struct port_peer *peer, const union port_address *from)
{
    *peer = (struct port_peer){.family = PORT_UNIX};
    if (from->any.sa_family == AF_INET) {
        peer->family = PORT_IPV4;
        peer->port = ntohs(from->v4.sin_port);
        inet_ntop(AF_INET, &from->v4.sin_addr, peer->address, sizeof(peer->address));
    } else if (from->any.sa_family == AF_INET6) {
        peer->family = PORT_IPV6;
        peer->port = ntohs(from->v6.sin6_port);
        inet_ntop(AF_INET6, &from->v6.sin6_addr, peer->address, sizeof(peer->address));
    }
}

static void describe_credentials(struct port_peer *peer, int fd)
{
    struct ucred who;
    socklen_t len = sizeof(who);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
        return;
    peer->has_credentials = true;
    peer->uid = who.uid;
    peer->gid = who.gid;
    peer->pid = who.pid;
}

int port_peer_groups(int fd, uint32_t *gids, size_t max)
{
    socklen_t len = (socklen_t)(max * sizeof(*gids));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &len) < 0)
        return -errno;
    return (int)(len / sizeof(*gids));
}

// Replies are written whole: waiting for more to send would only delay them.
static void send_at_once(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int port_accept(int listener, struct port_peer *peer)
{
    union port_address from = {0};
    socklen_t len = sizeof(from);
    int fd = accept4(listener, &from.any, &len, SOCKET_FLAGS);
    if (fd < 0) // a caller that has hung up again is no error of the listener
        return errno == ECONNABORTED || errno == EINTR ? -EAGAIN : -errno;
    describe(peer, &from);
    if (peer->family == PORT_UNIX)
        describe_credentials(peer, fd);
    else
        send_at_once(fd);
    return fd;
}

int port_connect_tcp(const char *address, uint16_t port)
{
    union port_address to;
    if (!port_address_parse(address, &to))
        return -EINVAL;
    port_address_set_port(&to, port);
    int fd = socket(to.any.sa_family, SOCK_STREAM | SOCKET_FLAGS, 0);
    if (fd < 0)
        return -errno;
    send_at_once(fd);
    if (connect(fd, &to.any, sizeof(to)) < 0 && errno != EINPROGRESS) {
        int result = -errno;
        port_close(fd);
        return result;
    }
    return fd;
}

int port_socket_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return -errno;
    return -error;
}

int port_local_address(int fd, struct port_peer *local)
{
    union port_address here = {0};
    socklen_t len = sizeof(here);
    if (getsockname(fd, &here.any, &len) < 0)
        return -errno;
    describe(local, &here);
    return 0;
}
