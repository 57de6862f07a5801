// The node: its memory, cell by cell, and its pools of pages.
#include "virt/node/node.h"

#include <errno.h>
#include <string.h>

// The number of the last cell, or -1 on a host without NUMA.
static int last_cell(void)
{
    struct port_cellset cells;
    return port_cells(&cells) < 0 ? -1 : (int)port_cellset_end(&cells) - 1;
}

static bool cell_exists(int cell)
{
    struct port_cellset cells;
    return port_cells(&cells) == 0 && cell >= 0 && port_cellset_has(&cells, (unsigned)cell);
}

int node_memory_stats(int cell, struct node_stat stats[NODE_MEMORY_STATS], struct error *err)
{
    int last = last_cell();
    struct port_memory memory;
    if (last < 0 && cell == 0)
        cell = -1; // capabilities show one cell nevertheless
    if (cell >= 0 && cell > last) {
        error_set_plain(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                        "cellNum in virHostMemGetStats must be less than or equal to %d", last);
        return -1;
    }
    int result = port_memory(cell < 0 ? -1 : cell, &memory);
    if (result < 0) {
        error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                  "cannot open the memory statistics of cell %d: %s", cell, strerror(-result));
        return -1;
    }
    stats[0] = (struct node_stat){"total", memory.total};
    stats[1] = (struct node_stat){"free", memory.free};
    if (cell >= 0)
        return 2;
    stats[2] = (struct node_stat){"buffers", memory.buffers};
    stats[3] = (struct node_stat){"cached", memory.cached};
    return 4;
}

bool node_memory(uint64_t *total, uint64_t *free, struct error *err)
{
    struct port_memory memory;
    int last = last_cell(), result = 0;
    *total = *free = 0;
    for (int cell = last < 0 ? -1 : 0; cell <= last && result == 0; cell++) {
        if (cell >= 0 && !cell_exists(cell))
            continue;
        result = port_memory(cell, &memory);
        *total += memory.total;
        *free += memory.free;
    }
    return result == 0 || error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                                    "Unable to query memory total: %s", strerror(-result));
}

static bool check_first(int first, int last, struct error *err)
{
    return first <= last || error_set(err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                                      "start cell %d out of range (0-%d)", first, last);
}

int node_cells_free_memory(int first, int max, uint64_t *to, struct error *err)
{
    struct port_memory memory = {0};
    int last = last_cell(), count = 0;
    if (last < 0) { // one cell that is the whole host
        if (!check_first(first, 0, err))
            return -1;
        to[0] = port_memory(-1, &memory) < 0 ? 0 : memory.free * 1024;
        return 1;
    }
    if (first < 0 || !check_first(first, last, err))
        return first < 0 ? 0 : -1;
    for (int cell = first; cell <= last && count < max; cell++)
        to[count++] = cell_exists(cell) && port_memory(cell, &memory) == 0 ? memory.free * 1024 : 0;
    return count;
}

// ---- pages --------------------------------------------------------------------------------------

// What a call over cells walks: a host without NUMA has its pools at cell -1.
struct cell_range {
    int first, last;
};

static bool choose_cells(struct cell_range *range, int first, unsigned cells, struct error *err)
{
    int last = last_cell();
    if (last < 0 && first == 0 && cells == 1) {
        *range = (struct cell_range){-1, -1};
        return true;
    }
    if (!check_first(first, last < 0 ? 0 : last, err))
        return false;
    *range = (struct cell_range){first, last < 0 ? 0 : last};
    if (cells <= (unsigned)(range->last - first))
        range->last = first + (int)cells - 1;
    return true;
}

static const struct port_pages *find_pool(const struct port_pages *pools, int count, unsigned size)
{
    for (int i = 0; i < count; i++) {
        if (pools[i].size == size)
            return &pools[i];
    }
    return NULL;
}

static bool no_such_pool(int cell, unsigned size, struct error *err)
{
    if (cell < 0)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
                         "page size %u is not available", size);
    if (!cell_exists(cell))
        return error_set(err, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
                         "NUMA node %d is not available", cell);
    return error_set(err, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
                     "page size %u is not available on node %d", size, cell);
}

int node_free_pages(const uint32_t *sizes, size_t size_count, int first, unsigned cells,
                    uint64_t *to, struct error *err)
{
    struct cell_range range;
    struct port_pages pools[PORT_PAGES_MAX];
    int count = 0;
    if (!choose_cells(&range, first, cells, err))
        return -1;
    for (int cell = range.first; cell <= range.last; cell++) {
        int pool_count = port_pages(cell, pools);
        for (size_t i = 0; i < size_count; i++) {
            const struct port_pages *pool = find_pool(pools, pool_count, sizes[i]);
            if (!pool) {
                no_such_pool(cell, sizes[i], err);
                return -1;
            }
            to[count++] = pool->free;
        }
    }
    if (count > 0)
        return count;
    error_set(err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "no suitable info found");
    return -1;
}

static bool allocate(int cell, uint32_t size, uint64_t wanted, bool add, struct error *err)
{
    struct port_pages pools[PORT_PAGES_MAX];
    const struct port_pages *pool = find_pool(pools, port_pages(cell, pools), size);
    if (pool == &pools[0]) // the smallest ones are the system's own
        return error_set(err, VIR_FROM_NONE, VIR_ERR_OPERATION_UNSUPPORTED,
                         "system pages pool can't be modified");
    if (!pool)
        return no_such_pool(cell, size, err);
    if (add)
        wanted += pool->total;
    if (wanted == pool->total)
        return true;
    int result = port_pages_reserve(cell, size, wanted);
    if (result < 0)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                         "Unable to write the number of pages: %s", strerror(-result));
    // The kernel reserves what it can find.
    pool = find_pool(pools, port_pages(cell, pools), size);
    if (pool && pool->total == wanted)
        return true;
    return error_set(err, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
                     "Unable to allocate %llu pages. Allocated only %llu",
                     (unsigned long long)wanted, pool ? (unsigned long long)pool->total : 0);
}

int node_allocate_pages(const uint32_t *sizes, const uint64_t *counts, size_t size_count, int first,
                        unsigned cells, bool add, struct error *err)
{
    struct cell_range range;
    int changed = 0;
    if (!choose_cells(&range, first, cells, err))
        return -1;
    for (int cell = range.first; cell <= range.last; cell++) {
        for (size_t i = 0; i < size_count; i++, changed++) {
            if (!allocate(cell, sizes[i], counts[i], add, err))
                return -1;
        }
    }
    return changed;
}
