// Handlers: keys, the interrupt button, and a picture of the screen.
#include "virt/domain/domain_call.h"
#include "virt/domain/file_stream.h"
#include "virt/handlers.h"

#include <stddef.h>

// ---- virDomainSendKey

#define SEND_KEY_MAX_KEYS 16 // VIR_DOMAIN_SEND_KEY_MAX_KEYS

static bool send_key_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct remote_domain_send_key_args *args =
        CALL_ARGS(call, struct remote_domain_send_key_args);
    struct xdr_list codes = args->keycodes;
    uint32_t code;
    op->flags = args->flags;
    op->send_key.codeset = args->codeset;
    op->send_key.holdtime = args->holdtime;
    if (codes.count == 0)
        return call_invalid_argument(call, "nkeycodes", "must be greater than zero");
    if (args->codeset > VIR_KEYCODE_SET_QNUM)
        return error_set(&call->error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                         "Unsupported codeset '%d'", (int)args->codeset);
    if (codes.count > SEND_KEY_MAX_KEYS)
        return error_set(&call->error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                         "nkeycodes must be <= %d", SEND_KEY_MAX_KEYS);
    while (xdr_next(&codes, &code))
        op->send_key.codes[op->send_key.code_count++] = code;
    return true;
}

static enum co_status send_key(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainSendKey",
        .job = DOMAIN_JOB_MODIFY,
        .op = offsetof(struct hypervisor, send_key),
        .prepare = send_key_prepare,
    };
    return domain_call_action(call, &action);
}

// ---- virDomainInjectNMI

static bool inject_nmi_prepare(struct call *call, struct hypervisor_op *op)
{
    op->flags = CALL_ARGS(call, struct remote_domain_inject_nmi_args)->flags;
    return true;
}

static enum co_status inject_nmi(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainInjectNMI",
        .job = DOMAIN_JOB_MODIFY,
        .op = offsetof(struct hypervisor, inject_nmi),
        .prepare = inject_nmi_prepare,
    };
    return domain_call_action(call, &action);
}

// ---- virDomainScreenshot: the picture is a stream

static bool screenshot_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct remote_domain_screenshot_args *args =
        CALL_ARGS(call, struct remote_domain_screenshot_args);
    op->flags = args->flags;
    op->screenshot.screen = args->screen;
    op->screenshot.fd = -1;
    return true;
}

static void screenshot_reply(struct call *call, const struct hypervisor_op *op)
{
    if (!file_stream_open(call, op->screenshot.fd))
        return;
    xdr_put_optional_string(call_reply(call), slice_of(op->screenshot.mime));
}

static enum co_status screenshot(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainScreenshot",
        .job = DOMAIN_JOB_QUERY,
        .op = offsetof(struct hypervisor, screenshot),
        .prepare = screenshot_prepare,
        .reply = screenshot_reply,
    };
    return domain_call_action(call, &action);
}

const struct call_entry domain_input_handlers[] = {
    {REMOTE_PROC_DOMAIN_SEND_KEY, send_key},
    {REMOTE_PROC_DOMAIN_INJECT_NMI, inject_nmi},
    {REMOTE_PROC_DOMAIN_SCREENSHOT, screenshot},
    {0, NULL},
};
