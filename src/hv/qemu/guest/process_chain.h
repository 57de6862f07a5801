// The images that a disk's image is based on, where the definition does not tell them.
#ifndef HV_QEMU_PROCESS_CHAIN_H
#define HV_QEMU_PROCESS_CHAIN_H

#include "text/xml.h"

// Whether the live definition leaves such images open.
bool process_needs_chain(const struct xml_node *tree);
// For a worker: `argument` is the struct domain, whose live definition is written again with all
// images. On failure the result is 1 and the struct error is written to `out`.
int process_find_chains(void *argument, int out);

#endif
