// Reads what libvirt's own client and daemon said to each other, and holds it against the contract.
//
//     traffic RECORD...
//
// A record is a row of messages as they were on the wire. Each message must decode, with nothing
// left over, and encode to the same bytes again. Prints a line for each kind of message that does
// not, and a count as the last line.
#include "proto/admin.h"
#include "proto/keepalive.h"
#include "proto/message.h"
#include "proto/qemu.h"
#include "proto/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS 8 // types of messages

static const struct xdr_program *const programs[] = {
    &remote_program,
    &qemu_program,
    &admin_program,
    &keepalive_program,
};

enum verdict {
    UNSEEN,
    PASSED,
    FAILED,
};

// By program, procedure and type of message.
static enum verdict verdicts[sizeof(programs) / sizeof(programs[0])][512][KINDS];

static const struct xdr_type *payload_type(const struct message_header *header,
                                           const struct xdr_procedure *procedure)
{
    if (header->status == VIR_NET_ERROR)
        return XDR_TYPE(message_error);
    if (header->type == VIR_NET_REPLY || header->type == VIR_NET_REPLY_WITH_FDS)
        return xdr_procedure_result(procedure);
    if (header->type == VIR_NET_STREAM_HOLE)
        return XDR_TYPE(message_stream_hole);
    return xdr_procedure_args(procedure);
}

static const char *check_payload(struct xdr_reader reader, const struct xdr_type *type)
{
    static union {
        uint8_t bytes[4096];
        uint64_t align;
    } value;
    static uint8_t again[1 << 20];
    static struct error err;
    size_t len = (size_t)(reader.end - reader.at);
    const uint8_t *start = reader.at;
    err = (struct error){0};
    if (!type)
        return len ? "a payload where the contract has none" : NULL;
    if (!xdr_decode(&reader, type, &value, &err))
        return err.message;
    if (reader.at != reader.end)
        return "more than the contract says";
    struct xdr_writer w = xdr_writer_over(again, sizeof(again), &err);
    xdr_encode(&w, type, &value);
    if (w.failed)
        return err.message;
    return w.len == len && memcmp(again, start, len) == 0 ? NULL : "encodes to other bytes";
}

static const char *check_message(struct xdr_reader reader)
{
    struct message_header header;
    struct error err = {0};
    size_t program = 0;
    if (!xdr_decode(&reader, XDR_TYPE(message_header), &header, &err))
        return "bad header";
    while (program < sizeof(programs) / sizeof(programs[0]) &&
           programs[program]->number != header.prog)
        program++;
    if (program == sizeof(programs) / sizeof(programs[0]))
        return "unknown program";
    const struct xdr_procedure *p = xdr_procedure_find(programs[program], header.proc);
    if (!p || header.proc >= 512 || header.type < 0 || header.type >= KINDS)
        return "unknown procedure or type";
    bool with_fds = header.type == VIR_NET_CALL_WITH_FDS || header.type == VIR_NET_REPLY_WITH_FDS;
    if (with_fds)
        reader.at += 4;
    enum verdict *verdict = &verdicts[program][header.proc][header.type];
    if (header.type == VIR_NET_STREAM && header.status != VIR_NET_ERROR)
        return NULL; // raw data
    const char *reason = check_payload(reader, payload_type(&header, p));
    if (reason)
        printf("FAILED: traffic: %s %d (%s) type %d: %s\n", programs[program]->name, header.proc,
               xdr_procedure_name(p), header.type, reason);
    if (*verdict != FAILED)
        *verdict = reason ? FAILED : PASSED;
    return NULL;
}

static void check_record(const char *path)
{
    static uint8_t message[1 << 25];
    FILE *record = fopen(path, "rb");
    if (!record) {
        perror(path);
        exit(1);
    }
    while (fread(message, 1, 4, record) == 4) {
        uint32_t len = xdr_load_u32(message);
        if (len < 28 || len > sizeof(message) ||
            fread(message + 4, 1, len - 4, record) != len - 4) {
            printf("FAILED: traffic: %s: the record is cut short\n", path);
            verdicts[0][0][0] = FAILED;
            break;
        }
        const char *reason = check_message((struct xdr_reader){message + 4, message + len});
        if (reason) {
            printf("FAILED: traffic: %s\n", reason);
            verdicts[0][0][0] = FAILED;
        }
    }
    fclose(record);
}

// Adds up the verdicts about a program's messages, and returns how many procedures had any.
static int count_verdicts(size_t program, int count[3])
{
    int seen = 0;
    for (size_t number = 0; number < 512; number++) {
        int unseen = 0;
        for (size_t type = 0; type < KINDS; type++) {
            enum verdict verdict = verdicts[program][number][type];
            count[verdict]++;
            unseen += verdict == UNSEEN;
        }
        seen += unseen < KINDS;
    }
    return seen;
}

int main(int argc, char **argv)
{
    int count[3] = {0};
    for (int i = 1; i < argc; i++)
        check_record(argv[i]);
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        int procedures = count_verdicts(i, count);
        printf("traffic: %d of the %u procedures of the %s program\n", procedures,
               programs[i]->last, programs[i]->name);
    }
    printf("%d passed, %d failed\n", count[PASSED], count[FAILED]);
    return count[FAILED] != 0;
}
