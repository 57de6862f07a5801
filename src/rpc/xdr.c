// The interpreter's reading half: from a message into C structs that point into it (RFC 4506).
#include "rpc/xdr.h"

#include "core/assert.h"

#include <string.h>

static bool decode_type(struct xdr_reader *r, const struct xdr_type *type, uint8_t *into,
                        struct error *err);

size_t xdr_value_size(const struct xdr_field *field)
{
    static const uint8_t sizes[] = {
        [XDR_INT] = 4,
        [XDR_UINT] = 4,
        [XDR_HYPER] = 8,
        [XDR_UHYPER] = 8,
        [XDR_DOUBLE] = 8,
        [XDR_CHAR] = 1,
        [XDR_UCHAR] = 1,
        [XDR_USHORT] = 2,
        [XDR_STRING] = sizeof(struct slice),
        [XDR_OPAQUE] = sizeof(struct slice),
    };
    if (field->kind == XDR_BYTES)
        return field->of;
    if (field->kind == XDR_STRUCT || field->kind == XDR_UNION)
        return contract_types[field->of].size;
    return sizes[field->kind];
}

static bool fail(struct error *err, const struct xdr_field *field, const char *what)
{
    return error_set(err, VIR_FROM_RPC, VIR_ERR_RPC, "Unable to decode message payload: %s: %s",
                     contract_names + field->name, what);
}

static bool fail_limit(struct error *err, const struct xdr_field *field, uint32_t found,
                       const char *unit, uint16_t limit)
{
    return error_set(err, VIR_FROM_RPC, VIR_ERR_RPC,
                     "Unable to decode message payload: %s: %u %s, limit is %u (%s)",
                     contract_names + field->name, found, unit, contract_limits[limit].value,
                     contract_names + contract_limits[limit].name);
}

static bool take(struct xdr_reader *r, size_t size, const uint8_t **at)
{
    if ((size_t)(r->end - r->at) < size)
        return false;
    *at = r->at;
    r->at += size;
    return true;
}

static bool take_u32(struct xdr_reader *r, const struct xdr_field *field, uint32_t *value,
                     struct error *err)
{
    const uint8_t *at;
    if (!take(r, 4, &at))
        return fail(err, field, "the message is too short");
    *value = xdr_load_u32(at);
    return true;
}

// ---- Values; `into` is NULL where the value is only to be checked and skipped ----

static void store_scalar(enum xdr_kind kind, const uint8_t *at, uint8_t *into)
{
    uint32_t word = xdr_load_u32(at);
    if (kind == XDR_HYPER || kind == XDR_UHYPER || kind == XDR_DOUBLE) {
        uint64_t both = (uint64_t)word << 32 | xdr_load_u32(at + 4);
        memcpy(into, &both, sizeof(both));
    } else if (kind == XDR_CHAR || kind == XDR_UCHAR) {
        *into = (uint8_t)word;
    } else if (kind == XDR_USHORT) {
        uint16_t half = (uint16_t)word;
        memcpy(into, &half, sizeof(half));
    } else {
        memcpy(into, &word, sizeof(word));
    }
}

static bool decode_scalar(struct xdr_reader *r, const struct xdr_field *field, uint8_t *into,
                          struct error *err)
{
    enum xdr_kind kind = field->kind;
    bool wide = kind == XDR_HYPER || kind == XDR_UHYPER || kind == XDR_DOUBLE;
    const uint8_t *at;
    if (!take(r, wide ? 8 : 4, &at))
        return fail(err, field, "the message is too short");
    if (into)
        store_scalar(kind, at, into);
    return true;
}

// RFC 4506 sections 4.10 and 4.11. Padding may hold anything: no XDR library looks at it.
static bool decode_string(struct xdr_reader *r, const struct xdr_field *field, uint8_t *into,
                          struct error *err)
{
    uint32_t len;
    const uint8_t *at;
    if (!take_u32(r, field, &len, err))
        return false;
    if (len > contract_limits[field->of].value)
        return fail_limit(err, field, len, "bytes", field->of);
    if (!take(r, ((size_t)len + 3) & ~(size_t)3, &at))
        return fail(err, field, "the message is too short");
    if (field->kind == XDR_STRING && len > 0 && memchr(at, '\0', len))
        return fail(err, field, "the string holds a NUL");
    if (into)
        memcpy(into, &(struct slice){(const char *)at, len}, sizeof(struct slice));
    return true;
}

