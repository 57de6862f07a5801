// Clients: the table, and how a client comes and goes.
#include "rpc/client.h"

#include "core/assert.h"
#include "core/log.h"
#include "core/log_limit.h"
#include "rpc/keepalive.h"
#include "rpc/opening.h"
#include "rpc/receive.h"
#include "rpc/send.h"
#include "rpc/stream.h"

#include <string.h>

// How long a peer may take nothing, send nothing in the middle of a message, or not authenticate.
#define SEND_STALL_NS     (30 * NS_PER_SEC)
#define SEND_STALL_MIN_NS (2 * NS_PER_SEC) // when slots are getting few
#define IN_THE_WAY_NS     (NS_PER_SEC / 4) // when others wait for slots that it holds
#define STOPPED_PART      4                // so many times as long in the middle of a message
#define RECEIVE_STALL_NS  (60 * NS_PER_SEC)
#define LOGIN_SILENCE_NS  NS_PER_SEC // after which others are let in, in its place
#define LOGIN_NS          (60 * NS_PER_SEC)
#define WATCH_OVER_NS     NS_PER_SEC

static struct client clients[CONFIG_MAX_CLIENTS];
static uint64_t last_serial;
static uint32_t used_below; // no client in use from this index on
static uint32_t count;
static bool some_dead;
static struct client_hook *hooks;
static struct timer watch_over;
static struct turn_end sweep_at_turn_end;

uint32_t client_count(void)
{
    return count;
}

uint32_t client_index(const struct client *client)
{
    return (uint32_t)(client - clients);
}

struct client *client_next(const struct client *previous)
{
    for (uint32_t i = previous ? client_index(previous) + 1 : 0; i < used_below; i++)
        if (clients[i].used && !clients[i].dead)
            return &clients[i];
    return NULL;
}

void client_on_gone(struct client_hook *hook)
{
    hook->next = hooks;
    hooks = hook;
}

// ---- looking after those who stand still

static bool slots_are_few(void)
{
    return slot_small_free() < CONFIG_SMALL_SLOTS / 4 || slot_large_free() < CONFIG_LARGE_SLOTS / 4;
}

static const char *overdue(const struct client *client, uint64_t now)
{
    uint64_t stall = slots_are_few() ? SEND_STALL_MIN_NS : SEND_STALL_NS;
    if (client->send_first && now - client->progress_at > stall)
        return "it does not read what is sent to it";
    if (receive_in_message(client) && now - client->received_at > RECEIVE_STALL_NS)
        return "it stopped in the middle of a message";
    if (!client->authenticated && now - client->connected_at > LOGIN_NS)
        return client->opening ? "its handshake took too long" : "it did not authenticate in time";
    return NULL;
}

static void cut_overdue(struct timer *timer)
{
    uint64_t now = loop_now();
    for (struct client *client = client_next(NULL); client; client = client_next(client)) {
        const char *why = overdue(client, now);
        if (why)
            client_cut(client, why);
    }
    if (count)
        timer_start(timer, WATCH_OVER_NS, cut_overdue);
}

// How long it has stood still with slots, in ns: it does not read what is sent to it, or has
// stopped in the middle of a message, which takes longer to be sure of. 0: it does not.
static uint64_t stood_still(const struct client *client, uint64_t now)
{
    uint64_t blocked = client->send_blocked ? now - client->progress_at : 0;
    uint64_t stopped = client->incoming ? (now - client->received_at) / STOPPED_PART : 0;
    return blocked > stopped ? blocked : stopped;
}

bool client_relieve(void)
{
    struct client *stillest = NULL;
    uint64_t now = loop_now(), most = IN_THE_WAY_NS;
    for (struct client *client = client_next(NULL); client; client = client_next(client)) {
        uint64_t still = stood_still(client, now);
        if (still < most)
            continue;
        most = still;
        stillest = client;
    }
    if (!stillest)
        return false;
    client_cut(stillest, "it stands still with message slots that others wait for");
    return true;
}

// The last resort when no slot is left: whoever has most of them queued goes.
static bool cut_largest_queue(void)
{
    if (client_relieve())
        return true;
    struct client *largest = NULL;
    for (struct client *client = client_next(NULL); client; client = client_next(client))
        if (!largest || client->send_count > largest->send_count)
            largest = client;
    if (!largest || largest->send_count == 0)
        return false;
    client_cut(largest, "all message slots are in use and it holds the most");
    return true;
}

// ---- coming and going

