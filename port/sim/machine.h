// Sim: the machine's insides, which the files of this port share.
#ifndef PORT_SIM_MACHINE_H
#define PORT_SIM_MACHINE_H

#include "port/sim/sim.h"

#include <errno.h>

#define SIM_INODES       512
#define SIM_ENTRIES      512
#define SIM_JOURNAL      256
#define SIM_NAME_MAX     96
#define SIM_FILES        768 // open file descriptions
#define SIM_CHANNELS     1024
#define SIM_FDS          512 // descriptors of a process
#define SIM_PROCESSES    96
#define SIM_ACTORS       256
#define SIM_PROGRAMS     16
#define SIM_BACKLOG      32
#define SIM_HEAP         (64u << 20)
#define SIM_HEAP_CLASSES 20
#define SIM_PAGE         256 // bytes; what a disk loses or keeps as one
#define SIM_FILE_MAX     (1u << 20)
#define SIM_PAGES        (SIM_FILE_MAX / SIM_PAGE)

// ---- disk (disk.c) ------------------------------------------------------------------------------

struct sim_blob {
    uint8_t *at;
    uint32_t size, room;
};

struct sim_inode {
    bool used, marked;
    enum port_kind kind;
    uint32_t mode, uid, gid;
    int64_t mtime_ns;
    struct sim_blob now;  // as everybody sees it
    struct sim_blob kept; // as it is after the power has gone
    uint64_t dirty[SIM_PAGES / 64];
    bool any_dirty;
    int lock; // the file that holds the lock of a pid file; -1
};

// A directory's entry. The tables are searched: a machine has few files.
struct sim_entry {
    bool used;
    int16_t directory, inode;
    char name[SIM_NAME_MAX];
};

// A change of an entry that no sync has made last. Those with one number belong together.
struct sim_change {
    uint32_t group;
    int16_t directory, inode; // inode -1: the entry is gone
    char name[SIM_NAME_MAX];
};

struct sim_disk {
    struct sim_inode inodes[SIM_INODES];
    struct sim_entry now[SIM_ENTRIES], kept[SIM_ENTRIES];
    struct sim_change journal[SIM_JOURNAL];
    unsigned journal_count;
    uint32_t last_group;
};

// ---- descriptions and channels (files.c, channels.c) --------------------------------------------

enum sim_file_kind {
    SIM_FREE,
    SIM_REGULAR,
    SIM_DIRECTORY,
    SIM_STREAM, // an end of a pipe, a socket, a tty
    SIM_LISTENER,
    SIM_SIGNALS,
    SIM_TAP,     // `what` is its name
    SIM_NOWHERE, // /dev/null, and what is written to standard error
};

struct sim_file {
    enum sim_file_kind kind;
    unsigned refs;
    bool blocking;           // for the process that waits: a worker's output
    struct sim_actor *owner; // who is woken
    char what[48];           // for the trace
    // a regular file, a directory
    int inode;
    uint64_t offset;
    unsigned flags;
    // a stream: what it reads from and writes to; -1
    int in, out;
    bool is_socket;
    unsigned pty;           // its number; 0: none
    int terminal;           // of an actor's end of a pty: the other end's file
    bool rings;             // by a lie
    uint64_t ignored_until; // likewise
    uint32_t uid;
    int32_t pid;
    int arrived[8]; // handles that came with bytes
    unsigned arrived_count;
    // a listener
    uint16_t port; // 0: of a path
    enum port_family family;
    int backlog[SIM_BACKLOG];
    unsigned backlog_count;
};

struct sim_passenger {
    uint64_t position; // of the byte it travels with
    int file;
};

struct sim_channel {
    bool used, reader_gone, writer_gone, reset;
    int reader, writer; // files
    struct sim_blob ring;
    uint64_t put, got; // bytes ever
    struct sim_passenger passengers[16];
    unsigned passenger_count;
};

// ---- processes (process.c, worker.c) ------------------------------------------------------------

enum sim_process_kind { SIM_NOBODY, SIM_DAEMON, SIM_WORKER, SIM_PROGRAM };

struct sim_process {
    struct sim_actor actor; // first
    enum sim_process_kind kind;
    int pid, parent, group;
    uint64_t start;
    uint64_t sleeps_until; // of a worker that waits for something; 0
    bool ended;            // a zombie
    struct port_exit how;
    const struct sim_program *program; // NULL: it is not executed yet, nor when its parent ends
    struct sim_blob state;
    int16_t fds[SIM_FDS]; // files; -1
};

// ---- the machine --------------------------------------------------------------------------------

struct sim_heap_block {
    struct sim_heap_block *next;
};

