// Sending: queued messages leave together at the end of a turn, in order, as far as the peer takes
// them; when there are many, those of the clients that are left follow in the next turn.
#include "rpc/send.h"

#include "core/log.h"
#include "rpc/receive.h"
#include "rpc/stream.h"

#include <errno.h>
#include <string.h>

#define SPANS    64              // messages in one system call
#define SHARE_NS (2 * NS_PER_MS) // of a turn, and what one client takes longer

static struct client *flush_first, *flush_last;
static struct turn_end flush_at_turn_end;

static void take_from_queue(struct client *client)
{
    if (!client->flush_queued)
        return;
    struct client *previous = NULL;
    for (struct client *c = flush_first; c != client; c = c->flush_next)
        previous = c;
    if (previous)
        previous->flush_next = client->flush_next;
    else
        flush_first = client->flush_next;
    if (flush_last == client)
        flush_last = previous;
    client->flush_queued = false;
}

// The turn in which it runs has an end, too.
static void keep_turning(struct task *task)
{
    (void)task;
}

static void flush_queue(void)
{
    static struct task next_turn = {.run = keep_turning};
    uint64_t begin = port_clock_ns();
    while (flush_first && port_clock_ns() - begin < SHARE_NS) {
        struct client *client = flush_first;
        take_from_queue(client);
        send_flush(client);
    }
    if (flush_first)
        task_wake(&next_turn);
}

static void queue_flush(struct client *client)
{
    if (!flush_at_turn_end.run) {
        flush_at_turn_end.run = flush_queue;
        loop_at_turn_end(&flush_at_turn_end);
    }
    if (client->flush_queued || client->send_blocked)
        return;
    client->flush_queued = true;
    client->flush_next = NULL;
    if (flush_last)
        flush_last->flush_next = client;
    else
        flush_first = client;
    flush_last = client;
}

static void append(struct client *client, struct slot *slot)
{
    slot->done = 0;
    slot->next = NULL;
    if (client->send_last)
        client->send_last->next = slot;
    else {
        client->send_first = slot;
        client->progress_at = loop_now();
    }
    client->send_last = slot;
    client->send_count++;
    client->send_large += slot->large;
}

// While large slots are few, a message gives its own back and goes into small ones, as many as one
// client may hold: those who do not read keep no large slot from who wants to answer.
static bool append_spread(struct client *client, struct slot *slot)
{
    size_t pieces = (slot->len + SLOT_SMALL_SIZE - 1) / SLOT_SMALL_SIZE;
    if (!slot->large || slot_large_free() > CONFIG_LARGE_SLOTS / 2 ||
        pieces > slot_small_free() / QUEUE_FRACTION)
        return false;
    for (uint32_t at = 0; at < slot->len; at += SLOT_SMALL_SIZE) {
        struct slot *piece = slot_take_outgoing(SLOT_SMALL_SIZE);
        uint32_t left = slot->len - at;
        piece->len = left < SLOT_SMALL_SIZE ? left : SLOT_SMALL_SIZE;
        memcpy(piece->at, slot->at + at, piece->len);
        append(client, piece);
    }
    memcpy(client->send_last->fds, slot->fds, sizeof(slot->fds));
    client->send_last->fd_count = slot->fd_count;
    slot->fd_count = 0;
    slot_release(slot);
    return true;
}

void client_send(struct client *client, struct slot *slot)
{
    if (!slot)
        return;
    if (client->dead) {
        slot_release(slot);
        return;
    }
    if (!append_spread(client, slot))
        append(client, slot);
    queue_flush(client);
}

static void first_is_sent(struct client *client)
{
    struct slot *slot = client->send_first;
    client->send_first = slot->next;
    if (!client->send_first)
        client->send_last = NULL;
    client->send_count--;
    client->send_large -= slot->large;
    client->fds_sent = 0;
    slot_release(slot);
}

// The descriptors of the first message, whose bytes have gone. 0, or a negative errno.
static int send_fds(struct client *client)
{
    struct slot *slot = client->send_first;
    while (client->fds_sent < slot->fd_count) {
        ptrdiff_t sent = client->io.transport->send_fd(&client->io, slot->fds[client->fds_sent]);
        if (sent < 0)
            return (int)sent;
        client->fds_sent++;
    }
    return 0;
}

static void note_sent(struct client *client, size_t bytes)
{
    while (bytes > 0) {
        struct slot *slot = client->send_first;
        size_t rest = slot->len - slot->done;
        size_t n = bytes < rest ? bytes : rest;
        slot->done += (uint32_t)n;
        bytes -= n;
        if (slot->done < slot->len || slot->fd_count)
            return;
        first_is_sent(client);
    }
}

// Writes as many messages as go into one call; a message with descriptors is the last of its call.
static ptrdiff_t send_once(struct client *client)
{
    struct slot *first = client->send_first;
    if (first->done == first->len) {
        int result = send_fds(client);
        if (result < 0)
            return result;
        first_is_sent(client);
        return 1;
    }
    struct port_span spans[SPANS];
    size_t n = 0;
    for (struct slot *slot = first; slot && n < SPANS; slot = slot->next) {
        spans[n++] = (struct port_span){slot->at + slot->done, slot->len - slot->done};
        if (slot->fd_count)
            break;
    }
    ptrdiff_t sent = client->io.transport->write(&client->io, spans, n);
    if (sent > 0)
        note_sent(client, (size_t)sent);
    return sent;
}

void send_flush(struct client *client)
{
    ptrdiff_t sent = 1;
    while (client->send_first && (sent = send_once(client)) > 0)
        client->progress_at = loop_now();
    if (sent < 0 && sent != -EAGAIN && sent != -EINTR) {
        client_cut(client, strerror((int)-sent));
        return;
    }
    client->send_blocked = client->send_first != NULL;
    if (client->closing && !client->send_first) {
        client_cut(client, "closed");
        return;
    }
    stream_client_sent(client);
    receive_resume(client);
}

void send_drop(struct client *client)
{
    take_from_queue(client);
    while (client->send_first)
        first_is_sent(client);
}
