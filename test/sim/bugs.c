// Bugs that are planted into the daemon. The linker puts the functions here around those of the
// daemon (--wrap, test/sim.mk), which is otherwise unchanged.
#include "test/sim/bugs.h"

#include "port/sim/sim.h"
#include "rpc/client.h"
#include "rpc/dispatch.h"
#include "proto/remote.h"
#include "virt/domain/domain_event.h"

#include <string.h>

#define LEAVES_BEHIND 300 // of 1000 connections, until one did
#define FORGETS_EVENT 50  // of 1000 events

static enum bug planted;

static const char *const names[BUGS] = {
    [BUG_NONE] = "none", [BUG_SMALL_SLOT] = "small-slot", [BUG_LARGE_SLOT] = "large-slot",
    [BUG_CALL] = "call", [BUG_WATCH] = "watch",           [BUG_TIMER] = "timer",
    [BUG_TASK] = "task", [BUG_EVENT] = "event",
};

void bug_plant(enum bug bug)
{
    planted = bug;
}

const char *bug_name(enum bug bug)
{
    return names[bug];
}

// ---- what is left behind

static void keep_ready(struct task *task)
{
    task_wake(task);
}

static void keep_running(struct timer *timer)
{
    timer_start(timer, NS_PER_SEC, keep_running);
}

static void never_ready(struct watch *watch, short events)
{
    (void)watch, (void)events;
}

// One that is never answered: nobody resumes it.
static void leave_call(struct client *client)
{
    struct slot *slot = slot_take_outgoing(SLOT_SMALL_SIZE);
    if (!slot || call_places_free() == 0)
        return;
    memset(slot->at, 0, MESSAGE_MIN);
    call_begin(client, slot, xdr_procedure_find(&remote_program, REMOTE_PROC_CONNECT_GET_HOSTNAME));
    call_client_gone(client);
}

static void leave_behind(struct client *client)
{
    static struct watch watch;
    static struct timer timer;
    static struct task task = {.run = keep_ready};
    struct error err = {0};
    switch (planted) {
    case BUG_SMALL_SLOT:
        slot_take_outgoing(SLOT_SMALL_SIZE);
        break;
    case BUG_LARGE_SLOT:
        slot_take_outgoing(SLOT_LARGE_SIZE);
        break;
    case BUG_CALL:
        leave_call(client);
        break;
    case BUG_WATCH:
        loop_watch(&watch, 0, 0, never_ready, &err);
        break;
    case BUG_TIMER:
        keep_running(&timer);
        break;
    case BUG_TASK:
        task_wake(&task);
        break;
    default:
        break;
    }
}

// ---- around the daemon's functions

struct client *__real_client_add(int fd, const struct admission *admission,
                                 const struct port_peer *peer);
struct client *__wrap_client_add(int fd, const struct admission *admission,
                                 const struct port_peer *peer);
void __real_domain_event_lifecycle(const struct domain *domain, int event, int detail);
void __wrap_domain_event_lifecycle(const struct domain *domain, int event, int detail);

struct client *__wrap_client_add(int fd, const struct admission *admission,
                                 const struct port_peer *peer)
{
    static bool left;
    struct client *client = __real_client_add(fd, admission, peer);
    if (planted != BUG_NONE && client && !left && sim_chance(LEAVES_BEHIND)) {
        left = true;
        leave_behind(client);
    }
    return client;
}

void __wrap_domain_event_lifecycle(const struct domain *domain, int event, int detail)
{
    if (planted != BUG_EVENT || !sim_chance(FORGETS_EVENT))
        __real_domain_event_lifecycle(domain, event, detail);
}
