// Handlers: the QEMU program's commands, which go to a guest's monitor or agent as they are:
// virDomainQemuMonitorCommand, virDomainQemuAgentCommand.
#include "proto/qemu.h"
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"

#include <stddef.h>

#define MONITOR_COMMAND_HMP 1u // virDomainQemuMonitorCommandFlags

static bool monitor_command_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct qemu_domain_monitor_command_args *args =
        CALL_ARGS(call, struct qemu_domain_monitor_command_args);
    op->flags = args->flags;
    op->command.command = args->cmd;
    return true;
}

static uint32_t monitor_command_flags(const struct hypervisor *hypervisor)
{
    (void)hypervisor;
    return MONITOR_COMMAND_HMP;
}

static void monitor_command_reply(struct call *call, const struct hypervisor_op *op)
{
    xdr_put_string(call_reply(call), op->command.result);
}

static enum co_status monitor_command(struct call *call)
{
    static const struct domain_action action = {
        .holder = "qemuDispatchDomainQemuMonitorCommand",
        .job = DOMAIN_JOB_MODIFY,
        .op = offsetof(struct hypervisor, monitor_command),
        .allowed = monitor_command_flags,
        .prepare = monitor_command_prepare,
        .reply = monitor_command_reply,
    };
    return domain_call_action(call, &action);
}

static bool agent_command_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct qemu_domain_agent_command_args *args =
        CALL_ARGS(call, struct qemu_domain_agent_command_args);
    op->flags = args->flags;
    op->command.command = args->cmd;
    op->command.timeout = args->timeout;
    return true;
}

static void agent_command_reply(struct call *call, const struct hypervisor_op *op)
{
    xdr_put_optional_string(call_reply(call), op->command.result);
}

static enum co_status agent_command(struct call *call)
{
    static const struct domain_action action = {
        .holder = "qemuDispatchDomainQemuAgentCommand",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, agent_command),
        .prepare = agent_command_prepare,
        .reply = agent_command_reply,
    };
    return domain_call_action(call, &action);
}

const struct call_entry qemu_command_handlers[] = {
    {QEMU_PROC_DOMAIN_MONITOR_COMMAND, monitor_command},
    {QEMU_PROC_DOMAIN_AGENT_COMMAND, agent_command},
    {0, NULL},
};
