// Sets of processors as texts and as bit maps.
#include "virt/domain/cpuset.h"

#include <string.h>

static void cpuset_remove(struct port_cpuset *set, unsigned cpu)
{
    set->bits[cpu / 8] = (uint8_t)(set->bits[cpu / 8] & ~(1u << (cpu % 8)));
}

// "3", "0-3" or "^2".
static bool parse_part(struct slice part, struct port_cpuset *set)
{
    uint32_t first, last;
    bool exclude = slice_starts(part, "^");
    part = exclude ? slice_from(part, 1) : part;
    ptrdiff_t dash = slice_find(part, '-');
    struct slice from = {part.at, dash < 0 ? part.len : (size_t)dash};
    if (!slice_u32(from, 10, &first))
        return false;
    last = first;
    if (dash >= 0 && (exclude || !slice_u32(slice_from(part, (size_t)dash + 1), 10, &last)))
        return false;
    if (last < first || last >= CONFIG_HOST_CPUS)
        return false;
    for (uint32_t cpu = first; cpu <= last; cpu++) {
        if (exclude)
            cpuset_remove(set, cpu);
        else
            port_cpuset_add(set, cpu);
    }
    return true;
}

bool cpuset_parse(struct slice text, struct port_cpuset *set)
{
    struct slice part;
    memset(set, 0, sizeof(*set));
    while (slice_split(&text, ',', &part))
        if (!parse_part(slice_trim(part), set))
            return false;
    return port_cpuset_count(set) > 0;
}

void cpuset_from_map(struct slice map, struct port_cpuset *set)
{
    memset(set, 0, sizeof(*set));
    if (map.len)
        memcpy(set->bits, map.at, map.len < sizeof(set->bits) ? map.len : sizeof(set->bits));
}

void cpuset_to_map(const struct port_cpuset *set, uint8_t *map, size_t len)
{
    memset(map, 0, len);
    memcpy(map, set->bits, len < sizeof(set->bits) ? len : sizeof(set->bits));
}

void cpuset_fill(struct port_cpuset *set, unsigned count)
{
    memset(set, 0, sizeof(*set));
    for (unsigned cpu = 0; cpu < count && cpu < CONFIG_HOST_CPUS; cpu++)
        port_cpuset_add(set, cpu);
}
