// What the files of the Linux port share. Each of them includes this first: it asks the C library
// for everything that Linux has.
#ifndef PORT_LINUX_LINUX_H
#define PORT_LINUX_LINUX_H

#define _GNU_SOURCE

#include "core/config.h"
#include "port/port.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

// The result of a system call in the port's convention.
static inline int port_result(long result)
{
    return result < 0 ? -errno : (int)result;
}

// States that the calling function can wait for a device; see port_loop_guard().
#ifdef CONFIG_DEBUG_CHECKS
void port_may_block(const char *function);
#else
#define port_may_block(function) ((void)0)
#endif

// CPU time that port_cpu_ns() leaves out, because nothing here can make it shorter: the kernel's
// work of reaping, in checking builds.
extern uint64_t port_cpu_left_out;

// The type of ioctl's command: the C libraries differ.
#ifdef __GLIBC__
typedef unsigned long port_ioctl_command;
#else
typedef int port_ioctl_command; // as POSIX has it
#endif

// ---- text of the system's tables, read piece by piece with no line too long (text.c) ------------

struct port_text {
    int fd;
    size_t at, end;
    char buffer[1024];
};

int port_text_open(struct port_text *text, const char *path);
int port_text_open_etc(struct port_text *text, const char *name); // /etc/NAME of the host
void port_text_close(struct port_text *text);
// Reads up to one of the characters in `stops` or the end of the line into `to`; a field that does
// not fit there is read as an empty one. Returns the character that stopped it, '\n' at a line's
// end, EOF (-1) behind the last line.
int port_text_field(struct port_text *text, const char *stops, char *to, size_t size);
// Reads the numbers that follow in the line, with blanks between them, and not more than `most`;
// how many there were.
size_t port_text_numbers(struct port_text *text, uint64_t *numbers, size_t most);
// Goes to the start of the next line; false at the end.
bool port_text_skip(struct port_text *text);

// ---- the files that describe the host, below port_host_root() (host_files.c) --------------------

// The path of such a file, made by printf.
void port_host_path(char path[PORT_PATH_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// A short file's text without the end of its line; its length or a negative errno.
ptrdiff_t port_host_text(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// A file that holds one number, decimal or 0x...; "32K", "2M" are scaled.
int port_host_number(int64_t *value, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A file that holds a list such as "0-3,8": sets its bits, those from `count` on left out.
int port_host_list(uint8_t *bits, size_t count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// ---- addresses of sockets (names.c)
// --------------------------------------------------------------

union port_address {
    struct sockaddr any;
    struct sockaddr_un local;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

// A numeric address, "192.0.2.1", "2001:db8::1" or "fe80::1%eth0".
bool port_address_parse(const char *text, union port_address *to);
void port_address_set_port(union port_address *address, uint16_t port);
// The addresses of this machine that a name (NULL: any address) and a port number or service name
// mean, from /etc/hosts and /etc/services. Returns how many; -EADDRNOTAVAIL for an unknown name,
// -EPROTONOSUPPORT for an unknown service.
int port_resolve(const char *name, const char *service, union port_address *to, size_t max);

// ---- children (process.c, spawn.c, worker.c) ----------------------------------------------------

// Forks with every signal blocked, so that no handler of ours runs in the child. In the child (0)
// signals are back to their defaults and unblocked.
int port_fork(void);
// Closes every descriptor from 3 on but those in `keep`.
void port_close_others(const int *keep, size_t keep_count);
// Marks every descriptor from 3 on to be closed by exec.
void port_close_others_on_exec(void);
// No program that this process starts from now on has any capability, not even as root.
bool port_drop_all_privileges(void);
// Refuses the system calls that nobody here needs; needs PR_SET_NO_NEW_PRIVS (seccomp.c).
bool port_filter_calls(void);

#endif
