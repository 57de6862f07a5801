// The node: the host as the virNode... and virConnect... calls and documents show it.
//
// Nothing is kept: each call looks at the host anew. Errors are libvirt's in code, domain and
// words.
#ifndef VIRT_NODE_H
#define VIRT_NODE_H

#include "core/buffer.h"
#include "core/config.h"
#include "core/error.h"
#include "port/port.h"

// The host's own uuid: libvirtd.conf's host_uuid, or the firmware's, or the machine-id, or else a
// random one that stays for this process.
void node_host_uuid(uint8_t uuid[16]);
// What libvirtd.conf says of it: host_uuid, a uuid or ""; and whether host_uuid_source is
// "machine-id", which then comes before the firmware.
void node_choose_host_uuid(const char *text, bool machine_id);

// ---- processors (node_info.c) -------------------------------------------------------------------

struct node_info {  // virNodeInfo
    char model[32]; // the architecture: "x86_64"
    uint64_t memory_kib;
    uint32_t cpus, mhz; // online processors
    uint32_t nodes, sockets, cores,
        threads; // cells; sockets a cell; cores a socket; threads a core
};

bool node_info(struct node_info *to, struct error *err);
// The processors that are online, and the number of those present (the map's length) as the result;
// -1 with the error set.
int node_cpu_map(struct port_cpuset *online, struct error *err);

struct node_stat {
    const char *field;
    uint64_t value;
};

#define NODE_CPU_STATS 4 // virNodeGetCPUStats: kernel, user, idle, iowait in ns
// cpu -1: all together (VIR_NODE_CPU_STATS_ALL_CPUS).
bool node_cpu_stats(int cpu, struct node_stat stats[NODE_CPU_STATS], struct error *err);

// ---- memory (node_memory.c) ---------------------------------------------------------------------

#define NODE_MEMORY_STATS                                                                          \
    4 // at most: total, free and, of all cells together, buffers, cached in KiB
// cell -1: all together (VIR_NODE_MEMORY_STATS_ALL_CELLS). Returns how many; -1 with the error set.
int node_memory_stats(int cell, struct node_stat stats[NODE_MEMORY_STATS], struct error *err);
// Total and free memory in KiB: that of all cells.
bool node_memory(uint64_t *total, uint64_t *free, struct error *err);
// Free bytes of `max` cells from `first` on; returns how many there are, -1 with the error set.
int node_cells_free_memory(int first, int max, uint64_t *to, struct error *err);
// Free pages of each size (KiB) in each of `cells` cells from `first` on, cell by cell; `to` has
// room for all of them. Returns how many values; -1 with the error set.
int node_free_pages(const uint32_t *sizes, size_t size_count, int first, unsigned cells,
                    uint64_t *to, struct error *err);
enum { VIR_NODE_ALLOC_PAGES_SET = 1 << 0 }; // set the number rather than add to it
// Sets (or with `add` raises) the number of huge pages; returns how many pools were changed, -1
// with the error set. May block.
int node_allocate_pages(const uint32_t *sizes, const uint64_t *counts, size_t size_count, int first,
                        unsigned cells, bool add, struct error *err);

// ---- documents ----------------------------------------------------------------------------------

struct node_security {
    bool dac; // guests run as this user and group
    uint32_t uid, gid;
};

// The <host> element of virConnectGetCapabilities, two blanks in, with the empty line behind it.
bool node_capabilities_host(struct buffer *out, const struct node_security *security,
                            struct error *err);
// virConnectGetSysinfo, from the SMBIOS table; VIR_ERR_CONFIG_UNSUPPORTED when there is none.
bool node_sysinfo(struct buffer *out, struct error *err);
// The same for an ARM host without such a table: the names of its processors.
void node_sysinfo_of_processors(struct buffer *out);

// ---- processor models ---------------------------------------------------------------------------

#ifdef CONFIG_CPU_MODELS

// virConnectGetCPUModelNames: how many models libvirt names for an architecture (0: any is
// accepted, -1 with the error set), and the name of one of them.
int node_cpu_models(struct slice arch, int error_domain, struct error *err);
const char *node_cpu_model_name(struct slice arch, int index);
// What stands in the capabilities' <cpu> behind <arch>: the model, its features, the topology.
void node_put_processor(struct buffer *out, const struct node_info *info);

#else

static inline int node_cpu_models(struct slice arch, int error_domain, struct error *err)
{
    (void)arch;
    error_set(err, error_domain, VIR_ERR_NO_SUPPORT, "processor models are left out of this build");
    return -1;
}

static inline const char *node_cpu_model_name(struct slice arch, int index)
{
    (void)arch, (void)index;
    return NULL;
}

static inline void node_put_processor(struct buffer *out, const struct node_info *info)
{
    (void)out, (void)info;
}

#endif

// ---- the node as a driver shows it --------------------------------------------------------------

// The functions above, or a driver's own: struct hypervisor has one. What is NULL is not supported.
struct node_view {
    bool (*info)(struct node_info *to, struct error *err);
    int (*cpu_map)(struct port_cpuset *online, struct error *err);
    bool (*cpu_stats)(int cpu, struct node_stat stats[NODE_CPU_STATS], struct error *err);
    int (*memory_stats)(int cell, struct node_stat stats[NODE_MEMORY_STATS], struct error *err);
    bool (*free_memory)(uint64_t *bytes, struct error *err);
    int (*cells_free_memory)(int first, int max, uint64_t *to, struct error *err);
    int (*free_pages)(const uint32_t *sizes, size_t size_count, int first, unsigned cells,
                      uint64_t *to, struct error *err);
    int (*allocate_pages)(const uint32_t *sizes, const uint64_t *counts, size_t size_count,
                          int first, unsigned cells, bool add, struct error *err);
    bool (*sysinfo)(struct buffer *out, struct error *err);
    const char *security_model; // virNodeGetSecurityModel; NULL: not supported
    const char *security_doi;
};

extern const struct node_view node_of_host;

// "0-3,8", as libvirt writes sets.
void node_put_cpuset(struct buffer *out, const struct port_cpuset *set);

#endif
