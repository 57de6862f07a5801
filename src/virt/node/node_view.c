// The node: the host itself, as drivers of real guests show it.
#include "virt/node/node.h"

static bool free_memory(uint64_t *bytes, struct error *err)
{
    uint64_t total;
    if (!node_memory(&total, bytes, err))
        return false;
    *bytes *= 1024;
    return true;
}

const struct node_view node_of_host = {
    .info = node_info,
    .cpu_map = node_cpu_map,
    .cpu_stats = node_cpu_stats,
    .memory_stats = node_memory_stats,
    .free_memory = free_memory,
    .cells_free_memory = node_cells_free_memory,
    .free_pages = node_free_pages,
    .allocate_pages = node_allocate_pages,
#ifdef CONFIG_SYSINFO
    .sysinfo = node_sysinfo,
#endif
    .security_model = "none",
    .security_doi = "0",
};
