// Clients: connections with their manners, what they send, and what must hold for what they get:
// one reply to each call, and none to a call that they did not make.
#include "test/sim/world.h"

#include "proto/keepalive.h"

#include <errno.h>
#include <string.h>

#define MESSAGE_MIN   28
#define REQUESTS_MAX  5  // in progress of one client: max_client_requests
#define OVERTAKEN_MAX 20 // by later calls of others, before it is starved
#define SOCKET        "/run/libvirt/libvirt-sock"
#define TCP_PORT      16509
#define IDLE_NS       (10 * SIM_NS_PER_S) // without a byte; then time may pass faster

static bool chance(unsigned of_1000)
{
    return sim_chance(of_1000);
}

bool client_connected(const struct client *client)
{
    return client->handle >= 0;
}

unsigned client_outstanding(const struct client *client)
{
    unsigned count = 0;
    for (int i = 0; i < CALLS_A_CLIENT; i++)
        count += client->calls[i].used;
    return count;
}

// ---- sending ------------------------------------------------------------------------------------

static void put_words(uint8_t *at, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        xdr_store_u32(at + 4 * i, words[i]);
}

static uint8_t *output_end(struct client *client)
{
    if (client->output_done == client->output_len)
        client->output_done = client->output_len = 0;
    return client->output + client->output_len;
}

static size_t output_room(const struct client *client)
{
    return OUTPUT_SIZE - client->output_len;
}

static void queue_bytes(struct client *client, const void *bytes, size_t len)
{
    uint8_t *at = output_end(client);
    if (len > output_room(client))
        return;
    memcpy(at, bytes, len);
    client->output_len += len;
}

static struct sent_call *free_call(struct client *client)
{
    for (int i = 0; i < CALLS_A_CLIENT; i++)
        if (!client->calls[i].used)
            return &client->calls[i];
    return NULL;
}

static const struct xdr_program *program_of(const struct call_kind *kind)
{
    return kind->program ? kind->program : &remote_program;
}

bool client_call(struct client *client, const struct call_kind *kind, int name)
{
    struct sent_call *call = free_call(client);
    uint8_t *at = output_end(client);
    if (!call || output_room(client) < 32768)
        return false;
    *call = (struct sent_call){
        .used = true,
        .serial = (uint32_t)(client->index + 1) << 24 | (++client->serial & 0xffffff),
        .procedure = kind->procedure,
        .kind = kind,
        .name = name,
        .operation = -1,
        .sent_at = sim_now(),
    };
    struct error err = {0};
    struct xdr_writer w =
        xdr_writer_over(at + MESSAGE_MIN, output_room(client) - MESSAGE_MIN, &err);
    bool alone = client->passenger < 0;
    if (kind->build)
        kind->build(client, call, &w);
    if (w.failed)
        sim_fail("a client can not write its call: %s", err.message);
    bool brings = alone && client->passenger >= 0;
    const uint32_t header[] = {
        (uint32_t)(MESSAGE_MIN + w.len),
        program_of(kind)->number,
        program_of(kind)->version,
        (uint32_t)call->procedure,
        brings ? VIR_NET_CALL_WITH_FDS : VIR_NET_CALL,
        call->serial,
        VIR_NET_OK,
    };
    put_words(at, header, 7);
    client->output_len += MESSAGE_MIN + w.len;
    if (brings)
        client->passenger_at = client->output_len++; // the byte that it goes with
    sim_trace("client %d calls %d, serial %#x, name %d", client->index, call->procedure,
              call->serial, name);
    return true;
}

bool client_stream_send(struct client *client, const struct client_stream *stream, int32_t type,
                        int32_t status, const void *body, size_t len)
{
    const uint32_t header[] = {(uint32_t)(MESSAGE_MIN + len),
                               remote_program.number,
                               remote_program.version,
                               (uint32_t)stream->procedure,
                               (uint32_t)type,
                               stream->serial,
                               (uint32_t)status};
    uint8_t *at = output_end(client);
    if (MESSAGE_MIN + len > output_room(client))
        return false;
    put_words(at, header, 7);
    if (len)
        memcpy(at + MESSAGE_MIN, body, len);
    client->output_len += MESSAGE_MIN + len;
    sim_trace("client %d sends %zu bytes on stream %#x, status %d", client->index, len,
              stream->serial, status);
    return true;
}

