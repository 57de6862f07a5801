// XDR by descriptor: what is read, what is refused, and how the writer grows, fails and is watched.
#include "proto/admin.h"
#include "proto/message.h"
#include "proto/qemu.h"
#include "rpc/xdr_params.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
// cmocka wants those first.
#include <cmocka.h>

static uint8_t memory[CONFIG_REMOTE_MESSAGE_MAX];

static struct xdr_reader reader_over(const void *bytes, size_t len)
{
    return (struct xdr_reader){bytes, (const uint8_t *)bytes + len};
}

#define READER(literal) reader_over(literal, sizeof(literal) - 1)

static void expect_refusal(const struct error *err, const char *reason)
{
    assert_int_equal(err->code, VIR_ERR_RPC);
    assert_int_equal(err->domain, VIR_FROM_RPC);
    if (!strstr(err->message, reason))
        fail_msg("\"%s\" does not say \"%s\"", err->message, reason);
}

// ---- Reading ----

static void strings_stay_in_the_message(void **state)
{
    (void)state;
    static const char wire[] = "\0\0\0\3web\0";
    struct xdr_reader reader = reader_over(wire, sizeof(wire) - 1);
    struct remote_domain_lookup_by_name_args args;
    struct error err = {0};
    assert_true(xdr_decode(&reader, XDR_TYPE(remote_domain_lookup_by_name_args), &args, &err));
    assert_ptr_equal(args.name.at, wire + 4);
    assert_int_equal(args.name.len, 3);
    assert_ptr_equal(reader.at, reader.end);
}

static void an_absent_string_is_not_an_empty_one(void **state)
{
    (void)state;
    struct remote_connect_open_args args;
    struct error err = {0};
    struct xdr_reader absent = READER("\0\0\0\0\0\0\0\1");
    assert_true(xdr_decode(&absent, XDR_TYPE(remote_connect_open_args), &args, &err));
    assert_false(slice_present(args.name));
    assert_int_equal(args.flags, 1);
    struct xdr_reader empty = READER("\0\0\0\1\0\0\0\0\0\0\0\1");
    assert_true(xdr_decode(&empty, XDR_TYPE(remote_connect_open_args), &args, &err));
    assert_true(slice_present(args.name));
    assert_int_equal(args.name.len, 0);
}

static void an_optional_struct_says_whether_it_is_there(void **state)
{
    (void)state;
    struct qemu_connect_domain_monitor_event_register_args args;
    const struct xdr_type *type = XDR_TYPE(qemu_connect_domain_monitor_event_register_args);
    struct error err = {0};
    struct xdr_reader absent = READER("\0\0\0\0\0\0\0\0\0\0\0\0");
    assert_true(xdr_decode(&absent, type, &args, &err));
    assert_false(args.dom_present);
    struct xdr_reader present = READER("\0\0\0\1\0\0\0\1x\0\0\0"
                                       "0123456789abcdef\xff\xff\xff\xff\0\0\0\0\0\0\0\0");
    assert_true(xdr_decode(&present, type, &args, &err));
    assert_true(args.dom_present);
    assert_true(slice_is(args.dom.name, "x"));
    assert_memory_equal(args.dom.uuid, "0123456789abcdef", 16);
    assert_int_equal(args.dom.id, -1);
}

static void bytes_after_the_value_are_left_in_the_reader(void **state)
{
    (void)state;
    struct remote_domain_lookup_by_id_args args;
    struct error err = {0};
    struct xdr_reader reader = READER("\0\0\0\7more");
    assert_true(xdr_decode(&reader, XDR_TYPE(remote_domain_lookup_by_id_args), &args, &err));
    assert_int_equal(args.id, 7);
    assert_int_equal(reader.end - reader.at, 4);
}

static void padding_may_hold_anything(void **state)
{
    (void)state;
    struct remote_domain_lookup_by_name_args args;
    struct error err = {0};
    struct xdr_reader reader = READER("\0\0\0\1w\xff\xff\xff");
    assert_true(xdr_decode(&reader, XDR_TYPE(remote_domain_lookup_by_name_args), &args, &err));
    assert_true(slice_is(args.name, "w"));
}

