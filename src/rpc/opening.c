// Opening: clients whose transport is in its handshake.
#include "rpc/opening.h"

#include "core/log.h"
#include "core/log_limit.h"

#include <errno.h>
#include <string.h>

#define TURN_NS     NS_PER_MS // of a turn of the loop, and what one step takes longer
#define PATIENCE_NS NS_PER_SEC

static struct client *first, *last; // that can go on
static void go_on(struct task *task);
static struct task turns = {.run = go_on};

static void append(struct client *client)
{
    client->opening_queued = true;
    client->opening_next = NULL;
    if (last)
        last->opening_next = client;
    else
        first = client;
    last = client;
}

void opening_gone(struct client *client)
{
    if (!client->opening_queued)
        return;
    struct client *previous = NULL;
    for (struct client *c = first; c != client; c = c->opening_next)
        previous = c;
    if (previous)
        previous->opening_next = client->opening_next;
    else
        first = client->opening_next;
    if (last == client)
        last = previous;
    client->opening_queued = false;
}

static void is_open(struct client *client)
{
    client->opening = false;
    if (client->auth == AUTH_NONE)
        client_authenticated(client);
    log_info("rpc", "client %llu has finished its handshake as '%s'",
             (unsigned long long)client->number, client->identity.x509_dname);
    client_update(client);
}

static void refuse(struct client *client, const struct error *err)
{
    static struct log_limit limit = {.module = "rpc", .what = "more handshakes have failed"};
    if (log_limit_allows(&limit))
        log_warning("rpc", "client %llu from %s is refused: %s", (unsigned long long)client->number,
                    client->identity.peer.address, err->message);
    client_cut(client, "its handshake failed");
}

static void step(struct client *client)
{
    const struct transport *transport = client->io.transport;
    struct error err = {0};
    int result = transport->handshake(&client->io, &client->identity, &err);
    if (result == 1)
        is_open(client);
    else if (result == 0)
        append(client);
    else if (result == -EAGAIN)
        loop_watch_for(&client->watch, transport->polls(&client->io, PORT_POLL_IN));
    else
        refuse(client, &err);
}

static void go_on(struct task *task)
{
    uint64_t begin = port_clock_ns();
    while (first && port_clock_ns() - begin < TURN_NS) {
        struct client *client = first;
        opening_gone(client);
        step(client);
    }
    if (first)
        task_wake_background(task);
}

void opening_ready(struct client *client)
{
    if (client->opening_queued)
        return;
    client->received_at = loop_now();
    loop_watch_rest(&client->watch);
    append(client);
    task_wake_background(&turns);
}

struct client *opening_find_silent(const struct server *server)
{
    struct client *silent = NULL;
    for (struct client *c = client_next(NULL); c; c = client_next(c))
        if (c->opening && c->server == server && (!silent || c->received_at < silent->received_at))
            silent = c;
    return silent;
}

bool opening_moves(const struct client *client)
{
    return client->opening && loop_now() - client->received_at <= PATIENCE_NS;
}
