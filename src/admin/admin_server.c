// virt-admin about a server: its workers, its limits of clients, its TLS files.
//
// libvirtd hands each call to a thread of a pool. Here one thread does the work, but what an
// administrator reads off the pool (is it busy, does something wait) is as true of calls: one in
// progress counts as a busy worker, and more of them than max_workers as jobs in the queue.
#include "admin/admin.h"

#include "core/child.h"
#include "net/listener.h"
#include "net/transport.h"
#include "rpc/client.h"
#include "rpc/xdr_params.h"

// Names of libvirt-admin.h: VIR_THREADPOOL_*, VIR_SERVER_CLIENTS_*.
#define MIN_WORKERS   "minWorkers"
#define MAX_WORKERS   "maxWorkers"
#define PRIO_WORKERS  "prioWorkers"
#define CLIENTS_MAX   "nclients_max"
#define CLIENTS       "nclients"
#define ANONYMOUS_MAX "nclients_unauth_max"
#define ANONYMOUS     "nclients_unauth"

#define RULE_COUNT(rules) (sizeof(rules) / sizeof((rules)[0]))

// Sets *value when the parameter is there.
static void take_u32(struct xdr_list params, const char *name, uint32_t *value)
{
    struct remote_typed_param param;
    if (xdr_param_find(params, name, &param))
        *value = param.value.ui;
}

static uint32_t calls_in_progress(const struct server *server)
{
    uint32_t calls = 0;
    for (const struct client *client = server->first; client; client = client->after)
        calls += client->call_count;
    return calls;
}

// ---- workers

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

enum co_status admin_get_threadpool(struct call *call)
{
    const struct admin_server_get_threadpool_parameters_args *args =
        CALL_ARGS(call, struct admin_server_get_threadpool_parameters_args);
    const struct server *server = admin_server_named(call, args->srv.name);
    if (!server || !admin_no_flags(call, args->flags, "adminServerGetThreadPoolParameters"))
        return CO_DONE;
    const struct server_workers *workers = &server->workers;
    uint32_t calls = calls_in_progress(server), busy = at_most(calls, workers->max);
    uint32_t there = busy > workers->min ? busy : workers->min;
    struct xdr_writer *reply = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(reply, ADMIN_SERVER_THREADPOOL_PARAMETERS_MAX);
    xdr_param_add_u32(reply, &list, MIN_WORKERS, workers->min);
    xdr_param_add_u32(reply, &list, MAX_WORKERS, workers->max);
    xdr_param_add_u32(reply, &list, "nWorkers", there);
    xdr_param_add_u32(reply, &list, "freeWorkers", there - busy);
    xdr_param_add_u32(reply, &list, PRIO_WORKERS, workers->priority);
    xdr_param_add_u32(reply, &list, "jobQueueDepth", calls - busy);
    xdr_list_end(reply, &list);
    return CO_DONE;
}

enum co_status admin_set_threadpool(struct call *call)
{
    static const struct xdr_param_rule rules[] = {
        {MIN_WORKERS, VIR_TYPED_PARAM_UINT},
        {MAX_WORKERS, VIR_TYPED_PARAM_UINT},
        {PRIO_WORKERS, VIR_TYPED_PARAM_UINT},
    };
    const struct admin_server_set_threadpool_parameters_args *args =
        CALL_ARGS(call, struct admin_server_set_threadpool_parameters_args);
    struct server *server = admin_server_matching(call, args->srv.name);
    if (!server || !admin_no_flags(call, args->flags, "adminServerSetThreadPoolParameters") ||
        !xdr_params_check(args->params, rules, RULE_COUNT(rules), &call->error))
        return CO_DONE;
    struct server_workers workers = server->workers;
    take_u32(args->params, MIN_WORKERS, &workers.min);
    take_u32(args->params, MAX_WORKERS, &workers.max);
    take_u32(args->params, PRIO_WORKERS, &workers.priority);
    if (workers.min > workers.max)
        return call_fail(call, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                         "minWorkers cannot be larger than maxWorkers");
    if ((workers.max == 0) != (server->workers.max == 0))
        return call_fail(call, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                         "maxWorkers must not be switched from zero to non-zero and vice versa");
    server->workers = workers;
    return CO_DONE;
}

