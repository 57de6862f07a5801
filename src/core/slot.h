// Message slots: the only buffers that messages live in, taken from two fixed pools.
//
// Small slots hold SLOT_SMALL_SIZE bytes, large ones a whole REMOTE_MESSAGE_MAX. A slot has one
// owner at a time: a client that is receiving, a call, a send queue, a stream. When a pool is empty
// nobody fails: whoever would read does not read (back-pressure) and is told when slots come back.
#ifndef CORE_SLOT_H
#define CORE_SLOT_H

#include "core/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOT_SMALL_SIZE 2048
#define SLOT_LARGE_SIZE (CONFIG_REMOTE_MESSAGE_MAX + 4) // the length word does not count
#define SLOT_FDS_MAX    4                               // descriptors that one message can carry

struct slot {
    uint8_t *at;
    uint32_t size;     // SLOT_SMALL_SIZE or SLOT_LARGE_SIZE
    uint32_t len;      // bytes that count
    uint32_t done;     // bytes already received, sent or consumed: the owner's
    struct slot *next; // the owner's queue
    int fds[SLOT_FDS_MAX];
    uint8_t fd_count; // descriptors in `fds`; slot_release() closes them
    bool large, taken;
};

// For what is coming in. NULL when only the reserve is left, which belongs to what goes out.
struct slot *slot_take_incoming(size_t size);
// For replies, events and stream data. When there is none left, somebody who holds many is asked to
// give them back (slot_on_pressure); NULL when that does not help either.
struct slot *slot_take_outgoing(size_t size);
void slot_release(struct slot *slot); // NULL is allowed
// Whether a reply of any size could be written now. Calls are resumed only while this is so.
bool slot_reply_possible(void);
size_t slot_small_free(void);
size_t slot_large_free(void);
// `relieve` frees slots, or returns false when it can not.
void slot_on_pressure(bool (*relieve)(void));
// Counts releases: a reader that found no slot looks again when this has changed.
uint32_t slot_releases(void);

#endif
