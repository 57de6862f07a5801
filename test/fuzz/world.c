// The world that inputs are run in: parts of the port that the linker puts in the place of Linux's
// own (--wrap).
#define _GNU_SOURCE
#include "fuzz.h"

#include "port/port.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define START_NS UINT64_C(1000000000000)
#define START_US INT64_C(1700000000000000)

uint64_t __wrap_port_clock_ns(void);
uint64_t __wrap_port_cpu_ns(void);
uint64_t __real_port_cpu_ns(void);
int64_t __wrap_port_time_us(void);
void __wrap_port_random(void *to, size_t len);
int __wrap_port_worker(int (*work)(void *argument, int out), void *argument, const int *keep,
                       size_t keep_count, int *out_fd);
int __wrap_port_child_reap(struct port_exit *how);
int __wrap_port_spawn(const struct port_spawn *spawn);
int __wrap_port_hostname(char *to, size_t size);

static uint64_t passed_ns;
static struct fuzz_random chance;

// ---- time and chance

void fuzz_clock_advance(uint64_t ns)
{
    passed_ns += ns;
}

uint64_t __wrap_port_clock_ns(void)
{
    return START_NS + passed_ns;
}

int64_t __wrap_port_time_us(void)
{
    return START_US + (int64_t)(passed_ns / 1000);
}

// The loop's check of its turns would depend on the machine: it is on only when CPU time is what is
// looked for.
uint64_t __wrap_port_cpu_ns(void)
{
    static int measured = -1;
    if (measured < 0)
        measured = getenv("NANOVIRT_FUZZ_LIMIT_MS") != NULL;
    return measured ? __real_port_cpu_ns() : 0;
}

void __wrap_port_random(void *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)to)[i] = (uint8_t)fuzz_u32(&chance);
}

int __wrap_port_hostname(char *to, size_t size)
{
    snprintf(to, size, "host.example");
    return 0;
}

// ---- workers: done at once and in this process; their end is told afterwards, as of a process

#define WORKERS_MAX 256
#define FIRST_PID   1000000

static struct {
    int pid, status;
} ended[WORKERS_MAX];
static unsigned ended_count;
static int last_pid;

int __wrap_port_worker(int (*work)(void *argument, int out), void *argument, const int *keep,
                       size_t keep_count, int *out_fd)
{
    int ends[2];
    (void)keep, (void)keep_count;
    if (ended_count == WORKERS_MAX)
        return -EAGAIN;
    int status = port_pipe(ends);
    if (status < 0)
        return status;
    port_loop_guard(false);
    ended[ended_count].status = work(argument, ends[1]) & 255;
    port_loop_guard(true);
    port_close(ends[1]);
    *out_fd = ends[0];
    return ended[ended_count++].pid = ++last_pid;
}

int __wrap_port_child_reap(struct port_exit *how)
{
    if (ended_count == 0)
        return 0;
    *how = (struct port_exit){.status = ended[0].status};
    int pid = ended[0].pid;
    memmove(ended, ended + 1, --ended_count * sizeof(ended[0]));
    return pid;
}

int __wrap_port_spawn(const struct port_spawn *spawn)
{
    (void)spawn;
    return -ENOENT; // no input starts a program
}

// ---- files

static char directory[64];

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat, (void)type, (void)ftw;
    return remove(path);
}

static void remove_directory(void)
{
    nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_directory(void)
{
    if (directory[0])
        return directory;
    const char *where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(directory, sizeof(directory), "%s/nanovirt-fuzz-XXXXXX", where);
    if (!mkdtemp(directory))
        FUZZ_FAIL("no directory in %s", where);
    atexit(remove_directory);
    return directory;
}

void fuzz_file_write(const char *path, struct slice text)
{
    int fd = port_open(path, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_TRUNCATE, 0600);
    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(text.len == 0 || port_pwrite(fd, text.at, text.len, 0) == (ptrdiff_t)text.len);
    port_close(fd);
}

void fuzz_world_reset(void)
{
    passed_ns = 0;
    chance.state = 1;
    ended_count = 0;
    last_pid = FIRST_PID;
}
