// Servers: their list and their limits.
#include "rpc/server.h"

#include "core/config.h"

static struct server *servers;

void server_set_limits(struct server *server, const struct server_limits *limits)
{
    server->limits = *limits;
    if (limits->max_clients == 0 || limits->max_clients > CONFIG_MAX_CLIENTS)
        server->limits.max_clients = CONFIG_MAX_CLIENTS;
}

void server_add(struct server *server)
{
    struct server **end = &servers;
    while (*end)
        end = &(*end)->next;
    *end = server;
    server_set_limits(server, &server->limits);
}

struct server *server_next(const struct server *previous)
{
    return previous ? previous->next : servers;
}
