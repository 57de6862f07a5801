// Sim: the machine's memory, chance, trace, and the lives of the daemon on it.
#define _GNU_SOURCE

#include "port/sim/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct sim_machine *sim;
struct sim_process *sim_self;

static bool tracing, hushed;
static enum sim_lie told;

// ---- memory -------------------------------------------------------------------------------------

static void *map(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        perror("sim: mmap");
        exit(2);
    }
    return at;
}

void *sim_create(size_t size)
{
    sim = map(sizeof(*sim));
    return map(size);
}

struct sim_weather *sim_weather(void)
{
    return &sim->weather;
}

// Blocks of 64 bytes and its powers of two; what was given back is used again.
static unsigned heap_class(uint32_t size)
{
    unsigned class = 0;
    while ((64u << class) < size)
        class ++;
    return class;
}

static uint8_t *heap_take(unsigned class)
{
    struct sim_heap_block *block = sim->heap_free[class];
    if (block) {
        sim->heap_free[class] = block->next;
        return (uint8_t *)block;
    }
    size_t size = (size_t)64 << class;
    if (sim->heap_used + size > SIM_HEAP)
        sim_fail("the simulated machine has no memory left: SIM_HEAP");
    uint8_t *at = sim->heap + sim->heap_used;
    sim->heap_used += size;
    return at;
}

void sim_blob_room(struct sim_blob *blob, uint32_t room)
{
    if (room <= blob->room)
        return;
    unsigned class = heap_class(room);
    uint8_t *at = heap_take(class);
    if (blob->size)
        memcpy(at, blob->at, blob->size);
    uint32_t size = blob->size;
    sim_blob_free(blob);
    *blob = (struct sim_blob){.at = at, .size = size, .room = 64u << class};
}

void sim_blob_free(struct sim_blob *blob)
{
    if (blob->room) {
        unsigned class = heap_class(blob->room);
        struct sim_heap_block *block = (void *)blob->at;
        block->next = sim->heap_free[class];
        sim->heap_free[class] = block;
    }
    *blob = (struct sim_blob){0};
}

void sim_blob_copy(struct sim_blob *to, const struct sim_blob *from)
{
    sim_blob_room(to, from->size);
    if (from->size)
        memcpy(to->at, from->at, from->size);
    to->size = from->size;
}

// ---- chance -------------------------------------------------------------------------------------

// xoroshiro128+ by Blackman and Vigna; splitmix64 makes its state out of a seed.
static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t rotate(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

static uint64_t next(uint64_t state[2])
{
    uint64_t a = state[0], b = state[1], result = a + b;
    b ^= a;
    state[0] = rotate(a, 24) ^ b ^ b << 16;
    state[1] = rotate(b, 37);
    return result;
}

uint64_t sim_random(uint64_t below)
{
    return below ? next(sim->chance) % below : 0;
}

bool sim_chance(unsigned of_1000)
{
    return of_1000 && sim_random(1000) < of_1000;
}

void port_random(void *to, size_t len)
{
    uint8_t *at = to;
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)(next(sim->entropy) >> 32);
}

uint64_t sim_now(void)
{
    return sim->now;
}

uint64_t sim_calls(void)
{
    return sim->calls;
}

// ---- trace and failure --------------------------------------------------------------------------

static const char *who(void)
{
    static char text[16];
    if (!sim_self)
        return "world";
    snprintf(text, sizeof(text), "%d", sim_self->pid);
    return text;
}

// FNV-1a.
static void hash_in(const char *text)
{
    for (; *text; text++)
        sim->trace_hash = (sim->trace_hash ^ (uint8_t)*text) * 0x100000001b3;
}

void sim_trace(const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    hash_in(text);
    if (tracing)
        fprintf(stderr, "%12.6f %6llu %5s %s\n", (double)sim->now / 1e9,
                (unsigned long long)sim->calls, who(), text);
}

void sim_trace_print(bool on)
{
    tracing = on;
}

uint64_t sim_trace_hash(void)
{
    return sim->trace_hash;
}

void sim_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(sim->failure, sizeof(sim->failure), format, args);
    va_end(args);
    if (!hushed)
        fprintf(stderr, "seed %llu, %.6f s, call %llu, process %s: %s\n",
                (unsigned long long)sim->seed, (double)sim->now / 1e9,
                (unsigned long long)sim->calls, who(), sim->failure);
    sim_crash(SIM_FAILED);
}

void sim_hush(bool on)
{
    hushed = on;
}

const char *sim_failure(void)
{
    return sim->failure;
}

