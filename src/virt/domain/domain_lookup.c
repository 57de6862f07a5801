// Handlers: finding a domain by id, uuid or name.
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"

#include <stdio.h>

static enum co_status reply_found(struct call *call, const struct hypervisor *hypervisor,
                                  const struct domain *domain, const char *key, const char *value)
{
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
    return reply_found(call, hypervisor, domain_by_id(hypervisor, args->id), "id", id);
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
    return reply_found(call, hypervisor, domain_by_uuid(hypervisor, args->uuid), "uuid", uuid);
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
    return reply_found(call, hypervisor, domain_by_name(hypervisor, args->name), "name", name);
}

const struct call_entry domain_lookup_handlers[] = {
    {REMOTE_PROC_DOMAIN_LOOKUP_BY_ID, lookup_by_id},
    {REMOTE_PROC_DOMAIN_LOOKUP_BY_UUID, lookup_by_uuid},
    {REMOTE_PROC_DOMAIN_LOOKUP_BY_NAME, lookup_by_name},
    {0, NULL},
};
