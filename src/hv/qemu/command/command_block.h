// Block nodes of disks, private to command_*.c.
#ifndef HV_QEMU_COMMAND_BLOCK_H
#define HV_QEMU_COMMAND_BLOCK_H

#include "hv/qemu/command/command_parts.h"

// -blockdev for the disk's source and its backing chain, the deepest first; nothing for an empty
// drive.
void build_block_nodes(struct builder *b, const struct xml_node *disk);
// "drive" with the name of the uppermost node; nothing for an empty drive.
void put_drive(struct builder *b, const struct xml_node *disk);
// Whether a cache mode lets the guest's device report a write-back cache.
bool cache_writes_back(struct slice cache);

#endif
