// The row that a document from a client is for: the domain of its uuid, or a new one.
#ifndef VIRT_DOMAIN_CLAIM_H
#define VIRT_DOMAIN_CLAIM_H

#include "rpc/call.h"
#include "text/xml.h"
#include "virt/domain/domain.h"

// With a reference for the caller; *added tells that the row is new, and still hidden. NULL with
// the call's error set: VIR_ERR_ACCESS_DENIED when its peer may not do that to a domain of that
// name and uuid, VIR_ERR_OPERATION_FAILED when name or uuid belong to another domain, or the table
// is full.
struct domain *domain_claim(struct call *call, const struct hypervisor *hypervisor,
                            const struct xml_node *tree, bool *added);

#endif
