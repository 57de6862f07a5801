// Slices: comparing, cutting, reading numbers.
#include "core/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_slice(struct slice s, const char *expected)
{
    assert_true(slice_present(s));
    assert_int_equal(s.len, strlen(expected));
    assert_memory_equal(s.at, expected, s.len);
}

static void absent_is_not_empty(void **state)
{
    (void)state;
    assert_false(slice_present(SLICE_NONE));
    assert_true(slice_present(SLICE("")));
    assert_false(slice_present(slice_of(NULL)));
    assert_true(slice_equal(SLICE_NONE, SLICE_NONE));
    assert_false(slice_equal(SLICE_NONE, SLICE("")));
    assert_true(slice_is(SLICE(""), ""));
    assert_false(slice_is(SLICE_NONE, ""));
    assert_false(slice_starts(SLICE_NONE, ""));
    assert_false(slice_ends(SLICE_NONE, ""));
}

static void slices_are_compared_by_bytes_not_by_address(void **state)
{
    (void)state;
    char copy[] = "abc";
    assert_true(slice_equal(SLICE("abc"), slice_of(copy)));
    assert_false(slice_equal(SLICE("abc"), SLICE("abd")));
    assert_false(slice_equal(SLICE("abc"), SLICE("ab")));
    assert_true(slice_equal((struct slice){"a\0b", 3}, (struct slice){"a\0b", 3}));
    assert_false(slice_is((struct slice){"a\0b", 3}, "a"));
}

static void prefixes_suffixes_and_parts_are_found(void **state)
{
    (void)state;
    struct slice s = SLICE("domain.xml");
    assert_true(slice_starts(s, "domain") && slice_starts(s, ""));
    assert_false(slice_starts(s, "domain.xml.old"));
    assert_true(slice_ends(s, ".xml") && slice_ends(s, ""));
    assert_false(slice_ends(s, "old.domain.xml"));
    assert_true(slice_contains(s, "main.x") && slice_contains(s, "xml") && slice_contains(s, ""));
    assert_false(slice_contains(s, "xmlx"));
    assert_false(slice_contains(SLICE_NONE, "x"));
    assert_int_equal(slice_find(s, '.'), 6);
    assert_int_equal(slice_find(s, '/'), -1);
    assert_int_equal(slice_find(SLICE_NONE, 'x'), -1);
}

static void cutting_beyond_the_end_leaves_nothing(void **state)
{
    (void)state;
    assert_slice(slice_from(SLICE("abc"), 1), "bc");
    assert_slice(slice_from(SLICE("abc"), 3), "");
    assert_slice(slice_from(SLICE("abc"), 100), "");
    assert_false(slice_present(slice_from(SLICE_NONE, 1)));
}

static void white_space_is_trimmed_at_both_ends_only(void **state)
{
    (void)state;
    assert_slice(slice_trim(SLICE(" \t\r\n a b \n")), "a b");
    assert_slice(slice_trim(SLICE(" \t ")), "");
    assert_slice(slice_trim(SLICE("x")), "x");
    assert_false(slice_present(slice_trim(SLICE_NONE)));
}

static void splitting_gives_every_part_even_empty_ones(void **state)
{
    (void)state;
    struct slice rest = SLICE("a//b/"), part;
    assert_true(slice_split(&rest, '/', &part));
    assert_slice(part, "a");
    assert_true(slice_split(&rest, '/', &part));
    assert_slice(part, "");
    assert_true(slice_split(&rest, '/', &part));
    assert_slice(part, "b");
    assert_true(slice_split(&rest, '/', &part));
    assert_slice(part, "");
    assert_false(slice_split(&rest, '/', &part));
    rest = SLICE("");
    assert_true(slice_split(&rest, '/', &part));
    assert_slice(part, "");
    assert_false(slice_split(&rest, '/', &part));
}

static void a_copy_is_whole_or_empty(void **state)
{
    (void)state;
    char to[4];
    assert_true(slice_copy(to, sizeof(to), SLICE("abc")));
    assert_string_equal(to, "abc");
    assert_false(slice_copy(to, sizeof(to), SLICE("abcd")));
    assert_string_equal(to, "");
    assert_false(slice_copy(to, sizeof(to), (struct slice){"a\0b", 3}));
    assert_string_equal(to, "");
    assert_true(slice_copy(to, sizeof(to), SLICE_NONE));
    assert_string_equal(to, "");
}

