// The node: its identity and its processors.
#include "virt/node/node.h"

#include "virt/domain/domain.h"

#include <errno.h>
#include <string.h>

// ---- uuid ---------------------------------------------------------------------------------------

static uint8_t host_uuid[16];
static bool host_uuid_known, machine_id_first;

// Firmware that nobody has filled in has a uuid of one repeated byte (virUUIDIsValid).
static bool is_filled_in(const uint8_t uuid[16])
{
    for (int i = 1; i < 16; i++) {
        if (uuid[i] != uuid[0])
            return true;
    }
    return false;
}

void node_choose_host_uuid(const char *text, bool machine_id)
{
    host_uuid_known = domain_uuid_parse(slice_of(text), host_uuid);
    machine_id_first = machine_id;
}

static bool read_host_uuid(int (*read)(char to[37]))
{
    char text[37];
    return read(text) == 0 && domain_uuid_parse(slice_of(text), host_uuid) &&
           is_filled_in(host_uuid);
}

void node_host_uuid(uint8_t uuid[16])
{
    if (!host_uuid_known && !(machine_id_first && read_host_uuid(port_machine_id)) &&
        !read_host_uuid(port_host_uuid) && !read_host_uuid(port_machine_id)) {
        port_random(host_uuid, sizeof(host_uuid));
        host_uuid[6] = (uint8_t)((host_uuid[6] & 0x0f) | 0x40); // RFC 4122 section 4.4
        host_uuid[8] = (uint8_t)((host_uuid[8] & 0x3f) | 0x80);
    }
    host_uuid_known = true;
    memcpy(uuid, host_uuid, sizeof(host_uuid));
}

// ---- topology -----------------------------------------------------------------------------------

// What virNodeInfo tells of one cell, or of a host that has none.
struct survey {
    unsigned cpus, offline, sockets, cores, threads;
};

struct place {
    unsigned socket, core;
    bool new_socket, new_core; // the first processor that is in it
};

static struct place places[CONFIG_HOST_CPUS];

static void add_place(unsigned count, const struct port_cpu *cpu)
{
    struct place place = {cpu->socket, cpu->core, true, true};
    for (unsigned i = 0; i < count; i++) {
        bool same = places[i].socket == place.socket;
        place.new_socket = place.new_socket && !same;
        place.new_core = place.new_core && !(same && places[i].core == place.core);
    }
    places[count] = place;
}

static unsigned cores_of_socket(unsigned count, unsigned socket)
{
    unsigned cores = 0;
    for (unsigned i = 0; i < count; i++)
        cores += places[i].socket == socket && places[i].new_core;
    return cores;
}

static bool survey_cell(int cell, const struct port_cpuset *present,
                        const struct port_cpuset *online, struct survey *to)
{
    struct port_cpuset cpus;
    if (port_cell_cpus(cell, &cpus) < 0)
        return false;
    *to = (struct survey){0};
    for (unsigned i = 0; i < CONFIG_HOST_CPUS; i++) {
        struct port_cpu cpu;
        if (!port_cpuset_has(&cpus, i) || !port_cpuset_has(present, i))
            continue;
        if (!port_cpuset_has(online, i)) {
            to->offline++;
            continue;
        }
        if (port_cpu_describe(i, &cpu) < 0)
            return false;
        add_place(to->cpus++, &cpu);
        unsigned threads = port_cpuset_count(&cpu.siblings);
        if (threads > to->threads)
            to->threads = threads;
    }
    for (unsigned i = 0; i < to->cpus; i++) {
        if (!places[i].new_socket)
            continue;
        to->sockets++;
        unsigned cores = cores_of_socket(to->cpus, places[i].socket);
        if (cores > to->cores)
            to->cores = cores;
    }
    return true;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

// virNodeInfo describes a host of equal cells. Where the product of its numbers is not the number
// of processors, it tells one cell with one socket instead, as its documentation says.
static bool fill_topology(struct node_info *to, struct error *err)
{
    struct port_cpuset present, online;
    struct port_cellset cells;
    struct survey cell;
    unsigned offline = 0;
    if (port_cpus_present(&present) < 0 || port_cpus_online(&online) < 0)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "no CPUs found");
    bool numa = port_cells(&cells) == 0;
    for (unsigned i = 0; numa && i < port_cellset_end(&cells); i++) {
        if (!port_cellset_has(&cells, i) || !survey_cell((int)i, &present, &online, &cell))
            continue;
        to->nodes++;
        to->cpus += cell.cpus;
        offline += cell.offline;
        to->sockets = larger(to->sockets, cell.sockets);
        to->cores = larger(to->cores, cell.cores);
        to->threads = larger(to->threads, cell.threads);
    }
    if (to->cpus == 0 || to->nodes == 0) {
        if (!survey_cell(-1, &present, &online, &cell) || cell.cpus == 0)
            return error_set(err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "no CPUs found");
        to->nodes = 1;
        to->cpus = cell.cpus;
        to->sockets = cell.sockets;
        to->cores = cell.cores;
        to->threads = cell.threads;
        offline = cell.offline;
    }
    if (to->nodes * to->sockets * to->cores * to->threads != to->cpus + offline) {
        to->nodes = to->sockets = to->threads = 1;
        to->cores = to->cpus + offline;
    }
    return true;
}

bool node_info(struct node_info *to, struct error *err)
{
    uint64_t unused;
    *to = (struct node_info){0};
    port_machine(to->model, sizeof(to->model));
    to->mhz = port_cpu_mhz();
    return node_memory(&to->memory_kib, &unused, err) && fill_topology(to, err);
}

int node_cpu_map(struct port_cpuset *online, struct error *err)
{
    struct port_cpuset present;
    int result = port_cpus_online(online);
    if (result == 0)
        result = port_cpus_present(&present);
    if (result < 0) {
        error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "cannot read the CPU map: %s",
                  strerror(-result));
        return -1;
    }
    return (int)port_cpuset_end(&present);
}

bool node_cpu_stats(int cpu, struct node_stat stats[NODE_CPU_STATS], struct error *err)
{
    struct port_cpu_times times;
    int result = port_cpu_times(cpu, &times);
    if (result == -ENOENT)
        return error_set_plain(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                               "Invalid cpuNum in virHostCPUGetStatsLinux");
    if (result < 0)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "cannot open /proc/stat: %s",
                         strerror(-result));
    stats[0] = (struct node_stat){"kernel", times.kernel_ns};
    stats[1] = (struct node_stat){"user", times.user_ns};
    stats[2] = (struct node_stat){"idle", times.idle_ns};
    stats[3] = (struct node_stat){"iowait", times.iowait_ns};
    return true;
}

void node_put_cpuset(struct buffer *out, const struct port_cpuset *set)
{
    const char *separator = "";
    for (unsigned first = 0; first < CONFIG_HOST_CPUS; first++) {
        if (!port_cpuset_has(set, first))
            continue;
        unsigned last = first;
        while (port_cpuset_has(set, last + 1))
            last++;
        buffer_printf(out, "%s%u", separator, first);
        if (last > first)
            buffer_printf(out, "-%u", last);
        separator = ",";
        first = last;
    }
}
