// Sending: the queue of a client.
#ifndef RPC_SEND_H
#define RPC_SEND_H

#include "rpc/client.h"

void send_flush(struct client *client); // writes what the peer takes now
void send_drop(struct client *client);  // gives everything back; nothing is sent any more

#endif
