// Handlers: the security labels of running guests.
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"

#include <string.h>

// Labels are sent with the NUL that ends them.
static void put_chars(struct xdr_writer *w, const char *text)
{
    struct slice with_end = {text, strlen(text) + 1};
    xdr_put_chars(w, with_end, REMOTE_SECURITY_LABEL_MAX);
}

#define LABEL_SIZE 4097 // VIR_SECURITY_LABEL_BUFLEN

// The n-th label, or an empty one; false when there is none.
static bool put_label(struct xdr_writer *w, const struct domain *domain, unsigned nth,
                      struct xdr_list_mark *list)
{
    char label[LABEL_SIZE] = "";
    bool enforcing = false;
    bool found = domain_active(domain) &&
                 domain->hypervisor->security_label(domain, nth, label, sizeof(label), &enforcing);
    if (list && !found)
        return false;
    if (list)
        xdr_list_add(w, list);
    put_chars(w, label);
    xdr_put_i32(w, enforcing);
    return found;
}

static enum co_status get_security_label(struct call *call)
{
    const struct domain *domain =
        call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain));
    if (!domain)
        return CO_DONE;
    if (!domain->hypervisor->security_label)
        return call_unsupported(call);
    put_label(call_reply(call), domain, 0, NULL);
    return CO_DONE;
}

// A driver that has no lists answers -1, which libvirtd does not turn into an error.
static enum co_status get_security_label_list(struct call *call)
{
    const struct domain *domain =
        call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain));
    if (!domain)
        return CO_DONE;
    bool listed = domain->hypervisor->lists_security_labels;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_SECURITY_LABEL_LIST_MAX);
    for (unsigned nth = 0; listed && put_label(w, domain, nth, &list); nth++)
        continue;
    uint32_t count = list.count;
    xdr_list_end(w, &list);
    xdr_put_i32(w, listed ? (int32_t)count : -1);
    return CO_DONE;
}

const struct call_entry domain_security_handlers[] = {
    {REMOTE_PROC_DOMAIN_GET_SECURITY_LABEL, get_security_label},
    {REMOTE_PROC_DOMAIN_GET_SECURITY_LABEL_LIST, get_security_label_list},
    {0, NULL},
};
