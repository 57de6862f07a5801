// Linux: starting programs.
#include "port/linux/linux.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUPS_MAX 64 // supplementary groups of a user; further ones are left out

int port_fork(void)
{
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid != 0) {
        int result = port_result(pid);
        sigprocmask(SIG_SETMASK, &before, NULL);
        return result;
    }
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    return 0;
}

// ---- in the child -------------------------------------------------------------------------------

static int open_or_null(int fd, int flags)
{
    return fd >= 0 ? fd : open("/dev/null", flags | O_CLOEXEC);
}

// Standard input, output and error may be given in any order and overlap the numbers 0 to 2: all
// three are first moved out of the way.
static int set_standard_descriptors(const struct port_spawn *spawn)
{
    const int wanted[3] = {spawn->in, spawn->out, spawn->err};
    int moved[3];
    for (int i = 0; i < 3; i++) {
        int fd = open_or_null(wanted[i], i == 0 ? O_RDONLY : O_WRONLY);
        moved[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (moved[i] < 0)
            return -errno;
    }
    for (int i = 0; i < 3; i++) {
        if (dup2(moved[i], i) < 0) // the copy is not close-on-exec
            return -errno;
    }
    return 0;
}

static int keep_descriptors(const struct port_spawn *spawn)
{
    port_close_others_on_exec();
    for (size_t i = 0; i < spawn->keep_count; i++) {
        int flags = fcntl(spawn->keep[i], F_GETFD);
        if (flags < 0 || fcntl(spawn->keep[i], F_SETFD, flags & ~FD_CLOEXEC) < 0)
            return -errno;
    }
    return 0;
}

static struct rlimit limit_of(uint64_t limit)
{
    rlim_t value = limit == UINT64_MAX ? RLIM_INFINITY : (rlim_t)limit;
    return (struct rlimit){value, value};
}

// They may have to be raised, which needs the privilege that set_identity() gives up. Core dumps
// may only be lowered by an unprivileged daemon, so failing to raise them is no reason to refuse.
static int set_limits(const struct port_spawn *spawn)
{
    struct rlimit core = limit_of(spawn->limit_core);
    struct rlimit locked = limit_of(spawn->limit_locked_memory);
    struct rlimit processes = limit_of(spawn->limit_processes);
    struct rlimit files = limit_of(spawn->limit_files);
    if ((setrlimit(RLIMIT_CORE, &core) < 0 && spawn->limit_core == 0) ||
        (spawn->limit_locked_memory && setrlimit(RLIMIT_MEMLOCK, &locked) < 0) ||
        (spawn->limit_processes && setrlimit(RLIMIT_NPROC, &processes) < 0) ||
        (spawn->limit_files && setrlimit(RLIMIT_NOFILE, &files) < 0))
        return -errno;
    return 0;
}

static int set_identity(const struct port_spawn *spawn)
{
    if (!spawn->identity)
        return 0;
    bool unchanged = geteuid() == spawn->uid && getegid() == spawn->gid;
    if (unchanged && geteuid() != 0)
        return 0; // nothing to give up, and no right to set groups
    if (!port_drop_all_privileges())
        return -errno;
    uint32_t gids[GROUPS_MAX + 1] = {spawn->gid};
    size_t count = 1 + port_user_groups(spawn->uid, gids + 1, GROUPS_MAX);
    if (setgroups(count, gids) < 0 || setresgid(spawn->gid, spawn->gid, spawn->gid) < 0 ||
        setresuid(spawn->uid, spawn->uid, spawn->uid) < 0)
        return -errno;
    return 0;
}

static int set_session(const struct port_spawn *spawn)
{
    return spawn->session ? port_result(setsid()) : 0;
}

static int set_directory(const struct port_spawn *spawn)
{
    return port_result(chdir(spawn->directory ? spawn->directory : "/"));
}

static int prepare_and_execute(const struct port_spawn *spawn)
{
    static int (*const steps[])(const struct port_spawn *) = {
        set_session,   set_standard_descriptors, keep_descriptors, set_limits, set_identity,
        set_directory,
    };
    static const char *const plain[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int result = steps[i](spawn);
        if (result < 0)
            return result;
    }
    umask((mode_t)spawn->mask);
    const char *const *environment = spawn->environment ? spawn->environment : plain;
    // execve() takes the arrays without changing them; its prototype is older than const.
    execve(spawn->argv[0], (char *const *)(uintptr_t)spawn->argv,
           (char *const *)(uintptr_t)environment);
    return -errno;
}

// The pipe's other end is closed without a word when the parent ends, or has changed its mind.
static bool may_go_on(int word)
{
    char go;
    ssize_t got;
    do
        got = read(word, &go, 1);
    while (got < 0 && errno == EINTR);
    return got == 1;
}

// The child's whole life up to the program. `word` is -1 when it need not wait for one.
static _Noreturn void become_program(const struct port_spawn *spawn, int status_fd, int word)
{
    // A daemon without standard descriptors may have been given one of their numbers.
    int report = fcntl(status_fd, F_DUPFD_CLOEXEC, 3);
    int result = word < 0 || may_go_on(word) ? prepare_and_execute(spawn) : -ECANCELED;
    ssize_t ignored = write(report, &result, sizeof(result));
    (void)ignored;
    _exit(127);
}

// ---- in the parent ------------------------------------------------------------------------------

// The program has taken the child over once the pipe is closed without a word; before that the
// child tells why it could not be executed.
static int await_execution(int status_fd)
{
    int result = 0;
    ssize_t got;
    do
        got = read(status_fd, &result, sizeof(result));
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(result) ? result : 0;
}

static void let_go_on(const struct port_spawn *spawn, int word, int pid)
{
    ssize_t ignored = pid > 0 && spawn->note(spawn->argument, pid) ? write(word, "", 1) : 0;
    (void)ignored; // a child that was killed tells so by its end
}

static int close_pipe(const int ends[2], int result)
{
    close(ends[0]);
    close(ends[1]);
    return result;
}

int port_spawn(const struct port_spawn *spawn)
{
    int status[2], word[2] = {-1, -1};
    if (pipe2(status, O_CLOEXEC) < 0)
        return -errno;
    if (spawn->note && pipe2(word, O_CLOEXEC) < 0)
        return close_pipe(status, -errno);
    int pid = port_fork();
    if (pid == 0) {
        if (spawn->note)
            close(word[1]);
        become_program(spawn, status[1], word[0]);
    }
    close(status[1]);
    if (spawn->note) {
        let_go_on(spawn, word[1], pid);
        close_pipe(word, 0);
    }
    int result = pid < 0 ? pid : await_execution(status[0]);
    close(status[0]);
    if (result < 0 && pid > 0) {
        struct port_exit how;
        while (port_child_ended(pid, &how) == 0)
            port_poll(NULL, 0, 100000); // it is on its way to _exit()
    }
    return result < 0 ? result : pid;
}
