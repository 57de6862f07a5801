// The bit maps of processors that some replies carry, one for each vcpu, all of the length that the
// client asked for.
#ifndef VIRT_DOMAIN_MAPS_H
#define VIRT_DOMAIN_MAPS_H

#include "rpc/call.h"
#include "virt/domain/cpuset.h"

struct domain_maps {
    uint32_t count;
    size_t len; // bytes of one
};

// Refuses a number of maps and a length that together exceed the protocol's or a message's limit.
// `name` is that of the number, for the message.
bool domain_maps_check(struct call *call, const char *name, int32_t count, int32_t len);
// The maps are empty. There is one set of them at a time.
struct domain_maps domain_maps_begin(int32_t count, int32_t len);
void domain_maps_set(struct domain_maps *maps, uint32_t number, const struct port_cpuset *set);
void domain_maps_put(struct xdr_writer *w, const struct domain_maps *maps);

#endif