static void a_string_over_the_limit_is_refused_by_the_limits_name(void **state)
{
    (void)state;
    struct remote_domain_lookup_by_name_args args;
    struct error err = {0};
    memset(memory, 'a', sizeof(memory));
    xdr_store_u32(memory, CONFIG_REMOTE_STRING_MAX);
    struct xdr_reader longest = reader_over(memory, sizeof(memory));
    assert_true(xdr_decode(&longest, XDR_TYPE(remote_domain_lookup_by_name_args), &args, &err));
    assert_int_equal(args.name.len, CONFIG_REMOTE_STRING_MAX);
    xdr_store_u32(memory, CONFIG_REMOTE_STRING_MAX + 1);
    struct xdr_reader longer = reader_over(memory, sizeof(memory));
    assert_false(xdr_decode(&longer, XDR_TYPE(remote_domain_lookup_by_name_args), &args, &err));
    expect_refusal(&err, "Unable to decode message payload: name: ");
    expect_refusal(&err, "CONFIG_REMOTE_STRING_MAX");
}

static void a_string_of_absurd_length_is_refused(void **state)
{
    (void)state;
    struct remote_domain_lookup_by_name_args args;
    struct error err = {0};
    struct xdr_reader reader = READER("\xff\xff\xff\xff"
                                      "abcd");
    assert_false(xdr_decode(&reader, XDR_TYPE(remote_domain_lookup_by_name_args), &args, &err));
    expect_refusal(&err, "4294967295 bytes");
}

static void a_string_with_a_NUL_is_refused(void **state)
{
    (void)state;
    struct remote_domain_lookup_by_name_args args;
    struct error err = {0};
    struct xdr_reader reader = READER("\0\0\0\3a\0b\0");
    assert_false(xdr_decode(&reader, XDR_TYPE(remote_domain_lookup_by_name_args), &args, &err));
    expect_refusal(&err, "name: the string holds a NUL");
}

static void an_opaque_may_hold_a_NUL(void **state)
{
    (void)state;
    struct remote_secret_get_value_ret ret;
    struct error err = {0};
    struct xdr_reader reader = READER("\0\0\0\3a\0b\0");
    assert_true(xdr_decode(&reader, XDR_TYPE(remote_secret_get_value_ret), &ret, &err));
    assert_int_equal(ret.value.len, 3);
}

static void lists_with_negative_or_absurd_counts_are_refused(void **state)
{
    (void)state;
    struct remote_connect_list_domains_ret ret;
    const struct xdr_type *type = XDR_TYPE(remote_connect_list_domains_ret);
    struct error negative = {0}, over = {0}, more = {0};
    struct xdr_reader reader = READER("\xff\xff\xff\xff\0\0\0\1");
    assert_false(xdr_decode(&reader, type, &ret, &negative));
    expect_refusal(&negative, "ids: 4294967295 elements, limit is 16384 (REMOTE_DOMAIN_LIST_MAX)");
    reader = READER("\0\0\x40\1\0\0\0\1");
    assert_false(xdr_decode(&reader, type, &ret, &over));
    expect_refusal(&over, "REMOTE_DOMAIN_LIST_MAX");
    reader = READER("\0\0\0\2\0\0\0\1");
    assert_false(xdr_decode(&reader, type, &ret, &more));
    expect_refusal(&more, "the message is too short");
}

static void a_bad_element_is_found_before_the_list_is_walked(void **state)
{
    (void)state;
    struct remote_connect_list_defined_domains_ret ret;
    struct error err = {0};
    struct xdr_reader reader = READER("\0\0\0\2\0\0\0\1a\0\0\0\0\0\0\1\0\0\0\0");
    assert_false(
        xdr_decode(&reader, XDR_TYPE(remote_connect_list_defined_domains_ret), &ret, &err));
    expect_refusal(&err, "names: the string holds a NUL");
}

