// SASL: the exchange of each client, from the list of mechanisms to the verdict.
//
// libvirtd's rules: init begins, start and step go on, a failure ends it and init may begin anew;
// who is logged in stays who he is. That a connection has a limited number of tries is ours. Every
// failure, whatever its reason, is told after the same time and in the same words.
#include "auth/sasl.h"

#include "auth/users.h"
#include "core/log.h"
#include "proto/remote.h"
#include "rpc/client.h"
#include "virt/handlers.h"

#include <mbedtls/platform_util.h>

#include <string.h>

enum progress {
    NOT_BEGUN,
    OFFERED,    // the client knows the mechanisms
    CHOSEN,     // and has chosen one, but its first message is still to come
    CHALLENGED, // it has been sent the server-first-message
    FAILED,     // it waits for the verdict
};

static struct session {
    enum progress progress;
    unsigned failures; // of this connection
    struct scram_exchange exchange;
} sessions[CONFIG_MAX_CLIENTS]; // by client_index()

static const struct conf_list *allowed_users;
static struct client_hook gone_hook;

static struct session *session_of(const struct client *client)
{
    return &sessions[client_index(client)];
}

static void forget(struct client *client)
{
    struct session *session = session_of(client);
    if (session->progress != NOT_BEGUN || session->failures)
        mbedtls_platform_zeroize(session, sizeof(*session));
}

void sasl_configure(const struct conf_list *allowed)
{
    struct error err = {0};
    allowed_users = allowed;
    gone_hook.gone = forget;
    client_on_gone(&gone_hook);
    if (!users_check(&err))
        log_warning("auth", "nobody can log in with a password: %s", err.message);
}

// SCRAM-SHA-1 is there as soon as somebody was given keys for it.
static bool is_offered(enum scram_mechanism mechanism)
{
    return mechanism == SCRAM_SHA_256 || users_have(mechanism);
}

static bool is_allowed(const char *user)
{
    const char *pattern = NULL;
    if (!allowed_users || !allowed_users->is_set)
        return true;
    while ((pattern = conf_list_next(allowed_users, pattern)))
        if (slice_matches(slice_of(user), pattern))
            return true;
    return false;
}

// ---- messages

// The bytes of a message, which the protocol carries one to a word; more than SCRAM_MESSAGE_MAX are
// cut, and are too long for any message by then.
static struct slice gather(struct xdr_list data)
{
    static char bytes[SCRAM_MESSAGE_MAX + 1];
    size_t len = 0;
    int8_t byte;
    while (len < sizeof(bytes) && xdr_next(&data, &byte))
        bytes[len++] = (char)byte;
    return (struct slice){bytes, len};
}

static void answer(struct call *call, bool complete, struct slice data)
{
    struct xdr_writer *reply = call_reply(call);
    xdr_put_i32(reply, complete);
    xdr_put_i32(reply, data.at == NULL); // absent is not the same as empty
    xdr_put_chars(reply, data, REMOTE_AUTH_SASL_DATA_MAX);
}

static const char *challenge(struct call *call, struct session *session, struct slice message)
{
    static struct error err;
    struct scram_exchange *exchange = &session->exchange;
    const char *wrong = scram_first(exchange, message);
    if (wrong)
        return wrong;
    error_clear(&err);
    if (!users_find(exchange->keys.mechanism, exchange->name, &exchange->keys, &exchange->is_user,
                    &err))
        return err.message;
    answer(call, false, scram_challenge(exchange));
    session->progress = CHALLENGED;
    return NULL;
}

static const char *finish(struct call *call, struct session *session, struct slice message)
{
    char text[128];
    struct client *client = call->client;
    struct buffer reply = buffer_over(text, sizeof(text));
    const char *wrong = scram_final(&session->exchange, message, &reply);
    if (wrong)
        return wrong;
    if (!is_allowed(session->exchange.name))
        return "the name is not on sasl_allowed_username_list";
    memcpy(client->identity.sasl_user, session->exchange.name, IDENTITY_USER_MAX);
    client_authenticated(client);
    log_info("auth", "client %llu: user '%s' logged in with %s", (unsigned long long)client->number,
             client->identity.sasl_user, scram_mechanism_name(session->exchange.keys.mechanism));
    forget(client);
    answer(call, true, buffer_slice(&reply));
    return NULL;
}

