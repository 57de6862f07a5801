// Servers: their list and their limits.
#include "rpc/server.h"

#include "core/config.h"

static struct server *servers;

static void lower(uint32_t *limit, uint32_t to)
{
    if (*limit > to)
        *limit = to;
}

void server_add(struct server *server)
{
    struct server **end = &servers;
    while (*end)
        end = &(*end)->next;
    *end = server;
    lower(&server->limits.max_clients, CONFIG_MAX_CLIENTS);
    lower(&server->limits.max_anonymous_clients, server->limits.max_clients);
}

struct server *server_next(const struct server *previous)
{
    return previous ? previous->next : servers;
}