// ---- lies ---------------------------------------------------------------------------------------

// How often each is told when it could be, out of 1000: what is done seldom is lied about often.
static const struct {
    const char *name;
    unsigned chance;
} lies[SIM_LIES] = {
    [SIM_HONEST] = {"honest", 0},
    [SIM_SYNC] = {"sync", 300},
    [SIM_SYNC_NAME] = {"sync-name", 1000},
    [SIM_TEAR] = {"tear", 20},
    [SIM_UNLINK] = {"unlink", 1000},
    [SIM_LEAK] = {"leak", 20},
    [SIM_SWALLOW] = {"swallow", 20},
    [SIM_REPEAT] = {"repeat", 20},
    [SIM_ASTRAY] = {"astray", 20},
    [SIM_KILL] = {"kill", 800},
    [SIM_FORGET] = {"forget", 200},
    [SIM_STALL] = {"stall", 20},
    [SIM_IGNORE] = {"ignore", 2},
    [SIM_SLIGHT] = {"slight", 2},
    [SIM_RING] = {"ring", 1},
};

void sim_tell(enum sim_lie lie)
{
    told = lie;
}

const char *sim_lie_name(enum sim_lie lie)
{
    return lies[lie].name;
}

bool sim_lies(enum sim_lie lie)
{
    return told == lie && sim_chance(lies[lie].chance);
}

// ---- a new machine ------------------------------------------------------------------------------

void sim_reset(uint64_t seed)
{
    // The heap needs no clearing, and is most of it.
    memset(sim, 0, offsetof(struct sim_machine, heap));
    sim->seed = seed;
    uint64_t state = seed;
    for (int i = 0; i < 2; i++)
        sim->chance[i] = splitmix(&state);
    for (int i = 0; i < 2; i++)
        sim->entropy[i] = splitmix(&state);
    sim->trace_hash = 0xcbf29ce484222325;
    sim->now = 1000 * SIM_NS_PER_S; // since the machine was switched on
    sim->crash_at = UINT64_MAX;
    sim->weather = (struct sim_weather){
        .pipe_room = 65536, .socket_room = 65536, .descriptor_max = SIM_FDS, .disk_wait_us = 100};
    sim_disk_reset();
    sim_processes_reset();
}

// ---- lives --------------------------------------------------------------------------------------

// What is handed to the process that waits: the way in which a life has ended.
enum { EXIT_STATUS_MAX = 64 };

void sim_crash(enum sim_end how)
{
    sim->ending = how;
    fflush(NULL);
    _exit(how == SIM_ENDED ? 0 : 100 + (int)how);
}

void sim_crash_after(uint64_t calls, enum sim_end how)
{
    sim->crash_at = sim->calls + calls;
    sim->crash_how = how;
}

bool sim_ready(void)
{
    return sim->daemon_ready;
}

void sim_signal(enum port_signal signal)
{
    sim->signals |= 1U << signal;
    for (int i = 0; i < SIM_FILES; i++)
        if (sim->files[i].kind == SIM_SIGNALS)
            sim_wake_owner(i);
}

static void begin_life(void)
{
    struct sim_process *daemon = SIM_DAEMON_PROCESS;
    daemon->kind = SIM_DAEMON;
    daemon->pid = sim->next_pid++;
    daemon->parent = 1;
    daemon->ended = false;
    daemon->start = sim->now / (SIM_NS_PER_S / 100);
    for (int fd = 0; fd < SIM_FDS; fd++)
        daemon->fds[fd] = -1;
    for (int fd = 0; fd < 3; fd++)
        daemon->fds[fd] = (int16_t)sim_file_new(SIM_NOWHERE, "standard");
    sim->signals = 0;
    sim->in_turn = false;
    sim->idle_polls = 0;
    sim->mask = 022;
    sim->daemon_ready = false;
    sim->ending = SIM_ENDED;
}

// What the system does when the daemon is gone: its descriptors are closed, its workers end.
static void end_life(enum sim_end how)
{
    sim->crash_at = UINT64_MAX;
    sim_trace("the daemon's life ends: %d", (int)how);
    if (how == SIM_POWER_CUT)
        sim_disk_cut();
    for (int i = SIM_PROCESSES - 1; i >= 0; i--) {
        struct sim_process *process = &sim->processes[i];
        if (process->kind == SIM_NOBODY)
            continue;
        if (process->kind == SIM_PROGRAM && process->program && how != SIM_POWER_CUT)
            continue; // it lives on, as a child of init when its parent ends here
        if (!process->ended)
            sim_process_end(process, (struct port_exit){.signalled = true, .status = 9});
        process->kind = SIM_NOBODY;
    }
}

