// The access rules of the daemon: read at start and at SIGHUP.
#ifndef DAEMON_RULES_H
#define DAEMON_RULES_H

#include "core/error.h"
#include "core/settings.h"

// Reads etc/libvirt/access.conf, if it is there, as access_drivers of the settings says. False when
// the daemon must not start: an open daemon is not what somebody who has written rules wants.
bool rules_start(const struct settings *settings, struct error *err);
// Reads them again. If that fails those in force stay, and the log says why.
void rules_reload(void);
// Reads the file to no end but that it is in memory then: for a worker, which may wait for the
// disk.
void rules_read_ahead(void);

#endif
