// The port: everything the daemon asks of an operating system, and nothing else.
//
// src/ calls nothing but C11 and these functions. port/linux implements them on Linux; a port to
// another system is an implementation of this file.
//
// Conventions. A function that can fail returns 0 or a count, and on failure a negative errno value
// (names from errno.h: -EAGAIN, -ENOENT). Paths and names are NUL-terminated. Every descriptor that
// these functions make is close-on-exec and, where it can be waited for (sockets, pipes, ttys),
// non-blocking: -EAGAIN means "poll first". Nothing here allocates. "May block" marks calls that
// can wait for a device: they belong into start-up or into a worker process, never into a turn of
// the loop, and a build with CONFIG_DEBUG_CHECKS aborts when one is made between
// port_loop_guard(true) and (false).
#ifndef PORT_PORT_H
#define PORT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORT_PATH_MAX    4096 // bytes with the NUL
#define PORT_ADDRESS_MAX 64
#define PORT_IFNAME_MAX  16

// ---- time and entropy ---------------------------------------------------------------------------

uint64_t port_clock_ns(void); // monotonic, from an arbitrary start
uint64_t port_cpu_ns(void);   // CPU time this thread has used, but for reaping
int64_t port_time_us(void);   // microseconds since 1970-01-01 00:00 UTC
// By how many seconds local time is ahead of UTC at that time. For workers: the zone is read from a
// file when it is first asked for.
int port_utc_offset(int64_t seconds);
void port_random(void *to, size_t len); // from the system's generator; never fails

// ---- waiting ------------------------------------------------------------------------------------

#define PORT_POLL_IN  0x01
#define PORT_POLL_OUT 0x04
#define PORT_POLL_ERR 0x08 // reported whether asked for or not, as PORT_POLL_HUP
#define PORT_POLL_HUP 0x10

struct port_poll {
    int fd; // a negative one is passed over
    short events, revents;
};

// Waits until a descriptor is ready or `timeout_ns` have passed; negative: no limit. Returns how
// many are ready; 0 on time-out or interruption.
int port_poll(struct port_poll *polls, size_t count, int64_t timeout_ns);

enum port_signal {
    PORT_SIGNAL_NONE,
    PORT_SIGNAL_TERMINATE, // SIGTERM, SIGINT, SIGQUIT
    PORT_SIGNAL_RELOAD,    // SIGHUP
    PORT_SIGNAL_CHILD,     // a child process has ended
    PORT_SIGNAL_USER,      // SIGUSR1
};

// Routes the process's signals to a descriptor that becomes readable; SIGPIPE is ignored.
int port_signals_open(void);
enum port_signal port_signals_take(int fd); // PORT_SIGNAL_NONE when there is no more

// Marks the turns of the loop, for the check of calls that may block.
void port_loop_guard(bool inside);

// ---- descriptors --------------------------------------------------------------------------------

struct port_span {
    const void *at;
    size_t len;
};

ptrdiff_t port_read(int fd, void *to, size_t len); // 0: end of file
ptrdiff_t port_write(int fd, const void *from, size_t len);
// Writes all of it. 0. To a pipe or a socket it waits until the other side takes it: for workers.
int port_write_all(int fd, const void *from, size_t len);
ptrdiff_t port_writev(int fd, const struct port_span *spans, size_t count);
void port_close(int fd);
// Over a unix socket: bytes with descriptors. Receiving sets *fd_count to how many came (at most
// `fd_max`; further ones are closed).
ptrdiff_t port_send_fds(int fd, const void *from, size_t len, const int *fds, size_t fd_count);
ptrdiff_t port_receive_fds(int fd, void *to, size_t len, int *fds, size_t fd_max, size_t *fd_count);
int port_pipe(int ends[2]); // [0] to read from, [1] to write to
int port_socket_pair(int ends[2]);
int port_make_blocking(int fd, bool blocking); // for whoever gets it from us, or gave it to us

// ---- sockets ------------------------------------------------------------------------------------

enum port_family { PORT_UNIX, PORT_IPV4, PORT_IPV6 };

struct port_peer {
    enum port_family family;
    char address[PORT_ADDRESS_MAX]; // numeric; "" for a unix socket
    uint16_t port;
    bool has_credentials; // of a unix socket's other end, at the time it connected:
    uint32_t uid, gid;
    int32_t pid;
};

