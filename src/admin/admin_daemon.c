// virt-admin about the daemon: its log, its time-out, its end.
#include "admin/admin.h"

#include "core/log.h"
#include "daemon/idle.h"

#define LOG_TEXT_MAX 8192

// What core/log.c shows; false with the error set when it is too long.
static bool take_text(struct call *call, struct buffer *text, uint32_t *count,
                      uint32_t (*put)(struct buffer *))
{
    static char memory[LOG_TEXT_MAX];
    *text = buffer_over(memory, sizeof(memory));
    *count = put(text);
    if (buffer_ok(text))
        return true;
    return error_set(&call->error, VIR_FROM_ADMIN, VIR_ERR_INTERNAL_ERROR,
                     "the logging settings are longer than %d bytes", LOG_TEXT_MAX);
}

enum co_status admin_get_log_outputs(struct call *call)
{
    struct buffer text;
    uint32_t count;
    if (!admin_no_flags(call, CALL_ARGS(call, struct admin_connect_get_logging_outputs_args)->flags,
                        "adminConnectGetLoggingOutputs") ||
        !take_text(call, &text, &count, log_put_outputs))
        return CO_DONE;
    struct xdr_writer *reply = call_reply(call);
    xdr_put_string(reply, buffer_slice(&text));
    xdr_put_u32(reply, count);
    return CO_DONE;
}

enum co_status admin_get_log_filters(struct call *call)
{
    struct buffer text;
    uint32_t count;
    if (!admin_no_flags(call, CALL_ARGS(call, struct admin_connect_get_logging_filters_args)->flags,
                        "adminConnectGetLoggingFilters") ||
        !take_text(call, &text, &count, log_put_filters))
        return CO_DONE;
    struct xdr_writer *reply = call_reply(call);
    xdr_put_optional_string(reply, count ? buffer_slice(&text) : SLICE_NONE);
    xdr_put_u32(reply, count);
    return CO_DONE;
}

enum co_status admin_set_log_outputs(struct call *call)
{
    const struct admin_connect_set_logging_outputs_args *args =
        CALL_ARGS(call, struct admin_connect_set_logging_outputs_args);
    if (admin_no_flags(call, args->flags, "adminConnectSetLoggingOutputs"))
        log_set_outputs(args->outputs, &call->error);
    return CO_DONE;
}

enum co_status admin_set_log_filters(struct call *call)
{
    const struct admin_connect_set_logging_filters_args *args =
        CALL_ARGS(call, struct admin_connect_set_logging_filters_args);
    if (admin_no_flags(call, args->flags, "adminConnectSetLoggingFilters"))
        log_set_filters(args->filters, &call->error);
    return CO_DONE;
}

enum co_status admin_set_timeout(struct call *call)
{
    const struct admin_connect_set_daemon_timeout_args *args =
        CALL_ARGS(call, struct admin_connect_set_daemon_timeout_args);
    if (admin_no_flags(call, args->flags, "adminConnectSetDaemonTimeout"))
        idle_set_timeout(args->timeout);
    return CO_DONE;
}

// As a SIGTERM does it. There is nothing to preserve: guests outlive the daemon.
enum co_status admin_shutdown(struct call *call)
{
    if (admin_no_flags(call, CALL_ARGS(call, struct admin_connect_daemon_shutdown_args)->flags,
                       "adminConnectDaemonShutdown"))
        loop_stop(0);
    return CO_DONE;
}
