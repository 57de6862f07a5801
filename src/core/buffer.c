// Buffers: text built up in memory that the caller owns.
#include "core/buffer.h"

#include "core/assert.h"

#include <stdio.h>
#include <string.h>

struct buffer buffer_over(void *memory, size_t size)
{
    assert(size > 0);
    struct buffer b = {.at = memory, .size = size};
    b.at[0] = '\0';
    return b;
}

void buffer_put(struct buffer *b, struct slice s)
{
    if (b->full || s.len >= b->size - b->len) {
        b->full = b->full || s.len > 0;
        return;
    }
    if (s.len)
        memcpy(b->at + b->len, s.at, s.len);
    b->len += s.len;
    b->at[b->len] = '\0';
}

void buffer_puts(struct buffer *b, const char *string)
{
    buffer_put(b, slice_of(string));
}

void buffer_putc(struct buffer *b, char c)
{
    buffer_put(b, (struct slice){&c, 1});
}

void buffer_vprintf(struct buffer *b, const char *format, va_list args)
{
    if (b->full)
        return;
    size_t room = b->size - b->len;
    int wanted = vsnprintf(b->at + b->len, room, format, args);
    if (wanted < 0 || (size_t)wanted >= room) {
        b->at[b->len] = '\0';
        b->full = true;
        return;
    }
    b->len += (size_t)wanted;
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buffer_vprintf(b, format, args);
    va_end(args);
}

bool buffer_ok(const struct buffer *b)
{
    return !b->full;
}

struct slice buffer_slice(const struct buffer *b)
{
    return (struct slice){b->at, b->len};
}
