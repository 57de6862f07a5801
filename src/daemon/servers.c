// The servers: what the daemon serves to whom, with which limits, and on which sockets.
#include "daemon/servers.h"

#ifdef CONFIG_ADMIN
#include "admin/admin.h"
#endif
#include "auth/sasl.h"
#include "core/paths.h"
#include "daemon/activation.h"
#include "net/listener.h"
#include "proto/qemu.h"
#include "proto/remote.h"
#include "rpc/dispatch.h"
#include "virt/access.h"
#include "virt/connection.h"
#include "virt/handlers.h"

static struct server libvirtd_server = {.name = "libvirtd"};
static struct service remote_service = {
    .program = &remote_program,
    .handler = handlers_find_remote,
    .gate = connection_gate,
    .access = access_gate,
};
static struct service qemu_service = {
    .program = &qemu_program,
    .handler = handlers_find_qemu,
    .gate = connection_gate,
    .access = access_gate,
};

#ifdef CONFIG_ADMIN
// libvirt's rule: whatever the mode of its socket, only the daemon's own user may manage it.
static struct server admin_server = {.name = "admin", .own_user_only = true};
static struct service admin_service = {.program = &admin_program, .handler = admin_find_handler};

static void add_admin_server(const struct settings *settings)
{
    admin_server.limits = (struct server_limits){
        .max_clients = settings->admin_max_clients,
        .max_client_requests = settings->admin_max_client_requests,
        .keepalive_interval = settings->admin_keepalive_interval,
        .keepalive_count = settings->admin_keepalive_count,
    };
    admin_server.workers = (struct server_workers){
        .min = settings->admin_min_workers,
        .max = settings->admin_max_workers,
    };
    server_add(&admin_server);
    dispatch_serve(&admin_server, &admin_service);
}
#endif

void servers_add(const struct settings *settings)
{
    libvirtd_server.limits = (struct server_limits){
        .max_clients = settings->max_clients,
        .max_anonymous_clients = settings->max_anonymous_clients,
        .max_client_requests = settings->max_client_requests,
        .keepalive_interval = settings->keepalive_interval,
        .keepalive_count = settings->keepalive_count,
    };
    libvirtd_server.workers = (struct server_workers){
        .min = settings->min_workers,
        .max = settings->max_workers,
        .priority = settings->prio_workers,
    };
    server_add(&libvirtd_server);
    dispatch_serve(&libvirtd_server, &remote_service);
    dispatch_serve(&libvirtd_server, &qemu_service);
#ifdef CONFIG_ADMIN
    add_admin_server(settings);
#endif
}

// As activated, or at the configured place.
static bool listen_unix(const struct settings *settings, const char *activated, const char *name,
                        uint32_t mode, const struct admission *admission, struct error *err)
{
    if (activation_given())
        return activation_listen(activated, admission, err);
    const char *directory = settings->unix_sock_dir[0] ? settings->unix_sock_dir : paths()->run;
    const char *path = paths_join(directory, name);
    if (!path)
        return error_set(err, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "the path of %s is too long",
                         name);
    uint32_t group = (uint32_t)-1;
    if (settings->unix_sock_group[0] && port_group_lookup(settings->unix_sock_group, &group) < 0)
        return error_set(err, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                         "unix_sock_group: there is no group '%s'", settings->unix_sock_group);
    return listener_add_unix(path, mode, group, admission, err);
}

static bool listen_ip(const struct settings *settings, const char *activated, const char *transport,
                      const char *port, enum auth_scheme auth, struct error *err)
{
    const struct admission admission = {.server = &libvirtd_server,
                                        .transport = transport_start(transport, settings, err),
                                        .auth = auth};
    const char *address = settings->listen_addr[0] ? settings->listen_addr : NULL;
    if (!admission.transport)
        return false;
    libvirtd_server.tls |= admission.transport->reload != NULL;
    return activation_given() ? activation_listen(activated, &admission, err)
                              : listener_add_tcp(address, port, &admission, err);
}

static void prepare_sasl(const struct settings *settings, bool tcp, bool tls)
{
#ifdef CONFIG_SASL
    if (settings->auth_unix_ro == AUTH_SASL || settings->auth_unix_rw == AUTH_SASL ||
        (tcp && settings->auth_tcp == AUTH_SASL) || (tls && settings->auth_tls == AUTH_SASL))
        sasl_configure(&settings->sasl_allowed_username_list);
#else
    (void)settings, (void)tcp, (void)tls;
#endif
}

#define TCP_SOCKET "libvirtd-tcp.socket"
#define TLS_SOCKET "libvirtd-tls.socket"

static bool listen_network(const struct settings *settings, bool ip, struct error *err)
{
    bool tcp = activation_given() ? activation_has(TCP_SOCKET) : ip && settings->listen_tcp;
    bool tls = activation_given() ? activation_has(TLS_SOCKET) : ip && settings->listen_tls;
    prepare_sasl(settings, tcp, tls);
    return (!tcp ||
            listen_ip(settings, TCP_SOCKET, "tcp", settings->tcp_port, settings->auth_tcp, err)) &&
           (!tls ||
            listen_ip(settings, TLS_SOCKET, "tls", settings->tls_port, settings->auth_tls, err));
}

static bool listen_local(const struct settings *settings, struct error *err)
{
    const struct admission read_write = {
        .server = &libvirtd_server, .transport = &transport_unix, .auth = settings->auth_unix_rw};
    const struct admission read_only = {.server = &libvirtd_server,
                                        .transport = &transport_unix,
                                        .auth = settings->auth_unix_ro,
                                        .read_only = true};
    if (!listen_unix(settings, "libvirtd.socket", "libvirt-sock", settings->unix_sock_rw_perms,
                     &read_write, err))
        return false;
    if (!paths()->session && !listen_unix(settings, "libvirtd-ro.socket", "libvirt-sock-ro",
                                          settings->unix_sock_ro_perms, &read_only, err))
        return false;
#ifdef CONFIG_ADMIN
    const struct admission admin = {.server = &admin_server, .transport = &transport_unix};
    if (!listen_unix(settings, "libvirtd-admin.socket", "libvirt-admin-sock",
                     settings->unix_sock_admin_perms, &admin, err))
        return false;
#endif
    return true;
}

// The unix sockets come last: who can connect to them knows that the others are there.
bool servers_listen(const struct settings *settings, bool ip, struct error *err)
{
    if (ip && activation_given())
        return error_set(err, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                         "--listen parameter not permitted with systemd activation sockets, see "
                         "'man nanovirtd' for further guidance");
    return listen_network(settings, ip, err) && listen_local(settings, err) &&
           activation_complete(err);
}
