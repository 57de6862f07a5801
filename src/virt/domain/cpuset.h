// Sets of processors as texts ("0-3,8") and as the protocol's bit maps.
#ifndef VIRT_CPUSET_H
#define VIRT_CPUSET_H

#include "core/slice.h"
#include "port/port.h"

// "0-3,^2,8"; false when it is no such text or names a processor from CONFIG_HOST_CPUS on.
bool cpuset_parse(struct slice text, struct port_cpuset *set);
// Bit 0 of byte 0 is processor 0. Bits beyond either end are lost.
void cpuset_from_map(struct slice map, struct port_cpuset *set);
void cpuset_to_map(const struct port_cpuset *set, uint8_t *map, size_t len);
void cpuset_fill(struct port_cpuset *set, unsigned count); // 0 to count-1

#endif
