// Events of a QEMU monitor, as they are: registering for them, and telling of them.
#include "proto/qemu.h"
#include "rpc/client.h"
#include "virt/domain/domain_call.h"
#include "virt/domain/domain_event.h"
#include "virt/domain/domain_event_callbacks.h"
#include "virt/handlers.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool wants_name(const struct event_callback *callback, struct slice name)
{
    struct slice wanted = slice_of(callback->name);
    if (wanted.len == 0)
        return true;
    if (!callback->any_case || wanted.len != name.len)
        return slice_equal(wanted, name);
    for (size_t i = 0; i < name.len; i++)
        if (lower(wanted.at[i]) != lower(name.at[i]))
            return false;
    return true;
}

void domain_event_monitor(const struct domain *domain, struct slice event, int64_t seconds,
                          uint32_t microseconds, struct slice details)
{
    struct qemu_domain_monitor_event_msg body = {
        .event = event, .seconds = seconds, .micros = microseconds, .details = details};
    domain_to_wire(domain, &body.dom);
    struct event_callback *callback = NULL;
    while ((callback = event_callback_next(callback, domain, EVENT_ID_MONITOR))) {
        if (!wants_name(callback, event))
            continue;
        body.callbackID = callback->id;
        xdr_encode(
            client_event_begin(callback->client, &qemu_program, QEMU_PROC_DOMAIN_MONITOR_EVENT),
            XDR_TYPE(qemu_domain_monitor_event_msg), &body);
        client_event_send();
    }
}

enum { // virConnectDomainQemuMonitorEventRegisterFlags
    REGISTER_REGEX = 1 << 0,
    REGISTER_NOCASE = 1 << 1,
};

static enum co_status monitor_event_register(struct call *call)
{
    const struct qemu_connect_domain_monitor_event_register_args *args =
        CALL_ARGS(call, struct qemu_connect_domain_monitor_event_register_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    char name[EVENT_NAME_SIZE] = "";
    if (!hypervisor)
        return CO_DONE;
    if (!hypervisor->monitor_command)
        return call_unsupported(call);
    if (!call_flags(call, args->flags, REGISTER_REGEX | REGISTER_NOCASE, VIR_FROM_NONE,
                    "virDomainQemuMonitorEventStateRegisterID"))
        return CO_DONE;
    if (args->flags & REGISTER_REGEX)
        return call_fail(call, VIR_FROM_DOMAIN, VIR_ERR_ARGUMENT_UNSUPPORTED,
                         "regular expressions for monitor events are not built");
    if (slice_present(args->event) && !slice_copy(name, sizeof(name), args->event))
        return call_fail(call, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                         "name of a monitor event is longer than %d bytes", EVENT_NAME_SIZE - 1);
    struct event_callback *callback =
        event_callback_add(call->client, hypervisor, EVENT_ID_MONITOR, &call->error);
    if (!callback)
        return CO_DONE;
    callback->any_case = (args->flags & REGISTER_NOCASE) != 0;
    memcpy(callback->name, name, sizeof(name));
    callback->one = args->dom_present;
    if (args->dom_present)
        memcpy(callback->uuid, args->dom.uuid, sizeof(callback->uuid));
    xdr_put_i32(call_reply(call), callback->id);
    return CO_DONE;
}

static enum co_status monitor_event_deregister(struct call *call)
{
    int32_t id =
        CALL_ARGS(call, struct qemu_connect_domain_monitor_event_deregister_args)->callbackID;
    struct event_callback *callback = event_callback_of_id(call->client, id, true);
    if (callback)
        event_callback_remove(callback);
    else
        call_fail(call, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                  "qemu monitor event callback %d not registered", id);
    return CO_DONE;
}

const struct call_entry monitor_event_handlers[] = {
    {QEMU_PROC_CONNECT_DOMAIN_MONITOR_EVENT_REGISTER, monitor_event_register},
    {QEMU_PROC_CONNECT_DOMAIN_MONITOR_EVENT_DEREGISTER, monitor_event_deregister},
    {0, NULL},
};
