// Word lists: what is found in one, and where it ends.
#include "core/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char words[] = "one\0two\0three\0";

static void a_word_has_a_place(void **state)
{
    (void)state;
    assert_int_equal(words_index(words, SLICE("one")), 0);
    assert_int_equal(words_index(words, SLICE("three")), 2);
    assert_string_equal(words_at(words, 1), "two");
}

static void what_is_not_in_a_list_is_not_found(void **state)
{
    (void)state;
    assert_int_equal(words_index(words, SLICE("four")), -1);
    assert_int_equal(words_index(words, SLICE("thre")), -1);
    assert_int_equal(words_index(words, SLICE("")), -1);
    assert_null(words_at(words, 3));
}

static void an_empty_list_has_no_words(void **state)
{
    (void)state;
    assert_int_equal(words_index("", SLICE("")), -1);
    assert_int_equal(words_index(NULL, SLICE("one")), -1);
    assert_null(words_at("", 0));
}

static void each_word_is_walked_once(void **state)
{
    (void)state;
    size_t count = 0;
    for (WORDS_EACH(word, words))
        assert_int_equal(words_index(words, slice_of(word)), count++);
    assert_int_equal(count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_has_a_place),
        cmocka_unit_test(what_is_not_in_a_list_is_not_found),
        cmocka_unit_test(an_empty_list_has_no_words),
        cmocka_unit_test(each_word_is_walked_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
