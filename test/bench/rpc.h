// A client of the benchmarks: a connection, messages made by hand, and calls that wait for their
// reply. Whatever goes wrong ends the program with a message.
#ifndef BENCH_RPC_H
#define BENCH_RPC_H

#include "proto/message.h"
#include "proto/remote.h"
#include "rpc/message.h"
#include "rpc/xdr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_MAX 4096

struct rpc_request {
    uint8_t bytes[REQUEST_MAX];
    size_t len;
};

void fail(const char *what); // with what errno says
uint64_t now_ns(void);       // of the monotonic clock

struct rpc_peer {
    int fd;
    struct tls *tls; // NULL: in the clear
};

// Connects to an address: the path of a unix socket, or tls:PORT:DIRECTORY for the port on this
// machine with the certificate of that directory (tls.h). False when nobody listens there yet.
bool rpc_try_connect(struct rpc_peer *peer, const char *address);
struct rpc_peer rpc_connect(const char *address);
void rpc_close(struct rpc_peer *peer);
size_t rpc_read_some(struct rpc_peer *peer, void *to, size_t len); // at least one byte

// A call with serial 1; type NULL is for procedures without arguments.
void rpc_make(struct rpc_request *request, int32_t procedure, const struct xdr_type *type,
              const void *args);
void rpc_write(struct rpc_peer *peer, const void *bytes, size_t len);
// Reads one message and returns its length; the bytes stay until the next one is read.
size_t rpc_read_message(struct rpc_peer *peer, const uint8_t **message);
// Sends the request and decodes its reply into `reply`, which may be NULL. Messages of other kinds
// than replies are passed over.
void rpc_ask(struct rpc_peer *peer, const struct rpc_request *request, const struct xdr_type *type,
             void *reply);
// What every client of libvirt begins with: REMOTE_PROC_AUTH_LIST and REMOTE_PROC_CONNECT_OPEN.
void rpc_open(struct rpc_peer *peer, const char *uri);
// The domain of that name; its slices stay until the next message is read.
struct remote_nonnull_domain rpc_lookup(struct rpc_peer *peer, const char *name);

#endif
