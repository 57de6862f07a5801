// The record of what was asked for and what the rules said: who, what, on which object, and why.
#include "virt/access_audit.h"

#include "core/log.h"
#include "core/uuid.h"
#include "rpc/client.h"

#include <inttypes.h>

#define MODULE           "access"
#define DENIALS_A_SECOND 10 // of one client, that are told

struct tally {
    uint64_t since;    // loop_now() of the first of this second
    uint32_t count;    // in this second
    uint32_t not_told; // since the last one that was
};

static struct tally tallies[CONFIG_MAX_CLIENTS]; // by client_index()

// Names come from clients and peers: nothing in them may end the line, or look like another's.
static void put_quoted(struct buffer *out, const char *key, struct slice text)
{
    buffer_printf(out, " %s=\"", key);
    for (size_t i = 0; i < text.len && i < 256; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < ' ' || c == 0x7F || c == '"' || c == '\\')
            buffer_printf(out, "\\x%02x", c);
        else
            buffer_putc(out, (char)c);
    }
    buffer_putc(out, '"');
}

static void put_who(struct buffer *out, const struct client *client)
{
    const struct identity *identity = &client->identity;
    buffer_printf(out, "client %" PRIu64 " transport=%s mode=%s", client->number,
                  client->io.transport->name, client->read_only ? "read-only" : "read-write");
    if (identity->peer.has_credentials)
        buffer_printf(out, " uid=%" PRIu32 " gid=%" PRIu32 " pid=%" PRId32, identity->peer.uid,
                      identity->peer.gid, identity->peer.pid);
    if (identity->peer.address[0])
        buffer_printf(out, " address=%s", identity->peer.address);
    if (identity->sasl_user[0])
        put_quoted(out, "sasl", slice_of(identity->sasl_user));
    if (identity->x509_dname[0])
        put_quoted(out, "dn", slice_of(identity->x509_dname));
}

static void put_object(struct buffer *out, const struct access_object *object)
{
    char uuid[UUID_TEXT_SIZE];
    if (object->kind == ACCESS_CONNECT)
        return;
    if (slice_present(object->parent))
        put_quoted(out, "in", object->parent);
    if (slice_present(object->name))
        put_quoted(out, access_kind_name(object->kind), object->name);
    if (object->uuid) {
        uuid_format(object->uuid, uuid);
        buffer_printf(out, " uuid=%s", uuid);
    }
}

static void tell(enum log_level level, const struct call *call, const struct xdr_rule *rule,
                 const struct access_object *object, struct access_verdict verdict)
{
    char text[1536];
    struct buffer out = buffer_over(text, sizeof(text));
    put_who(&out, call->client);
    buffer_printf(&out, ": %s: %s.%s", xdr_procedure_name(call->procedure), xdr_rule_object(rule),
                  xdr_rule_permission(rule));
    put_object(&out, object);
    if (verdict.line)
        log_message(level, MODULE, "%s: %s by %s:%" PRIu32, verdict.allowed ? "allowed" : "denied",
                    text, access_file(), verdict.line);
    else
        log_message(level, MODULE, "denied: %s: no rule allows it", text);
}

static bool may_tell(struct tally *tally)
{
    uint64_t now = loop_now();
    if (now - tally->since >= NS_PER_SEC) {
        tally->since = now;
        tally->count = 0;
    }
    if (tally->count < DENIALS_A_SECOND) {
        tally->count++;
        return true;
    }
    tally->not_told++;
    return false;
}

static void tell_of_the_rest(const struct client *client, struct tally *tally)
{
    if (tally->not_told)
        log_warning(MODULE, "denied: client %" PRIu64 ": %" PRIu32 " more that were not told",
                    client->number, tally->not_told);
    tally->not_told = 0;
}

void access_audit(const struct call *call, const struct xdr_rule *rule,
                  const struct access_object *object, struct access_verdict verdict)
{
    struct tally *tally = &tallies[client_index(call->client)];
    if (verdict.allowed) {
        if (log_wanted(LOG_LEVEL_INFO, MODULE))
            tell(LOG_LEVEL_INFO, call, rule, object, verdict);
    } else if (log_wanted(LOG_LEVEL_WARNING, MODULE) && may_tell(tally)) {
        tell_of_the_rest(call->client, tally);
        tell(LOG_LEVEL_WARNING, call, rule, object, verdict);
    }
}

void access_audit_forget(const struct client *client)
{
    struct tally *tally = &tallies[client_index(client)];
    tell_of_the_rest(client, tally);
    *tally = (struct tally){0};
}
