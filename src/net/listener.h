// Listeners: the sockets on which clients arrive.
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "core/error.h"
#include "rpc/server.h"

#include <stdbool.h>
#include <stdint.h>

// Each admits its clients as `admission` says, which is copied.

// Listens on a unix socket: its mode and group are set before anybody can connect; gid (uint32_t)-1
// leaves the group. VIR_ERR_SYSTEM_ERROR says what failed.
bool listener_add_unix(const char *path, uint32_t mode, uint32_t gid,
                       const struct admission *admission, struct error *err);
// Listens on an address (NULL: all, IPv4 and IPv6) and a port or service name.
bool listener_add_tcp(const char *address, const char *service, const struct admission *admission,
                      struct error *err);
// Listens on a socket that somebody else has opened, and whose file is that one's; it is ours from
// now on, whatever the result.
bool listener_add_fd(int fd, const struct admission *admission, struct error *err);
// The port of the first listener of that transport, by its name; 0 when there is none.
uint16_t listener_port(const char *transport);
// Has all of them look again whether there is room: after a limit was raised.
void listener_reconsider(void);
// Closes all of them and removes their socket files.
void listener_close_all(void);

#endif
