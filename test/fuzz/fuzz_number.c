// Numbers, uuids and UTF-8: the small readers, against strtoull() and against their own writers.
#include "fuzz.h"

#include "text/utf8.h"
#include "virt/domain/domain.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

static char text[256];

// Whether C's own reader takes all of the text, without what it takes beyond digits.
static bool reference_u64(const char *digits, int base, unsigned long long *value)
{
    char *end;
    if (!isalnum((unsigned char)digits[0]))
        return false;
    errno = 0;
    *value = strtoull(digits, &end, base);
    return errno == 0 && end != digits && *end == '\0';
}

static void check_numbers(struct slice s, int base)
{
    uint64_t u64 = 0;
    int64_t i64 = 0;
    uint32_t u32 = 0;
    unsigned long long expected = 0;
    bool plain = memchr(s.at, '\0', s.len) == NULL;
    bool is_u64 = slice_u64(s, base, &u64);
    bool should = plain && reference_u64(text, base, &expected);
    if (is_u64 != should || (is_u64 && u64 != expected))
        FUZZ_FAIL("'%s' in base %d is %d %llu, not %d %llu", text, base, should, expected, is_u64,
                  (unsigned long long)u64);
    FUZZ_CHECK(slice_u32(s, base, &u32) == (is_u64 && u64 <= UINT32_MAX));
    if (is_u64 && u64 <= UINT32_MAX)
        FUZZ_CHECK(u32 == u64);
    if (is_u64 && u64 <= INT64_MAX)
        FUZZ_CHECK(slice_i64(s, base, &i64) && (uint64_t)i64 == u64);
}

static void check_uuid(struct slice s)
{
    uint8_t uuid[16], again[16];
    char shown[37];
    if (!domain_uuid_parse(s, uuid))
        return;
    domain_uuid_format(uuid, shown);
    FUZZ_CHECK(domain_uuid_parse(slice_of(shown), again));
    FUZZ_CHECK(memcmp(uuid, again, sizeof(uuid)) == 0);
}

static void check_utf8(struct slice s)
{
    bool valid = true;
    for (struct slice rest = s; rest.len > 0;) {
        uint32_t character;
        char bytes[4];
        unsigned len = utf8_read(rest, &character);
        if (len == 0) {
            valid = false;
            break;
        }
        FUZZ_CHECK(utf8_write(character, bytes) == len && memcmp(bytes, rest.at, len) == 0);
        rest = slice_from(rest, len);
    }
    FUZZ_CHECK(utf8_valid(s) == valid);
    char shown[1024];
    struct buffer out = buffer_over(shown, sizeof(shown));
    utf8_put_printable(&out, s);
    FUZZ_CHECK(utf8_valid(buffer_slice(&out)));
}

void fuzz_one(struct slice input)
{
    if (input.len >= sizeof(text))
        return;
    memcpy(text, input.at, input.len);
    text[input.len] = '\0';
    check_numbers(input, 10);
    check_numbers(input, 8);
    check_numbers(input, 16);
    check_numbers(input, 0);
    check_uuid(input);
    check_utf8(input);
}
