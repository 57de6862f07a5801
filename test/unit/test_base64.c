// Base64: what it makes of bytes, and how strictly it is read.
#include "text/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void the_vectors_of_the_rfc_go_both_ways(void **state)
{
    static const char *const vectors[][2] = {
        // RFC 4648 section 10
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        char text[16], bytes[8] = "";
        size_t len = strlen(vectors[i][0]);
        struct buffer b = buffer_over(text, sizeof(text));
        base64_put(&b, vectors[i][0], len);
        assert_true(buffer_ok(&b));
        assert_string_equal(text, vectors[i][1]);
        assert_int_equal(base64_decode(bytes, len, buffer_slice(&b)), len);
        assert_memory_equal(bytes, vectors[i][0], len);
    }
}

static void every_byte_goes_both_ways(void **state)
{
    uint8_t bytes[256], back[sizeof(bytes)];
    char text[sizeof(bytes) * 2];
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    for (size_t len = sizeof(bytes) - 3; len <= sizeof(bytes); len++) {
        struct buffer b = buffer_over(text, sizeof(text));
        base64_put(&b, bytes, len);
        assert_int_equal(base64_decode(back, sizeof(back), buffer_slice(&b)), len);
        assert_memory_equal(back, bytes, len);
    }
}

static void it_is_read_strictly(void **state)
{
    (void)state;
    char to[16];
    assert_int_equal(base64_decode(to, sizeof(to), SLICE("YWJj")), 3);
    assert_int_equal(base64_decode(to, sizeof(to), SLICE("YWI=")), 2);
    assert_int_equal(base64_decode(to, sizeof(to), SLICE("")), 0);
    static const char *const cases[] = {
        "YWJ",   "YWJj\n",     "YW Jj=",   "=WJj",     "Y===", "YW=j",
        "YWI==", "YWJjYWI=\n", "\r\nYWJj", "YWI=YWJj", "YW_j", "====",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (base64_decode(to, sizeof(to), slice_of(cases[i])) >= 0)
            fail_msg("'%s' was taken", cases[i]);
    assert_int_equal(base64_decode(to, sizeof(to), (struct slice){"YW\0j", 4}), -1);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    char to[16];
    struct buffer b = buffer_over(to, 4); // a NUL needs room, too
    base64_put(&b, "abc", 3);
    assert_false(buffer_ok(&b));
    assert_int_equal(base64_decode(to, 2, SLICE("YWJj")), -1);
    assert_int_equal(base64_decode(to, 3, SLICE("YWJjYQ==")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc_go_both_ways),
        cmocka_unit_test(every_byte_goes_both_ways),
        cmocka_unit_test(it_is_read_strictly),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
