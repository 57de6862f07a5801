// The guest agent's client against a scripted agent on the other end of a socket pair.
#include "hv/qemu/monitor/agent.h"
#include "hv/qemu/monitor/monitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct agent agent;
static int guest; // the other end

struct job {
    struct task task;
    struct agent_call call;
    struct error error;
    const char *command;
    int timeout;
    bool done;
    char result[256];
};

static void job_run(struct task *task)
{
    struct job *job = (struct job *)(void *)task;
    if (agent_command(&job->call, &agent, task, slice_of(job->command), job->timeout,
                      &job->error) != CO_DONE)
        return;
    job->done = true;
    if (job->call.result)
        snprintf(job->result, sizeof(job->result), "%.*s", SLICE_ARG(job->call.result->raw));
}

static void begin(struct job *job, const char *command, int timeout)
{
    job->task.run = job_run;
    job->command = command;
    job->timeout = timeout;
    task_wake(&job->task);
}

static void turns(unsigned count)
{
    while (count--)
        loop_turn(0);
}

static void finish(struct job *job)
{
    for (unsigned i = 0; i < 20000 && !job->done; i++)
        loop_turn((int64_t)NS_PER_MS);
    assert_true(job->done);
}

static void say(const char *text)
{
    assert_int_equal(port_write(guest, text, strlen(text)), strlen(text));
}

static const char *heard(void)
{
    static char text[8192];
    ptrdiff_t got = port_read(guest, text, sizeof(text) - 1);
    text[got > 0 ? got : 0] = '\0';
    return text;
}

// The number of the guest-sync that was sent.
static unsigned long long heard_sync(void)
{
    const char *text = heard();
    const char *id = strstr(text, "\"id\":");
    assert_non_null(strstr(text, "\"guest-sync\""));
    assert_non_null(id);
    return strtoull(id + 5, NULL, 10);
}

static void answer_sync(unsigned long long id)
{
    char text[64];
    snprintf(text, sizeof(text), "{\"return\": %llu}\n", id);
    say(text);
    turns(4);
}

static void synchronize(void)
{
    turns(3);
    answer_sync(heard_sync());
}

static int connect_agent(void **state)
{
    int ends[2];
    struct error err = {0};
    (void)state;
    assert_int_equal(port_socket_pair(ends), 0);
    guest = ends[1];
    assert_true(agent_start(&agent, ends[0], &err));
    return 0;
}

static int disconnect_agent(void **state)
{
    (void)state;
    agent_close(&agent);
    port_close(guest);
    turns(2);
    return 0;
}

// ---- claims

#define PING "{\"execute\":\"guest-ping\"}"

static void a_command_follows_a_sync_and_gets_its_answer(void **state)
{
    struct job job = {0};
    (void)state;
    begin(&job, PING, AGENT_WAIT_BLOCK);
    synchronize();
    assert_string_equal(heard(), PING "\n");
    say("{\"return\": {\"a\": 1}}\n");
    finish(&job);
    assert_false(error_is_set(&job.error));
    assert_string_equal(job.result, "{\"a\": 1}");
}

static void a_second_command_needs_no_sync(void **state)
{
    struct job first = {0}, second = {0};
    (void)state;
    begin(&first, PING, AGENT_WAIT_BLOCK);
    synchronize();
    heard();
    say("{\"return\": {}}\n");
    finish(&first);
    begin(&second, PING, AGENT_WAIT_BLOCK);
    turns(3);
    assert_string_equal(heard(), PING "\n");
    say("{\"return\": {}}\n");
    finish(&second);
}

static void leftovers_before_the_sync_are_thrown_away(void **state)
{
    struct job job = {0};
    (void)state;
    say("half a li\xff\xfe}\n{\"return\": {\"old\": true}}\n{\"return\": 12345}\n\n[]\n");
    begin(&job, PING, AGENT_WAIT_BLOCK);
    turns(4);
    assert_false(job.done);
    unsigned long long id = heard_sync();
    say("{\"return\": {\"late\": true}}\n\xff");
    answer_sync(id);
    assert_string_equal(heard(), PING "\n");
    say("{\"return\": 7}\n");
    finish(&job);
    assert_string_equal(job.result, "7");
}

static void answers_may_come_byte_by_byte(void **state)
{
    struct job job = {0};
    (void)state;
    begin(&job, PING, AGENT_WAIT_BLOCK);
    synchronize();
    for (const char *c = "{\"return\": {}}\n"; *c; c++) {
        assert_false(job.done);
        assert_int_equal(port_write(guest, c, 1), 1);
        turns(2);
    }
    finish(&job);
    assert_false(error_is_set(&job.error));
}

static void the_agents_refusal_is_told_in_its_words(void **state)
{
    struct job job = {0};
    (void)state;
    begin(&job, "{\"execute\":\"guest-dance\"}", AGENT_WAIT_BLOCK);
    synchronize();
    say("{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no such dance\"}}\n");
    finish(&job);
    assert_int_equal(job.error.code, VIR_ERR_INTERNAL_ERROR);
    assert_string_equal(job.error.message, "internal error: unable to execute QEMU agent command "
                                           "'guest-dance': no such dance");
    assert_string_equal(job.call.error_class, "CommandNotFound");
}

