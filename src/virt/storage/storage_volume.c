// Handlers: volumes, which are the files in a pool's directory.
#include "core/slot.h"
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"
#include "virt/storage/storage_call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// ---- lists

struct list_state {
    struct storage_work work;
    struct pause retry;
    struct slot *slot;
    struct buffer names;
};

static const struct remote_nonnull_storage_pool *pool_arg(const struct call *call)
{
    return CALL_ARGS(call, struct remote_nonnull_storage_pool);
}

static bool list_check(struct call *call)
{
    if (call->header.proc == REMOTE_PROC_STORAGE_POOL_LIST_ALL_VOLUMES &&
        !call_flags(call, CALL_ARGS(call, struct remote_storage_pool_list_all_volumes_args)->flags,
                    0, VIR_FROM_STORAGE, "storagePoolListAllVolumes"))
        return false;
    if (call->header.proc == REMOTE_PROC_STORAGE_POOL_LIST_VOLUMES &&
        !call_check_maximum(call,
                            CALL_ARGS(call, struct remote_storage_pool_list_volumes_args)->maxnames,
                            "maxnames", REMOTE_STORAGE_VOL_LIST_MAX))
        return false;
    return storage_call_active(call, pool_arg(call)) != NULL;
}

static bool next_shown(const struct call *call, const struct storage_pool *pool,
                       struct slice *names, struct slice *name)
{
    while (names->len && slice_split(names, '\n', name))
        if (storage_shows_volume(call, pool, *name))
            return true;
    return false;
}

// Nobody may hold the names for longer than he writes his reply.
static void reply_all(struct call *call, const struct storage_pool *pool, struct slice names)
{
    const struct remote_storage_pool_list_all_volumes_args *args =
        CALL_ARGS(call, struct remote_storage_pool_list_all_volumes_args);
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_STORAGE_VOL_LIST_MAX);
    struct slice name;
    uint32_t count = 0;
    for (; next_shown(call, pool, &names, &name); count++) {
        if (!args->need_results)
            continue;
        xdr_list_add(w, &list);
        storage_put_volume(w, pool, name);
    }
    xdr_list_end(w, &list);
    xdr_put_u32(w, count);
}

static void reply_names(struct call *call, const struct storage_pool *pool, struct slice names)
{
    int32_t max = CALL_ARGS(call, struct remote_storage_pool_list_volumes_args)->maxnames;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_STORAGE_VOL_LIST_MAX);
    struct slice name;
    while (max-- > 0 && next_shown(call, pool, &names, &name)) {
        xdr_list_add(w, &list);
        xdr_put_string(w, name);
    }
    xdr_list_end(w, &list);
}

static void reply_count(struct call *call, const struct storage_pool *pool, struct slice names)
{
    struct slice name;
    int32_t count = 0;
    while (next_shown(call, pool, &names, &name))
        count++;
    xdr_put_i32(call_reply(call), count);
}

static void list_reply(struct call *call, const struct list_state *s)
{
    const struct storage_pool *pool = NULL;
    struct slice names = buffer_slice(&s->names);
    if (error_is_set(&call->error) || !(pool = storage_call_active(call, pool_arg(call))))
        return;
    if (storage_result(&s->work) != 0)
        storage_call_fail(call, storage_result(&s->work), "cannot open path", pool->path);
    else if (!buffer_ok(&s->names))
        call_fail(call, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED,
                  "too many volumes: limit of their names is %d bytes, CONFIG_REMOTE_MESSAGE_MAX",
                  SLOT_LARGE_SIZE);
    else if (call->header.proc == REMOTE_PROC_STORAGE_POOL_LIST_ALL_VOLUMES)
        reply_all(call, pool, names);
    else if (call->header.proc == REMOTE_PROC_STORAGE_POOL_LIST_VOLUMES)
        reply_names(call, pool, names);
    else
        reply_count(call, pool, names);
}

#define SLOT_DELAY_NS (5 * NS_PER_MS)

static bool take_memory(struct list_state *s)
{
    s->slot = slot_take_outgoing(SLOT_LARGE_SIZE);
    if (s->slot)
        s->names = buffer_over(s->slot->at, s->slot->size);
    return s->slot;
}

static enum co_status list_volumes(struct call *call)
{
    struct list_state *s = CALL_STATE(call, struct list_state);
    CO_BEGIN(&call->co);
    if (!list_check(call))
        CO_RETURN(&call->co);
    while (!take_memory(s)) {
        pause_start(&s->retry, &call->task, SLOT_DELAY_NS);
        CO_WAIT(&call->co, s->retry.over);
    }
    if (storage_call_active(call, pool_arg(call)))
        CO_CALL(&call->co,
                storage_run(&s->work, STORAGE_LIST, storage_by_uuid(pool_arg(call)->uuid),
                            SLICE_NONE, &s->names, &call->task, &call->error));
    list_reply(call, s);
    slot_release(s->slot);
    CO_END(&call->co);
}

// ---- one volume

struct volume_state {
    struct storage_work work;
    char pool[STORAGE_NAME_SIZE];
    char name[VOLUME_NAME_SIZE];
};

