// Clients whose transport is in its handshake, on a transport that does what a test says.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "rpc/opening.h"
#include "server_peer.h"

// ---- a transport with a handshake: the peer's letters say how it goes

// 'c': not yet over, call again; 'w': wait for more; 'o': over; 'x': it has failed. Afterwards,
// what is read has left the descriptor before, a few bytes at a time.
static struct kept {
    uint8_t bytes[4096];
    size_t len;
} kept_of[64]; // by descriptor
static unsigned steps;
static char letter; // the last one

static int shake(struct connection_io *io, struct identity *identity, struct error *err)
{
    steps++;
    if (letter != 'c' && port_read(io->fd, &letter, 1) != 1)
        return -EAGAIN;
    switch (letter) {
    case 'c':
        return 0;
    case 'o':
        strcpy(identity->x509_dname, "CN=ann");
        return 1;
    case 'x':
        error_set(err, VIR_FROM_RPC, VIR_ERR_AUTH_FAILED, "no");
        return -EACCES;
    default:
        return -EAGAIN;
    }
}

static short polls(const struct connection_io *io, short wanted)
{
    (void)io;
    return wanted;
}

static struct kept *kept_at(const struct connection_io *io)
{
    assert_in_range(io->fd, 0, 63);
    return &kept_of[io->fd];
}

static bool pending(const struct connection_io *io)
{
    return kept_at(io)->len > 0;
}

static ptrdiff_t read_kept(struct connection_io *io, void *to, size_t len)
{
    struct kept *kept = kept_at(io);
    if (kept->len == 0) {
        ptrdiff_t got = port_read(io->fd, kept->bytes, sizeof(kept->bytes));
        if (got <= 0)
            return got;
        kept->len = (size_t)got;
    }
    size_t n = len < 5 ? len : 5;
    n = n < kept->len ? n : kept->len;
    memcpy(to, kept->bytes, n);
    kept->len -= n;
    memmove(kept->bytes, kept->bytes + n, kept->len);
    return (ptrdiff_t)n;
}

static ptrdiff_t write_on(struct connection_io *io, const struct port_span *spans, size_t count)
{
    return port_writev(io->fd, spans, count);
}

static void close_it(struct connection_io *io)
{
    port_close(io->fd);
}

static const struct transport slow = {
    .name = "slow",
    .handshake = shake,
    .polls = polls,
    .pending = pending,
    .read = read_kept,
    .write = write_on,
    .close = close_it,
};

static struct peer peers[4];

static struct client *come(struct peer *peer)
{
    int ends[2];
    assert_int_equal(port_socket_pair(ends), 0);
    const struct port_peer who = {.family = PORT_IPV4, .address = "192.0.2.1"};
    const struct admission admission = {.server = &test_server, .transport = &slow};
    peer->fd = ends[0];
    peer->len = 0;
    peer->client = client_add(ends[1], &admission, &who);
    return peer->client;
}

static void say(struct peer *peer, const char *letters)
{
    peer_send(peer, letters, strlen(letters));
    turns(3);
}

// Any call is answered: nobody serves it, which is said in an error.
static void assert_served(struct peer *peer)
{
    static uint8_t out[4096], in[65536];
    struct message_header header;
    peer_send(peer, out, call_make(out, 1, 7, NULL, 0));
    assert_true(peer_next(peer, in, &header));
    assert_int_equal(header.serial, 7);
}

static int leave_all(void **state)
{
    (void)state;
    client_close_all();
    for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++)
        if (peers[i].client)
            port_close(peers[i].fd);
    memset(peers, 0, sizeof(peers));
    memset(kept_of, 0, sizeof(kept_of));
    steps = 0;
    letter = '\0';
    test_server.limits.max_anonymous_clients = 0;
    turns(2);
    assert_int_equal(client_count(), 0);
    assert_int_equal(test_server.anonymous_count, 0);
    return 0;
}

// ---- claims

static void a_client_is_anonymous_until_its_handshake_is_over(void **state)
{
    (void)state;
    struct client *client = come(&peers[0]);
    assert_int_equal(test_server.anonymous_count, 1);
    say(&peers[0], "ww");
    assert_true(client->opening);
    assert_false(client->authenticated);
    say(&peers[0], "o");
    assert_false(client->opening);
    assert_true(client->authenticated);
    assert_int_equal(test_server.anonymous_count, 0);
    assert_string_equal(client->identity.x509_dname, "CN=ann");
    assert_served(&peers[0]);
}

static void a_handshake_that_fails_ends_the_connection(void **state)
{
    (void)state;
    come(&peers[0]);
    say(&peers[0], "wx");
    assert_true(peer_was_cut(&peers[0]));
}

static void a_silent_client_costs_no_step(void **state)
{
    (void)state;
    come(&peers[0]);
    turns(20);
    assert_int_equal(steps, 0);
}

