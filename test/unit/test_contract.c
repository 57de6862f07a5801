// The contract as a whole: random values of every argument, result and message of every program,
// made by a generator of its own that walks the descriptors, go through the interpreter both ways.
#include "proto/admin.h"
#include "proto/keepalive.h"
#include "proto/message.h"
#include "proto/qemu.h"
#include "proto/remote.h"
#include "rpc/call.h"
#include "test/contract/random_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants those first.
#include <cmocka.h>

static const struct xdr_program *const programs[] = {
    &remote_program,
    &qemu_program,
    &admin_program,
    &keepalive_program,
};

// ---- The properties that every type has ----

static union {
    uint8_t bytes[4096];
    uint64_t align;
} value;

static void decode_all(const struct xdr_type *type, void *into)
{
    struct error err = {0};
    struct xdr_reader reader = {wire.bytes, wire.bytes + wire.len};
    if (!xdr_decode(&reader, type, into, &err))
        fail_msg("type %td: %s", type - contract_types, err.message);
    assert_ptr_equal(reader.at, reader.end);
}

static void walk(const struct xdr_type *type, const uint8_t *from);

// Walks the list as a handler would, and the lists in its elements.
static void walk_list(struct xdr_list list)
{
    union {
        uint8_t bytes[1024];
        uint64_t align;
    } element;
    size_t size = xdr_value_size(list.element);
    uint32_t count = list.count;
    assert_true(size <= sizeof(element));
    while (xdr_list_next(&list, &element, size)) {
        count--;
        if (list.element->kind == XDR_STRUCT)
            walk(&contract_types[list.element->of], element.bytes);
    }
    assert_int_equal(count, 0);
    assert_ptr_equal(list.at, list.end);
}

static void walk(const struct xdr_type *type, const uint8_t *from)
{
    struct xdr_list list;
    for (unsigned i = 0; i < type->count; i++) {
        const struct xdr_field *field = &contract_fields[type->first + i];
        if (field->shape != XDR_LIST)
            continue;
        memcpy(&list, from + field->offset, sizeof(list));
        walk_list(list);
    }
}

static void value_goes_both_ways(const struct xdr_type *type)
{
    static uint8_t written[sizeof(wire.bytes)];
    struct error err = {0};
    assert_true(type->size <= sizeof(value));
    wire.len = 0;
    generate_type(type);
    memset(value.bytes, 0xaa, sizeof(value)); // nothing of what was there before may shine through
    decode_all(type, value.bytes);
    if (!type->is_union)
        walk(type, value.bytes);
    struct xdr_writer w = xdr_writer_over(written, sizeof(written), &err);
    if (!type->is_union)
        xdr_writer_expect(&w, type);
    xdr_encode(&w, type, value.bytes);
    xdr_writer_done(&w);
    assert_false(w.failed);
    assert_int_equal(w.len, wire.len);
    assert_memory_equal(written, wire.bytes, wire.len);
}

static void every_cut_fails_cleanly(const struct xdr_type *type)
{
    for (size_t len = 0; len < wire.len; len++) {
        // A copy of exactly this length: the address sanitizer sees a read past it.
        uint8_t *cut = malloc(len ? len : 1);
        assert_non_null(cut);
        memcpy(cut, wire.bytes, len);
        struct error err = {0};
        struct xdr_reader reader = {cut, cut + len};
        assert_false(xdr_decode(&reader, type, value.bytes, &err));
        assert_int_equal(err.code, VIR_ERR_RPC);
        assert_non_null(strstr(err.message, "Unable to decode message payload: "));
        free(cut);
    }
}

// What a hostile client sends: it is decoded or refused, and no read strays.
static void damage_is_decoded_or_refused(const struct xdr_type *type)
{
    uint8_t *damaged = malloc(wire.len ? wire.len : 1);
    assert_non_null(damaged);
    memcpy(damaged, wire.bytes, wire.len);
    for (int i = 0; i < 3 && wire.len; i++)
        damaged[chance((uint32_t)wire.len)] = (uint8_t)chance(256);
    struct error err = {0};
    struct xdr_reader reader = {damaged, damaged + wire.len};
    if (xdr_decode(&reader, type, value.bytes, &err) && !type->is_union)
        walk(type, value.bytes);
    free(damaged);
}

static void check_type(const struct xdr_type *type)
{
    for (int round = 0; round < 10; round++) {
        value_goes_both_ways(type);
        damage_is_decoded_or_refused(type);
    }
    every_cut_fails_cleanly(type);
}

static void values_of_every_procedure_go_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        for (uint32_t number = 1; number <= programs[i]->last; number++) {
            const struct xdr_procedure *p = xdr_procedure_find(programs[i], (int32_t)number);
            if (p && xdr_procedure_args(p))
                check_type(xdr_procedure_args(p));
            if (p && xdr_procedure_result(p))
                check_type(xdr_procedure_result(p));
        }
    }
}

