// The server as its peers see it: framing, refusals, order of replies, back-pressure, keepalive,
// streams.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/keepalive.h"
#include "rpc/stream.h"
#include "server_peer.h"

// ---- a service of our own behind the remote program

static struct call
    *waiting[2 * CONFIG_MAX_CALLS]; // calls of AUTH_SASL_INIT's number wait until they are let go
static size_t waiting_count;
static int stream_fd;
static int streams_closed;

static enum co_status echo_hostname(struct call *call)
{
    xdr_put_string(call_reply(call), SLICE("here"));
    return CO_DONE;
}

static enum co_status wait_for_release(struct call *call)
{
    bool *released = CALL_STATE(call, bool);
    CO_BEGIN(&call->co);
    waiting[waiting_count++] = call;
    CO_WAIT(&call->co, *released);
    xdr_put_string(call_reply(call), SLICE("at last"));
    CO_END(&call->co);
}

static enum co_status long_text(struct call *call)
{
    struct xdr_writer *reply = call_reply(call);
    struct buffer text = xdr_string_begin(reply);
    for (int i = 0; i < 20000; i++)
        buffer_putc(&text, 'x');
    xdr_string_end(reply, &text);
    return CO_DONE;
}

static void count_closed(void *data)
{
    (void)data;
    streams_closed++;
}

static enum co_status open_stream(struct call *call)
{
    int ends[2];
    assert_int_equal(port_socket_pair(ends), 0);
    stream_fd = ends[0];
    stream_open(call, ends[1], STREAM_TO_CLIENT | STREAM_FROM_CLIENT, count_closed, NULL);
    return CO_DONE;
}

static enum co_status hand_out_fd(struct call *call)
{
    int ends[2];
    assert_int_equal(port_pipe(ends), 0);
    assert_int_equal(port_write(ends[1], "through", 7), 7);
    port_close(ends[1]);
    call_reply(call);
    call_reply_fd(call, ends[0]);
    return CO_DONE;
}

static enum co_status read_fd(struct call *call)
{
    char text[8] = "";
    assert_int_equal(port_read(call_request_fd(call, 0), text, 7), 7);
    assert_string_equal(text, "through");
    assert_int_equal(call_request_fd(call, 1), -1);
    xdr_put_string(call_reply(call), SLICE("read"));
    return CO_DONE;
}

static unsigned costly_calls;

static enum co_status be_costly(struct call *call)
{
    (void)call;
    while (!loop_turn_is_long())
        ;
    costly_calls++;
    return CO_DONE;
}

static unsigned brief_calls;

static enum co_status take_a_client_share(struct call *call)
{
    (void)call;
    uint64_t end = port_clock_ns() + NS_PER_MS / 8;
    while (port_clock_ns() < end)
        ;
    brief_calls++;
    return CO_DONE;
}

static call_handler *handler(uint32_t procedure)
{
    switch (procedure) {
    case REMOTE_PROC_DOMAIN_SUSPEND:
        return take_a_client_share;
    case REMOTE_PROC_DOMAIN_RESUME:
        return be_costly;
    case REMOTE_PROC_CONNECT_GET_HOSTNAME:
        return echo_hostname;
    case REMOTE_PROC_CONNECT_GET_TYPE:
        return wait_for_release;
    case REMOTE_PROC_CONNECT_GET_CAPABILITIES:
        return long_text;
    case REMOTE_PROC_DOMAIN_OPEN_CONSOLE:
        return open_stream;
    case REMOTE_PROC_DOMAIN_OPEN_GRAPHICS_FD:
        return hand_out_fd;
    case REMOTE_PROC_CONNECT_GET_URI:
        return read_fd;
    default:
        return NULL;
    }
}

static struct service service = {.program = &remote_program, .handler = handler};
static struct peer peer, other, crowd[12];
static size_t crowd_count;
static uint8_t out[1 << 20], in[1 << 20];
static struct message_header header;

