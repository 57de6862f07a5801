// Receiving: bytes into messages.
#ifndef RPC_RECEIVE_H
#define RPC_RECEIVE_H

#include "rpc/client.h"

// Takes what has come, as far as there is room for it.
void receive_ready(struct client *client);
// Goes on with what was held back; called when calls have ended and when slots have come back.
void receive_resume(struct client *client);
// Goes on with what a client was put off with, or with what polling does not tell of.
void receive_again(struct client *client);
bool receive_wanted(const struct client *client);
// Whether a message has begun and the client is to go on with it.
bool receive_in_message(const struct client *client);
void receive_drop(struct client *client); // gives everything back

#endif