static void silence_is_a_time_out_and_the_next_command_syncs_again(void **state)
{
    struct job job = {0}, next = {0};
    (void)state;
    begin(&job, PING, AGENT_WAIT_NOT);
    synchronize();
    finish(&job);
    assert_int_equal(job.error.code, VIR_ERR_AGENT_UNRESPONSIVE);
    heard();
    begin(&next, PING, AGENT_WAIT_BLOCK);
    turns(3);
    unsigned long long id = heard_sync();
    say("{\"return\": {\"late\": true}}\n"); // of the first command
    answer_sync(id);
    say("{\"return\": {\"mine\": true}}\n");
    finish(&next);
    assert_string_equal(next.result, "{\"mine\": true}");
}

static void who_waits_for_no_time_gets_no_answer_however_fast_it_is(void **state)
{
    struct job first = {0}, job = {0};
    (void)state;
    begin(&first, PING, AGENT_WAIT_BLOCK);
    synchronize();
    say("{\"return\": {}}\n");
    finish(&first);
    begin(&job, PING, AGENT_WAIT_NOT);
    turns(1);
    say("{\"return\": {}}\n");
    finish(&job);
    assert_int_equal(job.error.code, VIR_ERR_AGENT_UNRESPONSIVE);
}

static void an_agent_that_goes_away_is_an_error_at_each_point(void **state)
{
    const char *answer = "{\"return\": {}}\n";
    for (size_t sent = 0; sent < strlen(answer); sent++) {
        struct job job = {0};
        connect_agent(state);
        begin(&job, PING, AGENT_WAIT_BLOCK);
        synchronize();
        assert_int_equal(port_write(guest, answer, sent), sent);
        port_close(guest);
        guest = -1;
        finish(&job);
        assert_int_equal(job.error.code, VIR_ERR_AGENT_UNRESPONSIVE);
        disconnect_agent(state);
    }
}

static void closing_fails_everybody_who_waits(void **state)
{
    struct job first = {0}, second = {0};
    (void)state;
    begin(&first, PING, AGENT_WAIT_BLOCK);
    begin(&second, PING, AGENT_WAIT_BLOCK);
    turns(3);
    agent_close(&agent);
    finish(&first);
    finish(&second);
    assert_int_equal(first.error.code, VIR_ERR_AGENT_UNRESPONSIVE);
    assert_int_equal(second.error.code, VIR_ERR_AGENT_UNRESPONSIVE);
}

static void the_event_that_is_waited_for_counts_as_the_answer(void **state)
{
    struct job job = {0};
    (void)state;
    job.call.await = AGENT_EVENT_SHUTDOWN;
    begin(&job, "{\"execute\":\"guest-shutdown\"}", AGENT_WAIT_BLOCK);
    turns(3);
    agent_tell_event(&agent, AGENT_EVENT_SHUTDOWN); // before the command is out: of another cause
    turns(3);
    assert_false(job.done);
    synchronize();
    agent_tell_event(&agent, AGENT_EVENT_RESET);
    turns(3);
    assert_false(job.done);
    agent_tell_event(&agent, AGENT_EVENT_SHUTDOWN);
    finish(&job);
    assert_false(error_is_set(&job.error));
}

static void an_agent_that_leaves_with_its_guest_has_done_what_was_wanted(void **state)
{
    struct job job = {0};
    (void)state;
    job.call.await = AGENT_EVENT_SHUTDOWN;
    begin(&job, "{\"execute\":\"guest-shutdown\"}", AGENT_WAIT_BLOCK);
    synchronize();
    agent_close(&agent);
    finish(&job);
    assert_false(error_is_set(&job.error));
}

static void a_flood_without_a_line_end_holds_no_more_than_a_slot(void **state)
{
    static char block[4096];
    struct job job = {0};
    size_t free_before = slot_large_free();
    (void)state;
    memset(block, 'x', sizeof(block));
    for (size_t sent = 0; sent < (1 << 20);) {
        ptrdiff_t part = port_write(guest, block, sizeof(block));
        if (part > 0)
            sent += (size_t)part;
        turns(1);
    }
    say("\n");
    begin(&job, PING, AGENT_WAIT_BLOCK);
    synchronize();
    say("{\"return\": {}}\n");
    finish(&job);
    assert_false(error_is_set(&job.error));
    assert_int_equal(slot_large_free(), free_before);
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, connect_agent, disconnect_agent)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_command_follows_a_sync_and_gets_its_answer),
        CLAIM(a_second_command_needs_no_sync),
        CLAIM(leftovers_before_the_sync_are_thrown_away),
        CLAIM(answers_may_come_byte_by_byte),
        CLAIM(the_agents_refusal_is_told_in_its_words),
        CLAIM(silence_is_a_time_out_and_the_next_command_syncs_again),
        CLAIM(who_waits_for_no_time_gets_no_answer_however_fast_it_is),
        cmocka_unit_test(an_agent_that_goes_away_is_an_error_at_each_point),
        CLAIM(closing_fails_everybody_who_waits),
        CLAIM(the_event_that_is_waited_for_counts_as_the_answer),
        CLAIM(an_agent_that_leaves_with_its_guest_has_done_what_was_wanted),
        CLAIM(a_flood_without_a_line_end_holds_no_more_than_a_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
