// Messages: headers, and slots that grow while they are written.
#include "rpc/message.h"

#include "core/assert.h"

#include <string.h>

struct message_header message_header_read(const uint8_t *message)
{
    const uint8_t *at = message + MESSAGE_LENGTH_WORD;
    return (struct message_header){
        .prog = xdr_load_u32(at),
        .vers = xdr_load_u32(at + 4),
        .proc = (int32_t)xdr_load_u32(at + 8),
        .type = (int32_t)xdr_load_u32(at + 12),
        .serial = xdr_load_u32(at + 16),
        .status = (int32_t)xdr_load_u32(at + 20),
    };
}

int32_t message_type(const uint8_t *message)
{
    return (int32_t)xdr_load_u32(message + MESSAGE_LENGTH_WORD + 12);
}

static bool grow_to_large_slot(struct xdr_writer *writer, size_t need)
{
    struct message_out *out = writer->owner;
    if (out->slot->large || (need != XDR_GROW_MOST && need > SLOT_LARGE_SIZE))
        return false;
    struct slot *large = slot_take_outgoing(SLOT_LARGE_SIZE);
    if (!large)
        return error_set(writer->err, VIR_FROM_RPC, VIR_ERR_OPERATION_FAILED,
                         "all %d large message slots are in use, CONFIG_LARGE_SLOTS",
                         CONFIG_LARGE_SLOTS);
    memcpy(large->at, writer->at, writer->len);
    slot_release(out->slot);
    out->slot = large;
    writer->at = large->at;
    writer->size = large->size;
    return true;
}

void message_begin(struct message_out *out, const struct message_header *header, struct error *err)
{
    out->slot = slot_take_outgoing(SLOT_SMALL_SIZE);
    assert(out->slot);
    uint8_t *at = out->slot->at;
    xdr_store_u32(at, 0);
    xdr_store_u32(at + 4, header->prog);
    xdr_store_u32(at + 8, header->vers);
    xdr_store_u32(at + 12, (uint32_t)header->proc);
    xdr_store_u32(at + 16, (uint32_t)header->type);
    xdr_store_u32(at + 20, header->serial);
    xdr_store_u32(at + 24, (uint32_t)header->status);
    out->writer = xdr_writer_over(at, out->slot->size, err);
    out->writer.len = MESSAGE_MIN;
    out->writer.grow = grow_to_large_slot;
    out->writer.owner = out;
}

struct slot *message_end(struct message_out *out)
{
    struct slot *slot = out->slot;
    if (out->writer.failed) {
        message_drop(out);
        return NULL;
    }
    slot->len = (uint32_t)out->writer.len;
    xdr_store_u32(slot->at, slot->len);
    out->slot = NULL;
    return slot;
}

void message_drop(struct message_out *out)
{
    slot_release(out->slot);
    out->slot = NULL;
}

struct slot *message_error_reply(const struct message_header *request, int32_t type,
                                 const struct error *error)
{
    struct message_header header = *request;
    header.type = type;
    header.status = VIR_NET_ERROR;
    struct error unused = {0};
    struct message_out out;
    message_begin(&out, &header, &unused);
    struct slice text = slice_of(error->message);
    struct message_error body = {
        .code = error->code,
        .domain = error->domain,
        .message = text,
        .level = VIR_ERR_LEVEL_ERROR,
    };
    xdr_writer_expect(&out.writer, XDR_TYPE(message_error));
    xdr_encode(&out.writer, XDR_TYPE(message_error), &body);
    xdr_writer_done(&out.writer);
    return message_end(&out);
}