// True when the passenger is not at its place yet, or has gone.
static bool let_passenger_go(struct client *client)
{
    if (client->passenger < 0 || client->output_done != client->passenger_at)
        return true;
    if (!sim_send_handle(client->handle, client->passenger))
        return false;
    sim_close(client->passenger);
    client->passenger = -1;
    client->output_done++;
    return true;
}

static void flush(struct client *client)
{
    while (let_passenger_go(client) && client->output_done < client->output_len) {
        size_t end = client->passenger < 0 ? client->output_len : client->passenger_at;
        size_t len = end - client->output_done;
        if (chance(sim_weather()->short_io))
            len = 1 + sim_random(len);
        ptrdiff_t put = sim_write(client->handle, client->output + client->output_done, len);
        if (put <= 0)
            return;
        client->output_done += (size_t)put;
        client->progress_at = sim_now();
    }
}

// ---- the end of a connection --------------------------------------------------------------------

static void forget_calls(struct client *client)
{
    for (int i = 0; i < CALLS_A_CLIENT; i++) {
        struct sent_call *call = &client->calls[i];
        if (!call->used)
            continue;
        model_end(call->operation, LOST);
        call->used = false;
    }
}

static void disconnect(struct client *client, bool reset)
{
    sim_trace("client %d leaves%s", client->index, reset ? " with a reset" : "");
    if (reset)
        sim_reset_connection(client->handle);
    else
        sim_close(client->handle);
    client->handle = -1;
    client->opened = client->spoiled = false;
    client->output_len = client->output_done = client->input_len = 0;
    client->callbacks = 0;
    forget_calls(client);
    streams_forget(client);
    displays_close(client);
    if (client->passenger >= 0)
        sim_close(client->passenger);
    client->passenger = -1;
    if (client->connections == 0 || client->leaving)
        client->done = true;
    sim_wake(&client->actor, sim_random(200 * SIM_NS_PER_MS));
}

// ---- receiving ----------------------------------------------------------------------------------

static struct sent_call *find_call(struct client *client, uint32_t serial)
{
    for (int i = 0; i < CALLS_A_CLIENT; i++)
        if (client->calls[i].used && client->calls[i].serial == serial)
            return &client->calls[i];
    return NULL;
}

static void check_result(const struct sent_call *call, const uint8_t *body, size_t len)
{
    static _Alignas(16) uint8_t value[4096];
    const struct xdr_procedure *procedure =
        xdr_procedure_find(program_of(call->kind), call->procedure);
    const struct xdr_type *type = xdr_procedure_result(procedure);
    struct xdr_reader reader = {body, body + len};
    struct error err = {0};
    if (type && !xdr_decode(&reader, type, value, &err))
        sim_fail("the reply of %s can not be decoded: %s", xdr_procedure_name(procedure),
                 err.message);
    if (reader.at != reader.end)
        sim_fail("the reply of %s has %td bytes too many", xdr_procedure_name(procedure),
                 reader.end - reader.at);
}

// ---- starvation

// Nothing that the client does, or its call needs, keeps the call from being answered; nor does the
// answer lie before the client.
static bool waits_for_its_turn(const struct client *client, const struct sent_call *call)
{
    return call->used && sim_unread(client->handle) == 0 && call->kind->quick &&
           client->manner == POLITE && client->output_done == client->output_len &&
           client_outstanding(client) <= REQUESTS_MAX;
}

// While one waits, others that came later are answered: a few may be, but not all.
static void note_overtaking(const struct client *winner, const struct sent_call *answered)
{
    for (struct client *client = world->clients; client < world->clients + CLIENTS; client++) {
        for (int i = 0; i < CALLS_A_CLIENT && client != winner; i++) {
            struct sent_call *call = &client->calls[i];
            if (waits_for_its_turn(client, call) && call->sent_at < answered->sent_at &&
                ++call->overtaken > OVERTAKEN_MAX)
                sim_fail("client %d is starved: %u later calls of others were answered before its "
                         "call %#x",
                         client->index, call->overtaken, call->serial);
        }
    }
}

