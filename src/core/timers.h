// The loop's own view of the timers.
#ifndef CORE_TIMERS_H
#define CORE_TIMERS_H

#include "core/loop.h"

// The smaller of `timeout_ns` (negative: none) and the time until the first timer is due.
int64_t timers_limit(int64_t timeout_ns, uint64_t now);
// Fires what is due, each timer once.
void timers_fire(uint64_t now);
size_t timers_running(void);

#endif
