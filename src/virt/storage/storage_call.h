// What the handlers of storage procedures share.
#ifndef VIRT_STORAGE_CALL_H
#define VIRT_STORAGE_CALL_H

#include "auth/access.h"
#include "proto/remote.h"
#include "rpc/call.h"
#include "virt/storage/storage.h"

// Whether the connection's driver has storage; else "this function is not supported ...".
bool storage_call_supported(struct call *call);
// The pool that the client means. NULL, with the call's error set, when there is none.
struct storage_pool *storage_call_pool(struct call *call,
                                       const struct remote_nonnull_storage_pool *pool);
// As above, and it must be active, or inactive: VIR_ERR_OPERATION_INVALID.
struct storage_pool *storage_call_active(struct call *call,
                                         const struct remote_nonnull_storage_pool *pool);
// Active, and no volume of it is being made.
struct storage_pool *storage_call_idle(struct call *call,
                                       const struct remote_nonnull_storage_pool *wire);
// Whether nobody defines, undefines or starts it just now: VIR_ERR_INTERNAL_ERROR.
bool storage_call_free(struct call *call, const struct storage_pool *pool);
struct storage_pool *storage_call_inactive(struct call *call,
                                           const struct remote_nonnull_storage_pool *pool);
bool storage_check_active(const struct storage_pool *pool, struct error *err);
// A volume as access rules know it; `pool` NULL: of a pool that is not there.
struct access_object storage_volume_object(const struct storage_pool *pool, struct slice name);
// access_check_object() for it.
bool storage_check_volume(struct call *call, const struct storage_pool *pool, struct slice name);
// Whether a list shows the volume.
bool storage_shows_volume(const struct call *call, const struct storage_pool *pool,
                          struct slice name);
// Sets the call's error from an errno: "FORMAT: strerror".
void storage_call_fail(struct call *call, int result, const char *what, const char *path);

void storage_to_wire(const struct storage_pool *pool, struct remote_nonnull_storage_pool *wire);
// The reply of every call that returns one pool.
void storage_reply_pool(struct call *call, const struct storage_pool *pool);
// Writes a volume's identity; its key is its path.
void storage_put_volume(struct xdr_writer *w, const struct storage_pool *pool, struct slice name);

#endif