// ---- limits of clients

enum co_status admin_get_client_limits(struct call *call)
{
    const struct admin_server_get_client_limits_args *args =
        CALL_ARGS(call, struct admin_server_get_client_limits_args);
    const struct server *server = admin_server_named(call, args->srv.name);
    if (!server || !admin_no_flags(call, args->flags, "adminServerGetClientLimits"))
        return CO_DONE;
    struct xdr_writer *reply = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(reply, ADMIN_SERVER_CLIENT_LIMITS_MAX);
    xdr_param_add_u32(reply, &list, CLIENTS_MAX, server->limits.max_clients);
    xdr_param_add_u32(reply, &list, CLIENTS, server->client_count);
    xdr_param_add_u32(reply, &list, ANONYMOUS_MAX, server->limits.max_anonymous_clients);
    xdr_param_add_u32(reply, &list, ANONYMOUS, server->anonymous_count);
    xdr_list_end(reply, &list);
    return CO_DONE;
}

enum co_status admin_set_client_limits(struct call *call)
{
    static const struct xdr_param_rule rules[] = {
        {CLIENTS_MAX, VIR_TYPED_PARAM_UINT},
        {ANONYMOUS_MAX, VIR_TYPED_PARAM_UINT},
    };
    const struct admin_server_set_client_limits_args *args =
        CALL_ARGS(call, struct admin_server_set_client_limits_args);
    struct server *server = admin_server_matching(call, args->srv.name);
    if (!server || !admin_no_flags(call, args->flags, "adminServerSetClientLimits") ||
        !xdr_params_check(args->params, rules, RULE_COUNT(rules), &call->error))
        return CO_DONE;
    struct server_limits limits = server->limits;
    take_u32(args->params, CLIENTS_MAX, &limits.max_clients);
    take_u32(args->params, ANONYMOUS_MAX, &limits.max_anonymous_clients);
    if (limits.max_clients < limits.max_anonymous_clients)
        return call_fail(call, VIR_FROM_RPC, VIR_ERR_INVALID_ARG,
                         "The overall maximum number of clients waiting for authentication must "
                         "not be less than the overall maximum number of clients");
    if (limits.max_clients > CONFIG_MAX_CLIENTS)
        return call_fail(call, VIR_FROM_RPC, VIR_ERR_INVALID_ARG,
                         "%u clients are too many: limit is %d, CONFIG_MAX_CLIENTS",
                         limits.max_clients, CONFIG_MAX_CLIENTS);
    server->limits = limits;
    listener_reconsider();
    return CO_DONE;
}

// ---- TLS

static bool may_update(struct call *call)
{
    const struct admin_server_update_tls_files_args *args =
        CALL_ARGS(call, struct admin_server_update_tls_files_args);
    const struct server *server = admin_server_named(call, args->srv.name);
    return server && admin_no_flags(call, args->flags, "adminServerUpdateTlsFiles") &&
           (server->tls || error_set(&call->error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                                     "no tls service found, unable to update tls files"));
}

static int read_ahead(void *argument, int out)
{
    (void)argument, (void)out;
    transport_read_ahead();
    return 0;
}

enum co_status admin_update_tls_files(struct call *call)
{
    struct worker *worker = CALL_STATE(call, struct worker);
    CO_BEGIN(&call->co);
    if (!may_update(call) ||
        !worker_start(worker, read_ahead, NULL, NULL, &call->task, &call->error))
        CO_RETURN(&call->co);
    CO_WAIT(&call->co, worker_done(worker));
    transport_reload(&call->error);
    CO_END(&call->co);
}
