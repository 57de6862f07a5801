// Reading a whole file, and writing all of something.
#include "port/port.h"

#include <errno.h>

ptrdiff_t port_file_read(const char *path, void *to, size_t size)
{
    int fd = port_open(path, PORT_OPEN_READ, 0);
    if (fd < 0)
        return fd;
    char *bytes = to;
    size_t len = 0;
    ptrdiff_t got = 0;
    // The last byte of the room is only read to see whether the file goes on.
    while (len < size && (got = port_read(fd, bytes + len, size - len)) > 0)
        len += (size_t)got;
    ptrdiff_t result = got < 0 ? got : (ptrdiff_t)len;
    port_close(fd);
    if (result >= 0 && len == size)
        result = -EFBIG;
    if (size > 0)
        bytes[result < 0 ? 0 : len] = '\0';
    return result;
}

int port_write_all(int fd, const void *from, size_t len)
{
    const char *at = from;
    while (len > 0) {
        ptrdiff_t written = port_write(fd, at, len);
        if (written == -EAGAIN) {
            struct port_poll poll = {.fd = fd, .events = PORT_POLL_OUT};
            port_poll(&poll, 1, -1);
        } else if (written < 0 && written != -EINTR) {
            return (int)written;
        } else if (written > 0) {
            at += written;
            len -= (size_t)written;
        }
    }
    return 0;
}
