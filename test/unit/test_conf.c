// Configuration files: syntax, types, and what an error tells.
#include "core/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fields {
    char name[16];
    bool flag;
    uint32_t count, small;
    uint64_t wide;
    int32_t interval;
    struct conf_list list, loose;
    char upper[16];
} fields;

static const char *check_small(const struct conf_value *value)
{
    return value->number == 3 ? "three is not wanted" : NULL;
}

static const char *convert_upper(void *field, const struct conf_value *value)
{
    if (value->kind != CONF_VALUE_STRING || value->string.len > 15)
        return "needs a short string";
    for (size_t i = 0; i < value->string.len; i++)
        ((char *)field)[i] = (char)(value->string.at[i] & ~0x20);
    return NULL;
}

#define KEY(type, field) CONF_KEY(struct fields, type, field)

static const struct conf_key keys[] = {
    {KEY(CONF_STRING, name)},
    {KEY(CONF_BOOL, flag)},
    {KEY(CONF_UINT32, count)},
    {KEY(CONF_UINT32, small), .max = 9, .check = check_small},
    {KEY(CONF_UINT64, wide)},
    {KEY(CONF_INT32, interval)},
    {KEY(CONF_LIST, list)},
    {KEY(CONF_LOOSE_LIST, loose)},
    {KEY(CONF_ANY, upper), .convert = convert_upper},
    {.name = "ignored", .type = CONF_ANY},
};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

static uint32_t lines[KEY_COUNT];
static const struct conf conf = {keys, KEY_COUNT, &fields, lines, "/etc/x.conf", NULL};

static bool read_conf(struct slice text, struct error *err)
{
    memset(&fields, 0, sizeof(fields));
    return conf_read(&conf, text, err);
}

static void accept(const char *text)
{
    struct error err = {0};
    if (!read_conf(slice_of(text), &err))
        fail_msg("%s", err.message);
}

static void refuse(const char *text, int code, const char *message)
{
    struct error err = {0};
    assert_false(read_conf(slice_of(text), &err));
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, code);
    assert_int_equal(err.domain, VIR_FROM_CONF);
}

static void every_type_is_read(void **state)
{
    (void)state;
    accept("# comment\n\n name = \"demo\"   # behind\nflag=1\ncount = 4294967295\n"
           "wide =18446744073709551615\r\ninterval = -1;list = [ \"a\", 'b' ]\nsmall=+4\n"
           "upper='shout'\nignored = [ 'x' ]\n\t# end");
    assert_string_equal(fields.name, "demo");
    assert_true(fields.flag);
    assert_true(fields.count == UINT32_MAX && fields.wide == UINT64_MAX);
    assert_int_equal(fields.interval, -1);
    assert_int_equal(fields.small, 4);
    assert_string_equal(fields.upper, "SHOUT");
    assert_int_equal(fields.list.count, 2);
    assert_true(conf_list_has(&fields.list, "a") && conf_list_has(&fields.list, "b"));
    assert_false(conf_list_has(&fields.list, "c"));
}

static void an_empty_file_sets_nothing(void **state)
{
    (void)state;
    accept("");
    accept("\n \t\r\n#only\n");
    struct error err = {0};
    assert_true(read_conf(SLICE_NONE, &err));
    assert_false(fields.list.is_set);
    assert_null(conf_list_next(&fields.list, NULL));
    for (size_t i = 0; i < KEY_COUNT; i++)
        assert_int_equal(lines[i], 0);
}

static void strings_have_three_kinds_of_quotes_and_no_escapes(void **state)
{
    (void)state;
    accept("name = 'a\"b\\n'");
    assert_string_equal(fields.name, "a\"b\\n");
    accept("name = \"it's\"");
    assert_string_equal(fields.name, "it's");
    accept("name = \"\"\"a\n\"b\"\n\"\"\"\nflag = 1");
    assert_string_equal(fields.name, "a\n\"b\"\n");
    assert_int_equal(lines[1], 4);
    accept("name = \"\"");
    assert_string_equal(fields.name, "");
}

