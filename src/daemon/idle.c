// The time-out: a daemon that nobody uses ends.
#include "daemon/idle.h"

#include "core/loop.h"
#include "rpc/client.h"
#include "virt/hypervisor.h"

static struct timer every_second;
static uint32_t limit, idle; // seconds

static bool something_runs(void)
{
    for (size_t i = 0; hypervisors[i]; i++) {
        const struct hypervisor *hypervisor = hypervisors[i];
        for (struct domain *domain = domain_next(hypervisor, NULL); domain;
             domain = domain_next(hypervisor, domain))
            if (hypervisor->keeps_daemon && domain_active(domain))
                return true;
    }
    return false;
}

// Every second, so that no event of the server has to know about it.
static void count_idle(struct timer *timer)
{
    idle = client_count() || something_runs() ? 0 : idle + 1;
    if (idle >= limit)
        loop_stop(0);
    else
        timer_start(timer, NS_PER_SEC, count_idle);
}

void idle_set_timeout(uint32_t seconds)
{
    limit = seconds;
    idle = 0;
    if (seconds)
        timer_start(&every_second, NS_PER_SEC, count_idle);
    else
        timer_stop(&every_second);
}
