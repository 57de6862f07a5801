// Domain events: told to every connection that has registered for them, on the old call
// (virConnectDomainEventRegister) and by callback id (virConnectDomainEventRegisterAny).
//
// Emitting never fails and never waits: a client whose send queue is full is cut, the others do not
// notice. All strings are copied into the messages.
#ifndef VIRT_DOMAIN_EVENT_H
#define VIRT_DOMAIN_EVENT_H

#include "core/config.h"
#include "virt/domain/domain.h"

// Each names the event id (VIR_DOMAIN_EVENT_ID_*) that libvirt's API page describes.
void domain_event_lifecycle(const struct domain *domain, int event, int detail);
void domain_event_reboot(const struct domain *domain);
void domain_event_rtc_change(const struct domain *domain, int64_t offset_seconds);
void domain_event_watchdog(const struct domain *domain, int action);
void domain_event_io_error(const struct domain *domain, struct slice path, struct slice alias,
                           int action, struct slice reason);
void domain_event_graphics(const struct domain *domain, int phase, int local_family,
                           struct slice local_node, struct slice local_service, int remote_family,
                           struct slice remote_node, struct slice remote_service,
                           struct slice auth_scheme);
void domain_event_control_error(const struct domain *domain);
void domain_event_balloon_change(const struct domain *domain, uint64_t actual_kib);
void domain_event_tray_change(const struct domain *domain, struct slice alias, int reason);
void domain_event_pmsuspend(const struct domain *domain, int id,
                            int reason); // ..._PMSUSPEND, _PMWAKEUP
void domain_event_agent_lifecycle(const struct domain *domain, int state, int reason);
void domain_event_device(const struct domain *domain, int id, struct slice alias); // added, removed
void domain_event_tunable(const struct domain *domain, const char *name, struct slice value);
void domain_event_metadata_change(const struct domain *domain, int type, struct slice uri);

#ifdef CONFIG_QEMU_COMMANDS

// virConnectDomainQemuMonitorEventRegister
void domain_event_monitor(const struct domain *domain, struct slice event, int64_t seconds,
                          uint32_t microseconds, struct slice details);

#else // nobody can register

static inline void domain_event_monitor(const struct domain *domain, struct slice event,
                                        int64_t seconds, uint32_t microseconds,
                                        struct slice details)
{
    (void)domain, (void)event, (void)seconds, (void)microseconds, (void)details;
}

#endif

#endif
