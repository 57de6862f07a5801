// Probing on behalf of everybody: one probe at a time, and who needs its result waits.
#ifndef HV_QEMU_DRIVER_PROBE_H
#define HV_QEMU_DRIVER_PROBE_H

#include "core/loop.h"

#include <stdbool.h>

// Whether all emulators' capabilities are known as far as they can be. If not, a probe is begun (or
// under way) and the task is woken at its end. For CO_WAIT.
bool driver_probed(struct task *task);
// As above, for one emulator.
bool driver_probed_emulator(const char *emulator, struct task *task);

// For others that make tasks wait: has the task woken with those who wait for a probe, at the
// latest after a moment.
void driver_wait(struct task *task);

#endif
