// Handlers: the memory of a running guest written to a file (virDomainCoreDump,
// virDomainCoreDumpWithFormat).
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"

#include <stddef.h>

static bool check_exclusive(struct call *call, uint32_t flags)
{
    return call_exclusive_flags(call, flags, VIR_DUMP_CRASH, "VIR_DUMP_CRASH", VIR_DUMP_LIVE,
                                "VIR_DUMP_LIVE") &&
           call_exclusive_flags(call, flags, VIR_DUMP_CRASH, "VIR_DUMP_CRASH", VIR_DUMP_RESET,
                                "VIR_DUMP_RESET") &&
           call_exclusive_flags(call, flags, VIR_DUMP_LIVE, "VIR_DUMP_LIVE", VIR_DUMP_RESET,
                                "VIR_DUMP_RESET");
}

static bool prepare(struct call *call, struct hypervisor_op *op)
{
    if (call->header.proc == REMOTE_PROC_DOMAIN_CORE_DUMP) {
        const struct remote_domain_core_dump_args *args =
            CALL_ARGS(call, struct remote_domain_core_dump_args);
        op->flags = args->flags;
        op->dump.path = args->to;
    } else {
        const struct remote_domain_core_dump_with_format_args *args =
            CALL_ARGS(call, struct remote_domain_core_dump_with_format_args);
        op->flags = args->flags;
        op->dump.path = args->to;
        op->dump.format = args->dumpformat;
    }
    if (op->dump.format >= VIR_DOMAIN_CORE_DUMP_FORMAT_LAST)
        return error_set_plain(&call->error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                               "dumpformat '%d' is not supported", (int)op->dump.format);
    return check_exclusive(call, op->flags);
}

static uint32_t dump_flags(const struct hypervisor *hypervisor)
{
    (void)hypervisor;
    return VIR_DUMP_LIVE | VIR_DUMP_CRASH | VIR_DUMP_BYPASS_CACHE | VIR_DUMP_RESET |
           VIR_DUMP_MEMORY_ONLY;
}

static enum co_status core_dump(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainCoreDumpWithFormat",
        .job = DOMAIN_JOB_MODIFY,
        .op = offsetof(struct hypervisor, core_dump),
        .allowed = dump_flags,
        .prepare = prepare,
    };
    return domain_call_action(call, &action);
}

const struct call_entry domain_dump_handlers[] = {
    {REMOTE_PROC_DOMAIN_CORE_DUMP, core_dump},
    {REMOTE_PROC_DOMAIN_CORE_DUMP_WITH_FORMAT, core_dump},
    {0, NULL},
};
