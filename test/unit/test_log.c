// The log: levels, filters, outputs, and what a message looks like.
#define _GNU_SOURCE
#include "core/config.h"
#include "core/log.h"
#include "core/log_limit.h"
#include "port/port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64], path[128], text[65536];

static int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/nanovirt-log-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s/%d.log", directory, i);
        unlink(path);
    }
    return rmdir(directory);
}

static int reset(void **state)
{
    (void)state;
    struct error err = {0};
    log_set_level(LOG_LEVEL_WARNING);
    return log_set_filters(SLICE(""), &err) && log_set_outputs(SLICE("1:stderr"), &err) ? 0 : -1;
}

static const char *log_path(int number)
{
    snprintf(path, sizeof(path), "%s/%d.log", directory, number);
    return path;
}

static void log_to_file(int number, int level)
{
    struct error err = {0};
    char outputs[256];
    unlink(log_path(number));
    snprintf(outputs, sizeof(outputs), "%d:file:%s", level, path);
    assert_true(log_set_outputs(slice_of(outputs), &err));
}

static const char *logged(int number)
{
    ptrdiff_t length = port_file_read(log_path(number), text, sizeof(text));
    assert_true(length >= 0);
    return text;
}

static void assert_logged(const char *part)
{
    if (!strstr(logged(0), part))
        fail_msg("'%s' is not in '%s'", part, text);
}

static void assert_not_logged(const char *part)
{
    if (strstr(logged(0), part))
        fail_msg("'%s' is in '%s'", part, text);
}

static void a_line_has_time_process_level_module_and_message(void **state)
{
    (void)state;
    log_to_file(0, 1);
    log_error("qemu", "guest %s has gone, status %d", "demo", 7);
    unsigned year, month, day, hour, minute, second, milli, pid;
    int end = 0;
    assert_int_equal(sscanf(logged(0), "%4u-%2u-%2u %2u:%2u:%2u.%3u+0000: %u: error : qemu : %n",
                            &year, &month, &day, &hour, &minute, &second, &milli, &pid, &end),
                     8);
    assert_int_equal(pid, getpid());
    assert_true(year > 2020 && month <= 12 && day <= 31);
    assert_string_equal(text + end, "guest demo has gone, status 7\n");
}

static void messages_below_the_level_are_not_logged(void **state)
{
    (void)state;
    log_to_file(0, 1);
    log_info("a", "info one");
    log_warning("a", "warning one");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("a", "debug two");
    log_set_level(LOG_LEVEL_ERROR);
    log_warning("a", "warning three");
    assert_not_logged("info one");
    assert_logged(": warning : a : warning one\n");
    assert_logged(": debug : a : debug two\n");
    assert_not_logged("three");
}

static int evaluated;

static const char *evaluate(void)
{
    evaluated++;
    return "x";
}

static void the_arguments_of_an_unwanted_message_are_not_evaluated(void **state)
{
    (void)state;
    log_to_file(0, 1);
    evaluated = 0;
    log_debug("a", "%s", evaluate());
    assert_int_equal(evaluated, 0);
    log_error("a", "%s", evaluate());
    assert_int_equal(evaluated, 1);
}

static void the_first_filter_that_matches_sets_the_level(void **state)
{
    (void)state;
    struct error err = {0};
    log_to_file(0, 1);
    assert_true(log_set_filters(SLICE(" 1:qemu.mon  4:qemu 2:r?c 1:+util"), &err));
    assert_true(log_wanted(LOG_LEVEL_DEBUG, "qemu.monitor"));
    assert_false(log_wanted(LOG_LEVEL_WARNING, "qemu.process"));
    assert_true(log_wanted(LOG_LEVEL_ERROR, "qemu"));
    assert_true(log_wanted(LOG_LEVEL_INFO, "net.rpc"));
    assert_false(log_wanted(LOG_LEVEL_DEBUG, "net.rpc"));
    assert_true(log_wanted(LOG_LEVEL_DEBUG, "util"));
    assert_false(log_wanted(LOG_LEVEL_INFO, "other"));
    char shown[128];
    struct buffer out = buffer_over(shown, sizeof(shown));
    log_put_filters(&out);
    assert_string_equal(shown, "1:*qemu.mon* 4:*qemu* 2:*r?c* 1:*util*");
}

static void wildcards_match_as_globs_do(void **state)
{
    (void)state;
    struct error err = {0};
    log_to_file(0, 1);
    assert_true(log_set_filters(SLICE("1:a*b?d"), &err));
    assert_true(log_wanted(LOG_LEVEL_DEBUG, "xaab-b1dx"));
    assert_true(log_wanted(LOG_LEVEL_DEBUG, "abxbxd"));
    assert_false(log_wanted(LOG_LEVEL_DEBUG, "abd"));
    assert_false(log_wanted(LOG_LEVEL_DEBUG, ""));
}

static void refuse(bool (*set)(struct slice, struct error *), const char *what, const char *message)
{
    struct error err = {0};
    assert_false(set(slice_of(what), &err));
    assert_int_equal(err.code, VIR_ERR_INVALID_ARG);
    assert_string_equal(err.message, message);
}

