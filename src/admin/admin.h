// The admin program: virt-admin's calls about the daemon itself (libvirt's src/admin).
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "proto/admin.h"
#include "rpc/call.h"
#include "rpc/server.h"

// NULL when the procedure has no handler.
call_handler *admin_find_handler(uint32_t procedure);

// For the handlers: no flags are defined for the function; false with the call's error set when
// there are some.
bool admin_no_flags(struct call *call, uint32_t flags, const char *function);
// The server of that name; NULL with VIR_ERR_NO_SERVER, in the words of libvirt's lookup or, for
// the few procedures that have their own, in those.
struct server *admin_server_named(struct call *call, struct slice name);
struct server *admin_server_matching(struct call *call, struct slice name);
void admin_put_server(struct xdr_writer *w, const struct server *server);

// admin_server.c
call_handler admin_get_threadpool, admin_set_threadpool;
call_handler admin_get_client_limits, admin_set_client_limits;
call_handler admin_update_tls_files;
// admin_client.c
call_handler admin_list_clients, admin_lookup_client, admin_client_info, admin_client_close;
// admin_daemon.c
call_handler admin_get_log_outputs, admin_set_log_outputs;
call_handler admin_get_log_filters, admin_set_log_filters;
call_handler admin_set_timeout, admin_shutdown;

#endif
