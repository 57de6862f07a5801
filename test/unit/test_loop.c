// The loop: who gets a turn while there is more to do than fits into one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/loop.h"

static unsigned watch_runs, task_runs, background_runs;

static void spend_turn(void)
{
    while (!loop_turn_is_long())
        ;
}

// ---- a descriptor that is always ready, and tasks that always want to go on

static struct watch watch;
static int ends[2];

static void watch_ready(struct watch *which, short events)
{
    (void)which;
    (void)events;
    watch_runs++;
    spend_turn();
}

static void run_task(struct task *task)
{
    task_runs++;
    spend_turn();
    task_wake(task);
}

static void run_background_task(struct task *task)
{
    background_runs++;
    spend_turn();
    task_wake_background(task);
}

static struct task task = {.run = run_task};
static struct task background[2] = {{.run = run_background_task}, {.run = run_background_task}};

static int set_up(void **state)
{
    (void)state;
    struct error err = {0};
    watch_runs = task_runs = background_runs = 0;
    assert_int_equal(port_socket_pair(ends), 0);
    assert_int_equal(port_write(ends[0], "x", 1), 1);
    assert_true(loop_watch(&watch, ends[1], 0, watch_ready, &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    loop_unwatch(&watch);
    port_close(ends[0]);
    port_close(ends[1]);
    task_forget(&task);
    task_forget(&background[0]);
    task_forget(&background[1]);
    return 0;
}

static void turns(int count)
{
    for (int i = 0; i < count; i++)
        loop_turn(0);
}

// ---- claims

static void tasks_and_descriptors_that_fill_their_turns_take_turns(void **state)
{
    (void)state;
    loop_watch_for(&watch, PORT_POLL_IN);
    task_wake(&task);
    turns(20);
    assert_in_range(watch_runs, 8, 12);
    assert_in_range(task_runs, 8, 12);
}

static void the_background_gets_a_share_of_a_busy_loop_and_no_more(void **state)
{
    (void)state;
    loop_watch_for(&watch, PORT_POLL_IN);
    task_wake_background(&background[0]);
    turns(40);
    assert_in_range(background_runs, 1, watch_runs + 1);
}

static void the_background_has_an_idle_loop_to_itself(void **state)
{
    (void)state;
    task_wake_background(&background[0]);
    turns(5);
    assert_int_equal(background_runs, 5);
}

static void who_waits_in_the_background_takes_turns(void **state)
{
    (void)state;
    task_wake_background(&background[0]);
    task_wake_background(&background[1]);
    turns(1);
    assert_int_equal(background_runs, 1);
    assert_true(background[0].ready && background[1].ready);
    task_forget(&background[1]);
    turns(1);
    assert_int_equal(background_runs, 2);
    task_forget(&background[0]);
    turns(1);
    assert_int_equal(background_runs, 2);
}

#define CLAIM(claim) cmocka_unit_test_setup_teardown(claim, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(tasks_and_descriptors_that_fill_their_turns_take_turns),
        CLAIM(the_background_gets_a_share_of_a_busy_loop_and_no_more),
        CLAIM(the_background_has_an_idle_loop_to_itself),
        CLAIM(who_waits_in_the_background_takes_turns),
    };
    return cmocka_run_group_tests(claims, NULL, NULL);
}
