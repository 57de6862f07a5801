// The writer's conscience: in checking builds each item is held against the expected type.
#ifndef RPC_XDR_CHECK_H
#define RPC_XDR_CHECK_H

#include "rpc/xdr.h"

// Items on the wire: the scalars and strings by their kind, and these.
enum xdr_item {
    XDR_ITEM_PRESENT = XDR_UNION + 1, // `value`: whether it is
    XDR_ITEM_LIST_BEGIN,
    XDR_ITEM_LIST_ADD,
    XDR_ITEM_LIST_END,
};

// Aborts when the item is not the next one. `value` is that of a discriminant, the length of
// XDR_BYTES, or whether something is present.
#ifdef CONFIG_DEBUG_CHECKS
void xdr_check_item(struct xdr_writer *w, int item, uint32_t value);
#else
#define xdr_check_item(w, item, value) ((void)0)
#endif

#endif
