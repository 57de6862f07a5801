// Transports: how bytes get to a peer and back.
//
// A transport moves bytes for one connection without waiting; -EAGAIN means that the descriptor
// must be polled. It knows nothing of messages, but is told where they end: `write` gets whole
// messages so that a TLS record never holds parts of two.
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include "port/port.h"

struct connection_io {
    int fd;
    const struct transport *transport;
    int fds[8]; // descriptors received and not yet claimed by a message
    unsigned fd_count;
};

struct transport {
    const char *name; // "unix", "tcp", as virt-admin and the access rules name it
    // Reads; 0 at the end of the stream.
    ptrdiff_t (*read)(struct connection_io *io, void *to, size_t len);
    // Writes parts of messages in order, each span from one message.
    ptrdiff_t (*write)(struct connection_io *io, const struct port_span *spans, size_t count);
    // Sends descriptors behind a message, one a call; NULL where that can not be done.
    ptrdiff_t (*send_fd)(struct connection_io *io, int fd);
    void (*close)(struct connection_io *io);
};

extern const struct transport transport_unix, transport_tcp;

#endif