static bool decode_bytes(struct xdr_reader *r, const struct xdr_field *field, uint8_t *into,
                         struct error *err)
{
    const uint8_t *at;
    if (!take(r, (field->of + 3u) & ~3u, &at))
        return fail(err, field, "the message is too short");
    if (into)
        memcpy(into, at, field->of);
    return true;
}

static bool decode_one(struct xdr_reader *r, const struct xdr_field *field, uint8_t *into,
                       struct error *err)
{
    switch ((enum xdr_kind)field->kind) {
    case XDR_STRING:
    case XDR_OPAQUE:
        return decode_string(r, field, into, err);
    case XDR_BYTES:
        return decode_bytes(r, field, into, err);
    case XDR_STRUCT:
    case XDR_UNION:
        return decode_type(r, &contract_types[field->of], into, err);
    default:
        return decode_scalar(r, field, into, err);
    }
}

// ---- Shapes ----

static bool decode_list(struct xdr_reader *r, const struct xdr_field *field, uint8_t *into,
                        struct error *err)
{
    uint32_t count;
    if (!take_u32(r, field, &count, err))
        return false;
    if (count > contract_limits[field->extent].value)
        return fail_limit(err, field, count, "elements", field->extent);
    // No element is shorter than four bytes: an absurd count is not worth walking.
    if (count > (size_t)(r->end - r->at) / 4)
        return fail(err, field, "the message is too short");
    const uint8_t *start = r->at;
    for (uint32_t i = 0; i < count; i++)
        if (!decode_one(r, field, NULL, err))
            return false;
    if (into)
        memcpy(into, &(struct xdr_list){start, r->at, field, count}, sizeof(struct xdr_list));
    return true;
}

static bool decode_array(struct xdr_reader *r, const struct xdr_field *field, uint8_t *into,
                         struct error *err)
{
    size_t size = xdr_value_size(field);
    for (size_t i = 0; i < field->extent; i++)
        if (!decode_one(r, field, into ? into + i * size : NULL, err))
            return false;
    return true;
}

// RFC 4506 section 4.19. The C struct starts zeroed: what is absent is so already.
static bool decode_optional(struct xdr_reader *r, const struct xdr_field *field, uint8_t *base,
                            struct error *err)
{
    uint32_t present;
    if (!take_u32(r, field, &present, err))
        return false;
    if (present > 1)
        return fail(err, field, "neither present nor absent");
    if (!present)
        return true;
    if (base && field->kind != XDR_STRING)
        base[field->extent] = true;
    return decode_one(r, field, base ? base + field->offset : NULL, err);
}

static bool decode_field(struct xdr_reader *r, const struct xdr_field *field, uint8_t *base,
                         struct error *err)
{
    uint8_t *into = base ? base + field->offset : NULL;
    switch ((enum xdr_shape)field->shape) {
    case XDR_OPTIONAL:
        return decode_optional(r, field, base, err);
    case XDR_ARRAY:
        return decode_array(r, field, into, err);
    case XDR_LIST:
        return decode_list(r, field, into, err);
    case XDR_ONE:
        break;
    }
    return decode_one(r, field, into, err);
}

static bool decode_union(struct xdr_reader *r, const struct xdr_type *type, uint8_t *base,
                         struct error *err)
{
    const struct xdr_field *field = &contract_fields[type->first];
    uint32_t selected;
    if (!take_u32(r, field, &selected, err))
        return false;
    if (base)
        memcpy(base + field->offset, &selected, sizeof(selected));
    for (unsigned i = 1; i < type->count; i++)
        if (field[i].extent == selected)
            return decode_field(r, &field[i], base, err);
    return fail(err, field, "unknown discriminant");
}

static bool decode_type(struct xdr_reader *r, const struct xdr_type *type, uint8_t *into,
                        struct error *err)
{
    if (type->is_union)
        return decode_union(r, type, into, err);
    for (unsigned i = 0; i < type->count; i++)
        if (!decode_field(r, &contract_fields[type->first + i], into, err))
            return false;
    return true;
}

bool xdr_decode(struct xdr_reader *reader, const struct xdr_type *type, void *into,
                struct error *err)
{
    memset(into, 0, type->size);
    return decode_type(reader, type, into, err);
}

bool xdr_list_next(struct xdr_list *list, void *element, size_t size)
{
    if (list->count == 0)
        return false;
    assert(size == xdr_value_size(list->element));
    (void)size;
    struct xdr_reader reader = {list->at, list->end};
    struct error none = {0};
    memset(element, 0, size);
    bool decoded = decode_one(&reader, list->element, element, &none);
    assert(decoded); // xdr_decode() has been through all of them
    list->at = reader.at;
    list->count = decoded ? list->count - 1 : 0;
    return decoded;
}
