// A call: one request of a client, from its dispatch to its reply.
//
// A handler is a coroutine (core/co.h) over its call. It reads its arguments from CALL_ARGS() (the
// struct that xdrgen made for the procedure; its slices point into the request, which stays in
// place until the handler is done), keeps what must survive a wait in CALL_STATE(), and ends in one
// of three ways: with call->error set (the client gets that virError), with a reply written by
// call_reply() in one go without waiting in between, or with neither, for procedures without a
// result. When the client leaves, its calls run on to their end (nothing is left half-done) and
// their replies are dropped.
#ifndef RPC_CALL_H
#define RPC_CALL_H

#include "core/co.h"
#include "core/error.h"
#include "core/loop.h"
#include "rpc/message.h"

#define CALL_ARGS_SIZE  512
#define CALL_STATE_SIZE 4608

struct client;
struct call;

typedef enum co_status call_handler(struct call *call);

struct call {
    struct co co;          // where the handler waits
    struct task task;      // wake it to have the handler resumed
    struct client *client; // NULL once the client has left
    const struct xdr_procedure *procedure;
    call_handler *handler;
    struct message_header header; // of the request
    struct slot *request;
    struct call *next, *held_next; // rpc/call.c's
    bool held;                     // likewise: there was no slot for a reply when its turn came
    size_t state_used;
    bool access_due; // the handler must still ask for access to the object (virt/access.h)
    struct error error;
    _Alignas(16) unsigned char args[CALL_ARGS_SIZE];
    _Alignas(16) unsigned char state[CALL_STATE_SIZE]; // zero when the call begins
};

// A handler with its procedure. Modules export such lists, ended by {0, NULL}; virt/handlers.c
// joins them per program.
struct call_entry {
    uint32_t procedure;
    call_handler *handler;
};

// The arguments and the state, typed; a state that does not fit does not compile.
#define CALL_ARGS(call, type) ((const type *)(const void *)(call)->args)
#define CALL_STATE(call, type)                                                                     \
    ((type *)call_state((call), sizeof(type) +                                                     \
                                    0 * sizeof(char[sizeof(type) <= CALL_STATE_SIZE ? 1 : -1])))
// The first `size` bytes of the state. Most calls use none of it, so it is zeroed again only as far
// as it was used.
void *call_state(struct call *call, size_t size);

// The writer for the reply's body. Starts the reply afresh each time; it is sent when the handler
// is done. Write all of it without a wait.
struct xdr_writer *call_reply(struct call *call);
// Sets the call's error, unless one is set. Returns CO_DONE, for `return call_fail(...)` in
// handlers that do not wait and before CO_BEGIN.
enum co_status call_fail(struct call *call, int domain, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// Attaches a descriptor to the reply; it belongs to the reply from then on, also on failure.
bool call_reply_fd(struct call *call, int fd);
// The n-th descriptor that came with the request, -1 if there is none; it stays the request's.
int call_request_fd(const struct call *call, unsigned n);
// Refuses the most that a client wants of a list when it is negative or more than the contract has,
// with libvirt's words ("maxnames must be non-negative"). False with the error set.
#define call_check_maximum(call, max, name, limit)                                                 \
    call_check_maximum_named((call), (max), (name), (limit), #limit)
bool call_check_maximum_named(struct call *call, int32_t max, const char *name, int32_t limit,
                              const char *limit_name);
// Refuses flags that are not in `allowed` with libvirt's words ("unsupported flags (0x..) in
// function virDomain..."). False with the error set.
bool call_flags(struct call *call, uint32_t flags, uint32_t allowed, int domain,
                const char *function);

#endif