static int set_up(void **state)
{
    (void)state;
    static bool served;
    if (!served)
        dispatch_serve(&test_server, &service);
    served = true;
    waiting_count = 0;
    streams_closed = 0;
    peer_connect(&peer, false, true);
    peer_connect(&other, false, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    client_close_all();
    turns(2);
    port_close(peer.fd);
    port_close(other.fd);
    while (crowd_count > 0)
        port_close(crowd[--crowd_count].fd);
    assert_int_equal(client_count(), 0);
    assert_int_equal(slot_small_free(), CONFIG_SMALL_SLOTS);
    assert_int_equal(slot_large_free(), CONFIG_LARGE_SLOTS);
    return 0;
}

static struct peer *peer_one_more(void)
{
    assert_true(crowd_count < sizeof(crowd) / sizeof(crowd[0]));
    peer_connect(&crowd[crowd_count], false, true);
    return &crowd[crowd_count++];
}

static void call_hostname(struct peer *who, uint32_t serial)
{
    size_t len = call_make(out, REMOTE_PROC_CONNECT_GET_HOSTNAME, serial, NULL, 0);
    peer_send(who, out, len);
}

static void expect_reply(struct peer *who, uint32_t serial)
{
    assert_true(peer_next(who, in, &header));
    assert_int_equal(header.type, VIR_NET_REPLY);
    assert_int_equal(header.status, VIR_NET_OK);
    assert_int_equal(header.serial, serial);
}

static void expect_error(struct peer *who, uint32_t serial, int code, const char *message)
{
    assert_true(peer_next(who, in, &header));
    assert_int_equal(header.status, VIR_NET_ERROR);
    assert_int_equal(header.serial, serial);
    struct message_error error = error_of(in);
    assert_int_equal(error.code, code);
    assert_int_equal(error.level, VIR_ERR_LEVEL_ERROR);
    assert_true(slice_contains(error.message, message));
}

// ---- framing

static void a_call_is_answered(void **state)
{
    (void)state;
    call_hostname(&peer, 7);
    expect_reply(&peer, 7);
    assert_int_equal(xdr_load_u32(in), MESSAGE_MIN + 8);
    assert_memory_equal(in + MESSAGE_MIN + 4, "here", 4);
}

static void a_message_may_come_byte_by_byte(void **state)
{
    (void)state;
    size_t len = call_make(out, REMOTE_PROC_CONNECT_GET_HOSTNAME, 8, NULL, 0);
    for (size_t i = 0; i < len; i++)
        peer_send(&peer, out + i, 1);
    expect_reply(&peer, 8);
}

static void many_messages_may_come_at_once(void **state)
{
    (void)state;
    size_t len = 0;
    for (uint32_t serial = 1; serial <= 300; serial++)
        len += call_make(out + len, REMOTE_PROC_CONNECT_GET_HOSTNAME, serial, NULL, 0);
    peer_send(&peer, out, len);
    for (uint32_t serial = 1; serial <= 300; serial++)
        expect_reply(&peer, serial);
}

static void a_large_message_is_taken_in_one_slot(void **state)
{
    (void)state;
    static uint8_t body[200000];
    size_t len = call_make(out, REMOTE_PROC_CONNECT_GET_HOSTNAME, 9, body, sizeof(body));
    peer_send(&peer, out, len);
    expect_reply(&peer, 9);
}

static void a_long_reply_arrives_whole(void **state)
{
    (void)state;
    size_t len = call_make(out, REMOTE_PROC_CONNECT_GET_CAPABILITIES, 10, NULL, 0);
    peer_send(&peer, out, len);
    expect_reply(&peer, 10);
    assert_int_equal(xdr_load_u32(in), MESSAGE_MIN + 4 + 20000);
}

static void a_message_over_the_maximum_is_refused_and_the_connection_lives(void **state)
{
    (void)state;
    static uint8_t body[CONFIG_REMOTE_MESSAGE_MAX];
    size_t len = call_make(out, REMOTE_PROC_CONNECT_GET_HOSTNAME, 11, body, sizeof(body));
    peer_send(&peer, out, len);
    expect_error(&peer, 11, VIR_ERR_RPC, "CONFIG_REMOTE_MESSAGE_MAX");
    call_hostname(&peer, 12);
    expect_reply(&peer, 12);
}

static void a_message_of_the_maximum_is_taken(void **state)
{
    (void)state;
    static uint8_t body[CONFIG_REMOTE_MESSAGE_MAX - MESSAGE_HEADER_SIZE];
    size_t len = call_make(out, REMOTE_PROC_CONNECT_GET_HOSTNAME, 13, body, sizeof(body));
    peer_send(&peer, out, len);
    expect_reply(&peer, 13);
}

static void a_length_that_no_message_has_ends_the_connection(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0, 4, MESSAGE_MIN - 1, 0x7fffffff, 0xffffffff};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct peer *odd = &other;
        call_make(out, REMOTE_PROC_CONNECT_GET_HOSTNAME, 1, NULL, 0);
        xdr_store_u32(out, lengths[i]);
        port_write(odd->fd, out, MESSAGE_MIN);
        assert_true(peer_was_cut(odd));
        port_close(odd->fd);
        peer_connect(odd, false, true);
    }
    call_hostname(&peer, 14);
    expect_reply(&peer, 14);
}

