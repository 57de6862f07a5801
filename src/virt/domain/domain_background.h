// What is done with domains although no client waits for it: starting those that are marked for
// autostart, and ending those whose client has left (VIR_DOMAIN_START_AUTODESTROY).
#ifndef VIRT_DOMAIN_BACKGROUND_H
#define VIRT_DOMAIN_BACKGROUND_H

#include "virt/domain/domain.h"

struct client;

enum domain_due { DOMAIN_DUE_NOTHING, DOMAIN_DUE_START, DOMAIN_DUE_DESTROY };

// Starts all domains of the driver that are marked for it and do not run, one after the other. A
// failure is logged.
void domain_autostart_all(const struct hypervisor *hypervisor);
// Ties a guest that was just started to the client, if `flags` has VIR_DOMAIN_START_AUTODESTROY.
void domain_autodestroy_set(struct domain *domain, const struct client *client, uint32_t flags);

#endif
