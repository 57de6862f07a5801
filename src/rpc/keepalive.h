// Keepalive: PING and PONG, in both directions (libvirt's docs/kbase/internals/rpc.html,
// "Keepalive").
#ifndef RPC_KEEPALIVE_H
#define RPC_KEEPALIVE_H

#include "rpc/client.h"

// A message of type VIR_NET_MESSAGE has come.
void keepalive_receive(struct client *client, const struct message_header *header);
// The client has asked whether we know keepalive: from now on it answers pings, so we send some.
void keepalive_start(struct client *client);
void keepalive_stop(struct client *client);

#endif
