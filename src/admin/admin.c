// The admin program: its procedures, its connections, and the list of servers.
#include "admin/admin.h"

#include "rpc/client.h"
#include "virt/connection.h"

bool admin_no_flags(struct call *call, uint32_t flags, const char *function)
{
    return call_flags(call, flags, 0, VIR_FROM_ADMIN, function);
}

static struct server *find(struct slice name)
{
    struct server *server = server_next(NULL);
    while (server && !slice_is(name, server->name))
        server = server_next(server);
    return server;
}

struct server *admin_server_named(struct call *call, struct slice name)
{
    struct server *server = find(name);
    if (!server)
        call_fail(call, VIR_FROM_RPC, VIR_ERR_NO_SERVER, "No server named '%.*s'", SLICE_ARG(name));
    return server;
}

struct server *admin_server_matching(struct call *call, struct slice name)
{
    struct server *server = find(name);
    if (!server)
        call_fail(call, VIR_FROM_ADMIN, VIR_ERR_NO_SERVER,
                  "no server with matching name '%.*s' found", SLICE_ARG(name));
    return server;
}

void admin_put_server(struct xdr_writer *w, const struct server *server)
{
    xdr_put_string(w, slice_of(server->name));
}

static enum co_status connect_open(struct call *call)
{
    admin_no_flags(call, CALL_ARGS(call, struct admin_connect_open_args)->flags,
                   "adminDispatchConnectOpen");
    return CO_DONE;
}

static enum co_status connect_close(struct call *call)
{
    client_close_later(call->client);
    return CO_DONE;
}

static enum co_status get_lib_version(struct call *call)
{
    xdr_put_u64(call_reply(call), LIBVIRT_LEVEL);
    return CO_DONE;
}

static enum co_status list_servers(struct call *call)
{
    const struct admin_connect_list_servers_args *args =
        CALL_ARGS(call, struct admin_connect_list_servers_args);
    if (!admin_no_flags(call, args->flags, "adminConnectListServers"))
        return CO_DONE;
    struct xdr_writer *reply = call_reply(call);
    struct xdr_list_mark servers = xdr_list_begin(reply, ADMIN_SERVER_LIST_MAX);
    uint32_t count = 0;
    for (struct server *server = server_next(NULL); server; server = server_next(server)) {
        count++;
        if (!args->need_results)
            continue;
        xdr_list_add(reply, &servers);
        admin_put_server(reply, server);
    }
    xdr_list_end(reply, &servers);
    xdr_put_u32(reply, count);
    return CO_DONE;
}

// libvirt looks at no flags here.
static enum co_status lookup_server(struct call *call)
{
    struct server *server =
        admin_server_named(call, CALL_ARGS(call, struct admin_connect_lookup_server_args)->name);
    if (server)
        admin_put_server(call_reply(call), server);
    return CO_DONE;
}

static call_handler *const handlers[] = {
    [ADMIN_PROC_CONNECT_OPEN] = connect_open,
    [ADMIN_PROC_CONNECT_CLOSE] = connect_close,
    [ADMIN_PROC_CONNECT_GET_LIB_VERSION] = get_lib_version,
    [ADMIN_PROC_CONNECT_LIST_SERVERS] = list_servers,
    [ADMIN_PROC_CONNECT_LOOKUP_SERVER] = lookup_server,
    [ADMIN_PROC_SERVER_GET_THREADPOOL_PARAMETERS] = admin_get_threadpool,
    [ADMIN_PROC_SERVER_SET_THREADPOOL_PARAMETERS] = admin_set_threadpool,
    [ADMIN_PROC_SERVER_LIST_CLIENTS] = admin_list_clients,
    [ADMIN_PROC_SERVER_LOOKUP_CLIENT] = admin_lookup_client,
    [ADMIN_PROC_CLIENT_GET_INFO] = admin_client_info,
    [ADMIN_PROC_CLIENT_CLOSE] = admin_client_close,
    [ADMIN_PROC_SERVER_GET_CLIENT_LIMITS] = admin_get_client_limits,
    [ADMIN_PROC_SERVER_SET_CLIENT_LIMITS] = admin_set_client_limits,
    [ADMIN_PROC_CONNECT_GET_LOGGING_OUTPUTS] = admin_get_log_outputs,
    [ADMIN_PROC_CONNECT_GET_LOGGING_FILTERS] = admin_get_log_filters,
    [ADMIN_PROC_CONNECT_SET_LOGGING_OUTPUTS] = admin_set_log_outputs,
    [ADMIN_PROC_CONNECT_SET_LOGGING_FILTERS] = admin_set_log_filters,
    [ADMIN_PROC_SERVER_UPDATE_TLS_FILES] = admin_update_tls_files,
    [ADMIN_PROC_CONNECT_SET_DAEMON_TIMEOUT] = admin_set_timeout,
    [ADMIN_PROC_CONNECT_DAEMON_SHUTDOWN] = admin_shutdown,
};

call_handler *admin_find_handler(uint32_t procedure)
{
    return procedure < sizeof(handlers) / sizeof(handlers[0]) ? handlers[procedure] : NULL;
}
