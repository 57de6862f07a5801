// Handlers: what the hypervisor and the node can do.
#include "proto/remote.h"
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"
#include "virt/node/node.h"

static bool is_ready(struct call *call)
{
    const struct hypervisor *hypervisor = call->client ? connection_hypervisor(call->client) : NULL;
    return !hypervisor || !hypervisor->ready || hypervisor->ready(&call->task);
}

static enum co_status get_capabilities(struct call *call)
{
    CO_BEGIN(&call->co);
    CO_WAIT(&call->co, is_ready(call));
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (hypervisor && !hypervisor->capabilities) {
        call_unsupported(call);
    } else if (hypervisor) {
        struct xdr_writer *reply = call_reply(call);
        struct buffer text = xdr_string_begin(reply);
        hypervisor->capabilities(&text, &call->error);
        xdr_string_end(reply, &text);
    }
    CO_END(&call->co);
}

static void reply_domain_capabilities(struct call *call, const struct hypervisor *hypervisor)
{
    const struct remote_connect_get_domain_capabilities_args *args =
        CALL_ARGS(call, struct remote_connect_get_domain_capabilities_args);
    if (!call_driver_flags(call, hypervisor, args->flags, 0, "ConnectGetDomainCapabilities"))
        return;
    struct xdr_writer *reply = call_reply(call);
    struct buffer text = xdr_string_begin(reply);
    hypervisor->domain_capabilities(&text, args->emulatorbin, args->arch, args->machine,
                                    args->virttype, &call->error);
    xdr_string_end(reply, &text);
}

static enum co_status get_domain_capabilities(struct call *call)
{
    CO_BEGIN(&call->co);
    CO_WAIT(&call->co, is_ready(call));
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (hypervisor && !hypervisor->domain_capabilities)
        call_unsupported(call);
    else if (hypervisor)
        reply_domain_capabilities(call, hypervisor);
    CO_END(&call->co);
}

static enum co_status get_max_vcpus(struct call *call)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return CO_DONE;
    if (!hypervisor->max_vcpus)
        return call_unsupported(call);
    int32_t count = hypervisor->max_vcpus(
        CALL_ARGS(call, struct remote_connect_get_max_vcpus_args)->type, &call->error);
    if (!error_is_set(&call->error))
        xdr_put_i32(call_reply(call), count);
    return CO_DONE;
}

static enum co_status get_cpu_model_names(struct call *call)
{
    const struct remote_connect_get_cpu_model_names_args *args =
        CALL_ARGS(call, struct remote_connect_get_cpu_model_names_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor ||
        !call_driver_flags(call, hypervisor, args->flags, 0, "ConnectGetCPUModelNames"))
        return CO_DONE;
    int count = node_cpu_models(args->arch, hypervisor->error_domain, &call->error);
    if (count < 0)
        return CO_DONE;
    struct xdr_writer *reply = call_reply(call);
    struct xdr_list_mark models = xdr_list_begin(reply, REMOTE_CONNECT_CPU_MODELS_MAX);
    for (int i = 0; args->need_results && i < count; i++) {
        xdr_list_add(reply, &models);
        xdr_put_string(reply, slice_of(node_cpu_model_name(args->arch, i)));
    }
    xdr_list_end(reply, &models);
    xdr_put_i32(reply, count);
    return CO_DONE;
}

const struct call_entry capabilities_handlers[] = {
    {REMOTE_PROC_CONNECT_GET_CAPABILITIES, get_capabilities},
    {REMOTE_PROC_CONNECT_GET_DOMAIN_CAPABILITIES, get_domain_capabilities},
    {REMOTE_PROC_CONNECT_GET_MAX_VCPUS, get_max_vcpus},
    {REMOTE_PROC_CONNECT_GET_CPU_MODEL_NAMES, get_cpu_model_names},
    {0, NULL},
};
