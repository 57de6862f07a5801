// Streams of the clients: consoles, channels and pictures. What comes on one must be a piece of
// what the guest said, without a gap; and when a client ends one, it is told that it has ended.
#include "test/sim/console.h"
#include "test/sim/world.h"

#include "virt/domain/domain_constants.h"

#include <string.h>

static struct client_stream *find(struct client *client, uint32_t serial)
{
    for (int i = 0; i < STREAMS_A_CLIENT; i++)
        if (client->streams[i].used && client->streams[i].serial == serial)
            return &client->streams[i];
    return NULL;
}

// An agent need not read what comes on its channel, and then nothing behind that is taken either.
bool streams_in_the_way(const struct client *client)
{
    for (int i = 0; i < STREAMS_A_CLIENT; i++)
        if (client->streams[i].used &&
            client->streams[i].procedure == REMOTE_PROC_DOMAIN_OPEN_CHANNEL)
            return true;
    return false;
}

unsigned streams_open(const struct client *client)
{
    unsigned count = 0;
    for (int i = 0; i < STREAMS_A_CLIENT; i++)
        count += client->streams[i].used;
    return count;
}

void streams_forget(struct client *client)
{
    memset(client->streams, 0, sizeof(client->streams));
}

void stream_opened(struct client *client, const struct sent_call *call)
{
    for (int i = 0; i < STREAMS_A_CLIENT; i++) {
        struct client_stream *stream = &client->streams[i];
        if (stream->used)
            continue;
        *stream = (struct client_stream){
            .used = true, .serial = call->serial, .procedure = call->procedure};
        return;
    }
    sim_fail("client %d has more streams than there are", client->index);
}

// ---- what comes

static void take_data(const struct client *client, struct client_stream *stream, const char *data,
                      size_t len)
{
    bool known = stream->procedure != REMOTE_PROC_DOMAIN_OPEN_CHANNEL; // an agent says anything
    for (size_t i = 0; i < len && known; i++) {
        if (stream->heard &&
            !console_follows(data[i], stream->heard, CONSOLE_FIRST_SAID, CONSOLE_LAST_SAID))
            sim_fail("client %d: '%c' comes behind '%c' on stream %#x", client->index, data[i],
                     stream->heard, stream->serial);
        stream->heard = data[i];
    }
    stream->at_end = len == 0;
}

void stream_message(struct client *client, const struct message_header *header, const uint8_t *body,
                    size_t len)
{
    struct client_stream *stream = find(client, header->serial);
    if (client->spoiled && !stream)
        return;
    bool over = stream && stream->at_end && header->status == VIR_NET_CONTINUE;
    if (!stream || stream->procedure != header->proc || over)
        sim_fail("client %d gets a message of stream %#x, status %d, and has no such stream",
                 client->index, header->serial, header->status);
    sim_trace("client %d: stream %#x, status %d, %zu bytes", client->index, header->serial,
              header->status, len);
    struct message_error why;
    switch (header->status) {
    case VIR_NET_CONTINUE:
        take_data(client, stream, (const char *)body, len);
        break;
    case VIR_NET_OK:
        if (!stream->ending_since)
            sim_fail("client %d did not end stream %#x", client->index, stream->serial);
        stream->used = false;
        break;
    case VIR_NET_ERROR:
        if (!decode(XDR_TYPE(message_error), body, len, &why))
            sim_fail("an error of a stream that can not be decoded");
        stream->used = false;
        break;
    default:
        sim_fail("a message of a stream with status %d", header->status);
    }
}

// ---- what goes

static void type(struct client *client, struct client_stream *stream)
{
    char bytes[3000];
    size_t len = 1 + sim_random(sim_chance(200) ? sizeof(bytes) : 20);
    console_fill(bytes, len, stream->typed, CONSOLE_FIRST_TYPED, CONSOLE_LAST_TYPED);
    if (client_stream_send(client, stream, VIR_NET_STREAM, VIR_NET_CONTINUE, bytes, len))
        stream->typed += (uint32_t)len;
}

static void finish(struct client *client, struct client_stream *stream, int32_t status)
{
    if (client_stream_send(client, stream, VIR_NET_STREAM, status, NULL, 0))
        stream->ending_since = sim_now();
}

static void step(struct client *client, struct client_stream *stream)
{
    if (stream->ending_since) {
        if (sim_now() - stream->ending_since > ANSWER_LIMIT_NS && client->manner != SILENT &&
            !client->spoiled)
            sim_fail("client %d has waited for the end of stream %#x", client->index,
                     stream->serial);
    } else if (client->leaving || stream->at_end || sim_chance(30))
        finish(client, stream, sim_chance(700) ? VIR_NET_OK : VIR_NET_ERROR);
    else if (sim_chance(5))
        client_stream_send(client, stream, VIR_NET_STREAM_HOLE, VIR_NET_CONTINUE, NULL, 0);
    else if (sim_chance(5))
        finish(client, stream, VIR_NET_CONTINUE + 3); // which there is not
    else if (sim_chance(400))
        type(client, stream);
}

void streams_step(struct client *client)
{
    for (int i = 0; i < STREAMS_A_CLIENT && !client->spoiled; i++)
        if (client->streams[i].used)
            step(client, &client->streams[i]);
}

// ---- the calls that open them -------------------------------------------------------------------

static void opened(struct client *client, struct sent_call *call, const uint8_t *body, size_t len)
{
    (void)body, (void)len;
    stream_opened(client, call);
}

static void build_console(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    static const char *const names[] = {"serial0", "console0", "channel0", "none"};
    struct remote_domain_open_console_args args = {.dom = domain_of(client->driver, call->name),
                                                   .dev_name = SLICE_NONE};
    if (sim_chance(300))
        args.dev_name = slice_of(names[sim_random(4)]);
    if (sim_chance(300))
        args.flags = VIR_DOMAIN_CONSOLE_FORCE;
    xdr_encode(w, XDR_TYPE(remote_domain_open_console_args), &args);
}

static void build_channel(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_open_channel_args args = {.dom = domain_of(client->driver, call->name),
                                                   .name = SLICE_NONE};
    if (sim_chance(300))
        args.flags = VIR_DOMAIN_CHANNEL_FORCE;
    xdr_encode(w, XDR_TYPE(remote_domain_open_channel_args), &args);
}

static void build_screenshot(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_screenshot_args args = {.dom = domain_of(client->driver, call->name)};
    xdr_encode(w, XDR_TYPE(remote_domain_screenshot_args), &args);
}

const struct call_kind stream_kinds[STREAM_KINDS] = {
    {.procedure = REMOTE_PROC_DOMAIN_OPEN_CONSOLE,
     .weight = 80,
     .build = build_console,
     .done = opened,
     .guests = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_DOMAIN_OPEN_CHANNEL,
     .weight = 15,
     .build = build_channel,
     .done = opened,
     .guests = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_DOMAIN_SCREENSHOT,
     .weight = 20,
     .build = build_screenshot,
     .done = opened,
     .guests = true},
};
