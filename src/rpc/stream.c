// Streams: moving bytes between clients and descriptors.
#include "rpc/stream.h"

#include "core/assert.h"
#include "core/log.h"
#include "rpc/receive.h"

#include <errno.h>
#include <string.h>

#define CHUNK_MAX   65536 // bytes in one message to the client
#define SEND_AHEAD  4     // messages in the client's queue from which on we do not read
#define SMALL_CHUNK (SLOT_SMALL_SIZE - MESSAGE_MIN)

static struct stream streams[CONFIG_MAX_STREAMS];

static struct stream *take_stream(void)
{
    for (size_t i = 0; i < CONFIG_MAX_STREAMS; i++)
        if (!streams[i].used)
            return &streams[i];
    return NULL;
}

unsigned stream_count(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < CONFIG_MAX_STREAMS; i++)
        count += streams[i].used;
    return count;
}

static void release_queue(struct stream *stream)
{
    while (stream->queue_first) {
        struct slot *slot = stream->queue_first;
        stream->queue_first = slot->next;
        stream->client->stream_held--;
        slot_release(slot);
    }
    stream->queue_last = NULL;
}

// Takes the stream apart; nothing more is sent.
static void end(struct stream *stream)
{
    struct stream **link = &stream->client->streams;
    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    release_queue(stream);
    int fd = stream->watch.fd;
    loop_unwatch(&stream->watch);
    port_close(fd);
    stream->used = false;
    if (stream->closed)
        stream->closed(stream->data);
}

// Once the descriptor has ended it would report that in every turn: it is not looked at any more,
// the client ends the stream.
static void update(struct stream *stream)
{
    if (stream->ended_by_fd) {
        release_queue(stream);
        loop_watch_rest(&stream->watch);
        return;
    }
    short events = 0;
    if ((stream->ways & STREAM_TO_CLIENT) && stream->client->send_count < SEND_AHEAD)
        events |= PORT_POLL_IN;
    if (stream->queue_first)
        events |= PORT_POLL_OUT;
    loop_watch_for(&stream->watch, events);
}

// ---- to the client

static void send_status(struct client *client, const struct message_header *call, int32_t status)
{
    struct error err = {0};
    struct message_header header = *call;
    header.type = VIR_NET_STREAM;
    header.status = status;
    struct message_out out;
    message_begin(&out, &header, &err);
    client_send(client, message_end(&out));
}

static void fail(struct stream *stream, const struct error *err)
{
    struct client *client = stream->client;
    struct message_header header = stream->header;
    end(stream);
    client_send(client, message_error_reply(&header, VIR_NET_STREAM, err));
    receive_resume(client);
}

void stream_abort(struct stream *stream, const struct error *err)
{
    struct error own = {0};
    if (!err)
        error_set(&own, VIR_FROM_STREAMS, VIR_ERR_RPC, "stream had unexpected termination");
    fail(stream, err ? err : &own);
}

static void fail_errno(struct stream *stream, const char *what, int number)
{
    struct error err = {0};
    error_set(&err, VIR_FROM_STREAMS, VIR_ERR_SYSTEM_ERROR, "%s: %s", what, strerror(number));
    fail(stream, &err);
}

// A message with `len` bytes of data; len 0 tells the client of the end.
static void send_data(struct stream *stream, const char *data, size_t len)
{
    struct slot *slot = slot_take_outgoing(MESSAGE_MIN + len);
    if (!slot && len > SMALL_CHUNK) {
        send_data(stream, data, SMALL_CHUNK);
        send_data(stream, data + SMALL_CHUNK, len - SMALL_CHUNK);
        return;
    }
    assert(slot);
    slot->len = (uint32_t)(MESSAGE_MIN + len);
    xdr_store_u32(slot->at, slot->len);
    xdr_store_u32(slot->at + 4, stream->header.prog);
    xdr_store_u32(slot->at + 8, stream->header.vers);
    xdr_store_u32(slot->at + 12, (uint32_t)stream->header.proc);
    xdr_store_u32(slot->at + 16, VIR_NET_STREAM);
    xdr_store_u32(slot->at + 20, stream->header.serial);
    xdr_store_u32(slot->at + 24, VIR_NET_CONTINUE);
    memcpy(slot->at + MESSAGE_MIN, data, len);
    client_send(stream->client, slot);
}

static void read_fd(struct stream *stream)
{
    static char chunk[CHUNK_MAX];
    ptrdiff_t got = port_read(stream->watch.fd, chunk, sizeof(chunk));
    if (got == -EAGAIN || got == -EINTR)
        return;
    if (got == -EIO) // a pty whose other side was closed
        got = 0;
    if (got < 0) {
        fail_errno(stream, "cannot read from stream", (int)-got);
        return;
    }
    stream->ended_by_fd = got == 0;
    send_data(stream, chunk, (size_t)got);
    if (stream->used) // its client may have been cut to make room for this
        update(stream);
}

// ---- from the client

static void finish(struct stream *stream)
{
    struct client *client = stream->client;
    struct message_header header = stream->header;
    end(stream);
    send_status(client, &header, VIR_NET_OK);
}