static void half_a_message_disturbs_nobody_else(void **state)
{
    (void)state;
    size_t len = call_make(out, REMOTE_PROC_CONNECT_GET_HOSTNAME, 15, NULL, 0);
    peer_send(&other, out, len / 2);
    call_hostname(&peer, 16);
    expect_reply(&peer, 16);
    assert_false(peer_next(&other, in, &header));
}

// ---- refusals

static void refused(uint32_t prog, uint32_t vers, int32_t proc, int32_t status, int code,
                    const char *message)
{
    size_t len = message_make(out, prog, vers, proc, VIR_NET_CALL, 20, status, NULL, 0);
    peer_send(&peer, out, len);
    expect_error(&peer, 20, code, message);
    call_hostname(&peer, 21);
    expect_reply(&peer, 21);
}

static void an_unknown_program_is_refused(void **state)
{
    (void)state;
    refused(0x12345678, 1, 1, VIR_NET_OK, VIR_ERR_RPC, "Cannot find program 305419896 version 1");
}

static void an_unknown_version_is_refused(void **state)
{
    (void)state;
    refused(remote_program.number, 99, 1, VIR_NET_OK, VIR_ERR_RPC,
            "Cannot find program 536903814 version 99");
}

static void an_unknown_procedure_is_refused(void **state)
{
    (void)state;
    refused(remote_program.number, 1, 99999, VIR_NET_OK, VIR_ERR_RPC, "unknown procedure: 99999");
    refused(remote_program.number, 1, -1, VIR_NET_OK, VIR_ERR_RPC, "unknown procedure: -1");
    refused(remote_program.number, 1, 0, VIR_NET_OK, VIR_ERR_RPC, "unknown procedure: 0");
}

static void a_wrong_status_is_refused(void **state)
{
    (void)state;
    refused(remote_program.number, 1, REMOTE_PROC_CONNECT_GET_HOSTNAME, VIR_NET_CONTINUE,
            VIR_ERR_RPC, "Unexpected message status 2");
}

static void a_procedure_without_a_handler_is_not_supported(void **state)
{
    (void)state;
    refused(remote_program.number, 1, REMOTE_PROC_CONNECT_NUM_OF_INTERFACES, VIR_NET_OK,
            VIR_ERR_NO_SUPPORT, "virConnectNumOfInterfaces");
}

static void a_message_of_unknown_type_is_dropped(void **state)
{
    (void)state;
    size_t len = message_make(out, remote_program.number, 1, 1, 77, 22, VIR_NET_OK, NULL, 0);
    peer_send(&peer, out, len);
    call_hostname(&peer, 23);
    expect_reply(&peer, 23);
}

static void arguments_that_end_early_are_refused(void **state)
{
    (void)state;
    refused(remote_program.number, 1, REMOTE_PROC_DOMAIN_OPEN_CONSOLE, VIR_NET_OK, VIR_ERR_RPC,
            "Unable to decode message payload");
}

static void nothing_is_served_before_authentication(void **state)
{
    (void)state;
    port_close(other.fd);
    turns(3);
    peer_connect(&other, false, false);
    call_hostname(&other, 24);
    expect_error(&other, 24, VIR_ERR_RPC, "authentication required");
}

static void clients_over_max_anonymous_clients_are_refused_until_one_has_authenticated(void **state)
{
    (void)state;
    static struct peer first, late;
    test_server.limits.max_anonymous_clients = 1;
    peer_connect(&first, false, false);
    peer_connect(&late, false, false);
    assert_null(late.client);
    client_authenticated(first.client);
    peer_connect(&late, false, false);
    assert_non_null(late.client);
    test_server.limits.max_anonymous_clients = 0;
    peer_leave(&late);
    peer_leave(&first);
    assert_int_equal(test_server.anonymous_count, 0);
}

static void strangers_leave_half_of_the_large_slots_to_others(void **state)
{
    (void)state;
    static struct peer strangers[CONFIG_LARGE_SLOTS];
    static uint8_t body[10000];
    size_t len = call_make(out, REMOTE_PROC_CONNECT_GET_HOSTNAME, 25, body, sizeof(body));
    for (size_t i = 0; i < CONFIG_LARGE_SLOTS; i++) {
        peer_connect(&strangers[i], false, false);
        peer_send(&strangers[i], out, len - 1);
    }
    assert_int_equal(slot_large_free(), CONFIG_LARGE_SLOTS / 2);
    peer_send(&peer, out, len);
    expect_reply(&peer, 25);
    // Those that had to wait are served when others have left.
    for (size_t i = 0; i < CONFIG_LARGE_SLOTS / 2; i++)
        peer_leave(&strangers[i]);
    for (size_t i = CONFIG_LARGE_SLOTS / 2; i < CONFIG_LARGE_SLOTS; i++) {
        peer_send(&strangers[i], out + len - 1, 1);
        expect_error(&strangers[i], 25, VIR_ERR_RPC, "authentication required");
        peer_leave(&strangers[i]);
    }
}

