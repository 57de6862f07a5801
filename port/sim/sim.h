// Sim: a deterministic operating system for tests, as its test sees it.
//
// The whole machine (disk, processes, descriptors, time, chance) lies in one piece of memory that
// outlives a daemon: a run forks a process for each life of the daemon, and when the power of the
// machine goes, the next life finds what the disk kept. One thing runs at a time, and every choice
// is made by one generator: a seed is a run, and running it again is the same run.
//
// The world beside the daemon (peers, programs, the script of a test) is made of actors, which run
// while the daemon waits in port_poll(): that is where time passes.
#ifndef PORT_SIM_SIM_H
#define PORT_SIM_SIM_H

#include "port/port.h"

#include <stdarg.h>

#define SIM_NS_PER_US 1000ULL
#define SIM_NS_PER_MS 1000000ULL
#define SIM_NS_PER_S  1000000000ULL

// ---- the machine --------------------------------------------------------------------------------

// How bad things are; chosen by the test, mostly 0. Chances are out of 1000.
struct sim_weather {
    unsigned short_io;       // a read or write takes less than it could
    unsigned again;          // -EAGAIN although ready
    unsigned interrupted;    // -EINTR
    unsigned accept_fails;   // -EMFILE, -ENOMEM
    unsigned disk_error;     // -EIO of a file operation
    unsigned disk_full;      // -ENOSPC, when writing a file or making an entry
    unsigned link_fails;     // -EBUSY, -EPERM of a call for a network device
    unsigned fork_fails;     // -EAGAIN of a worker, a spawned program
    unsigned worker_dies;    // at one of its operations
    unsigned disk_wait_us;   // the longest wait of a worker's operation
    unsigned pipe_room;      // bytes a pipe holds
    unsigned socket_room;    // bytes a socket holds in each direction
    unsigned descriptor_max; // of the daemon
};

struct sim_weather *sim_weather(void);

// Maps the machine's memory, and `size` bytes more for the test's own state, zeroed: whatever shall
// outlive a life lies there. Once, before the first fork.
void *sim_create(size_t size);
// A new machine under this seed: an empty disk with the directories that a system has, no process.
void sim_reset(uint64_t seed);

// A number below `below`; with sim_chance, whether something of that many out of 1000 happens.
uint64_t sim_random(uint64_t below);
bool sim_chance(unsigned of_1000);
uint64_t sim_now(void); // ns
// Port calls made so far; what a crash is set for.
uint64_t sim_calls(void);

// A line of the trace: printed when tracing, and always part of sim_trace_hash(), which is the same
// for each run of a seed.
void sim_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
void sim_trace_print(bool on);
uint64_t sim_trace_hash(void);
// The run has failed: says why, and ends this process with SIM_FAILED.
_Noreturn void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// ---- a machine that lies ------------------------------------------------------------------------
//
// What a test claims to notice is tried on a machine that does it: each lie makes the daemon look
// as if it broke one promise.

enum sim_lie {
    SIM_HONEST,
    SIM_SYNC,      // of a file: nothing of it is brought to the disk
    SIM_SYNC_NAME, // of a directory, likewise
    SIM_TEAR,      // a file that is renamed loses its second half
    SIM_UNLINK,    // a file that was taken away is still there
    SIM_LEAK,      // a descriptor that is closed stays open
    SIM_SWALLOW,   // what is written to a socket goes nowhere
    SIM_REPEAT,    // it is written twice
    SIM_ASTRAY,    // it is written to another socket
    SIM_KILL,      // a process that is killed lives on
    SIM_FORGET,    // the end of a child is not told
    SIM_STALL,     // a worker does not go on
    SIM_IGNORE,    // a socket is never ready
    SIM_SLIGHT,    // a socket is not ready for a while
    SIM_RING,      // a listener always is
    SIM_LIES
};

void sim_tell(enum sim_lie lie); // from the next sim_reset() on, now and then
const char *sim_lie_name(enum sim_lie lie);
// What sim_fail() said last, "" when the run has not failed.
const char *sim_failure(void);
void sim_hush(bool on); // it is wanted to fail: nothing is printed about it

// ---- lives --------------------------------------------------------------------------------------

enum sim_end {
    SIM_ENDED,     // the daemon returned; its status is in `status`
    SIM_POWER_CUT, // the machine lost its power
    SIM_KILLED,    // the daemon was killed; everything else goes on
    SIM_FAILED,    // sim_fail(), in the daemon or in a worker
    SIM_CRASHED,   // the daemon died by a signal of its own: an assertion, a sanitizer
};

