// Handler: what a domain does when its guest ends (virDomainSetLifecycleAction).
#include "virt/domain/domain_edit.h"
#include "virt/handlers.h"
#include "virt/xml/domain_xml.h"

#include <stddef.h>

// In the order of virDomainLifecycle.
static const struct {
    const char *name, *element;
} ends[] = {{"poweroff", "on_poweroff"}, {"reboot", "on_reboot"}, {"crash", "on_crash"}};

// In the order of virDomainLifecycleAction.
static const char *const actions[] = {
    "destroy", "restart", "rename-restart", "preserve", "coredump-destroy", "coredump-restart",
};

static const struct remote_domain_set_lifecycle_action_args *arguments(const struct call *call)
{
    return CALL_ARGS(call, struct remote_domain_set_lifecycle_action_args);
}

// Only a crash leaves something to dump.
static bool is_allowed(struct call *call)
{
    if (arguments(call)->type == VIR_DOMAIN_LIFECYCLE_CRASH ||
        arguments(call)->action < VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_DESTROY)
        return true;
    return error_set(&call->error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                     "Lifecycle event '%s' doesn't support '%s' action",
                     ends[arguments(call)->type].name, actions[arguments(call)->action]);
}

static bool prepare(struct call *call, struct domain_edit *edit)
{
    edit->flags = arguments(call)->flags;
    if (arguments(call)->type >= VIR_DOMAIN_LIFECYCLE_LAST)
        return error_set(&call->error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                         "invalid lifecycle type '%u'", arguments(call)->type);
    if (arguments(call)->action >= VIR_DOMAIN_LIFECYCLE_ACTION_LAST)
        return error_set(&call->error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                         "invalid lifecycle action '%u'", arguments(call)->action);
    const uint32_t known = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;
    return (edit->flags & ~known) || is_allowed(call); // unknown flags are refused first
}

static bool set_action(struct call *call, struct xml_doc *doc, struct xml_node *tree)
{
    xml_set_text(doc, xml_need(doc, tree, ends[arguments(call)->type].element),
                 slice_of(actions[arguments(call)->action]));
    domain_xml_order(doc);
    return true;
}

// Tries the change on one of the definitions that it is for.
static bool may_set(struct call *call, const struct domain_edit *edit, uint32_t impact)
{
    const struct hypervisor *hypervisor = edit->base.domain->hypervisor;
    if (!(edit->flags & impact) || !hypervisor->may_end_so)
        return true;
    struct xml_node *tree = domain_definition_for(edit->base.domain, impact, &call->error);
    return tree && set_action(call, definition_doc(), tree) &&
           xml_ok(definition_doc(), &call->error) && hypervisor->may_end_so(tree, &call->error);
}

static bool check(struct call *call, struct domain_edit *edit)
{
    edit->op.lifecycle.event = arguments(call)->type;
    edit->op.lifecycle.action = arguments(call)->action;
    return may_set(call, edit, VIR_DOMAIN_AFFECT_LIVE) &&
           may_set(call, edit, VIR_DOMAIN_AFFECT_CONFIG);
}

static enum co_status set_lifecycle_action(struct call *call)
{
    static const struct domain_edit_kind kind = {
        .holder = "remoteDispatchDomainSetLifecycleAction",
        .allowed = domain_edit_impact_flags,
        .prepare = prepare,
        .check = check,
        .live_op = offsetof(struct hypervisor, set_lifecycle),
        .edit_live = set_action,
        .edit_config = set_action,
    };
    return domain_edit_run(call, &kind);
}

const struct call_entry domain_lifecycle_handlers[] = {
    {REMOTE_PROC_DOMAIN_SET_LIFECYCLE_ACTION, set_lifecycle_action},
    {0, NULL},
};
