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

// Flags as libvirt's driver takes them: a definition for another host has its secrets, and the
// processor of a running guest is settled already.
static uint32_t effective_flags(const struct domain *domain, uint32_t flags)
{
    if (domain->hypervisor->copy && flags & VIR_DOMAIN_XML_MIGRATABLE)
        flags |= VIR_DOMAIN_XML_SECURE;
    if (domain_active(domain) && !(flags & VIR_DOMAIN_XML_INACTIVE))
        flags &= ~(uint32_t)VIR_DOMAIN_XML_UPDATE_CPU;
    return flags;
}

// The next definition of a running guest is a copy, too.
static bool needs_copy(const struct domain *domain, uint32_t flags, bool inactive)
{
    return domain->hypervisor->copy &&
           (flags & (VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_UPDATE_CPU) ||
            (inactive && domain_active(domain)));
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
    uint32_t flags = effective_flags(domain, args->flags);
    if (needs_copy(domain, flags, inactive)) {
        if (!hypervisor->copy(domain, flags, &call->error))
            return CO_DONE;
        doc = definition_scratch();
    }
    domain_xml_show(doc, flags);
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