static void clients_of_a_server_are_kept_in_the_order_of_their_numbers(void **state)
{
    (void)state;
    static struct peer three[3];
    for (int i = 0; i < 3; i++)
        peer_connect(&three[i], false, true);
    peer_leave(&three[1]);
    peer_connect(&three[1], false, true);
    assert_ptr_equal(test_server.last, three[1].client);
    assert_ptr_equal(three[1].client->before, three[2].client);
    assert_ptr_equal(three[2].client->before, three[0].client);
    uint64_t number = 0;
    for (struct client *client = test_server.first; client; client = client->after) {
        assert_true(client->number > number);
        number = client->number;
    }
    for (int i = 0; i < 3; i++)
        peer_leave(&three[i]);
}

static void a_server_for_its_own_user_admits_nobody_else(void **state)
{
    (void)state;
    const struct admission admission = {.server = &test_server, .transport = &transport_unix};
    struct port_peer who = {.family = PORT_UNIX, .has_credentials = true, .uid = port_uid() + 1};
    int ends[2];
    test_server.own_user_only = true;
    assert_int_equal(port_socket_pair(ends), 0);
    assert_null(client_add(ends[1], &admission, &who));
    port_close(ends[0]);
    who.has_credentials = false;
    who.uid = port_uid();
    assert_int_equal(port_socket_pair(ends), 0);
    assert_null(client_add(ends[1], &admission, &who));
    port_close(ends[0]);
    test_server.own_user_only = false;
}

static void a_read_only_client_may_not_write(void **state)
{
    (void)state;
    port_close(other.fd);
    turns(3);
    peer_connect(&other, true, true);
    static const uint8_t body[] = {0, 0, 0, 0, 0, 0, 0, 0};
    size_t len = call_make(out, REMOTE_PROC_DOMAIN_CREATE_XML, 25, body, sizeof(body));
    peer_send(&other, out, len);
    expect_error(&other, 25, VIR_ERR_OPERATION_DENIED, "read only access prevents");
}

// ---- calls

static void release(size_t i)
{
    *CALL_STATE(waiting[i], bool) = true;
    task_wake(&waiting[i]->task);
}

static void replies_leave_in_the_order_in_which_calls_end(void **state)
{
    (void)state;
    size_t len = call_make(out, REMOTE_PROC_CONNECT_GET_TYPE, 30, NULL, 0);
    len += call_make(out + len, REMOTE_PROC_CONNECT_GET_TYPE, 31, NULL, 0);
    len += call_make(out + len, REMOTE_PROC_CONNECT_GET_HOSTNAME, 32, NULL, 0);
    peer_send(&peer, out, len);
    expect_reply(&peer, 32);
    release(1);
    expect_reply(&peer, 31);
    release(0);
    expect_reply(&peer, 30);
}

static void calls_over_the_limit_wait_and_none_is_lost(void **state)
{
    (void)state;
    uint32_t limit = test_server.limits.max_client_requests;
    size_t len = 0;
    for (uint32_t i = 0; i < limit + 2; i++)
        len += call_make(out + len, REMOTE_PROC_CONNECT_GET_TYPE, 40 + i, NULL, 0);
    peer_send(&peer, out, len);
    turns(3);
    assert_int_equal(waiting_count, limit);
    call_hostname(&other, 1); // nobody else notices
    expect_reply(&other, 1);
    for (uint32_t i = 0; i < limit + 2; i++) {
        release(i);
        expect_reply(&peer, 40 + i);
    }
}

// Wants many calls in progress at once: how many began.
static size_t flood(struct peer *who, uint32_t calls)
{
    size_t len = 0, before = waiting_count;
    for (uint32_t i = 0; i < calls; i++)
        len += call_make(out + len, REMOTE_PROC_CONNECT_GET_TYPE, i, NULL, 0);
    peer_send(who, out, len);
    turns(3);
    return waiting_count - before;
}

static void whoever_wants_all_places_for_calls_leaves_as_many_as_it_has(void **state)
{
    (void)state;
    uint32_t limit = test_server.limits.max_client_requests;
    test_server.limits.max_client_requests = CONFIG_MAX_CALLS;
    assert_int_equal(flood(&peer, CONFIG_MAX_CALLS), CONFIG_MAX_CALLS / 2);
    assert_int_equal(flood(&other, CONFIG_MAX_CALLS), CONFIG_MAX_CALLS / 4);
    struct peer *third = peer_one_more();
    call_hostname(third, 1);
    expect_reply(third, 1);
    for (uint32_t i = 0; i < 2 * CONFIG_MAX_CALLS; i++) { // as places come back, they go on
        assert_true(i < waiting_count);
        release(i);
        turns(2);
        peer_receive(&peer);
        peer_receive(&other);
    }
    assert_int_equal(waiting_count, 2 * CONFIG_MAX_CALLS);
    test_server.limits.max_client_requests = limit;
}