static void numbers_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    uint64_t u = 7;
    assert_true(slice_u64(SLICE("18446744073709551615"), 10, &u));
    assert_true(u == UINT64_MAX);
    assert_true(slice_u64(SLICE("007"), 10, &u) && u == 7);
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "+1",
                                      "-1",
                                      "1x",
                                      "0x",
                                      "0x10",
                                      "18446744073709551616",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(slice_u64(slice_of(bad[i]), 10, &u));
    assert_false(slice_u64(SLICE_NONE, 10, &u));
    assert_int_equal(u, 7);
}

static void bases_and_their_prefix_are_known(void **state)
{
    (void)state;
    uint64_t u;
    assert_true(slice_u64(SLICE("0xfF"), 0, &u) && u == 255);
    assert_true(slice_u64(SLICE("0XfF"), 16, &u) && u == 255);
    assert_true(slice_u64(SLICE("ff"), 16, &u) && u == 255);
    assert_true(slice_u64(SLICE("10"), 0, &u) && u == 10);
    assert_true(slice_u64(SLICE("010"), 0, &u) && u == 8);
    assert_true(slice_u64(SLICE("0"), 0, &u) && u == 0);
    assert_false(slice_u64(SLICE("08"), 0, &u));
    assert_true(slice_u64(SLICE("770"), 8, &u) && u == 0770);
    assert_false(slice_u64(SLICE("8"), 8, &u));
    assert_false(slice_u64(SLICE("fg"), 16, &u));
    assert_false(slice_u64(SLICE("0x"), 0, &u));
}

static void signed_numbers_reach_both_ends(void **state)
{
    (void)state;
    int64_t i;
    assert_true(slice_i64(SLICE("-9223372036854775808"), 10, &i) && i == INT64_MIN);
    assert_true(slice_i64(SLICE("9223372036854775807"), 10, &i) && i == INT64_MAX);
    assert_true(slice_i64(SLICE("-0"), 10, &i) && i == 0);
    assert_true(slice_i64(SLICE("-1"), 10, &i) && i == -1);
    assert_false(slice_i64(SLICE("9223372036854775808"), 10, &i));
    assert_false(slice_i64(SLICE("-9223372036854775809"), 10, &i));
    assert_false(slice_i64(SLICE("-"), 10, &i));
    assert_false(slice_i64(SLICE("--1"), 10, &i));
}

static void narrow_numbers_are_checked(void **state)
{
    (void)state;
    uint32_t u = 7;
    assert_false(slice_u32(SLICE("4294967296"), 10, &u));
    assert_int_equal(u, 7);
    assert_true(slice_u32(SLICE("4294967295"), 10, &u) && u == UINT32_MAX);
}

static void patterns_have_stars_and_question_marks(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool fits;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "abc", true},
        {"a*c", "abbc", true},
        {"a*c", "abcd", false},
        {"*@EXAMPLE.COM", "joe@EXAMPLE.COM", true},
        {"*@EXAMPLE.COM", "joe@EXAMPLE.ORG", false},
        {"a*b*c", "aXbXbc", true},
        {"**a", "a", true},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"?", "\xc3\xa4", true},
        {"??", "\xc3\xa4", false},
        {"*?", "", false},
        {"[ab]", "a", false},
        {"\\*", "*", false},
        {"abc", "ab", false},
        {"Abc", "abc", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (slice_matches(slice_of(cases[i].text), cases[i].pattern) != cases[i].fits)
            fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].text);
    assert_false(slice_matches((struct slice){"a\0b", 3}, "a"));
    assert_true(slice_matches((struct slice){"a\0b", 3}, "a*b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_is_not_empty),
        cmocka_unit_test(slices_are_compared_by_bytes_not_by_address),
        cmocka_unit_test(prefixes_suffixes_and_parts_are_found),
        cmocka_unit_test(cutting_beyond_the_end_leaves_nothing),
        cmocka_unit_test(white_space_is_trimmed_at_both_ends_only),
        cmocka_unit_test(splitting_gives_every_part_even_empty_ones),
        cmocka_unit_test(a_copy_is_whole_or_empty),
        cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
        cmocka_unit_test(bases_and_their_prefix_are_known),
        cmocka_unit_test(signed_numbers_reach_both_ends),
        cmocka_unit_test(narrow_numbers_are_checked),
        cmocka_unit_test(patterns_have_stars_and_question_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
