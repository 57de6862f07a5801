// Handlers: giving a domain another name.
#include "text/utf8.h"
#include "virt/access.h"
#include "virt/domain/domain_call.h"
#include "virt/domain/domain_event.h"
#include "virt/handlers.h"

struct rename_state {
    struct domain_call base;
    struct definition_change change;
    struct domain *reserved; // a hidden row that keeps others from taking the new name meanwhile
};

static struct slice new_name_of(const struct call *call)
{
    return CALL_ARGS(call, struct remote_domain_rename_args)->new_name;
}

static bool rename_open(struct call *call, struct rename_state *s)
{
    const struct remote_domain_rename_args *args =
        CALL_ARGS(call, struct remote_domain_rename_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return false;
    if (new_name_of(call).len == 0) {
        call_fail(call, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                  "string new_name in virDomainRename must not be empty");
        return false;
    }
    // Names are what access rules go by: whoever gives a domain a name needs the permission there,
    // too. libvirt looks at the old name only.
    const struct access_object renamed = {
        .kind = ACCESS_DOMAIN, .name = args->new_name, .uuid = args->dom.uuid};
    return call_driver_flags(call, hypervisor, args->flags, 0, "DomainRename") &&
           call_find_domain(call, &args->dom) && access_check_object(call, &renamed) &&
           domain_call_open(call, &s->base, &args->dom);
}

static bool refuse(const struct domain *domain, struct error *err, const char *why)
{
    return error_set(err, domain->hypervisor->error_domain, VIR_ERR_OPERATION_INVALID, "%s", why);
}

// Whether the definition gives the name back as it is when the file is read again.
static bool is_kept_by_xml(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.at[i] < ' ')
            return false;
    return slice_trim(name).len == name.len && utf8_valid(name);
}

static bool check_name(const struct domain *domain, struct slice name, struct error *err)
{
    if (!is_kept_by_xml(name))
        return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                         "name of domain has blanks at an end or what XML can not hold");
    if (slice_is(name, domain->name))
        return refuse(domain, err, "Can't rename domain to itself");
    if (domain_taken_name(domain->hypervisor, name))
        return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID,
                         "domain with name '%.*s' already exists", SLICE_ARG(name));
    if (slice_find(name, '/') >= 0)
        return error_set(err, domain->hypervisor->error_domain, VIR_ERR_XML_ERROR,
                         "name %.*s cannot contain '/'", SLICE_ARG(name));
    if (name.len >= DOMAIN_NAME_SIZE)
        return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                         "name of domain is longer than %d bytes", DOMAIN_NAME_SIZE - 1);
    return true;
}

static bool reserve_name(struct call *call, struct rename_state *s)
{
    uint8_t uuid[16];
    port_random(uuid, sizeof(uuid));
    s->reserved = domain_add(s->base.domain->hypervisor, uuid, new_name_of(call), &call->error);
    return s->reserved != NULL;
}

static bool rename_check(struct call *call, const struct domain *domain)
{
    struct error *err = &call->error;
    if (error_is_set(err))
        return false;
    if (domain_active(domain))
        return refuse(domain, err, "cannot rename active domain");
    if (!domain->persistent)
        return refuse(domain, err, "cannot rename a transient domain");
    if (domain->state != VIR_DOMAIN_SHUTOFF)
        return refuse(domain, err, "domain has to be shutoff before renaming");
    return check_name(domain, new_name_of(call), err);
}

// The definition with the new name in it; NULL with the error set.
static struct xml_node *renamed_tree(struct call *call, const struct domain *domain)
{
    struct xml_node *tree = definition_tree(domain, DEFINITION_PERSISTENT, &call->error);
    if (!tree)
        return NULL;
    struct xml_doc *doc = definition_doc();
    xml_set_text(doc, xml_need(doc, tree, "name"), new_name_of(call));
    return xml_ok(doc, &call->error) ? tree : NULL;
}

// Looked at in the first call only.
static enum co_status rename_files(struct call *call, struct rename_state *s)
{
    struct xml_node *tree = NULL;
    if (s->change.co.line == 0 && !(tree = renamed_tree(call, s->base.domain)))
        return CO_DONE;
    return definition_rename(&s->change, s->base.domain, new_name_of(call), tree, &call->task,
                             &call->error);
}

// A change that fails half-way can have given the files the new name all the same.
static bool is_renamed(const struct domain *domain, struct slice new_name, struct error *err)
{
    char name[DOMAIN_NAME_SIZE];
    if (!error_is_set(err))
        return domain_check_present(domain, err);
    return !domain->removed && slice_copy(name, sizeof(name), new_name) &&
           !definition_there(domain->hypervisor, domain->name) &&
           definition_there(domain->hypervisor, name);
}

static void rename_finish(struct call *call, struct rename_state *s)
{
    struct domain *domain = s->base.domain;
    domain_remove(s->reserved);
    domain_unref(s->reserved);
    if (!is_renamed(domain, new_name_of(call), &call->error))
        return;
    domain_event_lifecycle(domain, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_RENAMED);
    domain_set_name(domain, new_name_of(call));
    domain_event_lifecycle(domain, VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_RENAMED);
    domain->autostart = definition_autostarts(domain);
    if (!error_is_set(&call->error))
        xdr_put_i32(call_reply(call), 0);
}

static enum co_status rename(struct call *call)
{
    struct rename_state *s = CALL_STATE(call, struct rename_state);

    CO_BEGIN(&call->co);
    if (!rename_open(call, s))
        CO_RETURN(&call->co);
    CO_CALL(&call->co,
            domain_call_job(call, &s->base, "remoteDispatchDomainRename", DOMAIN_JOB_MODIFY));
    if (rename_check(call, s->base.domain) && reserve_name(call, s)) {
        CO_CALL(&call->co, rename_files(call, s));
        rename_finish(call, s);
    }
    domain_call_close(call, &s->base);
    CO_END(&call->co);
}

const struct call_entry domain_rename_handlers[] = {
    {REMOTE_PROC_DOMAIN_RENAME, rename},
    {0, NULL},
};