static void a_client_that_found_no_place_is_served_when_another_clients_call_ends(void **state)
{
    (void)state;
    uint32_t limit = test_server.limits.max_client_requests;
    test_server.limits.max_client_requests = CONFIG_MAX_CALLS;
    while (call_places_free() > 0)
        flood(peer_one_more(), CONFIG_MAX_CALLS);
    size_t taken = waiting_count;
    call_hostname(&other, 1);
    assert_false(peer_next(&other, in, &header));
    release(0);
    expect_reply(&other, 1);
    client_close_all();
    for (size_t i = 1; i < taken; i++)
        release(i);
    turns(3);
    test_server.limits.max_client_requests = limit;
}

static void a_call_ends_well_when_its_client_has_left(void **state)
{
    (void)state;
    size_t len = call_make(out, REMOTE_PROC_CONNECT_GET_TYPE, 50, NULL, 0);
    peer_send(&other, out, len);
    turns(2);
    assert_int_equal(waiting_count, 1);
    port_close(other.fd);
    turns(3);
    assert_null(waiting[0]->client);
    release(0);
    turns(2);
    peer_connect(&other, false, true);
}

static void a_client_that_never_reads_is_not_read_from_for_ever(void **state)
{
    (void)state;
    size_t len = call_make(out, REMOTE_PROC_CONNECT_GET_CAPABILITIES, 51, NULL, 0);
    size_t accepted = 0;
    for (int i = 0; i < 5000; i++) {
        if (port_write(other.fd, out, len) == (ptrdiff_t)len)
            accepted++;
        turns(1);
    }
    assert_true(accepted < 5000);
    assert_true(slot_reply_possible());
    call_hostname(&peer, 52);
    expect_reply(&peer, 52);
}

// When no reply can be written a call waits for a slot, whatever else wakes it meanwhile.
static void a_call_without_a_slot_for_its_reply_is_answered_once(void **state)
{
    (void)state;
    static struct slot *taken[CONFIG_LARGE_SLOTS];
    size_t len = call_make(out, REMOTE_PROC_CONNECT_GET_TYPE, 53, NULL, 0);
    peer_send(&peer, out, len);
    turns(2);
    for (size_t i = 0; i < CONFIG_LARGE_SLOTS; i++)
        taken[i] = slot_take_outgoing(SLOT_LARGE_SIZE);
    release(0);
    turns(1);
    release(0);
    turns(1);
    for (size_t i = 0; i < CONFIG_LARGE_SLOTS; i++)
        slot_release(taken[i]);
    release(0);
    expect_reply(&peer, 53);
    turns(3);
    assert_int_equal(peer.len, 0);
    assert_int_equal(peer.client->call_count, 0);
    call_hostname(&peer, 54);
    expect_reply(&peer, 54);
}

static void whoever_stands_still_with_slots_makes_room_for_others(void **state)
{
    (void)state;
    static struct slot *taken[CONFIG_LARGE_SLOTS];
    size_t len = call_make(out, REMOTE_PROC_CONNECT_GET_CAPABILITIES, 55, NULL, 0), count = 0;
    for (int i = 0; i < 5000 && !other.client->send_blocked; i++) {
        port_write(other.fd, out, len);
        turns(1);
    }
    assert_true(other.client->send_large > 0);
    while (slot_large_free() > 0)
        taken[count++] = slot_take_outgoing(SLOT_LARGE_SIZE);
    call_hostname(&peer, 56);
    uint64_t patience = port_clock_ns() + 20 * NS_PER_SEC;
    while (!peer_has_message(&peer) && port_clock_ns() < patience) {
        turns(1);
        peer_receive(&peer);
    }
    expect_reply(&peer, 56);
    assert_true(peer_was_cut(&other));
    while (count > 0)
        slot_release(taken[--count]);
}

static void send_event(struct client *client)
{
    struct xdr_writer *w =
        client_event_begin(client, &remote_program, REMOTE_PROC_CONNECT_EVENT_CONNECTION_CLOSED);
    xdr_put_i32(w, 0);
    client_event_send();
}

