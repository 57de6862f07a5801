// Child processes: programs and workers that a task waits for.
#ifndef CORE_CHILD_H
#define CORE_CHILD_H

#include "core/buffer.h"
#include "core/loop.h"
#include "port/port.h"

struct child {
    int pid; // 0 before the start and after the end
    bool ended;
    struct port_exit how;                // valid once it has ended
    struct task *task;                   // woken at the end; may be NULL
    void (*at_end)(struct child *child); // called at the end, may be NULL
    struct child *next;
};

// Starts a program. The child struct is the caller's, zeroed before, and must stay in place until
// `ended` or child_forget(). The error says why a program could not be run.
bool child_start(struct child *child, const struct port_spawn *spawn, struct task *task,
                 struct error *err);
// Adopts a process that was started otherwise, as long as it is a child of ours.
bool child_adopt(struct child *child, int pid, struct task *task);
void child_forget(struct child *child); // it runs on, and is still reaped
// Looks after children that have ended; called when the port says so.
void child_reap(void);
unsigned child_count(void); // of those that run and are not forgotten

// A worker: a function that may block, run in a child process with a copy of our memory, whose
// output is collected and whose result is 0 to 255.
struct worker {
    struct child child;
    struct watch watch;
    struct buffer *output; // may be NULL: then what it writes is thrown away
    bool output_ended;
    int result; // of `work`; 255 when the process died
};

bool worker_start(struct worker *worker, int (*work)(void *argument, int out), void *argument,
                  struct buffer *output, struct task *task, struct error *err);
bool worker_done(const struct worker *worker); // for CO_WAIT
void worker_cancel(struct worker *worker);     // ends the process and forgets it

#endif
