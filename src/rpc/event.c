// Events: messages that no call asked for, one draft at a time.
#include "rpc/client.h"

#include "core/log.h"

static struct message_out draft;
static struct error draft_error;
static struct client *receiver;

struct xdr_writer *client_event_begin(struct client *client, const struct xdr_program *program,
                                      uint32_t procedure)
{
    receiver = client;
    draft_error = (struct error){0};
    struct message_header header = {
        .prog = program->number,
        .vers = program->version,
        .proc = (int32_t)procedure,
        .type = VIR_NET_MESSAGE,
        .status = VIR_NET_OK,
    };
    message_begin(&draft, &header, &draft_error);
    xdr_writer_expect(&draft.writer,
                      xdr_procedure_args(xdr_procedure_find(program, (int32_t)procedure)));
    return &draft.writer;
}

void client_event_send(void)
{
    xdr_writer_done(&draft.writer);
    struct slot *slot = message_end(&draft);
    if (slot)
        client_send(receiver, slot);
    else
        log_error("rpc", "event lost: %s", draft_error.message);
}
