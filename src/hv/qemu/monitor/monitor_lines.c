// Lines from a monitor or a guest agent: bytes from a socket, cut at line ends.
#include "hv/qemu/monitor/monitor_lines.h"

#include "port/port.h"

#include <errno.h>
#include <string.h>

static char *buffer_of(struct lines *lines)
{
    return lines->large ? (char *)lines->large->at : lines->small;
}

static size_t size_of(const struct lines *lines)
{
    return lines->large ? lines->large->size : sizeof(lines->small);
}

// Moves what was not handed out yet to the front, and back into the small buffer when it fits.
static void compact(struct lines *lines)
{
    char *from = buffer_of(lines);
    size_t rest = lines->len - lines->start;
    bool shrink = lines->large && rest < sizeof(lines->small) / 2;
    char *to = shrink ? lines->small : from;
    if (to != from + lines->start && rest)
        memmove(to, from + lines->start, rest);
    lines->scanned -= lines->start;
    lines->len = rest;
    lines->start = 0;
    if (shrink) {
        slot_release(lines->large);
        lines->large = NULL;
    }
}

// From now on the line is thrown away; how it began is kept.
static void skip_line(struct lines *lines)
{
    lines->peek_len = LINES_PEEK_SIZE;
    memcpy(lines->peek, buffer_of(lines), LINES_PEEK_SIZE);
    lines->skipping = true;
    lines->len = 0;
    lines->scanned = 0;
}

static bool make_room(struct lines *lines)
{
    compact(lines);
    if (lines->len < size_of(lines))
        return true;
    if (lines->large) {
        skip_line(lines);
        return true;
    }
    struct slot *large = slot_take_outgoing(SLOT_LARGE_SIZE);
    if (!large)
        return false;
    memcpy(large->at, lines->small, lines->len);
    lines->large = large;
    return true;
}

enum lines_read lines_read(struct lines *lines, int fd, int *error)
{
    *error = 0;
    if (!make_room(lines))
        return LINES_NO_ROOM;
    ptrdiff_t got = port_read(fd, buffer_of(lines) + lines->len, size_of(lines) - lines->len);
    if (got == -EAGAIN || got == -EINTR)
        return LINES_WAIT;
    if (got <= 0) {
        *error = (int)got;
        return LINES_END;
    }
    lines->len += (size_t)got;
    return LINES_READ;
}

enum lines_result lines_next(struct lines *lines, struct slice *line)
{
    char *at = buffer_of(lines);
    char *end = lines->len > lines->scanned
                    ? memchr(at + lines->scanned, '\n', lines->len - lines->scanned)
                    : NULL;
    if (!end) {
        lines->scanned = lines->len;
        if (lines->skipping)
            lines->start = lines->len;
        if (lines->large) // which others need while this peer is silent
            compact(lines);
        return LINES_NONE;
    }
    size_t start = lines->start;
    size_t next = (size_t)(end - at) + 1;
    lines->start = lines->scanned = next;
    if (lines->skipping) {
        lines->skipping = false;
        *line = (struct slice){lines->peek, lines->peek_len};
        return LINES_TOO_LONG;
    }
    *line = (struct slice){at + start, next - 1 - start};
    if (slice_ends(*line, "\r"))
        line->len--;
    return LINES_LINE;
}

void lines_reset(struct lines *lines)
{
    slot_release(lines->large);
    lines->large = NULL;
    lines->start = lines->scanned = lines->len = 0;
    lines->skipping = false;
}
