// The plain transports: unix sockets, which carry descriptors too, and TCP.
#include "net/transport.h"

#include <errno.h>

static ptrdiff_t unix_read(struct connection_io *io, void *to, size_t len)
{
    size_t room = sizeof(io->fds) / sizeof(io->fds[0]) - io->fd_count, came = 0;
    ptrdiff_t got = port_receive_fds(io->fd, to, len, io->fds + io->fd_count, room, &came);
    if (got >= 0)
        io->fd_count += (unsigned)came;
    return got;
}

static ptrdiff_t tcp_read(struct connection_io *io, void *to, size_t len)
{
    return port_read(io->fd, to, len);
}

static ptrdiff_t plain_write(struct connection_io *io, const struct port_span *spans, size_t count)
{
    if (count == 1)
        return port_write(io->fd, spans[0].at, spans[0].len);
    return port_writev(io->fd, spans, count);
}

// Each descriptor travels with one byte of its own behind its message, as virNetSocketSendFD does
// it.
static ptrdiff_t unix_send_fd(struct connection_io *io, int fd)
{
    return port_send_fds(io->fd, "", 1, &fd, 1);
}

static void plain_close(struct connection_io *io)
{
    for (unsigned i = 0; i < io->fd_count; i++)
        port_close(io->fds[i]);
    io->fd_count = 0;
    port_close(io->fd);
}

const struct transport transport_unix = {
    .name = "unix",
    .secure = true, // it does not leave the host
    .read = unix_read,
    .write = plain_write,
    .send_fd = unix_send_fd,
    .close = plain_close,
};

const struct transport transport_tcp = {
    .name = "tcp",
    .read = tcp_read,
    .write = plain_write,
    .close = plain_close,
};
