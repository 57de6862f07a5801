// A server in this process and raw peers of it, for tests: bytes in, bytes out, turn by turn.
#ifndef TEST_UNIT_SERVER_PEER_H
#define TEST_UNIT_SERVER_PEER_H

#include "core/loop.h"
#include "net/transport.h"
#include "proto/message.h"
#include "proto/remote.h"
#include "rpc/client.h"
#include "rpc/dispatch.h"

#include <errno.h>
#include <string.h>

// Set its services before the first peer connects.
static struct server test_server = {
    .name = "test",
    .limits = {.max_clients = CONFIG_MAX_CLIENTS,
               .max_client_requests = 5,
               .keepalive_interval = 5,
               .keepalive_count = 5},
};

struct peer {
    int fd;
    struct client *client;
    uint8_t bytes[1 << 20];
    size_t len; // received and not yet looked at
};

static inline void turns(int count)
{
    for (int i = 0; i < count; i++)
        loop_turn(0);
}

static inline void peer_connect(struct peer *peer, bool read_only, bool authenticated)
{
    int ends[2];
    assert_int_equal(port_socket_pair(ends), 0);
    struct port_peer who = {.family = PORT_UNIX};
    peer->fd = ends[0];
    peer->len = 0;
    const struct admission admission = {.server = &test_server,
                                        .transport = &transport_unix,
                                        .auth = authenticated ? AUTH_NONE : AUTH_SASL,
                                        .read_only = read_only};
    peer->client = client_add(ends[1], &admission, &who);
}

static inline void peer_leave(struct peer *peer)
{
    port_close(peer->fd);
    turns(3);
}

static inline void peer_send(struct peer *peer, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (int i = 0; len > 0 && i < 10000; i++) {
        ptrdiff_t put = port_write(peer->fd, at, len);
        if (put > 0) {
            at += put;
            len -= (size_t)put;
        }
        turns(1);
    }
    assert_int_equal(len, 0);
}

static inline size_t message_make(uint8_t *to, uint32_t prog, uint32_t vers, int32_t proc,
                                  int32_t type, uint32_t serial, int32_t status, const void *body,
                                  size_t body_len)
{
    const uint32_t words[] = {(uint32_t)(MESSAGE_MIN + body_len),
                              prog,
                              vers,
                              (uint32_t)proc,
                              (uint32_t)type,
                              serial,
                              (uint32_t)status};
    for (size_t i = 0; i < 7; i++)
        xdr_store_u32(to + 4 * i, words[i]);
    if (body_len)
        memcpy(to + MESSAGE_MIN, body, body_len);
    return MESSAGE_MIN + body_len;
}

static inline size_t call_make(uint8_t *to, int32_t proc, uint32_t serial, const void *body,
                               size_t body_len)
{
    return message_make(to, remote_program.number, remote_program.version, proc, VIR_NET_CALL,
                        serial, VIR_NET_OK, body, body_len);
}

static inline void peer_receive(struct peer *peer)
{
    for (;;) {
        ptrdiff_t got =
            port_read(peer->fd, peer->bytes + peer->len, sizeof(peer->bytes) - peer->len);
        if (got <= 0)
            return;
        peer->len += (size_t)got;
    }
}

static inline bool peer_has_message(const struct peer *peer)
{
    return peer->len >= MESSAGE_MIN && peer->len >= xdr_load_u32(peer->bytes);
}

// Takes the next message into `to`; false when no whole message comes within some turns.
static inline bool peer_next(struct peer *peer, uint8_t *to, struct message_header *header)
{
    for (int i = 0; i < 50 && !peer_has_message(peer); i++) {
        turns(1);
        peer_receive(peer);
    }
    if (!peer_has_message(peer))
        return false;
    uint32_t length = xdr_load_u32(peer->bytes);
    memcpy(to, peer->bytes, length);
    *header = message_header_read(to);
    peer->len -= length;
    memmove(peer->bytes, peer->bytes + length, peer->len);
    return true;
}

// The error that a message carries.
static inline struct message_error error_of(const uint8_t *message)
{
    struct message_error body;
    struct error err = {0};
    struct xdr_reader reader = {message + MESSAGE_MIN, message + xdr_load_u32(message)};
    assert_true(xdr_decode(&reader, XDR_TYPE(message_error), &body, &err));
    return body;
}

static inline bool peer_was_cut(struct peer *peer)
{
    turns(3);
    uint8_t bytes[4096];
    for (;;) {
        ptrdiff_t got = port_read(peer->fd, bytes, sizeof(bytes));
        if (got > 0)
            continue;
        return got == 0 || got == -ECONNRESET;
    }
}

#endif
