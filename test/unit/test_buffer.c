// Buffers: building text in memory of a fixed size.
#include "core/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void text_is_appended_and_always_terminated(void **state)
{
    (void)state;
    char memory[32];
    struct buffer b = buffer_over(memory, sizeof(memory));
    assert_string_equal(memory, "");
    buffer_puts(&b, "one");
    buffer_putc(&b, ' ');
    buffer_put(&b, SLICE("two"));
    buffer_printf(&b, " %d", 3);
    buffer_put(&b, SLICE_NONE);
    assert_true(buffer_ok(&b));
    assert_string_equal(memory, "one two 3");
    assert_int_equal(b.len, 9);
    assert_true(slice_is(buffer_slice(&b), "one two 3"));
}

static void it_holds_one_byte_less_than_its_memory(void **state)
{
    (void)state;
    char memory[4];
    struct buffer b = buffer_over(memory, sizeof(memory));
    buffer_puts(&b, "abc");
    assert_true(buffer_ok(&b));
    buffer_puts(&b, "");
    assert_true(buffer_ok(&b));
    buffer_putc(&b, 'd');
    assert_false(buffer_ok(&b));
    assert_string_equal(memory, "abc");
}

static void what_does_not_fit_is_left_out_whole_and_so_is_all_that_follows(void **state)
{
    (void)state;
    char memory[8];
    struct buffer b = buffer_over(memory, sizeof(memory));
    buffer_puts(&b, "abc");
    buffer_puts(&b, "defgh");
    buffer_puts(&b, "x");
    buffer_printf(&b, "%d", 1);
    assert_false(buffer_ok(&b));
    assert_string_equal(memory, "abc");
    assert_int_equal(b.len, 3);
}

static void a_formatted_text_that_does_not_fit_leaves_no_part(void **state)
{
    (void)state;
    char memory[8];
    struct buffer b = buffer_over(memory, sizeof(memory));
    buffer_puts(&b, "ab");
    buffer_printf(&b, "%s", "cdefg");
    assert_true(buffer_ok(&b));
    b = buffer_over(memory, sizeof(memory));
    buffer_puts(&b, "ab");
    buffer_printf(&b, "%s", "cdefgh");
    assert_false(buffer_ok(&b));
    assert_string_equal(memory, "ab");
}

static void bytes_of_any_value_can_be_put(void **state)
{
    (void)state;
    char memory[8];
    struct buffer b = buffer_over(memory, sizeof(memory));
    buffer_put(&b, (struct slice){"a\0\xFF", 3});
    assert_int_equal(buffer_slice(&b).len, 3);
    assert_memory_equal(memory, "a\0\xFF", 4);
}

static void the_smallest_buffer_holds_nothing(void **state)
{
    (void)state;
    char memory[1];
    struct buffer b = buffer_over(memory, sizeof(memory));
    assert_true(buffer_ok(&b));
    buffer_putc(&b, 'a');
    assert_false(buffer_ok(&b));
    assert_string_equal(memory, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_appended_and_always_terminated),
        cmocka_unit_test(it_holds_one_byte_less_than_its_memory),
        cmocka_unit_test(what_does_not_fit_is_left_out_whole_and_so_is_all_that_follows),
        cmocka_unit_test(a_formatted_text_that_does_not_fit_leaves_no_part),
        cmocka_unit_test(bytes_of_any_value_can_be_put),
        cmocka_unit_test(the_smallest_buffer_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