static void a_handshake_that_goes_on_and_on_holds_up_nobody(void **state)
{
    (void)state;
    come(&peers[1]);
    say(&peers[1], "o");
    come(&peers[0]);
    say(&peers[0], "c");
    unsigned before = steps;
    assert_served(&peers[1]);
    turns(2);
    assert_true(steps > before);
}

static void whoever_stands_still_longest_gives_way(void **state)
{
    (void)state;
    test_server.limits.max_anonymous_clients = 2;
    come(&peers[0])->received_at -= 2 * NS_PER_SEC;
    come(&peers[1])->received_at -= 5 * NS_PER_SEC;
    assert_non_null(come(&peers[2]));
    assert_true(peer_was_cut(&peers[1]));
    say(&peers[0], "o");
    say(&peers[2], "o");
    assert_served(&peers[0]);
    assert_served(&peers[2]);
}

static void many_who_come_at_once_do_not_keep_each_other_out(void **state)
{
    (void)state;
    test_server.limits.max_anonymous_clients = 1;
    for (int i = 0; i < 3; i++)
        assert_non_null(come(&peers[i]));
    for (int i = 0; i < 3; i++) {
        say(&peers[i], "wo");
        assert_served(&peers[i]);
    }
}

static void all_who_stand_still_give_way_when_there_are_too_many(void **state)
{
    (void)state;
    test_server.limits.max_anonymous_clients = 1;
    struct client *clients[3];
    for (int i = 0; i < 3; i++)
        clients[i] = come(&peers[i]);
    for (int i = 0; i < 3; i++)
        clients[i]->received_at -= 2 * NS_PER_SEC;
    assert_non_null(come(&peers[3]));
    say(&peers[3], "o");
    assert_served(&peers[3]);
}

static void where_there_is_no_place_at_all_the_one_heard_of_longest_ago_goes(void **state)
{
    (void)state;
    uint32_t most = test_server.limits.max_clients;
    test_server.limits.max_clients = 2;
    come(&peers[0]);
    come(&peers[1])->received_at -= 1;
    assert_true(client_room(&test_server));
    assert_non_null(come(&peers[2]));
    assert_true(peer_was_cut(&peers[1]));
    test_server.limits.max_clients = most;
}

// Who came within a second has filled every place, and has stood still ever since.
static void a_crowd_that_filled_every_place_and_then_stood_still_keeps_nobody_out(void **state)
{
    (void)state;
    uint32_t most = test_server.limits.max_clients;
    test_server.limits.max_clients = 3;
    test_server.limits.max_anonymous_clients = 1;
    for (int i = 0; i < 3; i++)
        come(&peers[i]);
    for (int i = 0; i < 3; i++)
        peers[i].client->received_at -= 2 * NS_PER_SEC;
    assert_non_null(come(&peers[3]));
    say(&peers[3], "o");
    assert_served(&peers[3]);
    test_server.limits.max_clients = most;
}

static void nobody_gives_way_who_is_through(void **state)
{
    (void)state;
    uint32_t most = test_server.limits.max_clients;
    test_server.limits.max_clients = 1;
    come(&peers[0]);
    say(&peers[0], "o");
    assert_false(client_room(&test_server));
    assert_null(come(&peers[1]));
    assert_served(&peers[0]);
    test_server.limits.max_clients = most;
}

static void a_handshake_that_takes_too_long_is_ended(void **state)
{
    (void)state;
    struct client *client = come(&peers[0]);
    client->connected_at -= 61 * NS_PER_SEC;
    for (int i = 0; i < 100 && client->used; i++)
        loop_turn((int64_t)(50 * NS_PER_MS));
    assert_true(peer_was_cut(&peers[0]));
}

static void bytes_that_polling_does_not_tell_of_are_read(void **state)
{
    (void)state;
    come(&peers[0]);
    say(&peers[0], "o");
    for (int i = 0; i < 5; i++)
        assert_served(&peers[0]);
}

#define CLAIM(claim) cmocka_unit_test_teardown(claim, leave_all)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(a_client_is_anonymous_until_its_handshake_is_over),
        CLAIM(a_handshake_that_fails_ends_the_connection),
        CLAIM(a_silent_client_costs_no_step),
        CLAIM(a_handshake_that_goes_on_and_on_holds_up_nobody),
        CLAIM(whoever_stands_still_longest_gives_way),
        CLAIM(many_who_come_at_once_do_not_keep_each_other_out),
        CLAIM(all_who_stand_still_give_way_when_there_are_too_many),
        CLAIM(where_there_is_no_place_at_all_the_one_heard_of_longest_ago_goes),
        CLAIM(a_crowd_that_filled_every_place_and_then_stood_still_keeps_nobody_out),
        CLAIM(nobody_gives_way_who_is_through),
        CLAIM(a_handshake_that_takes_too_long_is_ended),
        CLAIM(bytes_that_polling_does_not_tell_of_are_read),
    };
    return cmocka_run_group_tests(claims, NULL, NULL);
}
