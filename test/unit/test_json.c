// JSON: parsing, reading and writing.
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct json_doc doc;

static struct json_value *parse(const char *text)
{
    struct error err = {0};
    if (!json_parse(&doc, slice_of(text), &err))
        fail_msg("%s", err.message);
    return doc.root;
}

static void refuse(struct slice text, const char *message)
{
    struct error err = {0};
    assert_false(json_parse(&doc, text, &err));
    assert_int_equal(err.code, VIR_ERR_INTERNAL_ERROR);
    if (!strstr(err.message, message))
        fail_msg("'%s' is not in '%s'", message, err.message);
    assert_null(doc.root);
}

static void assert_slice(struct slice s, const char *expected)
{
    assert_true(slice_present(s));
    assert_int_equal(s.len, strlen(expected));
    assert_memory_equal(s.at, expected, s.len);
}

static void every_kind_of_value_is_read(void **state)
{
    (void)state;
    struct json_value *v =
        parse(" {\"a\": null, \"b\" : true, \"c\":false,\"d\":-12.5e+3,\n"
              "\"e\":\"text\",\"f\":[1,2,[3]],\"g\":{\"h\":{\"i\":7}}, \"j\":[] }\n");
    assert_int_equal(v->kind, JSON_OBJECT);
    assert_int_equal(v->count, 8);
    assert_int_equal(json_get(v, "a")->kind, JSON_NULL);
    assert_true(json_get_bool(v, "b", false));
    assert_false(json_get_bool(v, "c", true));
    double number;
    assert_true(json_f64(json_get(v, "d"), &number));
    assert_true(number > -12500.1 && number < -12499.9);
    assert_slice(json_get_string(v, "e"), "text");
    assert_int_equal(json_get(v, "f")->count, 3);
    assert_slice(json_get(v, "f")->raw, "[1,2,[3]]");
    assert_slice(json_find(v, "g/h/i")->text, "7");
    assert_int_equal(json_get(v, "j")->count, 0);
    assert_slice(v->raw, "{\"a\": null, \"b\" : true, \"c\":false,\"d\":-12.5e+3,\n"
                         "\"e\":\"text\",\"f\":[1,2,[3]],\"g\":{\"h\":{\"i\":7}}, \"j\":[] }");
}

static void a_value_may_stand_alone(void **state)
{
    (void)state;
    assert_slice(json_string(parse("\"x\"")), "x");
    assert_slice(parse(" 0 ")->text, "0");
    assert_int_equal(parse("null")->kind, JSON_NULL);
}

static void what_is_missing_or_of_another_kind_reads_as_absent(void **state)
{
    (void)state;
    struct json_value *v = parse("{\"s\":\"x\",\"n\":5}");
    uint64_t u;
    int64_t i;
    double d;
    assert_null(json_get(NULL, "a"));
    assert_null(json_find(v, "s/t/u"));
    assert_false(slice_present(json_get_string(v, "n")));
    assert_false(slice_present(json_string(NULL)));
    assert_false(json_get_u64(v, "s", &u));
    assert_false(json_get_i64(v, "missing", &i));
    assert_false(json_f64(NULL, &d));
    assert_true(json_get_bool(v, "s", true));
    assert_false(json_get_bool(v, "s", false));
}

static void integers_are_exact_and_their_range_is_checked(void **state)
{
    (void)state;
    struct json_value *v = parse("{\"a\":18446744073709551615,\"b\":-9223372036854775808,"
                                 "\"c\":18446744073709551616,\"d\":-1,\"e\":1.0,\"f\":1e3}");
    uint64_t u;
    int64_t i;
    assert_true(json_get_u64(v, "a", &u));
    assert_true(u == UINT64_MAX);
    assert_false(json_get_i64(v, "a", &i));
    assert_true(json_get_i64(v, "b", &i));
    assert_true(i == INT64_MIN);
    assert_false(json_get_u64(v, "c", &u));
    assert_false(json_get_u64(v, "d", &u));
    assert_false(json_get_u64(v, "e", &u));
    assert_false(json_get_i64(v, "f", &i));
}

static void strings_are_decoded(void **state)
{
    (void)state;
    assert_slice(json_string(parse("\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\te\"")), "a\"b\\c/d\b\f\n\r\te");
    assert_slice(json_string(parse("\"\\u0041\\u00e9\\u20AC\"")), "A\xC3\xA9\xE2\x82\xAC");
    assert_slice(json_string(parse("\"\\ud83d\\ude00\"")), "\xF0\x9F\x98\x80");
    assert_slice(json_string(parse("\"\xC3\xA9 plain\"")), "\xC3\xA9 plain");
    struct slice with_nul = json_string(parse("\"a\\u0000b\""));
    assert_int_equal(with_nul.len, 3);
    assert_memory_equal(with_nul.at, "a\0b", 3);
    assert_slice(parse("{\"k\\u0065y\":1}")->child->key, "key");
}

