// The port's child processes, signals and waiting.
#define _GNU_SOURCE
#include "core/config.h"
#include "port/port.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define FOREVER (-1)

// Reads everything up to the end, waiting for it.
static size_t read_all(int fd, char *to, size_t size)
{
    size_t len = 0;
    for (;;) {
        ptrdiff_t got = port_read(fd, to + len, size - 1 - len);
        if (got == -EAGAIN) {
            struct port_poll poll = {fd, PORT_POLL_IN, 0};
            port_poll(&poll, 1, FOREVER);
            continue;
        }
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    to[len] = '\0';
    port_close(fd);
    return len;
}

static struct port_exit wait_for(int pid)
{
    struct port_exit how = {0};
    int ended;
    while ((ended = port_child_ended(pid, &how)) == 0)
        port_poll(NULL, 0, 1000000);
    assert_int_equal(ended, 1);
    assert_int_equal(port_child_ended(pid, &how), -ECHILD);
    return how;
}

// Runs a shell script with its output in a pipe.
static int run_shell(const char *script, struct port_spawn spawn, char *output, size_t size)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    int ends[2];
    assert_int_equal(port_pipe(ends), 0);
    spawn.argv = argv;
    spawn.in = -1;
    spawn.out = ends[1];
    spawn.err = -1;
    int pid = port_spawn(&spawn);
    assert_true(pid > 0);
    port_close(ends[1]);
    read_all(ends[0], output, size);
    return pid;
}

static const struct port_spawn PLAIN = {.mask = 022};

static void a_program_runs_and_its_exit_status_is_told(void **state)
{
    (void)state;
    char output[64];
    struct port_exit how = wait_for(run_shell("echo hello; exit 7", PLAIN, output, 64));
    assert_string_equal(output, "hello\n");
    assert_false(how.signalled);
    assert_int_equal(how.status, 7);
}

static void death_by_a_signal_is_told_apart(void **state)
{
    (void)state;
    char output[64];
    struct port_exit how = wait_for(run_shell("kill -KILL $$", PLAIN, output, 64));
    assert_true(how.signalled);
    assert_int_equal(how.status, SIGKILL);
}

static void a_program_that_can_not_be_executed_is_an_error_at_once(void **state)
{
    (void)state;
    const char *missing[] = {"/nonexistent/program", NULL}, *directory[] = {"/tmp", NULL};
    struct port_spawn spawn = {.argv = missing, .in = -1, .out = -1, .err = -1};
    assert_int_equal(port_spawn(&spawn), -ENOENT);
    spawn.argv = directory;
    assert_int_equal(port_spawn(&spawn), -EACCES);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); // no child is left behind
    const char *shell[] = {"/bin/sh", "-c", ":", NULL};
    spawn.argv = shell;
    spawn.directory = "/nonexistent";
    assert_int_equal(port_spawn(&spawn), -ENOENT);
}

struct noted {
    int pid;
    bool wanted;
};

static bool note(void *argument, int pid)
{
    struct noted *noted = argument;
    noted->pid = pid;
    return noted->wanted;
}

