// Handlers: which storage pools there are, and what is known of them without a look at the disk.
#include "virt/access.h"
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"
#include "virt/storage/storage_call.h"

// ---- lists

static bool matches(const struct storage_pool *pool, uint32_t filter)
{
    const uint32_t activity =
        VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE | VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE;
    const uint32_t persistence =
        VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT | VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT;
    const uint32_t autostart =
        VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART | VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART;
    const uint32_t groups[] = {activity, persistence, autostart,
                               VIR_CONNECT_LIST_STORAGE_POOLS_TYPES};
    uint32_t is = VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT | VIR_CONNECT_LIST_STORAGE_POOLS_DIR;
    is |= pool->active ? VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE
                       : VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE;
    is |= pool->autostart ? VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART
                          : VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        if ((filter & groups[i]) && !(filter & groups[i] & is))
            return false;
    return true;
}

static struct storage_pool *next_match(const struct call *call, struct storage_pool *pool,
                                       uint32_t filter)
{
    while ((pool = storage_next(pool)) && !(matches(pool, filter) && access_shows_pool(call, pool)))
        ;
    return pool;
}

static enum co_status list_all_storage_pools(struct call *call)
{
    const struct remote_connect_list_all_storage_pools_args *args =
        CALL_ARGS(call, struct remote_connect_list_all_storage_pools_args);
    const uint32_t allowed = VIR_CONNECT_LIST_STORAGE_POOLS_TYPES |
                             (VIR_CONNECT_LIST_STORAGE_POOLS_DIR - 1); // all bits below the types
    if (!storage_call_supported(call) || !call_flags(call, args->flags, allowed, VIR_FROM_STORAGE,
                                                     "storageConnectListAllStoragePools"))
        return CO_DONE;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_STORAGE_POOL_LIST_MAX);
    uint32_t count = 0;
    for (struct storage_pool *pool = NULL; (pool = next_match(call, pool, args->flags)); count++) {
        struct remote_nonnull_storage_pool wire;
        if (!args->need_results)
            continue;
        storage_to_wire(pool, &wire);
        xdr_list_add(w, &list);
        xdr_encode(w, XDR_TYPE(remote_nonnull_storage_pool), &wire);
    }
    xdr_list_end(w, &list);
    xdr_put_u32(w, count);
    return CO_DONE;
}

// The old calls: the running ones, or the others.
static uint32_t old_filter(const struct call *call)
{
    return call->header.proc == REMOTE_PROC_CONNECT_NUM_OF_STORAGE_POOLS ||
                   call->header.proc == REMOTE_PROC_CONNECT_LIST_STORAGE_POOLS
               ? VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE
               : VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE;
}

static enum co_status num_of_storage_pools(struct call *call)
{
    int32_t count = 0;
    if (!storage_call_supported(call))
        return CO_DONE;
    for (struct storage_pool *pool = NULL; (pool = next_match(call, pool, old_filter(call)));)
        count++;
    xdr_put_i32(call_reply(call), count);
    return CO_DONE;
}

static enum co_status list_storage_pools(struct call *call)
{
    int32_t max = CALL_ARGS(call, struct remote_connect_list_storage_pools_args)->maxnames;
    if (!storage_call_supported(call) ||
        !call_check_maximum(call, max, "maxnames", REMOTE_STORAGE_POOL_LIST_MAX))
        return CO_DONE;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_STORAGE_POOL_LIST_MAX);
    struct storage_pool *pool = NULL;
    while (max-- > 0 && (pool = next_match(call, pool, old_filter(call)))) {
        xdr_list_add(w, &list);
        xdr_put_string(w, slice_of(pool->name));
    }
    xdr_list_end(w, &list);
    return CO_DONE;
}

// ---- lookups

// `name` is the name that was asked for, absent in a lookup by a path.
static bool may_learn(struct call *call, const struct storage_pool *pool, struct slice name)
{
    const struct access_object asked = {.kind = ACCESS_STORAGE_POOL, .name = name};
    return pool ? access_check_pool(call, pool) : access_check_object(call, &asked);
}

