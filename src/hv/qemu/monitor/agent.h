// The guest agent: commands to qemu-ga inside a guest, over its channel's unix socket.
//
// The agent speaks JSON lines (QEMU's docs/interop/qemu-ga). The channel has no idea of a
// connection: what an earlier reader left unread still arrives, and a guest that reboots says
// nothing at all. So after each doubt a guest-sync with a fresh number is sent, and everything is
// thrown away until that number comes back. What the guest sends is not trusted: lines that are no
// JSON are passed over, and time ends each wait.
#ifndef HV_QEMU_AGENT_H
#define HV_QEMU_AGENT_H

#include "core/co.h"
#include "core/config.h"
#include "core/loop.h"
#include "core/queue.h"
#include "core/slot.h"
#include "hv/qemu/monitor/monitor_lines.h"
#include "text/json.h"

// How long to wait, in seconds; or one of these (virDomainQemuAgentCommandTimeoutValues).
enum agent_timeout {
    AGENT_WAIT_BLOCK = -2,   // for ever
    AGENT_WAIT_DEFAULT = -1, // 5 seconds
    AGENT_WAIT_NOT = 0,
    AGENT_WAIT_SHUTDOWN = 60,
    AGENT_WAIT_LONG = 60, // where libvirt would block
    AGENT_WAIT_SET = -3,  // as virDomainAgentSetResponseTimeout has said (guest_agent_ask)
};

// What QEMU tells about the guest and some commands wait for instead of an answer.
enum agent_event { AGENT_EVENT_NONE, AGENT_EVENT_SHUTDOWN, AGENT_EVENT_SUSPEND, AGENT_EVENT_RESET };

struct agent {
    bool open;
    bool failed;  // the socket ended or failed; agent_close() is due
    bool in_sync; // answers belong to our commands
    int fd;
    struct watch watch;
    struct pause retry;
    struct task more;
    struct queue queue; // of calls; the first one is on its way
    struct slot *out;
    bool reply_held;
    struct slice reply;
    struct lines lines;
};

// A command of a task. Zero it before each use.
struct agent_call {
    struct place place; // first
    struct co co, sync;
    struct agent *agent;
    struct pause limit;
    uint64_t sync_id;       // of the guest-sync that is under way; 0: the command is
    enum agent_event await; // counts as the answer; set it before the first step
    bool sent, answered, gone;
    uint8_t tries;
    // The answer, valid until the next wait: the whole message and its "return" value. Both are
    // NULL after an error, and when the awaited event came first.
    const struct json_value *message, *result;
    char error_class[32];
};

#ifdef CONFIG_GUEST_AGENT

// Takes over a connected socket.
bool agent_start(struct agent *agent, int fd, struct error *err);
// Fails whoever waits and closes the socket; harmless when it is not open.
void agent_close(struct agent *agent);
// QEMU has told something about the guest.
void agent_tell_event(struct agent *agent, enum agent_event event);

// Runs a command (a whole JSON object; give it anew at each resumption) and waits for its answer.
// Errors: VIR_ERR_AGENT_UNRESPONSIVE for time-outs and an agent that went away,
// VIR_ERR_INTERNAL_ERROR "unable to execute QEMU agent command 'guest-ping': ...".
enum co_status agent_command(struct agent_call *call, struct agent *agent, struct task *task,
                             struct slice command, int timeout, struct error *err);

#else // there is none

static inline void agent_close(struct agent *agent)
{
    (void)agent;
}

static inline void agent_tell_event(struct agent *agent, enum agent_event event)
{
    (void)agent, (void)event;
}

static inline enum co_status agent_command(struct agent_call *call, struct agent *agent,
                                           struct task *task, struct slice command, int timeout,
                                           struct error *err)
{
    (void)call, (void)agent, (void)task, (void)command, (void)timeout;
    error_set(err, VIR_FROM_QEMU, VIR_ERR_AGENT_UNRESPONSIVE, NULL);
    return CO_DONE;
}

#endif

#endif
