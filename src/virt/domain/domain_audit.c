// The record of guests that start and stop: libvirt's audit messages of kind VIRT_CONTROL
// (https://libvirt.org/auditlog.html), in the log, where libvirtd sends them too.
#include "virt/domain/domain_audit.h"

#include "core/log.h"
#include "core/uuid.h"
#include "virt/domain/domain_constants.h"
#include "virt/hypervisor.h"

static bool wanted;

void domain_audit_start(bool logging)
{
    wanted = logging;
}

static const char *stop_reason(int detail)
{
    switch (detail) {
    case VIR_DOMAIN_EVENT_STOPPED_DESTROYED:
        return "destroyed";
    case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
        return "crashed";
    case VIR_DOMAIN_EVENT_STOPPED_FAILED:
        return "failed";
    default:
        return "shutdown";
    }
}

void domain_audit(const struct domain *domain, int event, int detail)
{
    char uuid[UUID_TEXT_SIZE];
    bool starts = event == VIR_DOMAIN_EVENT_STARTED;
    if (!wanted || !(starts || event == VIR_DOMAIN_EVENT_STOPPED))
        return;
    uuid_format(domain->uuid, uuid);
    log_info("audit", "success=yes virt=%s op=%s reason=%s vm=\"%s\" uuid=%s",
             domain->hypervisor->type, starts ? "start" : "stop",
             starts ? "booted" : stop_reason(detail), domain->name, uuid);
}
