// Handlers: defining, starting and looking at storage pools.
#include "virt/access.h"
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"
#include "virt/storage/storage_call.h"

#include <string.h>

#define CANNOT_OPEN "cannot open path"

// The arguments of all these calls begin with the pool, and those with flags go on with them.
static const struct remote_nonnull_storage_pool *pool_arg(const struct call *call)
{
    return CALL_ARGS(call, struct remote_nonnull_storage_pool);
}

static uint32_t flags_arg(const struct call *call)
{
    return CALL_ARGS(call, struct remote_storage_pool_create_args)->flags;
}

static bool check_flags(struct call *call, uint32_t allowed, const char *function)
{
    return call_flags(call, flags_arg(call), allowed, VIR_FROM_STORAGE, function);
}

// ---- virStoragePoolDefineXML

struct define_state {
    struct storage_work work;
    struct storage_pool before; // what it redefines
    uint64_t inode_before;
    uint8_t uuid[16];
};

static struct storage_pool *define_put(struct call *call, struct define_state *s)
{
    const struct remote_storage_pool_define_xml_args *args =
        CALL_ARGS(call, struct remote_storage_pool_define_xml_args);
    struct storage_pool read;
    if (!storage_call_supported(call) ||
        !call_flags(call, args->flags, VIR_STORAGE_POOL_DEFINE_VALIDATE, VIR_FROM_STORAGE,
                    "storagePoolDefineXML") ||
        !storage_parse(definition_scratch(), args->xml, &read, &call->error) ||
        !access_check_pool(call, &read))
        return NULL;
    const struct storage_pool *before = storage_by_uuid(read.uuid);
    if (before && !access_check_pool(call, before))
        return NULL;
    if (before && !storage_call_free(call, before))
        return NULL;
    if (before)
        s->before = *before;
    struct storage_pool *pool = storage_put(&read, &call->error);
    if (pool) {
        memcpy(s->uuid, pool->uuid, sizeof(s->uuid));
        s->inode_before = storage_definition_inode(pool);
        pool->busy = true;
    }
    return pool;
}

// What others have done with the pool meanwhile stands.
static void define_undo(const struct define_state *s, struct storage_pool *pool)
{
    struct storage_pool now = *pool;
    *pool = s->before; // unused, if there was none
    if (!pool->used)
        return;
    pool->active = now.active;
    pool->autostart = now.autostart;
    pool->jobs = now.jobs;
}

static void define_finish(struct call *call, struct define_state *s)
{
    struct storage_pool *pool = storage_by_uuid(s->uuid);
    if (!error_is_set(&call->error) && storage_result(&s->work) != 0)
        storage_call_fail(call, storage_result(&s->work), "cannot write the definition of pool",
                          pool->name);
    pool->busy = false;
    if (!error_is_set(&call->error))
        storage_reply_pool(call, pool);
    else if (storage_definition_inode(pool) == s->inode_before)
        define_undo(s, pool);
}

static enum co_status define_xml(struct call *call)
{
    struct define_state *s = CALL_STATE(call, struct define_state);
    struct storage_pool *pool = NULL;
    CO_BEGIN(&call->co);
    if (!(pool = define_put(call, s)))
        CO_RETURN(&call->co);
    CO_CALL(&call->co,
            storage_run(&s->work, STORAGE_SAVE, pool, SLICE_NONE, NULL, &call->task, &call->error));
    define_finish(call, s);
    CO_END(&call->co);
}

// ---- what is one job

struct pool_act {
    enum storage_job job;
    struct storage_pool *(*find)(struct call *call, const struct remote_nonnull_storage_pool *pool);
    bool has_flags;
    uint32_t allowed;
    const char *function, *failure;
    // Lets the row, which is there still, follow the disk, however the job went.
    void (*follow)(struct storage_pool *pool);
};

static struct storage_pool *act_open(struct call *call, const struct pool_act *act)
{
    if (act->has_flags && !check_flags(call, act->allowed, act->function))
        return NULL;
    struct storage_pool *pool = act->find(call, pool_arg(call));
    if (pool && act->job == STORAGE_FORGET)
        pool->busy = true;
    return pool;
}

static void act_finish(struct call *call, const struct pool_act *act, const struct storage_work *w)
{
    struct storage_pool *pool = storage_by_uuid(pool_arg(call)->uuid);
    if (pool && act->job == STORAGE_FORGET)
        pool->busy = false;
    if (error_is_set(&call->error) || !(pool = storage_call_pool(call, pool_arg(call))))
        return;
    if (storage_result(w) != 0)
        storage_call_fail(call, storage_result(w), act->failure, pool->path);
    if (act->follow)
        act->follow(pool);
}