static void an_unknown_discriminant_is_refused(void **state)
{
    (void)state;
    struct remote_typed_param param;
    struct error err = {0};
    struct xdr_reader reader = READER("\0\0\0\1a\0\0\0\0\0\0\x8\0\0\0\0");
    assert_false(xdr_decode(&reader, XDR_TYPE(remote_typed_param), &param, &err));
    expect_refusal(&err, "type: unknown discriminant");
}

static void presence_is_yes_or_no(void **state)
{
    (void)state;
    struct remote_connect_open_args args;
    struct error err = {0};
    struct xdr_reader reader = READER("\0\0\0\2\0\0\0\0\0\0\0\0");
    assert_false(xdr_decode(&reader, XDR_TYPE(remote_connect_open_args), &args, &err));
    expect_refusal(&err, "name: neither present nor absent");
}

static void unknown_enum_values_pass(void **state)
{
    (void)state;
    struct message_header header;
    struct error err = {0};
    struct xdr_reader reader =
        READER("\x20\0\x80\x86\0\0\0\1\xff\xff\xff\xff\0\0\0\x2a\0\0\0\5\0\0\0\7");
    assert_true(xdr_decode(&reader, XDR_TYPE(message_header), &header, &err));
    assert_int_equal(header.prog, REMOTE_PROGRAM);
    assert_int_equal(header.proc, -1);
    assert_int_equal(header.type, 42);
    assert_int_equal(header.status, 7);
}

static void a_list_is_walked_element_by_element(void **state)
{
    (void)state;
    struct remote_connect_list_defined_domains_ret ret;
    struct error err = {0};
    struct xdr_reader reader = READER("\0\0\0\2\0\0\0\1a\0\0\0\0\0\0\5bcdef\0\0\0");
    assert_true(xdr_decode(&reader, XDR_TYPE(remote_connect_list_defined_domains_ret), &ret, &err));
    assert_int_equal(ret.names.count, 2);
    struct slice name;
    assert_true(xdr_next(&ret.names, &name));
    assert_true(slice_is(name, "a"));
    assert_true(xdr_next(&ret.names, &name));
    assert_true(slice_is(name, "bcdef"));
    assert_false(xdr_next(&ret.names, &name));
}

// ---- Writing ----

// Moves from `memory` to this, as a reply moves from a small slot to a large one.
static struct larger {
    uint8_t bytes[CONFIG_REMOTE_MESSAGE_MAX];
    int moves;
} larger;

static bool grow_once(struct xdr_writer *w, size_t need)
{
    if (w->at == larger.bytes || (need != XDR_GROW_MOST && need > sizeof(larger.bytes)))
        return false;
    memcpy(larger.bytes, w->at, w->len);
    w->at = larger.bytes;
    w->size = sizeof(larger.bytes);
    larger.moves++;
    return true;
}

static struct xdr_writer growing_writer(size_t size, struct error *err)
{
    struct xdr_writer w = xdr_writer_over(memory, size, err);
    w.grow = grow_once;
    larger.moves = 0;
    return w;
}

static void a_struct_is_written_as_rfc_4506_says(void **state)
{
    (void)state;
    struct error err = {0};
    struct xdr_writer w = xdr_writer_over(memory, sizeof(memory), &err);
    struct remote_domain_get_info_ret info = {
        .state = 1, .maxMem = 1048576, .memory = 524288, .nrVirtCpu = 2, .cpuTime = 5000000000};
    xdr_encode(&w, XDR_TYPE(remote_domain_get_info_ret), &info);
    static const char wire[] = "\0\0\0\1\0\0\0\0\0\x10\0\0\0\0\0\0\0\x8\0\0"
                               "\0\0\0\2\0\0\0\1\x2a\5\xf2\0";
    assert_false(w.failed);
    assert_int_equal(w.len, sizeof(wire) - 1);
    assert_memory_equal(memory, wire, sizeof(wire) - 1);
}

static void a_writer_moves_to_larger_memory_with_what_it_has(void **state)
{
    (void)state;
    struct error err = {0};
    struct xdr_writer w = growing_writer(16, &err);
    for (uint32_t i = 0; i < 100; i++)
        xdr_put_u32(&w, i);
    assert_false(w.failed);
    assert_int_equal(larger.moves, 1);
    assert_int_equal(w.len, 400);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(xdr_load_u32(w.at + 4 * i), i);
}