static void a_program_is_not_executed_before_its_process_is_noted(void **state)
{
    (void)state;
    struct noted noted = {.wanted = true};
    char output[64];
    struct port_spawn spawn = PLAIN;
    spawn.note = note;
    spawn.argument = &noted;
    int pid = run_shell("echo here", spawn, output, sizeof(output));
    assert_int_equal(noted.pid, pid);
    assert_string_equal(output, "here\n");
    wait_for(pid);
    noted.wanted = false;
    const char *argv[] = {"/bin/sh", "-c", "echo not here", NULL};
    spawn = (struct port_spawn){
        .argv = argv, .in = -1, .out = -1, .err = -1, .note = note, .argument = &noted};
    assert_int_equal(port_spawn(&spawn), -ECANCELED);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

// The worker dies between the birth of a process and its noting.
static bool die(void *argument, int pid)
{
    (void)argument, (void)pid;
    _exit(0);
}

static int die_while_noting(void *argument, int out)
{
    const char *argv[] = {"/usr/bin/touch", argument, NULL};
    (void)out;
    struct port_spawn spawn = {.argv = argv, .in = -1, .out = -1, .err = -1, .note = die};
    return port_spawn(&spawn);
}

static void a_program_is_not_executed_when_its_parent_dies_first(void **state)
{
    (void)state;
    char path[64], byte;
    int out;
    snprintf(path, sizeof(path), "/tmp/nanovirt-orphan-%d", port_pid());
    int pid = port_worker(die_while_noting, path, NULL, 0, &out);
    assert_true(pid > 0);
    assert_int_equal(wait_for(pid).status, 0);
    // The process is there as long as it holds its parent's output open.
    port_make_blocking(out, true);
    assert_int_equal(port_read(out, &byte, 1), 0);
    assert_int_equal(access(path, F_OK), -1);
    port_close(out);
}

static void a_program_gets_only_the_descriptors_it_is_given(void **state)
{
    (void)state;
    char output[256], script[128];
    // Neither close-on-exec nor known to port_spawn(): somebody's leak.
    int leak = open("/dev/null", O_RDONLY), kept = port_open("/dev/null", PORT_OPEN_READ, 0);
    struct port_spawn spawn = PLAIN;
    spawn.keep = &kept;
    spawn.keep_count = 1;
    snprintf(script, sizeof(script),
             "for f in %d %d; do [ -e /proc/self/fd/$f ] && echo $f; done; readlink "
             "/proc/self/fd/0 /proc/self/fd/2",
             leak, kept);
    wait_for(run_shell(script, spawn, output, sizeof(output)));
    char expected[64];
    snprintf(expected, sizeof(expected), "%d\n/dev/null\n/dev/null\n", kept);
    assert_string_equal(output, expected);
    close(leak);
    port_close(kept);
}

static void a_program_starts_with_a_clean_slate(void **state)
{
    (void)state;
    char output[256];
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    signal(SIGPIPE, SIG_IGN);
    struct port_spawn spawn = PLAIN;
    spawn.mask = 027;
    spawn.session = true;
    setenv("SECRET", "value", 1);
    // Signals 1 to 28: the C library keeps 32 and 33 to itself.
    wait_for(
        run_shell("umask; pwd; echo $LC_ALL-$SECRET; ulimit -c; "
                  "grep -E 'Sig(Blk|Ign)' /proc/self/status | sed 's/:.*\\(.......\\)$/ \\1/'; "
                  "set -- $(cat /proc/self/stat); echo $(( $6 == $$ ))",
                  spawn, output, sizeof(output)));
    assert_string_equal(output, "0027\n/\nC-\n0\nSigBlk 0000000\n"
                                "SigIgn 0000000\n1\n");
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void a_program_has_the_limits_that_it_is_given(void **state)
{
    (void)state;
    char output[64];
    struct port_spawn spawn = PLAIN;
    spawn.limit_files = 77;
    spawn.limit_processes = 888;
    wait_for(run_shell("ulimit -n; grep processes /proc/self/limits | tr -s ' ' | cut -d' ' -f 3-4",
                       spawn, output, sizeof(output)));
    assert_string_equal(output, "77\n888 888\n");
}

static void a_program_takes_on_another_identity_with_its_groups(void **state)
{
    (void)state;
    char output[128];
    if (port_uid() != 0)
        skip();
    struct port_spawn spawn = PLAIN;
    spawn.identity = true;
    spawn.uid = spawn.gid = 65534;
    wait_for(run_shell("id -u; id -g; id -G", spawn, output, sizeof(output)));
    assert_string_equal(output, "65534\n65534\n65534\n");
}

// Debian's libvirt-qemu is of kvm by /etc/passwd alone, and qemu.conf names another group.
static void a_program_in_another_group_is_in_its_users_own_too(void **state)
{
    (void)state;
    char output[128];
    const struct passwd *user = getpwnam("man");
    if (port_uid() != 0 || !user || user->pw_gid == 65534)
        skip();
    char expected[32];
    snprintf(expected, sizeof(expected), "65534 %u\n", (unsigned)user->pw_gid);
    struct port_spawn spawn = PLAIN;
    spawn.identity = true;
    spawn.uid = user->pw_uid;
    spawn.gid = 65534;
    wait_for(run_shell("id -G", spawn, output, sizeof(output)));
    assert_string_equal(output, expected);
}

static int say_and_return(void *argument, int out)
{
    const char *text = argument;
    bool whole = write(out, text, strlen(text)) == (ssize_t)strlen(text);
    return whole && fcntl(200, F_GETFD) < 0 && fcntl(201, F_GETFD) >= 0 ? 42 : 1;
}

static void a_worker_hands_back_output_and_a_result(void **state)
{
    (void)state;
    static char text[100000], output[sizeof(text) + 1]; // more than a pipe holds
    memset(text, 'x', sizeof(text) - 1);
    assert_int_equal(dup2(0, 200), 200);
    assert_int_equal(dup2(0, 201), 201);
    int kept = 201, fd;
    int pid = port_worker(say_and_return, text, &kept, 1, &fd);
    assert_true(pid > 0);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    assert_int_equal(read_all(fd, output, sizeof(output)), sizeof(text) - 1);
    assert_string_equal(output, text);
    struct port_exit how = wait_for(pid);
    assert_false(how.signalled);
    assert_int_equal(how.status, 42);
    close(200);
    close(201);
}

static int sync_root(void *argument, int out)
{
    (void)argument;
    (void)out;
    return port_sync_directory("/") == 0 ? 0 : 1;
}

static void a_worker_started_in_the_loop_may_block(void **state)
{
    (void)state;
    int fd;
    port_loop_guard(true);
    int pid = port_worker(sync_root, NULL, NULL, 0, &fd);
    port_loop_guard(false);
    assert_true(pid > 0);
    port_close(fd);
    assert_int_equal(wait_for(pid).status, 0);
}

static void a_zombie_counts_as_dead(void **state)
{
    (void)state;
    uint64_t start, later;
    const char *argv[] = {"/bin/cat", NULL};
    int ends[2];
    assert_int_equal(port_pipe(ends), 0);
    struct port_spawn spawn = {.argv = argv, .in = ends[0], .out = -1, .err = -1};
    fcntl(ends[0], F_SETFL, 0);
    int pid = port_spawn(&spawn);
    assert_true(pid > 0);
    port_close(ends[0]);
    assert_int_equal(port_process_start(pid, &start), 0);
    assert_true(start > 0);
    assert_true(port_process_alive(pid, start));
    assert_true(port_process_alive(pid, 0));
    assert_false(port_process_alive(pid, start + 1)); // somebody else with this pid
    port_close(ends[1]);                              // cat ends, nobody reaps it
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(port_process_start(pid, &later), 0);
    assert_int_equal(later, start);
    assert_false(port_process_alive(pid, start));
    wait_for(pid);
    assert_false(port_process_alive(pid, 0));
    assert_int_equal(port_process_start(pid, &start), -ESRCH);
}

static void nobody_is_killed_by_a_pid_that_is_none(void **state)
{
    (void)state;
    assert_int_equal(port_kill(0, PORT_KILL_KILL), -ESRCH);
    assert_int_equal(port_kill(-1, PORT_KILL_KILL), -ESRCH);
    assert_int_equal(port_kill_group(1, PORT_KILL_KILL), -ESRCH);
    assert_int_equal(port_kill_group(0, PORT_KILL_KILL), -ESRCH);
}

static void a_whole_session_is_ended_by_its_group(void **state)
{
    (void)state;
    const char *argv[] = {"/bin/sh", "-c", "sleep 1000 & wait", NULL};
    struct port_spawn spawn = {.argv = argv, .in = -1, .out = -1, .err = -1, .session = true};
    int pid = port_spawn(&spawn);
    assert_true(pid > 0);
    assert_int_equal(port_kill_group(pid, PORT_KILL_TERM), 0);
    struct port_exit how = wait_for(pid);
    assert_true(how.signalled);
    assert_int_equal(how.status, SIGTERM);
}

static void usage_and_affinity_of_this_process_are_plausible(void **state)
{
    (void)state;
    struct port_usage usage;
    assert_int_equal(port_process_usage(port_pid(), &usage), 0);
    assert_true(usage.resident > 4096);
    assert_true(usage.minor_faults > 0);
    assert_true(usage.last_cpu >= 0);
    assert_int_equal(port_thread_usage(port_pid(), port_pid(), &usage), 0);
    assert_int_equal(port_process_usage(0x3fffffff, &usage), -ESRCH);
    uint8_t map[128], again[128];
    assert_int_equal(port_affinity_get(port_pid(), map, sizeof(map)), 0);
    int cpus = 0;
    for (size_t i = 0; i < 8 * sizeof(map); i++)
        cpus += map[i / 8] >> i % 8 & 1;
    assert_int_equal(cpus, sysconf(_SC_NPROCESSORS_ONLN));
    assert_int_equal(port_affinity_set(0, map, sizeof(map)), 0);
    assert_int_equal(port_affinity_get(0, again, sizeof(again)), 0);
    assert_memory_equal(map, again, sizeof(map));
    memset(again, 0, sizeof(again));
    assert_int_equal(port_affinity_set(0, again, sizeof(again)), -EINVAL);
}

static void signals_become_readable_and_none_is_lost(void **state)
{
    (void)state;
    int fd = port_signals_open();
    assert_true(fd >= 0);
    assert_int_equal(port_signals_take(fd), PORT_SIGNAL_NONE);
    raise(SIGHUP);
    raise(SIGUSR1);
    raise(SIGHUP);
    raise(SIGINT);
    unsigned seen = 0;
    struct port_poll poll = {fd, PORT_POLL_IN, 0};
    while (port_poll(&poll, 1, 0) == 1) { // one a turn, and still none stays behind
        enum port_signal signal = port_signals_take(fd);
        seen |= signal == PORT_SIGNAL_NONE ? 0 : 1U << signal;
    }
    assert_int_equal(seen, 1U << PORT_SIGNAL_RELOAD | 1U << PORT_SIGNAL_USER |
                               1U << PORT_SIGNAL_TERMINATE);
    for (int i = 0; i < 100000; i++) // far more than the pipe holds
        raise(SIGUSR1);
    assert_int_equal(port_signals_take(fd), PORT_SIGNAL_USER);
    const char *argv[] = {"/bin/true", NULL};
    struct port_spawn spawn = {.argv = argv, .in = -1, .out = -1, .err = -1};
    int pid = port_spawn(&spawn);
    assert_true(pid > 0);
    while (port_signals_take(fd) != PORT_SIGNAL_CHILD)
        port_poll(&poll, 1, FOREVER);
    wait_for(pid);
    raise(SIGPIPE); // ignored
}

static void waiting_ends_when_a_descriptor_is_ready_or_the_time_is_up(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(port_pipe(ends), 0);
    struct port_poll polls[2] = {{-1, PORT_POLL_IN, 0}, {ends[0], PORT_POLL_IN, 0}};
    assert_int_equal(port_poll(polls, 2, 0), 0);
    assert_int_equal(port_poll(polls, 2, 1000), 0);
    assert_int_equal(port_write(ends[1], "x", 1), 1);
    assert_int_equal(port_poll(polls, 2, FOREVER), 1);
    assert_int_equal(polls[1].revents, PORT_POLL_IN);
    port_close(ends[1]);
    assert_int_equal(port_poll(polls, 2, FOREVER), 1);
    assert_int_equal(polls[1].revents, PORT_POLL_IN | PORT_POLL_HUP);
    port_close(ends[0]);
}

// Daemonizes in a child; the grandchild tells its session over the pipe.
static int daemonize(int ready_status, pid_t *told)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        if (port_daemonize() < 0)
            _exit(99);
        pid_t facts[2] = {getpid(), getsid(0)};
        if (write(ends[1], facts, sizeof(facts)) != (ssize_t)sizeof(facts))
            _exit(98);
        if (ready_status >= 0)
            port_daemon_ready(ready_status);
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], told, 2 * sizeof(*told)), 2 * sizeof(*told));
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_daemon_leaves_its_session_and_its_parent_tells_how_it_went(void **state)
{
    (void)state;
    pid_t told[2];
    assert_int_equal(daemonize(0, told), 0);
    assert_int_not_equal(told[1], getsid(0));
    assert_int_not_equal(told[1], told[0]); // not the leader: it can not get a terminal
    assert_int_equal(daemonize(5, told), 5);
    assert_int_equal(daemonize(-1, told), 1); // it died before it was ready
}

