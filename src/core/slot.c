// Message slots: two pools, each a stack of free slots so that the memory used last is used next.
#include "core/slot.h"

#include "core/assert.h"
#include "port/port.h"

// What only outgoing messages may take: a reply can always be written.
#define SMALL_RESERVE (CONFIG_SMALL_SLOTS / 8)
#define LARGE_RESERVE (CONFIG_LARGE_SLOTS / 8 + 2)

struct pool {
    struct slot *slots;
    uint8_t *memory;
    size_t size, count, reserve;
    bool large;
    struct slot *free;
    size_t unused; // slots from this index on have never been taken
    size_t free_count;
};

static uint8_t small_memory[CONFIG_SMALL_SLOTS][SLOT_SMALL_SIZE];
static uint8_t large_memory[CONFIG_LARGE_SLOTS][SLOT_LARGE_SIZE];
static struct slot small_slots[CONFIG_SMALL_SLOTS], large_slots[CONFIG_LARGE_SLOTS];

static struct pool small_pool = {
    .slots = small_slots,
    .memory = &small_memory[0][0],
    .size = SLOT_SMALL_SIZE,
    .count = CONFIG_SMALL_SLOTS,
    .reserve = SMALL_RESERVE,
    .free_count = CONFIG_SMALL_SLOTS,
};
static struct pool large_pool = {
    .slots = large_slots,
    .memory = &large_memory[0][0],
    .size = SLOT_LARGE_SIZE,
    .count = CONFIG_LARGE_SLOTS,
    .reserve = LARGE_RESERVE,
    .free_count = CONFIG_LARGE_SLOTS,
    .large = true,
};
static uint32_t releases;
static bool (*relieve_pressure)(void);

void slot_on_pressure(bool (*relieve)(void))
{
    relieve_pressure = relieve;
}

static struct slot *take(struct pool *pool, size_t reserve)
{
    if (pool->free_count <= reserve)
        return NULL;
    struct slot *slot = pool->free;
    if (slot) {
        pool->free = slot->next;
    } else {
        size_t i = pool->unused++;
        slot = &pool->slots[i];
        slot->at = pool->memory + i * pool->size;
        slot->size = (uint32_t)pool->size;
        slot->large = pool->large;
    }
    pool->free_count--;
    assert(!slot->taken);
    slot->taken = true;
    slot->next = NULL;
    slot->len = slot->done = 0;
    slot->fd_count = 0;
    return slot;
}

static struct pool *pool_for(size_t size)
{
    assert(size <= SLOT_LARGE_SIZE);
    return size <= SLOT_SMALL_SIZE ? &small_pool : &large_pool;
}

struct slot *slot_take_incoming(size_t size)
{
    struct pool *pool = pool_for(size);
    return take(pool, pool->reserve);
}

struct slot *slot_take_outgoing(size_t size)
{
    struct pool *pool = pool_for(size);
    while (pool->free_count == 0 && relieve_pressure && relieve_pressure())
        ;
    return take(pool, 0);
}

void slot_release(struct slot *slot)
{
    if (!slot)
        return;
    assert(slot->taken);
    for (unsigned i = 0; i < slot->fd_count; i++)
        if (slot->fds[i] >= 0)
            port_close(slot->fds[i]);
    slot->fd_count = 0;
    slot->taken = false;
    struct pool *pool = slot->large ? &large_pool : &small_pool;
    slot->next = pool->free;
    pool->free = slot;
    pool->free_count++;
    releases++;
}

bool slot_reply_possible(void)
{
    return small_pool.free_count > 0 && large_pool.free_count > 0;
}

size_t slot_small_free(void)
{
    return small_pool.free_count;
}

size_t slot_large_free(void)
{
    return large_pool.free_count;
}

uint32_t slot_releases(void)
{
    return releases;
}
