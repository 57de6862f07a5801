// Transports: how bytes get to a peer and back.
//
// A transport moves bytes for one connection without waiting; -EAGAIN means that the descriptor
// must be polled. It knows nothing of messages, but is told where they end: `write` gets whole
// messages so that a TLS record never holds parts of two.
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include "core/error.h"
#include "port/port.h"

struct identity;
struct settings;
struct tls_session;

struct connection_io {
    int fd;
    const struct transport *transport;
    struct tls_session *tls; // of the TLS transport: NULL until the peer has said something
    int fds[8];              // descriptors received and not yet claimed by a message
    unsigned fd_count;
};

struct transport {
    const char *name; // "unix", "tcp", "tls", as virt-admin and the access rules name it
    bool secure;      // nobody else sees what it carries (virConnectIsSecure)

    // ---- once, for all its connections; NULL where there is nothing to do

    // Makes it ready as the settings say, which must stay in place.
    bool (*start)(const struct settings *settings, struct error *err);
    // Reads keys and certificates again, for connections from now on. When that fails, the old ones
    // stay in use.
    bool (*reload)(struct error *err);
    // Reads the same files to no end but that they are in memory when reload() does: waits for the
    // disk, in a worker.
    void (*read_ahead)(void);

    // ---- of one connection

    // What has to be exchanged before it carries anything; NULL for nothing. Called when the
    // descriptor is ready, and again in a turn to come for as long as it returns 0: a call takes
    // the time of one signature at most. 1: done, and `identity` says who the peer is; -EAGAIN: the
    // descriptor must be polled as `polls` says; another negative errno: it has failed, and the
    // error tells why.
    int (*handshake)(struct connection_io *io, struct identity *identity, struct error *err);
    // What to poll the descriptor for so that what is wanted (PORT_POLL_IN, PORT_POLL_OUT: to read,
    // to write) can go on; NULL: just that.
    short (*polls)(const struct connection_io *io, short wanted);
    // Whether bytes have left the descriptor and were not read yet: polling does not tell of them.
    // NULL: never.
    bool (*pending)(const struct connection_io *io);
    // Reads; 0 at the end of the stream.
    ptrdiff_t (*read)(struct connection_io *io, void *to, size_t len);
    // Writes parts of messages in order, each span from one message.
    ptrdiff_t (*write)(struct connection_io *io, const struct port_span *spans, size_t count);
    // Sends descriptors behind a message, one a call; NULL where that can not be done.
    ptrdiff_t (*send_fd)(struct connection_io *io, int fd);
    void (*close)(struct connection_io *io);
};

extern const struct transport transport_unix, transport_tcp;

// The transport of that name, ready for use as the settings say (which must stay in place); NULL
// with VIR_ERR_CONFIG_UNSUPPORTED when this build has none, or with its error when it can not be.
const struct transport *transport_start(const char *name, const struct settings *settings,
                                        struct error *err);
// Has every transport that was started read its keys and certificates again. VIR_ERR_SYSTEM_ERROR
// when one fails, which goes on with the old ones.
bool transport_reload(struct error *err);
// For a worker, before that: waits for the disk in its place.
void transport_read_ahead(void);

#endif
