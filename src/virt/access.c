// Access: the one place that compares what a call asks for with what its peer may do.
#include "virt/access.h"

#include "core/log.h"
#include "proto/remote.h"
#include "rpc/client.h"
#include "virt/access_audit.h"
#include "virt/access_objects.h"
#include "virt/connection.h"
#include "virt/hypervisor.h"

#include <assert.h>
#include <string.h>

// What is known of a client, for as long as what it comes from does not change.
struct known {
    uint32_t generation; // 0: nothing
    bool read_only, authenticated;
    struct access_who who;
};

static struct known known[CONFIG_MAX_CLIENTS]; // by client_index()
static struct client_hook gone_hook;

static void forget(struct client *client)
{
    known[client_index(client)].generation = 0;
    access_audit_forget(client);
}

void access_init(void)
{
    gone_hook.gone = forget;
    client_on_gone(&gone_hook);
}

static int groups_of(const void *client, uint32_t *gids, size_t max)
{
    return port_peer_groups(((const struct client *)client)->io.fd, gids, max);
}

static const struct access_who *who_is(const struct client *client)
{
    struct known *k = &known[client_index(client)];
    if (k->generation == access_generation() && k->read_only == client->read_only &&
        k->authenticated == client->authenticated)
        return &k->who;
    const struct access_subject subject = {
        .identity = &client->identity,
        .transport = client->io.transport->name,
        .read_only = client->read_only,
        .groups = groups_of,
        .groups_from = client,
    };
    access_identify(&subject, &k->who);
    k->generation = access_generation();
    k->read_only = client->read_only;
    k->authenticated = client->authenticated;
    return &k->who;
}

// ---- checks

// libvirt names the driver, and not the reason: that is for the administrator.
static bool deny(struct call *call)
{
    const struct hypervisor *hypervisor = connection_hypervisor(call->client);
    if (!hypervisor)
        return error_set(&call->error, VIR_FROM_ACCESS, VIR_ERR_ACCESS_DENIED, "%s", "");
    return error_set(&call->error, VIR_FROM_ACCESS, VIR_ERR_ACCESS_DENIED, "'%s' denied access",
                     hypervisor->type);
}

static bool check(struct call *call, const struct xdr_rule *rule,
                  const struct access_object *object)
{
    if (!access_in_force())
        return true;
    if (!call->client)
        return deny(call);
    struct access_verdict verdict = access_ask(who_is(call->client), rule->permission, object);
    access_audit(call, rule, object, verdict);
    return verdict.allowed || deny(call);
}

// Whether the handler need not run to know that it will be denied: it could read a document before.
static bool is_hopeless(const struct call *call, const struct xdr_rule *rule)
{
    return access_in_force() && !access_might(who_is(call->client), rule->permission);
}

// Whether a rule's object is in the call's arguments, or else for the handler to tell.
static bool check_rule(struct call *call, const struct xdr_rule *rule)
{
    struct access_object object = {.kind = access_permission_kind(rule->permission)};
    enum access_found found = access_find_object(call, &object);
    if (found == ACCESS_FOUND ||
        (found == ACCESS_UNKNOWN && (!call->handler || is_hopeless(call, rule))))
        return check(call, rule, &object);
    call->access_due = true;
    return true;
}

bool access_gate(struct call *call)
{
    const struct xdr_rule *rule = NULL;
#ifndef CONFIG_DEBUG_CHECKS // they find handlers that do not ask in every test
    if (!access_in_force())
        return true;
#endif
    while ((rule = xdr_procedure_rule(call->procedure, XDR_RULE_ACCESS, call->args, rule)))
        if (!check_rule(call, rule))
            return false;
    return true;
}

bool access_check_object(struct call *call, const struct access_object *object)
{
    const struct xdr_rule *rule = NULL;
    call->access_due = false;
    while ((rule = xdr_procedure_rule(call->procedure, XDR_RULE_ACCESS, call->args, rule)))
        if (access_permission_kind(rule->permission) == object->kind && !check(call, rule, object))
            return false;
    return true;
}

bool access_check_domain(struct call *call, const struct domain *domain)
{
    struct access_object object = access_domain(domain);
    return access_check_object(call, &object);
}

bool access_check_pool(struct call *call, const struct storage_pool *pool)
{
    struct access_object object = access_pool(pool);
    return access_check_object(call, &object);
}

// ---- filters

// Whether the client has every permission that the contract wants of this kind.
static bool passes(const struct client *client, enum xdr_rule_kind kind,
                   const struct xdr_procedure *procedure, const void *args,
                   const struct access_object *object)
{
    const struct xdr_rule *rule = NULL;
    bool any = false;
    if (!access_in_force())
        return true;
    while (client && (rule = xdr_procedure_rule(procedure, kind, args, rule))) {
        assert(access_permission_kind(rule->permission) == object->kind);
        any = true;
        if (!access_ask(who_is(client), rule->permission, object).allowed)
            return false;
    }
    return any;
}

bool access_shows(const struct call *call, const struct access_object *object)
{
    return passes(call->client, XDR_RULE_FILTER, call->procedure, call->args, object);
}

bool access_shows_domain(const struct call *call, const struct domain *domain)
{
    if (!access_in_force()) // asked a thousand times for a long list
        return true;
    struct access_object object = access_domain(domain);
    return access_shows(call, &object);
}

bool access_shows_pool(const struct call *call, const struct storage_pool *pool)
{
    struct access_object object = access_pool(pool);
    return access_shows(call, &object);
}

bool access_hears_of(const struct client *client, const struct domain *domain)
{
    const struct xdr_procedure *procedure =
        xdr_procedure_find(&remote_program, REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY);
    struct access_object object = access_domain(domain);
    return passes(client, XDR_RULE_FILTER, procedure, NULL, &object);
}

bool access_may_keep(const struct client *client, int32_t procedure, const struct domain *domain)
{
    struct access_object object = access_domain(domain);
    return passes(client, XDR_RULE_ACCESS, xdr_procedure_find(&remote_program, procedure), NULL,
                  &object);
}