static enum co_status run_act(struct call *call, const struct pool_act *act)
{
    struct storage_work *w = CALL_STATE(call, struct storage_work);
    struct storage_pool *pool = NULL;
    CO_BEGIN(&call->co);
    if (!(pool = act_open(call, act)))
        CO_RETURN(&call->co);
    CO_CALL(&call->co, storage_run(w, act->job, pool, SLICE_NONE, NULL, &call->task, &call->error));
    act_finish(call, act, w);
    CO_END(&call->co);
}

static void follow_link(struct storage_pool *pool)
{
    pool->autostart = storage_autostarts(pool);
}

static void follow_definition(struct storage_pool *pool)
{
    follow_link(pool);
    if (storage_definition_inode(pool) == 0)
        storage_remove(pool);
}

static enum co_status undefine(struct call *call)
{
    static const struct pool_act act = {.job = STORAGE_FORGET,
                                        .find = storage_call_inactive,
                                        .failure = "cannot remove the definition of pool",
                                        .follow = follow_definition};
    return run_act(call, &act);
}

static enum co_status build(struct call *call)
{
    static const struct pool_act act = {.job = STORAGE_BUILD,
                                        .find = storage_call_inactive,
                                        .has_flags = true,
                                        .allowed = VIR_STORAGE_POOL_BUILD_NO_OVERWRITE |
                                                   VIR_STORAGE_POOL_BUILD_OVERWRITE,
                                        .function = "virStorageBackendBuildLocal",
                                        .failure = "cannot create path"};
    return run_act(call, &act);
}

static enum co_status delete_pool(struct call *call)
{
    static const struct pool_act act = {.job = STORAGE_EMPTY,
                                        .find = storage_call_inactive,
                                        .has_flags = true,
                                        .function = "virStorageBackendDeleteLocal",
                                        .failure = "failed to remove pool"};
    return run_act(call, &act);
}

static enum co_status refresh(struct call *call)
{
    static const struct pool_act act = {.job = STORAGE_SPACE,
                                        .find = storage_call_idle,
                                        .has_flags = true,
                                        .function = "storagePoolRefresh",
                                        .failure = CANNOT_OPEN};
    return run_act(call, &act);
}

static enum co_status set_autostart(struct call *call)
{
    static const struct pool_act on = {.job = STORAGE_LINK,
                                       .find = storage_call_pool,
                                       .failure = "Failed to create symlink for pool",
                                       .follow = follow_link};
    static const struct pool_act off = {.job = STORAGE_UNSHARE,
                                        .find = storage_call_pool,
                                        .failure = "Failed to delete symlink for pool",
                                        .follow = follow_link};
    bool want = CALL_ARGS(call, struct remote_storage_pool_set_autostart_args)->autostart;
    return run_act(call, want ? &on : &off);
}

// ---- virStoragePoolCreate, virStoragePoolDestroy

static struct storage_pool *create_find(struct call *call)
{
    const uint32_t overwrite = VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE;
    const uint32_t no_overwrite = VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE;
    struct storage_pool *pool = NULL;
    if (!check_flags(call, VIR_STORAGE_POOL_CREATE_WITH_BUILD | overwrite | no_overwrite,
                     "storagePoolCreate") ||
        !call_exclusive_flags(call, flags_arg(call), overwrite, "VIR_STORAGE_POOL_BUILD_OVERWRITE",
                              no_overwrite, "VIR_STORAGE_POOL_BUILD_NO_OVERWRITE") ||
        !(pool = storage_call_pool(call, pool_arg(call))))
        return NULL;
    if (pool->active)
        call_fail(call, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID,
                  "storage pool '%s' is already active", pool->name);
    else if (storage_call_free(call, pool))
        return pool;
    return NULL;
}

// While it starts nobody else may: who undefines it would remove a pool in use.
static struct storage_pool *create_begin(struct call *call)
{
    struct storage_pool *pool = create_find(call);
    if (pool)
        pool->busy = true;
    return pool;
}

// A pool without its directory can not start.
static void create_finish(struct call *call, const struct storage_work *w)
{
    struct storage_pool *pool = storage_by_uuid(pool_arg(call)->uuid);
    pool->busy = false;
    if (error_is_set(&call->error))
        return;
    if (storage_result(w) != 0)
        storage_call_fail(call, storage_result(w), CANNOT_OPEN, pool->path);
    else
        pool->active = true;
}

