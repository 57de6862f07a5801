// Linux: the host's memory and NUMA cells, from /proc/meminfo, /sys/devices/system/node and
// /sys/kernel/mm/hugepages.
#include "port/linux/linux.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_NODE "/sys/devices/system/node"

int port_cells(struct port_cellset *set)
{
    return port_host_list(set->bits, CONFIG_HOST_CELLS, SYSTEM_NODE "/online");
}

// "cpu12" among "cpufreq", "cpuidle" and others.
static bool is_numbered(const char *name, const char *prefix, unsigned *number)
{
    size_t len = strlen(prefix);
    char *end;
    if (strncmp(name, prefix, len) != 0 || name[len] < '0' || name[len] > '9')
        return false;
    *number = (unsigned)strtoul(name + len, &end, 10);
    return *end == '\0';
}

int port_cell_cpus(int cell, struct port_cpuset *set)
{
    char path[PORT_PATH_MAX];
    struct port_dir dir;
    unsigned cpu;
    if (cell < 0)
        port_host_path(path, "/sys/devices/system/cpu");
    else
        port_host_path(path, SYSTEM_NODE "/node%d", cell);
    int result = port_dir_open(&dir, path);
    if (result < 0)
        return result;
    *set = (struct port_cpuset){{0}};
    for (const char *name = port_dir_next(&dir); name; name = port_dir_next(&dir)) {
        if (is_numbered(name, "cpu", &cpu))
            port_cpuset_add(set, cpu);
    }
    port_dir_close(&dir);
    return 0;
}

int port_cell_distances(unsigned cell, unsigned *to, size_t max)
{
    char line[8 * CONFIG_HOST_CELLS];
    ptrdiff_t len = port_host_text(line, sizeof(line), SYSTEM_NODE "/node%u/distance", cell);
    if (len < 0)
        return (int)len;
    size_t count = 0;
    char *end;
    for (const char *at = line; count < max; at = end) {
        unsigned long distance = strtoul(at, &end, 10);
        if (end == at)
            break;
        to[count++] = (unsigned)distance;
    }
    return (int)count;
}

// ---- memory -------------------------------------------------------------------------------------

// Lines are "MemTotal:   5466328 kB", in a cell's file with "Node 0 " before.
static void read_memory(struct port_text *text, struct port_memory *to)
{
    const struct {
        const char *name;
        uint64_t *value;
    } lines[] = {{"MemTotal:", &to->total},
                 {"MemFree:", &to->free},
                 {"Buffers:", &to->buffers},
                 {"Cached:", &to->cached}};
    char word[64];
    uint64_t *wanted = NULL;
    int stop;
    while ((stop = port_text_field(text, " ", word, sizeof(word))) != EOF) {
        if (wanted && word[0] >= '0' && word[0] <= '9') {
            *wanted = strtoull(word, NULL, 10);
            wanted = NULL;
        }
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            if (strcmp(word, lines[i].name) == 0)
                wanted = lines[i].value;
        }
    }
}

int port_memory(int cell, struct port_memory *to)
{
    struct port_text text;
    char path[PORT_PATH_MAX];
    if (cell < 0)
        port_host_path(path, "/proc/meminfo");
    else
        port_host_path(path, SYSTEM_NODE "/node%d/meminfo", cell);
    int result = port_text_open(&text, path);
    if (result < 0)
        return result;
    *to = (struct port_memory){0};
    read_memory(&text, to);
    port_text_close(&text);
    return 0;
}

// ---- pages --------------------------------------------------------------------------------------

// Adds a pool where it belongs by its size; there is room for it.
static void add_pool(struct port_pages *pages, size_t count, struct port_pages pool)
{
    size_t at = count;
    for (; at > 0 && pages[at - 1].size > pool.size; at--)
        pages[at] = pages[at - 1];
    pages[at] = pool;
}

static void pool_path(char path[64], int cell)
{
    if (cell < 0)
        snprintf(path, 64, "/sys/kernel/mm/hugepages");
    else
        snprintf(path, 64, SYSTEM_NODE "/node%d/hugepages", cell);
}

static size_t read_pools(int cell, struct port_pages *pages, size_t max)
{
    char pool[64], path[PORT_PATH_MAX];
    struct port_dir dir;
    size_t count = 0;
    pool_path(pool, cell);
    port_host_path(path, "%s", pool);
    if (port_dir_open(&dir, path) < 0)
        return 0; // a kernel without huge pages
    for (const char *name = port_dir_next(&dir); name && count < max; name = port_dir_next(&dir)) {
        int64_t total, unused;
        unsigned size = 0;
        if (sscanf(name, "hugepages-%ukB", &size) != 1 ||
            port_host_number(&total, "%s/%s/nr_hugepages", pool, name) < 0 ||
            port_host_number(&unused, "%s/%s/free_hugepages", pool, name) < 0)
            continue;
        add_pool(pages, count++, (struct port_pages){size, (uint64_t)total, (uint64_t)unused});
    }
    port_dir_close(&dir);
    return count;
}

// The whole host's memory is the sum of its cells, as virNodeGetInfo has it; /proc/meminfo may tell
// another total.
static int cell_memory(int cell, struct port_memory *to)
{
    struct port_cellset cells;
    if (cell >= 0 || port_cells(&cells) < 0)
        return port_memory(cell, to);
    *to = (struct port_memory){0};
    for (unsigned i = 0; i < CONFIG_HOST_CELLS; i++) {
        struct port_memory one;
        if (!port_cellset_has(&cells, i))
            continue;
        int result = port_memory((int)i, &one);
        if (result < 0)
            return result;
        to->total += one.total;
        to->free += one.free;
    }
    return 0;
}

int port_pages(int cell, struct port_pages pages[PORT_PAGES_MAX])
{
    struct port_memory memory;
    int result = cell_memory(cell, &memory);
    if (result < 0)
        return result;
    size_t count = read_pools(cell, pages, PORT_PAGES_MAX - 1);
    // Memory in the pools counts as used, yet is none that ordinary pages could have.
    for (size_t i = 0; i < count; i++)
        memory.total -= pages[i].size * pages[i].total;
    unsigned size = (unsigned)sysconf(_SC_PAGESIZE) / 1024;
    add_pool(pages, count++, (struct port_pages){size, memory.total / size, memory.free / size});
    return (int)count;
}

int port_pages_reserve(int cell, unsigned size, uint64_t count)
{
    port_may_block(__func__);
    char pool[64], path[PORT_PATH_MAX], text[24];
    pool_path(pool, cell);
    port_host_path(path, "%s/hugepages-%ukB/nr_hugepages", pool, size);
    int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)count);
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ptrdiff_t put = port_write(fd, text, (size_t)len);
    port_close(fd);
    return put < 0 ? (int)put : 0;
}
