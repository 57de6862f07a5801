// The conversation with an emulator that has just started, or was found running.
#ifndef HV_QEMU_PROCESS_SETUP_H
#define HV_QEMU_PROCESS_SETUP_H

#include "hv/qemu/guest/guest.h"

// All of these: zero the struct before; `err` has QEMU's words when it refuses.

// What clients see of the devices: paths of ptys, states of channels, threads of processors, the
// balloon. `started` is false for a guest that was found running.
enum co_status process_refresh(struct process_setup *s, struct guest *guest, struct task *task,
                               bool started, struct error *err);
// The threads of the processors, from the answer of query-cpus-fast.
void process_take_cpus(struct guest *guest, const struct json_value *cpus);
// What can not be said on the command line: passwords, link states, disk throttling, the
// balloon's size, what happens on a reboot.
enum co_status process_configure(struct process_setup *s, struct guest *guest, struct task *task,
                                 struct error *err);
// `cont` and `stop`. The events that QEMU sends with them change the state, with these reasons.
enum co_status process_run_cpus(struct monitor_call *call, struct guest *guest, struct task *task,
                                int reason, struct error *err);
enum co_status process_stop_cpus(struct monitor_call *call, struct guest *guest, struct task *task,
                                 int reason, struct error *err);

#endif