// Listens on a path, replacing a socket that nobody listens on; -EADDRINUSE when somebody does.
// The mode is set before anybody can connect; gid (uint32_t)-1 leaves the group.
int port_listen_unix(const char *path, uint32_t mode, uint32_t gid);
// Listens on an address (NULL: every address, IPv4 and IPv6) and a port number or service name;
// fills at most `max` descriptors and returns how many. Names are looked up in the system's own
// tables, not on the network: -EADDRNOTAVAIL, -EPROTONOSUPPORT when they are not there.
int port_listen_tcp(const char *address, const char *service, int *fds, size_t max);
// Whether somebody could listen on that port now, on IPv4 and IPv6.
bool port_tcp_is_free(uint16_t port);
int port_accept(int listener, struct port_peer *peer);
// The supplementary groups of a unix socket's other end, at the time it connected: their number;
// -ERANGE when there are more than `max`.
int port_peer_groups(int fd, uint32_t *gids, size_t max);
int port_connect_unix(const char *path);                  // -EAGAIN: the backlog is full, try again
int port_connect_tcp(const char *address, uint16_t port); // numeric address; ends in PORT_POLL_OUT
int port_socket_error(int fd);                            // of a connection that was under way
int port_local_address(int fd, struct port_peer *local);

// ---- files --------------------------------------------------------------------------------------

#define PORT_OPEN_READ     0x01
#define PORT_OPEN_WRITE    0x02
#define PORT_OPEN_CREATE   0x04
#define PORT_OPEN_NEW      0x08 // with CREATE: -EEXIST when it is there
#define PORT_OPEN_TRUNCATE 0x10
#define PORT_OPEN_APPEND   0x20
#define PORT_OPEN_NOFOLLOW 0x40 // -ELOOP for a symbolic link
#define PORT_ACCESS_RUN    0x100

enum port_kind {
    PORT_FILE,
    PORT_DIRECTORY,
    PORT_LINK,
    PORT_BLOCK,
    PORT_CHARACTER,
    PORT_FIFO,
    PORT_SOCKET,
};

struct port_stat {
    enum port_kind kind;
    uint64_t size;      // bytes; of a block device those that it holds
    uint64_t allocated; // bytes on disk; of a block device all of them
    int64_t mtime_ns;
    uint32_t mode, uid, gid;
    uint64_t device, inode, rdev;
};

int port_open(const char *path, unsigned flags, uint32_t mode);
ptrdiff_t port_pread(int fd, void *to, size_t len, uint64_t offset);
ptrdiff_t port_pwrite(int fd, const void *from, size_t len, uint64_t offset);
int port_sync(int fd);                     // data and metadata are on disk. May block.
int port_sync_directory(const char *path); // so that a rename in it lasts. May block.
int port_truncate(int fd, uint64_t size);
int port_stat(const char *path, struct port_stat *stat); // follows links
int port_lstat(const char *path, struct port_stat *stat);
int port_fstat(int fd, struct port_stat *stat);
int port_access(const char *path, unsigned flags); // PORT_OPEN_READ | _WRITE | PORT_ACCESS_RUN
int port_rename(const char *from, const char *to);
int port_unlink(const char *path);
int port_symlink(const char *target, const char *path);
ptrdiff_t port_readlink(const char *path, char *to, size_t size); // NUL-terminated
int port_chmod(const char *path, uint32_t mode);
int port_chown(const char *path, uint32_t uid, uint32_t gid);
int port_make_directory(const char *path, uint32_t mode);   // -EEXIST when it is there
int port_make_directories(const char *path, uint32_t mode); // with its parents; 0 when it is there
int port_remove_directory(const char *path);
struct port_space {
    uint64_t size, free; // bytes
};
int port_space(const char *path, struct port_space *space); // of its file system. May block.
// A path that means the same from any directory; it is not otherwise resolved.
int port_absolute_path(const char *path, char *to, size_t size);
// A whole small file (a definition, a pid file, something in /proc) of at most size-1 bytes;
// -EFBIG when it is longer. A NUL is put behind it. Returns its length.
ptrdiff_t port_file_read(const char *path, void *to, size_t size);
// Takes the lock of a pid file for as long as the descriptor is open; -EAGAIN when somebody has it.
int port_file_lock(int fd);

struct port_dir {
    int fd;
    size_t at, end;
    _Alignas(8) char entries[4096];
};

