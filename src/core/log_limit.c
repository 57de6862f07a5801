// Limits of the log: how many messages of a kind are told.
#include "core/log_limit.h"

#include "core/log.h"

#define PERIOD_SECONDS 10
#define TOLD           10 // in that time

static void tell_rest(struct timer *timer)
{
    struct log_limit *limit = (struct log_limit *)(void *)timer;
    if (limit->count > TOLD)
        log_warning(limit->module, "%u %s in %d seconds", limit->count - TOLD, limit->what,
                    PERIOD_SECONDS);
    limit->count = 0;
}

bool log_limit_allows(struct log_limit *limit)
{
    if (!timer_running(&limit->timer))
        timer_start(&limit->timer, PERIOD_SECONDS * NS_PER_SEC, tell_rest);
    return ++limit->count <= TOLD;
}
