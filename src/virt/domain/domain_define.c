// Handlers: defining and undefining domains.
#include "virt/domain/domain_call.h"
#include "virt/domain/domain_claim.h"
#include "virt/domain/domain_event.h"
#include "virt/xml/domain_xml.h"
#include "virt/handlers.h"

#include <errno.h>
#include <string.h>

// ---- define

struct define_state {
    struct domain_call base;
    struct definition_change change;
    bool added;           // the row is ours
    bool waited;          // for the job: the document has to be parsed again
    bool made_persistent; // by us: a guest that ends meanwhile leaves its row behind
};

static struct slice define_xml(const struct call *call)
{
    // The old call's arguments are the new one's, without flags.
    return CALL_ARGS(call, struct remote_domain_define_xml_flags_args)->xml;
}

static uint32_t define_flags(const struct call *call)
{
    if (call->header.proc == REMOTE_PROC_DOMAIN_DEFINE_XML_FLAGS)
        return CALL_ARGS(call, struct remote_domain_define_xml_flags_args)->flags;
    return 0;
}

static bool define_parse(struct call *call, const struct hypervisor *hypervisor)
{
    struct xml_doc *doc = definition_scratch();
    if (!hypervisor->parse(doc, define_xml(call), define_flags(call), &call->error))
        return false;
    if (slice_find(xml_text_at(doc->root, "name"), '\n') >= 0)
        return error_set(&call->error, VIR_FROM_XML, VIR_ERR_XML_DETAIL,
                         "invalid char in name: \n");
    domain_xml_show(doc, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE);
    return xml_ok(doc, &call->error);
}

static bool define_open(struct call *call, struct define_state *s)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor || !call_driver_flags(call, hypervisor, define_flags(call),
                                          hypervisor->allowed.define, "DomainDefineXMLFlags"))
        return false;
    if (!define_parse(call, hypervisor))
        return false;
    s->base.domain = domain_claim(call, hypervisor, definition_scratch()->root, &s->added);
    return s->base.domain != NULL;
}

static enum co_status define_job(struct call *call, struct define_state *s)
{
    enum co_status status =
        domain_call_job(call, &s->base, "remoteDispatchDomainDefineXMLFlags", DOMAIN_JOB_MODIFY);
    s->waited = s->waited || status == CO_WAITING;
    return status;
}

static bool define_still_possible(struct call *call, struct define_state *s)
{
    if (error_is_set(&call->error))
        return false;
    if (s->waited && !define_parse(call, s->base.domain->hypervisor))
        return false;
    s->made_persistent = !s->base.domain->persistent;
    s->base.domain->persistent = true;
    return true;
}

static void define_undo(const struct define_state *s, struct domain *domain)
{
    if (s->made_persistent)
        domain->persistent = false;
    if (s->added || (s->made_persistent && !domain_active(domain)))
        domain_remove(domain);
}

// A change that fails half-way can have made the file all the same.
static bool is_defined(const struct define_state *s, struct domain *domain, struct error *err)
{
    if (error_is_set(err))
        return s->made_persistent && !domain->removed &&
               definition_there(domain->hypervisor, domain->name);
    return domain_check_present(domain, err);
}

static void define_finish(struct call *call, struct define_state *s)
{
    struct domain *domain = s->base.domain;
    if (is_defined(s, domain, &call->error)) {
        int detail =
            s->made_persistent ? VIR_DOMAIN_EVENT_DEFINED_ADDED : VIR_DOMAIN_EVENT_DEFINED_UPDATED;
        domain_show(domain);
        domain_event_lifecycle(domain, VIR_DOMAIN_EVENT_DEFINED, detail);
        if (!error_is_set(&call->error))
            call_reply_domain(call, domain);
    } else {
        define_undo(s, domain);
    }
    domain_call_close(call, &s->base);
}

static enum co_status define(struct call *call)
{
    struct define_state *s = CALL_STATE(call, struct define_state);

    CO_BEGIN(&call->co);
    if (!define_open(call, s))
        CO_RETURN(&call->co);
    CO_CALL(&call->co, define_job(call, s));
    if (define_still_possible(call, s))
        CO_CALL(&call->co, definition_save(&s->change, s->base.domain, definition_scratch()->root,
                                           &call->task, &call->error));
    define_finish(call, s);
    CO_END(&call->co);
}

// ---- undefine

struct undefine_state {
    struct domain_call base;
    struct definition_change change;
};

static uint32_t undefine_flags(const struct call *call)
{
    if (call->header.proc == REMOTE_PROC_DOMAIN_UNDEFINE_FLAGS)
        return CALL_ARGS(call, struct remote_domain_undefine_flags_args)->flags;
    return 0;
}

