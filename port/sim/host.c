// Sim: the host, as port/host.h describes one: four processors in one socket, 8 GiB, no NUMA.
#include "port/sim/machine.h"

#include <stdio.h>
#include <string.h>

#define CPUS       4
#define MEMORY_KIB (8u << 20)
#define PAGE_KIB   4
#define MHZ        2400

void port_host_root(const char *path)
{
    (void)path;
}

static int copy(const char *from, char *to, size_t size)
{
    int len = snprintf(to, size, "%s", from);
    return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

int port_hostname(char *to, size_t size)
{
    return copy("sim", to, size);
}

int port_machine(char *to, size_t size)
{
    return copy("x86_64", to, size);
}

// ---- processors ---------------------------------------------------------------------------------

int port_cpus_present(struct port_cpuset *set)
{
    *set = (struct port_cpuset){{0}};
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        port_cpuset_add(set, cpu);
    return 0;
}

int port_cpus_online(struct port_cpuset *set)
{
    return port_cpus_present(set);
}

int port_cpu_describe(unsigned cpu, struct port_cpu *to)
{
    *to = (struct port_cpu){.core = cpu};
    port_cpuset_add(&to->siblings, cpu);
    return cpu < CPUS ? 0 : -ENOENT;
}

unsigned port_cpu_mhz(void)
{
    return MHZ;
}

int port_cpu_name(char *to, size_t size)
{
    (void)to, (void)size;
    return -ENOENT;
}

int port_cpu_times(int cpu, struct port_cpu_times *to)
{
    uint64_t cpus = cpu < 0 ? CPUS : 1;
    *to = (struct port_cpu_times){.kernel_ns = sim->now / 16 * cpus,
                                  .user_ns = sim->now / 8 * cpus,
                                  .idle_ns = sim->now / 2 * cpus};
    return cpu < CPUS ? 0 : -ENOENT;
}

int port_cpu_cache(unsigned cpu, unsigned nth, struct port_cache *to)
{
    (void)cpu, (void)nth, (void)to;
    return -ENOENT;
}

bool port_x86_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t registers[4])
{
    (void)leaf, (void)subleaf;
    memset(registers, 0, 4 * sizeof(registers[0]));
    return false;
}

int port_x86_msr(uint32_t index, uint64_t *value)
{
    (void)index, (void)value;
    return -ENOENT;
}

uint32_t port_x86_microcode(void)
{
    return 0;
}

unsigned port_x86_physical_bits(void)
{
    return 0;
}

int port_x86_tsc(uint64_t *hz, bool *scales)
{
    (void)hz, (void)scales;
    return -ENOENT;
}

int port_arm_identity(uint64_t *midr, uint64_t *capabilities)
{
    (void)midr, (void)capabilities;
    return -ENOENT;
}

// ---- memory -------------------------------------------------------------------------------------

int port_cells(struct port_cellset *set)
{
    *set = (struct port_cellset){{0}};
    return -ENOENT;
}

int port_cell_cpus(int cell, struct port_cpuset *set)
{
    return cell < 0 ? port_cpus_present(set) : -ENOENT;
}

int port_cell_distances(unsigned cell, unsigned *to, size_t max)
{
    (void)cell, (void)to, (void)max;
    return -ENOENT;
}

int port_memory(int cell, struct port_memory *to)
{
    *to = (struct port_memory){
        .total = MEMORY_KIB, .free = MEMORY_KIB / 2, .buffers = 1024, .cached = 4096};
    return cell < 0 ? 0 : -ENOENT;
}

int port_pages(int cell, struct port_pages pages[PORT_PAGES_MAX])
{
    pages[0] = (struct port_pages){
        .size = PAGE_KIB, .total = MEMORY_KIB / PAGE_KIB, .free = MEMORY_KIB / PAGE_KIB / 2};
    return cell < 0 ? 1 : -ENOENT;
}

int port_pages_reserve(int cell, unsigned size, uint64_t count)
{
    sim_enter("reserve pages");
    sim_may_block("port_pages_reserve");
    (void)cell, (void)size, (void)count;
    return -ENOENT;
}

// ---- firmware and virtualization ----------------------------------------------------------------

int port_host_uuid(char to[37])
{
    return copy("5350494d-0000-4000-8000-000000000001", to, 37);
}

int port_machine_id(char to[37])
{
    (void)to;
    return -ENOENT;
}

ptrdiff_t port_smbios(void *to, size_t size)
{
    (void)to, (void)size;
    return -ENOENT;
}

bool port_has_iommu(void)
{
    return false;
}

bool port_has_cgroups(void)
{
    return false;
}