// What a procedure on one volume is, after its probe.
struct volume_act {
    bool (*find)(struct call *call, struct volume_state *s);
    const char *function; // that refuses flags; NULL: has none
    uint32_t allowed;
    void (*reply)(struct call *call, const struct storage_pool *pool,
                  const struct storage_volume *volume);
};

static bool no_volume(struct call *call, const char *what, struct slice wanted)
{
    return error_set(&call->error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_VOL,
                     "no storage vol with matching %s '%.*s'", what, SLICE_ARG(wanted));
}

static bool take_names(struct call *call, struct volume_state *s, const struct storage_pool *pool,
                       struct slice name)
{
    memcpy(s->pool, pool->name, sizeof(s->pool));
    return (volume_name_valid(name) && slice_copy(s->name, sizeof(s->name), name)) ||
           no_volume(call, "name", name);
}

static bool find_volume(struct call *call, struct volume_state *s)
{
    const struct remote_nonnull_storage_vol *vol =
        CALL_ARGS(call, struct remote_nonnull_storage_vol);
    if (!storage_call_supported(call))
        return false;
    const struct storage_pool *pool = storage_by_name(vol->pool);
    if (!pool)
        return error_set(&call->error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_POOL,
                         "no storage pool with matching name '%.*s'", SLICE_ARG(vol->pool));
    return storage_check_active(pool, &call->error) && take_names(call, s, pool, vol->name);
}

static bool find_in_pool(struct call *call, struct volume_state *s)
{
    const struct remote_storage_vol_lookup_by_name_args *args =
        CALL_ARGS(call, struct remote_storage_vol_lookup_by_name_args);
    const struct storage_pool *pool = storage_call_active(call, &args->pool);
    return pool && storage_check_volume(call, pool, args->name) &&
           take_names(call, s, pool, args->name);
}

// By path or key, which are the same; the arguments are too.
static bool find_path(struct call *call, struct volume_state *s)
{
    struct slice path = CALL_ARGS(call, struct remote_storage_vol_lookup_by_path_args)->path;
    char clean[STORAGE_PATH_SIZE + VOLUME_NAME_SIZE];
    if (!storage_call_supported(call))
        return false;
    if (!storage_clean_path(clean, sizeof(clean), path) || clean[0] != '/')
        return storage_check_volume(call, NULL, SLICE_NONE) && no_volume(call, "path", path);
    char *slash = strrchr(clean, '/');
    struct slice directory = {clean, slash == clean ? 1 : (size_t)(slash - clean)};
    const struct storage_pool *pool = storage_by_path(directory);
    if (!storage_check_volume(call, pool, pool ? slice_of(slash + 1) : SLICE_NONE))
        return false;
    if (!pool || !pool->active || !volume_name_valid(slice_of(slash + 1)))
        return no_volume(call, "path", path);
    return take_names(call, s, pool, slice_of(slash + 1));
}

static const struct storage_pool *volume_open(struct call *call, struct volume_state *s,
                                              const struct volume_act *act)
{
    // Those calls with flags have a volume before.
    if (act->function &&
        !call_flags(call, CALL_ARGS(call, struct remote_storage_vol_delete_args)->flags,
                    act->allowed, VIR_FROM_STORAGE, act->function))
        return NULL;
    return act->find(call, s) ? storage_by_name(slice_of(s->pool)) : NULL;
}

static void no_such_volume(struct call *call, const struct volume_act *act,
                           const struct volume_state *s)
{
    if (act->find == find_path)
        no_volume(call, "path",
                  CALL_ARGS(call, struct remote_storage_vol_lookup_by_path_args)->path);
    else
        no_volume(call, "name", slice_of(s->name));
}

static void volume_finish(struct call *call, const struct volume_act *act, struct volume_state *s)
{
    const struct storage_pool *pool = storage_by_name(slice_of(s->pool));
    int result = storage_result(&s->work);
    if (error_is_set(&call->error))
        return;
    if (!pool || result == ENOENT)
        no_such_volume(call, act, s);
    else if (result != 0)
        storage_call_fail(call, result, "cannot stat file", s->name);
    else
        act->reply(call, pool, &s->work.volume);
}

static enum co_status volume_run(struct call *call, const struct volume_act *act)
{
    struct volume_state *s = CALL_STATE(call, struct volume_state);
    const struct storage_pool *pool = NULL;
    CO_BEGIN(&call->co);
    if (!(pool = volume_open(call, s, act)))
        CO_RETURN(&call->co);
    CO_CALL(&call->co, storage_run(&s->work, STORAGE_PROBE, pool, slice_of(s->name), NULL,
                                   &call->task, &call->error));
    volume_finish(call, act, s);
    CO_END(&call->co);
}

static void reply_volume(struct call *call, const struct storage_pool *pool,
                         const struct storage_volume *volume)
{
    storage_put_volume(call_reply(call), pool, slice_of(volume->name));
}

static enum co_status lookup_by_name(struct call *call)
{
    static const struct volume_act act = {.find = find_in_pool, .reply = reply_volume};
    return volume_run(call, &act);
}

