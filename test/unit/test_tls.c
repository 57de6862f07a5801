// TLS: names as GnuTLS prints them, records and messages, priorities. What needs a peer is in
// test/client.
#include "net/tls/name.h"
#include "net/tls/priority.h"
#include "net/tls/records.h"

#include <mbedtls/oid.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// ---- names

static unsigned char title[] = {0x55, 4, 12}, common_name[] = {0x55, 4, 3},
                     country[] = {0x55, 4, 6}, unknown[] = {0x2a, 3, 4};

static mbedtls_x509_name attribute(unsigned char oid[3], int tag, const char *value, size_t len)
{
    mbedtls_x509_name name;
    memset(&name, 0, sizeof(name));
    name.oid = (mbedtls_x509_buf){.tag = MBEDTLS_ASN1_OID, .len = 3, .p = oid};
    name.val = (mbedtls_x509_buf){
        .tag = tag, .len = len, .p = (unsigned char *)(uintptr_t)(const void *)value};
    return name;
}

static const char *shown(const mbedtls_x509_name *name)
{
    static char text[256];
    struct buffer to = buffer_over(text, sizeof(text));
    return tls_name_put(&to, name) ? text : NULL;
}

static void assert_value(int tag, const char *value, size_t len, const char *expected)
{
    mbedtls_x509_name name = attribute(common_name, tag, value, len);
    const char *text = shown(&name);
    if (expected)
        assert_string_equal(text, expected);
    else
        assert_null(text);
}

#define TEXT(literal) literal, sizeof(literal) - 1

static void what_has_a_meaning_in_a_name_is_escaped(void **state)
{
    (void)state;
    assert_value(MBEDTLS_ASN1_UTF8_STRING, TEXT("a,b+c\"d\\e<f>g;h"),
                 "CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h");
    assert_value(MBEDTLS_ASN1_UTF8_STRING, TEXT("#a#"), "CN=\\#a#");
    assert_value(MBEDTLS_ASN1_PRINTABLE_STRING, TEXT(" a b "), "CN=\\ a b\\ ");
    assert_value(MBEDTLS_ASN1_UTF8_STRING, TEXT("=*?"), "CN==*?");
}

static void every_string_type_is_shown_as_gnutls_does(void **state)
{
    (void)state;
    assert_value(MBEDTLS_ASN1_BMP_STRING, TEXT("\0a\0\xfc\x4e\x2d"), "CN=a\xc3\xbc\xe4\xb8\xad");
    assert_value(MBEDTLS_ASN1_BMP_STRING, TEXT("\0a\0"), "CN=\\#006100");
    assert_value(MBEDTLS_ASN1_T61_STRING, TEXT("ascii"), "CN=ascii");
    assert_value(MBEDTLS_ASN1_T61_STRING, TEXT("\xfc"), "CN=\\#fc");
    assert_value(MBEDTLS_ASN1_UNIVERSAL_STRING, TEXT("\0\0\0a"), "CN=\\#00000061");
    assert_value(MBEDTLS_ASN1_IA5_STRING, TEXT("ab"), "CN=#16026162");
    assert_value(MBEDTLS_ASN1_UTF8_STRING, TEXT("a\0b"), "CN=#0c03610062");
    assert_value(MBEDTLS_ASN1_UTF8_STRING, TEXT(""), NULL);
}

static void a_value_of_another_type_than_its_own_is_shown_encoded(void **state)
{
    (void)state;
    mbedtls_x509_name name = attribute(country, MBEDTLS_ASN1_UTF8_STRING, TEXT("DE"));
    assert_string_equal(shown(&name), "C=#0c024445");
    name = attribute(country, MBEDTLS_ASN1_PRINTABLE_STRING, TEXT("DE"));
    assert_string_equal(shown(&name), "C=DE");
    name = attribute(unknown, MBEDTLS_ASN1_UTF8_STRING, TEXT("x"));
    assert_string_equal(shown(&name), "1.2.3.4=#0c0178");
}

static void a_long_value_has_a_long_length(void **state)
{
    (void)state;
    char value[200], expected[3 * sizeof(value)];
    memset(value, 'x', sizeof(value));
    int len = snprintf(expected, sizeof(expected), "1.2.3.4=#0c81c8");
    for (size_t i = 0; i < sizeof(value); i++)
        len += snprintf(expected + len, sizeof(expected) - (size_t)len, "78");
    char text[512];
    struct buffer to = buffer_over(text, sizeof(text));
    mbedtls_x509_name name = attribute(unknown, MBEDTLS_ASN1_UTF8_STRING, value, sizeof(value));
    assert_true(tls_name_put(&to, &name));
    assert_string_equal(text, expected);
}

static void parts_stand_in_the_order_of_the_certificate(void **state)
{
    (void)state;
    mbedtls_x509_name last = attribute(title, MBEDTLS_ASN1_UTF8_STRING, TEXT("Dr"));
    mbedtls_x509_name middle = attribute(common_name, MBEDTLS_ASN1_UTF8_STRING, TEXT("ann"));
    mbedtls_x509_name first = attribute(country, MBEDTLS_ASN1_PRINTABLE_STRING, TEXT("UK"));
    first.next = &middle;
    middle.next = &last;
    middle.MBEDTLS_PRIVATE(next_merged) = 1;
    assert_string_equal(shown(&first), "C=UK,CN=ann+title=Dr");
}

