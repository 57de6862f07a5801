// Sim: waiting, which is when everybody else runs and time passes.
#include "port/sim/machine.h"

#include <string.h>

#define SPIN_LIMIT 5000 // times that something is ready and nothing comes of it

static int scan(struct port_poll *polls, size_t count)
{
    int ready = 0;
    for (size_t i = 0; i < count; i++) {
        polls[i].revents = 0;
        if (polls[i].fd < 0)
            continue;
        short events = sim_file_ready(sim_fd_number(polls[i].fd));
        short wanted = (short)(polls[i].events | PORT_POLL_ERR | PORT_POLL_HUP);
        polls[i].revents = (short)(events & wanted);
        ready += polls[i].revents != 0;
    }
    return ready;
}

static void check_spin(const struct port_poll *polls, size_t count)
{
    if (++sim->idle_polls < SPIN_LIMIT)
        return;
    for (size_t i = 0; i < count; i++)
        if (polls[i].fd >= 0 && polls[i].revents)
            sim_fail("the loop spins: descriptor %d (%s) is ready for %#x of %#x, and nobody "
                     "deals with it",
                     polls[i].fd, sim_fd_file(polls[i].fd)->what, (unsigned)polls[i].revents,
                     (unsigned)polls[i].events);
    sim_fail("the loop spins: it does not wait");
}

static int wait_for_world(struct port_poll *polls, size_t count, int64_t timeout_ns)
{
    uint64_t end = timeout_ns < 0 ? SIM_NEVER : sim->now + (uint64_t)timeout_ns;
    for (;;) {
        sim_run_due();
        int ready = scan(polls, count);
        if (ready || timeout_ns == 0) {
            check_spin(polls, count);
            return ready;
        }
        uint64_t due = sim_next_due();
        if (due == SIM_NEVER && end == SIM_NEVER)
            sim_fail("the daemon waits for ever: nobody in the world has anything to do");
        if (due > end) {
            if (end > sim->now)
                sim_progress();
            sim->now = end > sim->now ? end : sim->now;
            return 0;
        }
        if (due > sim->now) {
            sim->now = due;
            sim_progress();
        }
    }
}

static int wait_in_worker(struct port_poll *polls, size_t count, int64_t timeout_ns)
{
    uint64_t end = timeout_ns < 0 ? SIM_NEVER : sim->now + (uint64_t)timeout_ns;
    int files[16], ready;
    size_t n = 0;
    for (size_t i = 0; i < count && n < sizeof(files) / sizeof(files[0]); i++)
        if (polls[i].fd >= 0)
            files[n++] = sim_fd_number(polls[i].fd);
    while ((ready = scan(polls, count)) == 0 && sim->now < end)
        sim_sleep(files, n, end);
    return ready;
}

int port_poll(struct port_poll *polls, size_t count, int64_t timeout_ns)
{
    sim_enter("poll");
    if (sim_self->kind == SIM_WORKER) {
        return wait_in_worker(polls, count, timeout_ns);
    }
    if (sim->in_turn) { // a look in the middle of a turn
        if (timeout_ns != 0)
            sim_fail("port_poll with a time-out in a turn of the loop");
        return scan(polls, count);
    }
    if (timeout_ns != 0 && sim_chance(sim->weather.interrupted))
        return 0;
    return wait_for_world(polls, count, timeout_ns);
}
