// Handlers: a domain's definition as a document (virDomainGetXMLDesc).
#include "virt/domain/domain_call.h"
#include "virt/domain/domain_facts.h"
#include "virt/xml/domain_xml.h"
#include "virt/handlers.h"

// A running guest may have been given another amount of memory than its live definition says.
static void show_balloon(struct xml_doc *doc, const struct domain *domain)
{
    uint64_t cpu_ns, memory_kib = domain_current_memory_kib(doc->root);
    uint64_t defined = memory_kib;
    if (!domain_active(domain) || !domain->hypervisor->info ||
        !domain->hypervisor->info(domain, &memory_kib, &cpu_ns) || memory_kib == defined)
        return;
    struct xml_node *current = xml_child(doc->root, "currentMemory");
    if (current)
        xml_set_textf(doc, current, "%llu", (unsigned long long)memory_kib);
}

static enum co_status get_xml_desc(struct call *call)
{
    const struct remote_domain_get_xml_desc_args *args =
        CALL_ARGS(call, struct remote_domain_get_xml_desc_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor || !call_driver_flags(call, hypervisor, args->flags,
                                          hypervisor->allowed.xml_desc, "DomainGetXMLDesc"))
        return CO_DONE;
    const struct domain *domain = call_find_domain(call, &args->dom);
    if (!domain)
        return CO_DONE;
    // A transient domain has no other definition than its live one.
    bool inactive = (args->flags & VIR_DOMAIN_XML_INACTIVE) && domain->persistent;
    struct xml_node *tree = inactive ? definition_tree(domain, DEFINITION_PERSISTENT, &call->error)
                                     : definition_current(domain, &call->error);
    if (!tree)
        return CO_DONE;
    struct xml_doc *doc = definition_doc();
    if (!inactive)
        show_balloon(doc, domain);
    domain_xml_show(doc, args->flags);
    if (!xml_ok(doc, &call->error))
        return CO_DONE;
    struct xdr_writer *w = call_reply(call);
    struct buffer text = xdr_string_begin(w);
    xml_write(&text, doc->root, 0);
    xdr_string_end(w, &text);
    return CO_DONE;
}

const struct call_entry domain_xml_desc_handlers[] = {
    {REMOTE_PROC_DOMAIN_GET_XML_DESC, get_xml_desc},
    {0, NULL},
};
