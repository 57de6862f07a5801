// Streams: bytes between a client and a descriptor of ours, beside the calls (libvirt's virStream).
//
// A stream belongs to the call that opened it and shares its serial number. It works on a
// descriptor that can be polled (a pty, a socket, the pipe of a worker that reads or writes a
// file). Both directions are bounded: we read from the descriptor only while the client takes what
// we send, and from the client only while the descriptor takes what it sends.
#ifndef RPC_STREAM_H
#define RPC_STREAM_H

#include "rpc/client.h"

enum stream_way { STREAM_TO_CLIENT = 1, STREAM_FROM_CLIENT = 2 };

struct stream {
    struct watch watch; // first
    struct client *client;
    struct message_header header; // of the call
    struct stream *next;
    struct slot *queue_first, *queue_last; // from the client, for the descriptor
    bool used, ended_by_fd, finishing;
    unsigned ways;
    // Called once, when the stream has ended for whatever reason; the descriptor is closed by then.
    void (*closed)(void *data);
    void *data;
};

// Opens a stream for a call whose procedure has one. The descriptor is the stream's from then on,
// also on failure. NULL with the call's error set when there are too many, or when the client has
// left.
struct stream *stream_open(struct call *call, int fd, unsigned ways, void (*closed)(void *data),
                           void *data);
// Ends a stream from our side with an error for the client; NULL error: "stream had unexpected
// termination", as libvirtd says it.
void stream_abort(struct stream *stream, const struct error *err);

// Takes over a slot with a message of type STREAM or STREAM_HOLE.
void stream_receive(struct client *client, struct slot *slot, const struct message_header *header);
void stream_client_sent(struct client *client); // its queue has become shorter
void stream_client_gone(struct client *client);
unsigned stream_count(void);

#endif
