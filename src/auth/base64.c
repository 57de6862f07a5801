// Base64: mbedTLS does it, but it would take line breaks and blanks, too.
#include "auth/base64.h"

#include <mbedtls/base64.h>

#include <string.h>

void base64_put(struct buffer *b, const void *bytes, size_t len)
{
    size_t room = b->size - b->len, put = 0;
    if (b->full || mbedtls_base64_encode((unsigned char *)b->at + b->len, room, &put, bytes, len)) {
        b->full = true;
        b->at[b->len] = '\0';
        return;
    }
    b->len += put;
}

static bool is_base64(struct slice s)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t end = s.len;
    if (s.len % 4)
        return false;
    while (end && s.len - end < 2 && s.at[end - 1] == '=')
        end--;
    for (size_t i = 0; i < end; i++)
        if (!memchr(alphabet, s.at[i], sizeof(alphabet) - 1))
            return false;
    return true;
}

ptrdiff_t base64_decode(void *to, size_t size, struct slice s)
{
    size_t len = 0;
    if (!is_base64(s))
        return -1;
    if (s.len && mbedtls_base64_decode(to, size, &len, (const unsigned char *)s.at, s.len))
        return -1;
    return (ptrdiff_t)len;
}
