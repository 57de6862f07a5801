// Timers: a binary heap of the running ones, the earliest at its top.
#include "core/timers.h"

#include "core/assert.h"
#include "core/config.h"

// Two a client (keepalive, send stall), a few a guest, one a call that waits with a limit.
#define TIMERS_MAX (2 * CONFIG_MAX_CLIENTS + 4 * CONFIG_MAX_GUESTS + 2 * CONFIG_MAX_CALLS + 256)

static struct timer *heap[TIMERS_MAX + 1]; // from 1 on, so that place 0 means "not running"
static uint32_t heap_count;

static void put_at(uint32_t place, struct timer *timer)
{
    heap[place] = timer;
    timer->place = place;
}

static void move_up(uint32_t place, struct timer *timer)
{
    while (place > 1 && heap[place / 2]->at > timer->at) {
        put_at(place, heap[place / 2]);
        place /= 2;
    }
    put_at(place, timer);
}

static void move_down(uint32_t place, struct timer *timer)
{
    for (;;) {
        uint32_t child = 2 * place;
        if (child > heap_count)
            break;
        if (child < heap_count && heap[child + 1]->at < heap[child]->at)
            child++;
        if (heap[child]->at >= timer->at)
            break;
        put_at(place, heap[child]);
        place = child;
    }
    put_at(place, timer);
}

void timer_start(struct timer *timer, uint64_t delay_ns, void (*fire)(struct timer *timer))
{
    timer_stop(timer);
    assert(heap_count < TIMERS_MAX); // each owner has its timers counted in TIMERS_MAX
    timer->at = port_clock_ns() + delay_ns;
    timer->fire = fire;
    move_up(++heap_count, timer);
}

void timer_stop(struct timer *timer)
{
    uint32_t place = timer->place;
    if (place == 0)
        return;
    assert(heap[place] == timer);
    timer->place = 0;
    struct timer *last = heap[heap_count--];
    if (last == timer)
        return;
    if (place > 1 && heap[place / 2]->at > last->at)
        move_up(place, last);
    else
        move_down(place, last);
}

bool timer_running(const struct timer *timer)
{
    return timer->place != 0;
}

size_t timers_running(void)
{
    return heap_count;
}

int64_t timers_limit(int64_t timeout_ns, uint64_t now)
{
    if (heap_count == 0)
        return timeout_ns;
    uint64_t first = heap[1]->at;
    int64_t wait = first > now ? (int64_t)(first - now) : 0;
    return timeout_ns < 0 || wait < timeout_ns ? wait : timeout_ns;
}

// A timer that starts itself again in its callback is due later than `now`, so this ends.
void timers_fire(uint64_t now)
{
    while (heap_count && heap[1]->at <= now) {
        struct timer *timer = heap[1];
        timer_stop(timer);
        timer->fire(timer);
    }
}
