// Connections: which hypervisor a client has opened (virConnect).
#ifndef VIRT_CONNECTION_H
#define VIRT_CONNECTION_H

#include "core/slice.h"

#include <stdbool.h>

struct call;
struct client;
struct hypervisor;

// The level of libvirt whose semantics are followed, as virConnectGetLibVersion reports it: what
// clients decide by this number holds here.
#define LIBVIRT_LEVEL (9 * 1000000 + 0 * 1000 + 0)

// NULL when the client has not opened a connection.
const struct hypervisor *connection_hypervisor(const struct client *client);
// Whether a call may run before a connection is open, or one is; else false with the call's error
// set.
bool connection_gate(struct call *call);
// For start-up: hears of clients that leave.
void connection_init(void);

#endif
