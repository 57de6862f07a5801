// The monitor: QMP, QEMU's control protocol, over a unix socket (QEMU's docs/interop/qmp-spec).
//
// One monitor per guest, one command at a time on each, in the order in which tasks asked. Events
// are handed to the owner as they come, those that QEMU sent before a reply before that reply is
// seen. What QEMU sends is not trusted: a line that is no QMP breaks the monitor for good, as in
// libvirt (the guest runs on, every command is answered with the first cause); a line that is
// longer than a large slot fails the command it belongs to.
#ifndef HV_QEMU_MONITOR_H
#define HV_QEMU_MONITOR_H

#include "core/co.h"
#include "core/loop.h"
#include "core/queue.h"
#include "core/slot.h"
#include "hv/qemu/monitor/monitor_lines.h"
#include "text/json.h"

// How long a command may take. libvirt would wait for ever; a stuck emulator must not hold a call
// slot for ever here.
#define MONITOR_COMMAND_LIMIT_NS (60 * NS_PER_SEC)
// An emulator with much memory to prepare takes its time before it listens.
#define MONITOR_GREETING_LIMIT_NS (60 * NS_PER_SEC)

enum monitor_phase {
    MONITOR_CLOSED,
    MONITOR_GREETING, // waits for QEMU's first line
    MONITOR_READY,
    MONITOR_BROKEN, // something came that is not QMP; only the end of file is waited for
    MONITOR_ENDED,  // end of file: the emulator is gone
};

struct monitor;

// The owner. Callbacks may close the monitor.
struct monitor_owner {
    void (*event)(struct monitor *monitor, const struct json_value *event);
    void (*broken)(struct monitor *monitor);
    void (*ended)(struct monitor *monitor);
};

struct monitor {
    enum monitor_phase phase;
    const struct monitor_owner *owner;
    const char *name; // of the domain, for messages
    int fd;
    struct watch watch;
    struct pause retry; // for a large slot
    struct task more;   // goes on with lines that are already here
    struct task *greeting_task;
    struct queue queue; // of calls; the first one is on its way
    struct slot *out;   // what QEMU has not taken yet
    int out_fd;         // goes with the first byte of `out`; -1 for none
    bool reply_held;    // `reply` was not looked at yet: nothing further is read
    struct slice reply;
    const char *cause; // of MONITOR_BROKEN
    uint32_t serial;   // of the last command
    struct lines lines;
};

// A command of a task. Zero it before the first use and after each end.
struct monitor_call {
    struct place place; // first
    struct co co;
    struct monitor *monitor;
    struct pause limit;
    uint32_t id;
    bool unlimited; // may take as long as it likes; set it before the first step
    // A descriptor that goes with the command (QMP's getfd); set both before the first step. It
    // stays the caller's, open until the end.
    bool with_fd;
    int fd;
    bool sent, answered, failed, too_long;
    // The answer, valid until the next wait: the "return" value; NULL after an error.
    const struct json_value *result;
    const struct json_value *message; // the whole of it
    char error_class[32];             // "CommandNotFound"; "" without
};

// Takes over a connected socket. The greeting is waited for with monitor_open().
void monitor_start(struct monitor *monitor, int fd, const struct monitor_owner *owner,
                   const char *name);
// Waits for the greeting and enters command mode. Zero `open` before. Errors:
// VIR_ERR_INTERNAL_ERROR when the emulator went away or is no QEMU; VIR_ERR_OPERATION_TIMEOUT.
struct monitor_open {
    struct co co;
    struct monitor_call call;
};
enum co_status monitor_open(struct monitor_open *open, struct monitor *monitor, struct task *task,
                            struct error *err);
// Fails whoever waits and closes the socket. No callback is called.
void monitor_close(struct monitor *monitor);

// Runs a command and waits for its answer. `arguments` is the JSON object's text, absent for none;
// it is looked at when the command is sent, so give it anew at each resumption (monitor_args does).
// Errors: VIR_ERR_INTERNAL_ERROR "unable to execute QEMU command 'stop': ..." with QEMU's words,
// VIR_ERR_OPERATION_FAILED "domain is not running", VIR_ERR_OPERATION_TIMEOUT.
enum co_status monitor_command(struct monitor_call *call, struct monitor *monitor,
                               struct task *task, const char *command, struct slice arguments,
                               struct error *err);
// As monitor_command, for a whole command object, to which an id is added; QEMU's errors are an
// answer like any other.
enum co_status monitor_pass(struct monitor_call *call, struct monitor *monitor, struct task *task,
                            struct slice object, struct error *err);

// Arguments by format, in one static buffer.
struct slice monitor_args(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The document that monitors and agents parse into. Nobody keeps it across a wait.
struct json_doc *monitor_json(void);

#endif
