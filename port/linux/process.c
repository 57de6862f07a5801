// Linux: processes as /proc shows them, signals to them, and the fate of our children.
#include "port/linux/linux.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NS_PER_S 1000000000U

int port_pid(void)
{
    return getpid();
}

uint32_t port_uid(void)
{
    return geteuid();
}

uint32_t port_gid(void)
{
    return getegid();
}

static void describe_exit(int status, struct port_exit *how)
{
    how->signalled = WIFSIGNALED(status);
    how->status = how->signalled ? WTERMSIG(status) : WEXITSTATUS(status);
}

// While somebody else reads /proc/PID of the child, the kernel goes round in here until he has let
// go: up to 10 ms of CPU time on a machine with more to do than processors. A turn's limit, which
// is about what the daemon does, leaves it out.
static pid_t reap(pid_t pid, int *status)
{
#ifdef CONFIG_DEBUG_CHECKS
    uint64_t before = port_cpu_ns();
    pid_t ended = waitpid(pid, status, WNOHANG);
    port_cpu_left_out += port_cpu_ns() - before;
    return ended;
#else
    return waitpid(pid, status, WNOHANG);
#endif
}

int port_child_reap(struct port_exit *how)
{
    int status;
    pid_t ended = reap(-1, &status);
    if (ended <= 0)
        return 0;
    describe_exit(status, how);
    return ended;
}

int port_child_ended(int pid, struct port_exit *how)
{
    int status;
    pid_t ended = reap(pid, &status);
    if (ended <= 0)
        return port_result(ended);
    describe_exit(status, how);
    return 1;
}

// ---- signals ------------------------------------------------------------------------------------

static int number_of(enum port_kill signal)
{
    static const int numbers[] = {
        [PORT_KILL_TERM] = SIGTERM, [PORT_KILL_KILL] = SIGKILL, [PORT_KILL_INT] = SIGINT,
        [PORT_KILL_HUP] = SIGHUP,   [PORT_KILL_QUIT] = SIGQUIT,
    };
    return numbers[signal];
}

// To kill(2), 0 and -1 mean "my group" and "everybody": no process of ours has such a number.
int port_kill(int pid, enum port_kill signal)
{
    return pid <= 0 ? -ESRCH : port_result(kill(pid, number_of(signal)));
}

int port_kill_group(int pid, enum port_kill signal)
{
    return pid <= 1 ? -ESRCH : port_result(kill(-pid, number_of(signal)));
}

// ---- /proc/PID/stat -----------------------------------------------------------------------------

// Numbers of its fields, as in proc(5).
enum stat_field {
    STAT_STATE = 3,
    STAT_MINOR_FAULTS = 10,
    STAT_MAJOR_FAULTS = 12,
    STAT_USER_TICKS = 14,
    STAT_SYSTEM_TICKS = 15,
    STAT_START = 22,
    STAT_RESIDENT = 24,
    STAT_LAST_CPU = 39,
};

// Reads the line and returns its part from field 3 on: the name in field 2 may hold anything, even
// ")".
static const char *read_stat(const char *path, char *text, size_t size)
{
    if (port_file_read(path, text, size) < 0)
        return NULL;
    const char *bracket = strrchr(text, ')');
    return bracket && bracket[1] == ' ' ? bracket + 2 : NULL;
}

static uint64_t stat_number(const char *fields, enum stat_field which)
{
    for (int i = STAT_STATE; i < (int)which; i++) {
        fields = strchr(fields, ' ');
        if (!fields)
            return 0;
        fields++;
    }
    return strtoull(fields, NULL, 10);
}

static const char *read_process_stat(int pid, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    return read_stat(path, text, size);
}

int port_process_start(int pid, uint64_t *start)
{
    char text[1024];
    const char *fields = read_process_stat(pid, text, sizeof(text));
    if (!fields)
        return -ESRCH;
    *start = stat_number(fields, STAT_START);
    return 0;
}

bool port_process_alive(int pid, uint64_t start)
{
    char text[1024];
    const char *fields = read_process_stat(pid, text, sizeof(text));
    if (!fields || *fields == 'Z' || *fields == 'X' || *fields == 'x')
        return false;
    return start == 0 || start == stat_number(fields, STAT_START);
}

static int read_usage(const char *path, struct port_usage *usage)
{
    char text[1024];
    const char *fields = read_stat(path, text, sizeof(text));
    if (!fields)
        return -ESRCH;
    uint64_t ns_per_tick = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
    *usage = (struct port_usage){
        .user_ns = stat_number(fields, STAT_USER_TICKS) * ns_per_tick,
        .system_ns = stat_number(fields, STAT_SYSTEM_TICKS) * ns_per_tick,
        .resident = stat_number(fields, STAT_RESIDENT) * (uint64_t)sysconf(_SC_PAGESIZE),
        .major_faults = stat_number(fields, STAT_MAJOR_FAULTS),
        .minor_faults = stat_number(fields, STAT_MINOR_FAULTS),
        .last_cpu = (int)stat_number(fields, STAT_LAST_CPU),
    };
    return 0;
}

int port_process_usage(int pid, struct port_usage *usage)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    return read_usage(path, usage);
}

static void read_thread_file(int pid, int tid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
    if (port_file_read(path, text, size) < 0)
        text[0] = '\0';
}

// "se.statistics.wait_sum   :   1.234567", in ms; older and newer kernels name it differently.
static uint64_t read_wait(const char *text)
{
    const char *at = strstr(text, "wait_sum");
    at = at ? strchr(at, ':') : NULL;
    return at ? (uint64_t)(strtod(at + 1, NULL) * 1000000) : 0;
}

int port_thread_usage(int pid, int tid, struct port_usage *usage)
{
    char path[64], text[16384];
    unsigned long long ran, delay;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
    int result = read_usage(path, usage);
    if (result < 0)
        return result;
    read_thread_file(pid, tid, "sched", text, sizeof(text));
    usage->wait_ns = read_wait(text);
    read_thread_file(pid, tid, "schedstat", text, sizeof(text));
    if (sscanf(text, "%llu %llu", &ran, &delay) == 2)
        usage->delay_ns = delay;
    return 0;
}

// ---- processor affinity -------------------------------------------------------------------------

#define CPUS_MAX  8192 // NR_CPUS of the largest kernels
#define WORD_BITS (8 * sizeof(unsigned long))

union cpus {
    cpu_set_t set;
    unsigned long words[CPUS_MAX / WORD_BITS];
};

int port_affinity_get(int tid, uint8_t *map, size_t size)
{
    union cpus cpus = {.words = {0}};
    memset(map, 0, size);
    if (sched_getaffinity(tid, sizeof(cpus), &cpus.set) < 0)
        return -errno;
    for (size_t i = 0; i < CPUS_MAX && i / 8 < size; i++) {
        if (cpus.words[i / WORD_BITS] >> i % WORD_BITS & 1)
            map[i / 8] = (uint8_t)(map[i / 8] | 1 << i % 8);
    }
    return 0;
}

int port_affinity_set(int tid, const uint8_t *map, size_t size)
{
    union cpus cpus = {.words = {0}};
    for (size_t i = 0; i < CPUS_MAX && i / 8 < size; i++) {
        if (map[i / 8] >> i % 8 & 1)
            cpus.words[i / WORD_BITS] |= 1UL << i % WORD_BITS;
    }
    return port_result(sched_setaffinity(tid, sizeof(cpus), &cpus.set));
}

int port_own_program(char *to, size_t size)
{
    ptrdiff_t len = port_readlink("/proc/self/exe", to, size);
    return len < 0 ? (int)len : 0;
}
