// Handlers: lists of domains, the old calls and the one with filters.
#include "virt/domain/domain_list.h"

#include "virt/access.h"
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"

// ---- filters

static uint32_t activity_of(const struct domain *domain)
{
    return domain_active(domain) ? VIR_CONNECT_LIST_DOMAINS_ACTIVE
                                 : VIR_CONNECT_LIST_DOMAINS_INACTIVE;
}

static uint32_t persistence_of(const struct domain *domain)
{
    return domain->persistent ? VIR_CONNECT_LIST_DOMAINS_PERSISTENT
                              : VIR_CONNECT_LIST_DOMAINS_TRANSIENT;
}

static uint32_t state_of(const struct domain *domain)
{
    switch (domain->state) {
    case VIR_DOMAIN_RUNNING:
        return VIR_CONNECT_LIST_DOMAINS_RUNNING;
    case VIR_DOMAIN_PAUSED:
        return VIR_CONNECT_LIST_DOMAINS_PAUSED;
    case VIR_DOMAIN_SHUTOFF:
        return VIR_CONNECT_LIST_DOMAINS_SHUTOFF;
    default:
        return VIR_CONNECT_LIST_DOMAINS_OTHER;
    }
}

static uint32_t autostart_of(const struct domain *domain)
{
    return domain->autostart ? VIR_CONNECT_LIST_DOMAINS_AUTOSTART
                             : VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART;
}

// This build keeps no managed save images, snapshots or checkpoints: no domain has one.
static uint32_t saved_of(const struct domain *domain)
{
    (void)domain;
    return VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE;
}

static uint32_t snapshots_of(const struct domain *domain)
{
    (void)domain;
    return VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT;
}

static uint32_t checkpoints_of(const struct domain *domain)
{
    (void)domain;
    return VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT;
}

static const struct {
    uint32_t group; // bits that belong together
    uint32_t (*of)(const struct domain *domain);
} filters[] = {
    {VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_INACTIVE, activity_of},
    {VIR_CONNECT_LIST_DOMAINS_PERSISTENT | VIR_CONNECT_LIST_DOMAINS_TRANSIENT, persistence_of},
    {VIR_CONNECT_LIST_DOMAINS_RUNNING | VIR_CONNECT_LIST_DOMAINS_PAUSED |
         VIR_CONNECT_LIST_DOMAINS_SHUTOFF | VIR_CONNECT_LIST_DOMAINS_OTHER,
     state_of},
    {VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE | VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE, saved_of},
    {VIR_CONNECT_LIST_DOMAINS_AUTOSTART | VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART, autostart_of},
    {VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT | VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT, snapshots_of},
    {VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT | VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT,
     checkpoints_of},
};

bool domain_matches(const struct domain *domain, uint32_t filter)
{
    if (filter == 0) // most lists are of everybody
        return true;
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
        if ((filter & filters[i].group) && !(filter & filters[i].of(domain)))
            return false;
    return true;
}

static struct domain *next_match(const struct call *call, struct domain *domain, uint32_t filter)
{
    const struct hypervisor *hypervisor = connection_hypervisor(call->client);
    do
        domain = domain_next(hypervisor, domain);
    while (domain && !(domain_matches(domain, filter) && access_shows_domain(call, domain)));
    return domain;
}

// ---- virConnectListAllDomains

static enum co_status list_all_domains(struct call *call)
{
    const struct remote_connect_list_all_domains_args *args =
        CALL_ARGS(call, struct remote_connect_list_all_domains_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor || !call_driver_flags(call, hypervisor, args->flags, DOMAIN_LIST_FILTERS,
                                          "ConnectListAllDomains"))
        return CO_DONE;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_LIST_MAX);
    struct domain *domain = next_match(call, NULL, args->flags);
    for (; domain && args->need_results; domain = next_match(call, domain, args->flags)) {
        xdr_list_add(w, &list);
        domain_put(w, domain);
    }
    uint32_t count = list.count;
    for (; domain; domain = next_match(call, domain, args->flags))
        count++;
    xdr_list_end(w, &list);
    xdr_put_u32(w, count);
    return CO_DONE;
}

// ---- the old calls

static enum co_status reply_count(struct call *call, uint32_t filter)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    int32_t count = 0;
    if (!hypervisor)
        return CO_DONE;
    struct domain *domain = NULL;
    while ((domain = next_match(call, domain, filter)))
        count++;
    xdr_put_i32(call_reply(call), count);
    return CO_DONE;
}

static enum co_status num_of_domains(struct call *call)
{
    return reply_count(call, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
}

static enum co_status num_of_defined_domains(struct call *call)
{
    return reply_count(call, VIR_CONNECT_LIST_DOMAINS_INACTIVE);
}

static enum co_status list_domains(struct call *call)
{
    int32_t max = CALL_ARGS(call, struct remote_connect_list_domains_args)->maxids;
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor || !call_check_maximum(call, max, "maxids", REMOTE_DOMAIN_LIST_MAX))
        return CO_DONE;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_LIST_MAX);
    struct domain *domain = NULL;
    while (max-- > 0 && (domain = next_match(call, domain, VIR_CONNECT_LIST_DOMAINS_ACTIVE))) {
        xdr_list_add(w, &list);
        xdr_put_i32(w, domain->id);
    }
    xdr_list_end(w, &list);
    return CO_DONE;
}

static enum co_status list_defined_domains(struct call *call)
{
    int32_t max = CALL_ARGS(call, struct remote_connect_list_defined_domains_args)->maxnames;
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor || !call_check_maximum(call, max, "maxnames", REMOTE_DOMAIN_LIST_MAX))
        return CO_DONE;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_LIST_MAX);
    struct domain *domain = NULL;
    while (max-- > 0 && (domain = next_match(call, domain, VIR_CONNECT_LIST_DOMAINS_INACTIVE))) {
        xdr_list_add(w, &list);
        xdr_put_string(w, slice_of(domain->name));
    }
    xdr_list_end(w, &list);
    return CO_DONE;
}

const struct call_entry domain_list_handlers[] = {
    {REMOTE_PROC_CONNECT_LIST_ALL_DOMAINS, list_all_domains},
    {REMOTE_PROC_CONNECT_NUM_OF_DOMAINS, num_of_domains},
    {REMOTE_PROC_CONNECT_NUM_OF_DEFINED_DOMAINS, num_of_defined_domains},
    {REMOTE_PROC_CONNECT_LIST_DOMAINS, list_domains},
    {REMOTE_PROC_CONNECT_LIST_DEFINED_DOMAINS, list_defined_domains},
    {0, NULL},
};
