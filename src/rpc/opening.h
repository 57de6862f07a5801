// Opening: clients whose transport is in its handshake.
//
// A handshake costs time, so they take turns: however many there are, a turn of the loop is held up
// by little more than one signature. Whoever stands still is the first to go when room is needed,
// so stalled handshakes keep nobody out.
#ifndef RPC_OPENING_H
#define RPC_OPENING_H

#include "rpc/client.h"

// Something has come from a client that is opening, or it can be written to.
void opening_ready(struct client *client);
// Of those opening on a server the one that has been silent longest; NULL when there is none.
struct client *opening_find_silent(const struct server *server);
void opening_gone(struct client *client);

#endif