static enum co_status reply_found(struct call *call, const struct storage_pool *pool,
                                  const char *what, struct slice wanted)
{
    if (error_is_set(&call->error))
        return CO_DONE;
    if (!pool)
        return call_fail(call, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_POOL,
                         "no storage pool with matching %s '%.*s'", what, SLICE_ARG(wanted));
    storage_reply_pool(call, pool);
    return CO_DONE;
}

static enum co_status lookup_by_name(struct call *call)
{
    struct slice name = CALL_ARGS(call, struct remote_storage_pool_lookup_by_name_args)->name;
    if (storage_call_supported(call))
        may_learn(call, storage_by_name(name), name);
    return reply_found(call, storage_by_name(name), "name", name);
}

static enum co_status lookup_by_uuid(struct call *call)
{
    const struct remote_storage_pool_lookup_by_uuid_args *args =
        CALL_ARGS(call, struct remote_storage_pool_lookup_by_uuid_args);
    char uuid[37];
    if (!storage_call_supported(call))
        return CO_DONE;
    domain_uuid_format(args->uuid, uuid);
    const struct storage_pool *pool = storage_by_uuid(args->uuid);
    if (pool)
        access_check_pool(call, pool);
    return reply_found(call, pool, "uuid", slice_of(uuid));
}

static enum co_status lookup_by_target_path(struct call *call)
{
    struct slice path =
        CALL_ARGS(call, struct remote_storage_pool_lookup_by_target_path_args)->path;
    char clean[STORAGE_PATH_SIZE];
    if (!storage_call_supported(call))
        return CO_DONE;
    struct storage_pool *pool =
        storage_clean_path(clean, sizeof(clean), path) ? storage_by_path(slice_of(clean)) : NULL;
    if (pool && !pool->active)
        pool = NULL;
    may_learn(call, pool, SLICE_NONE);
    return reply_found(call, pool, "target path", path);
}

static enum co_status lookup_by_volume(struct call *call)
{
    struct slice name = CALL_ARGS(call, struct remote_storage_pool_lookup_by_volume_args)->vol.pool;
    if (storage_call_supported(call))
        may_learn(call, storage_by_name(name), name);
    return reply_found(call, storage_by_name(name), "name", name);
}

// ---- what a row says

static enum co_status reply_fact(struct call *call)
{
    struct storage_pool *pool =
        storage_call_pool(call, CALL_ARGS(call, struct remote_nonnull_storage_pool));
    if (!pool)
        return CO_DONE;
    bool fact = true; // every pool is persistent
    if (call->header.proc == REMOTE_PROC_STORAGE_POOL_IS_ACTIVE)
        fact = pool->active;
    else if (call->header.proc == REMOTE_PROC_STORAGE_POOL_GET_AUTOSTART)
        fact = pool->autostart;
    xdr_put_i32(call_reply(call), fact);
    return CO_DONE;
}

const struct call_entry storage_pool_list_handlers[] = {
    {REMOTE_PROC_CONNECT_LIST_ALL_STORAGE_POOLS, list_all_storage_pools},
    {REMOTE_PROC_CONNECT_NUM_OF_STORAGE_POOLS, num_of_storage_pools},
    {REMOTE_PROC_CONNECT_NUM_OF_DEFINED_STORAGE_POOLS, num_of_storage_pools},
    {REMOTE_PROC_CONNECT_LIST_STORAGE_POOLS, list_storage_pools},
    {REMOTE_PROC_CONNECT_LIST_DEFINED_STORAGE_POOLS, list_storage_pools},
    {REMOTE_PROC_STORAGE_POOL_LOOKUP_BY_NAME, lookup_by_name},
    {REMOTE_PROC_STORAGE_POOL_LOOKUP_BY_UUID, lookup_by_uuid},
    {REMOTE_PROC_STORAGE_POOL_LOOKUP_BY_TARGET_PATH, lookup_by_target_path},
    {REMOTE_PROC_STORAGE_POOL_LOOKUP_BY_VOLUME, lookup_by_volume},
    {REMOTE_PROC_STORAGE_POOL_IS_ACTIVE, reply_fact},
    {REMOTE_PROC_STORAGE_POOL_IS_PERSISTENT, reply_fact},
    {REMOTE_PROC_STORAGE_POOL_GET_AUTOSTART, reply_fact},
    {0, NULL},
};
