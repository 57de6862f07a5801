// What the handlers of storage procedures share.
#include "virt/storage/storage_call.h"

#include "virt/access.h"
#include "virt/domain/domain_call.h"

#include <stdio.h>
#include <string.h>

bool storage_call_supported(struct call *call)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (hypervisor && !hypervisor->has_storage)
        call_unsupported(call);
    return hypervisor && hypervisor->has_storage;
}

struct storage_pool *storage_call_pool(struct call *call,
                                       const struct remote_nonnull_storage_pool *wire)
{
    char uuid[37];
    if (!storage_call_supported(call))
        return NULL;
    struct storage_pool *pool = storage_by_uuid(wire->uuid);
    if (pool)
        return pool;
    domain_uuid_format(wire->uuid, uuid);
    call_fail(call, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_POOL,
              "no storage pool with matching uuid '%s' (%.*s)", uuid, SLICE_ARG(wire->name));
    return NULL;
}

bool storage_check_active(const struct storage_pool *pool, struct error *err)
{
    return pool->active || error_set(err, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID,
                                     "storage pool '%s' is not active", pool->name);
}

struct storage_pool *storage_call_active(struct call *call,
                                         const struct remote_nonnull_storage_pool *wire)
{
    struct storage_pool *pool = storage_call_pool(call, wire);
    return pool && storage_check_active(pool, &call->error) ? pool : NULL;
}

struct storage_pool *storage_call_idle(struct call *call,
                                       const struct remote_nonnull_storage_pool *wire)
{
    struct storage_pool *pool = storage_call_active(call, wire);
    if (!pool || pool->jobs == 0)
        return pool;
    call_fail(call, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR,
              "pool '%s' has asynchronous jobs running.", pool->name);
    return NULL;
}

bool storage_call_free(struct call *call, const struct storage_pool *pool)
{
    return !pool->busy || error_set(&call->error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR,
                                    "pool '%s' has asynchronous jobs running.", pool->name);
}

struct storage_pool *storage_call_inactive(struct call *call,
                                           const struct remote_nonnull_storage_pool *wire)
{
    struct storage_pool *pool = storage_call_pool(call, wire);
    if (!pool)
        return NULL;
    if (pool->active)
        call_fail(call, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID,
                  "storage pool '%s' is still active", pool->name);
    else if (storage_call_free(call, pool))
        return pool;
    return NULL;
}

struct access_object storage_volume_object(const struct storage_pool *pool, struct slice name)
{
    return (struct access_object){
        .kind = ACCESS_STORAGE_VOL, .name = name, .parent = slice_of(pool ? pool->name : NULL)};
}

bool storage_check_volume(struct call *call, const struct storage_pool *pool, struct slice name)
{
    struct access_object object = storage_volume_object(pool, name);
    return access_check_object(call, &object);
}

bool storage_shows_volume(const struct call *call, const struct storage_pool *pool,
                          struct slice name)
{
    struct access_object object = storage_volume_object(pool, name);
    return access_shows(call, &object);
}

void storage_call_fail(struct call *call, int result, const char *what, const char *path)
{
    call_fail(call, VIR_FROM_STORAGE, VIR_ERR_SYSTEM_ERROR, "%s '%s': %s", what, path,
              strerror(result));
}

void storage_to_wire(const struct storage_pool *pool, struct remote_nonnull_storage_pool *wire)
{
    wire->name = slice_of(pool->name);
    memcpy(wire->uuid, pool->uuid, sizeof(wire->uuid));
}

void storage_reply_pool(struct call *call, const struct storage_pool *pool)
{
    struct remote_nonnull_storage_pool wire;
    storage_to_wire(pool, &wire);
    xdr_encode(call_reply(call), XDR_TYPE(remote_nonnull_storage_pool), &wire);
}

void storage_put_volume(struct xdr_writer *w, const struct storage_pool *pool, struct slice name)
{
    char key[STORAGE_PATH_SIZE + VOLUME_NAME_SIZE];
    snprintf(key, sizeof(key), "%s/%.*s", pool->path, SLICE_ARG(name));
    struct remote_nonnull_storage_vol wire = {slice_of(pool->name), name, slice_of(key)};
    xdr_encode(w, XDR_TYPE(remote_nonnull_storage_vol), &wire);
}
