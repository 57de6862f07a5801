// The names of domain states and their reasons: libvirt's, as its status files hold them.
#include "virt/domain/domain_names.h"

#include "virt/domain/domain_constants.h"

#include <stddef.h>

#define REASONS_MAX 16

static const struct {
    const char *name;
    const char *reasons[REASONS_MAX]; // by number, ended by NULL
} states[] = {
    [VIR_DOMAIN_NOSTATE] = {"nostate", {"unknown"}},
    [VIR_DOMAIN_RUNNING] = {"running",
                            {"unknown", "booted", "migrated", "restored", "from snapshot",
                             "unpaused", "migration canceled", "save canceled", "wakeup", "crashed",
                             "post-copy", "post-copy failed"}},
    [VIR_DOMAIN_BLOCKED] = {"blocked", {"unknown"}},
    [VIR_DOMAIN_PAUSED] = {"paused",
                           {"unknown", "user", "migration", "save", "dump", "ioerror", "watchdog",
                            "from snapshot", "shutdown", "snapshot", "panicked", "starting up",
                            "post-copy", "post-copy failed", "api error"}},
    [VIR_DOMAIN_SHUTDOWN] = {"shutdown", {"unknown", "user"}},
    [VIR_DOMAIN_SHUTOFF] = {"shutoff",
                            {"unknown", "shutdown", "destroyed", "crashed", "migrated", "saved",
                             "failed", "from snapshot", "daemon"}},
    [VIR_DOMAIN_CRASHED] = {"crashed", {"unknown", "panicked"}},
    [VIR_DOMAIN_PMSUSPENDED] = {"pmsuspended", {"unknown"}},
};

#define STATES (int)(sizeof(states) / sizeof(states[0]))

const char *domain_state_name(int state)
{
    return state >= 0 && state < STATES ? states[state].name : "unknown";
}

const char *domain_reason_name(int state, int reason)
{
    if (state < 0 || state >= STATES || reason < 0 || reason >= REASONS_MAX)
        return "unknown";
    const char *name = states[state].reasons[reason];
    return name ? name : "unknown";
}

bool domain_state_parse(struct slice name, int *state)
{
    for (int i = 0; i < STATES; i++) {
        if (slice_is(name, states[i].name)) {
            *state = i;
            return true;
        }
    }
    return false;
}

bool domain_reason_parse(int state, struct slice name, int *reason)
{
    if (state < 0 || state >= STATES)
        return false;
    for (int i = 0; i < REASONS_MAX && states[state].reasons[i]; i++) {
        if (slice_is(name, states[state].reasons[i])) {
            *reason = i;
            return true;
        }
    }
    return false;
}
