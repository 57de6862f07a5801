// Opening: clients whose transport is in its handshake.
//
// A handshake costs time, so they take turns in the background of the loop: however many there
// are, a turn is held up by little more than one signature, and then three times as long by none.
// Whoever stands still is the first to go when room is needed, so stalled handshakes keep nobody
// out; and whoever moves on does not count for max_anonymous_clients, so many who come at once do
// not keep each other out.
#ifndef RPC_OPENING_H
#define RPC_OPENING_H

#include "rpc/client.h"

// Something has come from a client that is opening, or it can be written to.
void opening_ready(struct client *client);
// Of those opening on a server the one that has been silent longest; NULL when there is none.
struct client *opening_find_silent(const struct server *server);
// Whether it is in its handshake, and was heard of within the last second.
bool opening_moves(const struct client *client);
void opening_gone(struct client *client);

#endif