static void receive_reply(struct client *client, const struct message_header *header,
                          const uint8_t *body, size_t len)
{
    struct sent_call *call = find_call(client, header->serial);
    if (client->spoiled && !call)
        return; // what it sent may have looked like anything
    if (!call)
        sim_fail("client %d gets a reply with serial %#x, and has no such call", client->index,
                 header->serial);
    if (header->proc != call->procedure || header->prog != program_of(call->kind)->number)
        sim_fail("client %d gets a reply of procedure %d to its call of %d", client->index,
                 header->proc, call->procedure);
    sim_trace("client %d gets the reply %#x, status %d", client->index, header->serial,
              header->status);
    struct sent_call was = *call;
    call->used = false;
    note_overtaking(client, &was);
    if (header->status == VIR_NET_OK) {
        check_result(&was, body, len);
        model_end(was.operation, DONE);
        if (was.kind->done)
            was.kind->done(client, &was, body, len);
        return;
    }
    struct message_error why;
    if (header->status != VIR_NET_ERROR || !decode(XDR_TYPE(message_error), body, len, &why))
        sim_fail("a reply with status %d", header->status);
    sim_trace("error %d: %.*s", why.code, SLICE_ARG(why.message));
    model_end(was.operation, FAILED);
    if (was.kind->failed)
        was.kind->failed(client, &was, &why);
}

static void receive_reply_with_handle(struct client *client, const struct message_header *header,
                                      const uint8_t *body, size_t len)
{
    client->arrived = sim_take_handle(client->handle, &client->actor);
    if (client->arrived < 0 || client->network)
        sim_fail("client %d is told of a descriptor that has not come", client->index);
    receive_reply(client, header, body, len);
    if (client->arrived >= 0)
        sim_fail("client %d gets a descriptor that it did not ask for", client->index);
}

static void receive_keepalive(struct client *client, const struct message_header *header)
{
    if (header->proc != KEEPALIVE_PROC_PING)
        return;
    const uint32_t pong[] = {
        MESSAGE_MIN,         keepalive_program.number, keepalive_program.version,
        KEEPALIVE_PROC_PONG, VIR_NET_MESSAGE,          header->serial,
        VIR_NET_OK};
    uint8_t bytes[MESSAGE_MIN];
    put_words(bytes, pong, 7);
    queue_bytes(client, bytes, sizeof(bytes));
}

static void receive_message(struct client *client, const uint8_t *message, size_t len)
{
    struct message_header header = {
        .prog = xdr_load_u32(message + 4),
        .vers = xdr_load_u32(message + 8),
        .proc = (int32_t)xdr_load_u32(message + 12),
        .type = (int32_t)xdr_load_u32(message + 16),
        .serial = xdr_load_u32(message + 20),
        .status = (int32_t)xdr_load_u32(message + 24),
    };
    const uint8_t *body = message + MESSAGE_MIN;
    if (header.prog == keepalive_program.number)
        receive_keepalive(client, &header);
    else if (header.type == VIR_NET_REPLY_WITH_FDS)
        receive_reply_with_handle(client, &header, body + 4, len - MESSAGE_MIN - 4);
    else if (header.type == VIR_NET_REPLY)
        receive_reply(client, &header, body, len - MESSAGE_MIN);
    else if (header.type == VIR_NET_STREAM)
        stream_message(client, &header, body, len - MESSAGE_MIN);
    else if (header.type == VIR_NET_MESSAGE)
        event_arrived(client, &header, body, len - MESSAGE_MIN);
    else if (!client->spoiled)
        sim_fail("client %d gets a message of type %d", client->index, header.type);
}

// Bytes behind a message, each of which comes with a descriptor.
static uint32_t handles_behind(const uint8_t *message, uint32_t len)
{
    int32_t type = (int32_t)xdr_load_u32(message + 16);
    if (type != VIR_NET_REPLY_WITH_FDS || len < MESSAGE_MIN + 4)
        return 0;
    if (xdr_load_u32(message + MESSAGE_MIN) != 1)
        sim_fail("a reply with %u descriptors", xdr_load_u32(message + MESSAGE_MIN));
    return 1;
}

