// Mutations of what a client sends: whole messages come, go and change places; arguments change
// item by item, as the contract has them; and sometimes just bytes change.
#include "server.h"
#include "wire.h"

#include "admin/admin.h"
#include "proto/admin.h"
#include "proto/message.h"
#include "proto/qemu.h"
#include "proto/remote.h"
#include "rpc/message.h"
#include "virt/handlers.h"

#define MESSAGES_MAX 64

struct session {
    uint8_t *data; // the manner, then messages
    size_t size, max_size;
    size_t start[MESSAGES_MAX + 1]; // of each whole message; the last one is their end
    uint32_t count;
    enum server_peer peer;
    struct fuzz_random random;
};

static void find_messages(struct session *s)
{
    size_t at = 1;
    s->count = 0;
    while (s->count < MESSAGES_MAX && s->size - at >= MESSAGE_MIN) {
        uint32_t length = xdr_load_u32(s->data + at);
        if (length < MESSAGE_MIN || length > s->size - at)
            break;
        s->start[s->count++] = at;
        at += length;
    }
    s->start[s->count] = at;
}

// Puts `bytes` in the place of what lies between two positions; nothing happens when it does not
// fit.
static bool replace(struct session *s, size_t from, size_t to, const uint8_t *bytes, size_t len)
{
    if (s->size - (to - from) + len > s->max_size)
        return false;
    memmove(s->data + from + len, s->data + to, s->size - to);
    if (len)
        memcpy(s->data + from, bytes, len);
    s->size = s->size - (to - from) + len;
    return true;
}

// ---- calls

static uint32_t some_procedure(struct session *s, const struct xdr_program *program)
{
    for (unsigned i = 0; i < 400; i++) {
        uint32_t number = 1 + fuzz_below(&s->random, program->last);
        call_handler *handler = program == &remote_program ? handlers_find_remote(number)
                                : program == &qemu_program ? handlers_find_qemu(number)
                                                           : admin_find_handler(number);
        if (handler)
            return number;
    }
    return 1;
}

static size_t make_call(struct session *s, uint8_t *to, size_t size)
{
    const struct xdr_program *program = fuzz_below(&s->random, 8) ? &remote_program : &qemu_program;
    if (s->peer == SERVER_ADMIN)
        program = &admin_program;
    uint32_t number = fuzz_below(&s->random, 8) ? some_procedure(s, program)
                                                : 1 + fuzz_below(&s->random, program->last);
    const struct xdr_procedure *procedure = xdr_procedure_find(program, (int32_t)number);
    const struct xdr_type *args = procedure ? xdr_procedure_args(procedure) : NULL;
    size_t len = args ? wire_make(args, to + MESSAGE_MIN, size - MESSAGE_MIN, &s->random) : 0;
    const uint32_t head[] = {
        (uint32_t)(MESSAGE_MIN + len),  program->number, program->version, number, VIR_NET_CALL,
        1 + fuzz_below(&s->random, 60), VIR_NET_OK};
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        xdr_store_u32(to + 4 * i, head[i]);
    return MESSAGE_MIN + len;
}

static void insert_call(struct session *s)
{
    static uint8_t call[1 << 17];
    size_t at = s->start[fuzz_below(&s->random, s->count + 1)];
    replace(s, at, at, call, make_call(s, call, sizeof(call)));
}

static const struct xdr_type *args_of(const uint8_t *message)
{
    struct message_header header = message_header_read(message);
    const struct xdr_program *program = header.prog == qemu_program.number    ? &qemu_program
                                        : header.prog == admin_program.number ? &admin_program
                                                                              : &remote_program;
    const struct xdr_procedure *procedure = xdr_procedure_find(program, header.proc);
    return procedure ? xdr_procedure_args(procedure) : NULL;
}

static void change_args(struct session *s)
{
    static uint8_t body[1 << 18];
    uint32_t which = fuzz_below(&s->random, s->count);
    size_t from = s->start[which], to = s->start[which + 1];
    const struct xdr_type *args = args_of(s->data + from);
    if (!args)
        return;
    size_t len = wire_change(args, s->data + from + MESSAGE_MIN, to - from - MESSAGE_MIN, body,
                             sizeof(body), &s->random);
    if (len && replace(s, from + MESSAGE_MIN, to, body, len))
        xdr_store_u32(s->data + from, (uint32_t)(MESSAGE_MIN + len));
}

// ---- messages

static void change_header(struct session *s)
{
    static const uint32_t values[] = {0,          1,          2,          3,      4,
                                      5,          6,          7,          28,     0xFFFFFFFF,
                                      0x20008086, 0x20008087, 0x6b656570, 262148, 33554436};
    size_t message = s->start[fuzz_below(&s->random, s->count)];
    uint8_t *word = s->data + message + 4 * (size_t)fuzz_below(&s->random, 7);
    uint32_t value = xdr_load_u32(word);
    if (fuzz_below(&s->random, 2))
        value += fuzz_below(&s->random, 9) - 4;
    else
        value = values[fuzz_below(&s->random, sizeof(values) / sizeof(values[0]))];
    xdr_store_u32(word, value);
}

static void remove_message(struct session *s)
{
    uint32_t which = fuzz_below(&s->random, s->count);
    replace(s, s->start[which], s->start[which + 1], NULL, 0);
}

// A copy of a message somewhere, several times now and then.
static void repeat_message(struct session *s)
{
    static uint8_t copy[1 << 18];
    uint32_t which = fuzz_below(&s->random, s->count);
    size_t len = s->start[which + 1] - s->start[which];
    if (len > sizeof(copy))
        return;
    memcpy(copy, s->data + s->start[which], len);
    size_t at = s->start[fuzz_below(&s->random, s->count + 1)];
    for (uint32_t times = fuzz_below(&s->random, 8) ? 1 : 30; times > 0; times--)
        if (!replace(s, at, at, copy, len))
            return;
}

static void change_bytes(struct session *s)
{
    s->size = LLVMFuzzerMutate(s->data, s->size, s->max_size);
}

static void change_manner(struct session *s)
{
    s->data[0] ^= (uint8_t)(1u << fuzz_below(&s->random, 6));
}

size_t server_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed,
                     enum server_peer peer)
{
    struct session s = {
        .data = data, .size = size, .max_size = max_size, .peer = peer, .random = {seed}};
    if (size == 0) {
        data[0] = SERVER_OPENED;
        s.size = 1;
    }
    find_messages(&s);
    uint32_t way = fuzz_below(&s.random, 16);
    if (s.count == 0 && way > 0)
        insert_call(&s);
    else if (way == 0)
        change_bytes(&s);
    else if (way == 1)
        change_manner(&s);
    else if (way == 2)
        remove_message(&s);
    else if (way == 3)
        repeat_message(&s);
    else if (way == 4)
        change_header(&s);
    else if (way < 9)
        insert_call(&s);
    else
        change_args(&s);
    return s.size;
}