int port_dir_open(struct port_dir *dir, const char *path);
const char *port_dir_next(struct port_dir *dir); // NULL at the end; "." and ".." are passed over
void port_dir_close(struct port_dir *dir);

// ---- processes ----------------------------------------------------------------------------------

struct port_spawn {
    const char *const *argv;        // argv[0] is the path of the program
    const char *const *environment; // NULL: PATH and LC_ALL=C only
    const char *directory;          // NULL: /
    int in, out, err;               // -1: /dev/null
    const int *keep;                // further descriptors, from 3 on, which keep their numbers
    size_t keep_count;
    bool session;  // a session and process group of its own: it outlives us
    bool identity; // take on uid and gid (and the user's groups), without any privilege of root's
    uint32_t uid, gid;
    uint32_t mask;                // umask
    uint64_t limit_locked_memory; // bytes, 0: leave
    uint64_t limit_core;          // bytes, UINT64_MAX: unlimited, 0: none
    uint32_t limit_processes;     // of its user, 0: leave
    uint32_t limit_files;         // that it has open, 0: leave
    // Called with the pid before the program is executed; may be NULL. When it returns false, or we
    // end before it returns, the program never is: so no program runs that nobody has noted.
    bool (*note)(void *argument, int pid);
    void *argument;
};

// Starts a program; returns its pid, or a negative errno when it could not be executed: -ECANCELED
// when `note` did not want it to be.
int port_spawn(const struct port_spawn *spawn);

// Runs `work` in a child process with a copy of this process's memory, for whatever may block: its
// writes to `out` are read from the descriptor *out_fd, its result (0 to 255) is the exit status.
// The child keeps no descriptors but `out` (on which it may wait), those in `keep` (at most 16,
// from 3 on) and standard error. Returns the pid.
int port_worker(int (*work)(void *argument, int out), void *argument, const int *keep,
                size_t keep_count, int *out_fd);

struct port_exit {
    bool signalled;
    int status; // exit status, or the signal's number
};

// Takes the exit of any child of ours that has ended: its pid, and it is gone; 0 when none has.
int port_child_reap(struct port_exit *how);
// Whether a child of ours has ended (1, and then it is gone), still runs (0), or is not ours
// (-ECHILD).
int port_child_ended(int pid, struct port_exit *how);

enum port_kill { PORT_KILL_TERM, PORT_KILL_KILL, PORT_KILL_INT, PORT_KILL_HUP, PORT_KILL_QUIT };
int port_kill(int pid, enum port_kill signal);
int port_kill_group(int pid, enum port_kill signal);
// A process is known by its pid and the time it started (in clock ticks since boot): pids come
// back.
int port_process_start(int pid, uint64_t *start);
// A zombie that nobody reaps counts as ended. start 0 matches any.
bool port_process_alive(int pid, uint64_t start);

struct port_usage {
    uint64_t user_ns, system_ns;
    uint64_t resident; // bytes
    uint64_t major_faults, minor_faults;
    int last_cpu;
    // Of a thread only: how long it was ready to run and did not, as the scheduler's two statistics
    // have it (se.wait_sum, which kernels may not keep, and the delay of schedstat).
    uint64_t wait_ns, delay_ns;
};

int port_process_usage(int pid, struct port_usage *usage);
int port_thread_usage(int pid, int tid, struct port_usage *usage);
// Processor sets as bit maps, bit 0 of byte 0 is processor 0. tid may be a pid.
int port_affinity_get(int tid, uint8_t *map, size_t size);
int port_affinity_set(int tid, const uint8_t *map, size_t size);

int port_pid(void);
int port_own_program(char *to, size_t size); // the path of the file that this process runs
uint32_t port_uid(void);                     // effective
uint32_t port_gid(void);
// A name or a number ("107", or "+107" when nobody's name is meant). A number without an account
// has gid (uint32_t)-1.
int port_user_lookup(const char *name, uint32_t *uid, uint32_t *gid);
int port_group_lookup(const char *name, uint32_t *gid);
int port_user_name(uint32_t uid, char *to, size_t size);
int port_group_name(uint32_t gid, char *to, size_t size);
// The gids of the user's own group and of those in which /etc/group lists the user; at most `max`.
// Returns how many.
size_t port_user_groups(uint32_t uid, uint32_t *gids, size_t max);

