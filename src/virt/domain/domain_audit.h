// The record of guests that start and stop, for libvirtd.conf's audit_logging.
#ifndef VIRT_DOMAIN_DOMAIN_AUDIT_H
#define VIRT_DOMAIN_DOMAIN_AUDIT_H

#include "virt/domain/domain.h"

void domain_audit_start(bool logging);
// Tells of a lifecycle event (VIR_DOMAIN_EVENT_*) when it is a start or a stop.
void domain_audit(const struct domain *domain, int event, int detail);

#endif
