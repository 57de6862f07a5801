// Objects of calls: finding what a call's arguments name.
//
// An object stands in a call's first argument, as a struct of the contract's. Each kind that has a
// table here has an entry that finds its row.
#include "virt/access_objects.h"

#include "proto/remote.h"
#include "virt/connection.h"
#include "virt/hypervisor.h"
#include "virt/storage/storage_call.h"

#include <stddef.h>

struct access_object access_domain(const struct domain *domain)
{
    return (struct access_object){
        .kind = ACCESS_DOMAIN, .name = slice_of(domain->name), .uuid = domain->uuid};
}

struct access_object access_pool(const struct storage_pool *pool)
{
    return (struct access_object){
        .kind = ACCESS_STORAGE_POOL, .name = slice_of(pool->name), .uuid = pool->uuid};
}

// Each: the struct at `at` in the arguments; false when there is no such object.
typedef bool find_fn(const struct hypervisor *hypervisor, const void *at,
                     struct access_object *object);

static bool find_domain(const struct hypervisor *hypervisor, const void *at,
                        struct access_object *object)
{
    const struct remote_nonnull_domain *wire = at;
    const struct domain *domain = domain_by_uuid(hypervisor, wire->uuid);
    if (domain)
        *object = access_domain(domain);
    return domain != NULL;
}

static bool find_domain_of_snapshot(const struct hypervisor *hypervisor, const void *at,
                                    struct access_object *object)
{
    const struct remote_nonnull_domain_snapshot *wire = at;
    return find_domain(hypervisor, &wire->dom, object);
}

static bool find_domain_of_checkpoint(const struct hypervisor *hypervisor, const void *at,
                                      struct access_object *object)
{
    const struct remote_nonnull_domain_checkpoint *wire = at;
    return find_domain(hypervisor, &wire->dom, object);
}

#ifdef CONFIG_STORAGE
static bool find_pool(const struct hypervisor *hypervisor, const void *at,
                      struct access_object *object)
{
    const struct remote_nonnull_storage_pool *wire = at;
    const struct storage_pool *pool = hypervisor->has_storage ? storage_by_uuid(wire->uuid) : NULL;
    if (pool)
        *object = access_pool(pool);
    return pool != NULL;
}

// A volume has no row: it is a name in a pool.
static bool find_volume(const struct hypervisor *hypervisor, const void *at,
                        struct access_object *object)
{
    const struct remote_nonnull_storage_vol *wire = at;
    const struct storage_pool *pool = hypervisor->has_storage ? storage_by_name(wire->pool) : NULL;
    if (pool)
        *object = storage_volume_object(pool, wire->name);
    return pool != NULL;
}
#endif

static const struct {
    enum access_kind kind;
    int type; // of the argument
    find_fn *find;
} finders[] = {
    {ACCESS_DOMAIN, XDR_TYPE_remote_nonnull_domain, find_domain},
    {ACCESS_DOMAIN, XDR_TYPE_remote_nonnull_domain_snapshot, find_domain_of_snapshot},
    {ACCESS_DOMAIN, XDR_TYPE_remote_nonnull_domain_checkpoint, find_domain_of_checkpoint},
#ifdef CONFIG_STORAGE
    {ACCESS_STORAGE_POOL, XDR_TYPE_remote_nonnull_storage_pool, find_pool},
    {ACCESS_STORAGE_VOL, XDR_TYPE_remote_nonnull_storage_vol, find_volume},
#endif
};

enum access_found access_find_object(const struct call *call, struct access_object *object)
{
    const struct hypervisor *hypervisor = connection_hypervisor(call->client);
    const struct xdr_type *args = xdr_procedure_args(call->procedure);
    if (object->kind == ACCESS_CONNECT)
        return ACCESS_FOUND;
    if (!hypervisor || !args || !args->count)
        return ACCESS_UNKNOWN;
    const struct xdr_field *first = &contract_fields[args->first];
    if (first->kind != XDR_STRUCT || first->shape != XDR_ONE)
        return ACCESS_UNKNOWN;
    for (size_t i = 0; i < sizeof(finders) / sizeof(finders[0]); i++)
        if (finders[i].kind == object->kind && first->of == finders[i].type)
            return finders[i].find(hypervisor, call->args + first->offset, object) ? ACCESS_FOUND
                                                                                   : ACCESS_MISSING;
    return ACCESS_UNKNOWN;
}
