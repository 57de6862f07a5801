// QMP against a scripted emulator on the other end of a socket pair.
#include "hv/qemu/monitor/monitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n"

static struct monitor monitor;
static int emulator; // the other end
static char events[512];
static unsigned broken_count, ended_count;

static void note_event(struct monitor *m, const struct json_value *event)
{
    assert_ptr_equal(m, &monitor);
    snprintf(events + strlen(events), sizeof(events) - strlen(events), "%.*s ",
             SLICE_ARG(json_get_string(event, "event")));
}

static void note_broken(struct monitor *m)
{
    (void)m;
    broken_count++;
}

static void note_ended(struct monitor *m)
{
    (void)m;
    ended_count++;
}

static const struct monitor_owner owner = {note_event, note_broken, note_ended};

// ---- a task with one command

struct job {
    struct task task;
    struct co co;
    struct monitor_call call;
    struct monitor_open open;
    struct error error;
    const char *command, *pass;
    struct slice arguments;
    bool opening, done;
    char result[256];
};

static enum co_status job_step(struct job *job)
{
    struct task *task = &job->task;
    if (job->opening)
        return monitor_open(&job->open, &monitor, task, &job->error);
    if (job->pass)
        return monitor_pass(&job->call, &monitor, task, slice_of(job->pass), &job->error);
    return monitor_command(&job->call, &monitor, task, job->command, job->arguments, &job->error);
}

static void job_run(struct task *task)
{
    struct job *job = (struct job *)(void *)task;
    if (job_step(job) != CO_DONE)
        return;
    job->done = true;
    const struct json_value *shown = job->pass ? job->call.message : job->call.result;
    if (shown)
        snprintf(job->result, sizeof(job->result), "%.*s", SLICE_ARG(shown->raw));
}

static void begin(struct job *job, const char *command)
{
    job->task.run = job_run;
    job->command = command;
    task_wake(&job->task);
}

static void turns(unsigned count)
{
    while (count--)
        loop_turn(0);
}

static void finish(struct job *job)
{
    for (unsigned i = 0; i < 2000 && !job->done; i++)
        loop_turn((int64_t)NS_PER_MS);
    assert_true(job->done);
}

// ---- the emulator's side

static void say(const char *text)
{
    assert_int_equal(port_write(emulator, text, strlen(text)), strlen(text));
}

// What the monitor has sent, up to now.
static const char *heard(void)
{
    static char text[8192];
    ptrdiff_t got = port_read(emulator, text, sizeof(text) - 1);
    text[got > 0 ? got : 0] = '\0';
    return text;
}

static void assert_heard(const char *part)
{
    const char *text = heard();
    if (!strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text);
}

static int connect_monitor(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(port_socket_pair(ends), 0);
    emulator = ends[1];
    events[0] = '\0';
    broken_count = ended_count = 0;
    memset(&monitor, 0, sizeof(monitor));
    monitor_start(&monitor, ends[0], &owner, "guest");
    return 0;
}

static int disconnect_monitor(void **state)
{
    (void)state;
    monitor_close(&monitor);
    port_close(emulator);
    turns(2);
    return 0;
}

// Brings the monitor into command mode, with id libvirt-1.
static int open_monitor(void **state)
{
    static struct job job;
    connect_monitor(state);
    memset(&job, 0, sizeof(job));
    job.opening = true;
    begin(&job, NULL);
    say(GREETING);
    turns(4);
    assert_heard("{\"execute\":\"qmp_capabilities\",\"id\":\"libvirt-1\"}");
    say("{\"return\": {}, \"id\": \"libvirt-1\"}\r\n");
    finish(&job);
    assert_false(error_is_set(&job.error));
    return 0;
}

// ---- claims

static void a_command_gets_its_answer(void **state)
{
    struct job job = {0};
    (void)state;
    begin(&job, "query-status");
    turns(2);
    assert_heard("{\"execute\":\"query-status\",\"id\":\"libvirt-2\"}\r\n");
    say("{\"return\": {\"running\": true}, \"id\": \"libvirt-2\"}\r\n");
    finish(&job);
    assert_string_equal(job.result, "{\"running\": true}");
    assert_false(error_is_set(&job.error));
}