static enum co_status lookup_by_path(struct call *call)
{
    static const struct volume_act act = {.find = find_path, .reply = reply_volume};
    return volume_run(call, &act);
}

static void reply_path(struct call *call, const struct storage_pool *pool,
                       const struct storage_volume *volume)
{
    char path[STORAGE_PATH_SIZE + VOLUME_NAME_SIZE];
    snprintf(path, sizeof(path), "%s/%s", pool->path, volume->name);
    xdr_put_string(call_reply(call), slice_of(path));
}

static enum co_status get_path(struct call *call)
{
    static const struct volume_act act = {.find = find_volume, .reply = reply_path};
    return volume_run(call, &act);
}

static void reply_info(struct call *call, const struct storage_pool *pool,
                       const struct storage_volume *volume)
{
    (void)pool;
    struct remote_storage_vol_get_info_flags_ret ret = {.type = (int8_t)volume->type,
                                                        .capacity = volume->capacity,
                                                        .allocation = volume->allocation};
    if (call->header.proc == REMOTE_PROC_STORAGE_VOL_GET_INFO_FLAGS &&
        (CALL_ARGS(call, struct remote_storage_vol_get_info_flags_args)->flags &
         VIR_STORAGE_VOL_GET_PHYSICAL))
        ret.allocation = volume->physical;
    xdr_encode(call_reply(call),
               call->header.proc == REMOTE_PROC_STORAGE_VOL_GET_INFO
                   ? XDR_TYPE(remote_storage_vol_get_info_ret)
                   : XDR_TYPE(remote_storage_vol_get_info_flags_ret),
               &ret);
}

static enum co_status get_info(struct call *call)
{
    static const struct volume_act act = {.find = find_volume, .reply = reply_info};
    static const struct volume_act with_flags = {.find = find_volume,
                                                 .reply = reply_info,
                                                 .function = "storageVolGetInfoFlags",
                                                 .allowed = VIR_STORAGE_VOL_GET_PHYSICAL};
    bool flags = call->header.proc == REMOTE_PROC_STORAGE_VOL_GET_INFO_FLAGS;
    return volume_run(call, flags ? &with_flags : &act);
}

static void reply_xml(struct call *call, const struct storage_pool *pool,
                      const struct storage_volume *volume)
{
    struct xdr_writer *w = call_reply(call);
    struct buffer out = xdr_string_begin(w);
    volume_write(&out, pool, volume);
    xdr_string_end(w, &out);
}

static enum co_status get_xml_desc(struct call *call)
{
    static const struct volume_act act = {
        .find = find_volume, .reply = reply_xml, .function = "storageVolGetXMLDesc"};
    return volume_run(call, &act);
}

// ---- virStorageVolDelete

static void delete_finish(struct call *call, const struct volume_state *s)
{
    int result = storage_result(&s->work);
    if (error_is_set(&call->error) || result == 0)
        return;
    if (result == ENOENT)
        no_volume(call, "name", slice_of(s->name));
    else
        call_fail(call, VIR_FROM_STORAGE, VIR_ERR_SYSTEM_ERROR, "cannot unlink file '%s': %s",
                  s->name, strerror(result));
}

static enum co_status delete_volume(struct call *call)
{
    static const struct volume_act act = {.find = find_volume, .function = "storageVolDelete"};
    struct volume_state *s = CALL_STATE(call, struct volume_state);
    const struct storage_pool *pool = NULL;
    CO_BEGIN(&call->co);
    if (!(pool = volume_open(call, s, &act)))
        CO_RETURN(&call->co);
    CO_CALL(&call->co, storage_run(&s->work, STORAGE_UNLINK, pool, slice_of(s->name), NULL,
                                   &call->task, &call->error));
    delete_finish(call, s);
    CO_END(&call->co);
}

const struct call_entry storage_volume_handlers[] = {
    {REMOTE_PROC_STORAGE_POOL_NUM_OF_VOLUMES, list_volumes},
    {REMOTE_PROC_STORAGE_POOL_LIST_VOLUMES, list_volumes},
    {REMOTE_PROC_STORAGE_POOL_LIST_ALL_VOLUMES, list_volumes},
    {REMOTE_PROC_STORAGE_VOL_LOOKUP_BY_NAME, lookup_by_name},
    {REMOTE_PROC_STORAGE_VOL_LOOKUP_BY_KEY, lookup_by_path},
    {REMOTE_PROC_STORAGE_VOL_LOOKUP_BY_PATH, lookup_by_path},
    {REMOTE_PROC_STORAGE_VOL_GET_PATH, get_path},
    {REMOTE_PROC_STORAGE_VOL_GET_INFO, get_info},
    {REMOTE_PROC_STORAGE_VOL_GET_INFO_FLAGS, get_info},
    {REMOTE_PROC_STORAGE_VOL_GET_XML_DESC, get_xml_desc},
    {REMOTE_PROC_STORAGE_VOL_DELETE, delete_volume},
    {0, NULL},
};