static void first_is_written(struct stream *stream)
{
    struct slot *slot = stream->queue_first;
    stream->queue_first = slot->next;
    if (!stream->queue_first)
        stream->queue_last = NULL;
    stream->client->stream_held--;
    slot_release(slot);
}

static void write_fd(struct stream *stream)
{
    while (stream->queue_first) {
        struct slot *slot = stream->queue_first;
        ptrdiff_t put = port_write(stream->watch.fd, slot->at + slot->done, slot->len - slot->done);
        if (put == -EAGAIN || put == -EINTR)
            break;
        if (put < 0) {
            fail_errno(stream, "cannot write to stream", (int)-put);
            return;
        }
        slot->done += (uint32_t)put;
        if (slot->done == slot->len)
            first_is_written(stream);
    }
    struct client *client = stream->client;
    if (stream->finishing && !stream->queue_first)
        finish(stream);
    else
        update(stream);
    receive_resume(client);
}

static void ready(struct watch *watch, short events)
{
    struct stream *stream = (struct stream *)(void *)watch;
    if ((events & PORT_POLL_OUT) && stream->queue_first) {
        write_fd(stream);
        return;
    }
    bool reading = (stream->ways & STREAM_TO_CLIENT) && !stream->ended_by_fd;
    if (reading && stream->client->send_count < SEND_AHEAD)
        read_fd(stream);
    else if (reading)
        loop_watch_rest(watch); // a hang-up; what is left is read when the client has caught up
    else if (!stream->ended_by_fd && (events & (PORT_POLL_HUP | PORT_POLL_ERR)))
        stream_abort(stream, NULL);
}

static void queue_data(struct stream *stream, struct slot *slot)
{
    if (!(stream->ways & STREAM_FROM_CLIENT) || slot->len == slot->done || stream->ended_by_fd) {
        slot_release(slot);
        return;
    }
    slot->next = NULL;
    if (stream->queue_last)
        stream->queue_last->next = slot;
    else
        stream->queue_first = slot;
    stream->queue_last = slot;
    stream->client->stream_held++;
    write_fd(stream);
}

static struct stream *find_stream(const struct client *client, const struct message_header *header)
{
    for (struct stream *stream = client->streams; stream; stream = stream->next)
        if (stream->header.serial == header->serial && stream->header.prog == header->prog &&
            stream->header.proc == header->proc)
            return stream;
    return NULL;
}

static void unexpected_status(struct stream *stream, int32_t status)
{
    struct error err = {0};
    error_set(&err, VIR_FROM_STREAMS, VIR_ERR_RPC, "stream aborted with unexpected status %d",
              status);
    fail(stream, &err);
}

static void receive_control(struct stream *stream, const struct message_header *header)
{
    if (header->type == VIR_NET_STREAM_HOLE) {
        struct error err = {0};
        error_set(&err, VIR_FROM_STREAMS, VIR_ERR_OPERATION_UNSUPPORTED,
                  "Sparse stream not supported");
        fail(stream, &err);
    } else if (header->status == VIR_NET_OK && stream->queue_first) {
        stream->finishing = true;
    } else if (header->status == VIR_NET_OK || header->status == VIR_NET_ERROR) {
        finish(stream);
    } else {
        unexpected_status(stream, header->status);
    }
}

void stream_receive(struct client *client, struct slot *slot, const struct message_header *header)
{
    struct stream *stream = find_stream(client, header);
    if (!stream) { // data may still come after a stream has ended
        slot_release(slot);
        return;
    }
    if (header->type == VIR_NET_STREAM && header->status == VIR_NET_CONTINUE) {
        queue_data(stream, slot);
        return;
    }
    slot_release(slot);
    receive_control(stream, header);
}

// ---- opening and what the client does

struct stream *stream_open(struct call *call, int fd, unsigned ways, void (*closed)(void *data),
                           void *data)
{
    struct stream *stream = take_stream();
    if (!call->client) {
        port_close(fd);
        error_set(&call->error, VIR_FROM_STREAMS, VIR_ERR_OPERATION_ABORTED, "the client has left");
        return NULL;
    }
    if (!stream) {
        port_close(fd);
        error_set(&call->error, VIR_FROM_STREAMS, VIR_ERR_OPERATION_FAILED,
                  "too many streams: limit is %d, CONFIG_MAX_STREAMS", CONFIG_MAX_STREAMS);
        return NULL;
    }
    memset(stream, 0, sizeof(*stream));
    if (!loop_watch(&stream->watch, fd, ways & STREAM_TO_CLIENT ? PORT_POLL_IN : 0, ready,
                    &call->error)) {
        port_close(fd);
        return NULL;
    }
    stream->used = true;
    stream->client = call->client;
    stream->header = call->header;
    stream->ways = ways;
    stream->closed = closed;
    stream->data = data;
    stream->next = call->client->streams;
    call->client->streams = stream;
    return stream;
}

void stream_client_sent(struct client *client)
{
    for (struct stream *stream = client->streams; stream; stream = stream->next)
        update(stream);
}

void stream_client_gone(struct client *client)
{
    while (client->streams)
        end(client->streams);
}