static void lists_may_span_lines_end_with_a_comma_and_be_empty(void **state)
{
    (void)state;
    accept("list = [\n  \"one\",\n  \"\",\n  'three',\n]\nflag = 1");
    const char *item = conf_list_next(&fields.list, NULL);
    assert_string_equal(item, "one");
    item = conf_list_next(&fields.list, item);
    assert_string_equal(item, "");
    item = conf_list_next(&fields.list, item);
    assert_string_equal(item, "three");
    assert_null(conf_list_next(&fields.list, item));
    assert_int_equal(lines[6], 1);
    assert_int_equal(lines[1], 6);
    accept("list = []");
    assert_true(fields.list.is_set);
    assert_int_equal(fields.list.count, 0);
}

static void a_loose_list_may_be_one_string(void **state)
{
    (void)state;
    accept("loose = \"only\"");
    assert_int_equal(fields.loose.count, 1);
    assert_string_equal(conf_list_next(&fields.loose, NULL), "only");
    accept("loose = [ \"a\", \"b\" ]");
    assert_int_equal(fields.loose.count, 2);
}

static void of_a_name_set_twice_the_first_counts(void **state)
{
    (void)state;
    accept("count = 1\ncount = 2\n");
    assert_int_equal(fields.count, 1);
    assert_int_equal(lines[2], 1);
    refuse("count = 1\ncount = 'x'\n", VIR_ERR_CONFIG_UNSUPPORTED,
           "unsupported configuration: /etc/x.conf:2: expected an unsigned integer for 'count' "
           "parameter");
}

static void bad_syntax_is_refused_with_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"\n\n=1", "3: expecting a name"},
        {"1x = 2", "1: expecting a name"},
        {"flag 1", "1: expecting an assignment"},
        {"flag", "1: expecting an assignment"},
        {"flag =", "1: expecting a value"},
        {"flag =\n1", "1: expecting a value"},
        {"flag = yes", "1: expecting a value"},
        {"flag = -", "1: unterminated number"},
        {"wide = 18446744073709551616", "1: the number is too large"},
        {"flag = 1 1", "1: expecting a separator"},
        {"name = \"abc\ncount = 1", "1: unterminated string"},
        {"name = 'abc", "1: unterminated string"},
        {"\nname = \"\"\"abc\n\"\"", "2: unterminated string"},
        {"name = \"", "1: unterminated string"},
        {"list = [ \"a\" \"b\" ]", "1: expecting a separator in list"},
        {"list = [ \"a\",\n", "2: list is not closed with ]"},
        {"list = [", "1: list is not closed with ]"},
        {"list = [ \"a\"", "1: list is not closed with ]"},
        {"list = [ 1 ]", "1: expecting a value"},
        {"list = [ , ]", "1: expecting a value"},
        {"list = [ [ \"a\" ] ]", "1: expecting a value"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char message[128];
        snprintf(message, sizeof(message), "configuration file syntax error: /etc/x.conf:%s",
                 cases[i].message);
        refuse(cases[i].text, VIR_ERR_CONF_SYNTAX, message);
    }
}

static void unknown_names_and_values_that_do_not_fit_are_refused_with_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"\nnmae = \"x\"", "2: unknown parameter 'nmae'"},
        {"Name = \"x\"", "1: unknown parameter 'Name'"},
        {"name = 1", "1: expected a string for 'name' parameter"},
        {"name = [ 'x' ]", "1: expected a string for 'name' parameter"},
        {"flag = \"1\"", "1: expected a bool for 'flag' parameter"},
        {"flag = 2", "1: value for 'flag' parameter must be 0 or 1"},
        {"flag = -1", "1: value for 'flag' parameter must be 0 or 1"},
        {"count = -1", "1: expected an unsigned integer for 'count' parameter"},
        {"count = 4294967296", "1: value for 'count' parameter must be in range 0:4294967295"},
        {"small = 10", "1: value for 'small' parameter must be in range 0:9"},
        {"small = 3", "1: small: three is not wanted"},
        {"interval = 2147483648",
         "1: value for 'interval' parameter must be in range -2147483648:2147483647"},
        {"interval = -2147483649",
         "1: value for 'interval' parameter must be in range -2147483648:2147483647"},
        {"list = \"a\"", "1: expected a string list for 'list' parameter"},
        {"loose = 1", "1: expected a string or string list for 'loose' parameter"},
        {"upper = 1", "1: upper: needs a short string"},
        {"name = \"0123456789abcdef\"", "1: name: the string is too long"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char message[160];
        snprintf(message, sizeof(message), "unsupported configuration: /etc/x.conf:%s",
                 cases[i].message);
        refuse(cases[i].text, VIR_ERR_CONFIG_UNSUPPORTED, message);
    }
}

