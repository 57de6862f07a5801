// Calls: the pool of those in progress, their resumption, and their one reply.
#include "rpc/call.h"

#include "core/assert.h"
#include "core/log.h"
#include "rpc/client.h"
#include "rpc/dispatch.h"

#include <string.h>

static struct call calls[CONFIG_MAX_CALLS];
static struct call *free_calls;
static uint32_t never_used;
static uint32_t in_progress;

// The reply that is being written. There is one at a time: replies are written without a wait.
static struct message_out draft;
static struct call *draft_call;

// Calls whose turn came when no reply could have been written.
static struct call *held_back;
static struct turn_end resume_at_turn_end;

uint32_t call_places_free(void)
{
    return CONFIG_MAX_CALLS - in_progress;
}

uint32_t call_count(void)
{
    return in_progress;
}

// A call that is held back may be woken for other reasons meanwhile; it goes on when it is let go.
static void run(struct call *call)
{
    if (call->held)
        return;
    while (!slot_reply_possible() && client_relieve())
        ;
    if (!slot_reply_possible()) {
        call->held = true;
        call->held_next = held_back;
        held_back = call;
        return;
    }
    enum co_status status = call->handler(call);
    if (status == CO_DONE)
        call_end(call);
    else
        assert(draft_call != call); // a reply is written in one go, at the end
}

static void resume(struct task *task)
{
    run((struct call *)(void *)((char *)task - offsetof(struct call, task)));
}

static void resume_held_back(void)
{
    while (held_back && (slot_reply_possible() || client_relieve())) {
        struct call *call = held_back;
        held_back = call->held_next;
        call->held = false;
        task_wake(&call->task);
    }
}

static struct call *take_call(void)
{
    if (!resume_at_turn_end.run) {
        resume_at_turn_end.run = resume_held_back;
        loop_at_turn_end(&resume_at_turn_end);
    }
    struct call *call = free_calls;
    if (call)
        free_calls = call->next;
    else
        call = &calls[never_used++];
    in_progress++;
    return call;
}

struct call *call_begin(struct client *client, struct slot *request,
                        const struct xdr_procedure *procedure)
{
    assert(call_places_free() > 0);
    struct call *call = take_call();
    memset(call, 0, offsetof(struct call, error));
    error_clear(&call->error);
    call->task.run = resume;
    call->client = client;
    call->request = request;
    call->procedure = procedure;
    call->header = message_header_read(request->at);
    call->next = client->calls;
    client->calls = call;
    client->call_count++;
    return call;
}

void *call_state(struct call *call, size_t size)
{
    if (call->state_used < size)
        call->state_used = size;
    return call->state;
}

void call_run(struct call *call)
{
    run(call);
}

// ---- replies

struct xdr_writer *call_reply(struct call *call)
{
    assert(!draft_call || draft_call == call);
    if (draft_call)
        message_drop(&draft);
    draft_call = call;
    struct message_header header = call->header;
    header.type = VIR_NET_REPLY;
    header.status = VIR_NET_OK;
    message_begin(&draft, &header, &call->error);
    xdr_writer_expect(&draft.writer, xdr_procedure_result(call->procedure));
    return &draft.writer;
}

bool call_reply_fd(struct call *call, int fd)
{
    assert(draft_call == call && draft.writer.len == MESSAGE_MIN && draft.slot->fd_count == 0);
    if (!call->client || !call->client->io.transport->send_fd) {
        port_close(fd);
        return error_set(&call->error, VIR_FROM_RPC, VIR_ERR_NO_SUPPORT,
                         "this connection can not pass file descriptors");
    }
    uint8_t *at = draft.slot->at;
    xdr_store_u32(at + 16, VIR_NET_REPLY_WITH_FDS);
    xdr_store_u32(at + MESSAGE_MIN, 1);
    draft.writer.len += 4;
    draft.slot->fds[draft.slot->fd_count++] = fd;
    return true;
}

int call_request_fd(const struct call *call, unsigned n)
{
    return n < call->request->fd_count ? call->request->fds[n] : -1;
}

enum co_status call_fail(struct call *call, int domain, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(&call->error, domain, code, format, args);
    va_end(args);
    return CO_DONE;
}

bool call_flags(struct call *call, uint32_t flags, uint32_t allowed, int domain,
                const char *function)
{
    if ((flags & ~allowed) == 0)
        return true;
    return error_set_plain(&call->error, domain, VIR_ERR_INVALID_ARG,
                           "unsupported flags (0x%x) in function %s", flags & ~allowed, function);
}

bool call_check_maximum_named(struct call *call, int32_t max, const char *name, int32_t limit,
                              const char *limit_name)
{
    if (max > limit)
        return error_set(&call->error, VIR_FROM_RPC, VIR_ERR_RPC, "%s > %s", name, limit_name);
    return max >= 0 ||
           error_set(&call->error, VIR_FROM_RPC, VIR_ERR_RPC, "%s must be non-negative", name);
}

// The slot with this call's reply: what it wrote, an error, or an empty body.
static struct slot *finished_reply(struct call *call)
{
    bool drafted = draft_call == call;
    if (!drafted && !error_is_set(&call->error))
        call_reply(call);
    struct slot *slot = NULL;
    if (draft_call == call) {
        draft_call = NULL;
        if (error_is_set(&call->error)) {
            message_drop(&draft);
        } else {
            xdr_writer_done(&draft.writer);
            slot = message_end(&draft);
        }
    }
    return slot ? slot : message_error_reply(&call->header, VIR_NET_REPLY, &call->error);
}

static void unlink_from_client(struct call *call)
{
    struct call **link = &call->client->calls;
    while (*link != call)
        link = &(*link)->next;
    *link = call->next;
    call->client->call_count--;
}

// The last line of defence: what a handler has found out without asking does not leave.
static void withhold_unchecked(struct call *call)
{
    if (!call->access_due || error_is_set(&call->error))
        return;
#ifdef CONFIG_DEBUG_CHECKS
    assert(!call->access_due); // a handler has not asked for access to its object
#endif
    call_fail(call, VIR_FROM_ACCESS, VIR_ERR_ACCESS_DENIED, "%s asked for no permission",
              xdr_procedure_name(call->procedure));
}

void call_end(struct call *call)
{
    withhold_unchecked(call);
    struct slot *reply = finished_reply(call);
    if (error_is_set(&call->error))
        log_debug("rpc", "%s: %s", xdr_procedure_name(call->procedure), call->error.message);
    if (call->client) {
        unlink_from_client(call);
        client_send(call->client, reply);
    } else {
        slot_release(reply);
    }
    task_forget(&call->task);
    memset(call->state, 0, call->state_used);
    slot_release(call->request);
    call->next = free_calls;
    free_calls = call;
    in_progress--;
}

void call_client_gone(struct client *client)
{
    while (client->calls) {
        struct call *call = client->calls;
        client->calls = call->next;
        call->client = NULL;
        call->next = NULL;
    }
    client->call_count = 0;
}
