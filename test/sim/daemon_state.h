// What the daemon holds at the moment.
#ifndef TEST_SIM_DAEMON_STATE_H
#define TEST_SIM_DAEMON_STATE_H

#include <stdbool.h>

bool daemon_has_qemu(void);
unsigned daemon_clients(void);
unsigned daemon_watches(void);
unsigned daemon_timers(void);
bool daemon_refused_workers(void); // in this life, because there were too many, or no memory
// What has not been given back although nobody has asked for anything and only so many guests run;
// NULL when everything has been.
const char *daemon_holds(unsigned guests);

#endif
