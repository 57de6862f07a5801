// A reply that is one list whose items are had by waiting. Replies are written without a wait, so
// the list is gathered in a large slot first.
#ifndef RPC_GATHER_H
#define RPC_GATHER_H

#include "rpc/call.h"
#include "rpc/xdr.h"

struct gather {
    struct slot *slot;
    struct xdr_writer w; // items are added to `list` with it; it fails the call
    struct xdr_list_mark list;
};

// Takes the slot and begins the list of at most `max` items. False, with the call's error set, when
// no slot is free.
#define gather_begin(g, call, max) gather_begin_named((g), (call), (max), #max)
bool gather_begin_named(struct gather *g, struct call *call, uint32_t max, const char *limit);
// Makes the list the call's reply, unless its error is set, and gives the slot back. The list is
// read into `ret`, a struct of that type, on the way.
void gather_reply(struct gather *g, struct call *call, const struct xdr_type *type, void *ret);

#endif