static enum sim_end end_of(int status)
{
    if (WIFSIGNALED(status))
        return SIM_CRASHED;
    int code = WEXITSTATUS(status);
    if (code == 100 + SIM_POWER_CUT || code == 100 + SIM_KILLED || code == 100 + SIM_FAILED)
        return (enum sim_end)(code - 100);
    // A sanitizer ends the process with a status of its own.
    return code <= EXIT_STATUS_MAX && sim->ending == SIM_ENDED ? SIM_ENDED : SIM_CRASHED;
}

enum sim_end sim_live(int (*body)(void), int *status)
{
    begin_life();
    sim_trace("the daemon's life begins");
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        perror("sim: fork");
        exit(2);
    }
    if (pid == 0) {
        sim_self = SIM_DAEMON_PROCESS;
        int result = body();
        sim_workers_end();
        fflush(NULL);
        _exit(result & (EXIT_STATUS_MAX - 1));
    }
    int wait_status;
    while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
        continue;
    sim_self = NULL;
    enum sim_end how = end_of(wait_status);
    *status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : WTERMSIG(wait_status);
    if (how == SIM_CRASHED && !hushed)
        fprintf(stderr, "seed %llu, %.6f s, call %llu: the daemon crashed (%s %d)\n",
                (unsigned long long)sim->seed, (double)sim->now / 1e9,
                (unsigned long long)sim->calls, WIFEXITED(wait_status) ? "status" : "signal",
                *status);
    end_life(how);
    return how;
}

// ---- calls --------------------------------------------------------------------------------------

void sim_progress(void)
{
    sim->idle_polls = 0;
}

void sim_enter(const char *call)
{
    if (sim_self && sim_self->kind == SIM_WORKER)
        sim_yield();
    sim->calls++;
    sim->now += 200 + sim_random(800); // a system call takes about a microsecond
    if (sim->calls >= sim->crash_at) {
        sim_trace("%s: here it ends", call);
        sim_crash(sim->crash_how);
    }
}

void sim_may_block(const char *call)
{
    if (sim->in_turn && sim_self == SIM_DAEMON_PROCESS)
        sim_fail("%s may block and was called in a turn of the loop", call);
}

void port_loop_guard(bool inside)
{
    if (sim_self == SIM_DAEMON_PROCESS)
        sim->in_turn = inside;
}

uint64_t port_clock_ns(void)
{
    return sim->now;
}

int port_utc_offset(int64_t seconds)
{
    (void)seconds;
    return 3600; // no summer there
}

int64_t port_time_us(void)
{
    return 1700000000000000 + (int64_t)(sim->now / 1000);
}

// ---- actors -------------------------------------------------------------------------------------

void sim_wake(struct sim_actor *actor, uint64_t delay_ns)
{
    if (!actor->known) {
        if (sim->actor_count == SIM_ACTORS)
            sim_fail("too many actors: SIM_ACTORS");
        sim->actors[sim->actor_count++] = actor;
        actor->known = true;
        actor->at = SIM_NEVER;
    }
    uint64_t at = delay_ns < SIM_NEVER - sim->now ? sim->now + delay_ns : SIM_NEVER;
    if (at < actor->at)
        actor->at = at;
}

void sim_rest(struct sim_actor *actor)
{
    actor->at = SIM_NEVER;
}

uint64_t sim_next_due(void)
{
    uint64_t at = SIM_NEVER;
    for (unsigned i = 0; i < sim->actor_count; i++)
        if (sim->actors[i]->at < at)
            at = sim->actors[i]->at;
    return at;
}

static struct sim_actor *next_actor(void)
{
    struct sim_actor *found = NULL;
    for (unsigned i = 0; i < sim->actor_count; i++)
        if (sim->actors[i]->at <= sim->now && (!found || sim->actors[i]->at < found->at))
            found = sim->actors[i];
    return found;
}

#define STEPS_MAX 100000 // at one time

// Actors are called outside of any process: what they do is not the daemon's doing.
void sim_run_due(void)
{
    struct sim_process *self = sim_self;
    struct sim_actor *actor;
    unsigned steps = 0;
    sim_self = NULL;
    while ((actor = next_actor())) {
        if (++steps > STEPS_MAX)
            sim_fail("an actor of the world does not let time pass");
        actor->at = SIM_NEVER;
        actor->step(actor);
        if (sim->ending != SIM_ENDED) // a worker has met the crash that was set
            sim_crash(sim->ending);
    }
    sim_self = self;
}
