// Handlers: finding a domain by id, uuid or name.
#include "virt/access.h"
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"

#include <stdio.h>

// `asked` is the name that was asked for, absent in a lookup by something else.
static bool may_learn(struct call *call, const struct domain *domain, struct slice asked)
{
    const struct access_object wanted = {.kind = ACCESS_DOMAIN, .name = asked};
    return domain ? access_check_domain(call, domain) : access_check_object(call, &wanted);
}

static enum co_status reply_found(struct call *call, const struct hypervisor *hypervisor,
                                  const struct domain *domain, const char *key, const char *value)
{
    if (error_is_set(&call->error))
        return CO_DONE;
    if (domain)
        call_reply_domain(call, domain);
    else if (hypervisor->terse_lookups)
        call_fail(call, hypervisor->error_domain, VIR_ERR_NO_DOMAIN, "%s", "");
    else
        call_fail(call, hypervisor->error_domain, VIR_ERR_NO_DOMAIN,
                  "no domain with matching %s %s", key, value);
    return CO_DONE;
}

static enum co_status lookup_by_id(struct call *call)
{
    const struct remote_domain_lookup_by_id_args *args =
        CALL_ARGS(call, struct remote_domain_lookup_by_id_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    char id[16];
    if (!hypervisor)
        return CO_DONE;
    if (args->id < 0) {
        call_invalid_argument(call, "id", "must be zero or greater");
        return CO_DONE;
    }
    snprintf(id, sizeof(id), "%d", args->id);
    const struct domain *domain = domain_by_id(hypervisor, args->id);
    may_learn(call, domain, SLICE_NONE);
    return reply_found(call, hypervisor, domain, "id", id);
}

static enum co_status lookup_by_uuid(struct call *call)
{
    const struct remote_domain_lookup_by_uuid_args *args =
        CALL_ARGS(call, struct remote_domain_lookup_by_uuid_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    char uuid[40] = "'";
    if (!hypervisor)
        return CO_DONE;
    domain_uuid_format(args->uuid, uuid + 1);
    uuid[37] = '\'';
    const struct domain *domain = domain_by_uuid(hypervisor, args->uuid);
    if (domain)
        access_check_domain(call, domain);
    return reply_found(call, hypervisor, domain, "uuid", uuid);
}

static enum co_status lookup_by_name(struct call *call)
{
    const struct remote_domain_lookup_by_name_args *args =
        CALL_ARGS(call, struct remote_domain_lookup_by_name_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    char name[ERROR_MESSAGE_MAX];
    if (!hypervisor)
        return CO_DONE;
    snprintf(name, sizeof(name), "'%.*s'", SLICE_ARG(args->name));
    const struct domain *domain = domain_by_name(hypervisor, args->name);
    may_learn(call, domain, args->name);
    return reply_found(call, hypervisor, domain, "name", name);
}

const struct call_entry domain_lookup_handlers[] = {
    {REMOTE_PROC_DOMAIN_LOOKUP_BY_ID, lookup_by_id},
    {REMOTE_PROC_DOMAIN_LOOKUP_BY_UUID, lookup_by_uuid},
    {REMOTE_PROC_DOMAIN_LOOKUP_BY_NAME, lookup_by_name},
    {0, NULL},
};
