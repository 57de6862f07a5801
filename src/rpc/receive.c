// Receiving: framing, and the choice of a slot by the length word.
//
// A read fills the client's input slot; each message in it is copied into a slot of its own (most
// have less than 100 bytes). A message that is not whole yet goes on to be read straight into its
// slot. A message longer than REMOTE_MESSAGE_MAX is answered with an error and thrown away as it
// comes.
#include "rpc/receive.h"

#include "core/log.h"
#include "core/log_limit.h"
#include "rpc/dispatch.h"
#include "rpc/keepalive.h"
#include "rpc/stream.h"

#include <errno.h>
#include <string.h>

// libvirt's own VIR_NET_MESSAGE_MAX: whoever announces more does not speak the protocol.
#define PROTOCOL_MESSAGE_MAX (32u * 1024 * 1024 + MESSAGE_LENGTH_WORD)
// Replies and events that may be queued before requests are not read any more.
#define QUEUE_MAX       64
#define QUEUE_LARGE_MAX (CONFIG_LARGE_SLOTS / 16 + 1)
#define STREAM_HELD_MAX 4
#define READS_A_TURN    4
// After that, a client that has more to say waits in the background while others want the loop.
#define CLIENT_SHARE_NS (NS_PER_MS / 10)

// The bytes of the input that are not consumed yet.
static const uint8_t *input_at(const struct client *client)
{
    return client->input->at + client->input->done;
}

static uint32_t input_left(const struct client *client)
{
    return client->input->len - client->input->done;
}

static void consume_input(struct client *client, uint32_t bytes)
{
    client->input->done += bytes;
}

// Makes room behind what is left.
static void compact_input(struct client *client)
{
    struct slot *input = client->input;
    if (input->done == 0)
        return;
    input->len -= input->done;
    memmove(input->at, input->at + input->done, input->len);
    input->done = 0;
}

static bool queue_is_long(const struct client *client)
{
    return client->send_count >= QUEUE_MAX || client->send_large >= QUEUE_LARGE_MAX ||
           client->send_count > slot_small_free() / QUEUE_FRACTION;
}

static bool may_take_message(const struct client *client, int32_t type)
{
    if (client->dead || client->closing || queue_is_long(client))
        return false;
    if (type == VIR_NET_CALL || type == VIR_NET_CALL_WITH_FDS)
        return client->call_count < client->server->limits.max_client_requests;
    if (type == VIR_NET_STREAM || type == VIR_NET_STREAM_HOLE)
        return client->stream_held < STREAM_HELD_MAX;
    return true;
}

bool receive_wanted(const struct client *client)
{
    if (client->closing || client->starved || client->put_off || queue_is_long(client))
        return false;
    if (client->incoming || client->skip)
        return true;
    return !client->input || input_left(client) < client->input->size;
}

bool receive_in_message(const struct client *client)
{
    return receive_wanted(client) &&
           (client->incoming || client->skip || (client->input && input_left(client) > 0));
}

static void note_unexpected(const struct client *client, int32_t type)
{
    static struct log_limit limit = {.module = "rpc", .what = "more messages of unexpected types"};
    if (log_limit_allows(&limit))
        log_warning("rpc", "client %llu: unexpected message type %d",
                    (unsigned long long)client->number, type);
}

static void deliver(struct client *client, struct slot *slot)
{
    struct message_header header = message_header_read(slot->at);
    client->unanswered = 0;
    slot->done = MESSAGE_MIN;
    switch (header.type) {
    case VIR_NET_CALL:
    case VIR_NET_CALL_WITH_FDS:
        dispatch_call(client, slot, &header);
        return;
    case VIR_NET_STREAM:
    case VIR_NET_STREAM_HOLE:
        stream_receive(client, slot, &header);
        return;
    case VIR_NET_MESSAGE:
        keepalive_receive(client, &header);
        break;
    default: // as libvirtd, which drops it and goes on
        note_unexpected(client, header.type);
        break;
    }
    slot_release(slot);
}

// ---- descriptors that follow a message

// How many descriptors follow; -1 when that can not be.
static int fds_announced(const struct slot *slot)
{
    int32_t type = message_type(slot->at);
    if (type != VIR_NET_CALL_WITH_FDS && type != VIR_NET_REPLY_WITH_FDS)
        return 0;
    if (slot->len < MESSAGE_MIN + 4)
        return -1;
    uint32_t n = xdr_load_u32(slot->at + MESSAGE_MIN);
    return n <= SLOT_FDS_MAX ? (int)n : -1;
}

