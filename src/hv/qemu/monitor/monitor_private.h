// What monitor.c (the socket) and monitor_call.c (commands) share.
#ifndef HV_QEMU_MONITOR_PRIVATE_H
#define HV_QEMU_MONITOR_PRIVATE_H

#include "hv/qemu/monitor/monitor.h"

#include <stddef.h>

#define MONITOR_ID_PREFIX "libvirt-" // what scripts see in the answers of qemu-monitor-command

#define MONITOR_OF(pointer, member)                                                                \
    ((struct monitor *)(void *)((char *)(pointer)-offsetof(struct monitor, member)))

void monitor_update_watch(struct monitor *m);
// Starts to send; the slot is the monitor's from then on. `fd` goes with it, unless it is -1.
void monitor_send(struct monitor *m, struct slot *slot, int fd);
// The call that is on its way, or NULL.
struct monitor_call *monitor_first_call(const struct monitor *m);
// Takes a call out of the queue, whatever its state, and lets the next one begin.
void monitor_call_leave(struct monitor_call *call);

#endif
