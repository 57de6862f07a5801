// What an emulator says on its monitor: commands wait for answers, and each comes to its end.
//
// An input is a byte that tells in how many pieces it comes, and what the emulator writes.
#include "fuzz.h"

#include "hv/qemu/monitor/monitor.h"

#define JOBS 4
#define GREETED                                                                                    \
    "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n{\"return\": {}, \"id\": "              \
    "\"libvirt-1\"}\n"

// A task with one command: the first opens the monitor, the last passes one through.
struct job {
    struct task task;
    struct monitor_call call;
    struct monitor_open open;
    struct error error;
    unsigned number;
    bool done;
};

static struct monitor monitor;
static struct job jobs[JOBS];
static bool close_at_event;
static int emulator;

static enum co_status job_step(struct job *job)
{
    static const char *const commands[] = {"", "query-status", "query-cpus-fast"};
    if (job->number == 0)
        return monitor_open(&job->open, &monitor, &job->task, &job->error);
    if (job->number == JOBS - 1)
        return monitor_pass(&job->call, &monitor, &job->task, SLICE("{\"execute\":\"stop\"}"),
                            &job->error);
    return monitor_command(&job->call, &monitor, &job->task, commands[job->number],
                           monitor_args("{\"value\":%u}", job->number), &job->error);
}

static void job_run(struct task *task)
{
    struct job *job = (struct job *)(void *)task;
    if (job->done || job_step(job) != CO_DONE)
        return;
    job->done = true;
    bool answered =
        job->number == 0 ? !error_is_set(&job->error) : job->call.result || job->call.message;
    if (!answered && !error_is_set(&job->error))
        FUZZ_FAIL("command %u ended with neither an answer nor an error", job->number);
    if (job->number + 1 < JOBS)
        task_wake(&jobs[job->number + 1].task);
}

static void note_event(struct monitor *m, const struct json_value *event)
{
    FUZZ_CHECK(m == &monitor && event->kind == JSON_OBJECT);
    if (close_at_event)
        monitor_close(m);
}

static void note_end(struct monitor *m)
{
    FUZZ_CHECK(m == &monitor);
}

static void turns(unsigned count)
{
    while (count-- > 0) {
        char heard[4096];
        loop_turn(0);
        fuzz_clock_advance(NS_PER_MS);
        port_read(emulator, heard, sizeof(heard));
    }
}

static void say(struct slice text)
{
    for (unsigned stuck = 0; text.len > 0 && stuck < 20; stuck++) {
        ptrdiff_t put = port_write(emulator, text.at, text.len);
        if (put > 0) {
            text = slice_from(text, (size_t)put);
            stuck = 0;
        }
        turns(2);
    }
}

static void start(void)
{
    static const struct monitor_owner owner = {note_event, note_end, note_end};
    int ends[2];
    FUZZ_CHECK(port_socket_pair(ends) == 0);
    emulator = ends[1];
    memset(&monitor, 0, sizeof(monitor));
    memset(jobs, 0, sizeof(jobs));
    monitor_start(&monitor, ends[0], &owner, "guest");
    for (unsigned i = 0; i < JOBS; i++) {
        jobs[i].number = i;
        jobs[i].task.run = job_run;
    }
    task_wake(&jobs[0].task);
}

static void finish(void)
{
    fuzz_clock_advance(2 * MONITOR_COMMAND_LIMIT_NS);
    turns(12);
    monitor_close(&monitor);
    port_close(emulator);
    turns(12);
    for (unsigned i = 0; i < JOBS; i++)
        if (!jobs[i].done)
            FUZZ_FAIL("command %u did not end", i);
    FUZZ_CHECK(slot_small_free() == CONFIG_SMALL_SLOTS);
    FUZZ_CHECK(slot_large_free() == CONFIG_LARGE_SLOTS);
}

void fuzz_one(struct slice input)
{
    uint8_t manner = fuzz_take_byte(&input);
    size_t step = manner & 3 ? 1 + input.len / (size_t)(1 << 2 * (manner & 3)) : input.len;
    close_at_event = manner & 4;
    start();
    if (manner & 8) {
        say(SLICE(GREETED));
        turns(8);
    }
    while (input.len > 0)
        say(fuzz_take(&input, step));
    turns(8);
    finish();
}