struct sim_machine {
    uint64_t seed;
    uint64_t chance[2], entropy[2]; // generators: for what happens, for port_random()
    uint64_t now;
    uint64_t calls, crash_at;
    enum sim_end crash_how, ending;
    uint64_t trace_hash;
    char failure[256];
    struct sim_weather weather;

    bool in_turn; // port_loop_guard()
    unsigned signals;
    unsigned idle_polls; // in a row that found something ready and brought nothing about
    int next_pid;
    unsigned last_pty;
    uint32_t mask;
    bool daemon_ready;

    struct sim_disk disk;
    struct sim_file files[SIM_FILES];
    struct sim_channel channels[SIM_CHANNELS];
    struct sim_process processes[SIM_PROCESSES];
    struct sim_actor *actors[SIM_ACTORS];
    unsigned actor_count;
    const struct sim_program *programs[SIM_PROGRAMS];
    unsigned program_count;

    struct sim_heap_block *heap_free[SIM_HEAP_CLASSES];
    size_t heap_used;
    _Alignas(16) uint8_t heap[SIM_HEAP];
};

extern struct sim_machine *sim;      // shared by every life and every worker
extern struct sim_process *sim_self; // who runs: the daemon or a worker
#define SIM_DAEMON_PROCESS (&sim->processes[0])

// The memory of blobs: kept in place over lives. Contents beyond `size` are not defined.
void sim_blob_room(struct sim_blob *blob, uint32_t room);
void sim_blob_free(struct sim_blob *blob);
void sim_blob_copy(struct sim_blob *to, const struct sim_blob *from);

// Every function of the port that has an effect begins with this: time passes, a crash that was set
// happens, and a worker waits for its turn.
void sim_enter(const char *call);
void sim_may_block(const char *call);
// Whether the machine tells this lie now.
bool sim_lies(enum sim_lie lie);
// Something went on: the loop is not spinning.
void sim_progress(void);

// Files and descriptors.
int sim_file_new(enum sim_file_kind kind, const char *what);
void sim_file_release(int file);
int sim_fd_new(int file);             // of sim_self; takes over the reference. -EMFILE releases it.
struct sim_file *sim_fd_file(int fd); // aborts the run for one that is not open
int sim_fd_number(int fd);            // of its file
void sim_wake_owner(int file);

// Channels.
int sim_channel_new(uint32_t room);
void sim_channel_close(int channel, bool reader);
ptrdiff_t sim_channel_read(int file, void *to, size_t len);
ptrdiff_t sim_channel_write(int file, const void *from, size_t len);
short sim_file_ready(int file); // PORT_POLL_*
void sim_stream_pair(int files[2], uint32_t room, const char *what);

// Disk: inodes and entries by their numbers, and paths to them. Inode 0 is the root.
void sim_disk_reset(void);
void sim_disk_cut(void);
struct sim_inode *sim_inode(int inode);
int sim_inode_new(enum port_kind kind, uint32_t mode);
void sim_inode_write(int inode, uint64_t offset, const void *from, size_t len);
void sim_inode_resize(struct sim_inode *inode, uint32_t size);
void sim_inode_sync(struct sim_inode *inode);
// Changes an entry (inode -1: takes it away). Changes of one group last together when power goes.
void sim_entry_change(uint32_t group, int directory, const char *name, int inode);
uint32_t sim_entry_group(void);
void sim_entries_sync(int directory);

struct sim_walk {
    int directory;
    char name[SIM_NAME_MAX]; // of the last part; "" for the root
    int links;
};

// An inode, or a negative errno. With -ENOENT and a name, only the last part is missing.
int sim_path_walk(struct sim_walk *walk, const char *path, bool follow);
int sim_path_inode(const char *path, bool follow);
int sim_path_new(struct sim_walk *walk, const char *path); // 0: nothing is there
// -EIO or -ENOSPC, when the weather has it so.
int sim_disk_fault(const char *call, const char *path, bool makes);

// Processes.
void sim_processes_reset(void);
struct sim_process *sim_process_new(enum sim_process_kind kind, void (*step)(struct sim_actor *));
void sim_process_give(struct sim_process *process, int fd, int file); // one more reference
void sim_process_end(struct sim_process *process, struct port_exit how);
void sim_workers_end(void); // of this life's daemon
void sim_yield(void);       // in a worker: until its turn comes
// In a worker: until something happens to one of the files, or that time. It may return before.
void sim_sleep(const int *files, size_t count, uint64_t until);
struct sim_process *sim_process_find(int pid);

// The world: runs whoever is due. Returns when the next one is.
void sim_run_due(void);
uint64_t sim_next_due(void);

#endif
