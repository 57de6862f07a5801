// A guest's agent: the connection to it, and asking it. Without CONFIG_GUEST_AGENT nobody connects.
#ifndef HV_QEMU_GUEST_AGENT_H
#define HV_QEMU_GUEST_AGENT_H

#include "core/config.h"
#include "hv/qemu/guest/guest.h"
#include "virt/hypervisor.h"

// What an operation that asks the agent keeps.
struct guest_agent_op {
    struct guest *guest;
    union {
        struct agent_call agent;
        struct monitor_call call;
    };
};

#ifdef CONFIG_GUEST_AGENT

// Connects the agent when there is one that QEMU says is there. Failing is noted in the guest.
void guest_agent_connect(struct guest *guest);

// Whether the agent can be asked now (libvirt: qemuDomainAgentAvailable). Errors:
// VIR_ERR_OPERATION_INVALID, VIR_ERR_AGENT_UNRESPONSIVE, VIR_ERR_ARGUMENT_UNSUPPORTED.
bool guest_agent_available(const struct guest *guest, struct error *err);

// One command; `command` is looked at in each call. True when it is over, with the answer in
// s->agent or the op's error set.
bool guest_agent_ask(struct hypervisor_op *op, struct guest_agent_op *s, struct slice command,
                     int timeout);

// Operation: as many processors online as op->vcpus.count says.
enum co_status guest_agent_set_vcpu_count(struct hypervisor_op *op);

#else

static inline void guest_agent_connect(struct guest *guest)
{
    (void)guest;
}

static inline bool guest_agent_available(const struct guest *guest, struct error *err)
{
    (void)guest;
    return error_set(err, VIR_FROM_QEMU, VIR_ERR_ARGUMENT_UNSUPPORTED,
                     "the guest agent is left out of this build");
}

static inline enum co_status guest_agent_set_vcpu_count(struct hypervisor_op *op)
{
    guest_agent_available(NULL, op->err);
    return CO_DONE;
}

#endif

#endif
