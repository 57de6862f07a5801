// Probing on behalf of everybody: one probe at a time, and who needs its result waits.
#include "hv/qemu/capabilities/driver_probe.h"

#include "hv/qemu/capabilities/probe.h"

#include <stdio.h>
#include <string.h>

#define WAITING_MAX 64 // further ones look again in each turn
#define AGAIN_NS    (20 * NS_PER_MS)

static struct {
    struct task task;
    struct qemu_probe_wait wait;
    struct error error;
    bool running;
    bool done;                    // all emulators were probed once
    char emulator[PORT_PATH_MAX]; // "": all
    char refused[PORT_PATH_MAX];  // could not be probed
    struct task *waiting[WAITING_MAX];
    size_t waiting_count;
    struct timer again;
} probe;

static void wake_waiting(void)
{
    for (size_t i = 0; i < probe.waiting_count; i++)
        task_wake(probe.waiting[i]);
    probe.waiting_count = 0;
}

static void run(struct task *task)
{
    const char *emulator = probe.emulator[0] ? probe.emulator : NULL;
    if (qemu_probe_emulators(&probe.wait, task, emulator, &probe.error) != CO_DONE)
        return;
    probe.running = false;
    probe.done = true;
    if (emulator && !qemu_cache_get(emulator))
        snprintf(probe.refused, sizeof(probe.refused), "%s", emulator);
    wake_waiting();
}

static void begin(const char *emulator)
{
    memset(&probe.wait, 0, sizeof(probe.wait));
    error_clear(&probe.error);
    snprintf(probe.emulator, sizeof(probe.emulator), "%s", emulator);
    probe.running = true;
    probe.task.run = run;
    task_wake(&probe.task);
}

static void wait_for_end(struct task *task)
{
    for (size_t i = 0; i < probe.waiting_count; i++)
        if (probe.waiting[i] == task)
            return;
    if (probe.waiting_count < WAITING_MAX)
        probe.waiting[probe.waiting_count++] = task;
    else
        task_wake(task);
}

bool driver_probed(struct task *task)
{
    if (probe.done)
        return true;
    if (!probe.running)
        begin("");
    wait_for_end(task);
    return false;
}

bool driver_probed_emulator(const char *emulator, struct task *task)
{
    if (!probe.running && (qemu_cache_get(emulator) || strcmp(probe.refused, emulator) == 0)) {
        probe.refused[0] = '\0'; // the next one tries again
        return true;
    }
    if (!probe.running)
        begin(emulator);
    wait_for_end(task);
    return false;
}

static void look_again(struct timer *timer)
{
    (void)timer;
    wake_waiting();
}

void driver_wait(struct task *task)
{
    wait_for_end(task);
    if (!timer_running(&probe.again))
        timer_start(&probe.again, AGAIN_NS, look_again);
}
