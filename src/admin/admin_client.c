// virt-admin about clients: who is connected to a server, and putting one out.
#include "admin/admin.h"

#include "rpc/client.h"
#include "rpc/xdr_params.h"

#include <stdio.h>
#include <string.h>

#define ACCOUNT_NAME_MAX 256

// virClientTransport: the place in this list. Whatever else there is, such as a cable, is closest
// to a unix socket: nothing of the network.
static uint32_t transport_number(const struct client *client)
{
    static const char *const names[] = {"unix", "tcp", "tls"};
    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(client->io.transport->name, names[i]) == 0)
            return i;
    return 0;
}

static void put_client(struct xdr_writer *w, const struct client *client)
{
    admin_put_server(w, client->server);
    xdr_put_u64(w, client->number);
    xdr_put_i64(w, client->connected / 1000000);
    xdr_put_u32(w, transport_number(client));
}

// One that has been cut in this turn is no client any more.
static struct client *find(const struct server *server, uint64_t number)
{
    struct client *client = server->first;
    while (client && (client->number != number || client->dead))
        client = client->after;
    return client;
}

static struct client *lookup(struct call *call, struct slice server_name, uint64_t number)
{
    const struct server *server = admin_server_named(call, server_name);
    struct client *client = server ? find(server, number) : NULL;
    if (server && !client)
        call_fail(call, VIR_FROM_RPC, VIR_ERR_NO_CLIENT, "No client with matching ID '%llu'",
                  (unsigned long long)number);
    return client;
}

enum co_status admin_list_clients(struct call *call)
{
    const struct admin_server_list_clients_args *args =
        CALL_ARGS(call, struct admin_server_list_clients_args);
    const struct server *server = admin_server_named(call, args->srv.name);
    if (!server || !admin_no_flags(call, args->flags, "adminServerListClients"))
        return CO_DONE;
    struct xdr_writer *reply = call_reply(call);
    struct xdr_list_mark clients = xdr_list_begin(reply, ADMIN_CLIENT_LIST_MAX);
    uint32_t count = 0;
    for (const struct client *client = server->first; client; client = client->after) {
        if (client->dead)
            continue;
        count++;
        if (!args->need_results)
            continue;
        xdr_list_add(reply, &clients);
        put_client(reply, client);
    }
    xdr_list_end(reply, &clients);
    xdr_put_u32(reply, count);
    return CO_DONE;
}

enum co_status admin_lookup_client(struct call *call)
{
    const struct admin_server_lookup_client_args *args =
        CALL_ARGS(call, struct admin_server_lookup_client_args);
    const struct client *client = lookup(call, args->srv.name, args->id);
    if (client && admin_no_flags(call, args->flags, "adminServerLookupClient"))
        put_client(call_reply(call), client);
    return CO_DONE;
}

// ---- virAdmClientGetInfo

static void add_name(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                     const char *value)
{
    if (value[0])
        xdr_param_add_string(w, list, name, slice_of(value));
}

static void add_remote(struct xdr_writer *w, struct xdr_list_mark *list,
                       const struct identity *identity)
{
    const struct port_peer *peer = &identity->peer;
    char address[PORT_ADDRESS_MAX + 16];
    snprintf(address, sizeof(address), peer->family == PORT_IPV6 ? "[%s]:%u" : "%s:%u",
             peer->address, (unsigned)peer->port);
    add_name(w, list, "sock_addr", address);
    add_name(w, list, "tls_x509_dname", identity->x509_dname);
}

static void add_local(struct xdr_writer *w, struct xdr_list_mark *list,
                      const struct port_peer *peer)
{
    char name[ACCOUNT_NAME_MAX];
    if (!peer->has_credentials)
        return;
    xdr_param_add_i32(w, list, "unix_user_id", (int32_t)peer->uid);
    if (port_user_name(peer->uid, name, sizeof(name)) == 0)
        add_name(w, list, "unix_user_name", name);
    xdr_param_add_i32(w, list, "unix_group_id", (int32_t)peer->gid);
    if (port_group_name(peer->gid, name, sizeof(name)) == 0)
        add_name(w, list, "unix_group_name", name);
    xdr_param_add_i32(w, list, "unix_process_id", peer->pid);
}

// Names and order as adminClientGetInfo(); there is no SELinux context.
enum co_status admin_client_info(struct call *call)
{
    const struct admin_client_get_info_args *args =
        CALL_ARGS(call, struct admin_client_get_info_args);
    const struct server *server = admin_server_matching(call, args->clnt.srv.name);
    if (!server)
        return CO_DONE;
    const struct client *client = find(server, args->clnt.id);
    if (!client)
        return call_fail(call, VIR_FROM_ADMIN, VIR_ERR_NO_CLIENT,
                         "no client with matching id '%llu' found",
                         (unsigned long long)args->clnt.id);
    if (!admin_no_flags(call, args->flags, "adminClientGetInfo"))
        return CO_DONE;
    struct xdr_writer *reply = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(reply, ADMIN_CLIENT_INFO_PARAMETERS_MAX);
    xdr_param_add_bool(reply, &list, "readonly", client->read_only);
    add_name(reply, &list, "sasl_user_name", client->identity.sasl_user);
    if (client->identity.peer.family == PORT_UNIX)
        add_local(reply, &list, &client->identity.peer);
    else
        add_remote(reply, &list, &client->identity);
    xdr_list_end(reply, &list);
    return CO_DONE;
}

enum co_status admin_client_close(struct call *call)
{
    const struct admin_client_close_args *args = CALL_ARGS(call, struct admin_client_close_args);
    struct client *client = lookup(call, args->clnt.srv.name, args->clnt.id);
    if (client && admin_no_flags(call, args->flags, "adminClientClose"))
        client_cut(client, "an administrator disconnected it");
    return CO_DONE;
}
