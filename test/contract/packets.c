// Makes a capture with a packet for every call, reply and event of the contract, filled with random
// values, and a listing of what it holds as our interpreter decodes it.
//
//     packets CAPTURE.pcap LISTING
//
// The listing has a line "packet PROGRAM PROCEDURE TYPE" for each, and then one for each member:
// its depth, name, kind and value.
#include "proto/keepalive.h"
#include "proto/message.h"
#include "proto/qemu.h"
#include "proto/remote.h"
#include "test/contract/random_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 4

static FILE *capture;
static FILE *listing;

// ---- The capture: classic pcap, Ethernet, IPv4, TCP port 16509 ----

static void write_little(uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        fputc((int)(value >> (8 * i) & 0xff), capture);
}

static void write_big(uint32_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        fputc((int)(value >> (8 * i) & 0xff), capture);
}

static void write_capture_header(void)
{
    write_little(0xa1b2c3d4, 4);
    write_little(2, 2); // version 2.4
    write_little(4, 2);
    write_little(0, 4);
    write_little(0, 4);
    write_little(1 << 18, 4);
    write_little(1, 4); // Ethernet
}

static void write_packet(const uint8_t *message, uint32_t len, bool from_client)
{
    static uint32_t sent[2] = {1, 1};
    uint32_t frame = 14 + 20 + 20 + len;
    write_little(0, 4);
    write_little(0, 4);
    write_little(frame, 4);
    write_little(frame, 4);
    for (int i = 0; i < 12; i++) // the two Ethernet addresses
        fputc(0, capture);
    write_big(0x0800, 2);
    write_big(0x4500, 2); // IPv4 without options
    write_big(40 + len, 2);
    write_big(0, 4);
    write_big(0x4006, 2); // TTL 64, TCP
    write_big(0, 2);
    write_big(0x7f000001, 4);
    write_big(0x7f000001, 4);
    write_big(from_client ? 40000 : 16509, 2);
    write_big(from_client ? 16509 : 40000, 2);
    write_big(sent[from_client], 4);
    write_big(sent[!from_client], 4);
    write_big(0x5018, 2); // header of 5 words, PSH and ACK
    write_big(0xffff, 2);
    write_big(0, 4);
    fwrite(message, 1, len, capture);
    sent[from_client] += len;
}

// ---- The listing ----

static void list_type(int depth, const struct xdr_type *type, const uint8_t *from);

static void list_hex(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        fprintf(listing, "%s%02x", i ? ":" : "", bytes[i]);
}

static void list_scalar(const struct xdr_field *field, const uint8_t *from)
{
    union {
        int32_t i32;
        uint32_t u32;
        int64_t i64;
        uint64_t u64;
        double d;
        int8_t i8;
        uint8_t u8;
        uint16_t u16;
        struct slice slice;
        uint8_t bytes[16];
    } value;
    memcpy(&value, from, xdr_value_size(field));
    switch ((enum xdr_kind)field->kind) {
    case XDR_INT:
        fprintf(listing, "int %d", value.i32);
        break;
    case XDR_UINT:
        fprintf(listing, "uint %u", value.u32);
        break;
    case XDR_HYPER:
        fprintf(listing, "hyper %lld", (long long)value.i64);
        break;
    case XDR_UHYPER:
        fprintf(listing, "uhyper %llu", (unsigned long long)value.u64);
        break;
    case XDR_DOUBLE:
        fprintf(listing, "double %g", value.d);
        break;
    case XDR_CHAR:
        fprintf(listing, "char %d", value.i8);
        break;
    case XDR_UCHAR:
        fprintf(listing, "uchar %u", value.u8);
        break;
    case XDR_USHORT:
        fprintf(listing, "ushort %u", value.u16);
        break;
    case XDR_STRING:
        fprintf(listing, "string %.*s", SLICE_ARG(value.slice));
        break;
    case XDR_OPAQUE:
        fprintf(listing, "opaque ");
        list_hex((const uint8_t *)value.slice.at, value.slice.len);
        break;
    default:
        fprintf(listing, "bytes ");
        list_hex(from, field->of);
    }
}

static void list_value(int depth, const struct xdr_field *field, const uint8_t *from)
{
    const char *name = contract_names + field->name;
    if (field->kind == XDR_UNION) {
        list_type(depth, &contract_types[field->of], from);
    } else if (field->kind == XDR_STRUCT) {
        fprintf(listing, "%d %s struct\n", depth, name);
        list_type(depth + 1, &contract_types[field->of], from);
    } else {
        fprintf(listing, "%d %s ", depth, name);
        list_scalar(field, from);
        fputc('\n', listing);
    }
}

