// What the daemon holds at the moment.
#ifndef TEST_SIM_DAEMON_STATE_H
#define TEST_SIM_DAEMON_STATE_H

#include <stdbool.h>

bool daemon_has_qemu(void);
unsigned daemon_clients(void);
bool daemon_slots_free(void); // so no call is in progress
// What has not been given back although nobody is there; NULL when everything has been.
const char *daemon_holds(void);

#endif
