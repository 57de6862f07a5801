// Disk throttling (<iotune>), which QEMU is told after its start.
#ifndef HV_QEMU_GUEST_PROCESS_THROTTLE_H
#define HV_QEMU_GUEST_PROCESS_THROTTLE_H

#include "core/slice.h"
#include "text/xml.h"

// The arguments of block_set_io_throttle for the n-th disk of a live definition that has an
// <iotune> and a medium; absent behind the last one. Valid until the next call.
struct slice process_throttle_arguments(const struct xml_node *tree, unsigned nth);

#endif
