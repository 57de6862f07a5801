// What a guest's agent says: a command finds its answer behind the synchronization, or gives up.
//
// An input is a byte of manners and what the agent writes; in it, '@' stands for the number of the
// guest-sync that the daemon sent last.
#include "fuzz.h"

#include "hv/qemu/monitor/agent.h"

#include <stdio.h>

#define JOBS 2

struct job {
    struct task task;
    struct agent_call call;
    struct error error;
    bool started, done;
    bool awaits_event;
};

static struct agent agent;
static struct job jobs[JOBS];
static int guest;
static char sync_id[24];

static void job_run(struct task *task)
{
    struct job *job = (struct job *)(void *)task;
    if (job->done)
        return;
    job->started = true;
    if (agent_command(&job->call, &agent, task, SLICE("{\"execute\":\"guest-info\"}"),
                      AGENT_WAIT_DEFAULT, &job->error) != CO_DONE)
        return;
    job->done = true;
    if (!job->call.message && !error_is_set(&job->error) && !job->awaits_event)
        FUZZ_FAIL("a command ended with neither an answer nor an error");
}

// Takes the number of a guest-sync out of what was sent to the guest.
static void listen(void)
{
    char text[4096];
    ptrdiff_t got = port_read(guest, text, sizeof(text) - 1);
    if (got <= 0)
        return;
    text[got] = '\0';
    const char *id = strstr(text, "\"id\":");
    unsigned long long number;
    if (id && sscanf(id + 5, "%llu", &number) == 1)
        snprintf(sync_id, sizeof(sync_id), "%llu", number);
}

static void turns(unsigned count)
{
    while (count-- > 0) {
        loop_turn(0);
        fuzz_clock_advance(NS_PER_MS);
        listen();
    }
}

static void say(struct slice text)
{
    for (unsigned stuck = 0; text.len > 0 && stuck < 20; stuck++) {
        ptrdiff_t put = port_write(guest, text.at, text.len);
        if (put > 0) {
            text = slice_from(text, (size_t)put);
            stuck = 0;
        }
        turns(2);
    }
}

static void start(bool awaits_event)
{
    int ends[2];
    struct error err = {0};
    FUZZ_CHECK(port_socket_pair(ends) == 0);
    guest = ends[1];
    snprintf(sync_id, sizeof(sync_id), "0");
    memset(&agent, 0, sizeof(agent));
    memset(jobs, 0, sizeof(jobs));
    FUZZ_CHECK(agent_start(&agent, ends[0], &err));
    for (unsigned i = 0; i < JOBS; i++) {
        jobs[i].task.run = job_run;
        jobs[i].awaits_event = i == 1 && awaits_event;
        jobs[i].call.await = jobs[i].awaits_event ? AGENT_EVENT_SHUTDOWN : AGENT_EVENT_NONE;
    }
    task_wake(&jobs[0].task);
}

static void finish(void)
{
    for (unsigned i = 0; i < 4; i++) {
        fuzz_clock_advance(10 * NS_PER_SEC);
        turns(4);
    }
    agent_close(&agent);
    port_close(guest);
    turns(4);
    for (unsigned i = 0; i < JOBS; i++)
        FUZZ_CHECK(jobs[i].done || !jobs[i].started);
    FUZZ_CHECK(slot_small_free() == CONFIG_SMALL_SLOTS);
    FUZZ_CHECK(slot_large_free() == CONFIG_LARGE_SLOTS);
}

void fuzz_one(struct slice input)
{
    uint8_t manner = fuzz_take_byte(&input);
    struct slice part;
    start(manner & 1);
    turns(4);
    while (slice_split(&input, '@', &part)) {
        say(part);
        say(slice_of(sync_id));
        if (manner & 2)
            task_wake(&jobs[1].task);
        turns(2);
    }
    if (manner & 1)
        agent_tell_event(&agent, AGENT_EVENT_SHUTDOWN);
    turns(4);
    finish();
}
