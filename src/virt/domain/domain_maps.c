// The bit maps of processors that some replies carry.
#include "virt/domain/domain_maps.h"

#include "core/assert.h"
#include "proto/remote.h"

#include <string.h>

static uint8_t bytes[CONFIG_REMOTE_MESSAGE_MAX];

bool domain_maps_check(struct call *call, const char *name, int32_t count, int32_t len)
{
    int64_t total = (int64_t)count * len;
    if (total > REMOTE_CPUMAPS_MAX)
        return error_set(&call->error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                         "%s * maplen > REMOTE_CPUMAPS_MAX", name);
    if (total > (int64_t)sizeof(bytes))
        return error_set(&call->error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                         "%s * maplen is too large: limit is %d, CONFIG_REMOTE_MESSAGE_MAX", name,
                         CONFIG_REMOTE_MESSAGE_MAX);
    return true;
}

struct domain_maps domain_maps_begin(int32_t count, int32_t len)
{
    assert(count >= 0 && len >= 0 && (size_t)count * (size_t)len <= sizeof(bytes));
    memset(bytes, 0, (size_t)count * (size_t)len);
    return (struct domain_maps){.count = (uint32_t)count, .len = (size_t)len};
}

void domain_maps_set(struct domain_maps *maps, uint32_t number, const struct port_cpuset *set)
{
    assert(number < maps->count);
    cpuset_to_map(set, bytes + number * maps->len, maps->len);
}

void domain_maps_put(struct xdr_writer *w, const struct domain_maps *maps)
{
    xdr_put_opaque(w, bytes, maps->count * maps->len, REMOTE_CPUMAPS_MAX);
}
