// The node: the <host> element of virConnectGetCapabilities.
#include "virt/node/node.h"

#include "virt/domain/domain.h"

// ---- <cpu> --------------------------------------------------------------------------------------

static void put_cpu(struct buffer *out, const struct node_info *info)
{
    struct port_pages pages[PORT_PAGES_MAX];
    buffer_printf(out, "    <cpu>\n      <arch>%s</arch>\n", info->model);
    node_put_processor(out, info);
    int count = port_pages(-1, pages);
    for (int i = 0; i < count; i++)
        buffer_printf(out, "      <pages unit='KiB' size='%u'/>\n", pages[i].size);
    buffer_puts(out, "    </cpu>\n");
}

// ---- <topology> ---------------------------------------------------------------------------------

static void put_cell_cpu(struct buffer *out, unsigned number)
{
    struct port_cpu cpu;
    if (port_cpu_describe(number, &cpu) < 0)
        return;
    buffer_printf(out,
                  "            <cpu id='%u' socket_id='%u' die_id='%u' core_id='%u' siblings='",
                  number, cpu.socket, cpu.die, cpu.core);
    node_put_cpuset(out, &cpu.siblings);
    buffer_puts(out, "'/>\n");
}

static void put_cell_cpus(struct buffer *out, const struct port_cpuset *cpus,
                          const struct port_cpuset *online)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CONFIG_HOST_CPUS; i++)
        count += port_cpuset_has(cpus, i) && port_cpuset_has(online, i);
    buffer_printf(out, "          <cpus num='%u'", count);
    if (count == 0) {
        buffer_puts(out, "/>\n");
        return;
    }
    buffer_puts(out, ">\n");
    for (unsigned i = 0; i < CONFIG_HOST_CPUS; i++) {
        if (port_cpuset_has(cpus, i) && port_cpuset_has(online, i))
            put_cell_cpu(out, i);
    }
    buffer_puts(out, "          </cpus>\n");
}

// The kernel tells the distances to the cells that exist, one after the other.
static void put_distances(struct buffer *out, unsigned cell, const struct port_cellset *cells)
{
    unsigned distances[CONFIG_HOST_CELLS];
    int count = port_cell_distances(cell, distances, CONFIG_HOST_CELLS), next = 0;
    if (count <= 0)
        return;
    buffer_puts(out, "          <distances>\n");
    for (unsigned i = 0; i < CONFIG_HOST_CELLS && next < count; i++) {
        if (!port_cellset_has(cells, i))
            continue;
        if (distances[next])
            buffer_printf(out, "            <sibling id='%u' value='%u'/>\n", i, distances[next]);
        next++;
    }
    buffer_puts(out, "          </distances>\n");
}

static void put_cell(struct buffer *out, unsigned cell, const struct port_cellset *cells,
                     const struct port_cpuset *online)
{
    struct port_memory memory;
    struct port_pages pages[PORT_PAGES_MAX];
    struct port_cpuset cpus = {{0}};
    port_cell_cpus((int)cell, &cpus);
    buffer_printf(out, "        <cell id='%u'>\n", cell);
    if (port_memory((int)cell, &memory) == 0 && memory.total)
        buffer_printf(out, "          <memory unit='KiB'>%llu</memory>\n",
                      (unsigned long long)memory.total);
    int count = port_pages((int)cell, pages);
    for (int i = 0; i < count; i++)
        buffer_printf(out, "          <pages unit='KiB' size='%u'>%llu</pages>\n", pages[i].size,
                      (unsigned long long)pages[i].total);
    put_distances(out, cell, cells);
    put_cell_cpus(out, &cpus, online);
    buffer_puts(out, "        </cell>\n");
}

// A host without NUMA shows one cell.
static void put_only_cell(struct buffer *out, const struct node_info *info,
                          const struct port_cpuset *online)
{
    buffer_printf(out,
                  "        <cell id='0'>\n"
                  "          <memory unit='KiB'>%llu</memory>\n",
                  (unsigned long long)info->memory_kib);
    put_cell_cpus(out, online, online);
    buffer_puts(out, "        </cell>\n");
}

static void put_cells(struct buffer *out, const struct node_info *info,
                      const struct port_cpuset *online)
{
    struct port_cellset cells;
    unsigned count = 0;
    bool numa = port_cells(&cells) == 0;
    for (unsigned i = 0; numa && i < CONFIG_HOST_CELLS; i++)
        count += port_cellset_has(&cells, i);
    buffer_printf(out, "    <topology>\n      <cells num='%u'>\n", count ? count : 1);
    for (unsigned i = 0; count && i < CONFIG_HOST_CELLS; i++) {
        if (port_cellset_has(&cells, i))
            put_cell(out, i, &cells, online);
    }
    if (!count)
        put_only_cell(out, info, online);
    buffer_puts(out, "      </cells>\n    </topology>\n");
}

