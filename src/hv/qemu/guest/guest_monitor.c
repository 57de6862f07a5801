// Operation: users' own monitor commands (virDomainQemuMonitorCommand).
#include "hv/qemu/guest/guest_ops.h"

struct pass {
    struct guest *guest;
    struct monitor_call call;
};

static char text[SLOT_LARGE_SIZE];

// The human monitor's command line as a JSON argument.
static struct slice human_arguments(struct slice command)
{
    static char arguments[2 * CONFIG_REMOTE_STRING_MAX + 64];
    struct buffer out = buffer_over(arguments, sizeof(arguments));
    struct json_writer w = json_writer_to(&out);
    json_open_object(&w, NULL);
    json_put_string(&w, "command-line", command);
    json_close_object(&w);
    return buffer_slice(&out);
}

static enum co_status human_command(struct hypervisor_op *op, struct pass *s)
{
    if (monitor_command(&s->call, &s->guest->monitor, op->task, "human-monitor-command",
                        human_arguments(op->command.command), op->err) != CO_DONE)
        return CO_WAITING;
    if (error_is_set(op->err))
        return CO_DONE;
    op->command.result = json_string(s->call.result);
    if (!slice_present(op->command.result))
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "unexpected type returned by QEMU command 'human-monitor-command'");
    return CO_DONE;
}

static enum co_status qmp_command(struct hypervisor_op *op, struct pass *s)
{
    s->call.unlimited = true; // what it takes is for the user to know
    if (monitor_pass(&s->call, &s->guest->monitor, op->task, op->command.command, op->err) !=
        CO_DONE)
        return CO_WAITING;
    if (error_is_set(op->err))
        return CO_DONE;
    struct buffer out = buffer_over(text, sizeof(text));
    struct json_writer w = json_writer_to(&out);
    json_put_value(&w, NULL, s->call.message);
    op->command.result = buffer_slice(&out);
    return CO_DONE;
}

enum co_status guest_monitor_command(struct hypervisor_op *op)
{
    struct pass *s = HYPERVISOR_STATE(op, struct pass);
    if (!s->guest) {
        s->guest = guest_need(op->domain, op->err);
        s->call.unlimited = true;
        if (!s->guest)
            return CO_DONE;
        guest_taint(s->guest, DOMAIN_TAINT_CUSTOM_MONITOR);
    }
    if (op->flags & VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP)
        return human_command(op, s);
    return qmp_command(op, s);
}
