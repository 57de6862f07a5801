// Sending to many clients at once, on a transport whose writes cost time.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/slot.h"
#include "server_peer.h"

#define PEERS 12

static struct peer peers[PEERS];
static int written[PEERS + 8]; // descriptors, in the order of writing
static size_t writes;

static void work_for_a_millisecond(void)
{
    uint64_t begin = port_clock_ns();
    while (port_clock_ns() - begin < NS_PER_MS)
        ;
}

static ptrdiff_t read_it(struct connection_io *io, void *to, size_t len)
{
    return port_read(io->fd, to, len);
}

static ptrdiff_t write_slowly(struct connection_io *io, const struct port_span *spans, size_t count)
{
    assert_in_range(writes, 0, PEERS - 1);
    written[writes++] = io->fd;
    work_for_a_millisecond();
    return port_writev(io->fd, spans, count);
}

static void close_it(struct connection_io *io)
{
    port_close(io->fd);
}

static const struct transport slow = {
    .name = "slow", .read = read_it, .write = write_slowly, .close = close_it};

static void come(struct peer *peer)
{
    int ends[2];
    assert_int_equal(port_socket_pair(ends), 0);
    const struct port_peer who = {.family = PORT_UNIX};
    const struct admission admission = {
        .server = &test_server, .transport = &slow, .auth = AUTH_NONE};
    *peer = (struct peer){.fd = ends[0]};
    peer->client = client_add(ends[1], &admission, &who);
}

static void queue_message(struct client *client)
{
    struct slot *slot = slot_take_outgoing(SLOT_SMALL_SIZE);
    assert_non_null(slot);
    slot->len = (uint32_t)call_make(slot->at, 1, 1, NULL, 0);
    client_send(client, slot);
}

static int all_come(void **state)
{
    (void)state;
    writes = 0;
    for (size_t i = 0; i < PEERS; i++)
        come(&peers[i]);
    turns(2);
    for (size_t i = 0; i < PEERS; i++)
        queue_message(peers[i].client);
    return 0;
}

static int all_leave(void **state)
{
    (void)state;
    client_close_all();
    for (size_t i = 0; i < PEERS; i++)
        port_close(peers[i].fd);
    turns(2);
    return 0;
}

// ---- claims

static void what_is_sent_to_many_takes_several_turns(void **state)
{
    (void)state;
    loop_turn(0);
    assert_in_range(writes, 1, 4);
    for (size_t before = writes; writes < PEERS; before = writes) {
        loop_turn(-1); // which does not wait
        assert_in_range(writes - before, 1, 4);
    }
}

static void who_was_first_is_sent_to_first(void **state)
{
    (void)state;
    turns(PEERS);
    assert_int_equal(writes, PEERS);
    for (size_t i = 0; i < PEERS; i++)
        assert_int_equal(written[i], peers[i].client->io.fd);
}

static void who_leaves_before_his_turn_is_left_out(void **state)
{
    (void)state;
    loop_turn(0);
    client_cut(peers[PEERS - 1].client, "tested");
    client_cut(peers[PEERS / 2].client, "tested");
    loop_turn(0);
    port_close(peers[PEERS / 2].fd);
    come(&peers[PEERS / 2]); // in the same place
    turns(PEERS);
    assert_int_equal(writes, PEERS - 2);
}

#define CLAIM(claim) cmocka_unit_test_setup_teardown(claim, all_come, all_leave)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(what_is_sent_to_many_takes_several_turns),
        CLAIM(who_was_first_is_sent_to_first),
        CLAIM(who_leaves_before_his_turn_is_left_out),
    };
    return cmocka_run_group_tests(claims, NULL, NULL);
}