// ---- <cache> ------------------------------------------------------------------------------------

#define CACHE_LEVEL_MIN 3 // the ones closer to a processor are not shown
#define BANKS_MAX       CONFIG_HOST_CPUS

// Which bank a processor was seen to use first; banks are known by their level and id.
struct bank {
    unsigned level, id, cpu, nth;
};

static struct bank banks[BANKS_MAX];

static bool is_known(size_t count, const struct port_cache *cache)
{
    for (size_t i = 0; i < count; i++) {
        if (banks[i].level == cache->level && banks[i].id == cache->id)
            return true;
    }
    return false;
}

static bool is_before(const struct bank *a, const struct bank *b)
{
    return a->level != b->level ? a->level < b->level : a->id < b->id;
}

// Adds a bank where it belongs by its level and id.
static void add_bank(size_t count, struct bank bank)
{
    size_t at = count;
    for (; at > 0 && is_before(&bank, &banks[at - 1]); at--)
        banks[at] = banks[at - 1];
    banks[at] = bank;
}

static size_t find_banks(const struct port_cpuset *online)
{
    size_t count = 0;
    for (unsigned cpu = 0; cpu < CONFIG_HOST_CPUS; cpu++) {
        for (unsigned nth = 0; port_cpuset_has(online, cpu) && nth < PORT_CACHES_MAX; nth++) {
            struct port_cache cache;
            if (port_cpu_cache(cpu, nth, &cache) < 0 || cache.level < CACHE_LEVEL_MIN ||
                is_known(count, &cache) || count == BANKS_MAX)
                continue;
            add_bank(count++, (struct bank){cache.level, cache.id, cpu, nth});
        }
    }
    return count;
}

static void put_bank(struct buffer *out, const struct bank *bank)
{
    static const char *const kinds[] = {
        [PORT_CACHE_BOTH] = "both", [PORT_CACHE_CODE] = "code", [PORT_CACHE_DATA] = "data"};
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    struct port_cache cache;
    if (port_cpu_cache(bank->cpu, bank->nth, &cache) < 0)
        return;
    size_t unit = 0;
    for (; unit < 3 && cache.size && cache.size % 1024 == 0; unit++)
        cache.size /= 1024;
    buffer_printf(out, "      <bank id='%u' level='%u' type='%s' size='%llu' unit='%s' cpus='",
                  cache.id, cache.level, kinds[cache.kind], (unsigned long long)cache.size,
                  units[unit]);
    node_put_cpuset(out, &cache.cpus);
    buffer_puts(out, "'/>\n");
}

static void put_caches(struct buffer *out, const struct port_cpuset *online)
{
    size_t count = find_banks(online);
    if (count == 0)
        return;
    buffer_puts(out, "    <cache>\n");
    for (size_t i = 0; i < count; i++)
        put_bank(out, &banks[i]);
    buffer_puts(out, "    </cache>\n");
}

// ---- <host> -------------------------------------------------------------------------------------

static void put_security(struct buffer *out, const struct node_security *security)
{
    buffer_puts(out, "    <secmodel>\n"
                     "      <model>none</model>\n"
                     "      <doi>0</doi>\n"
                     "    </secmodel>\n");
    if (!security->dac)
        return;
    buffer_puts(out, "    <secmodel>\n"
                     "      <model>dac</model>\n"
                     "      <doi>0</doi>\n");
    static const char *const types[] = {"kvm", "qemu"};
    for (size_t i = 0; i < 2; i++)
        buffer_printf(out, "      <baselabel type='%s'>+%u:+%u</baselabel>\n", types[i],
                      security->uid, security->gid);
    buffer_puts(out, "    </secmodel>\n");
}

bool node_capabilities_host(struct buffer *out, const struct node_security *security,
                            struct error *err)
{
    struct node_info info;
    struct port_cpuset online;
    uint8_t uuid[16];
    char text[37];
    if (!node_info(&info, err) || node_cpu_map(&online, err) < 0)
        return false;
    node_host_uuid(uuid);
    domain_uuid_format(uuid, text);
    buffer_printf(out, "  <host>\n    <uuid>%s</uuid>\n", text);
    put_cpu(out, &info);
    // Suspending the host is asked of logind or pm-utils in libvirt; nothing here can do it.
    buffer_puts(out, "    <power_management/>\n");
    buffer_printf(out, "    <iommu support='%s'/>\n", port_has_iommu() ? "yes" : "no");
    buffer_puts(out, "    <migration_features>\n"
                     "      <live/>\n"
                     "      <uri_transports>\n"
                     "        <uri_transport>tcp</uri_transport>\n"
                     "        <uri_transport>rdma</uri_transport>\n"
                     "      </uri_transports>\n"
                     "    </migration_features>\n");
    put_cells(out, &info, &online);
    put_caches(out, &online);
    put_security(out, security);
    buffer_puts(out, "  </host>\n\n");
    return true;
}
