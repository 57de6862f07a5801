// Sim: workers. A worker is a real child process, because it gets a copy of the daemon's memory;
// but it runs only while the daemon waits for it: from one of its port calls to the next, when its
// turn comes. So its work can be overtaken, cut off, or die between any two of its calls.
//
// Two pipes of the real system connect it with the daemon: a byte on one lets it go on, a byte on
// the other says that it waits again.
#define _GNU_SOURCE

#include "port/sim/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAITS = 'w', ENDS = 'e' };

// Of the daemon's process only: where its workers are in the real system, by their slot.
static struct {
    pid_t pid; // 0: none
    int go, back;
} workers[SIM_PROCESSES];

static int my_go, my_back; // of a worker's process

static void lose_worker(int slot)
{
    close(workers[slot].go);
    close(workers[slot].back);
    waitpid(workers[slot].pid, NULL, 0); // it has ended, or does so when its pipe is closed
    workers[slot].pid = 0;
}

void sim_workers_end(void)
{
    for (int slot = 0; slot < SIM_PROCESSES; slot++)
        if (workers[slot].pid)
            lose_worker(slot);
}

// ---- in the worker ------------------------------------------------------------------------------

static void say(char word)
{
    if (write(my_back, &word, 1) != 1)
        _exit(0);
}

void sim_yield(void)
{
    char go;
    say(WAITS);
    if (read(my_go, &go, 1) != 1)
        _exit(0); // killed, or the daemon is gone
}

void sim_sleep(const int *files, size_t count, uint64_t until)
{
    for (size_t i = 0; i < count; i++)
        sim->files[files[i]].owner = &sim_self->actor;
    sim_self->sleeps_until = until;
    sim_enter("wait");
    sim_self->sleeps_until = 0;
    for (size_t i = 0; i < count; i++)
        sim->files[files[i]].owner = NULL;
}

static _Noreturn void run_worker(int (*work)(void *, int), void *argument, int out)
{
    sim_self->actor.at = SIM_NEVER;
    int status = work(argument, out);
    sim_enter("exit");
    sim_process_end(sim_self, (struct port_exit){.status = status & 0xff});
    fflush(NULL);
    say(ENDS);
    _exit(0);
}

// ---- in the daemon ------------------------------------------------------------------------------

static void lose_dead_workers(void)
{
    for (int slot = 0; slot < SIM_PROCESSES; slot++) {
        const struct sim_process *process = &sim->processes[slot];
        if (workers[slot].pid && (process->kind != SIM_WORKER || process->ended))
            lose_worker(slot);
    }
}

// A worker that sleeps is woken by what it waits for.
static uint64_t next_turn(const struct sim_process *process)
{
    if (process->sleeps_until)
        return process->sleeps_until > sim->now ? process->sleeps_until - sim->now : 0;
    return 1000 + sim_random(1 + sim->weather.disk_wait_us * SIM_NS_PER_US);
}

// Waits until the worker waits again; false when it has ended.
static bool await(int slot)
{
    char word;
    ssize_t got = read(workers[slot].back, &word, 1);
    if (sim->ending != SIM_ENDED)
        sim_crash(sim->ending);
    if (got != 1)
        sim_fail("a worker crashed");
    return word == WAITS;
}

static void step_worker(struct sim_actor *actor)
{
    struct sim_process *process = (struct sim_process *)(void *)actor;
    int slot = (int)(process - sim->processes);
    if (process->kind != SIM_WORKER || process->ended)
        return; // somebody woke it too late
    if (sim_chance(sim->weather.worker_dies)) {
        sim_process_die(process, 9);
        lose_worker(slot);
        return;
    }
    if (sim_lies(SIM_STALL))
        return;
    if (write(workers[slot].go, "g", 1) != 1)
        sim_fail("a worker is gone");
    if (await(slot))
        sim_wake(actor, next_turn(process));
    else
        lose_worker(slot);
}

// The real descriptors that only the daemon's process may hold.
static void forget_others(void)
{
    for (int slot = 0; slot < SIM_PROCESSES; slot++) {
        if (workers[slot].pid == 0)
            continue;
        close(workers[slot].go);
        close(workers[slot].back);
        workers[slot].pid = 0;
    }
}

static int start_process(struct sim_process *process, int (*work)(void *, int), void *argument,
                         int out)
{
    int slot = (int)(process - sim->processes), go[2], back[2];
    if (pipe2(go, O_CLOEXEC) < 0 || pipe2(back, O_CLOEXEC) < 0)
        sim_fail("the real system has no descriptor left");
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        sim_fail("the real system can not fork");
    if (pid == 0) {
        forget_others();
        close(go[1]);
        close(back[0]);
        my_go = go[0];
        my_back = back[1];
        sim_self = process;
        run_worker(work, argument, out);
    }
    close(go[0]);
    close(back[1]);
    workers[slot].pid = pid;
    workers[slot].go = go[1];
    workers[slot].back = back[0];
    return slot;
}

int port_worker(int (*work)(void *argument, int out), void *argument, const int *keep,
                size_t keep_count, int *out_fd)
{
    sim_enter("worker");
    lose_dead_workers();
    if (sim_chance(sim->weather.fork_fails))
        return -EAGAIN;
    int ends[2];
    int status = port_pipe(ends);
    if (status < 0)
        return status;
    struct sim_process *process = sim_process_new(SIM_WORKER, step_worker);
    if (!process) {
        port_close(ends[0]);
        port_close(ends[1]);
        return -EAGAIN;
    }
    sim_fd_file(ends[1])->blocking = true;
    sim_process_give(process, ends[1], sim_fd_number(ends[1]));
    for (size_t i = 0; i < keep_count; i++)
        sim_process_give(process, keep[i], sim_fd_number(keep[i]));
    for (int fd = 0; fd < 3; fd++)
        sim_process_give(process, fd, SIM_DAEMON_PROCESS->fds[fd]);
    int slot = start_process(process, work, argument, ends[1]);
    if (await(slot)) // at its first call
        sim_wake(&process->actor, next_turn(process));
    else
        lose_worker(slot);
    port_close(ends[1]);
    *out_fd = ends[0];
    sim_trace("worker %d, its output %d", process->pid, ends[0]);
    return process->pid;
}
