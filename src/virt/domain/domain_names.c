// The names of domain states and their reasons: libvirt's, as its status files hold them.
#include "virt/domain/domain_names.h"

#include "core/words.h"
#include "virt/domain/domain_constants.h"

// A state's name, then its reasons by number.
static const char *const states[] = {
    [VIR_DOMAIN_NOSTATE] = "nostate\0unknown\0",
    [VIR_DOMAIN_RUNNING] = "running\0unknown\0booted\0migrated\0restored\0from snapshot\0"
                           "unpaused\0migration canceled\0save canceled\0wakeup\0crashed\0"
                           "post-copy\0post-copy failed\0",
    [VIR_DOMAIN_BLOCKED] = "blocked\0unknown\0",
    [VIR_DOMAIN_PAUSED] = "paused\0unknown\0user\0migration\0save\0dump\0ioerror\0watchdog\0"
                          "from snapshot\0shutdown\0snapshot\0panicked\0starting up\0"
                          "post-copy\0post-copy failed\0api error\0",
    [VIR_DOMAIN_SHUTDOWN] = "shutdown\0unknown\0user\0",
    [VIR_DOMAIN_SHUTOFF] = ("shutoff\0unknown\0shutdown\0destroyed\0crashed\0migrated\0saved\0"
                            "failed\0from snapshot\0daemon\0"), // clang suspects two strings
    [VIR_DOMAIN_CRASHED] = "crashed\0unknown\0panicked\0",
    [VIR_DOMAIN_PMSUSPENDED] = "pmsuspended\0unknown\0",
};

#define STATES (int)(sizeof(states) / sizeof(states[0]))

const char *domain_state_name(int state)
{
    return state >= 0 && state < STATES ? states[state] : "unknown";
}

const char *domain_reason_name(int state, int reason)
{
    if (state < 0 || state >= STATES || reason < 0)
        return "unknown";
    const char *name = words_at(words_next(states[state]), (size_t)reason);
    return name ? name : "unknown";
}

bool domain_state_parse(struct slice name, int *state)
{
    for (int i = 0; i < STATES; i++) {
        if (slice_is(name, states[i])) {
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
    int index = words_index(words_next(states[state]), name);
    if (index < 0)
        return false;
    *reason = index;
    return true;
}
