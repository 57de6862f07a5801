// Values of the contract's types as wire bytes.
#include "wire.h"

#define NO_ITEM UINT32_MAX

// A copy under way: from `at` to `out`, item by item.
struct copy {
    const uint8_t *at, *end; // at NULL: nothing is copied, all is made up
    uint8_t *out;
    size_t len, size;
    bool overflow;
    uint32_t items;  // seen so far
    uint32_t target; // the one that is changed
    struct fuzz_random *random;
};

static void copy_type(struct copy *c, const struct xdr_type *type);

static void put_bytes(struct copy *c, const void *bytes, size_t len)
{
    if (c->size - c->len < len) {
        c->overflow = true;
        return;
    }
    if (len)
        memcpy(c->out + c->len, bytes, len);
    c->len += len;
}

static void put_u32(struct copy *c, uint32_t value)
{
    uint8_t bytes[4];
    xdr_store_u32(bytes, value);
    put_bytes(c, bytes, 4);
}

// Off the front of what is copied; NULL, and nothing is copied any more, when there is not as much.
static const uint8_t *take(struct copy *c, size_t len)
{
    if (!c->at || (size_t)(c->end - c->at) < len) {
        c->at = NULL;
        return NULL;
    }
    const uint8_t *at = c->at;
    c->at += len;
    return at;
}

static bool is_target(struct copy *c)
{
    return c->items++ == c->target;
}

// ---- numbers

static uint32_t some_number(struct fuzz_random *random)
{
    static const uint32_t special[] = {
        0, 0, 0, 0, 1, 1, 2, 3, 16, 255, 256, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
    switch (fuzz_below(random, 4)) {
    case 0:
        return 1u << fuzz_below(random, 32);
    case 1:
        return fuzz_u32(random);
    default:
        return special[fuzz_below(random, sizeof(special) / sizeof(special[0]))];
    }
}

static uint32_t changed_number(struct fuzz_random *random, uint32_t value)
{
    switch (fuzz_below(random, 4)) {
    case 0:
        return value ^ 1u << fuzz_below(random, 32);
    case 1:
        return value + fuzz_below(random, 9) - 4;
    default:
        return some_number(random);
    }
}

static void copy_words(struct copy *c, unsigned count)
{
    bool change = is_target(c);
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *at = take(c, 4);
        uint32_t value = at ? xdr_load_u32(at) : some_number(c->random);
        put_u32(c, change ? changed_number(c->random, value) : value);
    }
}

// ---- texts

#define DOMAIN(more)                                                                               \
    "<domain type='test'><name>" WIRE_NAME "</name><uuid>" WIRE_UUID                               \
    "</uuid><memory>1024</memory>"                                                                 \
    "<os><type>hvm</type></os>" more "</domain>"

static const char *const documents[] = {
    DOMAIN(""),
    DOMAIN("<vcpu current='1'>2</vcpu><devices><disk type='file'><source file='/a'/>"
           "<target dev='vda'/></disk><console type='pty'/></devices>"),
    DOMAIN("<title>t</title><description>d</description><metadata><a:b xmlns:a='urn:a'>c</a:b>"
           "</metadata>"),
    "<domain type='test'><name>third</name><memory>1</memory><os><type>hvm</type></os></domain>",
    "<domain/>",
};
static const char *const names[] = {
    "test",           WIRE_NAME, "third", "test:///default", "",      "urn:a", "a", "vda",
    "qemu:///system", "hvm",     "/a",    "libvirtd",        "admin", "3:rpc"};

static const char *some_text(struct copy *c, const struct xdr_field *field)
{
    bool document = strstr(contract_names + field->name, "xml") != NULL;
    if (document && fuzz_below(c->random, 8))
        return documents[fuzz_below(c->random, sizeof(documents) / sizeof(documents[0]))];
    return names[fuzz_below(c->random, sizeof(names) / sizeof(names[0]))];
}

static void put_text(struct copy *c, const void *bytes, size_t len)
{
    put_u32(c, (uint32_t)len);
    put_bytes(c, bytes, len);
    put_bytes(c, "\0\0\0", -len & 3);
}

// Longer than the limit, sometimes; or something that is known; or libFuzzer's own idea.
static void put_changed_text(struct copy *c, const struct xdr_field *field, const uint8_t *bytes,
                             size_t len)
{
    static uint8_t text[1 << 18];
    uint32_t limit = contract_limits[field->of].value;
    uint32_t way = fuzz_below(c->random, 16);
    if (way == 0 && limit < sizeof(text)) {
        len = limit + fuzz_below(c->random, 2);
        memset(text, 'x', len);
    } else if (way < 5) {
        const char *known = some_text(c, field);
        len = strlen(known);
        memcpy(text, known, len);
    } else {
        len = len < sizeof(text) / 2 ? len : sizeof(text) / 2;
        if (len)
            memcpy(text, bytes, len);
        len = LLVMFuzzerMutate(text, len, len + 64);
    }
    put_text(c, text, len);
}

static void copy_text(struct copy *c, const struct xdr_field *field)
{
    bool change = is_target(c);
    const uint8_t *at = take(c, 4);
    uint32_t len = at ? xdr_load_u32(at) : 0;
    const uint8_t *bytes = at ? take(c, len) : NULL;
    take(c, -len & 3);
    if (!bytes) {
        bytes = (const uint8_t *)some_text(c, field);
        len = (uint32_t)strlen((const char *)bytes);
    }
    if (change)
        put_changed_text(c, field, bytes, len);
    else
        put_text(c, bytes, len);
}

