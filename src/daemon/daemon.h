// The daemon: from start-up to the end.
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "daemon/options.h"

// Runs until a signal or the time-out ends it. Returns the exit status.
int daemon_run(const struct options *options);

#endif