static void take_messages(struct client *client)
{
    size_t done = 0;
    while (client->handle >= 0 && client->input_len - done >= MESSAGE_MIN) {
        const uint8_t *message = client->input + done;
        uint32_t len = xdr_load_u32(message);
        if (len < MESSAGE_MIN || len > INPUT_SIZE)
            sim_fail("client %d gets a message of %u bytes", client->index, len);
        if (client->input_len - done < len)
            break;
        uint32_t handles = handles_behind(message, len);
        if (client->input_len - done < len + handles)
            break;
        done += len + handles;
        receive_message(client, message, len);
    }
    if (client->handle < 0)
        return;
    client->input_len -= done;
    memmove(client->input, client->input + done, client->input_len);
}

// False when the connection has ended.
static bool receive(struct client *client)
{
    for (;;) {
        size_t room = INPUT_SIZE - client->input_len;
        if (client->manner == SLOW)
            room = 1 + sim_random(200);
        ptrdiff_t got = sim_read(client->handle, client->input + client->input_len, room);
        if (got == -EAGAIN)
            return true;
        if (got <= 0) {
            sim_trace("client %d is disconnected: %td", client->index, got);
            disconnect(client, false);
            return false;
        }
        client->input_len += (size_t)got;
        client->progress_at = sim_now();
        take_messages(client);
        if (client->handle < 0)
            return false;
        if (client->manner == SLOW)
            return true;
    }
}

// ---- what it does next --------------------------------------------------------------------------

static int connect_somehow(struct client *client)
{
    client->network = world->network && client->index && chance(400);
    if (client->network)
        return sim_connect_tcp(chance(500) ? PORT_IPV4 : PORT_IPV6, TCP_PORT, &client->actor);
    const char *path = chance(100) && client->index ? SOCKET "-ro" : SOCKET;
    return sim_connect_unix(path, 0, &client->actor);
}

static void try_to_connect(struct client *client)
{
    if (client->done || client->leaving) {
        client->done = true;
        return;
    }
    client->handle = connect_somehow(client);
    if (client->handle < 0) {
        sim_wake(&client->actor, SIM_NS_PER_MS + sim_random(20 * SIM_NS_PER_MS));
        return;
    }
    sim_trace("client %d connects, manner %d%s", client->index, (int)client->manner,
              client->network ? ", over TCP" : "");
    client->connections--;
    client->progress_at = sim_now();
    client_call(client, call_open(), -1);
    sim_wake(&client->actor, sim_random(SIM_NS_PER_MS));
}

// A message that is none: noise, a length that can not be, or a call with rubbish in it.
static void send_noise(struct client *client)
{
    uint8_t bytes[512];
    size_t len = 1 + sim_random(sizeof(bytes));
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)sim_random(256);
    if (len >= MESSAGE_MIN && chance(800)) {
        const uint32_t header[] = {
            chance(900) ? (uint32_t)len : (uint32_t)sim_random(1u << 26),
            chance(800) ? remote_program.number : (uint32_t)sim_random(UINT32_MAX),
            1,
            (uint32_t)sim_random(500),
            (uint32_t)sim_random(8),
            (uint32_t)(client->index + 1) << 24 | 0xffffff,
            (uint32_t)sim_random(4),
        };
        put_words(bytes, header, 7);
    }
    client->spoiled = true;
    queue_bytes(client, bytes, len);
    sim_trace("client %d sends %zu bytes of noise", client->index, len);
}

// The start of a message whose rest never comes.
static void send_half(struct client *client)
{
    const uint32_t header[] = {(uint32_t)sim_random(200000) + 100,
                               remote_program.number,
                               1,
                               2,
                               VIR_NET_CALL,
                               (uint32_t)(client->index + 1) << 24 | 0xfffffe,
                               VIR_NET_OK};
    uint8_t bytes[MESSAGE_MIN];
    put_words(bytes, header, 7);
    queue_bytes(client, bytes, 1 + sim_random(sizeof(bytes)));
    client->spoiled = true;
}

