// Dispatch: the one way from a request to its handler, and from there to its reply.
//
// header check -> program -> procedure -> authentication gate -> arguments decoded -> read-only
// rules -> the program's own gate -> access rules -> handler. Whatever fails on the way is answered
// with a virError.
#ifndef RPC_DISPATCH_H
#define RPC_DISPATCH_H

#include "rpc/client.h"

// A program that is served.
struct service {
    const struct xdr_program *program;
    // NULL: the procedure answers VIR_ERR_NO_SUPPORT.
    call_handler *(*handler)(uint32_t procedure);
    // Whether this call may run now, after all general checks; false with call->error set. May be
    // NULL.
    bool (*gate)(struct call *call);
    // Whether the peer may do what it asks for; likewise. call->handler is the one that would run.
    bool (*access)(struct call *call);
    struct service *next;
};

// Has the server serve it too. A service belongs to one server.
void dispatch_serve(struct server *server, struct service *service);
// Takes the slot over.
void dispatch_call(struct client *client, struct slot *slot, const struct message_header *header);

// How many more calls could begin, and how many are in progress (rpc/call.c).
uint32_t call_places_free(void);
uint32_t call_count(void);
// Begins a call, with the request's slot as its own; NULL when there is none left.
struct call *call_begin(struct client *client, struct slot *request,
                        const struct xdr_procedure *procedure);
void call_run(struct call *call); // its handler, from the start
void call_end(struct call *call); // replies and gives everything back

#endif
