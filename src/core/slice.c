// Slices: comparing, cutting and reading numbers from bytes that somebody else owns.
#include "core/slice.h"

#include <string.h>

struct slice slice_of(const char *string)
{
    return (struct slice){string, string ? strlen(string) : 0};
}

bool slice_equal(struct slice a, struct slice b)
{
    if (!a.at || !b.at)
        return a.at == b.at;
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

bool slice_is(struct slice s, const char *string)
{
    if (!s.at)
        return false;
    for (size_t i = 0; i < s.len; i++) // most differ in the first byte
        if (string[i] == '\0' || string[i] != s.at[i])
            return false;
    return string[s.len] == '\0';
}

bool slice_starts(struct slice s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.at && s.len >= len && memcmp(s.at, prefix, len) == 0;
}

bool slice_ends(struct slice s, const char *suffix)
{
    size_t len = strlen(suffix);
    return s.at && s.len >= len && memcmp(s.at + (s.len - len), suffix, len) == 0;
}

ptrdiff_t slice_find(struct slice s, char c)
{
    const char *found = s.len ? memchr(s.at, c, s.len) : NULL;
    return found ? found - s.at : -1;
}

bool slice_contains(struct slice s, const char *needle)
{
    size_t len = strlen(needle);
    for (size_t i = 0; i + len <= s.len; i++)
        if (memcmp(s.at + i, needle, len) == 0)
            return true;
    return false;
}

struct slice slice_from(struct slice s, size_t start)
{
    if (start > s.len)
        start = s.len;
    return (struct slice){s.at ? s.at + start : NULL, s.len - start};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t character_end(struct slice s, size_t at)
{
    do
        at++;
    while (at < s.len && ((unsigned char)s.at[at] & 0xC0) == 0x80);
    return at;
}

bool slice_matches(struct slice s, const char *pattern)
{
    const char *star = NULL;
    size_t at = 0, resume = 0;
    while (at < s.len) {
        if (*pattern == '*') {
            star = pattern++;
            resume = at;
        } else if (*pattern == '?') {
            pattern++;
            at = character_end(s, at);
        } else if (*pattern && *pattern == s.at[at]) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star + 1;
            at = resume = character_end(s, resume);
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

struct slice slice_trim(struct slice s)
{
    while (s.len && is_blank(s.at[0]))
        s = slice_from(s, 1);
    while (s.len && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

bool slice_split(struct slice *rest, char separator, struct slice *part)
{
    if (!rest->at)
        return false;
    ptrdiff_t end = slice_find(*rest, separator);
    *part = *rest;
    if (end < 0) {
        *rest = SLICE_NONE;
        return true;
    }
    part->len = (size_t)end;
    *rest = slice_from(*rest, (size_t)end + 1);
    return true;
}

bool slice_copy(char *to, size_t size, struct slice s)
{
    if (s.len >= size || slice_find(s, '\0') >= 0) {
        to[0] = '\0';
        return false;
    }
    if (s.len)
        memcpy(to, s.at, s.len);
    to[s.len] = '\0';
    return true;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return 99;
}

bool slice_u64(struct slice s, int base, uint64_t *value)
{
    bool hex = slice_starts(s, "0x") || slice_starts(s, "0X");
    if (hex && (base == 0 || base == 16)) {
        s = slice_from(s, 2);
        base = 16;
    }
    if (base == 0)
        base = slice_starts(s, "0") ? 8 : 10;
    if (s.len == 0)
        return false;
    uint64_t sum = 0;
    for (size_t i = 0; i < s.len; i++) {
        int digit = digit_value(s.at[i]);
        if (digit >= base || sum > (UINT64_MAX - (uint64_t)digit) / (uint64_t)base)
            return false;
        sum = sum * (uint64_t)base + (uint64_t)digit;
    }
    *value = sum;
    return true;
}

bool slice_i64(struct slice s, int base, int64_t *value)
{
    bool negative = slice_starts(s, "-");
    uint64_t magnitude;
    if (!slice_u64(negative ? slice_from(s, 1) : s, base, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1u : 0u))
        return false;
    *value =
        negative ? -(int64_t)(magnitude - (magnitude != 0)) - (magnitude != 0) : (int64_t)magnitude;
    return true;
}

bool slice_u32(struct slice s, int base, uint32_t *value)
{
    uint64_t wide;
    if (!slice_u64(s, base, &wide) || wide > UINT32_MAX)
        return false;
    *value = (uint32_t)wide;
    return true;
}
