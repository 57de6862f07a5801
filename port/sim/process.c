// Sim: the processes of the machine: the daemon, its workers, and the programs that it starts.
#include "port/sim/machine.h"

#include <string.h>

#define TICKS_PER_S 100

void sim_processes_reset(void)
{
    sim->next_pid = 100;
    for (int i = 0; i < SIM_PROCESSES; i++)
        sim->processes[i].kind = SIM_NOBODY;
}

struct sim_process *sim_process_find(int pid)
{
    for (int i = 0; i < SIM_PROCESSES; i++)
        if (sim->processes[i].kind != SIM_NOBODY && sim->processes[i].pid == pid)
            return &sim->processes[i];
    return NULL;
}

static struct sim_process *new_process(enum sim_process_kind kind)
{
    for (int i = 1; i < SIM_PROCESSES; i++) {
        struct sim_process *process = &sim->processes[i];
        if (process->kind != SIM_NOBODY)
            continue;
        process->kind = kind;
        process->pid = process->group = sim->next_pid++;
        process->parent = sim_self->pid;
        process->start = sim->now / (SIM_NS_PER_S / TICKS_PER_S);
        process->ended = false;
        process->sleeps_until = 0;
        process->program = NULL;
        process->actor.at = SIM_NEVER; // the machine knows this actor from the slot's last process
        for (int fd = 0; fd < SIM_FDS; fd++)
            process->fds[fd] = -1;
        return process;
    }
    return NULL;
}

struct sim_process *sim_process_new(enum sim_process_kind kind, void (*step)(struct sim_actor *))
{
    struct sim_process *process = new_process(kind);
    if (process)
        process->actor.step = step;
    return process;
}

void sim_process_give(struct sim_process *process, int fd, int file)
{
    sim->files[file].refs++;
    process->fds[fd] = (int16_t)file;
}

// Whose parent is gone has init for it, which takes what has ended.
static void forget_children(const struct sim_process *parent)
{
    for (int i = 1; i < SIM_PROCESSES; i++) {
        struct sim_process *process = &sim->processes[i];
        if (process->kind == SIM_NOBODY || process->parent != parent->pid)
            continue;
        process->parent = 1;
        if (process->ended)
            process->kind = SIM_NOBODY;
    }
}

// The parent is told; one whose parent is init is gone at once.
void sim_process_end(struct sim_process *process, struct port_exit how)
{
    sim_trace("process %d ends: %s %d", process->pid, how.signalled ? "signal" : "status",
              how.status);
    for (int fd = 0; fd < SIM_FDS; fd++) {
        if (process->fds[fd] < 0)
            continue;
        int file = process->fds[fd];
        process->fds[fd] = -1;
        sim_file_release(file);
    }
    sim_rest(&process->actor);
    sim_blob_free(&process->state);
    process->ended = true;
    process->how = how;
    const struct sim_process *parent = sim_process_find(process->parent);
    if (parent == SIM_DAEMON_PROCESS)
        sim_signal(PORT_SIGNAL_CHILD);
    else if (!parent && process->kind != SIM_DAEMON)
        process->kind = SIM_NOBODY;
    forget_children(process);
}

unsigned sim_processes(void)
{
    unsigned count = 0;
    for (int i = 1; i < SIM_PROCESSES; i++)
        count += sim->processes[i].kind != SIM_NOBODY;
    return count;
}

unsigned sim_workers(void)
{
    unsigned count = 0;
    for (int i = 1; i < SIM_PROCESSES; i++)
        count += sim->processes[i].kind == SIM_WORKER && !sim->processes[i].ended;
    return count;
}

// ---- programs -----------------------------------------------------------------------------------

void sim_program_add(const struct sim_program *program)
{
    if (sim->program_count == SIM_PROGRAMS)
        sim_fail("too many programs: SIM_PROGRAMS");
    sim->programs[sim->program_count++] = program;
    if (sim_disk_write(program->path, "#!", 2, 0755) < 0)
        sim_fail("no directory for the program %s", program->path);
}

static const struct sim_program *find_program(const char *path)
{
    for (unsigned i = 0; i < sim->program_count; i++)
        if (strcmp(sim->programs[i]->path, path) == 0)
            return sim->programs[i];
    return NULL;
}

