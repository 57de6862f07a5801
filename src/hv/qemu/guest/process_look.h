// What a start has to look up on the host and a worker looks up for it: the images that a disk's
// image is based on, where the definition does not tell them, and how late it is in local time.
#ifndef HV_QEMU_PROCESS_LOOK_H
#define HV_QEMU_PROCESS_LOOK_H

#include "text/xml.h"

// Whether the live definition leaves something open.
bool process_needs_look(const struct xml_node *tree);
// For a worker: `argument` is the struct domain, whose live definition is written again with what
// was found. On failure the result is 1 and the struct error is written to `out`.
int process_look(void *argument, int out);

#endif