static void values_of_the_framing_go_both_ways(void **state)
{
    (void)state;
    check_type(XDR_TYPE(message_header));
    check_type(XDR_TYPE(message_error));
    check_type(XDR_TYPE(message_stream_hole));
    check_type(XDR_TYPE(remote_typed_param_value));
    check_type(XDR_TYPE(admin_typed_param_value));
}

// ---- The tables ----

static void programs_have_libvirts_numbers(void **state)
{
    (void)state;
    assert_int_equal(remote_program.number, 0x20008086);
    assert_int_equal(qemu_program.number, 0x20008087);
    assert_int_equal(admin_program.number, 0x06900690);
    assert_int_equal(keepalive_program.number, 0x6b656570);
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        assert_int_equal(programs[i]->version, 1);
    assert_int_equal(remote_program.last, 453);
    assert_int_equal(qemu_program.last, 7);
    assert_int_equal(admin_program.last, 20);
    assert_int_equal(keepalive_program.last, 2);
}

static void numbers_outside_the_program_find_nothing(void **state)
{
    (void)state;
    assert_null(xdr_procedure_find(&remote_program, 0));
    assert_null(xdr_procedure_find(&remote_program, -1));
    assert_null(xdr_procedure_find(&remote_program, INT32_MIN));
    assert_null(xdr_procedure_find(&remote_program, 454));
    assert_non_null(xdr_procedure_find(&remote_program, 453));
}

static void procedures_are_told_by_the_name_of_their_api(void **state)
{
    (void)state;
    const struct xdr_procedure *p;
    p = xdr_procedure_find(&remote_program, REMOTE_PROC_DOMAIN_CREATE_XML);
    assert_string_equal(xdr_procedure_name(p), "virDomainCreateXML");
    p = xdr_procedure_find(&remote_program, REMOTE_PROC_AUTH_LIST);
    assert_string_equal(xdr_procedure_name(p), "auth_list");
    p = xdr_procedure_find(&qemu_program, QEMU_PROC_DOMAIN_MONITOR_COMMAND);
    assert_string_equal(xdr_procedure_name(p), "virDomainQemuMonitorCommand");
}

static void only_authentication_may_be_called_before_it(void **state)
{
    (void)state;
    for (int32_t number = 1; number <= (int32_t)remote_program.last; number++) {
        const struct xdr_procedure *p = xdr_procedure_find(&remote_program, number);
        bool auth = number >= REMOTE_PROC_AUTH_LIST && number <= REMOTE_PROC_AUTH_POLKIT;
        assert_int_equal((p->marks & XDR_MARK_PREAUTH) != 0, auth);
    }
}

static void every_call_has_a_struct_that_fits_into_a_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        for (uint32_t number = 1; number <= programs[i]->last; number++) {
            const struct xdr_procedure *p = xdr_procedure_find(programs[i], (int32_t)number);
            if (p && xdr_procedure_args(p))
                assert_true(xdr_procedure_args(p)->size <= CALL_ARGS_SIZE);
        }
    }
}

static void streams_have_a_direction(void **state)
{
    (void)state;
    const struct {
        int32_t number;
        unsigned marks;
    } streams[] = {
        {REMOTE_PROC_DOMAIN_OPEN_CONSOLE, XDR_MARK_STREAM_READ},
        {REMOTE_PROC_DOMAIN_SCREENSHOT, XDR_MARK_STREAM_READ},
        {REMOTE_PROC_STORAGE_VOL_UPLOAD, XDR_MARK_STREAM_WRITE},
        {REMOTE_PROC_DOMAIN_CREATE, 0},
    };
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        const struct xdr_procedure *p = xdr_procedure_find(&remote_program, streams[i].number);
        assert_int_equal(p->marks & (XDR_MARK_STREAM_READ | XDR_MARK_STREAM_WRITE),
                         streams[i].marks);
    }
}

// ---- Read-only connections ----

static void expect_readonly(int32_t number, const void *args, const char *refusal)
{
    struct error err = {0};
    const struct xdr_procedure *p = xdr_procedure_find(&remote_program, number);
    assert_int_equal(xdr_procedure_allow_readonly(p, args, &err), refusal == NULL);
    if (refusal) {
        assert_int_equal(err.code, VIR_ERR_OPERATION_DENIED);
        assert_int_equal(err.domain, VIR_FROM_DOMAIN);
        assert_string_equal(err.message, refusal);
    }
}