static void step_program(struct sim_actor *actor)
{
    struct sim_process *process = (struct sim_process *)(void *)actor;
    if (process->kind == SIM_PROGRAM && !process->ended) // else somebody woke it too late
        process->program->step(process);
}

static void give_standard(struct sim_process *process, int as, int fd)
{
    if (fd >= 0)
        sim_process_give(process, as, sim_fd_number(fd));
    else
        process->fds[as] = (int16_t)sim_file_new(SIM_NOWHERE, "/dev/null");
}

int port_spawn(const struct port_spawn *spawn)
{
    sim_enter("spawn");
    const struct sim_program *program = find_program(spawn->argv[0]);
    if (!program || sim_path_inode(spawn->argv[0], true) < 0)
        return -ENOENT;
    struct sim_process *process =
        sim_chance(sim->weather.fork_fails) ? NULL : sim_process_new(SIM_PROGRAM, step_program);
    if (!process)
        return -EAGAIN;
    give_standard(process, 0, spawn->in);
    give_standard(process, 1, spawn->out);
    give_standard(process, 2, spawn->err);
    for (size_t i = 0; i < spawn->keep_count; i++)
        sim_process_give(process, spawn->keep[i], sim_fd_number(spawn->keep[i]));
    if (!spawn->session)
        process->group = sim_self->pid;
    if (spawn->note && !spawn->note(spawn->argument, process->pid)) {
        sim_process_end(process, (struct port_exit){.status = 127});
        process->kind = SIM_NOBODY;
        return -ECANCELED;
    }
    process->program = program;
    sim_blob_room(&process->state, (uint32_t)program->state_size);
    memset(process->state.at, 0, program->state_size);
    int pid = process->pid;
    sim_wake(&process->actor, sim_random(SIM_NS_PER_MS));
    sim_trace("spawn %s: %d", spawn->argv[0], pid);
    program->start(process, spawn);
    sim_progress();
    return pid;
}

bool sim_process_runs(const struct sim_process *process, const struct sim_program *program)
{
    return process->program == program;
}

void *sim_process_state(struct sim_process *process)
{
    return process->state.at;
}

struct sim_actor *sim_process_actor(struct sim_process *process)
{
    return &process->actor;
}

int sim_process_pid(const struct sim_process *process)
{
    return process->pid;
}

int sim_process_handle(const struct sim_process *process, int fd)
{
    return fd >= 0 && fd < SIM_FDS ? process->fds[fd] : -1;
}

void sim_process_take(struct sim_process *process, int handle)
{
    for (int fd = 3; fd < SIM_FDS; fd++) {
        if (process->fds[fd] < 0) {
            process->fds[fd] = (int16_t)handle;
            return;
        }
    }
    sim_fail("process %d has no descriptor left", process->pid);
}

void sim_process_close(struct sim_process *process, int handle)
{
    for (int fd = 0; fd < SIM_FDS; fd++) {
        if (process->fds[fd] == handle) {
            process->fds[fd] = -1;
            sim_file_release(handle);
            return;
        }
    }
}

void sim_process_say(struct sim_process *process, const char *text)
{
    const struct sim_file *file = process->fds[2] < 0 ? NULL : &sim->files[process->fds[2]];
    if (file && file->kind == SIM_REGULAR)
        sim_inode_write(file->inode, sim_inode(file->inode)->now.size, text, strlen(text));
    else if (file && file->kind == SIM_STREAM)
        sim_channel_write(process->fds[2], text, strlen(text));
}

void sim_process_exit(struct sim_process *process, int status)
{
    sim_process_end(process, (struct port_exit){.status = status});
}

void sim_process_die(struct sim_process *process, int signal)
{
    sim_process_end(process, (struct port_exit){.signalled = true, .status = signal});
}

struct sim_process *sim_process_next(const struct sim_process *previous)
{
    for (int i = previous ? (int)(previous - sim->processes) + 1 : 1; i < SIM_PROCESSES; i++)
        if (sim->processes[i].program && sim->processes[i].kind == SIM_PROGRAM &&
            !sim->processes[i].ended)
            return &sim->processes[i];
    return NULL;
}