static enum co_status create(struct call *call)
{
    struct storage_work *w = CALL_STATE(call, struct storage_work);
    struct storage_pool *pool = NULL;
    CO_BEGIN(&call->co);
    if (!(pool = create_begin(call)))
        CO_RETURN(&call->co);
    if (flags_arg(call) != 0) {
        CO_CALL(&call->co,
                storage_run(w, STORAGE_BUILD, pool, SLICE_NONE, NULL, &call->task, &call->error));
        memset(w, 0, sizeof(*w));
    }
    if (!error_is_set(&call->error))
        CO_CALL(&call->co, storage_run(w, STORAGE_SPACE, storage_by_uuid(pool_arg(call)->uuid),
                                       SLICE_NONE, NULL, &call->task, &call->error));
    create_finish(call, w);
    CO_END(&call->co);
}

static enum co_status destroy(struct call *call)
{
    struct storage_pool *pool = storage_call_idle(call, pool_arg(call));
    if (pool)
        pool->active = false;
    return CO_DONE;
}

// ---- virStoragePoolGetInfo, virStoragePoolGetXMLDesc

static void reply_info(struct call *call, struct storage_pool *pool, const struct storage_work *w)
{
    const struct storage_space *space = &w->space;
    struct remote_storage_pool_get_info_ret ret = {.state = VIR_STORAGE_POOL_INACTIVE};
    if (pool->active) {
        ret.state = VIR_STORAGE_POOL_RUNNING;
        ret.capacity = space->capacity;
        ret.allocation = space->capacity - space->available;
        ret.available = space->available;
    }
    xdr_encode(call_reply(call), XDR_TYPE(remote_storage_pool_get_info_ret), &ret);
}

static bool wants_live(const struct call *call, const struct storage_pool *pool)
{
    bool inactive = call->header.proc == REMOTE_PROC_STORAGE_POOL_GET_XML_DESC &&
                    (flags_arg(call) & VIR_STORAGE_XML_INACTIVE);
    return pool->active && !inactive;
}

static void reply_xml(struct call *call, struct storage_pool *pool, const struct storage_work *w)
{
    struct xdr_writer *writer = call_reply(call);
    struct buffer out = xdr_string_begin(writer);
    storage_write(&out, pool, wants_live(call, pool) ? &w->space : NULL);
    xdr_string_end(writer, &out);
}

// A directory that has gone meanwhile has no space; its pool can still be looked at.
static enum co_status look(struct call *call, void (*reply)(struct call *, struct storage_pool *,
                                                            const struct storage_work *))
{
    struct storage_work *w = CALL_STATE(call, struct storage_work);
    struct storage_pool *pool = NULL;
    CO_BEGIN(&call->co);
    if (!(pool = storage_call_pool(call, pool_arg(call))))
        CO_RETURN(&call->co);
    if (wants_live(call, pool))
        CO_CALL(&call->co,
                storage_run(w, STORAGE_SPACE, pool, SLICE_NONE, NULL, &call->task, &call->error));
    if (!error_is_set(&call->error) && (pool = storage_call_pool(call, pool_arg(call))))
        reply(call, pool, w);
    CO_END(&call->co);
}

static enum co_status get_info(struct call *call)
{
    return look(call, reply_info);
}

static enum co_status get_xml_desc(struct call *call)
{
    if (call->co.line == 0 && !check_flags(call, VIR_STORAGE_XML_INACTIVE, "storagePoolGetXMLDesc"))
        return CO_DONE;
    return look(call, reply_xml);
}

const struct call_entry storage_pool_life_handlers[] = {
    {REMOTE_PROC_STORAGE_POOL_DEFINE_XML, define_xml},
    {REMOTE_PROC_STORAGE_POOL_UNDEFINE, undefine},
    {REMOTE_PROC_STORAGE_POOL_CREATE, create},
    {REMOTE_PROC_STORAGE_POOL_DESTROY, destroy},
    {REMOTE_PROC_STORAGE_POOL_BUILD, build},
    {REMOTE_PROC_STORAGE_POOL_DELETE, delete_pool},
    {REMOTE_PROC_STORAGE_POOL_REFRESH, refresh},
    {REMOTE_PROC_STORAGE_POOL_SET_AUTOSTART, set_autostart},
    {REMOTE_PROC_STORAGE_POOL_GET_INFO, get_info},
    {REMOTE_PROC_STORAGE_POOL_GET_XML_DESC, get_xml_desc},
    {0, NULL},
};