static const char *take_start(struct call *call)
{
    const struct remote_auth_sasl_start_args *args =
        CALL_ARGS(call, struct remote_auth_sasl_start_args);
    struct session *session = session_of(call->client);
    if (session->progress == NOT_BEGUN || session->progress == FAILED)
        return "it was not begun";
    memset(&session->exchange, 0, sizeof(session->exchange));
    enum scram_mechanism *mechanism = &session->exchange.keys.mechanism;
    if (!scram_mechanism_find(args->mech, mechanism) || !is_offered(*mechanism))
        return "the mechanism is not offered";
    if (!args->nil && args->data.count)
        return challenge(call, session, gather(args->data));
    session->progress = CHOSEN; // the client speaks first: an empty challenge asks it to
    answer(call, false, SLICE_NONE);
    return NULL;
}

static const char *take_step(struct call *call)
{
    const struct remote_auth_sasl_step_args *args =
        CALL_ARGS(call, struct remote_auth_sasl_step_args);
    struct session *session = session_of(call->client);
    if (session->progress == CHOSEN)
        return challenge(call, session, gather(args->data));
    if (session->progress == CHALLENGED)
        return finish(call, session, gather(args->data));
    return "it was not begun";
}

// ---- the verdict

struct refusal {
    struct co co;
    struct pause pause;
    const char *why; // for the log, at first
};

// Tells of the failure when its time is over; until then the client gets nowhere.
static enum co_status refuse(struct call *call, struct refusal *refusal)
{
    struct client *client = call->client;
    struct session *session = client ? session_of(client) : NULL;
    CO_BEGIN(&refusal->co);
    const char *address = client->identity.peer.address;
    log_warning(
        "auth", "client %llu (%s): login of '%s' failed: %s", (unsigned long long)client->number,
        address[0] ? address : client->io.transport->name, session->exchange.name, refusal->why);
    session->failures++;
    session->progress = FAILED;
    pause_start(&refusal->pause, &call->task, CONFIG_SASL_FAIL_DELAY * NS_PER_MS);
    CO_WAIT(&refusal->co, refusal->pause.over);
    call_fail(call, VIR_FROM_RPC, VIR_ERR_AUTH_FAILED, "authentication failed");
    if (!client)
        CO_RETURN(&refusal->co);
    mbedtls_platform_zeroize(&session->exchange, sizeof(session->exchange));
    session->progress = NOT_BEGUN;
    if (session->failures >= CONFIG_SASL_FAILURES)
        client_close_later(client);
    CO_END(&refusal->co);
}

// Whether it is this client's turn to log in. Whoever waits for a verdict already, and whoever has
// nothing to ask for, is told so at once.
static bool may_log_in(struct call *call)
{
    const struct client *client = call->client;
    return client && client->auth == AUTH_SASL && !client->authenticated &&
           session_of(client)->progress != FAILED;
}

static enum co_status not_now(struct call *call)
{
    return call_fail(call, VIR_FROM_RPC, VIR_ERR_AUTH_FAILED, "authentication failed");
}

// ---- handlers

static enum co_status sasl_init(struct call *call)
{
    if (!may_log_in(call) || session_of(call->client)->progress != NOT_BEGUN)
        return not_now(call);
    char text[64];
    struct buffer list = buffer_over(text, sizeof(text));
    for (unsigned i = 0; i < SCRAM_MECHANISMS; i++)
        if (is_offered((enum scram_mechanism)i))
            buffer_printf(&list, "%s%s", i ? "," : "",
                          scram_mechanism_name((enum scram_mechanism)i));
    session_of(call->client)->progress = OFFERED;
    xdr_put_string(call_reply(call), buffer_slice(&list));
    return CO_DONE;
}

static enum co_status go_on(struct call *call, const char *(*take)(struct call *call))
{
    struct refusal *refusal = CALL_STATE(call, struct refusal);
    CO_BEGIN(&call->co);
    if (!may_log_in(call)) {
        not_now(call);
        CO_RETURN(&call->co);
    }
    refusal->why = take(call);
    if (refusal->why)
        CO_CALL(&call->co, refuse(call, refusal));
    CO_END(&call->co);
}

static enum co_status sasl_start(struct call *call)
{
    return go_on(call, take_start);
}

static enum co_status sasl_step(struct call *call)
{
    return go_on(call, take_step);
}

const struct call_entry sasl_handlers[] = {
    {REMOTE_PROC_AUTH_SASL_INIT, sasl_init},
    {REMOTE_PROC_AUTH_SASL_START, sasl_start},
    {REMOTE_PROC_AUTH_SASL_STEP, sasl_step},
    {0, NULL},
};