static void arguments_are_sent_as_they_are(void **state)
{
    struct job job = {.arguments = SLICE("{\"value\":5}")};
    (void)state;
    begin(&job, "balloon");
    turns(2);
    assert_heard("{\"execute\":\"balloon\",\"arguments\":{\"value\":5},\"id\":\"libvirt-2\"}");
    say("{\"return\": {}, \"id\": \"libvirt-2\"}\n");
    finish(&job);
}

static void answers_may_come_byte_by_byte(void **state)
{
    struct job job = {0};
    const char *answer = "{\"return\": [1, 2], \"id\": \"libvirt-2\"}\r\n";
    (void)state;
    begin(&job, "query-cpus-fast");
    turns(2);
    for (const char *c = answer; *c; c++) {
        assert_false(job.done);
        assert_int_equal(port_write(emulator, c, 1), 1);
        turns(2);
    }
    finish(&job);
    assert_string_equal(job.result, "[1, 2]");
}

static void qemus_refusal_is_told_in_its_words(void **state)
{
    struct job job = {0};
    (void)state;
    begin(&job, "eject");
    turns(2);
    say("{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"Device 'x' not found\"},"
        " \"id\": \"libvirt-2\"}\r\n");
    finish(&job);
    assert_int_equal(job.error.code, VIR_ERR_INTERNAL_ERROR);
    assert_string_equal(job.error.message,
                        "internal error: unable to execute QEMU command 'eject': "
                        "Device 'x' not found");
    assert_string_equal(job.call.error_class, "DeviceNotFound");
    assert_int_equal(broken_count, 0);
}

static void commands_wait_for_their_turn(void **state)
{
    struct job first = {0}, second = {0};
    (void)state;
    begin(&first, "stop");
    begin(&second, "cont");
    turns(3);
    assert_string_equal(heard(), "{\"execute\":\"stop\",\"id\":\"libvirt-2\"}\r\n");
    say("{\"return\": {}, \"id\": \"libvirt-2\"}\r\n");
    finish(&first);
    turns(3);
    assert_string_equal(heard(), "{\"execute\":\"cont\",\"id\":\"libvirt-3\"}\r\n");
    say("{\"return\": {}, \"id\": \"libvirt-3\"}\r\n");
    finish(&second);
}

static void events_are_told_before_the_answer_behind_them(void **state)
{
    struct job job = {0};
    (void)state;
    begin(&job, "cont");
    turns(2);
    say("{\"event\": \"RESUME\"}\r\n{\"return\": {}, \"id\": \"libvirt-2\"}\r\n"
        "{\"event\": \"STOP\"}\r\n");
    loop_turn(0);
    assert_true(job.done);
    assert_string_equal(events, "RESUME ");
    turns(3);
    assert_string_equal(events, "RESUME STOP ");
}

static void an_answer_with_a_foreign_id_is_passed_over(void **state)
{
    struct job job = {0};
    (void)state;
    begin(&job, "stop");
    turns(2);
    say("{\"return\": 1, \"id\": \"libvirt-9\"}\r\n{\"return\": 2, \"id\": 7}\r\n");
    turns(3);
    assert_false(job.done);
    say("{\"return\": 3, \"id\": \"libvirt-2\"}\r\n");
    finish(&job);
    assert_string_equal(job.result, "3");
}

static void a_users_object_gets_an_id_and_the_whole_answer(void **state)
{
    struct job job = {.pass = "{\"execute\": \"query-kvm\", \"id\": \"mine\"}"};
    (void)state;
    begin(&job, NULL);
    turns(2);
    assert_heard("{\"execute\":\"query-kvm\",\"id\":\"libvirt-2\"}");
    say("{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, \"id\": \"libvirt-2\"}\r\n");
    finish(&job);
    assert_false(error_is_set(&job.error));
    assert_non_null(strstr(job.result, "GenericError"));
}

static void a_users_text_that_is_no_object_is_refused_and_nothing_is_sent(void **state)
{
    static const char *const texts[] = {"", "[]", "3", "{\"execute\":", "{} {}"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct job job = {.pass = texts[i]};
        begin(&job, NULL);
        finish(&job);
        assert_int_equal(job.error.code, VIR_ERR_INTERNAL_ERROR);
        assert_string_equal(heard(), "");
    }
}

