// QMP events: what QEMU tells by itself, turned into states and libvirt's events.
#ifndef HV_QEMU_EVENTS_H
#define HV_QEMU_EVENTS_H

#include "hv/qemu/guest/guest.h"

// Takes one event message of a guest's monitor.
void events_take(struct guest *guest, const struct json_value *message);

#endif