// ---- the fate of children, and signals to them --------------------------------------------------

int port_child_reap(struct port_exit *how)
{
    sim_enter("reap");
    for (int i = 1; i < SIM_PROCESSES; i++) {
        struct sim_process *process = &sim->processes[i];
        if (process->kind == SIM_NOBODY || !process->ended || process->parent != sim_self->pid)
            continue;
        if (sim_lies(SIM_FORGET))
            return 0;
        *how = process->how;
        process->kind = SIM_NOBODY;
        sim_progress();
        return process->pid;
    }
    return 0;
}

int port_child_ended(int pid, struct port_exit *how)
{
    sim_enter("wait for child");
    struct sim_process *process = sim_process_find(pid);
    if (!process || process->parent != sim_self->pid)
        return -ECHILD;
    if (!process->ended)
        return 0;
    *how = process->how;
    process->kind = SIM_NOBODY;
    return 1;
}

static int signal_process(struct sim_process *process, enum port_kill signal)
{
    static const int numbers[] = {
        [PORT_KILL_TERM] = 15, [PORT_KILL_KILL] = 9, [PORT_KILL_INT] = 2,
        [PORT_KILL_HUP] = 1,   [PORT_KILL_QUIT] = 3,
    };
    if (!process)
        return -ESRCH;
    if (process->ended || sim_lies(SIM_KILL))
        return 0;
    if (process->kind == SIM_PROGRAM && process->program->signal && signal != PORT_KILL_KILL)
        process->program->signal(process, signal);
    else
        sim_process_end(process, (struct port_exit){.signalled = true, .status = numbers[signal]});
    sim_progress();
    return 0;
}

int port_kill(int pid, enum port_kill signal)
{
    sim_enter("kill");
    sim_trace("kill %d with %d", pid, (int)signal);
    if (pid == sim_self->pid)
        sim_fail("the daemon sends itself a signal");
    return signal_process(sim_process_find(pid), signal);
}

int port_kill_group(int pid, enum port_kill signal)
{
    sim_enter("kill group");
    sim_trace("kill group %d with %d", pid, (int)signal);
    int status = -ESRCH;
    for (int i = 1; i < SIM_PROCESSES; i++) {
        struct sim_process *process = &sim->processes[i];
        if (process->kind != SIM_NOBODY && process->group == pid)
            status = signal_process(process, signal);
    }
    return status;
}

int port_process_start(int pid, uint64_t *start)
{
    sim_enter("start of process");
    const struct sim_process *process = sim_process_find(pid);
    if (!process)
        return -ESRCH;
    *start = process->start;
    return 0;
}

bool port_process_alive(int pid, uint64_t start)
{
    sim_enter("process alive");
    const struct sim_process *process = sim_process_find(pid);
    return process && !process->ended && (start == 0 || start == process->start);
}

int port_process_usage(int pid, struct port_usage *usage)
{
    const struct sim_process *process = sim_process_find(pid);
    if (!process)
        return -ESRCH;
    uint64_t age = sim->now - process->start * (SIM_NS_PER_S / TICKS_PER_S);
    *usage = (struct port_usage){
        .user_ns = age / 4, .system_ns = age / 8, .resident = 64u << 20, .minor_faults = 1000};
    return 0;
}

int port_thread_usage(int pid, int tid, struct port_usage *usage)
{
    (void)tid;
    return port_process_usage(pid, usage);
}

int port_affinity_get(int tid, uint8_t *map, size_t size)
{
    memset(map, 0, size);
    if (size)
        map[0] = 0x0f;
    return sim_process_find(tid) ? 0 : -ESRCH;
}

int port_affinity_set(int tid, const uint8_t *map, size_t size)
{
    bool any = false;
    for (size_t i = 0; i < size; i++)
        any = any || map[i];
    if (!any)
        return -EINVAL;
    return sim_process_find(tid) ? 0 : -ESRCH;
}

int port_own_program(char *to, size_t size)
{
    static const char path[] = "/usr/sbin/nanovirtd";
    if (size < sizeof(path))
        return -ENAMETOOLONG;
    memcpy(to, path, sizeof(path));
    return 0;
}
