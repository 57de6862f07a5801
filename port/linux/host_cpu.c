// Linux: the host's processors, from /sys/devices/system/cpu, /proc/cpuinfo and /proc/stat.
#include "port/linux/linux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_CPU "/sys/devices/system/cpu"

int port_cpus_present(struct port_cpuset *set)
{
    return port_host_list(set->bits, CONFIG_HOST_CPUS, SYSTEM_CPU "/present");
}

int port_cpus_online(struct port_cpuset *set)
{
    return port_host_list(set->bits, CONFIG_HOST_CPUS, SYSTEM_CPU "/online");
}

// ---- one processor ------------------------------------------------------------------------------

// Ids that a platform does not have are missing or -1: all processors share number 0 then.
static unsigned topology_id(unsigned cpu, const char *name)
{
    int64_t id;
    if (port_host_number(&id, SYSTEM_CPU "/cpu%u/topology/%s", cpu, name) < 0 || id < 0)
        return 0;
    return (unsigned)id;
}

int port_cpu_describe(unsigned cpu, struct port_cpu *to)
{
    to->socket = topology_id(cpu, "physical_package_id");
    to->die = topology_id(cpu, "die_id");
    to->core = topology_id(cpu, "core_id");
    int result = port_host_list(to->siblings.bits, CONFIG_HOST_CPUS,
                                SYSTEM_CPU "/cpu%u/topology/thread_siblings_list", cpu);
    if (result == -ENOENT) {
        to->siblings = (struct port_cpuset){{0}};
        port_cpuset_add(&to->siblings, cpu);
        return 0;
    }
    return result;
}

// The value of the lines "name    : value" of /proc/cpuinfo: the first one's, or the last one's.
static bool cpuinfo_value(const char *name, bool last, char *value, size_t size)
{
    struct port_text text;
    char path[PORT_PATH_MAX], key[64];
    bool found = false;
    port_host_path(path, "/proc/cpuinfo");
    if (port_text_open(&text, path) < 0)
        return false;
    int stop;
    while ((last || !found) && (stop = port_text_field(&text, ":", key, sizeof(key))) != EOF) {
        if (stop != ':')
            continue;
        size_t len = strlen(name);
        if (strncmp(key, name, len) != 0 || key[len + strspn(key + len, " \t")]) {
            port_text_skip(&text);
            continue;
        }
        port_text_field(&text, "", value, size);
        found = true;
    }
    port_text_close(&text);
    return found;
}

unsigned port_cpu_mhz(void)
{
    char value[64];
    return cpuinfo_value("cpu MHz", true, value, sizeof(value)) ? (unsigned)strtoul(value, NULL, 10)
                                                                : 0;
}

int port_cpu_name(char *to, size_t size)
{
    char value[256];
    if (!cpuinfo_value("model name", false, value, sizeof(value)) &&
        !cpuinfo_value("Processor", false, value, sizeof(value)))
        return -ENOENT;
    int len = snprintf(to, size, "%s", value + strspn(value, " \t"));
    return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

uint32_t port_x86_microcode(void)
{
    char value[64];
    return cpuinfo_value("microcode", false, value, sizeof(value))
               ? (uint32_t)strtoul(value, NULL, 0)
               : 0;
}

unsigned port_x86_physical_bits(void)
{
    char value[64]; // "48 bits physical, 48 bits virtual"
    return cpuinfo_value("address sizes", false, value, sizeof(value))
               ? (unsigned)strtoul(value, NULL, 10)
               : 0;
}

int port_cpu_cache(unsigned cpu, unsigned nth, struct port_cache *to)
{
    static const char *const kinds[] = {[PORT_CACHE_BOTH] = "Unified",
                                        [PORT_CACHE_CODE] = "Instruction",
                                        [PORT_CACHE_DATA] = "Data"};
    char kind[32], directory[96];
    int64_t id, level, size;
    snprintf(directory, sizeof(directory), SYSTEM_CPU "/cpu%u/cache/index%u", cpu, nth);
    if (port_host_number(&level, "%s/level", directory) < 0 ||
        port_host_number(&id, "%s/id", directory) < 0 ||
        port_host_number(&size, "%s/size", directory) < 0 ||
        port_host_text(kind, sizeof(kind), "%s/type", directory) < 0 ||
        port_host_list(to->cpus.bits, CONFIG_HOST_CPUS, "%s/shared_cpu_list", directory) < 0)
        return -ENOENT;
    to->id = (unsigned)id;
    to->level = (unsigned)level;
    to->size = (uint64_t)size;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            to->kind = (enum port_cache_kind)i;
            return 0;
        }
    }
    return -ENOENT;
}

// ---- times --------------------------------------------------------------------------------------

// Columns of a line of /proc/stat, proc_stat(5).
enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, COLUMNS };

int port_cpu_times(int cpu, struct port_cpu_times *to)
{
    struct port_text text;
    char path[PORT_PATH_MAX], wanted[16], key[32];
    uint64_t ticks[COLUMNS] = {0};
    bool found = false;
    snprintf(wanted, sizeof(wanted), cpu < 0 ? "cpu" : "cpu%d", cpu);
    port_host_path(path, "/proc/stat");
    int result = port_text_open(&text, path);
    if (result < 0)
        return result;
    int stop;
    while (!found && (stop = port_text_field(&text, " ", key, sizeof(key))) != EOF) {
        if (stop == ' ' && strcmp(key, wanted) == 0)
            found = port_text_numbers(&text, ticks, COLUMNS) > IDLE; // later kernels have more
        else if (stop == ' ')
            port_text_skip(&text);
    }
    port_text_close(&text);
    if (!found)
        return -ENOENT;
    uint64_t ns = 1000000000U / (uint64_t)sysconf(_SC_CLK_TCK);
    *to = (struct port_cpu_times){
        .kernel_ns = (ticks[SYSTEM] + ticks[IRQ] + ticks[SOFTIRQ]) * ns,
        .user_ns = (ticks[USER] + ticks[NICE]) * ns,
        .idle_ns = ticks[IDLE] * ns,
        .iowait_ns = ticks[IOWAIT] * ns,
        .stolen_ns = ticks[STEAL] * ns,
    };
    return 0;
}