static void copy_bytes(struct copy *c, size_t len)
{
    static const uint8_t uuids[][16] = {
        {0x66, 0x95, 0xeb, 0x01, 0xf6, 0xa4, 0x83, 0x04, 0x79, 0xaa, 0x97, 0xf2, 0x50, 0x2e, 0x19,
         0x3f},
        {0xc7, 0xa5, 0xfd, 0xbd, 0xed, 0xaf, 0x94, 0x55, 0x92, 0x6a, 0xd6, 0x5c, 0x16, 0xdb, 0x18,
         0x09},
    };
    bool change = is_target(c);
    size_t padded = (len + 3) & ~(size_t)3;
    const uint8_t *bytes = take(c, padded);
    if (len == 16 && (!bytes || (change && fuzz_below(c->random, 2)))) {
        put_bytes(c, uuids[fuzz_below(c->random, 2)], 16);
        return;
    }
    for (size_t i = 0; i < padded; i++) {
        uint8_t byte = bytes ? bytes[i] : (uint8_t)fuzz_u32(c->random);
        put_bytes(c, &byte, 1);
    }
    if (change && !c->overflow && len)
        c->out[c->len - padded + fuzz_below(c->random, (uint32_t)len)] ^=
            (uint8_t)(1u << fuzz_below(c->random, 8));
}

// ---- shapes

static void copy_one(struct copy *c, const struct xdr_field *field)
{
    switch ((enum xdr_kind)field->kind) {
    case XDR_HYPER:
    case XDR_UHYPER:
    case XDR_DOUBLE:
        copy_words(c, 2);
        break;
    case XDR_STRING:
    case XDR_OPAQUE:
        copy_text(c, field);
        break;
    case XDR_BYTES:
        copy_bytes(c, field->of);
        break;
    case XDR_STRUCT:
    case XDR_UNION:
        copy_type(c, &contract_types[field->of]);
        break;
    default:
        copy_words(c, 1);
        break;
    }
}

static uint32_t changed_count(struct copy *c, uint32_t count, uint32_t limit)
{
    switch (fuzz_below(c->random, 5)) {
    case 0:
        return 0;
    case 1:
        return count ? count - 1 : 1;
    case 2:
        return count + 1;
    case 3:
        return count * 2 < 64 ? count * 2 : count;
    default:
        return limit < 64 ? limit + fuzz_below(c->random, 2) : 17;
    }
}

static void copy_list(struct copy *c, const struct xdr_field *field)
{
    bool change = is_target(c);
    const uint8_t *at = take(c, 4);
    uint32_t count = at ? xdr_load_u32(at) : fuzz_below(c->random, 3);
    // A count that can not be is copied as it is, with what follows.
    uint32_t there = c->at && count > (size_t)(c->end - c->at) / 4 ? 0 : count;
    uint32_t wanted =
        change ? changed_count(c, there, contract_limits[field->extent].value) : there;
    put_u32(c, change ? wanted : count);
    for (uint32_t i = 0; i < wanted && !c->overflow; i++)
        copy_one(c, field);
}

static void copy_optional(struct copy *c, const struct xdr_field *field)
{
    bool change = is_target(c);
    const uint8_t *at = take(c, 4);
    uint32_t present = at ? xdr_load_u32(at) : fuzz_below(c->random, 2);
    if (change)
        present = fuzz_below(c->random, 16) ? !present : some_number(c->random);
    put_u32(c, present);
    if (present)
        copy_one(c, field);
}

static void copy_field(struct copy *c, const struct xdr_field *field)
{
    switch ((enum xdr_shape)field->shape) {
    case XDR_OPTIONAL:
        copy_optional(c, field);
        break;
    case XDR_LIST:
        copy_list(c, field);
        break;
    case XDR_ARRAY:
        for (unsigned i = 0; i < field->extent; i++)
            copy_one(c, field);
        break;
    case XDR_ONE:
        copy_one(c, field);
        break;
    }
}

static void copy_union(struct copy *c, const struct xdr_type *type)
{
    const struct xdr_field *field = &contract_fields[type->first];
    bool change = is_target(c);
    const uint8_t *at = take(c, 4);
    uint32_t selected = at ? xdr_load_u32(at) : 0;
    if (!at || change)
        selected = fuzz_below(c->random, 16)
                       ? field[1 + fuzz_below(c->random, type->count - 1u)].extent
                       : some_number(c->random);
    put_u32(c, selected);
    for (unsigned i = 1; i < type->count; i++)
        if (field[i].extent == selected)
            copy_field(c, &field[i]);
}

static void copy_type(struct copy *c, const struct xdr_type *type)
{
    if (type->is_union) {
        copy_union(c, type);
        return;
    }
    for (unsigned i = 0; i < type->count; i++)
        copy_field(c, &contract_fields[type->first + i]);
}

size_t wire_make(const struct xdr_type *type, uint8_t *out, size_t size, struct fuzz_random *random)
{
    struct copy c = {.out = out, .size = size, .target = NO_ITEM, .random = random};
    copy_type(&c, type);
    return c.overflow ? 0 : c.len;
}

size_t wire_change(const struct xdr_type *type, const uint8_t *in, size_t len, uint8_t *out,
                   size_t size, struct fuzz_random *random)
{
    struct copy c = {
        .at = in, .end = in + len, .out = out, .size = size, .target = NO_ITEM, .random = random};
    copy_type(&c, type);
    uint32_t items = c.items;
    c = (struct copy){.at = in,
                      .end = in + len,
                      .out = out,
                      .size = size,
                      .target = fuzz_below(random, items),
                      .random = random};
    copy_type(&c, type);
    return c.overflow ? 0 : c.len;
}