static bool misbehave(struct client *client)
{
    switch (client->manner) {
    case RUDE:
        if (!chance(60))
            return false;
        disconnect(client, chance(300));
        return true;
    case NOISY:
        if (chance(150))
            send_noise(client);
        return false;
    case LAZY:
        if (!client->spoiled && chance(50))
            send_half(client);
        return false;
    case SILENT:
        if (chance(50))
            client->read_again = sim_now() + sim_random(90 * SIM_NS_PER_S);
        return false;
    default:
        return false;
    }
}

static int name_for(const struct client *client, const struct call_kind *kind)
{
    if (kind->pools)
        return sim_chance(600) ? NAMES - 1 : (int)sim_random(NAMES);
    if (kind->guests || sim_chance(400))
        return model_domain(client->driver, kind->guests);
    return (int)sim_random(NAMES);
}

static void make_calls(struct client *client)
{
    unsigned at_once = 1 + (unsigned)sim_random(CALLS_A_CLIENT);
    while (client->budget && client_outstanding(client) < at_once && !client->spoiled) {
        const struct call_kind *kind = call_random(client->driver, world->crowd);
        if (!client_call(client, kind, name_for(client, kind)))
            break;
        client->budget--;
    }
    if (client->budget == 0 && client->index != 0 && client_outstanding(client) == 0 &&
        client->handle >= 0)
        client->leaving = true;
}

static void check_patience(struct client *client)
{
    uint64_t limit = ANSWER_LIMIT_NS;
    if (client->manner == SILENT || client->spoiled)
        return;
    for (int i = 0; i < CALLS_A_CLIENT; i++) // others wait behind the longest
        if (client->calls[i].used && client->calls[i].kind->limit > limit)
            limit = client->calls[i].kind->limit;
    for (int i = 0; i < CALLS_A_CLIENT; i++) {
        const struct sent_call *call = &client->calls[i];
        if (call->used && sim_now() - call->sent_at > limit)
            sim_fail("client %d has waited for %.0f s for the reply to its call of %d, %#x",
                     client->index, (double)(sim_now() - call->sent_at) / 1e9, call->procedure,
                     call->serial);
    }
}

static uint64_t next_step(const struct client *client)
{
    if (client->manner == SLOW)
        return SIM_NS_PER_MS + sim_random(10 * SIM_NS_PER_MS);
    bool idle = sim_now() - client->progress_at > IDLE_NS;
    if (client->budget == 0 || client->index == 0 || idle)
        return SIM_NS_PER_S;
    return sim_random(20 * SIM_NS_PER_MS);
}

static void step(struct sim_actor *actor)
{
    struct client *client = (struct client *)(void *)actor;
    if (client->handle < 0) {
        try_to_connect(client);
        return;
    }
    if (sim_now() >= client->read_again && !receive(client))
        return;
    if (client->opened && client->index && misbehave(client) && client->handle < 0)
        return;
    if (client->opened && client->index)
        make_calls(client);
    streams_step(client);
    displays_step(client);
    flush(client);
    if (!streams_in_the_way(client))
        check_patience(client);
    if (streams_in_the_way(client) && sim_now() - client->progress_at > ANSWER_LIMIT_NS / 4) {
        disconnect(client, false); // it has lost patience
        return;
    }
    bool answered =
        client_outstanding(client) + streams_open(client) == 0 || client->manner != POLITE;
    if (client->leaving && answered && client->output_done == client->output_len) {
        disconnect(client, false);
        return;
    }
    sim_wake(actor, next_step(client));
}

void client_start(struct client *client, unsigned budget, unsigned connections, enum manner manner,
                  enum driver driver)
{
    client->actor.step = step;
    client->budget = budget;
    client->connections = connections;
    client->manner = manner;
    client->driver = driver;
    client->done = client->leaving = false;
    client->read_again = 0;
    sim_wake(&client->actor, sim_random(50 * SIM_NS_PER_MS));
}

void client_drop(struct client *client)
{
    if (client->handle >= 0)
        disconnect(client, false);
    client->done = true;
    sim_rest(&client->actor);
}

void client_leave(struct client *client)
{
    client->leaving = true;
    client->budget = 0;
    client->read_again = 0;
    sim_wake(&client->actor, 0);
}
