// UTF-8 (RFC 3629): one character read, one character written.
#include "text/utf8.h"

// By the number of bytes of a sequence: the smallest character that needs that many (RFC 3629
// section 3: a shorter form exists otherwise), and the bits that its first byte carries.
static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
static const unsigned char first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};

static unsigned sequence_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xC2)
        return 0;
    if (first < 0xE0)
        return 2;
    if (first < 0xF0)
        return 3;
    return first < 0xF5 ? 4 : 0;
}

unsigned utf8_read(struct slice s, uint32_t *character)
{
    if (s.len == 0)
        return 0;
    const unsigned char *bytes = (const unsigned char *)s.at;
    unsigned length = sequence_length(bytes[0]);
    if (length == 0 || length > s.len)
        return 0;
    uint32_t sum = bytes[0] & first_bits[length];
    for (unsigned i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        sum = sum << 6 | (bytes[i] & 0x3F);
    }
    bool surrogate = sum >= 0xD800 && sum <= 0xDFFF;
    if (sum < smallest[length] || sum > 0x10FFFF || surrogate)
        return 0;
    *character = sum;
    return length;
}

unsigned utf8_write(uint32_t character, char to[4])
{
    if (character < 0x80) {
        to[0] = (char)character;
        return 1;
    }
    unsigned length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (unsigned i = length - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    unsigned char mark = (unsigned char)(0xF00u >> length);
    to[0] = (char)(mark | character);
    return length;
}

bool utf8_valid(struct slice s)
{
    uint32_t character;
    while (s.len) {
        unsigned length = utf8_read(s, &character);
        if (length == 0)
            return false;
        s = slice_from(s, length);
    }
    return true;
}

void utf8_put_printable(struct buffer *b, struct slice s)
{
    uint32_t character;
    while (s.len) {
        unsigned length = utf8_read(s, &character);
        bool printable = length && (character >= ' ' || character == '\t');
        buffer_put(b, printable ? (struct slice){s.at, length} : SLICE("?"));
        s = slice_from(s, length ? length : 1);
    }
}
