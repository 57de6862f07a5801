// Connections: opening and closing one, and what a client asks about it.
#include "virt/connection.h"

#include "core/log.h"
#include "proto/remote.h"
#include "rpc/client.h"
#include "rpc/keepalive.h"
#include "virt/handlers.h"
#include "virt/hypervisor.h"

static const struct hypervisor *opened[CONFIG_MAX_CLIENTS]; // by client_index()
static struct client_hook gone_hook;

const struct hypervisor *connection_hypervisor(const struct client *client)
{
    return client ? opened[client_index(client)] : NULL;
}

static void close_connection(struct client *client)
{
    const struct hypervisor *hypervisor = opened[client_index(client)];
    opened[client_index(client)] = NULL;
    if (hypervisor && hypervisor->closed)
        hypervisor->closed();
}

void connection_init(void)
{
    gone_hook.gone = close_connection;
    client_on_gone(&gone_hook);
}

static const struct hypervisor *hypervisor_for(struct slice uri, struct error *err)
{
    for (size_t i = 0; hypervisors[i]; i++) {
        if (hypervisors[i]->accepts(uri, err))
            return hypervisors[i];
        if (error_is_set(err))
            return NULL;
    }
    error_set(err, VIR_FROM_NONE, VIR_ERR_NO_CONNECT, "%.*s", SLICE_ARG(uri));
    return NULL;
}

// Flags but VIR_CONNECT_RO are passed over, as libvirtd does: a client of a user other than root
// sends bits there that are its own business (that it looked for a session's daemon, and may start
// one).
static const struct hypervisor *choose_hypervisor(struct call *call)
{
    const struct remote_connect_open_args *args = CALL_ARGS(call, struct remote_connect_open_args);
    if (connection_hypervisor(call->client)) {
        call_fail(call, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "connection already open");
        return NULL;
    }
    return hypervisor_for(args->name, &call->error);
}

static bool is_ready(struct call *call, const struct hypervisor *hypervisor)
{
    return !hypervisor->ready || hypervisor->ready(&call->task);
}

static enum co_status connect_open(struct call *call)
{
    const struct hypervisor **hypervisor = CALL_STATE(call, const struct hypervisor *);
    struct client *client = call->client;
    CO_BEGIN(&call->co);
    *hypervisor = choose_hypervisor(call);
    if (!*hypervisor)
        CO_RETURN(&call->co);
    CO_WAIT(&call->co, is_ready(call, *hypervisor));
    if (!client || connection_hypervisor(client))
        CO_RETURN(&call->co);
    if (CALL_ARGS(call, struct remote_connect_open_args)->flags & VIR_CONNECT_RO)
        client->read_only = true;
    opened[client_index(client)] = *hypervisor;
    if ((*hypervisor)->opened)
        (*hypervisor)->opened();
    CO_END(&call->co);
}

static enum co_status connect_close(struct call *call)
{
    close_connection(call->client);
    client_close_later(call->client);
    return CO_DONE;
}

// Whether a procedure works without an open connection.
static bool needs_no_connection(const struct call *call)
{
    if (call->procedure->marks & XDR_MARK_PREAUTH)
        return true;
    switch (call->header.proc) {
    case REMOTE_PROC_CONNECT_OPEN:
    case REMOTE_PROC_CONNECT_CLOSE:
    case REMOTE_PROC_CONNECT_SUPPORTS_FEATURE:
        return true;
    default:
        return false;
    }
}

bool connection_gate(struct call *call)
{
    if (connection_hypervisor(call->client) || needs_no_connection(call))
        return true;
    return error_set(&call->error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                     "hypervisor connection not open");
}

// ---- what is asked about a connection

// VIR_DRV_FEATURE_* numbers (libvirt's src/libvirt_internal.h).
enum feature {
    FEATURE_FD_PASSING = 8,
    FEATURE_TYPED_PARAM_STRING = 9,
    FEATURE_PROGRAM_KEEPALIVE = 10,
    FEATURE_REMOTE_EVENT_CALLBACK = 14,
    FEATURE_REMOTE_CLOSE_CALLBACK = 15,
    FEATURE_NETWORK_UPDATE_HAS_CORRECT_ORDER = 16,
};