static void an_event_is_dropped_when_its_client_is_cut_to_make_room_for_it(void **state)
{
    (void)state;
    static struct slot *taken[CONFIG_SMALL_SLOTS];
    size_t count = 0;
    send_event(other.client);
    while (slot_small_free() > 0)
        taken[count++] = slot_take_outgoing(SLOT_SMALL_SIZE);
    send_event(other.client);
    assert_true(other.client->dead);
    assert_null(other.client->send_first);
    while (count > 0)
        slot_release(taken[--count]);
    turns(2);
    assert_true(peer_was_cut(&other));
}

static void replies_that_nobody_reads_leave_the_last_large_slots_to_others(void **state)
{
    (void)state;
    static struct slot *taken[CONFIG_LARGE_SLOTS];
    size_t count = 0, len = 0;
    while (slot_large_free() > 2)
        taken[count++] = slot_take_outgoing(SLOT_LARGE_SIZE);
    for (uint32_t serial = 0; serial < 30; serial++)
        len += call_make(out + len, REMOTE_PROC_CONNECT_GET_CAPABILITIES, serial, NULL, 0);
    peer_send(&other, out, len);
    turns(3);
    assert_true(other.client->send_blocked);
    assert_int_equal(slot_large_free(), 2);
    for (uint32_t serial = 0; serial < 30; serial++) {
        assert_true(peer_next(&other, in, &header));
        assert_int_equal(header.serial, serial);
        assert_int_equal(xdr_load_u32(in), MESSAGE_MIN + 4 + 20000);
    }
    while (count > 0)
        slot_release(taken[--count]);
}

static void costly_calls_share_the_loop_turn_by_turn(void **state)
{
    (void)state;
    struct peer *both[] = {&peer, &other};
    static const uint8_t domain[4 + 16 + 4];
    size_t len = 0;
    for (uint32_t serial = 0; serial < 3; serial++)
        len += call_make(out + len, REMOTE_PROC_DOMAIN_RESUME, serial, domain, sizeof(domain));
    for (int i = 0; i < 2; i++)
        assert_int_equal(port_write(both[i]->fd, out, len), len);
    costly_calls = 0;
    for (unsigned turn = 1; turn <= 6; turn++) {
        turns(1);
        assert_true(costly_calls <= turn);
    }
    turns(12);
    assert_int_equal(costly_calls, 6);
    for (uint32_t serial = 0; serial < 3; serial++) {
        expect_reply(&peer, serial);
        expect_reply(&other, serial);
    }
}

static void who_has_much_to_say_waits_for_who_has_little(void **state)
{
    (void)state;
    static const uint8_t domain[4 + 16 + 4];
    size_t len = 0;
    for (uint32_t serial = 0; serial < 20; serial++)
        len += call_make(out + len, REMOTE_PROC_DOMAIN_SUSPEND, serial, domain, sizeof(domain));
    assert_int_equal(port_write(peer.fd, out, len), len);
    len = call_make(out, REMOTE_PROC_CONNECT_GET_HOSTNAME, 1, NULL, 0);
    assert_int_equal(port_write(other.fd, out, len), len);
    brief_calls = 0;
    turns(1);
    assert_int_equal(brief_calls, 1);
    peer_receive(&other);
    assert_true(peer_has_message(&other));
    expect_reply(&other, 1);
    for (uint32_t serial = 0; serial < 20; serial++)
        expect_reply(&peer, serial);
}

// ---- descriptors

static void a_descriptor_travels_with_a_reply_and_with_a_call(void **state)
{
    (void)state;
    static const uint8_t domain[4 + 16 + 4 + 4 + 4];
    size_t len = call_make(out, REMOTE_PROC_DOMAIN_OPEN_GRAPHICS_FD, 60, domain, sizeof(domain));
    port_write(peer.fd, out, len);
    turns(2);
    int fds[2];
    size_t came = 0;
    ptrdiff_t got = port_receive_fds(peer.fd, in, MESSAGE_MIN + 4, fds, 2, &came);
    assert_int_equal(got, MESSAGE_MIN + 4);
    assert_int_equal(message_header_read(in).type, VIR_NET_REPLY_WITH_FDS);
    assert_int_equal(xdr_load_u32(in + MESSAGE_MIN), 1);
    if (came == 0)
        assert_int_equal(port_receive_fds(peer.fd, in, 1, fds, 2, &came), 1);
    assert_int_equal(came, 1);

    static const uint8_t one[4] = {0, 0, 0, 1};
    len = message_make(out, remote_program.number, 1, REMOTE_PROC_CONNECT_GET_URI,
                       VIR_NET_CALL_WITH_FDS, 61, VIR_NET_OK, one, sizeof(one));
    peer_send(&peer, out, len);
    assert_false(peer_next(&peer, in, &header));
    assert_int_equal(port_send_fds(peer.fd, "", 1, fds, 1), 1);
    port_close(fds[0]);
    expect_reply(&peer, 61);
}

