// The writer: items and whole C structs into a message that grows (RFC 4506).
#include "rpc/xdr_check.h"

#include "core/assert.h"

#include <string.h>

static_assert(CONFIG_REMOTE_STRING_MAX + 1024 <= CONFIG_REMOTE_MESSAGE_MAX,
              "a message must hold the longest string and what goes with it");

struct xdr_writer xdr_writer_over(void *memory, size_t size, struct error *err)
{
    return (struct xdr_writer){.at = memory, .size = size, .err = err};
}

bool xdr_writer_fail(struct xdr_writer *w, int domain, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(w->err, domain, code, format, args);
    va_end(args);
    w->failed = true;
    return false;
}

static void fail_limit(struct xdr_writer *w, const char *what, size_t found, uint32_t max,
                       const char *limit)
{
    xdr_writer_fail(w, VIR_FROM_RPC, VIR_ERR_RPC,
                    "Unable to encode message payload: %s of %zu, limit is %u (%s)", what, found,
                    max, limit);
}

// Room for `size` more bytes, or NULL with the writer failed.
static uint8_t *claim(struct xdr_writer *w, size_t size)
{
    if (w->failed)
        return NULL;
    size_t need = w->len + size;
    if (need > w->size && !(w->grow && w->grow(w, need) && need <= w->size)) {
        fail_limit(w, "message", need, CONFIG_REMOTE_MESSAGE_MAX, "CONFIG_REMOTE_MESSAGE_MAX");
        return NULL;
    }
    uint8_t *at = w->at + w->len;
    w->len = need;
    return at;
}

static void write_u32(struct xdr_writer *w, uint32_t value)
{
    uint8_t *at = claim(w, 4);
    if (at)
        xdr_store_u32(at, value);
}

static void write_u64(struct xdr_writer *w, uint64_t value)
{
    uint8_t *at = claim(w, 8);
    if (!at)
        return;
    xdr_store_u32(at, (uint32_t)(value >> 32));
    xdr_store_u32(at + 4, (uint32_t)value);
}

// Bytes and their padding to a multiple of four (RFC 4506 section 3).
static void write_padded(struct xdr_writer *w, const void *bytes, size_t len)
{
    size_t padded = (len + 3) & ~(size_t)3;
    uint8_t *at = claim(w, padded);
    if (!at)
        return;
    if (len == 0)
        return;
    xdr_store_u32(at + padded - 4, 0); // whose end is the padding
    memcpy(at, bytes, len);
}

// ---- Items ----

void xdr_put_i32(struct xdr_writer *w, int32_t value)
{
    xdr_check_item(w, XDR_INT, (uint32_t)value);
    write_u32(w, (uint32_t)value);
}

void xdr_put_u32(struct xdr_writer *w, uint32_t value)
{
    xdr_check_item(w, XDR_UINT, 0);
    write_u32(w, value);
}

void xdr_put_i64(struct xdr_writer *w, int64_t value)
{
    xdr_check_item(w, XDR_HYPER, 0);
    write_u64(w, (uint64_t)value);
}

void xdr_put_u64(struct xdr_writer *w, uint64_t value)
{
    xdr_check_item(w, XDR_UHYPER, 0);
    write_u64(w, value);
}

void xdr_put_double(struct xdr_writer *w, double value)
{
    uint64_t bits;
    static_assert(sizeof(bits) == sizeof(value), "RFC 4506 section 4.7: IEEE double precision");
    memcpy(&bits, &value, sizeof(bits));
    xdr_check_item(w, XDR_DOUBLE, 0);
    write_u64(w, bits);
}

void xdr_put_string(struct xdr_writer *w, struct slice value)
{
    xdr_check_item(w, XDR_STRING, 0);
    if (w->failed)
        return;
    if (value.len > CONFIG_REMOTE_STRING_MAX) {
        fail_limit(w, "string", value.len, CONFIG_REMOTE_STRING_MAX, "CONFIG_REMOTE_STRING_MAX");
        return;
    }
    if (value.len && memchr(value.at, '\0', value.len)) {
        xdr_writer_fail(w, VIR_FROM_RPC, VIR_ERR_RPC,
                        "Unable to encode message payload: a string holds a NUL");
        return;
    }
    write_u32(w, (uint32_t)value.len);
    write_padded(w, value.at, value.len);
}

void xdr_put_optional_string(struct xdr_writer *w, struct slice value)
{
    xdr_put_present(w, slice_present(value));
    if (slice_present(value))
        xdr_put_string(w, value);
}

void xdr_put_present(struct xdr_writer *w, bool present)
{
    xdr_check_item(w, XDR_ITEM_PRESENT, present);
    write_u32(w, present);
}

