// What the handlers of domain procedures share: finding the domain, holding its job, running an
// operation of its driver, and libvirt's order of checks.
//
// Names in messages are libvirt's: the function that refuses flags is the driver's
// ("qemuDomainReset"), the holder of a job is the daemon's dispatcher
// ("remoteDispatchDomainReset").
#ifndef VIRT_DOMAIN_CALL_H
#define VIRT_DOMAIN_CALL_H

#include "proto/remote.h"
#include "rpc/call.h"
#include "virt/connection.h"
#include "virt/domain/definition.h"
#include "virt/domain/domain.h"
#include "virt/hypervisor.h"

#define VIR_TYPED_PARAM_STRING_OKAY 4u // virTypedParameterFlags

// The driver of the connection that the call came over. NULL, with the call's error set, when the
// connection is not open.
const struct hypervisor *call_hypervisor(struct call *call);
// As call_flags(), with the driver's name for `function` ("DomainReset").
bool call_driver_flags(struct call *call, const struct hypervisor *hypervisor, uint32_t flags,
                       uint32_t allowed, const char *function);
// "this function is not supported by the connection driver: virDomainReset".
enum co_status call_unsupported(struct call *call);
// Errors of libvirt's public functions about arguments, VIR_ERR_INVALID_ARG.
bool call_invalid_argument(struct call *call, const char *argument, const char *must);
// VIR_ERR_INVALID_ARG when both flags are set ("Flags 'a' and 'b' are mutually exclusive").
bool call_exclusive_flags(struct call *call, uint32_t flags, uint32_t a, const char *a_name,
                          uint32_t b, const char *b_name);

// The row that `dom` names, without a reference: for handlers that do not wait. NULL, with the
// error set, when there is none.
struct domain *call_find_domain(struct call *call, const struct remote_nonnull_domain *dom);

// The start of the state of a handler that waits.
struct domain_call {
    struct domain *domain;
    struct domain_job_wait job;
};

// Finds the domain and takes a reference.
bool domain_call_open(struct call *call, struct domain_call *s,
                      const struct remote_nonnull_domain *dom);
// Ends the job and gives the reference back; either may be missing.
void domain_call_close(struct call *call, struct domain_call *s);
// Waits for the job; see domain_job_begin().
enum co_status domain_call_job(struct call *call, struct domain_call *s, const char *holder,
                               enum domain_job_kind kind);

// VIR_ERR_OPERATION_INVALID "domain is not running".
bool domain_check_active(const struct domain *domain, struct error *err);

// Resolves VIR_DOMAIN_AFFECT_CURRENT to LIVE or CONFIG, and refuses LIVE for a domain that does not
// run and CONFIG for a transient one, as libvirt does. Other bits are left alone.
bool domain_check_impact(const struct domain *domain, uint32_t *flags, struct error *err);

// The definition that `flags` (one of VIR_DOMAIN_AFFECT_LIVE and _CONFIG, resolved) means.
struct xml_node *domain_definition_for(const struct domain *domain, uint32_t flags,
                                       struct error *err);

void domain_to_wire(const struct domain *domain, struct remote_nonnull_domain *dom);
// Writes the remote_nonnull_domain.
void domain_put(struct xdr_writer *w, const struct domain *domain);
// The reply of every call that returns one domain.
void call_reply_domain(struct call *call, const struct domain *domain);

// A procedure that is one operation of the driver on a running domain.
struct domain_action {
    const char *holder; // "remoteDispatchDomainReset"
    enum domain_job_kind job;
    size_t op; // where in struct hypervisor
    // What flags are allowed, looked up in the driver's; NULL: none at all. The flags are those
    // that `prepare` has put into op->flags.
    uint32_t (*allowed)(const struct hypervisor *hypervisor);
    // Checks the arguments and fills the op; may be NULL.
    bool (*prepare)(struct call *call, struct hypervisor_op *op);
    // Looked at with the job; NULL: the domain must be active. *nothing_to_do ends it well.
    bool (*check)(const struct domain *domain, bool *nothing_to_do, struct error *err);
    void (*reply)(struct call *call, const struct hypervisor_op *op); // may be NULL
};

// For `check`: the operation itself looks at the state.
bool domain_any_state(const struct domain *domain, bool *nothing_to_do, struct error *err);

// The arguments must begin with the domain. Uses all of the call's state.
enum co_status domain_call_action(struct call *call, const struct domain_action *action);

#endif