static void a_descriptor_that_does_not_come_ends_the_connection(void **state)
{
    (void)state;
    static const uint8_t one[5] = {0, 0, 0, 1, 0};
    size_t len = message_make(out, remote_program.number, 1, REMOTE_PROC_CONNECT_GET_URI,
                              VIR_NET_CALL_WITH_FDS, 62, VIR_NET_OK, one, 4);
    memcpy(out + len, one + 4, 1);
    port_write(other.fd, out, len + 1);
    assert_true(peer_was_cut(&other));
}

// ---- keepalive

static void a_ping_is_answered_with_a_pong(void **state)
{
    (void)state;
    size_t len = message_make(out, keepalive_program.number, 1, KEEPALIVE_PROC_PING,
                              VIR_NET_MESSAGE, 0, VIR_NET_OK, NULL, 0);
    peer_send(&peer, out, len);
    assert_true(peer_next(&peer, in, &header));
    assert_int_equal(header.prog, keepalive_program.number);
    assert_int_equal(header.proc, KEEPALIVE_PROC_PONG);
    assert_int_equal(header.type, VIR_NET_MESSAGE);
}

// ---- streams

static void open_console(struct peer *who, uint32_t serial)
{
    static const uint8_t args[4 + 16 + 4 + 4 + 4];
    size_t len = call_make(out, REMOTE_PROC_DOMAIN_OPEN_CONSOLE, serial, args, sizeof(args));
    peer_send(who, out, len);
    expect_reply(who, serial);
}

static void send_stream(struct peer *who, uint32_t serial, int32_t status, const char *data)
{
    size_t len = message_make(out, remote_program.number, 1, REMOTE_PROC_DOMAIN_OPEN_CONSOLE,
                              VIR_NET_STREAM, serial, status, data, strlen(data));
    peer_send(who, out, len);
}

static void expect_stream(struct peer *who, int32_t status, const char *data)
{
    assert_true(peer_next(who, in, &header));
    assert_int_equal(header.type, VIR_NET_STREAM);
    assert_int_equal(header.status, status);
    assert_int_equal(xdr_load_u32(in) - MESSAGE_MIN, strlen(data));
    assert_memory_equal(in + MESSAGE_MIN, data, strlen(data));
}

static void a_stream_carries_bytes_both_ways_and_ends_with_a_confirmation(void **state)
{
    (void)state;
    open_console(&peer, 70);
    send_stream(&peer, 70, VIR_NET_CONTINUE, "ls\n");
    char text[8] = "";
    assert_int_equal(port_read(stream_fd, text, sizeof(text)), 3);
    assert_string_equal(text, "ls\n");
    assert_int_equal(port_write(stream_fd, "bin", 3), 3);
    expect_stream(&peer, VIR_NET_CONTINUE, "bin");
    send_stream(&peer, 70, VIR_NET_OK, "");
    expect_stream(&peer, VIR_NET_OK, "");
    assert_int_equal(streams_closed, 1);
    send_stream(&peer, 70, VIR_NET_CONTINUE, "too late"); // is ignored
    call_hostname(&peer, 71);
    expect_reply(&peer, 71);
    port_close(stream_fd);
}

static void the_end_of_the_descriptor_is_told_with_an_empty_message(void **state)
{
    (void)state;
    open_console(&peer, 72);
    port_close(stream_fd);
    expect_stream(&peer, VIR_NET_CONTINUE, "");
    assert_int_equal(streams_closed, 0);
    send_stream(&peer, 72, VIR_NET_ERROR, "");
    expect_stream(&peer, VIR_NET_OK, "");
    assert_int_equal(streams_closed, 1);
}

static void a_stream_ends_with_its_client(void **state)
{
    (void)state;
    open_console(&other, 73);
    port_close(other.fd);
    turns(3);
    assert_int_equal(streams_closed, 1);
    port_close(stream_fd);
    peer_connect(&other, false, true);
}

static void a_stream_may_end_because_its_client_is_cut_to_make_room_for_its_data(void **state)
{
    (void)state;
    static struct slot *taken[CONFIG_SMALL_SLOTS];
    size_t count = 0;
    open_console(&other, 80);
    send_event(other.client);
    while (slot_small_free() > 0)
        taken[count++] = slot_take_outgoing(SLOT_SMALL_SIZE);
    assert_int_equal(port_write(stream_fd, "bin", 3), 3);
    turns(1);
    while (count > 0)
        slot_release(taken[--count]);
    assert_true(peer_was_cut(&other));
    assert_int_equal(streams_closed, 1);
    port_close(stream_fd);
}

