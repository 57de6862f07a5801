// Messages: the length word and the header in front of every payload, read and written.
//
// A message on the wire is a length word, which counts itself, a header of six words, and the
// payload (libvirt's docs/kbase/internals/rpc.html, modelled on RFC 5531). A slot holds all of it.
#ifndef RPC_MESSAGE_H
#define RPC_MESSAGE_H

#include "core/slot.h"
#include "proto/message.h"
#include "rpc/xdr.h"

#define MESSAGE_LENGTH_WORD 4
#define MESSAGE_HEADER_SIZE 24
#define MESSAGE_MIN         (MESSAGE_LENGTH_WORD + MESSAGE_HEADER_SIZE)

// Reads the header of a message that has at least MESSAGE_MIN bytes.
struct message_header message_header_read(const uint8_t *message);
// Only its type, which is asked for more often.
int32_t message_type(const uint8_t *message);

// A message being written: into a small slot at first, which is exchanged for a large one when it
// becomes too long. The writer's position is behind the header.
struct message_out {
    struct xdr_writer writer;
    struct slot *slot;
};

// Starts a message. There is always a slot: whoever hogs them is cut before there is none
// (rpc/client.h). `out` must stay in place until message_end(); `err` takes the writer's errors.
void message_begin(struct message_out *out, const struct message_header *header, struct error *err);
// Ends it: the length word is put in and the slot is the caller's. NULL when the writer has failed;
// the slot is then gone and `err` is set.
struct slot *message_end(struct message_out *out);
void message_drop(struct message_out *out); // gives the slot back

// A reply with status VIR_NET_ERROR that carries `error`; `type` is VIR_NET_REPLY or
// VIR_NET_STREAM.
struct slot *message_error_reply(const struct message_header *request, int32_t type,
                                 const struct error *error);

#endif
