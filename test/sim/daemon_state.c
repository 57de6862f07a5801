// What the daemon holds at the moment, from its own tables.
#include "test/sim/daemon_state.h"

#include "core/child.h"
#include "core/loop.h"
#include "core/slot.h"
#include "core/timers.h"
#include "rpc/dispatch.h"
#include "rpc/stream.h"
#include "virt/hypervisor.h"

#include <stddef.h>
#include <string.h>

bool daemon_has_qemu(void)
{
    for (size_t i = 0; hypervisors[i]; i++)
        if (strcmp(hypervisors[i]->type, "QEMU") == 0)
            return true;
    return false;
}

unsigned daemon_clients(void)
{
    return client_count();
}

unsigned daemon_watches(void)
{
    return (unsigned)loop_watches();
}

unsigned daemon_timers(void)
{
    return (unsigned)timers_running();
}

static bool refused_workers;

bool __real_worker_start(struct worker *worker, int (*work)(void *argument, int out),
                         void *argument, struct buffer *output, struct task *task,
                         struct error *err);
bool __wrap_worker_start(struct worker *worker, int (*work)(void *argument, int out),
                         void *argument, struct buffer *output, struct task *task,
                         struct error *err);

bool __wrap_worker_start(struct worker *worker, int (*work)(void *argument, int out),
                         void *argument, struct buffer *output, struct task *task,
                         struct error *err)
{
    bool started = __real_worker_start(worker, work, argument, output, task, err);
    refused_workers = refused_workers || !started;
    return started;
}

bool daemon_refused_workers(void)
{
    return refused_workers;
}

const char *daemon_holds(unsigned guests)
{
    if (call_count())
        return "calls are in progress";
    if (stream_count())
        return "streams are open";
    if (child_count() > guests)
        return "children are waited for";
    if (slot_small_free() != CONFIG_SMALL_SLOTS)
        return "small message slots are not given back";
    if (slot_large_free() != CONFIG_LARGE_SLOTS)
        return "large message slots are not given back";
    return NULL;
}