static void a_message_that_gets_too_long_fails_by_the_limits_name(void **state)
{
    (void)state;
    struct error err = {0};
    struct xdr_writer w = growing_writer(16, &err);
    for (uint32_t i = 0; i <= CONFIG_REMOTE_MESSAGE_MAX / 8; i++)
        xdr_put_u64(&w, i);
    assert_true(w.failed);
    expect_refusal(&err, "CONFIG_REMOTE_MESSAGE_MAX");
    size_t len = w.len;
    xdr_put_u32(&w, 1);
    assert_int_equal(w.len, len);
}

static void the_first_failure_is_the_one_that_is_told(void **state)
{
    (void)state;
    struct error err = {0};
    struct xdr_writer w = xdr_writer_over(memory, sizeof(memory), &err);
    xdr_writer_fail(&w, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "gone");
    xdr_put_string(&w, (struct slice){(const char *)larger.bytes, CONFIG_REMOTE_STRING_MAX + 1});
    assert_int_equal(err.code, VIR_ERR_OPERATION_FAILED);
    assert_int_equal(w.len, 0);
}

static void a_string_that_is_too_long_or_holds_a_NUL_is_not_written(void **state)
{
    (void)state;
    struct error too_long = {0}, nul = {0};
    struct xdr_writer w = xdr_writer_over(memory, sizeof(memory), &too_long);
    memset(larger.bytes, 'a', sizeof(larger.bytes));
    xdr_put_string(&w, (struct slice){(const char *)larger.bytes, CONFIG_REMOTE_STRING_MAX + 1});
    assert_true(w.failed);
    expect_refusal(&too_long, "CONFIG_REMOTE_STRING_MAX");
    w = xdr_writer_over(memory, sizeof(memory), &nul);
    xdr_put_string(&w, SLICE("a\0b"));
    assert_true(w.failed);
    expect_refusal(&nul, "holds a NUL");
}

static void a_list_counts_its_elements(void **state)
{
    (void)state;
    struct error err = {0};
    struct xdr_writer w = growing_writer(8, &err);
    struct xdr_list_mark ids = xdr_list_begin(&w, REMOTE_DOMAIN_LIST_MAX);
    for (int32_t id = 1; id <= 3; id++) {
        xdr_list_add(&w, &ids);
        xdr_put_i32(&w, id);
    }
    xdr_list_end(&w, &ids);
    assert_false(w.failed);
    assert_int_equal(w.len, 16);
    assert_memory_equal(w.at, "\0\0\0\3\0\0\0\1\0\0\0\2\0\0\0\3", 16);
}

static void a_list_over_its_maximum_fails_by_the_limits_name(void **state)
{
    (void)state;
    struct error err = {0};
    struct xdr_writer w = xdr_writer_over(memory, sizeof(memory), &err);
    struct xdr_list_mark keys = xdr_list_begin(&w, REMOTE_DOMAIN_SEND_KEY_MAX);
    for (uint32_t i = 0; i <= REMOTE_DOMAIN_SEND_KEY_MAX; i++) {
        xdr_list_add(&w, &keys);
        xdr_put_u32(&w, i);
    }
    xdr_list_end(&w, &keys);
    assert_true(w.failed);
    expect_refusal(&err, "list of 17, limit is 16 (REMOTE_DOMAIN_SEND_KEY_MAX)");
}

static void a_text_is_written_in_place_and_padded(void **state)
{
    (void)state;
    struct error err = {0};
    struct xdr_writer w = growing_writer(16, &err);
    xdr_put_u32(&w, 7);
    struct buffer text = xdr_string_begin(&w);
    buffer_puts(&text, "<domain/>");
    xdr_string_end(&w, &text);
    xdr_put_u32(&w, 8);
    assert_false(w.failed);
    assert_int_equal(larger.moves, 1);
    assert_int_equal(w.len, 24);
    assert_memory_equal(w.at, "\0\0\0\7\0\0\0\x9<domain/>\0\0\0\0\0\0\x8", 24);
}

