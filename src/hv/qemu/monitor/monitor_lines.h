// Lines from a monitor or a guest agent: bytes from a socket, cut at line ends.
//
// What is read lies in a small buffer of its own, and in a large message slot while a line does not
// fit there. A line that fits neither is thrown away up to its end, and so is one that is not
// complete LINES_LIMIT_NS after it was moved to a slot: the peer is not trusted, and its lines are
// no reason to hold more memory, nor to hold it for longer.
#ifndef HV_QEMU_MONITOR_LINES_H
#define HV_QEMU_MONITOR_LINES_H

#include "core/loop.h"
#include "core/slice.h"
#include "core/slot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINES_SMALL_SIZE 4096
#define LINES_PEEK_SIZE  64 // how much of a thrown-away line is shown
#define LINES_LIMIT_NS   (30 * NS_PER_SEC)

struct lines {
    size_t start;       // of the first byte that was not handed out
    size_t scanned;     // from here on no line end has been looked for
    size_t len;         // bytes in the buffer
    struct slot *large; // the buffer, when it is not `small`
    struct timer limit; // of a line in `large`
    bool handed_out;    // some line, since `limit` runs
    bool skipping;      // inside a line that is thrown away
    uint8_t peek_len;
    char peek[LINES_PEEK_SIZE];
    char small[LINES_SMALL_SIZE];
};

enum lines_result {
    LINES_NONE,     // no whole line: read more
    LINES_LINE,     // *line is one, without its line end; it stays valid until the next lines_...()
    LINES_TOO_LONG, // one was thrown away; *line is how it began
};

enum lines_read {
    LINES_READ,    // there is something new
    LINES_WAIT,    // nothing to read now
    LINES_NO_ROOM, // a large slot is needed and none is free: try again later
    LINES_END,     // end of file, or an error: *error is 0 or a negative errno value
};

enum lines_result lines_next(struct lines *lines, struct slice *line);
enum lines_read lines_read(struct lines *lines, int fd, int *error);
// Gives the slot back. Zero is a valid first state; the struct must not move.
void lines_reset(struct lines *lines);

#endif
