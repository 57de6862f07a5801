// The loop: one poll(), the owners of what is ready, what is due, what was woken.
#include "core/loop.h"

#include "core/assert.h"
#include "core/config.h"
#include "core/log.h"
#include "core/slice.h"
#include "core/timers.h"

#include <errno.h>
#include <stdlib.h>

#define TURN_LIMIT_NS (10 * NS_PER_MS)
#define TURN_SHARE_NS (3 * NS_PER_MS) // after that a turn begins nothing more
#define BACKGROUND_NS NS_PER_MS       // likewise of what runs in the background
#define OTHERS_SHARE  3               // so many times as long it waits for others after that

static struct port_poll polls[CONFIG_MAX_WATCHES];
static struct watch *watches[CONFIG_MAX_WATCHES];
static size_t watch_count;
static size_t watch_turn; // the place below which the next turn looks first

struct task_queue {
    struct task *first, *last;
    size_t count;
};

static struct task_queue ready_tasks, background_tasks;
static uint64_t background_due; // when these may run beside others
static bool tasks_first;        // the last turn had no time left for tasks
static bool turn_is_busy;
static uint64_t turn_share = TURN_SHARE_NS;
static struct turn_end *turn_ends;
static bool stopped;
static int stop_status;
static uint64_t turn_began, turn_cpu_began;

// ---- descriptors

bool loop_watch(struct watch *watch, int fd, short events,
                void (*ready)(struct watch *watch, short events), struct error *err)
{
    assert(watch->place == 0);
    if (watch_count == CONFIG_MAX_WATCHES)
        return error_set(err, VIR_FROM_RPC, VIR_ERR_OPERATION_FAILED,
                         "too many descriptors: limit is %d, CONFIG_MAX_WATCHES",
                         CONFIG_MAX_WATCHES);
    *watch = (struct watch){.fd = fd, .ready = ready, .place = (uint32_t)(watch_count + 1)};
    polls[watch_count] = (struct port_poll){.fd = fd, .events = events};
    watches[watch_count++] = watch;
    return true;
}

size_t loop_watches(void)
{
    return watch_count;
}

void loop_watch_for(struct watch *watch, short events)
{
    assert(watch->place > 0);
    polls[watch->place - 1].fd = watch->fd;
    polls[watch->place - 1].events = events;
}

void loop_watch_rest(struct watch *watch)
{
    assert(watch->place > 0);
    polls[watch->place - 1].fd = -1; // which poll() passes over
}

// The last one moves into the gap. Dispatch walks downwards and has dealt with it already: its
// events are cleared then, so it is not called twice.
void loop_unwatch(struct watch *watch)
{
    if (watch->place == 0)
        return;
    size_t gap = watch->place - 1;
    assert(watches[gap] == watch);
    watch_count--;
    polls[gap] = polls[watch_count];
    watches[gap] = watches[watch_count];
    watches[gap]->place = (uint32_t)(gap + 1);
    watch->place = 0;
}

// Asking for the CPU time is a system call, so only checking builds do.
static uint64_t cpu_now(void)
{
#ifdef CONFIG_DEBUG_CHECKS
    return port_cpu_ns();
#else
    return 0;
#endif
}

#ifdef CONFIG_DEBUG_CHECKS
// valgrind, the sanitizers and slower machines slow everything down by a factor, which the
// environment names.
static uint64_t turn_limit(void)
{
    static uint64_t limit;
    if (limit == 0) {
        const char *factor = getenv("NANOVIRT_STALL_FACTOR");
        uint64_t times = 1;
        if (factor && !slice_u64(slice_of(factor), 10, &times))
            times = 1;
        limit = TURN_LIMIT_NS * (times ? times : 1);
    }
    return limit;
}

// On a virtual machine CPU time may hold what the host gave to others meanwhile. What it gave is
// looked at before a turn, at most every so often, and again after a turn that took too long.
#define STOLEN_SAMPLE_NS (20 * NS_PER_MS)

static uint64_t stolen_then, stolen_seen_at;

static uint64_t stolen_now(void)
{
    struct port_cpu_times times;
    return port_cpu_times(-1, &times) == 0 ? times.stolen_ns : 0;
}

static void sample_stolen(void)
{
    if (stolen_seen_at && turn_began - stolen_seen_at < STOLEN_SAMPLE_NS)
        return;
    stolen_then = stolen_now();
    stolen_seen_at = turn_began;
}

// By CPU time: what the tests expect of a turn is not to depend on who else is running.
bool loop_turn_is_long(void)
{
    return cpu_now() - turn_cpu_began > turn_limit() / TURN_LIMIT_NS * turn_share;
}
#else
bool loop_turn_is_long(void)
{
    return port_clock_ns() - turn_began > turn_share;
}
#endif

// Goes round, each turn from where the last one ended: when a turn gets long, those who are left
// come first in the next. Who moves in the table meanwhile may be missed, and is ready again then.
static void call_ready_watches(int ready)
{
    size_t at = watch_turn;
    for (size_t left = watch_count; left > 0 && ready > 0 && watch_count > 0; left--) {
        if (at == 0 || at > watch_count)
            at = watch_count;
        at--;
        short events = polls[at].revents;
        if (events == 0)
            continue;
        polls[at].revents = 0;
        ready--;
        watches[at]->ready(watches[at], events);
        if (loop_turn_is_long())
            break;
    }
    watch_turn = at;
}