static int abort_in_the_loop(void *argument, int out)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    (void)argument;
    (void)out;
    close(2);
    port_loop_guard(true);
    port_sync_directory("/");
    return 0;
}

static void blocking_in_the_loop_ends_a_checked_build(void **state)
{
    (void)state;
    int fd;
    int pid = port_worker(abort_in_the_loop, NULL, NULL, 0, &fd);
    port_close(fd);
    struct port_exit how = wait_for(pid);
#ifdef CONFIG_DEBUG_CHECKS
    assert_true(how.signalled);
    assert_int_equal(how.status, SIGABRT);
#else
    assert_false(how.signalled);
#endif
}

// Bit n of the result: the n-th claim does not hold.
static int try_what_is_refused(void *argument, int out)
{
    (void)argument;
    (void)out;
    unsigned done = port_confine();
    int wrong = 0;
    if ((done & PORT_CONFINE_CALLS) && (unshare(CLONE_NEWUSER) == 0 || errno != EPERM))
        wrong |= 1;
    if ((done & PORT_CONFINE_CALLS) &&
        (mount("none", "/mnt", "tmpfs", 0, NULL) == 0 || errno != EPERM))
        wrong |= 2;
    if (!(done & PORT_CONFINE_PRIVILEGES) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        wrong |= 4;
    char output[64];
    const struct port_spawn plain = {.out = -1};
    if (run_shell("echo still here", plain, output, sizeof(output)) <= 0 ||
        strcmp(output, "still here\n") != 0)
        wrong |= 8;
    return wrong;
}

static void a_confined_process_works_on_but_can_not_touch_the_system(void **state)
{
    (void)state;
    int fd;
    int pid = port_worker(try_what_is_refused, NULL, NULL, 0, &fd);
    port_close(fd);
    assert_int_equal(wait_for(pid).status, 0);
}

static void local_time_is_that_of_the_zone_and_the_season(void **state)
{
    (void)state;
    setenv("TZ", "XST-1XDT,M3.5.0,M10.5.0", 1);
    assert_int_equal(port_utc_offset(1736942400), 3600); // 2025-01-15
    assert_int_equal(port_utc_offset(1752580800), 7200); // 2025-07-15
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_runs_and_its_exit_status_is_told),
        cmocka_unit_test(death_by_a_signal_is_told_apart),
        cmocka_unit_test(a_program_that_can_not_be_executed_is_an_error_at_once),
        cmocka_unit_test(a_program_is_not_executed_before_its_process_is_noted),
        cmocka_unit_test(a_program_is_not_executed_when_its_parent_dies_first),
        cmocka_unit_test(a_program_gets_only_the_descriptors_it_is_given),
        cmocka_unit_test(a_program_starts_with_a_clean_slate),
        cmocka_unit_test(a_program_has_the_limits_that_it_is_given),
        cmocka_unit_test(a_program_takes_on_another_identity_with_its_groups),
        cmocka_unit_test(a_program_in_another_group_is_in_its_users_own_too),
        cmocka_unit_test(a_worker_hands_back_output_and_a_result),
        cmocka_unit_test(a_worker_started_in_the_loop_may_block),
        cmocka_unit_test(a_zombie_counts_as_dead),
        cmocka_unit_test(nobody_is_killed_by_a_pid_that_is_none),
        cmocka_unit_test(a_whole_session_is_ended_by_its_group),
        cmocka_unit_test(usage_and_affinity_of_this_process_are_plausible),
        cmocka_unit_test(signals_become_readable_and_none_is_lost),
        cmocka_unit_test(waiting_ends_when_a_descriptor_is_ready_or_the_time_is_up),
        cmocka_unit_test(a_daemon_leaves_its_session_and_its_parent_tells_how_it_went),
        cmocka_unit_test(blocking_in_the_loop_ends_a_checked_build),
        cmocka_unit_test(a_confined_process_works_on_but_can_not_touch_the_system),
        cmocka_unit_test(local_time_is_that_of_the_zone_and_the_season),
    };
    return cmocka_run_group_tests_name("port_process", tests, NULL, NULL);
}