static void a_text_may_fill_the_string_limit_and_no_more(void **state)
{
    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        struct error err = {0};
        struct xdr_writer w = growing_writer(16, &err);
        struct buffer text = xdr_string_begin(&w);
        for (size_t i = 0; i < CONFIG_REMOTE_STRING_MAX + over; i++)
            buffer_putc(&text, 'x');
        xdr_string_end(&w, &text);
        assert_int_equal(w.failed, over == 1);
        if (over)
            expect_refusal(&err, "CONFIG_REMOTE_STRING_MAX");
        else
            assert_int_equal(w.len, 4 + CONFIG_REMOTE_STRING_MAX);
    }
}

static void a_text_that_does_not_fit_into_the_message_fails(void **state)
{
    (void)state;
    for (size_t size = 0; size < 32; size++) {
        struct error err = {0};
        struct xdr_writer w = xdr_writer_over(memory, size, &err);
        struct buffer text = xdr_string_begin(&w);
        for (int i = 0; i < 32; i++)
            buffer_putc(&text, 'x');
        xdr_string_end(&w, &text);
        assert_true(w.failed);
        expect_refusal(&err, "CONFIG_REMOTE_MESSAGE_MAX");
    }
}

static void chars_take_a_word_each(void **state)
{
    (void)state;
    struct error err = {0};
    struct xdr_writer w = xdr_writer_over(memory, sizeof(memory), &err);
    xdr_put_chars(&w, SLICE("a\xff"), REMOTE_AUTH_SASL_DATA_MAX);
    assert_int_equal(w.len, 12);
    assert_memory_equal(memory, "\0\0\0\2\0\0\0a\xff\xff\xff\xff", 12);
}

static void typed_parameters_are_found_by_name(void **state)
{
    (void)state;
    struct error err = {0};
    struct xdr_writer w = xdr_writer_over(memory, sizeof(memory), &err);
    xdr_writer_expect(&w, XDR_TYPE(remote_domain_get_job_stats_ret));
    xdr_put_i32(&w, 2);
    struct xdr_list_mark params = xdr_list_begin(&w, REMOTE_DOMAIN_JOB_STATS_MAX);
    xdr_param_add_i32(&w, &params, "i", -1);
    xdr_param_add_u32(&w, &params, "u", 1);
    xdr_param_add_i64(&w, &params, "l", INT64_MIN);
    xdr_param_add_u64(&w, &params, "ul", UINT64_MAX);
    xdr_param_add_double(&w, &params, "d", 0.5);
    xdr_param_add_bool(&w, &params, "b", true);
    xdr_param_add_string(&w, &params, "s", SLICE("text"));
    xdr_list_end(&w, &params);
    xdr_writer_done(&w);
    assert_false(w.failed);

    struct remote_domain_get_job_stats_ret ret;
    struct xdr_reader reader = reader_over(memory, w.len);
    assert_true(xdr_decode(&reader, XDR_TYPE(remote_domain_get_job_stats_ret), &ret, &err));
    assert_int_equal(ret.params.count, 7);
    struct remote_typed_param found;
    assert_true(xdr_param_find(ret.params, "ul", &found));
    assert_int_equal(found.value.type, VIR_TYPED_PARAM_ULLONG);
    assert_true(found.value.ul == UINT64_MAX);
    assert_true(xdr_param_find(ret.params, "s", &found));
    assert_true(slice_is(found.value.s, "text"));
    assert_true(xdr_param_find(ret.params, "d", &found));
    assert_true(found.value.d > 0.4 && found.value.d < 0.6);
    assert_false(xdr_param_find(ret.params, "none", &found));
}

// ---- The watch over the writer ----

#ifdef CONFIG_DEBUG_CHECKS

static void in_order(struct xdr_writer *w)
{
    xdr_put_u64(w, 5);
}

static void wrong_type(struct xdr_writer *w)
{
    xdr_put_u32(w, 5);
}

static void too_little(struct xdr_writer *w)
{
    (void)w;
}

static void too_much(struct xdr_writer *w)
{
    xdr_put_u64(w, 5);
    xdr_put_u64(w, 5);
}