// Runs one life of the daemon in a process of its own: `body` is what main() would do. It is given
// pid, standard descriptors and an empty table of others.
enum sim_end sim_live(int (*body)(void), int *status);
// The next life ends so, when this many port calls have been made from now on.
void sim_crash_after(uint64_t calls, enum sim_end how);
// Ends this life now.
_Noreturn void sim_crash(enum sim_end how);
bool sim_ready(void); // the daemon has said that it is
// A signal for the daemon.
void sim_signal(enum port_signal signal);
// Descriptors that the daemon holds.
unsigned sim_descriptors(void);
// Prints the daemon's descriptors to the trace, for a message about a leak.
void sim_list_descriptors(void);
// Processes of the machine beside the daemon; zombies count.
unsigned sim_processes(void);
unsigned sim_workers(void);

// ---- actors -------------------------------------------------------------------------------------

struct sim_actor {
    void (*step)(struct sim_actor *actor);
    uint64_t at; // when it is called next; SIM_NEVER
    bool known;  // the machine's own
};

#define SIM_NEVER UINT64_MAX

// Has the actor called in `delay_ns`, unless it is called before that anyway.
void sim_wake(struct sim_actor *actor, uint64_t delay_ns);
void sim_rest(struct sim_actor *actor); // until it is woken

// ---- the ends of connections that actors hold ---------------------------------------------------
//
// Handles, not descriptors: the daemon's table does not know them. An owner is woken when there
// may be something to read or room to write.

int sim_connect_unix(const char *path, uint32_t uid, struct sim_actor *owner);
int sim_connect_tcp(enum port_family family, uint16_t port, struct sim_actor *owner);
int sim_listen_unix(const char *path, struct sim_actor *owner);
// The emulator's end of a pty, whose other end is /dev/pts/NUMBER.
int sim_pty_open(unsigned *number, struct sim_actor *owner);
int sim_accept(int listener, struct sim_actor *owner);
ptrdiff_t sim_read(int handle, void *to, size_t len);
size_t sim_unread(int handle); // bytes that have come and were not read
ptrdiff_t sim_write(int handle, const void *from, size_t len);
void sim_pair(int handles[2], struct sim_actor *owner); // of the first
// A handle that came with the bytes read last; -1 when there is none.
int sim_take_handle(int handle, struct sim_actor *owner);
bool sim_send_handle(int handle, int sent); // with one byte; the sender keeps its handle
void sim_own(int handle, struct sim_actor *owner);
void sim_close(int handle);
void sim_reset_connection(int handle); // the peer sees -ECONNRESET

// Taps that somebody has open; there is one bridge, SIM_BRIDGE.
#define SIM_BRIDGE "br0"
unsigned sim_taps(void);

// ---- programs -----------------------------------------------------------------------------------

struct sim_process;

// What port_spawn() can start. `state` lies in the process and is zeroed before.
struct sim_program {
    const char *path;
    size_t state_size;
    void (*start)(struct sim_process *process, const struct port_spawn *spawn);
    void (*step)(struct sim_process *process);                          // as an actor's
    void (*signal)(struct sim_process *process, enum port_kill signal); // NULL: it dies of it
};

void sim_program_add(const struct sim_program *program); // its file is on the disk then
bool sim_process_runs(const struct sim_process *process, const struct sim_program *program);
void *sim_process_state(struct sim_process *process);
struct sim_actor *sim_process_actor(struct sim_process *process);
int sim_process_pid(const struct sim_process *process);
// The handle behind a descriptor that the process was started with; -1.
int sim_process_handle(const struct sim_process *process, int fd);
// A handle that is closed with the process, or before.
void sim_process_take(struct sim_process *process, int handle);
void sim_process_close(struct sim_process *process, int handle);
void sim_process_say(struct sim_process *process, const char *text); // to its standard error
void sim_process_exit(struct sim_process *process, int status);
void sim_process_die(struct sim_process *process, int signal);
// Walks the running programs; start with NULL.
struct sim_process *sim_process_next(const struct sim_process *previous);

// ---- the disk -----------------------------------------------------------------------------------

// What is there now, as a process would see it; the same conventions as the port's functions, but
// nothing fails, waits or counts as a call.
ptrdiff_t sim_disk_read(const char *path, void *to, size_t size);
int sim_disk_write(const char *path, const void *from, size_t size, uint32_t mode); // durable
void sim_disk_make_directory(const char *path);                                     // likewise
bool sim_disk_exists(const char *path);
// What is lost when the power goes.
unsigned sim_disk_pending(void);

#endif
