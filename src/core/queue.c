// Queues: joining, leaving, waking.
#include "core/queue.h"

void queue_join(struct queue *queue, struct place *place, struct task *task)
{
    *place = (struct place){.task = task};
    if (queue->last)
        queue->last->next = place;
    else
        queue->first = place;
    queue->last = place;
}

void queue_leave(struct queue *queue, struct place *place)
{
    struct place *previous = NULL, *at = queue->first;
    while (at && at != place) {
        previous = at;
        at = at->next;
    }
    if (at) {
        *(previous ? &previous->next : &queue->first) = place->next;
        if (queue->last == place)
            queue->last = previous;
    }
    place->next = NULL;
    queue_wake_first(queue);
}

void queue_wake_first(const struct queue *queue)
{
    if (queue->first)
        task_wake(queue->first->task);
}

void queue_wake_all(const struct queue *queue)
{
    for (const struct place *place = queue->first; place; place = place->next)
        task_wake(place->task);
}
