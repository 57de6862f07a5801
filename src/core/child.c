// Child processes: a list of those that run, looked at when the system says that one has ended.
#include "core/child.h"

#include "core/assert.h"
#include "core/config.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static struct child *children;
static unsigned count;

unsigned child_count(void)
{
    return count;
}

static bool remember(struct child *child, int pid, struct task *task)
{
    child->pid = pid;
    child->ended = false;
    child->task = task;
    child->next = children;
    children = child;
    count++;
    return true;
}

static void unlink_child(struct child *child)
{
    struct child **link = &children;
    while (*link && *link != child)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = child->next;
    count--;
}

static bool room_for_child(struct error *err)
{
    if (count < CONFIG_MAX_CHILDREN + CONFIG_MAX_GUESTS)
        return true;
    return error_set(err, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
                     "too many child processes: limit is %d, CONFIG_MAX_CHILDREN",
                     CONFIG_MAX_CHILDREN);
}

bool child_start(struct child *child, const struct port_spawn *spawn, struct task *task,
                 struct error *err)
{
    if (!room_for_child(err))
        return false;
    int pid = port_spawn(spawn);
    if (pid < 0)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "Cannot execute binary %s: %s",
                         spawn->argv[0], strerror(-pid));
    return remember(child, pid, task);
}

bool child_adopt(struct child *child, int pid, struct task *task)
{
    return remember(child, pid, task);
}

// The list keeps no trace of it; the sweep in child_reap() still takes its exit status.
void child_forget(struct child *child)
{
    unlink_child(child);
    child->pid = 0;
}

static void tell_end(struct child *child)
{
    unlink_child(child);
    child->ended = true;
    child->pid = 0;
    if (child->task)
        task_wake(child->task);
    if (child->at_end)
        child->at_end(child);
}

void child_reap(void)
{
    struct port_exit how;
    int pid;
    while ((pid = port_child_reap(&how)) > 0) {
        struct child *child = children;
        while (child && child->pid != pid)
            child = child->next;
        if (!child)
            continue;
        child->how = how;
        tell_end(child);
    }
}

// ---- workers

bool worker_done(const struct worker *worker)
{
    return worker->child.ended && worker->output_ended;
}

static void note_result(struct worker *worker)
{
    struct child *child = &worker->child;
    if (child->ended)
        worker->result = child->how.signalled ? 255 : child->how.status;
}

static void end_output(struct worker *worker)
{
    loop_unwatch(&worker->watch);
    port_close(worker->watch.fd);
    worker->output_ended = true;
    if (worker->child.task)
        task_wake(worker->child.task);
}

static void read_output(struct watch *watch, short events)
{
    (void)events;
    struct worker *worker =
        (struct worker *)(void *)((char *)watch - offsetof(struct worker, watch));
    char bytes[4096];
    ptrdiff_t got;
    while ((got = port_read(watch->fd, bytes, sizeof(bytes))) > 0)
        if (worker->output)
            buffer_put(worker->output, (struct slice){bytes, (size_t)got});
    if (got != -EAGAIN && got != -EINTR)
        end_output(worker);
}

static void worker_ended(struct child *child)
{
    note_result((struct worker *)(void *)child);
}

bool worker_start(struct worker *worker, int (*work)(void *argument, int out), void *argument,
                  struct buffer *output, struct task *task, struct error *err)
{
    static_assert(offsetof(struct worker, child) == 0, "worker_ended casts");
    if (!room_for_child(err))
        return false;
    int out;
    int pid = port_worker(work, argument, NULL, 0, &out);
    if (pid < 0)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "cannot fork child process: %s",
                         strerror(-pid));
    *worker = (struct worker){.output = output, .child.at_end = worker_ended};
    remember(&worker->child, pid, task);
    if (loop_watch(&worker->watch, out, PORT_POLL_IN, read_output, err))
        return true;
    port_close(out);
    worker_cancel(worker);
    return false;
}

void worker_cancel(struct worker *worker)
{
    if (worker->child.pid)
        port_kill(worker->child.pid, PORT_KILL_KILL);
    child_forget(&worker->child);
    if (worker->watch.place) {
        loop_unwatch(&worker->watch);
        port_close(worker->watch.fd);
    }
}