static void claim_fd(struct client *client)
{
    struct connection_io *io = &client->io;
    struct slot *slot = client->incoming;
    if (io->fd_count == 0) {
        client_cut(client, "a descriptor was announced and did not come");
        return;
    }
    slot->fds[slot->fd_count++] = io->fds[0];
    io->fd_count--;
    memmove(io->fds, io->fds + 1, io->fd_count * sizeof(io->fds[0]));
    client->fds_wanted--;
}

// `incoming` has all its bytes: it is delivered once its descriptors are there too, and for a call
// a place: between the start of a message and its end others may have taken the last one.
static void message_is_whole(struct client *client)
{
    int fds = fds_announced(client->incoming);
    if (fds < 0) {
        client_cut(client, "it announced more descriptors than a message may carry");
        return;
    }
    client->fds_wanted = (uint32_t)fds;
}

// A client may have as many calls in progress as there are places left: the fewer there are, the
// fewer anybody adds, and whoever has none finds one.
static bool place_for(const struct client *client, int32_t type)
{
    return (type != VIR_NET_CALL && type != VIR_NET_CALL_WITH_FDS) ||
           client->call_count < call_places_free();
}

static void deliver_if_complete(struct client *client)
{
    struct slot *slot = client->incoming;
    if (client->dead || !slot || slot->len < slot->done || client->fds_wanted)
        return;
    if (!place_for(client, message_type(slot->at))) {
        client->starved = true;
        return;
    }
    client->incoming = NULL;
    deliver(client, slot);
}

// ---- from the input slot to messages

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

// Whoever has not authenticated leaves half of the large slots to the others. Where there is none,
// whoever stands still with one makes room, this client too; NULL when that does not help.
static struct slot *take_slot(const struct client *client, uint32_t size)
{
    if (!client->authenticated && size > SLOT_SMALL_SIZE &&
        slot_large_free() <= CONFIG_LARGE_SLOTS / 2)
        return NULL;
    struct slot *slot = slot_take_incoming(size);
    while (!slot && client_relieve())
        slot = slot_take_incoming(size);
    if (!client->dead)
        return slot;
    slot_release(slot);
    return NULL;
}

static void refuse_too_long(struct client *client, const uint8_t *message, uint32_t length)
{
    struct message_header header = message_header_read(message);
    if (header.type != VIR_NET_CALL && header.type != VIR_NET_CALL_WITH_FDS)
        return;
    struct error err = {0};
    error_set(&err, VIR_FROM_RPC, VIR_ERR_RPC,
              "message of %u bytes is too long: limit is %u, CONFIG_REMOTE_MESSAGE_MAX",
              length - MESSAGE_LENGTH_WORD, CONFIG_REMOTE_MESSAGE_MAX);
    client_send(client, message_error_reply(&header, VIR_NET_REPLY, &err));
}

// Begins the next message of the input; false when it has to wait for bytes, a slot or its turn.
static bool begin_message(struct client *client)
{
    if (input_left(client) < MESSAGE_LENGTH_WORD)
        return false;
    const uint8_t *message = input_at(client);
    uint32_t length = xdr_load_u32(message);
    if (length < MESSAGE_MIN || length > PROTOCOL_MESSAGE_MAX) {
        client_cut(client, "its length word can not be that of a message");
        return false;
    }
    if (input_left(client) < MESSAGE_MIN)
        return false;
    if (length > SLOT_LARGE_SIZE) {
        refuse_too_long(client, message, length);
        client->skip = length;
        return true;
    }
    int32_t type = message_type(message);
    if (!may_take_message(client, type)) // it is resumed when one of its own calls ends
        return false;
    struct slot *slot = place_for(client, type) ? take_slot(client, length) : NULL;
    if (!slot) {
        client->starved = true;
        return false;
    }
    slot->done = length;
    client->incoming = slot;
    return true;
}

