// Base64: three bytes are four digits of six bits.
#include "text/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_put(struct buffer *b, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (i + k < len ? at[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            buffer_putc(b, i + k > len ? '=' : digits[group >> (18 - 6 * k) & 63]);
    }
}

// The padding counts as digits that are 0. False when there is another character among the digits.
static bool read_group(const char *at, size_t count, uint32_t *group)
{
    *group = 0;
    for (size_t k = 0; k < 4; k++) {
        const char *digit = k < count ? memchr(digits, at[k], sizeof(digits) - 1) : digits;
        if (!digit)
            return false;
        *group = *group << 6 | (uint32_t)(digit - digits);
    }
    return true;
}

ptrdiff_t base64_decode(void *to, size_t size, struct slice s)
{
    uint8_t *bytes = to;
    uint32_t group;
    size_t len = 0, end = s.len;
    if (s.len % 4)
        return -1;
    while (end && s.len - end < 2 && s.at[end - 1] == '=')
        end--;
    for (size_t i = 0; i < end; i += 4) {
        size_t count = end - i < 4 ? end - i : 4; // of digits: one byte less
        if (!read_group(s.at + i, count, &group) || size - len < count - 1)
            return -1;
        for (size_t k = 0; k + 1 < count; k++)
            bytes[len++] = (uint8_t)(group >> (16 - 8 * k));
    }
    return (ptrdiff_t)len;
}