// Until neither the daemon nor the socket takes more.
static void fill_stream(struct peer *who, uint32_t serial)
{
    static char chunk[2001];
    memset(chunk, 'y', sizeof(chunk) - 1);
    size_t len = message_make(out, remote_program.number, 1, REMOTE_PROC_DOMAIN_OPEN_CONSOLE,
                              VIR_NET_STREAM, serial, VIR_NET_CONTINUE, chunk, sizeof(chunk) - 1);
    size_t accepted = 0;
    for (int i = 0; i < 3000; i++) {
        if (port_write(who->fd, out, len) == (ptrdiff_t)len)
            accepted++;
        turns(1);
    }
    assert_true(accepted < 3000);
}

static void data_that_nobody_takes_is_held_back(void **state)
{
    (void)state;
    open_console(&other, 74);
    fill_stream(&other, 74);
    assert_true(slot_small_free() > CONFIG_SMALL_SLOTS / 2);
    call_hostname(&peer, 75);
    expect_reply(&peer, 75);
    port_close(stream_fd);
}

static void data_that_nobody_takes_does_not_keep_a_client_that_has_left(void **state)
{
    (void)state;
    open_console(&other, 76);
    fill_stream(&other, 76);
    uint32_t count = client_count();
    port_close(other.fd);
    turns(500);
    assert_int_equal(client_count(), count - 1);
    assert_int_equal(streams_closed, 1);
    port_close(stream_fd);
    peer_connect(&other, false, true);
}

#define CLAIM(claim) cmocka_unit_test_setup_teardown(claim, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(a_call_is_answered),
        CLAIM(a_message_may_come_byte_by_byte),
        CLAIM(many_messages_may_come_at_once),
        CLAIM(a_large_message_is_taken_in_one_slot),
        CLAIM(a_long_reply_arrives_whole),
        CLAIM(a_message_over_the_maximum_is_refused_and_the_connection_lives),
        CLAIM(a_message_of_the_maximum_is_taken),
        CLAIM(a_length_that_no_message_has_ends_the_connection),
        CLAIM(half_a_message_disturbs_nobody_else),
        CLAIM(an_unknown_program_is_refused),
        CLAIM(an_unknown_version_is_refused),
        CLAIM(an_unknown_procedure_is_refused),
        CLAIM(a_wrong_status_is_refused),
        CLAIM(a_procedure_without_a_handler_is_not_supported),
        CLAIM(a_message_of_unknown_type_is_dropped),
        CLAIM(arguments_that_end_early_are_refused),
        CLAIM(nothing_is_served_before_authentication),
        CLAIM(clients_over_max_anonymous_clients_are_refused_until_one_has_authenticated),
        CLAIM(strangers_leave_half_of_the_large_slots_to_others),
        CLAIM(clients_of_a_server_are_kept_in_the_order_of_their_numbers),
        CLAIM(a_server_for_its_own_user_admits_nobody_else),
        CLAIM(a_read_only_client_may_not_write),
        CLAIM(replies_leave_in_the_order_in_which_calls_end),
        CLAIM(calls_over_the_limit_wait_and_none_is_lost),
        CLAIM(whoever_wants_all_places_for_calls_leaves_as_many_as_it_has),
        CLAIM(a_client_that_found_no_place_is_served_when_another_clients_call_ends),
        CLAIM(a_call_ends_well_when_its_client_has_left),
        CLAIM(a_client_that_never_reads_is_not_read_from_for_ever),
        CLAIM(a_call_without_a_slot_for_its_reply_is_answered_once),
        CLAIM(whoever_stands_still_with_slots_makes_room_for_others),
        CLAIM(an_event_is_dropped_when_its_client_is_cut_to_make_room_for_it),
        CLAIM(replies_that_nobody_reads_leave_the_last_large_slots_to_others),
        CLAIM(costly_calls_share_the_loop_turn_by_turn),
        CLAIM(who_has_much_to_say_waits_for_who_has_little),
        CLAIM(a_descriptor_travels_with_a_reply_and_with_a_call),
        CLAIM(a_descriptor_that_does_not_come_ends_the_connection),
        CLAIM(a_ping_is_answered_with_a_pong),
        CLAIM(a_stream_carries_bytes_both_ways_and_ends_with_a_confirmation),
        CLAIM(the_end_of_the_descriptor_is_told_with_an_empty_message),
        CLAIM(a_stream_ends_with_its_client),
        CLAIM(a_stream_may_end_because_its_client_is_cut_to_make_room_for_its_data),
        CLAIM(data_that_nobody_takes_is_held_back),
        CLAIM(data_that_nobody_takes_does_not_keep_a_client_that_has_left),
    };
    return cmocka_run_group_tests(claims, NULL, NULL);
}
