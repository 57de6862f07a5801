// Authentication: what a client must pass, and what is not built.
#include "core/log.h"
#include "proto/remote.h"
#include "rpc/client.h"
#include "virt/handlers.h"

static enum co_status auth_list(struct call *call)
{
    static const int32_t types[] = {
        [AUTH_NONE] = REMOTE_AUTH_NONE,
        [AUTH_SASL] = REMOTE_AUTH_SASL,
        [AUTH_POLKIT] = REMOTE_AUTH_POLKIT,
    };
    struct xdr_writer *reply = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(reply, REMOTE_AUTH_TYPE_LIST_MAX);
    xdr_list_add(reply, &list);
    xdr_put_i32(reply, types[call->client ? call->client->auth : AUTH_NONE]);
    xdr_list_end(reply, &list);
    return CO_DONE;
}

// Nobody is asked for it: the configuration can not ask for what is not built.
static enum co_status auth_polkit(struct call *call)
{
    return call_fail(call, VIR_FROM_RPC, VIR_ERR_AUTH_FAILED, "authentication failed");
}

const struct call_entry authentication_handlers[] = {
    {REMOTE_PROC_AUTH_LIST, auth_list},
    {REMOTE_PROC_AUTH_POLKIT, auth_polkit},
    {0, NULL},
};