// True when writing `items` as this type ends the program.
static bool aborts(const struct xdr_type *type, void (*items)(struct xdr_writer *))
{
    pid_t child = fork();
    if (child == 0) {
        struct error err = {0};
        struct xdr_writer w = xdr_writer_over(memory, sizeof(memory), &err);
        signal(SIGABRT, SIG_DFL);
        (void)!freopen("/dev/null", "w", stderr);
        xdr_writer_expect(&w, type);
        items(&w);
        xdr_writer_done(&w);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void a_reply_that_is_not_the_contracts_aborts(void **state)
{
    (void)state;
    const struct xdr_type *type = XDR_TYPE(remote_connect_get_version_ret);
    assert_false(aborts(type, in_order));
    assert_true(aborts(type, wrong_type));
    assert_true(aborts(type, too_little));
    assert_true(aborts(type, too_much));
    assert_false(aborts(NULL, too_little));
    assert_true(aborts(NULL, in_order));
}

static void element_without_add(struct xdr_writer *w)
{
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_LIST_MAX);
    xdr_put_i32(w, 1);
    xdr_list_end(w, &list);
}

static void list_left_open(struct xdr_writer *w)
{
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_LIST_MAX);
    xdr_list_add(w, &list);
    xdr_put_i32(w, 1);
}

static void empty_list(struct xdr_writer *w)
{
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_LIST_MAX);
    xdr_list_end(w, &list);
}

static void lists_are_watched_too(void **state)
{
    (void)state;
    const struct xdr_type *type = XDR_TYPE(remote_connect_list_domains_ret);
    assert_false(aborts(type, empty_list));
    assert_true(aborts(type, element_without_add));
    assert_true(aborts(type, list_left_open));
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_stay_in_the_message),
        cmocka_unit_test(an_absent_string_is_not_an_empty_one),
        cmocka_unit_test(an_optional_struct_says_whether_it_is_there),
        cmocka_unit_test(bytes_after_the_value_are_left_in_the_reader),
        cmocka_unit_test(padding_may_hold_anything),
        cmocka_unit_test(a_string_over_the_limit_is_refused_by_the_limits_name),
        cmocka_unit_test(a_string_of_absurd_length_is_refused),
        cmocka_unit_test(a_string_with_a_NUL_is_refused),
        cmocka_unit_test(an_opaque_may_hold_a_NUL),
        cmocka_unit_test(lists_with_negative_or_absurd_counts_are_refused),
        cmocka_unit_test(a_bad_element_is_found_before_the_list_is_walked),
        cmocka_unit_test(an_unknown_discriminant_is_refused),
        cmocka_unit_test(presence_is_yes_or_no),
        cmocka_unit_test(unknown_enum_values_pass),
        cmocka_unit_test(a_list_is_walked_element_by_element),
        cmocka_unit_test(a_struct_is_written_as_rfc_4506_says),
        cmocka_unit_test(a_writer_moves_to_larger_memory_with_what_it_has),
        cmocka_unit_test(a_message_that_gets_too_long_fails_by_the_limits_name),
        cmocka_unit_test(the_first_failure_is_the_one_that_is_told),
        cmocka_unit_test(a_string_that_is_too_long_or_holds_a_NUL_is_not_written),
        cmocka_unit_test(a_list_counts_its_elements),
        cmocka_unit_test(a_list_over_its_maximum_fails_by_the_limits_name),
        cmocka_unit_test(a_text_is_written_in_place_and_padded),
        cmocka_unit_test(a_text_may_fill_the_string_limit_and_no_more),
        cmocka_unit_test(a_text_that_does_not_fit_into_the_message_fails),
        cmocka_unit_test(chars_take_a_word_each),
        cmocka_unit_test(typed_parameters_are_found_by_name),
#ifdef CONFIG_DEBUG_CHECKS
        cmocka_unit_test(a_reply_that_is_not_the_contracts_aborts),
        cmocka_unit_test(lists_are_watched_too),
#endif
    };
    return cmocka_run_group_tests_name("xdr", tests, NULL, NULL);
}