static void the_ends_of_the_ranges_fit(void **state)
{
    (void)state;
    accept("interval = -2147483648\nsmall = 9\nname = \"0123456789abcde\"");
    assert_true(fields.interval == INT32_MIN);
    accept("interval = 2147483647\nsmall = 0");
    assert_true(fields.interval == INT32_MAX);
}

static void a_list_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static char text[4096];
    struct error err = {0};
    strcpy(text, "list = [");
    for (unsigned i = 0; i <= CONF_LIST_ITEMS; i++)
        strcat(text, "'x',");
    assert_false(read_conf(slice_of(text), &err));
    assert_non_null(strstr(err.message, "limit is 64"));
    error_clear(&err);
    int end = snprintf(text, sizeof(text), "list = [ '%0*d', 'x' ]", CONF_LIST_TEXT - 1, 0);
    assert_true(end > 0);
    assert_false(read_conf(slice_of(text), &err));
    assert_non_null(strstr(err.message, "the list is too long"));
    snprintf(text, sizeof(text), "list = [ '%0*d', '' ]", CONF_LIST_TEXT - 2, 0);
    accept(text);
    assert_int_equal(fields.list.count, 2);
}

static void a_nul_in_the_file_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    assert_false(read_conf((struct slice){"name = 'a\0b'", 12}, &err));
    assert_string_equal(err.message,
                        "configuration file syntax error: /etc/x.conf:1: NUL in a string");
    error_clear(&err);
    assert_false(read_conf((struct slice){"\0", 1}, &err));
}

static void a_later_objection_tells_where_the_setting_stood(void **state)
{
    (void)state;
    struct error err = {0};
    accept("\n\ncount = 1");
    assert_false(conf_refuse(&conf, 2, "not with flag", &err));
    assert_string_equal(err.message,
                        "unsupported configuration: /etc/x.conf:3: count: not with flag");
}

static void no_cut_or_changed_file_makes_the_reader_stumble(void **state)
{
    (void)state;
    static const char sample[] =
        "# c\nname = \"a\" # d\nlist = [ 'x',\n\"y\" ]\ncount=12;flag = 0\n"
        "loose = \"\"\"z\n\"\"\"\ninterval = -3\n";
    static const char bytes[] = "\"'[]=,#; \n\r\t1a-\\\x80";
    char text[sizeof(sample) - 1];
    struct error err = {0};
    for (size_t length = 0; length <= sizeof(text); length++) {
        char *at = text + sizeof(text) - length;
        memcpy(at, sample, length);
        error_clear(&err);
        bool ok = read_conf((struct slice){at, length}, &err);
        assert_int_equal(ok, !error_is_set(&err));
    }
    for (size_t at = 0; at < sizeof(text); at++)
        for (size_t b = 0; b < sizeof(bytes); b++) {
            memcpy(text, sample, sizeof(text));
            text[at] = bytes[b];
            error_clear(&err);
            bool ok = read_conf((struct slice){text, sizeof(text)}, &err);
            assert_int_equal(ok, !error_is_set(&err));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(an_empty_file_sets_nothing),
        cmocka_unit_test(strings_have_three_kinds_of_quotes_and_no_escapes),
        cmocka_unit_test(lists_may_span_lines_end_with_a_comma_and_be_empty),
        cmocka_unit_test(a_loose_list_may_be_one_string),
        cmocka_unit_test(of_a_name_set_twice_the_first_counts),
        cmocka_unit_test(bad_syntax_is_refused_with_file_and_line),
        cmocka_unit_test(unknown_names_and_values_that_do_not_fit_are_refused_with_file_and_line),
        cmocka_unit_test(the_ends_of_the_ranges_fit),
        cmocka_unit_test(a_list_that_is_too_long_is_refused),
        cmocka_unit_test(a_nul_in_the_file_is_refused),
        cmocka_unit_test(a_later_objection_tells_where_the_setting_stood),
        cmocka_unit_test(no_cut_or_changed_file_makes_the_reader_stumble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
