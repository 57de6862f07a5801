// Buffers: text built up in memory that the caller owns, with one check at the end.
//
// Each put either fits or marks the buffer as full and leaves it as it was from then on, so a
// builder writes straight on and asks buffer_ok() once.
#ifndef CORE_BUFFER_H
#define CORE_BUFFER_H

#include "core/slice.h"

#include <stdarg.h>

struct buffer {
    char *at;
    size_t size; // bytes at `at`; one of them is kept for the NUL that always ends the text
    size_t len;  // without the NUL
    bool full;
};

// `size` must be at least 1. The buffer is empty and terminated afterwards.
struct buffer buffer_over(void *memory, size_t size);
void buffer_put(struct buffer *b, struct slice s);
void buffer_puts(struct buffer *b, const char *string);
void buffer_putc(struct buffer *b, char c);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *b, const char *format, va_list args);
bool buffer_ok(const struct buffer *b);
struct slice buffer_slice(const struct buffer *b);

#endif
