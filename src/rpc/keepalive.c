// Keepalive: pings go only to clients that are silent, and a client that leaves too many unanswered
// is cut.
#include "rpc/keepalive.h"

#include "core/log.h"
#include "core/log_limit.h"
#include "proto/keepalive.h"

static struct client *client_of(struct timer *timer)
{
    return (struct client *)(void *)((char *)timer - offsetof(struct client, keepalive));
}

static void send_message(struct client *client, int32_t procedure)
{
    struct error err = {0};
    struct message_header header = {
        .prog = keepalive_program.number,
        .vers = keepalive_program.version,
        .proc = procedure,
        .type = VIR_NET_MESSAGE,
        .status = VIR_NET_OK,
    };
    struct message_out out;
    message_begin(&out, &header, &err);
    client_send(client, message_end(&out));
}

void keepalive_receive(struct client *client, const struct message_header *header)
{
    if (header->prog != keepalive_program.number || header->vers != keepalive_program.version) {
        static struct log_limit limit = {.module = "rpc",
                                         .what = "more messages of unknown programs"};
        if (log_limit_allows(&limit))
            log_warning("rpc", "client %llu: message of unknown program 0x%x",
                        (unsigned long long)client->number, header->prog);
        return;
    }
    if (header->proc == KEEPALIVE_PROC_PING)
        send_message(client, KEEPALIVE_PROC_PONG);
}

static uint64_t interval_ns(const struct client *client)
{
    int32_t seconds = client->server->limits.keepalive_interval;
    return (uint64_t)(uint32_t)seconds * NS_PER_SEC;
}

// Every message that arrives sets `unanswered` back (rpc/receive.c) and counts as a sign of life.
static void check(struct timer *timer)
{
    struct client *client = client_of(timer);
    uint64_t silent = loop_now() - client->received_at;
    if (silent < interval_ns(client)) {
        timer_start(timer, interval_ns(client) - silent, check);
        return;
    }
    if (client->unanswered >= client->server->limits.keepalive_count) {
        client_cut(client, "connection closed due to keepalive timeout");
        return;
    }
    client->unanswered++;
    timer_start(timer, interval_ns(client), check);
    send_message(client, KEEPALIVE_PROC_PING);
}

void keepalive_start(struct client *client)
{
    if (client->pings || client->server->limits.keepalive_interval <= 0)
        return;
    client->pings = true;
    timer_start(&client->keepalive, interval_ns(client), check);
}

void keepalive_stop(struct client *client)
{
    timer_stop(&client->keepalive);
}
