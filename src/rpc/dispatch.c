// Dispatch: from a request to its handler.
#include "rpc/dispatch.h"

#include "core/log.h"

void dispatch_serve(struct server *server, struct service *service)
{
    service->next = server->services;
    server->services = service;
}

static const struct service *find_service(const struct server *server,
                                          const struct message_header *header)
{
    for (const struct service *service = server->services; service; service = service->next)
        if (service->program->number == header->prog && service->program->version == header->vers)
            return service;
    return NULL;
}

static const struct xdr_procedure *find_procedure(const struct client *client,
                                                  const struct service *service,
                                                  const struct message_header *header,
                                                  struct error *err)
{
    if (header->status != VIR_NET_OK) {
        error_set(err, VIR_FROM_RPC, VIR_ERR_RPC, "Unexpected message status %u",
                  (unsigned)header->status);
        return NULL;
    }
    if (!service) {
        error_set(err, VIR_FROM_RPC, VIR_ERR_RPC, "Cannot find program %d version %d",
                  (int)header->prog, (int)header->vers);
        return NULL;
    }
    const struct xdr_procedure *procedure = xdr_procedure_find(service->program, header->proc);
    if (!procedure || (procedure->marks & XDR_MARK_EVENT)) {
        error_set(err, VIR_FROM_RPC, VIR_ERR_RPC, "unknown procedure: %d", header->proc);
        return NULL;
    }
    if (!client->authenticated && !(procedure->marks & XDR_MARK_PREAUTH)) {
        error_set(err, VIR_FROM_RPC, VIR_ERR_RPC, "authentication required");
        return NULL;
    }
    return procedure;
}

static bool decode_args(struct call *call, struct error *err)
{
    const struct xdr_type *args = xdr_procedure_args(call->procedure);
    const struct slot *request = call->request;
    struct xdr_reader reader = {request->at + request->done, request->at + request->len};
    return !args || xdr_decode(&reader, args, call->args, err);
}

static bool may_run(struct call *call, const struct service *service)
{
    if (!decode_args(call, &call->error))
        return false;
    if (call->client->read_only &&
        !xdr_procedure_allow_readonly(call->procedure, call->args, &call->error))
        return false;
    return (!service->gate || service->gate(call)) && (!service->access || service->access(call));
}

static void refuse(struct client *client, struct slot *slot, const struct message_header *header,
                   const struct error *err)
{
    log_debug("rpc", "client %llu: refused: %s", (unsigned long long)client->number, err->message);
    client_send(client, message_error_reply(header, VIR_NET_REPLY, err));
    slot_release(slot);
}

void dispatch_call(struct client *client, struct slot *slot, const struct message_header *header)
{
    struct error err;
    error_clear(&err);
    const struct service *service = find_service(client->server, header);
    const struct xdr_procedure *procedure = find_procedure(client, service, header, &err);
    if (!procedure) {
        refuse(client, slot, header, &err);
        return;
    }
    if (header->type == VIR_NET_CALL_WITH_FDS)
        slot->done += 4; // the number of descriptors
    struct call *call = call_begin(client, slot, procedure);
    call->handler = service->handler((uint32_t)header->proc);
    if (!may_run(call, service)) {
        call_end(call);
        return;
    }
    if (call->handler) {
        call_run(call);
        return;
    }
    const char *api = xdr_procedure_name(procedure);
    call_fail(call, error_domain_of_api(api), VIR_ERR_NO_SUPPORT, "%s", api);
    call_end(call);
}