// ---- tasks

static void append(struct task_queue *queue, struct task *task)
{
    task->ready = true;
    task->next = NULL;
    if (queue->last)
        queue->last->next = task;
    else
        queue->first = task;
    queue->last = task;
    queue->count++;
}

static void take_out(struct task_queue *queue, struct task *task)
{
    struct task *previous = NULL;
    for (struct task *t = queue->first; t != task; t = t->next)
        previous = t;
    if (previous)
        previous->next = task->next;
    else
        queue->first = task->next;
    if (queue->last == task)
        queue->last = previous;
    queue->count--;
    task->ready = false;
}

void task_wake(struct task *task)
{
    if (task->ready)
        return;
    task->background = false;
    append(&ready_tasks, task);
}

void task_wake_background(struct task *task)
{
    if (task->ready)
        return;
    task->background = true;
    append(&background_tasks, task);
}

void task_forget(struct task *task)
{
    if (task->ready)
        take_out(task->background ? &background_tasks : &ready_tasks, task);
}

static void run_first(struct task_queue *queue)
{
    struct task *task = queue->first;
    take_out(queue, task);
    task->run(task);
}

// Tasks that are woken while these run wait for the next turn, and in a long turn so do those that
// have not begun: whether there are any.
static bool run_ready_tasks(void)
{
    size_t left = ready_tasks.count;
    for (; left > 0 && ready_tasks.first && !loop_turn_is_long(); left--)
        run_first(&ready_tasks);
    return left > 0 && ready_tasks.first;
}

// ---- the background

static void run_background(void)
{
    turn_share = BACKGROUND_NS;
    size_t left = background_tasks.count;
    do
        run_first(&background_tasks);
    while (--left > 0 && background_tasks.first && !loop_turn_is_long());
    turn_share = TURN_SHARE_NS;
    uint64_t now = port_clock_ns();
    background_due = now + OTHERS_SHARE * (now - turn_began);
    timers_fire(turn_began);
}

// ---- pauses

static void pause_over(struct timer *timer)
{
    struct pause *pause = (struct pause *)(void *)timer;
    pause->over = true;
    task_wake(pause->task);
}

void pause_start(struct pause *pause, struct task *task, uint64_t delay_ns)
{
    static_assert(offsetof(struct pause, timer) == 0, "pause_over casts");
    pause->task = task;
    pause->over = false;
    timer_start(&pause->timer, delay_ns, pause_over);
}

void pause_stop(struct pause *pause)
{
    timer_stop(&pause->timer);
}

// ---- turns

void loop_at_turn_end(struct turn_end *end)
{
    struct turn_end **link = &turn_ends;
    while (*link)
        link = &(*link)->next;
    end->next = NULL;
    *link = end;
}

uint64_t loop_now(void)
{
    return turn_began ? turn_began : port_clock_ns();
}

#ifdef CONFIG_DEBUG_CHECKS
static void check_turn(void)
{
    uint64_t used = cpu_now() - turn_cpu_began;
    if (used <= turn_limit() || used <= turn_limit() + (stolen_now() - stolen_then))
        return;
    log_error("loop", "a turn used %llu us of CPU time", (unsigned long long)(used / 1000));
    abort();
}
#else
#define sample_stolen() ((void)0)
#define check_turn()    ((void)0)
#endif

bool loop_is_busy(void)
{
    return turn_is_busy;
}

// Descriptors come before tasks, until a turn has no time left for tasks: then these begin the next
// one.
static void run_foreground(int ready)
{
    bool tasks_begin = tasks_first;
    if (tasks_begin)
        run_ready_tasks();
    if (ready > 0 && !(tasks_begin && loop_turn_is_long()))
        call_ready_watches(ready);
    timers_fire(turn_began);
    tasks_first = !tasks_begin && run_ready_tasks();
}

// A turn is the background's when nothing else is ready, or when the others had their share since.
bool loop_turn(int64_t timeout_ns)
{
    if (ready_tasks.first || background_tasks.first)
        timeout_ns = 0;
    else
        timeout_ns = timers_limit(timeout_ns, port_clock_ns());
    int ready = port_poll(polls, watch_count, timeout_ns);
    turn_began = port_clock_ns();
    sample_stolen();
    turn_cpu_began = cpu_now();
    port_loop_guard(true);
    size_t foreground = (ready > 0 ? (size_t)ready : 0) + ready_tasks.count;
    turn_is_busy = foreground + background_tasks.count > 1;
    if (background_tasks.first && (foreground == 0 || turn_began >= background_due))
        run_background();
    else
        run_foreground(ready);
    for (struct turn_end *end = turn_ends; end; end = end->next)
        end->run();
    port_loop_guard(false);
    check_turn();
    return !stopped;
}

int loop_run(void)
{
    while (loop_turn(-1))
        ;
    return stop_status;
}

void loop_stop(int status)
{
    stopped = true;
    stop_status = status;
}