static void bad_filters_are_refused_and_the_old_ones_stay(void **state)
{
    (void)state;
    struct error err = {0};
    assert_true(log_set_filters(SLICE("1:keep"), &err));
    refuse(log_set_filters, "qemu", "invalid argument: Malformed format for filter 'qemu'");
    refuse(log_set_filters, "1:a 5:qemu",
           "invalid argument: Invalid priority '5' for filter '5:qemu'");
    refuse(log_set_filters, "0:qemu", "invalid argument: Invalid priority '0' for filter '0:qemu'");
    refuse(log_set_filters, "1:+", "invalid argument: Invalid match string '+'");
    refuse(log_set_filters, "1:", "invalid argument: Invalid match string ''");
    char many[8 * (CONFIG_LOG_FILTERS + 1) + 1] = "";
    for (int i = 0; i <= CONFIG_LOG_FILTERS; i++)
        strcat(many, " 1:qemu");
    assert_false(log_set_filters(slice_of(many), &err));
    assert_non_null(strstr(err.message, "CONFIG_LOG_FILTERS"));
    assert_true(log_wanted(LOG_LEVEL_DEBUG, "keep"));
}

static void each_output_has_its_own_level(void **state)
{
    (void)state;
    struct error err = {0};
    char outputs[512], shown[512];
    unlink(log_path(0));
    unlink(log_path(1));
    snprintf(outputs, sizeof(outputs), "1:file:%s/0.log  4:file:%s/1.log", directory, directory);
    assert_true(log_set_outputs(slice_of(outputs), &err));
    log_warning("a", "only one");
    log_error("a", "both");
    assert_non_null(strstr(logged(0), "only one"));
    assert_non_null(strstr(logged(0), "both"));
    assert_null(strstr(logged(1), "only one"));
    assert_non_null(strstr(logged(1), "both"));
    struct buffer out = buffer_over(shown, sizeof(shown));
    log_put_outputs(&out);
    snprintf(outputs, sizeof(outputs), "1:file:%s/0.log 4:file:%s/1.log", directory, directory);
    assert_string_equal(shown, outputs);
    assert_false(log_wanted(LOG_LEVEL_INFO, "a"));
}

static void a_message_that_no_output_takes_is_not_wanted(void **state)
{
    (void)state;
    log_to_file(0, 4);
    log_set_level(LOG_LEVEL_DEBUG);
    assert_false(log_wanted(LOG_LEVEL_WARNING, "a"));
    assert_true(log_wanted(LOG_LEVEL_ERROR, "a"));
}

static void of_two_outputs_to_one_place_the_later_counts(void **state)
{
    (void)state;
    struct error err = {0};
    char shown[128];
    assert_true(log_set_outputs(SLICE("1:stderr 4:stderr"), &err));
    struct buffer out = buffer_over(shown, sizeof(shown));
    log_put_outputs(&out);
    assert_string_equal(shown, "4:stderr");
    assert_true(log_set_outputs(SLICE("1:syslog:a 4:stderr 3:syslog:b"), &err));
    out = buffer_over(shown, sizeof(shown));
    log_put_outputs(&out);
    assert_string_equal(shown, "4:stderr 3:syslog:b");
}

static void bad_outputs_are_refused_and_the_old_ones_stay(void **state)
{
    (void)state;
    struct error err = {0};
    log_to_file(0, 1);
    refuse(log_set_outputs, "stderr", "invalid argument: Malformed format for log output 'stderr'");
    refuse(log_set_outputs, "7:stderr",
           "invalid argument: Invalid log priority '7' for log output '7:stderr'");
    refuse(log_set_outputs, "1:tape",
           "invalid argument: Invalid log destination 'tape' for log output '1:tape'");
    static const char *const malformed[] = {"1:file",   "1:file:",      "1:stderr:x",
                                            "1:syslog", "1:journald:x", "1:file:/a:b"};
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        error_clear(&err);
        assert_false(log_set_outputs(slice_of(malformed[i]), &err));
        assert_non_null(strstr(err.message, "does not meet the format requirements"));
    }
    error_clear(&err);
    assert_false(log_set_outputs(SLICE("1:stderr 1:file:/nonexistent/x/y.log"), &err));
    assert_int_equal(err.code, VIR_ERR_SYSTEM_ERROR);
    assert_string_equal(err.message,
                        "failed to open /nonexistent/x/y.log: No such file or directory");
    log_error("a", "still here");
    assert_logged("still here");
}

static void checking_opens_nothing_and_changes_nothing(void **state)
{
    (void)state;
    struct error err = {0};
    char outputs[256];
    log_to_file(0, 1);
    unlink(log_path(1));
    snprintf(outputs, sizeof(outputs), "1:file:%s", path);
    assert_true(log_check_outputs(slice_of(outputs), &err));
    assert_int_equal(access(log_path(1), F_OK), -1);
    assert_true(log_check_filters(SLICE("1:a"), &err));
    assert_false(log_wanted(LOG_LEVEL_DEBUG, "a"));
    log_error("a", "to the first file");
    assert_logged("to the first file");
}

