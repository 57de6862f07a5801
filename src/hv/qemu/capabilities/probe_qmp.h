// A QMP conversation that may block, for the probe.
#ifndef HV_QEMU_PROBE_QMP_H
#define HV_QEMU_PROBE_QMP_H

#include "hv/qemu/capabilities/probe.h"
#include "text/json.h"

struct probe_qmp {
    int pid, fd, err_fd;
    uint64_t deadline;
    const char *cause; // of the failure
};

// Starts the emulator without a machine and enters command mode.
bool probe_qmp_start(struct probe_qmp *qmp, const struct qemu_probe *probe,
                     const char *accelerator);
// Runs a command (`arguments`: JSON text or absent) and returns its "return" value, valid until the
// next command; NULL when it failed.
const struct json_value *probe_qmp_command(struct probe_qmp *qmp, const char *command,
                                           struct slice arguments);
// Whether the text of a command's answer has `needle` in it; for answers too large to be parsed.
bool probe_qmp_mentions(struct probe_qmp *qmp, const char *command, const char *needle);
// Ends the emulator. What it wrote to its standard error is put into `to`.
void probe_qmp_end(struct probe_qmp *qmp, struct buffer *to);

#endif