void xdr_put_opaque_named(struct xdr_writer *w, const void *bytes, size_t len, uint32_t max,
                          const char *limit)
{
    xdr_check_item(w, XDR_OPAQUE, 0);
    if (w->failed)
        return;
    if (len > max) {
        fail_limit(w, "opaque", len, max, limit);
        return;
    }
    write_u32(w, (uint32_t)len);
    write_padded(w, bytes, len);
}

void xdr_put_bytes(struct xdr_writer *w, const void *bytes, size_t len)
{
    xdr_check_item(w, XDR_BYTES, (uint32_t)len);
    write_padded(w, bytes, len);
}

void xdr_put_object(struct xdr_writer *w, const char *name, const uint8_t uuid[16], int32_t id)
{
    size_t len = strlen(name), padded = (len + 3) & ~(size_t)3;
    assert(len <= CONFIG_REMOTE_STRING_MAX);
    xdr_check_item(w, XDR_STRING, 0);
    xdr_check_item(w, XDR_BYTES, 16);
    xdr_check_item(w, XDR_INT, (uint32_t)id);
    uint8_t *at = claim(w, 4 + padded + 16 + 4);
    if (!at)
        return;
    xdr_store_u32(at + padded, 0); // the last word of the name, whose end is padding
    xdr_store_u32(at, (uint32_t)len);
    memcpy(at + 4, name, len);
    memcpy(at + 4 + padded, uuid, 16);
    xdr_store_u32(at + 4 + padded + 16, (uint32_t)id);
}

void xdr_put_chars_named(struct xdr_writer *w, struct slice value, uint32_t max, const char *limit)
{
    struct xdr_list_mark list = xdr_list_begin_named(w, max, limit);
    for (size_t i = 0; i < value.len && !w->failed; i++) {
        xdr_list_add(w, &list);
        xdr_check_item(w, XDR_CHAR, 0);
        write_u32(w, (uint32_t)(int32_t)(signed char)value.at[i]);
    }
    xdr_list_end(w, &list);
}

// ---- Texts and lists whose length is not known yet ----

// What a text may use of the memory: whole words, behind its length word.
static size_t text_room(const struct xdr_writer *w)
{
    size_t left = w->size - w->len;
    return left < 4 ? 0 : (left - 4) & ~(size_t)3;
}

struct buffer xdr_string_begin(struct xdr_writer *w)
{
    xdr_check_item(w, XDR_STRING, 0);
    if (!w->failed && w->grow)
        w->grow(w, XDR_GROW_MOST); // if it did not, the text may still fit
    size_t room = w->failed ? 0 : text_room(w);
    if (!w->failed && room == 0)
        claim(w, 8);
    if (w->failed)
        return buffer_over(w->nothing, sizeof(w->nothing));
    if (room > (size_t)CONFIG_REMOTE_STRING_MAX + 1)
        room = (size_t)CONFIG_REMOTE_STRING_MAX + 1;
    return buffer_over(w->at + w->len + 4, room);
}

void xdr_string_end(struct xdr_writer *w, const struct buffer *text)
{
    if (w->failed)
        return;
    assert((const uint8_t *)text->at == w->at + w->len + 4);
    if (text->full) {
        if (text->size == (size_t)CONFIG_REMOTE_STRING_MAX + 1)
            fail_limit(w, "string", text->size, CONFIG_REMOTE_STRING_MAX,
                       "CONFIG_REMOTE_STRING_MAX");
        else
            fail_limit(w, "message", w->size + 1, CONFIG_REMOTE_MESSAGE_MAX,
                       "CONFIG_REMOTE_MESSAGE_MAX");
        return;
    }
    size_t padded = (text->len + 3) & ~(size_t)3;
    xdr_store_u32(w->at + w->len, (uint32_t)text->len);
    memset(w->at + w->len + 4 + text->len, 0, padded - text->len);
    w->len += 4 + padded;
}

struct xdr_list_mark xdr_list_begin_named(struct xdr_writer *w, uint32_t max, const char *limit)
{
    xdr_check_item(w, XDR_ITEM_LIST_BEGIN, 0);
    struct xdr_list_mark list = {.at = w->len, .max = max, .limit = limit};
    write_u32(w, 0);
    return list;
}

void xdr_list_add(struct xdr_writer *w, struct xdr_list_mark *list)
{
    xdr_check_item(w, XDR_ITEM_LIST_ADD, 0);
    if (w->failed)
        return;
    if (list->count == list->max)
        fail_limit(w, "list", (size_t)list->count + 1, list->max, list->limit);
    else
        list->count++;
}

void xdr_list_end(struct xdr_writer *w, const struct xdr_list_mark *list)
{
    xdr_check_item(w, XDR_ITEM_LIST_END, 0);
    if (!w->failed)
        xdr_store_u32(w->at + list->at, list->count);
}

