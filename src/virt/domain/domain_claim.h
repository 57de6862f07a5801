// The row that a document from a client is for: the domain of its uuid, or a new one.
#ifndef VIRT_DOMAIN_CLAIM_H
#define VIRT_DOMAIN_CLAIM_H

#include "text/xml.h"
#include "virt/domain/domain.h"

// With a reference for the caller; *added tells that the row is new, and still hidden. NULL with
// VIR_ERR_OPERATION_FAILED when name or uuid belong to another domain, or the table is full.
struct domain *domain_claim(const struct hypervisor *hypervisor, const struct xml_node *tree,
                            bool *added, struct error *err);

#endif
