// Filters of domain lists.
#ifndef VIRT_DOMAIN_LIST_H
#define VIRT_DOMAIN_LIST_H

#include "virt/domain/domain.h"

// Whether a domain passes virConnectListAllDomainsFlags; a group of which no bit is set lets all
// pass.
bool domain_matches(const struct domain *domain, uint32_t filter);

// All bits of the filter's first three groups, which virConnectGetAllDomainStats knows too.
#define DOMAIN_LIST_STATE_FILTERS 0xffu
#define DOMAIN_LIST_FILTERS       0xffffu

#endif
