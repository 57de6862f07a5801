// The loop: descriptors, timers and tasks that are ready, one after the other, in one thread.
//
// Every descriptor has one owner with one callback, and every timer too. A turn polls, calls the
// owners of what is ready, fires what is due, runs the tasks that were woken, and then lets the
// senders flush. Callbacks may watch, unwatch, start and stop anything, themselves included.
// Nothing may block: in a CONFIG_DEBUG_CHECKS build, a turn that burns more than 10 ms of
// CPU time ends the process.
#ifndef CORE_LOOP_H
#define CORE_LOOP_H

#include "core/error.h"
#include "port/port.h"

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_MS  UINT64_C(1000000)
#define NS_PER_SEC UINT64_C(1000000000)

// ---- descriptors

struct watch {
    int fd;
    void (*ready)(struct watch *watch, short events); // PORT_POLL_*
    uint32_t place; // the loop's own: 1 + its place in the table, 0 when not watched
};

// Starts to watch; `events` may be 0 (then only errors and hang-up are reported). The watch stays
// the caller's and must not move. VIR_ERR_SYSTEM_ERROR with the limit when CONFIG_MAX_WATCHES is
// reached.
bool loop_watch(struct watch *watch, int fd, short events,
                void (*ready)(struct watch *watch, short events), struct error *err);
void loop_watch_for(struct watch *watch, short events); // changes what is waited for
// Waits for nothing, not even hang-up, until loop_watch_for() is called.
void loop_watch_rest(struct watch *watch);
void loop_unwatch(struct watch *watch); // no effect when it is not watched
size_t loop_watches(void);

// ---- timers

struct timer {
    uint64_t at; // port_clock_ns() when it fires
    void (*fire)(struct timer *timer);
    uint32_t place; // the loop's own, 0 when it is not running
};

void timer_start(struct timer *timer, uint64_t delay_ns, void (*fire)(struct timer *timer));
void timer_stop(struct timer *timer); // no effect when it is not running
bool timer_running(const struct timer *timer);

// ---- tasks: something that can be resumed

struct task {
    void (*run)(struct task *task);
    struct task *next; // in its queue
    bool ready, background;
};

// Has `run` called in this turn or the next. Waking twice runs it once; waking for nothing does no
// harm.
void task_wake(struct task *task);
// Has it called when there is nothing else to do, or as soon as those who wait like this are due:
// together they get a quarter of a busy loop, one after the other.
void task_wake_background(struct task *task);
// Takes it out of the queue: before its memory is used for something else.
void task_forget(struct task *task);

// A wait for time: wakes its task when it is over.
struct pause {
    struct timer timer;
    struct task *task;
    bool over;
};
void pause_start(struct pause *pause, struct task *task, uint64_t delay_ns);
void pause_stop(struct pause *pause);

// Called at the end of each turn in the order of addition: for those who collect work during a
// turn.
struct turn_end {
    void (*run)(void);
    struct turn_end *next;
};
void loop_at_turn_end(struct turn_end *end);

// ---- running

uint64_t loop_now(void); // port_clock_ns() as it was when this turn began
// Whether this turn has lasted so long that what can wait should wait for the next one. Ready tasks
// do; whoever has more than one thing to do in a callback asks in between.
bool loop_turn_is_long(void);
// Whether more than one descriptor or task is ready in this turn: who asks is not alone.
bool loop_is_busy(void);
bool loop_turn(int64_t timeout_ns); // one turn, waiting at most that long; false after loop_stop()
int loop_run(void);                 // until loop_stop(); returns its status
void loop_stop(int status);

#endif