static void list_elements(int depth, const struct xdr_field *field, const uint8_t *from)
{
    static union {
        uint8_t bytes[1024];
        uint64_t align;
    } elements[8];
    struct xdr_list list;
    memcpy(&list, from, sizeof(list));
    size_t size = xdr_value_size(field);
    assert(depth < 8 && size <= sizeof(elements[0]));
    fprintf(listing, "%d %s list %u\n", depth, contract_names + field->name, list.count);
    while (xdr_list_next(&list, &elements[depth], size))
        list_value(depth + 1, field, elements[depth].bytes);
}

static bool is_absent(const struct xdr_field *field, const uint8_t *base)
{
    struct slice text;
    if (field->shape != XDR_OPTIONAL)
        return false;
    if (field->kind != XDR_STRING)
        return !base[field->extent];
    memcpy(&text, base + field->offset, sizeof(text));
    return !slice_present(text);
}

static void list_field(int depth, const struct xdr_field *field, const uint8_t *base)
{
    const uint8_t *from = base + field->offset;
    if (is_absent(field, base)) {
        fprintf(listing, "%d %s absent\n", depth, contract_names + field->name);
    } else if (field->shape == XDR_LIST) {
        list_elements(depth, field, from);
    } else if (field->shape == XDR_ARRAY) {
        fprintf(listing, "%d %s list %u\n", depth, contract_names + field->name, field->extent);
        for (size_t i = 0; i < field->extent; i++)
            list_value(depth + 1, field, from + i * xdr_value_size(field));
    } else {
        list_value(depth, field, from);
    }
}

static void list_type(int depth, const struct xdr_type *type, const uint8_t *from)
{
    const struct xdr_field *fields = &contract_fields[type->first];
    int32_t selected;
    memcpy(&selected, from + fields[0].offset, sizeof(selected));
    for (unsigned i = type->is_union; i < type->count; i++)
        if (!type->is_union || fields[i].extent == (uint32_t)selected)
            list_field(depth, &fields[i], from);
}

// ---- The packets ----

static void make_packet(const struct xdr_program *program, int32_t number, enum message_type type,
                        enum message_status status, const struct xdr_type *payload)
{
    static uint8_t value[4096];
    static uint8_t message[sizeof(wire.bytes) + 28];
    struct error err = {0};
    fprintf(listing, "packet %s %d %d\n", program->name, number, type);
    wire.len = 0;
    if (payload) {
        generate_type(payload);
        struct xdr_reader reader = {wire.bytes, wire.bytes + wire.len};
        if (!xdr_decode(&reader, payload, value, &err) || reader.at != reader.end) {
            fprintf(stderr, "%s %d: %s\n", program->name, number, err.message);
            exit(1);
        }
        list_type(0, payload, value);
    }
    struct xdr_writer w = xdr_writer_over(message, sizeof(message), &err);
    xdr_put_u32(&w, (uint32_t)wire.len + VIR_NET_MESSAGE_LEN_MAX + VIR_NET_MESSAGE_HEADER_MAX);
    struct message_header header = {
        .prog = program->number,
        .vers = program->version,
        .proc = number,
        .type = (int32_t)type,
        .serial = 1,
        .status = (int32_t)status,
    };
    xdr_encode(&w, XDR_TYPE(message_header), &header);
    memcpy(message + w.len, wire.bytes, wire.len);
    write_packet(message, (uint32_t)(w.len + wire.len), type == VIR_NET_CALL);
}

static void make_packets_of(const struct xdr_program *program)
{
    for (int32_t number = 1; number <= (int32_t)program->last; number++) {
        const struct xdr_procedure *p = xdr_procedure_find(program, number);
        if (!p)
            continue;
        bool event = p->marks & XDR_MARK_EVENT;
        make_packet(program, number, event ? VIR_NET_MESSAGE : VIR_NET_CALL, VIR_NET_OK,
                    xdr_procedure_args(p));
        if (!event)
            make_packet(program, number, VIR_NET_REPLY, VIR_NET_OK, xdr_procedure_result(p));
    }
}

int main(int argc, char **argv)
{
    if (argc != 3 || !(capture = fopen(argv[1], "wb")) || !(listing = fopen(argv[2], "w"))) {
        fprintf(stderr, "usage: packets CAPTURE.pcap LISTING\n");
        return 2;
    }
    wire.readable = true;
    write_capture_header();
    for (int round = 0; round < ROUNDS; round++) {
        make_packets_of(&remote_program);
        make_packets_of(&qemu_program);
        make_packets_of(&keepalive_program);
        make_packet(&remote_program, REMOTE_PROC_DOMAIN_CREATE, VIR_NET_REPLY, VIR_NET_ERROR,
                    XDR_TYPE(message_error));
        make_packet(&remote_program, REMOTE_PROC_STORAGE_VOL_UPLOAD, VIR_NET_STREAM_HOLE,
                    VIR_NET_CONTINUE, XDR_TYPE(message_stream_hole));
    }
    return ferror(capture) || ferror(listing) || fclose(capture) || fclose(listing);
}
