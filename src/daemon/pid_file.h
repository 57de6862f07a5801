// The pid file: which daemon runs, and that only one does.
#ifndef DAEMON_PID_FILE_H
#define DAEMON_PID_FILE_H

#include "core/error.h"
#include "daemon/options.h"

// Takes --pid-file, or libvirtd's own, and locks it for as long as we run: so neither daemon starts
// while the other runs.
bool pid_file_take(const struct options *options, struct error *err);
void pid_file_remove(void);

#endif
