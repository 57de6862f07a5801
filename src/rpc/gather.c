// Gathering a list for a reply.
#include "rpc/gather.h"

#include "core/config.h"
#include "core/slot.h"

bool gather_begin_named(struct gather *g, struct call *call, uint32_t max, const char *limit)
{
    g->slot = slot_take_outgoing(SLOT_LARGE_SIZE);
    if (!g->slot) {
        call_fail(call, VIR_FROM_RPC, VIR_ERR_OPERATION_FAILED,
                  "no large message slot is free: limit is %d, CONFIG_LARGE_SLOTS",
                  CONFIG_LARGE_SLOTS);
        return false;
    }
    g->w = xdr_writer_over(g->slot->at, g->slot->size, &call->error);
    g->list = xdr_list_begin_named(&g->w, max, limit);
    return true;
}

void gather_reply(struct gather *g, struct call *call, const struct xdr_type *type, void *ret)
{
    xdr_list_end(&g->w, &g->list);
    struct xdr_reader reader = {g->slot->at, g->slot->at + g->w.len};
    if (!error_is_set(&call->error) && xdr_decode(&reader, type, ret, &call->error))
        xdr_encode(call_reply(call), type, ret);
    slot_release(g->slot);
}
