// Queues: tasks that take turns at one thing, in the order in which they came. The first has it.
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include "core/loop.h"

// A place in a queue; the first member of what waits there.
struct place {
    struct place *next;
    struct task *task;
};

struct queue {
    struct place *first, *last;
};

void queue_join(struct queue *queue, struct place *place, struct task *task);
// Takes it out wherever it stands, also when it stands nowhere, and wakes whoever is first then.
void queue_leave(struct queue *queue, struct place *place);
void queue_wake_first(const struct queue *queue);
void queue_wake_all(const struct queue *queue);

#endif
