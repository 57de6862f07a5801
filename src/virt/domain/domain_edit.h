// Changes of a domain that can concern the running guest, its definition, or both
// (VIR_DOMAIN_AFFECT_LIVE, _CONFIG, _CURRENT).
//
// libvirt's order: the job, what the flags mean for this domain, all checks, the guest, its live
// definition, the persistent definition.
#ifndef VIRT_DOMAIN_EDIT_H
#define VIRT_DOMAIN_EDIT_H

#include "virt/domain/domain_call.h"

struct domain_edit {
    struct domain_call base;
    struct hypervisor_op op;
    struct definition_change change;
    uint32_t flags; // of the call; VIR_DOMAIN_AFFECT_* resolved once the job is there
};

// The functions return false with the call's error set. Any but `prepare` may be NULL.
struct domain_edit_kind {
    const char *holder; // "remoteDispatchDomainSetMemoryFlags"
    uint32_t (*allowed)(const struct hypervisor *hypervisor);
    bool one; // definition at a time, where hypervisor->edits_one
    // Checks the arguments that libvirt's public function checks, and sets edit->flags. The domain
    // is not known yet.
    bool (*prepare)(struct call *call, struct domain_edit *edit);
    // With the job and the resolved flags.
    bool (*check)(struct call *call, struct domain_edit *edit);
    // Asks the driver to change the running guest; where in struct hypervisor, 0: no need. What it
    // wants to know is put into edit->op by `check`.
    size_t live_op;
    bool (*edit_live)(struct call *call, struct xml_doc *doc, struct xml_node *tree);
    bool (*edit_config)(struct call *call, struct xml_doc *doc, struct xml_node *tree);
    void (*done)(struct call *call, struct domain_edit *edit); // on success: events, the reply
};

// Uses all of the call's state. The arguments must begin with the domain.
enum co_status domain_edit_run(struct call *call, const struct domain_edit_kind *kind);

// For `allowed`: VIR_DOMAIN_AFFECT_LIVE and _CONFIG.
uint32_t domain_edit_impact_flags(const struct hypervisor *hypervisor);

#endif
