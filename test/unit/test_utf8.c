// UTF-8: every character, and everything that is none.
#include "text/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void every_character_is_written_and_read_back(void **state)
{
    (void)state;
    for (uint32_t character = 0; character <= 0x10FFFF; character++) {
        char bytes[4];
        uint32_t back = 0;
        if (character >= 0xD800 && character <= 0xDFFF)
            continue;
        unsigned length = utf8_write(character, bytes);
        if (utf8_read((struct slice){bytes, length}, &back) != length || back != character)
            fail_msg("U+%04X", (unsigned)character);
        if (utf8_read((struct slice){bytes, length - 1}, &back) != 0)
            fail_msg("U+%04X cut", (unsigned)character);
    }
}

static void what_is_not_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",     // a continuation alone
        "\xC0\x80", // overlong forms
        "\xC1\xBF",
        "\xE0\x9F\xBF",
        "\xF0\x8F\xBF\xBF",
        "\xED\xA0\x80", // surrogates
        "\xED\xBF\xBF",
        "\xF4\x90\x80\x80", // above U+10FFFF
        "\xF5\x80\x80\x80",
        "\xFE",
        "\xFF",
        "\xC3(", // cut off by another character
        "\xE2\x82(",
    };
    uint32_t character;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(utf8_read(slice_of(bad[i]), &character), 0);
        assert_false(utf8_valid(slice_of(bad[i])));
    }
    assert_int_equal(utf8_read(SLICE(""), &character), 0);
    assert_true(utf8_valid(SLICE("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")));
    assert_true(utf8_valid(SLICE_NONE));
}

static void messages_show_what_can_be_shown(void **state)
{
    (void)state;
    char memory[64];
    struct buffer b = buffer_over(memory, sizeof(memory));
    utf8_put_printable(&b, SLICE("a\x01\tb\xC3\xA9\xFF\xE2\x82\n"));
    assert_string_equal(memory, "a?\tb\xC3\xA9????");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_written_and_read_back),
        cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(messages_show_what_can_be_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
