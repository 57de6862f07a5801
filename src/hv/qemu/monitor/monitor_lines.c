// Lines from a monitor or a guest agent: bytes from a socket, cut at line ends.
#include "hv/qemu/monitor/monitor_lines.h"

#include "port/port.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static char *buffer_of(struct lines *lines)
{
    return lines->large ? (char *)lines->large->at : lines->small;
}

static size_t size_of(const struct lines *lines)
{
    return lines->large ? lines->large->size : sizeof(lines->small);
}

static void release_large(struct lines *lines)
{
    timer_stop(&lines->limit);
    slot_release(lines->large);
    lines->large = NULL;
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
    if (shrink)
        release_large(lines);
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

// The time of the line in the slot is over. One that is whole waits for us, not for the peer; and
// when lines were handed out meanwhile, a new one has begun behind them, which has all of it.
static void line_is_late(struct timer *timer)
{
    struct lines *lines = (struct lines *)(void *)((char *)timer - offsetof(struct lines, limit));
    if (lines->start || lines->handed_out || lines->scanned < lines->len) {
        lines->handed_out = false;
        timer_start(&lines->limit, LINES_LIMIT_NS, line_is_late);
        return;
    }
    skip_line(lines);
    release_large(lines);
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
    lines->handed_out = false;
    timer_start(&lines->limit, LINES_LIMIT_NS, line_is_late);
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
    lines->handed_out = true;
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
    release_large(lines);
    lines->start = lines->scanned = lines->len = 0;
    lines->skipping = false;
}