static void ready(struct watch *watch, short events)
{
    struct client *client = (struct client *)(void *)watch;
    if (client->opening) {
        opening_ready(client);
        return;
    }
    if (!client->wanted && client->stream_held && (events & PORT_POLL_HUP)) {
        stream_client_gone(client); // what nobody takes keeps nobody here
        receive_resume(client);
        return;
    }
    if (client->io.transport->polls && (events & (PORT_POLL_IN | PORT_POLL_OUT)))
        events |= client->wanted; // what it polls for is its own affair
    if (events & PORT_POLL_OUT)
        send_flush(client);
    if (!client->dead && (events & (PORT_POLL_IN | PORT_POLL_HUP | PORT_POLL_ERR)))
        receive_ready(client);
}

static void read_again(struct task *task)
{
    receive_again((struct client *)(void *)((char *)task - offsetof(struct client, again)));
}

// Whoever found no slot, or no place for a call, looks again when some have come back (a call gives
// a slot back, too). Another one begins each time, so that nobody is always too late.
static void feed_the_starved(void)
{
    static uint32_t releases_seen, first;
    if (releases_seen == slot_releases())
        return;
    releases_seen = slot_releases();
    first++;
    for (uint32_t i = 0; i < used_below; i++) {
        struct client *client = &clients[(first + i) % used_below];
        if (!client->used || !client->starved)
            continue;
        if (loop_turn_is_long())
            task_wake(&client->again);
        else
            receive_resume(client);
    }
}

static void enter(struct client *client, const struct admission *admission)
{
    struct server *server = admission->server;
    client->server = server;
    client->number = ++server->last_client;
    client->serial = ++last_serial;
    client->read_only = admission->read_only;
    client->auth = admission->auth;
    client->opening = admission->transport->handshake != NULL;
    client->authenticated = admission->auth == AUTH_NONE && !client->opening;
    server->client_count++;
    server->anonymous_count += !client->authenticated;
    client->before = server->last;
    *(client->before ? &client->before->after : &server->first) = client;
    server->last = client;
}

static void leave(struct client *client)
{
    struct server *server = client->server;
    server->client_count--;
    server->anonymous_count -= !client->authenticated;
    *(client->before ? &client->before->after : &server->first) = client->after;
    *(client->after ? &client->after->before : &server->last) = client->before;
}

static void sweep(void)
{
    feed_the_starved();
    if (!some_dead)
        return;
    some_dead = false;
    for (uint32_t i = 0; i < used_below; i++) {
        if (!clients[i].used || !clients[i].dead)
            continue;
        leave(&clients[i]);
        clients[i].used = false;
        count--;
    }
    while (used_below && !clients[used_below - 1].used)
        used_below--;
}

static void start_up_once(void)
{
    static bool started;
    if (started)
        return;
    started = true;
    slot_on_pressure(cut_largest_queue);
    sweep_at_turn_end.run = sweep;
    loop_at_turn_end(&sweep_at_turn_end);
}

static struct client *take_client(void)
{
    uint32_t i = 0;
    while (i < used_below && clients[i].used)
        i++;
    if (i == used_below)
        used_below++;
    struct client *client = &clients[i];
    memset(client, 0, sizeof(*client));
    client->used = true;
    count++;
    return client;
}

static bool is_full(const struct server *server)
{
    return server->client_count >= server->limits.max_clients || count >= CONFIG_MAX_CLIENTS;
}

static bool has_too_many_anonymous(const struct admission *admission)
{
    const struct server *server = admission->server;
    uint32_t most = server->limits.max_anonymous_clients, counted = 0;
    if (!most || server->anonymous_count < most ||
        (admission->auth == AUTH_NONE && !admission->transport->handshake))
        return false;
    for (struct client *client = client_next(NULL); client; client = client_next(client))
        counted += client->server == server && !client->authenticated && !opening_moves(client);
    return counted >= most;
}

bool client_room(const struct server *server)
{
    return !is_full(server) || opening_find_silent(server) != NULL;
}

// Of those who have not authenticated, the one that has said nothing for longest.
static struct client *find_silent_anonymous(const struct server *server)
{
    struct client *silent = NULL;
    for (struct client *client = client_next(NULL); client; client = client_next(client))
        if (client->server == server && !client->authenticated &&
            loop_now() - client->received_at > LOGIN_SILENCE_NS &&
            (!silent || client->received_at < silent->received_at))
            silent = client;
    return silent;
}

// Where there is no place at all, `full`, silence of any length is enough. False: nobody can go.
static bool cut_silent(const struct server *server, bool full)
{
    struct client *silent = opening_find_silent(server);
    if (!full && (!silent || opening_moves(silent)))
        silent = find_silent_anonymous(server);
    if (silent)
        client_cut(silent, "somebody else came, and it stood still");
    return silent != NULL;
}