static void a_read_only_connection_may_look_but_not_touch(void **state)
{
    (void)state;
    struct remote_domain_get_info_args info = {0};
    expect_readonly(REMOTE_PROC_DOMAIN_GET_INFO, &info, NULL);
    struct remote_domain_create_args create = {0};
    expect_readonly(REMOTE_PROC_DOMAIN_CREATE, &create,
                    "operation forbidden: read only access prevents virDomainCreate");
    struct remote_domain_del_throttle_group_args group = {0};
    expect_readonly(REMOTE_PROC_DOMAIN_DEL_THROTTLE_GROUP, &group,
                    "operation forbidden: read only access prevents virDomainDelThrottleGroup");
}

static void a_read_only_connection_is_refused_some_flags(void **state)
{
    (void)state;
    struct remote_domain_get_xml_desc_args desc = {.flags = 2};
    expect_readonly(REMOTE_PROC_DOMAIN_GET_XML_DESC, &desc, NULL);
    desc.flags = 1; // VIR_DOMAIN_XML_SECURE
    expect_readonly(REMOTE_PROC_DOMAIN_GET_XML_DESC, &desc,
                    "operation forbidden: virDomainGetXMLDesc with secure flag");
    desc.flags = 8; // VIR_DOMAIN_XML_MIGRATABLE
    expect_readonly(REMOTE_PROC_DOMAIN_GET_XML_DESC, &desc,
                    "operation forbidden: virDomainGetXMLDesc with secure flag");
    struct remote_domain_get_vcpus_flags_args vcpus = {.flags = 1};
    expect_readonly(REMOTE_PROC_DOMAIN_GET_VCPUS_FLAGS, &vcpus, NULL);
    vcpus.flags = 8; // VIR_DOMAIN_VCPU_GUEST
    expect_readonly(REMOTE_PROC_DOMAIN_GET_VCPUS_FLAGS, &vcpus,
                    "operation forbidden: read only access prevents virDomainGetVcpusFlags");
    struct remote_domain_interface_addresses_args addresses = {.source = 0};
    expect_readonly(REMOTE_PROC_DOMAIN_INTERFACE_ADDRESSES, &addresses, NULL);
    addresses.source = 1; // VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT
    expect_readonly(REMOTE_PROC_DOMAIN_INTERFACE_ADDRESSES, &addresses,
                    "operation forbidden: read only access prevents virDomainInterfaceAddresses");
}

// ---- Access rules ----

// The permissions that these arguments need, with a blank after each.
static const char *needed(int32_t number, enum xdr_rule_kind kind, const void *args)
{
    static char text[256];
    struct buffer b = buffer_over(text, sizeof(text));
    const struct xdr_procedure *p = xdr_procedure_find(&remote_program, number);
    for (const struct xdr_rule *rule = NULL; (rule = xdr_procedure_rule(p, kind, args, rule));)
        buffer_printf(&b, "%s.%s ", xdr_rule_object(rule), xdr_rule_permission(rule));
    return text;
}

static void access_rules_follow_the_flags(void **state)
{
    (void)state;
    struct remote_domain_attach_device_flags_args args = {.flags = 0};
    const int32_t number = REMOTE_PROC_DOMAIN_ATTACH_DEVICE_FLAGS;
    assert_string_equal(needed(number, XDR_RULE_ACCESS, &args), "domain.write domain.save ");
    args.flags = 1; // VIR_DOMAIN_AFFECT_LIVE
    assert_string_equal(needed(number, XDR_RULE_ACCESS, &args), "domain.write ");
    args.flags = 3; // and VIR_DOMAIN_AFFECT_CONFIG
    assert_string_equal(needed(number, XDR_RULE_ACCESS, &args), "domain.write domain.save ");
}

static void lists_are_filtered_by_what_the_caller_may_see(void **state)
{
    (void)state;
    struct remote_connect_list_all_domains_args args = {0};
    const int32_t number = REMOTE_PROC_CONNECT_LIST_ALL_DOMAINS;
    assert_string_equal(needed(number, XDR_RULE_ACCESS, &args), "connect.search_domains ");
    assert_string_equal(needed(number, XDR_RULE_FILTER, &args), "domain.getattr ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_procedure_go_both_ways),
        cmocka_unit_test(values_of_the_framing_go_both_ways),
        cmocka_unit_test(programs_have_libvirts_numbers),
        cmocka_unit_test(numbers_outside_the_program_find_nothing),
        cmocka_unit_test(procedures_are_told_by_the_name_of_their_api),
        cmocka_unit_test(only_authentication_may_be_called_before_it),
        cmocka_unit_test(every_call_has_a_struct_that_fits_into_a_call),
        cmocka_unit_test(streams_have_a_direction),
        cmocka_unit_test(a_read_only_connection_may_look_but_not_touch),
        cmocka_unit_test(a_read_only_connection_is_refused_some_flags),
        cmocka_unit_test(access_rules_follow_the_flags),
        cmocka_unit_test(lists_are_filtered_by_what_the_caller_may_see),
    };
    return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}