// Leaves the terminal: returns in the child, which is a session of its own; the parent exits 0 once
// the child calls port_daemon_ready(0), or with the number it is called with.
int port_daemonize(void);
void port_daemon_ready(int status);

// Gives up for good, for this process and all that it starts, the rights that nobody in it uses.
// Returns which kinds of them are gone; what the system can not do is left out.
#define PORT_CONFINE_PRIVILEGES 0x01 // of root, and whatever a set-uid program would bring
#define PORT_CONFINE_CALLS      0x02 // system calls
unsigned port_confine(void);

// ---- the service manager that started us, such as systemd ---------------------------------------

#define PORT_SOCKETS_PASSED_FIRST 3
#define PORT_SOCKETS_PASSED_MAX   16
// How many sockets it has opened for this process, as descriptors from PORT_SOCKETS_PASSED_FIRST
// on, and their names with ':' between them (NULL: none were given). -E2BIG for too many. Once.
int port_sockets_passed(const char **names);
// Whether a descriptor is a stream socket that somebody listens on, and of which kind; else a
// negative errno.
int port_socket_listens(int fd, bool *is_unix);
// Tells it our state ("READY=1"); no effect when nobody wants to know.
int port_notify(const char *state);

// ---- ttys ---------------------------------------------------------------------------------------

int port_tty_open(const char *path); // for reading and writing, raw, not controlling
// Whether what is typed is shown; -ENOTTY when it is no tty.
int port_tty_echo(int fd, bool shown);

// ---- the system's log ---------------------------------------------------------------------------

void port_syslog_open(const char *name);
void port_syslog(int level, const char *text); // level: libvirt's 1 debug to 4 error
int port_journal_open(void); // a datagram socket to systemd-journald, non-blocking

// ---- network devices ----------------------------------------------------------------------------

// Makes a tap device, named by a template such as "vnet%d" whose number is chosen, or exactly
// `name` (which may also be a tap that exists); the name is returned in `name` (PORT_IFNAME_MAX
// bytes).
int port_tap_open(char *name, bool vnet_header);
int port_link_set_mac(const char *name, const uint8_t mac[6]);
int port_link_set_up(const char *name, bool up);
int port_link_set_mtu(const char *name, unsigned mtu);
int port_link_get_mtu(const char *name, unsigned *mtu);
int port_bridge_add(const char *bridge, const char *name); // -ENODEV: no such bridge
bool port_link_exists(const char *name);

struct port_link_stats {
    uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
    uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};
int port_link_stats(const char *name, struct port_link_stats *stats);

// Who the host has heard of on its networks (ARP): "192.168.1.7" at "52:54:00:11:22:33". Returns
// how many were written, at most `max`, or a negative errno.
struct port_neighbour {
    char address[46], mac[18];
};
int port_neighbours(struct port_neighbour *to, size_t max);

// ---- datagrams on the local networks (multicast) ------------------------------------------------

struct port_interface_address {
    unsigned interface; // its index
    enum port_family family;
    uint8_t bytes[16]; // the first 4 of them for IPv4
};

// The lasting addresses of the interfaces that are up and take multicast; not of the loopback, of
// point-to-point links, and of ports of a bridge, which are guests' ends of theirs. Fills at most
// `max` and returns how many.
int port_interface_addresses(struct port_interface_address *list, size_t max);
// A descriptor that becomes readable when an interface or an address comes or goes: read it empty.
int port_interfaces_watch(void);

struct port_datagram {
    unsigned interface; // on which it came, or shall leave
    enum port_family family;
    uint8_t address[16]; // of the other side: where it came from, or goes to
    uint16_t port;       // likewise
    bool multicast;      // it came to a group's address
};

// A datagram socket on that port of every address, which it shares with other programs. Datagrams
// leave with a hop limit of 255 and come back to this host's other programs, and to us.
int port_multicast_open(enum port_family family, uint16_t port);
// Joins a group on an interface; 0 also when it is joined already.
int port_multicast_join(int fd, enum port_family family, const uint8_t *group, unsigned interface);
// One datagram; what does not fit into `len` is cut off.
ptrdiff_t port_datagram_receive(int fd, void *to, size_t len, struct port_datagram *from);
ptrdiff_t port_datagram_send(int fd, const void *from, size_t len, const struct port_datagram *to);

#include "port/host.h"

#endif