// So many bytes of a string, while the loop reads them.
static void fill(size_t size)
{
    static char block[4096];
    memset(block, 'x', sizeof(block));
    while (size) {
        size_t part = size < sizeof(block) ? size : sizeof(block);
        ptrdiff_t sent = port_write(emulator, block, part);
        if (sent > 0)
            size -= (size_t)sent;
        loop_turn(0);
    }
}

static void say_much(size_t size, const char *end)
{
    say("{\"return\": \"");
    fill(size);
    say(end);
}

static void a_long_answer_grows_into_a_large_slot(void **state)
{
    struct job job = {0};
    size_t free_before = slot_large_free();
    (void)state;
    begin(&job, "query-qmp-schema");
    turns(2);
    say_much(100000, "\", \"id\": \"libvirt-2\"}\r\n");
    finish(&job);
    assert_false(error_is_set(&job.error));
    turns(2);
    assert_int_equal(slot_large_free(), free_before); // though the emulator says no more
}

static void a_megabyte_in_one_line_fails_its_command_only(void **state)
{
    struct job job = {0};
    size_t free_before = slot_large_free();
    (void)state;
    begin(&job, "query-everything");
    turns(2);
    say_much(1 << 20, "\", \"id\": \"libvirt-2\"}\r\n");
    finish(&job);
    assert_int_equal(job.error.code, VIR_ERR_INTERNAL_ERROR);
    assert_non_null(strstr(job.error.message, "QEMU monitor reply exceeds buffer size"));
    struct job next = {0};
    begin(&next, "stop");
    turns(3);
    say("{\"return\": {}, \"id\": \"libvirt-3\"}\r\n");
    finish(&next);
    assert_false(error_is_set(&next.error));
    assert_int_equal(slot_large_free(), free_before);
}

// What the limit does, without waiting for it.
static void let_the_lines_time_pass(void)
{
    struct timer *limit = &monitor.lines.limit;
    assert_true(timer_running(limit));
    timer_stop(limit);
    limit->fire(limit);
}

static void a_line_that_stays_half_gives_its_slot_back(void **state)
{
    struct job job = {0};
    size_t free_before = slot_large_free();
    (void)state;
    begin(&job, "query-everything");
    turns(2);
    say_much(100000, "");
    turns(2);
    assert_int_equal(slot_large_free(), free_before - 1);
    let_the_lines_time_pass();
    assert_int_equal(slot_large_free(), free_before);
    fill(100000); // the rest takes none
    say("\", \"id\": \"libvirt-2\"}\r\n");
    finish(&job);
    assert_non_null(strstr(job.error.message, "QEMU monitor reply exceeds"));
    assert_int_equal(slot_large_free(), free_before);
}

static void a_line_behind_a_long_one_has_its_own_time(void **state)
{
    struct job job = {0}, next = {0};
    (void)state;
    begin(&job, "query-qmp-schema");
    turns(2);
    say_much(100000, "\", \"id\": \"libvirt-2\"}\r\n{\"return\": \"");
    fill(4000);
    finish(&job);
    begin(&next, "query-status");
    turns(2);
    let_the_lines_time_pass();
    fill(4000);
    say("\", \"id\": \"libvirt-3\"}\r\n");
    finish(&next);
    assert_false(error_is_set(&next.error));
}

static void no_qmp_breaks_the_monitor_and_the_end_is_still_seen(void **state)
{
    static const char *const lines[] = {"hello\r\n",    "{\"return\": \r\n",
                                        "[1]\r\n",      "{\"a\": 1}\r\n",
                                        "\xff\xfe\r\n", "{\"return\": \"\xc3\"}\r\n"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct job waiting = {0}, later = {0};
        open_monitor(state);
        begin(&waiting, "stop");
        turns(2);
        say(lines[i]);
        finish(&waiting);
        assert_int_equal(waiting.error.code, VIR_ERR_INTERNAL_ERROR);
        assert_int_equal(broken_count, 1);
        begin(&later, "cont");
        finish(&later);
        assert_int_equal(later.error.code, VIR_ERR_INTERNAL_ERROR);
        assert_int_equal(ended_count, 0);
        say("more waste\r\n");
        turns(3);
        port_close(emulator);
        turns(3);
        assert_int_equal(ended_count, 1);
        emulator = -1;
        disconnect_monitor(state);
    }
}