static void a_name_that_does_not_fit_is_none(void **state)
{
    (void)state;
    char text[8];
    struct buffer to = buffer_over(text, sizeof(text));
    mbedtls_x509_name name = attribute(common_name, MBEDTLS_ASN1_UTF8_STRING, TEXT("12345"));
    assert_false(tls_name_put(&to, &name));
    mbedtls_x509_name nobody;
    memset(&nobody, 0, sizeof(nobody));
    to = buffer_over(text, sizeof(text));
    assert_false(tls_name_put(&to, &nobody));
}

// ---- records

static const uint8_t eight[] = {0, 0, 0, 8, 1, 2, 3, 4};

static void a_message_in_a_record_is_taken(void **state)
{
    (void)state;
    struct tls_records records = {0};
    for (int i = 0; i < 3; i++)
        assert_true(tls_records_take(&records, eight, sizeof(eight), false));
}

static void a_message_may_be_cut_anywhere(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < sizeof(eight); cut++) {
        struct tls_records records = {0};
        assert_true(tls_records_take(&records, eight, cut, false));
        assert_true(tls_records_take(&records, eight + cut, sizeof(eight) - cut, false));
        assert_true(tls_records_take(&records, eight, sizeof(eight), false));
    }
}

static void a_record_with_the_start_of_the_next_message_is_refused(void **state)
{
    (void)state;
    uint8_t two[2 * sizeof(eight)];
    memcpy(two, eight, sizeof(eight));
    memcpy(two + sizeof(eight), eight, sizeof(eight));
    for (size_t len = sizeof(eight) + 1; len <= sizeof(two); len++) {
        struct tls_records records = {0};
        assert_false(tls_records_take(&records, two, len, false));
    }
    for (size_t cut = 1; cut < sizeof(eight); cut++) { // read in two parts
        struct tls_records records = {0};
        assert_true(tls_records_take(&records, two, cut, true));
        assert_false(tls_records_take(&records, two + cut, sizeof(two) - cut, false));
    }
    struct tls_records records = {0};
    assert_false(tls_records_take(&records, two, sizeof(eight), true));
}

static void a_length_that_can_not_be_is_left_to_the_framing(void **state)
{
    (void)state;
    static const uint8_t none[] = {0, 0, 0, 0};
    struct tls_records records = {0};
    assert_true(tls_records_take(&records, none, sizeof(none), false));
}

// ---- priorities

static void assert_priority(const char *priority, bool tls12, bool tls13)
{
    struct tls_versions versions;
    struct error err = {0};
    assert_true(tls_priority_read(slice_of(priority), &versions, &err));
    assert_int_equal(versions.tls12, tls12);
    assert_int_equal(versions.tls13, tls13 && tls_library_has_13());
}

static void priorities_choose_versions(void **state)
{
    (void)state;
    assert_priority("", true, true);
    assert_priority("NORMAL", true, true);
    assert_priority("@LIBVIRT,SYSTEM", true, true);
    assert_priority("NORMAL:-VERS-TLS1.3", true, false);
    assert_priority("NORMAL:!VERS-TLS1.3:-VERS-TLS1.1", true, false);
    assert_priority("NORMAL:-VERS-ALL:+VERS-TLS1.2", true, false);
    if (tls_library_has_13())
        assert_priority("SECURE128:-VERS-TLS1.2", false, true);
}

static void a_priority_that_asks_for_something_else_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"NORMALLY",         "NORMAL:+CIPHER-ALL", "SECURE256",
                                      "NORMAL:-VERS-ALL", "NORMAL::",           "-VERS-TLS1.3"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct tls_versions versions;
        struct error err = {0};
        assert_false(tls_priority_read(slice_of(bad[i]), &versions, &err));
        assert_int_equal(err.code, VIR_ERR_CONFIG_UNSUPPORTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_a_meaning_in_a_name_is_escaped),
        cmocka_unit_test(every_string_type_is_shown_as_gnutls_does),
        cmocka_unit_test(a_value_of_another_type_than_its_own_is_shown_encoded),
        cmocka_unit_test(a_long_value_has_a_long_length),
        cmocka_unit_test(parts_stand_in_the_order_of_the_certificate),
        cmocka_unit_test(a_name_that_does_not_fit_is_none),
        cmocka_unit_test(a_message_in_a_record_is_taken),
        cmocka_unit_test(a_message_may_be_cut_anywhere),
        cmocka_unit_test(a_record_with_the_start_of_the_next_message_is_refused),
        cmocka_unit_test(a_length_that_can_not_be_is_left_to_the_framing),
        cmocka_unit_test(priorities_choose_versions),
        cmocka_unit_test(a_priority_that_asks_for_something_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