static int32_t feature_supported(struct client *client, int32_t feature)
{
    switch (feature) {
    case FEATURE_PROGRAM_KEEPALIVE:
        keepalive_start(client); // whoever asks answers pings
        return 1;
    case FEATURE_FD_PASSING:
        return client->io.transport->send_fd != NULL;
    case FEATURE_TYPED_PARAM_STRING:
    case FEATURE_REMOTE_EVENT_CALLBACK:
    case FEATURE_REMOTE_CLOSE_CALLBACK:
    case FEATURE_NETWORK_UPDATE_HAS_CORRECT_ORDER:
        return 1;
    default:
        return 0;
    }
}

static enum co_status connect_supports_feature(struct call *call)
{
    int32_t feature = CALL_ARGS(call, struct remote_connect_supports_feature_args)->feature;
    xdr_put_i32(call_reply(call), feature_supported(call->client, feature));
    return CO_DONE;
}

static enum co_status connect_get_type(struct call *call)
{
    xdr_put_string(call_reply(call), slice_of(connection_hypervisor(call->client)->type));
    return CO_DONE;
}

static enum co_status connect_get_version(struct call *call)
{
    const struct hypervisor *hypervisor = connection_hypervisor(call->client);
    struct hypervisor_op *op = CALL_STATE(call, struct hypervisor_op);
    CO_BEGIN(&call->co);
    if (hypervisor->version_query) {
        op->task = &call->task;
        op->err = &call->error;
        CO_CALL(&call->co, hypervisor->version_query(op));
        if (error_is_set(&call->error))
            CO_RETURN(&call->co);
        xdr_put_u64(call_reply(call), op->named.value);
    } else {
        xdr_put_u64(call_reply(call), hypervisor->version);
    }
    CO_END(&call->co);
}

static enum co_status connect_get_lib_version(struct call *call)
{
    xdr_put_u64(call_reply(call), LIBVIRT_LEVEL);
    return CO_DONE;
}

static enum co_status connect_get_uri(struct call *call)
{
    xdr_put_string(call_reply(call), slice_of(connection_hypervisor(call->client)->uri()));
    return CO_DONE;
}

static enum co_status connect_get_hostname(struct call *call)
{
    char name[256];
    if (port_hostname(name, sizeof(name)) < 0)
        return call_fail(call, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                         "failed to determine host name");
    xdr_put_string(call_reply(call), slice_of(name));
    return CO_DONE;
}

static enum co_status connect_is_secure(struct call *call)
{
    xdr_put_i32(call_reply(call), call->client->io.transport->secure);
    return CO_DONE;
}

// No hypervisor connection of ours breaks: the event never comes.
static enum co_status connect_close_callback(struct call *call)
{
    (void)call;
    return CO_DONE;
}

const struct call_entry connection_handlers[] = {
    {REMOTE_PROC_CONNECT_OPEN, connect_open},
    {REMOTE_PROC_CONNECT_CLOSE, connect_close},
    {REMOTE_PROC_CONNECT_SUPPORTS_FEATURE, connect_supports_feature},
    {REMOTE_PROC_CONNECT_GET_TYPE, connect_get_type},
    {REMOTE_PROC_CONNECT_GET_VERSION, connect_get_version},
    {REMOTE_PROC_CONNECT_GET_LIB_VERSION, connect_get_lib_version},
    {REMOTE_PROC_CONNECT_GET_URI, connect_get_uri},
    {REMOTE_PROC_CONNECT_GET_HOSTNAME, connect_get_hostname},
    {REMOTE_PROC_CONNECT_IS_SECURE, connect_is_secure},
    {REMOTE_PROC_CONNECT_REGISTER_CLOSE_CALLBACK, connect_close_callback},
    {REMOTE_PROC_CONNECT_UNREGISTER_CLOSE_CALLBACK, connect_close_callback},
    {0, NULL},
};