// Whoever stands still in its handshake, or before it has logged in, gives way to whoever comes: so
// neither strangers who do nothing nor a storm of failing logins, which wait for their verdict,
// keep others out.
static void make_room(const struct admission *admission)
{
    bool cut = is_full(admission->server);
    if (cut && !cut_silent(admission->server, true))
        return;
    while (has_too_many_anonymous(admission) && cut_silent(admission->server, false))
        cut = true;
    if (cut)
        sweep();
}

static const char *refusal(const struct admission *admission, const struct port_peer *peer)
{
    if (is_full(admission->server))
        return "too many clients, max_clients";
    if (has_too_many_anonymous(admission))
        return "too many clients that have not authenticated, max_anonymous_clients";
    if (admission->server->own_user_only && !(peer->has_credentials && peer->uid == port_uid())) {
        static struct log_limit limit = {.module = "rpc", .what = "more clients were disallowed"};
        if (log_limit_allows(&limit))
            log_warning("rpc", "disallowing client %d with uid %u", (int)peer->pid,
                        (unsigned)peer->uid);
        return "only the daemon's own user is admitted";
    }
    return NULL;
}

struct client *client_add(int fd, const struct admission *admission, const struct port_peer *peer)
{
    start_up_once();
    make_room(admission);
    const char *why_not = refusal(admission, peer);
    if (why_not) {
        static struct log_limit limit = {.module = "rpc", .what = "more connections were refused"};
        if (log_limit_allows(&limit))
            log_warning("rpc", "connection to server %s refused: %s", admission->server->name,
                        why_not);
        port_close(fd);
        return NULL;
    }
    struct client *client = take_client();
    struct error err = {0};
    enter(client, admission);
    if (!loop_watch(&client->watch, fd, PORT_POLL_IN, ready, &err)) {
        log_warning("rpc", "connection refused: %s", err.message);
        port_close(fd);
        client->dead = some_dead = true;
        return NULL;
    }
    client->io = (struct connection_io){.fd = fd, .transport = admission->transport};
    client->again.run = read_again;
    client->wanted = PORT_POLL_IN;
    client->identity.peer = *peer;
    client->connected = port_time_us();
    client->connected_at = client->received_at = client->progress_at = loop_now();
    if (!timer_running(&watch_over))
        timer_start(&watch_over, WATCH_OVER_NS, cut_overdue);
    log_info("rpc", "client %llu connected over %s", (unsigned long long)client->number,
             client->io.transport->name);
    return client;
}

void client_authenticated(struct client *client)
{
    if (client->authenticated)
        return;
    client->authenticated = true;
    client->server->anonymous_count--;
}

void client_cut(struct client *client, const char *why)
{
    if (client->dead)
        return;
    log_info("rpc", "client %llu: connection ended: %s", (unsigned long long)client->number, why);
    client->dead = some_dead = true;
    for (struct client_hook *hook = hooks; hook; hook = hook->next)
        hook->gone(client);
    stream_client_gone(client);
    call_client_gone(client);
    keepalive_stop(client);
    opening_gone(client);
    task_forget(&client->again);
    receive_drop(client);
    send_drop(client);
    loop_unwatch(&client->watch);
    client->io.transport->close(&client->io);
}

void client_close_later(struct client *client)
{
    client->closing = true;
    if (!client->send_first && !client->calls) // the call that closes has its reply before it
        client_cut(client, "closed");
    else
        client_update(client);
}

void client_close_all(void)
{
    for (struct client *client = client_next(NULL); client; client = client_next(client))
        client_cut(client, "the daemon ends");
    sweep();
}

void client_update(struct client *client)
{
    const struct transport *transport = client->io.transport;
    if (client->dead || client->opening)
        return;
    client->wanted = (short)((receive_wanted(client) ? PORT_POLL_IN : 0) |
                             (client->send_blocked ? PORT_POLL_OUT : 0));
    if ((client->wanted & PORT_POLL_IN) && transport->pending && transport->pending(&client->io))
        task_wake(&client->again);
    if (client->wanted)
        loop_watch_for(&client->watch, transport->polls
                                           ? transport->polls(&client->io, client->wanted)
                                           : client->wanted);
    else if (client->stream_held) // maybe for ever: a hang-up ends that
        loop_watch_for(&client->watch, 0);
    else // a hang-up would be told in every turn, and is seen when there is something to do again
        loop_watch_rest(&client->watch);
}
