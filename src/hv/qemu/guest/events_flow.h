// What follows from an event and takes more than a moment.
#ifndef HV_QEMU_EVENTS_FLOW_H
#define HV_QEMU_EVENTS_FLOW_H

#include "hv/qemu/guest/guest.h"

// After a SHUTDOWN: a reset for guests that reboot, the end of the emulator for the others.
void events_shut_down_or_reboot(struct guest *guest);
// After a GUEST_PANICKED: what <on_crash> says.
void events_begin_panic(struct guest *guest);

#endif
