// UTF-8 (RFC 3629): one character read, one character written.
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include "core/buffer.h"

// Reads the character at the front of `s` and returns how many bytes it takes; 0 when the bytes are
// not UTF-8 (an overlong form, a surrogate, a number above 0x10FFFF, a cut sequence, nothing).
unsigned utf8_read(struct slice s, uint32_t *character);
// Writes a character (at most 0x10FFFF, no surrogate) and returns how many bytes it took.
unsigned utf8_write(uint32_t character, char to[4]);
bool utf8_valid(struct slice s);
// Appends `s` for a message: what is no UTF-8, and control characters, become question marks.
void utf8_put_printable(struct buffer *b, struct slice s);

#endif
