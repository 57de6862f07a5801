// The time-out: a daemon that nobody uses ends.
#ifndef DAEMON_IDLE_H
#define DAEMON_IDLE_H

#include <stdint.h>

// Ends the daemon when for that many seconds nobody has been connected to any server and no domain
// has run; 0: never. Counting begins anew.
void idle_set_timeout(uint32_t seconds);

#endif
