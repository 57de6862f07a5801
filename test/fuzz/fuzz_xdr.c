// XDR: every type of the contract. What was decoded is encoded and decoded to the same bytes, and
// its lists can be walked.
//
// An input is a type's number in two bytes and the value's wire bytes.
#include "fuzz.h"
#include "wire.h"

#include "proto/admin.h"
#include "proto/keepalive.h"
#include "proto/qemu.h"
#include "proto/remote.h"

#define VALUE_MAX 4096 // bytes of a C struct
#define WIRE_MAX  (1 << 20)

static uint32_t type_count; // up to the last that a procedure uses
static uint8_t first[WIRE_MAX], second[WIRE_MAX];
static _Alignas(16) uint8_t value[VALUE_MAX], again[VALUE_MAX];

static void count_types(const struct xdr_program *program)
{
    for (uint32_t i = 0; i < program->last; i++) {
        const struct xdr_procedure *procedure = &program->procedures[i];
        type_count = procedure->args > type_count ? procedure->args : type_count;
        type_count = procedure->result > type_count ? procedure->result : type_count;
    }
}

void fuzz_start(void)
{
    count_types(&remote_program);
    count_types(&qemu_program);
    count_types(&admin_program);
    count_types(&keepalive_program);
}

static void walk_value(const struct xdr_field *field, const void *at);

static void walk_list(struct xdr_list list)
{
    _Alignas(16) uint8_t element[VALUE_MAX];
    uint32_t count = 0, expected = list.count;
    const struct xdr_field *field = list.element;
    while (xdr_list_next(&list, element, xdr_value_size(field))) {
        walk_value(field, element);
        count++;
    }
    FUZZ_CHECK(count == expected && list.at == list.end);
}

static void walk_type(const struct xdr_type *type, const uint8_t *base)
{
    for (unsigned i = 0; i < type->count; i++) {
        const struct xdr_field *field = &contract_fields[type->first + i];
        uint32_t selected;
        if (type->is_union && i > 0) {
            memcpy(&selected, base + contract_fields[type->first].offset, sizeof(selected));
            if (field->extent != selected)
                continue;
        }
        if (field->shape == XDR_LIST) {
            struct xdr_list list;
            memcpy(&list, base + field->offset, sizeof(list));
            walk_list(list);
        } else if (field->shape == XDR_ONE) {
            walk_value(field, base + field->offset);
        }
    }
}

static void walk_value(const struct xdr_field *field, const void *at)
{
    if (field->kind == XDR_STRUCT || field->kind == XDR_UNION) {
        walk_type(&contract_types[field->of], at);
    } else if (field->kind == XDR_STRING) {
        struct slice text;
        memcpy(&text, at, sizeof(text));
        FUZZ_CHECK(!slice_present(text) || text.len == 0 || !memchr(text.at, '\0', text.len));
    }
}

static struct slice encode(const struct xdr_type *type, const void *from, uint8_t *to)
{
    struct error err = {0};
    struct xdr_writer writer = xdr_writer_over(to, WIRE_MAX, &err);
    if (!type->is_union) // no reply is one
        xdr_writer_expect(&writer, type);
    xdr_encode(&writer, type, from);
    xdr_writer_done(&writer);
    if (writer.failed)
        FUZZ_FAIL("a decoded value can not be encoded: %s", err.message);
    return (struct slice){(const char *)to, writer.len};
}

void fuzz_one(struct slice input)
{
    struct error err = {0};
    size_t number = (size_t)fuzz_take_byte(&input) << 8;
    number |= fuzz_take_byte(&input);
    if (number >= type_count || input.len == 0)
        return;
    const struct xdr_type *type = &contract_types[number];
    FUZZ_CHECK(type->size <= VALUE_MAX);
    const uint8_t *bytes = (const uint8_t *)input.at;
    struct xdr_reader reader = {bytes, bytes + input.len};
    bool good = xdr_decode(&reader, type, value, &err);
    FUZZ_TOLD(good, &err);
    if (!good)
        return;
    walk_type(type, value);
    struct slice text = encode(type, value, first);
    FUZZ_CHECK(text.len == (size_t)(reader.at - bytes));
    reader = (struct xdr_reader){first, first + text.len};
    if (!xdr_decode(&reader, type, again, &err))
        FUZZ_FAIL("its own bytes are refused: %s", err.message);
    FUZZ_CHECK(reader.at == reader.end);
    FUZZ_SAME(text, encode(type, again, second));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static uint8_t out[1 << 16];
    struct fuzz_random random = {seed};
    uint32_t way = fuzz_below(&random, 8);
    if (size < 2 || max_size < 64 || way == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    size_t number =
        way == 1 ? fuzz_below(&random, type_count) : ((size_t)data[0] << 8 | data[1]) % type_count;
    const struct xdr_type *type = &contract_types[number];
    size_t room = max_size - 2 < sizeof(out) ? max_size - 2 : sizeof(out);
    size_t len = way == 1 ? wire_make(type, out, room, &random)
                          : wire_change(type, data + 2, size - 2, out, room, &random);
    data[0] = (uint8_t)(number >> 8);
    data[1] = (uint8_t)number;
    memcpy(data + 2, out, len);
    return len + 2;
}