static void the_end_of_the_emulator_fails_the_command_at_each_point(void **state)
{
    const char *answer = "{\"return\": {}, \"id\": \"libvirt-2\"}\r\n";
    for (size_t sent = 0; sent < strlen(answer); sent++) {
        struct job job = {0};
        open_monitor(state);
        begin(&job, "stop");
        turns(2);
        assert_int_equal(port_write(emulator, answer, sent), sent);
        port_close(emulator);
        emulator = -1;
        finish(&job);
        assert_int_equal(job.error.code, VIR_ERR_INTERNAL_ERROR);
        assert_int_equal(ended_count, 1);
        disconnect_monitor(state);
    }
}

static void an_answer_right_before_the_end_counts(void **state)
{
    struct job job = {0};
    (void)state;
    begin(&job, "quit");
    turns(2);
    say("{\"return\": {}, \"id\": \"libvirt-2\"}\r\n");
    port_close(emulator);
    emulator = -1;
    finish(&job);
    assert_false(error_is_set(&job.error));
    turns(3);
    assert_int_equal(ended_count, 1);
}

static void closing_fails_everybody_who_waits(void **state)
{
    struct job first = {0}, second = {0};
    (void)state;
    begin(&first, "stop");
    begin(&second, "cont");
    turns(2);
    monitor_close(&monitor);
    finish(&first);
    finish(&second);
    assert_int_equal(first.error.code, VIR_ERR_OPERATION_FAILED);
    assert_int_equal(second.error.code, VIR_ERR_OPERATION_FAILED);
    assert_int_equal(ended_count, 0);
}

static void a_greeting_that_is_none_is_refused(void **state)
{
    struct job job = {.opening = true};
    (void)state;
    begin(&job, NULL);
    say("{\"return\": {}}\r\n");
    finish(&job);
    assert_int_equal(job.error.code, VIR_ERR_INTERNAL_ERROR);
    assert_int_equal(broken_count, 1);
}

static void an_emulator_that_ends_before_its_greeting_is_an_error(void **state)
{
    struct job job = {.opening = true};
    (void)state;
    begin(&job, NULL);
    say("{\"QMP\": ");
    turns(2);
    port_close(emulator);
    emulator = -1;
    finish(&job);
    assert_int_equal(job.error.code, VIR_ERR_INTERNAL_ERROR);
    assert_int_equal(ended_count, 1);
}

#define OPENED(test)    cmocka_unit_test_setup_teardown(test, open_monitor, disconnect_monitor)
#define CONNECTED(test) cmocka_unit_test_setup_teardown(test, connect_monitor, disconnect_monitor)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPENED(a_command_gets_its_answer),
        OPENED(arguments_are_sent_as_they_are),
        OPENED(answers_may_come_byte_by_byte),
        OPENED(qemus_refusal_is_told_in_its_words),
        OPENED(commands_wait_for_their_turn),
        OPENED(events_are_told_before_the_answer_behind_them),
        OPENED(an_answer_with_a_foreign_id_is_passed_over),
        OPENED(a_users_object_gets_an_id_and_the_whole_answer),
        OPENED(a_users_text_that_is_no_object_is_refused_and_nothing_is_sent),
        OPENED(a_long_answer_grows_into_a_large_slot),
        OPENED(a_megabyte_in_one_line_fails_its_command_only),
        OPENED(a_line_that_stays_half_gives_its_slot_back),
        OPENED(a_line_behind_a_long_one_has_its_own_time),
        cmocka_unit_test(no_qmp_breaks_the_monitor_and_the_end_is_still_seen),
        cmocka_unit_test(the_end_of_the_emulator_fails_the_command_at_each_point),
        OPENED(an_answer_right_before_the_end_counts),
        OPENED(closing_fails_everybody_who_waits),
        CONNECTED(a_greeting_that_is_none_is_refused),
        CONNECTED(an_emulator_that_ends_before_its_greeting_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