static void half_a_surrogate_pair_becomes_the_replacement_character(void **state)
{
    (void)state;
    assert_slice(json_string(parse("\"\\ud83dx\"")), "\xEF\xBF\xBDx");
    assert_slice(json_string(parse("\"\\ude00\"")), "\xEF\xBF\xBD");
    assert_slice(json_string(parse("\"\\ud83d\\u0041\"")), "\xEF\xBF\xBD"
                                                           "A");
}

static void a_string_without_escapes_stays_in_the_source(void **state)
{
    (void)state;
    const char *text = "[\"abc\"]";
    assert_ptr_equal(json_string(parse(text)->child).at, text + 2);
    assert_int_equal(doc.text_len, 0);
}

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "premature end"},
        {"  ", "premature end"},
        {"{", "premature end"},
        {"[1,", "premature end"},
        {"[1", "premature end"},
        {"{\"a\"", "premature end"},
        {"{\"a\":", "premature end"},
        {"\"abc", "premature end"},
        {"\"abc\\", "invalid escape"},
        {"nul", "unexpected character"},
        {"[1,]", "unexpected character"},
        {"[,1]", "unexpected character"},
        {"{,}", "name in quotes"},
        {"{\"a\":1,}", "name in quotes"},
        {"{a:1}", "name in quotes"},
        {"{\"a\" 1}", "':' expected"},
        {"[1 2]", "',' or a closing bracket"},
        {"[1}", "',' or a closing bracket"},
        {"{\"a\":1]", "',' or a closing bracket"},
        {"1 2", "something follows"},
        {"{}}", "something follows"},
        {"nullx", "something follows"},
        {"01", "something follows"},
        {"-", "invalid number"},
        {"+1", "unexpected character"},
        {".5", "unexpected character"},
        {"1.", "invalid number"},
        {"1e", "invalid number"},
        {"1e+", "invalid number"},
        {"\"\\x\"", "invalid escape"},
        {"\"\\u12g4\"", "invalid \\u escape"},
        {"\"\\u0x12\"", "invalid \\u escape"},
        {"\"\\u12\"", "invalid \\u escape"},
        {"\"tab\there\"", "control character"},
        {"\"\xC3(\"", "invalid UTF-8"},
        {"\"\xC0\xAF\"", "invalid UTF-8"},
        {"\"\xED\xA0\x80\"", "invalid UTF-8"},
        {"'a'", "unexpected character"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        refuse(slice_of(cases[i].text), cases[i].message);
    refuse((struct slice){"1\0", 2}, "something follows");
    refuse(SLICE_NONE, "premature end");
}

static void an_error_shows_the_start_of_the_text_and_where_it_is(void **state)
{
    (void)state;
    refuse(slice_of("{\"a\":tru}"), "internal error: cannot parse json {\"a\":tru}: unexpected "
                                    "character at byte 5");
    refuse(slice_of("[\"\x01\xFF\"]"), "cannot parse json [\"??\"]: control character");
}

static void too_deep_nesting_is_refused_with_the_name_of_the_limit(void **state)
{
    (void)state;
    char text[2 * CONFIG_JSON_DEPTH + 3];
    memset(text, '[', CONFIG_JSON_DEPTH);
    memset(text + CONFIG_JSON_DEPTH, ']', CONFIG_JSON_DEPTH);
    text[2 * CONFIG_JSON_DEPTH] = '\0';
    parse(text);
    memset(text, '[', CONFIG_JSON_DEPTH + 1);
    text[CONFIG_JSON_DEPTH + 1] = '\0';
    refuse(slice_of(text), "CONFIG_JSON_DEPTH");
}

static char big[2 * CONFIG_JSON_VALUES + CONFIG_JSON_TEXT + 16];

static void too_many_values_are_refused_with_the_name_of_the_limit(void **state)
{
    (void)state;
    big[0] = '[';
    for (size_t i = 0; i < CONFIG_JSON_VALUES; i++)
        memcpy(big + 1 + 2 * i, "1,", 2);
    refuse((struct slice){big, 2 * CONFIG_JSON_VALUES}, "CONFIG_JSON_VALUES");
    big[2 * CONFIG_JSON_VALUES - 2] = ']';
    struct error err = {0};
    assert_true(json_parse(&doc, (struct slice){big, 2 * CONFIG_JSON_VALUES - 1}, &err));
    assert_int_equal(doc.root->count, CONFIG_JSON_VALUES - 1);
}

static void too_much_decoded_text_is_refused_with_the_name_of_the_limit(void **state)
{
    (void)state;
    memcpy(big, "\"\\n", 3);
    memset(big + 3, 'x', CONFIG_JSON_TEXT);
    big[3 + CONFIG_JSON_TEXT] = '"';
    refuse((struct slice){big, CONFIG_JSON_TEXT + 4}, "CONFIG_JSON_TEXT");
}