// ---- C structs ----

static void encode_scalar(struct xdr_writer *w, const struct xdr_field *field, const uint8_t *from)
{
    union {
        int32_t i32;
        uint32_t u32;
        int64_t i64;
        uint64_t u64;
        double d;
        int8_t i8;
        uint16_t u16;
        struct slice slice;
    } value;
    const struct xdr_limit *limit = &contract_limits[field->of];
#define LOAD(member) (memcpy(&value.member, from, sizeof(value.member)), value.member)
    switch ((enum xdr_kind)field->kind) {
    case XDR_INT:
        xdr_put_i32(w, LOAD(i32));
        break;
    case XDR_UINT:
        xdr_put_u32(w, LOAD(u32));
        break;
    case XDR_HYPER:
        xdr_put_i64(w, LOAD(i64));
        break;
    case XDR_UHYPER:
        xdr_put_u64(w, LOAD(u64));
        break;
    case XDR_DOUBLE:
        xdr_put_double(w, LOAD(d));
        break;
    case XDR_CHAR:
        xdr_check_item(w, XDR_CHAR, 0);
        write_u32(w, (uint32_t)(int32_t)LOAD(i8));
        break;
    case XDR_UCHAR:
        xdr_check_item(w, XDR_UCHAR, 0);
        write_u32(w, *from);
        break;
    case XDR_USHORT:
        xdr_check_item(w, XDR_USHORT, 0);
        write_u32(w, LOAD(u16));
        break;
    case XDR_STRING:
        xdr_put_string(w, LOAD(slice));
        break;
    case XDR_OPAQUE:
        (void)LOAD(slice);
        xdr_put_opaque_named(w, value.slice.at, value.slice.len, limit->value,
                             contract_names + limit->name);
        break;
    default:
        assert(field->kind == XDR_BYTES);
        xdr_put_bytes(w, from, field->of);
    }
#undef LOAD
}

static void encode_value(struct xdr_writer *w, const struct xdr_field *field, const uint8_t *from)
{
    if (field->kind == XDR_STRUCT || field->kind == XDR_UNION)
        xdr_encode(w, &contract_types[field->of], from);
    else
        encode_scalar(w, field, from);
}

static void encode_list(struct xdr_writer *w, const struct xdr_field *field, const uint8_t *from)
{
    const struct xdr_limit *limit = &contract_limits[field->extent];
    struct xdr_list list;
    memcpy(&list, from, sizeof(list));
    xdr_check_item(w, XDR_ITEM_LIST_BEGIN, 0);
    if (list.count > limit->value)
        fail_limit(w, "list", list.count, limit->value, contract_names + limit->name);
    write_u32(w, list.count);
    write_padded(w, list.at, (size_t)(list.end - list.at));
    xdr_check_item(w, XDR_ITEM_LIST_END, 0);
}

static void encode_field(struct xdr_writer *w, const struct xdr_field *field, const uint8_t *base)
{
    const uint8_t *from = base + field->offset;
    switch ((enum xdr_shape)field->shape) {
    case XDR_ONE:
        encode_value(w, field, from);
        break;
    case XDR_OPTIONAL:
        if (field->kind == XDR_STRING) {
            struct slice value;
            memcpy(&value, from, sizeof(value));
            xdr_put_optional_string(w, value);
            break;
        }
        xdr_put_present(w, base[field->extent]);
        if (base[field->extent])
            encode_value(w, field, from);
        break;
    case XDR_ARRAY:
        for (size_t i = 0; i < field->extent; i++)
            encode_value(w, field, from + i * xdr_value_size(field));
        break;
    case XDR_LIST:
        encode_list(w, field, from);
        break;
    }
}

static void encode_union(struct xdr_writer *w, const struct xdr_type *type, const uint8_t *base)
{
    const struct xdr_field *field = &contract_fields[type->first];
    int32_t selected;
    memcpy(&selected, base + field->offset, sizeof(selected));
    for (unsigned i = 1; i < type->count; i++) {
        if (field[i].extent == (uint32_t)selected) {
            xdr_put_i32(w, selected);
            encode_field(w, &field[i], base);
            return;
        }
    }
    xdr_writer_fail(w, VIR_FROM_RPC, VIR_ERR_RPC,
                    "Unable to encode message payload: unknown discriminant %d", selected);
}

void xdr_encode(struct xdr_writer *w, const struct xdr_type *type, const void *from)
{
    if (type->is_union) {
        encode_union(w, type, from);
        return;
    }
    for (unsigned i = 0; i < type->count; i++)
        encode_field(w, &contract_fields[type->first + i], from);
}
