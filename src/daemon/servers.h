// The servers: what the daemon serves to whom, with which limits, and on which sockets.
#ifndef DAEMON_SERVERS_H
#define DAEMON_SERVERS_H

#include "core/error.h"
#include "core/settings.h"

// Adds the servers with their programs and the limits of the settings.
void servers_add(const struct settings *settings);
// Opens their sockets. Those of TCP only with `ip`, which is --listen.
bool servers_listen(const struct settings *settings, bool ip, struct error *err);

#endif