static void the_writer_puts_in_commas_keys_and_escapes(void **state)
{
    (void)state;
    char memory[512];
    struct buffer out = buffer_over(memory, sizeof(memory));
    struct json_writer w = json_writer_to(&out);
    json_open_object(&w, NULL);
    json_puts(&w, "execute", "a\"b\\c\n\x01\x1F/");
    json_open_object(&w, "arguments");
    json_put_i64(&w, "i", INT64_MIN);
    json_put_u64(&w, "u", UINT64_MAX);
    json_put_bool(&w, "t", true);
    json_put_null(&w, "n");
    json_putf(&w, "f", "disk%d", 3);
    json_close_object(&w);
    json_open_array(&w, "list");
    json_puts(&w, NULL, "");
    json_open_array(&w, NULL);
    json_close_array(&w);
    json_put_raw(&w, NULL, SLICE("{\"raw\":1}"));
    json_close_array(&w);
    json_put_string(&w, "nul", (struct slice){"a\0b", 3});
    json_close_object(&w);
    assert_true(buffer_ok(&out));
    assert_string_equal(memory, "{\"execute\":\"a\\\"b\\\\c\\n\\u0001\\u001f/\",\"arguments\":{"
                                "\"i\":-9223372036854775808,\"u\":18446744073709551615,\"t\":true,"
                                "\"n\":null,\"f\":\"disk3\"},\"list\":[\"\",[],{\"raw\":1}],"
                                "\"nul\":\"a\\u0000b\"}");
    parse(memory);
}

static void a_parsed_value_is_written_compactly(void **state)
{
    (void)state;
    char memory[256];
    struct buffer out = buffer_over(memory, sizeof(memory));
    struct json_writer w = json_writer_to(&out);
    struct json_value *v = parse("{ \"a\" : [ 1 , \"x\\n\\u0041\" , { } ] , \"b\\\"\" : null }");
    json_open_array(&w, NULL);
    json_put_value(&w, NULL, v);
    json_put_value(&w, NULL, NULL);
    json_close_array(&w);
    assert_string_equal(memory, "[{\"a\":[1,\"x\\n\\u0041\",{}],\"b\\\"\":null},null]");
}

static void a_formatted_string_that_is_too_long_fills_the_buffer(void **state)
{
    (void)state;
    char memory[64];
    struct buffer out = buffer_over(memory, sizeof(memory));
    struct json_writer w = json_writer_to(&out);
    json_putf(&w, NULL, "%5000d", 1);
    assert_false(buffer_ok(&out));
}

static const char sample[] =
    "{\"return\": [{\"device\": \"drive-virtio-disk0\", \"locked\": false, \"removable\": true,\n"
    " \"inserted\": {\"iops_rd\": 0, \"image\": {\"virtual-size\": 17179869184, \"filename\":\n"
    " \"/var/lib/\\u00e9\\n\\\"x\\\".qcow2\"}}, \"type\": \"unknown\"}], \"id\": \"libvirt-12\"}";

static void no_cut_or_changed_text_makes_the_parser_stumble(void **state)
{
    (void)state;
    static const char bytes[] = "{}[],:\"\\u0e-.t \x01\xC3\xFF";
    // The copy has exactly the length of the text, so that a sanitizer sees a read behind its end.
    char text[sizeof(sample) - 1];
    struct error err = {0};
    for (size_t length = 0; length < sizeof(text); length++) {
        memcpy(text + sizeof(text) - length, sample, length);
        error_clear(&err);
        assert_false(json_parse(&doc, (struct slice){text + sizeof(text) - length, length}, &err));
        assert_true(error_is_set(&err));
    }
    for (size_t at = 0; at < sizeof(text); at++)
        for (size_t b = 0; b < sizeof(bytes); b++) {
            memcpy(text, sample, sizeof(text));
            text[at] = bytes[b];
            error_clear(&err);
            bool ok = json_parse(&doc, (struct slice){text, sizeof(text)}, &err);
            assert_int_equal(ok, !error_is_set(&err));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_is_read),
        cmocka_unit_test(a_value_may_stand_alone),
        cmocka_unit_test(what_is_missing_or_of_another_kind_reads_as_absent),
        cmocka_unit_test(integers_are_exact_and_their_range_is_checked),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(half_a_surrogate_pair_becomes_the_replacement_character),
        cmocka_unit_test(a_string_without_escapes_stays_in_the_source),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(an_error_shows_the_start_of_the_text_and_where_it_is),
        cmocka_unit_test(too_deep_nesting_is_refused_with_the_name_of_the_limit),
        cmocka_unit_test(too_many_values_are_refused_with_the_name_of_the_limit),
        cmocka_unit_test(too_much_decoded_text_is_refused_with_the_name_of_the_limit),
        cmocka_unit_test(the_writer_puts_in_commas_keys_and_escapes),
        cmocka_unit_test(a_parsed_value_is_written_compactly),
        cmocka_unit_test(a_formatted_string_that_is_too_long_fills_the_buffer),
        cmocka_unit_test(no_cut_or_changed_text_makes_the_parser_stumble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
