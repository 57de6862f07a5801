// What the files of the Linux port share. Each of them includes this first: it asks the C library
// for everything that Linux has.
#ifndef PORT_LINUX_LINUX_H
#define PORT_LINUX_LINUX_H

#define _GNU_SOURCE

#include "core/config.h"
#include "port/port.h"

#include <errno.h>

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

// ---- text of the system's tables, read piece by piece with no line too long (text.c) ------------

struct port_text {
    int fd;
    size_t at, end;
    char buffer[1024];
};

int port_text_open(struct port_text *text, const char *path);
void port_text_close(struct port_text *text);
// Reads up to one of the characters in `stops` or the end of the line into `to`; a field that does
// not fit there is read as an empty one. Returns the character that stopped it, '\n' at a line's
// end, EOF (-1) behind the last line.
int port_text_field(struct port_text *text, const char *stops, char *to, size_t size);
// Goes to the start of the next line; false at the end.
bool port_text_skip(struct port_text *text);

// ---- children (process.c, spawn.c, worker.c) ----------------------------------------------------

// Forks with every signal blocked, so that no handler of ours runs in the child. In the child (0)
// signals are back to their defaults and unblocked.
int port_fork(void);
// Closes every descriptor from 3 on but those in `keep`.
void port_close_others(const int *keep, size_t keep_count);
// Marks every descriptor from 3 on to be closed by exec.
void port_close_others_on_exec(void);
// The gids of the groups in which /etc/group lists the user; at most `max`. Returns how many.
size_t port_user_groups(uint32_t uid, uint32_t *gids, size_t max);

#endif