static void a_message_can_not_look_like_two(void **state)
{
    (void)state;
    log_to_file(0, 1);
    log_error("a", "one\n2026-01-01 00:00:00.000+0000: 1: error : b : forged\x1B[2J\x7F\ttab\n");
    assert_logged("one\n    2026-01-01 00:00:00.000+0000: 1: error : b : forged?[2J?\ttab\n");
}

static void a_long_message_is_cut(void **state)
{
    (void)state;
    log_to_file(0, 1);
    log_error("a", "%*s", 10000, "end");
    size_t length = strlen(logged(0));
    assert_true(length > LOG_MESSAGE_MAX / 2 && length < LOG_MESSAGE_MAX + 200);
    assert_int_equal(text[length - 1], '\n');
}

static void no_outputs_means_the_default_ones(void **state)
{
    (void)state;
    struct error err = {0};
    char shown[256], expected[256];
    log_set_level(LOG_LEVEL_INFO);
    assert_true(log_set_default_output(false, "unused", &err));
    log_to_file(0, 1);
    assert_true(log_set_outputs(SLICE(" "), &err));
    struct buffer out = buffer_over(shown, sizeof(shown));
    log_put_outputs(&out);
    assert_string_equal(shown, "2:stderr");
    if (access("/run/systemd/journal/socket", F_OK) == 0)
        return;
    assert_true(log_set_default_output(true, log_path(2), &err));
    out = buffer_over(shown, sizeof(shown));
    log_put_outputs(&out);
    snprintf(expected, sizeof(expected), "2:file:%s", log_path(2));
    assert_string_equal(shown, expected);
    assert_true(log_set_default_output(false, "unused", &err));
}

// With standard error a pipe that is full, a blocking write would never return.
static void a_reader_who_does_not_read_is_not_waited_for_and_is_told_later(void **state)
{
    (void)state;
    int ends[2], saved = dup(STDERR_FILENO);
    struct error err = {0};
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    bool set = log_set_outputs(SLICE("1:stderr"), &err);
    for (int i = 0; i < 2000; i++)
        log_error("a", "message %d %*s", i, 100, "x");
    ssize_t length, total = 0;
    char last[65536] = "";
    struct port_poll ready = {.fd = ends[0], .events = PORT_POLL_IN};
    while (port_poll(&ready, 1, 0) == 1 && (length = read(ends[0], text, sizeof(text))) > 0)
        total += length;
    log_error("a", "the reader is back");
    length = read(ends[0], last, sizeof(last) - 1);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[0]);
    close(ends[1]);
    assert_true(set);
    assert_true(total > 0 && length > 0);
    last[length] = '\0';
    assert_non_null(strstr(last, "messages were lost\n"));
    assert_non_null(strstr(last, "the reader is back\n"));
}

static void a_storm_of_messages_is_told_by_its_first_and_its_number(void **state)
{
    (void)state;
    struct log_limit limit = {.module = "a", .what = "more drops of rain"};
    log_to_file(0, 3);
    unsigned told = 0;
    for (int i = 0; i < 1000; i++)
        told += log_limit_allows(&limit);
    assert_in_range(told, 1, 100);
    assert_true(timer_running(&limit.timer));
    timer_stop(&limit.timer); // the time is over
    limit.timer.fire(&limit.timer);
    char rest[64];
    snprintf(rest, sizeof(rest), "%u more drops of rain", 1000 - told);
    assert_logged(rest);
    assert_true(log_limit_allows(&limit));
    timer_stop(&limit.timer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_has_time_process_level_module_and_message, reset),
        cmocka_unit_test_setup(messages_below_the_level_are_not_logged, reset),
        cmocka_unit_test_setup(the_arguments_of_an_unwanted_message_are_not_evaluated, reset),
        cmocka_unit_test_setup(the_first_filter_that_matches_sets_the_level, reset),
        cmocka_unit_test_setup(wildcards_match_as_globs_do, reset),
        cmocka_unit_test_setup(bad_filters_are_refused_and_the_old_ones_stay, reset),
        cmocka_unit_test_setup(each_output_has_its_own_level, reset),
        cmocka_unit_test_setup(a_message_that_no_output_takes_is_not_wanted, reset),
        cmocka_unit_test_setup(of_two_outputs_to_one_place_the_later_counts, reset),
        cmocka_unit_test_setup(bad_outputs_are_refused_and_the_old_ones_stay, reset),
        cmocka_unit_test_setup(checking_opens_nothing_and_changes_nothing, reset),
        cmocka_unit_test_setup(a_message_can_not_look_like_two, reset),
        cmocka_unit_test_setup(a_long_message_is_cut, reset),
        cmocka_unit_test_setup(no_outputs_means_the_default_ones, reset),
        cmocka_unit_test_setup(a_reader_who_does_not_read_is_not_waited_for_and_is_told_later,
                               reset),
        cmocka_unit_test_setup(a_storm_of_messages_is_told_by_its_first_and_its_number, reset),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
