// Servers: what clients connect to.
//
// As libvirtd, the daemon has two of them, "libvirtd" and "admin", each with programs and limits of
// its own; virt-admin shows and changes them. A listener admits clients to one server.
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include "auth/identity.h"
#include "net/transport.h"

#include <stdbool.h>
#include <stdint.h>

struct client;
struct service;

struct server_limits {
    uint32_t max_clients;           // connections at the same time
    uint32_t max_anonymous_clients; // of these, not yet authenticated; 0: no limit of its own
    uint32_t max_client_requests;   // calls in progress of one client
    int32_t keepalive_interval;     // seconds between two pings of an idle client; 0 or less: none
    uint32_t keepalive_count;       // pings in a row that may stay unanswered
};

// libvirt's pool of threads, which virt-admin shows and changes. Here one thread serves everybody:
// the limits are kept, and a call in progress counts as a busy worker (admin/admin_server.c).
struct server_workers {
    uint32_t min, max, priority;
};

struct server {
    const char *name;
    bool tls; // somebody can come to it over TLS
    struct server_limits limits;
    struct server_workers workers;
    bool own_user_only;          // only local peers with the daemon's own uid are admitted
    struct service *services;    // rpc/dispatch.h
    struct client *first, *last; // in the order of their numbers
    uint32_t client_count;       // connected now
    uint32_t anonymous_count;    // of these, not yet authenticated
    uint64_t last_client;        // the number given last
    struct server *next;
};

// How a client begins: where it arrived, and what it must pass.
struct admission {
    struct server *server;
    const struct transport *transport;
    enum auth_scheme auth;
    bool read_only;
};

// Adds a server. Limits beyond this build's (CONFIG_MAX_CLIENTS) are lowered to it.
void server_add(struct server *server);
// Walks the servers in the order of addition: start with NULL.
struct server *server_next(const struct server *previous);

#endif
