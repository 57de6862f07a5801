// Random values of the contract's types, as wire bytes: a generator that walks the descriptors and
// shares nothing with the interpreter of rpc/xdr.c, which it tests.
#ifndef TEST_CONTRACT_RANDOM_WIRE_H
#define TEST_CONTRACT_RANDOM_WIRE_H

#include "rpc/xdr.h"

#include <assert.h>
#include <string.h>

// ---- Chance, from a seed, the same in every run ----

static uint64_t chance_state = 20090;

static uint32_t chance(uint32_t below)
{
    chance_state = chance_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(chance_state >> 32) % below;
}

// ---- Random wire bytes of a type ----

static struct {
    uint8_t bytes[1 << 16];
    size_t len;
    bool readable; // texts and doubles that a program can show in few letters
} wire;

static void wire_word(uint32_t value)
{
    assert(wire.len + 4 <= sizeof(wire.bytes));
    xdr_store_u32(wire.bytes + wire.len, value);
    wire.len += 4;
}

// A text may hold every byte but NUL, and only digits and letters where a program shows it.
static uint8_t random_byte(bool text)
{
    static const char readable[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    if (text && wire.readable)
        return (uint8_t)readable[chance(sizeof(readable) - 1)];
    return (uint8_t)(text ? 1 + chance(255) : chance(256));
}

static void wire_bytes(uint32_t len, bool text)
{
    uint32_t padded = (len + 3) & ~3u;
    assert(wire.len + padded <= sizeof(wire.bytes));
    for (uint32_t i = 0; i < padded; i++)
        wire.bytes[wire.len + i] = i < len ? random_byte(text) : 0;
    wire.len += padded;
}

static uint32_t random_length(uint32_t limit, uint32_t wanted)
{
    return chance((limit < wanted ? limit : wanted) + 1);
}

static void generate_type(const struct xdr_type *type);

// The program that shows them takes every member of this name for an unsigned int.
static bool named_type(const struct xdr_field *field)
{
    return wire.readable && strcmp(contract_names + field->name, "type") == 0;
}

static void generate_one(const struct xdr_field *field)
{
    uint32_t len;
    switch ((enum xdr_kind)field->kind) {
    case XDR_INT:
    case XDR_UINT:
        wire_word(chance(UINT32_MAX));
        break;
    case XDR_HYPER:
    case XDR_UHYPER:
        wire_word(chance(UINT32_MAX));
        wire_word(chance(UINT32_MAX));
        break;
    case XDR_DOUBLE:
        wire_word(wire.readable ? 0x40100000 + (chance(4) << 18) : chance(UINT32_MAX));
        wire_word(wire.readable ? 0 : chance(UINT32_MAX));
        break;
    case XDR_CHAR: // sign-extended, as a C compiler of x86 passes a char to XDR
        wire_word((uint32_t)((int32_t)chance(256) - 128));
        break;
    case XDR_UCHAR:
        wire_word(chance(256));
        break;
    case XDR_USHORT:
        wire_word(chance(65536));
        break;
    case XDR_STRING:
    case XDR_OPAQUE:
        len = named_type(field) ? 0 : random_length(contract_limits[field->of].value, 20);
        wire_word(len);
        wire_bytes(len, field->kind == XDR_STRING);
        break;
    case XDR_BYTES:
        wire_bytes(field->of, false);
        break;
    case XDR_STRUCT:
    case XDR_UNION:
        generate_type(&contract_types[field->of]);
        break;
    }
}

static void generate_field(const struct xdr_field *field)
{
    uint32_t count = 1;
    if (field->shape == XDR_OPTIONAL)
        wire_word(count = named_type(field) ? 0 : chance(2));
    else if (field->shape == XDR_ARRAY)
        count = field->extent;
    else if (field->shape == XDR_LIST)
        wire_word(count = random_length(contract_limits[field->extent].value, 4));
    for (uint32_t i = 0; i < count; i++)
        generate_one(field);
}

static void generate_type(const struct xdr_type *type)
{
    const struct xdr_field *fields = &contract_fields[type->first];
    if (type->is_union) {
        const struct xdr_field *arm = &fields[1 + chance(type->count - 1u)];
        wire_word(arm->extent);
        generate_field(arm);
        return;
    }
    for (unsigned i = 0; i < type->count; i++)
        generate_field(&fields[i]);
}

#endif
