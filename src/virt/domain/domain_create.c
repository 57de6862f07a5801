// Handlers: starting domains, defined ones and those that a client describes (virDomainCreateXML).
#include "virt/domain/domain_background.h"
#include "virt/domain/domain_call.h"
#include "virt/domain/domain_claim.h"
#include "virt/handlers.h"

#include <stddef.h>

// ---- virDomainCreateXML

struct create_xml_state {
    struct domain_call base;
    struct hypervisor_op op;
    bool added;  // the row is ours
    bool waited; // for the job: the document has to be parsed again
};

// The two procedures' arguments are the same.
static const struct remote_domain_create_xml_args *create_xml_args(const struct call *call)
{
    return CALL_ARGS(call, struct remote_domain_create_xml_args);
}

static bool parse_document(struct call *call, const struct hypervisor *hypervisor)
{
    const struct remote_domain_create_xml_args *args = create_xml_args(call);
    uint32_t flags = args->flags & VIR_DOMAIN_START_VALIDATE ? VIR_DOMAIN_DEFINE_VALIDATE : 0;
    return hypervisor->parse(definition_scratch(), args->xml_desc, flags, &call->error);
}

// A domain that is to be created may exist, if it is defined and does not run.
static bool check_creatable(const struct create_xml_state *s, struct error *err)
{
    const struct domain *domain = s->base.domain;
    if (domain_active(domain))
        return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID,
                         "domain '%s' is already active", domain->name);
    if (!s->added && !domain->persistent)
        return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID,
                         "domain '%s' is already being started", domain->name);
    return true;
}

static bool create_xml_open(struct call *call, struct create_xml_state *s)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    uint32_t flags = create_xml_args(call)->flags;
    if (!hypervisor || !call_driver_flags(call, hypervisor, flags, hypervisor->allowed.create_xml,
                                          "DomainCreateXML"))
        return false;
    if (!parse_document(call, hypervisor))
        return false;
    s->base.domain = domain_claim(call, hypervisor, definition_scratch()->root, &s->added);
    if (!s->base.domain)
        return false;
    if (!check_creatable(s, &call->error)) {
        domain_call_close(call, &s->base);
        return false;
    }
    s->op = (struct hypervisor_op){.task = &call->task,
                                   .err = &call->error,
                                   .flags = flags,
                                   .domain = s->base.domain,
                                   .document = true};
    return true;
}

static enum co_status create_xml_job(struct call *call, struct create_xml_state *s)
{
    enum co_status status =
        domain_call_job(call, &s->base, "remoteDispatchDomainCreateXML", DOMAIN_JOB_MODIFY);
    s->waited = s->waited || status == CO_WAITING;
    return status;
}

static bool create_xml_still_possible(struct call *call, struct create_xml_state *s)
{
    if (error_is_set(&call->error))
        return false;
    if (!s->waited)
        return true;
    return check_creatable(s, &call->error) && parse_document(call, s->base.domain->hypervisor);
}

static void create_xml_finish(struct call *call, struct create_xml_state *s)
{
    struct domain *domain = s->base.domain;
    if (!error_is_set(&call->error)) {
        if (s->added && !domain->removed)
            domain_show(domain);
        domain_autodestroy_set(domain, call->client, s->op.flags);
        call_reply_domain(call, domain);
    } else if (s->added) {
        domain_remove(domain);
    }
    domain_call_close(call, &s->base);
}

static enum co_status create_xml(struct call *call)
{
    struct create_xml_state *s = CALL_STATE(call, struct create_xml_state);

    CO_BEGIN(&call->co);
    if (!create_xml_open(call, s))
        CO_RETURN(&call->co);
    CO_CALL(&call->co, create_xml_job(call, s));
    if (create_xml_still_possible(call, s))
        CO_CALL(&call->co, s->base.domain->hypervisor->start(&s->op));
    create_xml_finish(call, s);
    CO_END(&call->co);
}

// Passing descriptors to a guest's init is for containers; libvirt's test driver ignores them.
static enum co_status create_xml_with_files(struct call *call)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (call->co.line == 0 && hypervisor && !hypervisor->takes_files)
        return call_unsupported(call);
    return create_xml(call);
}

// ---- virDomainCreate

static uint32_t create_flags(const struct call *call)
{
    switch (call->header.proc) {
    case REMOTE_PROC_DOMAIN_CREATE_WITH_FLAGS:
        return CALL_ARGS(call, struct remote_domain_create_with_flags_args)->flags;
    case REMOTE_PROC_DOMAIN_CREATE_WITH_FILES:
        return CALL_ARGS(call, struct remote_domain_create_with_files_args)->flags;
    default:
        return 0;
    }
}

static bool start_prepare(struct call *call, struct hypervisor_op *op)
{
    op->flags = create_flags(call);
    return true;
}

static uint32_t start_flags(const struct hypervisor *hypervisor)
{
    return hypervisor->allowed.create;
}

static bool start_check(const struct domain *domain, bool *nothing_to_do, struct error *err)
{
    (void)nothing_to_do;
    if (domain->hypervisor->may_start)
        return domain->hypervisor->may_start(domain, err);
    if (domain_active(domain))
        return error_set(err, domain->hypervisor->error_domain, VIR_ERR_OPERATION_INVALID,
                         "domain is already running");
    return true;
}

static void start_reply(struct call *call, const struct hypervisor_op *op)
{
    domain_autodestroy_set(op->domain, call->client, op->flags);
    if (call->header.proc != REMOTE_PROC_DOMAIN_CREATE)
        call_reply_domain(call, op->domain);
}

static enum co_status create(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainCreateWithFlags",
        .job = DOMAIN_JOB_MODIFY,
        .op = offsetof(struct hypervisor, start),
        .allowed = start_flags,
        .prepare = start_prepare,
        .check = start_check,
        .reply = start_reply,
    };
    return domain_call_action(call, &action);
}

static enum co_status create_with_files(struct call *call)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (call->co.line == 0 && hypervisor && !hypervisor->takes_files)
        return call_unsupported(call);
    return create(call);
}

const struct call_entry domain_create_handlers[] = {
    {REMOTE_PROC_DOMAIN_CREATE_XML, create_xml},
    {REMOTE_PROC_DOMAIN_CREATE_XML_WITH_FILES, create_xml_with_files},
    {REMOTE_PROC_DOMAIN_CREATE, create},
    {REMOTE_PROC_DOMAIN_CREATE_WITH_FLAGS, create},
    {REMOTE_PROC_DOMAIN_CREATE_WITH_FILES, create_with_files},
    {0, NULL},
};