// Hands bytes of the input to the message that has begun; false when there is nothing to do.
static bool feed_message(struct client *client)
{
    struct slot *slot = client->incoming;
    if (client->skip) {
        uint32_t n = smaller(client->skip, input_left(client));
        client->skip -= n;
        consume_input(client, n);
        return n > 0;
    }
    if (!slot)
        return begin_message(client);
    if (slot->len == slot->done) {
        if (input_left(client) == 0 || client->fds_wanted == 0)
            return false;
        claim_fd(client);
        if (!client->dead)
            consume_input(client, 1);
    } else {
        uint32_t n = smaller(slot->done - slot->len, input_left(client));
        memcpy(slot->at + slot->len, input_at(client), n);
        slot->len += n;
        consume_input(client, n);
        if (slot->len < slot->done)
            return false;
        message_is_whole(client);
    }
    deliver_if_complete(client);
    return true;
}

static uint64_t share_began; // loop time of the client at hand

static bool has_more(const struct client *client)
{
    const struct slot *slot = client->incoming;
    return (slot && slot->len == slot->done) || (client->input && input_left(client) > 0);
}

// Whether the rest has to wait, because this client had its share and others wait, or because
// handlers have made the turn long.
static bool put_off(struct client *client)
{
    if (client->dead || client->put_off || !has_more(client))
        return client->put_off;
    bool had_share = loop_is_busy() && port_clock_ns() - share_began > CLIENT_SHARE_NS;
    if (!had_share && !loop_turn_is_long())
        return false;
    task_wake_background(&client->again);
    client->put_off = true;
    return true;
}

static void take_messages(struct client *client)
{
    if (put_off(client))
        return;
    deliver_if_complete(client);
    while (!client->dead && client->input && feed_message(client))
        if (put_off(client))
            return;
    if (!client->dead && client->input && input_left(client) == 0) {
        slot_release(client->input);
        client->input = NULL;
    }
}

// ---- reading

// One read, to where the bytes belong. Returns what the transport returned, or -EAGAIN for no room.
static ptrdiff_t read_once(struct client *client, bool *filled)
{
    struct slot *slot = client->incoming;
    bool direct = slot && slot->len < slot->done && !client->input;
    if (!direct) {
        if (!client->input)
            client->input = take_slot(client, SLOT_SMALL_SIZE);
        slot = client->input;
        client->starved = slot == NULL;
        if (!slot)
            return -EAGAIN;
        compact_input(client);
    }
    uint32_t end = direct ? slot->done : slot->size;
    if (slot->len == end)
        return -EAGAIN;
    ptrdiff_t got = client->io.transport->read(&client->io, slot->at + slot->len, end - slot->len);
    if (got > 0)
        slot->len += (uint32_t)got;
    *filled = slot->len == end;
    if (direct && got > 0 && *filled) {
        message_is_whole(client);
        deliver_if_complete(client);
    }
    return got;
}

// More of an over-long message, to nowhere.
static ptrdiff_t read_skipped(struct client *client, bool *filled)
{
    static uint8_t nowhere[65536];
    uint32_t n = smaller(client->skip, sizeof(nowhere));
    ptrdiff_t got = client->io.transport->read(&client->io, nowhere, n);
    if (got > 0)
        client->skip -= (uint32_t)got;
    *filled = got == (ptrdiff_t)n;
    return got;
}

void receive_ready(struct client *client)
{
    share_began = port_clock_ns();
    for (int i = 0; i < READS_A_TURN && !client->dead && !client->put_off; i++) {
        bool filled = false;
        bool skipping = client->skip && !client->input;
        ptrdiff_t got = skipping ? read_skipped(client, &filled) : read_once(client, &filled);
        if (got == -EAGAIN || got == -EINTR)
            break;
        if (got <= 0) {
            client_cut(client, got == 0 ? "the client left" : strerror((int)-got));
            return;
        }
        client->received_at = loop_now();
        take_messages(client);
        if (!filled)
            break;
    }
    if (client->dead)
        return;
    take_messages(client);
    client_update(client);
}

void receive_again(struct client *client)
{
    client->put_off = false;
    receive_resume(client);
    if (!client->dead && !client->put_off)
        receive_ready(client);
}

void receive_resume(struct client *client)
{
    if (client->dead)
        return;
    client->starved = false;
    share_began = port_clock_ns();
    take_messages(client);
    client_update(client);
}

void receive_drop(struct client *client)
{
    slot_release(client->input);
    slot_release(client->incoming);
    client->input = client->incoming = NULL;
}
