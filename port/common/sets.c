// Sets of processors and of NUMA cells.
#include "port/port.h"

static bool has(const uint8_t *bits, unsigned count, unsigned member)
{
    return member < count && (bits[member / 8] >> member % 8 & 1);
}

static unsigned end_of(const uint8_t *bits, unsigned count)
{
    while (count > 0 && !has(bits, count, count - 1))
        count--;
    return count;
}

bool port_cpuset_has(const struct port_cpuset *set, unsigned cpu)
{
    return has(set->bits, CONFIG_HOST_CPUS, cpu);
}

void port_cpuset_add(struct port_cpuset *set, unsigned cpu)
{
    if (cpu < CONFIG_HOST_CPUS)
        set->bits[cpu / 8] = (uint8_t)(set->bits[cpu / 8] | 1U << cpu % 8);
}

unsigned port_cpuset_count(const struct port_cpuset *set)
{
    unsigned count = 0;
    for (unsigned cpu = 0; cpu < CONFIG_HOST_CPUS; cpu++)
        count += port_cpuset_has(set, cpu);
    return count;
}

unsigned port_cpuset_end(const struct port_cpuset *set)
{
    return end_of(set->bits, CONFIG_HOST_CPUS);
}

bool port_cellset_has(const struct port_cellset *set, unsigned cell)
{
    return has(set->bits, CONFIG_HOST_CELLS, cell);
}

unsigned port_cellset_end(const struct port_cellset *set)
{
    return end_of(set->bits, CONFIG_HOST_CELLS);
}
