// Base64 (RFC 4648 section 4), strictly: no line breaks, no blanks, and padding where it belongs.
#ifndef TEXT_BASE64_H
#define TEXT_BASE64_H

#include "core/buffer.h"

// Appends `len` bytes as base64.
void base64_put(struct buffer *b, const void *bytes, size_t len);
// Decodes all of `s` to at most `size` bytes and returns how many there are; -1 when `s` is not
// base64 or does not fit.
ptrdiff_t base64_decode(void *to, size_t size, struct slice s);

#endif
