// Handlers: registering for domain events, by all three generations of calls.
#include "virt/domain/domain_call.h"
#include "virt/domain/domain_event_callbacks.h"
#include "virt/handlers.h"

#include <string.h>

// The old calls end here: later events are told by callback id only.
#define LAST_LEGACY_EVENT VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED
#define LAST_EVENT        VIR_DOMAIN_EVENT_ID_NIC_MAC_CHANGE

static bool check_event(struct call *call, int32_t event, int32_t last)
{
    if (event >= 0 && event <= last)
        return true;
    call_fail(call, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "unsupported event ID %d", event);
    return false;
}

static struct event_callback *add(struct call *call, int32_t event)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    return hypervisor ? event_callback_add(call->client, hypervisor, event, &call->error) : NULL;
}

static enum co_status register_legacy(struct call *call, int32_t event)
{
    struct event_callback *callback = add(call, event);
    if (callback)
        callback->legacy = true;
    return CO_DONE;
}

static enum co_status deregister_legacy(struct call *call, int32_t event)
{
    struct event_callback *callback =
        call_hypervisor(call) ? event_callback_of_event(call->client, event) : NULL;
    if (callback)
        event_callback_remove(callback);
    else
        call_fail(call, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "domain event %d not registered",
                  event);
    return CO_DONE;
}

// virConnectDomainEventRegister: lifecycle events only. Its reply tells how many were registered.
static enum co_status event_register(struct call *call)
{
    register_legacy(call, VIR_DOMAIN_EVENT_ID_LIFECYCLE);
    if (!error_is_set(&call->error))
        xdr_put_i32(call_reply(call), 0);
    return CO_DONE;
}

static enum co_status event_deregister(struct call *call)
{
    deregister_legacy(call, VIR_DOMAIN_EVENT_ID_LIFECYCLE);
    if (!error_is_set(&call->error))
        xdr_put_i32(call_reply(call), 0);
    return CO_DONE;
}

static enum co_status event_register_any(struct call *call)
{
    int32_t event = CALL_ARGS(call, struct remote_connect_domain_event_register_any_args)->eventID;
    return check_event(call, event, LAST_LEGACY_EVENT) ? register_legacy(call, event) : CO_DONE;
}

static enum co_status event_deregister_any(struct call *call)
{
    int32_t event =
        CALL_ARGS(call, struct remote_connect_domain_event_deregister_any_args)->eventID;
    return check_event(call, event, LAST_LEGACY_EVENT) ? deregister_legacy(call, event) : CO_DONE;
}

// ---- by callback id

static enum co_status callback_register_any(struct call *call)
{
    const struct remote_connect_domain_event_callback_register_any_args *args =
        CALL_ARGS(call, struct remote_connect_domain_event_callback_register_any_args);
    if (!check_event(call, args->eventID, LAST_EVENT))
        return CO_DONE;
    struct event_callback *callback = add(call, args->eventID);
    if (!callback)
        return CO_DONE;
    callback->one = args->dom_present;
    if (args->dom_present)
        memcpy(callback->uuid, args->dom.uuid, sizeof(callback->uuid));
    xdr_put_i32(call_reply(call), callback->id);
    return CO_DONE;
}

static enum co_status callback_deregister_any(struct call *call)
{
    int32_t id = CALL_ARGS(call, struct remote_connect_domain_event_callback_deregister_any_args)
                     ->callbackID;
    struct event_callback *callback = event_callback_of_id(call->client, id, false);
    if (callback)
        event_callback_remove(callback);
    else
        call_fail(call, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                  "domain event callback %d not registered", id);
    return CO_DONE;
}

const struct call_entry domain_event_handlers[] = {
    {REMOTE_PROC_CONNECT_DOMAIN_EVENT_REGISTER, event_register},
    {REMOTE_PROC_CONNECT_DOMAIN_EVENT_DEREGISTER, event_deregister},
    {REMOTE_PROC_CONNECT_DOMAIN_EVENT_REGISTER_ANY, event_register_any},
    {REMOTE_PROC_CONNECT_DOMAIN_EVENT_DEREGISTER_ANY, event_deregister_any},
    {REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY, callback_register_any},
    {REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY, callback_deregister_any},
    {0, NULL},
};
