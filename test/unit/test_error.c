// Errors: libvirt's wording, and which of several errors is told.
#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void a_message_gets_the_wording_of_its_code(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *message;
    } cases[] = {
        {VIR_ERR_NO_DOMAIN, "Domain not found: x"},
        {VIR_ERR_INTERNAL_ERROR, "internal error: x"},
        {VIR_ERR_XML_ERROR, "XML error: x"},
        {VIR_ERR_XML_DETAIL, "x"},
        {VIR_ERR_SYSTEM_ERROR, "x"},
        {VIR_ERR_OPERATION_INVALID, "Requested operation is not valid: x"},
        {VIR_ERR_CONFIG_UNSUPPORTED, "unsupported configuration: x"},
        {VIR_ERR_DOM_EXIST, "domain x exists already"},
        {VIR_ERR_NO_SUPPORT, "this function is not supported by the connection driver: x"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error err = {0};
        assert_false(error_set(&err, VIR_FROM_QEMU, cases[i].code, "%s", "x"));
        assert_true(error_is_set(&err));
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(err.domain, VIR_FROM_QEMU);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void without_a_message_the_wording_stands_alone(void **state)
{
    (void)state;
    struct error err = {0};
    error_set(&err, VIR_FROM_NONE, VIR_ERR_DOM_EXIST, "%s", "");
    assert_string_equal(err.message, "this domain exists already");
}

static void the_first_cause_is_told(void **state)
{
    (void)state;
    struct error err = {0};
    error_set(&err, VIR_FROM_XML, VIR_ERR_XML_ERROR, "first");
    error_set(&err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "second");
    assert_int_equal(err.code, VIR_ERR_XML_ERROR);
    assert_int_equal(err.domain, VIR_FROM_XML);
    assert_string_equal(err.message, "XML error: first");
}

static void a_cleared_error_can_be_set_again(void **state)
{
    (void)state;
    struct error err = {0};
    assert_false(error_is_set(&err));
    error_set(&err, VIR_FROM_XML, VIR_ERR_XML_ERROR, "first");
    error_clear(&err);
    assert_false(error_is_set(&err));
    assert_string_equal(err.message, "");
    error_set(&err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "second");
    assert_string_equal(err.message, "internal error: second");
}

static void a_long_message_is_cut_at_the_end_of_a_character(void **state)
{
    (void)state;
    // Euro signs of three bytes each, moved by one byte from case to case.
    for (int blanks = 0; blanks < 3; blanks++) {
        struct error err = {0};
        char text[3 * ERROR_MESSAGE_MAX] = "";
        memset(text, ' ', (size_t)blanks);
        for (size_t at = (size_t)blanks; at < ERROR_MESSAGE_MAX; at += 3)
            memcpy(text + at, "\xE2\x82\xAC", 4);
        error_set(&err, VIR_FROM_NONE, VIR_ERR_XML_DETAIL, "%s", text);
        size_t length = strlen(err.message);
        assert_true(length < ERROR_MESSAGE_MAX && length > ERROR_MESSAGE_MAX - 4);
        assert_int_equal((length - (size_t)blanks) % 3, 0);
        assert_memory_equal(err.message, text, length);
    }
}

static void libvirts_numbers_are_kept(void **state)
{
    (void)state;
    assert_int_equal(VIR_ERR_NO_SUPPORT, 3);
    assert_int_equal(VIR_ERR_XML_DETAIL, 35);
    assert_int_equal(VIR_ERR_NO_DOMAIN, 42);
    assert_int_equal(VIR_ERR_OPERATION_INVALID, 55);
    assert_int_equal(VIR_ERR_AGENT_UNRESPONSIVE, 86);
    assert_int_equal(VIR_ERR_AGENT_COMMAND_FAILED, 113);
    assert_int_equal(VIR_FROM_QEMU, 10);
    assert_int_equal(VIR_FROM_DOMAIN, 20);
    assert_int_equal(VIR_FROM_CH, 72);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_gets_the_wording_of_its_code),
        cmocka_unit_test(without_a_message_the_wording_stands_alone),
        cmocka_unit_test(the_first_cause_is_told),
        cmocka_unit_test(a_cleared_error_can_be_set_again),
        cmocka_unit_test(a_long_message_is_cut_at_the_end_of_a_character),
        cmocka_unit_test(libvirts_numbers_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
