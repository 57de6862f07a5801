// Changes of a domain that can concern the running guest, its definition, or both.
#include "virt/domain/domain_edit.h"

#include <string.h>

uint32_t domain_edit_impact_flags(const struct hypervisor *hypervisor)
{
    (void)hypervisor;
    return VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;
}

// Some drivers change one of the definitions at a time.
static bool check_one(struct call *call, const struct domain_edit *edit,
                      const struct domain_edit_kind *kind)
{
    return !kind->one || !call_hypervisor(call)->edits_one ||
           call_exclusive_flags(call, edit->flags, VIR_DOMAIN_AFFECT_LIVE, "VIR_DOMAIN_AFFECT_LIVE",
                                VIR_DOMAIN_AFFECT_CONFIG, "VIR_DOMAIN_AFFECT_CONFIG");
}

static bool edit_open(struct call *call, struct domain_edit *edit,
                      const struct domain_edit_kind *kind)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    return hypervisor && kind->prepare(call, edit) &&
           call_driver_flags(call, hypervisor, edit->flags, kind->allowed(hypervisor),
                             kind->holder + strlen("remoteDispatch")) &&
           check_one(call, edit, kind) &&
           domain_call_open(call, &edit->base, CALL_ARGS(call, struct remote_nonnull_domain));
}

static bool edit_check(struct call *call, struct domain_edit *edit,
                       const struct domain_edit_kind *kind)
{
    edit->op.domain = edit->base.domain;
    edit->op.task = &call->task;
    edit->op.err = &call->error;
    edit->op.flags = edit->flags;
    return !error_is_set(&call->error) &&
           domain_check_impact(edit->base.domain, &edit->flags, &call->error) &&
           (!kind->check || kind->check(call, edit));
}

static enum co_status run_live_op(struct call *call, struct domain_edit *edit,
                                  const struct domain_edit_kind *kind)
{
    const struct hypervisor *hypervisor = edit->base.domain->hypervisor;
    hypervisor_fn *function;
    if (!kind->live_op || !(edit->flags & VIR_DOMAIN_AFFECT_LIVE))
        return CO_DONE;
    memcpy(&function, (const char *)hypervisor + kind->live_op, sizeof(function));
    return function ? function(&edit->op) : call_unsupported(call);
}

static void write_live(struct call *call, const struct domain_edit *edit,
                       const struct domain_edit_kind *kind)
{
    const struct domain *domain = edit->base.domain;
    if (error_is_set(&call->error) || !kind->edit_live || !(edit->flags & VIR_DOMAIN_AFFECT_LIVE) ||
        !domain_active(domain))
        return;
    struct xml_node *tree = definition_tree(domain, DEFINITION_LIVE, &call->error);
    if (tree && kind->edit_live(call, definition_doc(), tree) &&
        xml_ok(definition_doc(), &call->error))
        definition_write_live(domain, tree, &call->error);
}

// The tree is made in the first call only: it does not survive the wait.
static enum co_status save_config(struct call *call, struct domain_edit *edit,
                                  const struct domain_edit_kind *kind)
{
    struct xml_node *tree = NULL;
    if (error_is_set(&call->error) || !(edit->flags & VIR_DOMAIN_AFFECT_CONFIG))
        return CO_DONE;
    if (edit->change.co.line == 0) {
        tree = definition_tree(edit->base.domain, DEFINITION_PERSISTENT, &call->error);
        if (!tree || !kind->edit_config(call, definition_doc(), tree) ||
            !xml_ok(definition_doc(), &call->error))
            return CO_DONE;
    }
    return definition_save(&edit->change, edit->base.domain, tree, &call->task, &call->error);
}

enum co_status domain_edit_run(struct call *call, const struct domain_edit_kind *kind)
{
    struct domain_edit *edit = CALL_STATE(call, struct domain_edit);

    CO_BEGIN(&call->co);
    if (!edit_open(call, edit, kind))
        CO_RETURN(&call->co);
    CO_CALL(&call->co, domain_call_job(call, &edit->base, kind->holder, DOMAIN_JOB_MODIFY));
    if (edit_check(call, edit, kind)) {
        CO_CALL(&call->co, run_live_op(call, edit, kind));
        write_live(call, edit, kind);
        CO_CALL(&call->co, save_config(call, edit, kind));
        if (!error_is_set(&call->error) && kind->done)
            kind->done(call, edit);
    }
    domain_call_close(call, &edit->base);
    CO_END(&call->co);
}