static bool refuse(struct call *call, const struct hypervisor *hypervisor, const char *why)
{
    call_fail(call, hypervisor->error_domain, VIR_ERR_OPERATION_INVALID, "%s", why);
    return false;
}

static bool undefine_open(struct call *call, struct undefine_state *s)
{
    const uint32_t both_nvram = VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM;
    const uint32_t both_tpm = VIR_DOMAIN_UNDEFINE_TPM | VIR_DOMAIN_UNDEFINE_KEEP_TPM;
    const struct hypervisor *hypervisor = call_hypervisor(call);
    uint32_t flags = undefine_flags(call);
    if (!hypervisor || !call_driver_flags(call, hypervisor, flags, hypervisor->allowed.undefine,
                                          "DomainUndefineFlags"))
        return false;
    if ((flags & both_nvram) == both_nvram)
        return refuse(call, hypervisor, "cannot both keep and delete nvram");
    if ((flags & both_tpm) == both_tpm)
        return refuse(call, hypervisor, "cannot both keep and delete TPM");
    return domain_call_open(call, &s->base, CALL_ARGS(call, struct remote_nonnull_domain));
}

// A file with the firmware's variables is deleted, kept, or forbids to undefine, as the flags say.
static bool undefine_nvram(struct call *call, const struct domain *domain)
{
    char path[PORT_PATH_MAX];
    struct port_stat stat;
    uint32_t flags = undefine_flags(call);
    const struct xml_node *tree = definition_current(domain, &call->error);
    if (!tree)
        return false;
    struct slice nvram = xml_text_at(tree, "os/nvram");
    bool named = slice_present(nvram) && slice_copy(path, sizeof(path), nvram);
    if (!named && xml_attr_is(xml_child(tree, "os"), "firmware", "efi") &&
        domain->hypervisor->nvram_path)
        named = domain->hypervisor->nvram_path(domain, path, sizeof(path));
    if (!named || port_stat(path, &stat) < 0)
        return true;
    if (flags & VIR_DOMAIN_UNDEFINE_NVRAM) {
        int status = port_unlink(path);
        return status == 0 ||
               error_set(&call->error, domain->hypervisor->error_domain, VIR_ERR_SYSTEM_ERROR,
                         "failed to remove nvram: %s: %s", path, strerror(-status));
    }
    return (flags & VIR_DOMAIN_UNDEFINE_KEEP_NVRAM) ||
           refuse(call, domain->hypervisor, "cannot undefine domain with nvram");
}

static bool undefine_check(struct call *call, const struct domain *domain)
{
    if (error_is_set(&call->error))
        return false;
    if (domain->hypervisor->may_undefine)
        return domain->hypervisor->may_undefine(domain, &call->error);
    if (!domain->persistent)
        return refuse(call, domain->hypervisor, "cannot undefine transient domain");
    return undefine_nvram(call, domain);
}

// A change that fails half-way can have taken the file away all the same.
static bool is_undefined(const struct domain *domain, struct error *err)
{
    if (error_is_set(err))
        return !domain->removed && !definition_there(domain->hypervisor, domain->name);
    return domain_check_present(domain, err);
}

static void undefine_finish(struct call *call, struct domain *domain)
{
    if (!is_undefined(domain, &call->error))
        return;
    domain->persistent = false;
    domain->autostart = false;
    domain_event_lifecycle(domain, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_REMOVED);
    if (!domain_active(domain))
        domain_remove(domain);
}

static enum co_status undefine(struct call *call)
{
    struct undefine_state *s = CALL_STATE(call, struct undefine_state);

    CO_BEGIN(&call->co);
    if (!undefine_open(call, s))
        CO_RETURN(&call->co);
    CO_CALL(&call->co, domain_call_job(call, &s->base, "remoteDispatchDomainUndefineFlags",
                                       DOMAIN_JOB_MODIFY));
    if (undefine_check(call, s->base.domain)) {
        CO_CALL(&call->co,
                definition_delete(&s->change, s->base.domain, &call->task, &call->error));
        undefine_finish(call, s->base.domain);
    }
    domain_call_close(call, &s->base);
    CO_END(&call->co);
}

const struct call_entry domain_define_handlers[] = {
    {REMOTE_PROC_DOMAIN_DEFINE_XML, define},
    {REMOTE_PROC_DOMAIN_DEFINE_XML_FLAGS, define},
    {REMOTE_PROC_DOMAIN_UNDEFINE, undefine},
    {REMOTE_PROC_DOMAIN_UNDEFINE_FLAGS, undefine},
    {0, NULL},
};
