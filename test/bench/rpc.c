// A client of the benchmarks.
#define _GNU_SOURCE
#include "rpc.h"

#include "tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : "the peer has gone");
    exit(1);
}

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_tcp(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    if (fd < 0)
        fail("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)); // as libvirt's clients do
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

bool rpc_try_connect(struct rpc_peer *peer, const char *address)
{
    char *directory;
    bool tls = strncmp(address, "tls:", 4) == 0;
    peer->tls = NULL;
    peer->fd = tls ? connect_tcp((int)strtoul(address + 4, &directory, 10)) : connect_unix(address);
    if (tls && peer->fd >= 0)
        peer->tls = tls_connect(peer->fd, directory + 1);
    return peer->fd >= 0;
}

struct rpc_peer rpc_connect(const char *address)
{
    struct rpc_peer peer;
    if (!rpc_try_connect(&peer, address))
        fail(address);
    return peer;
}

void rpc_close(struct rpc_peer *peer)
{
    if (peer->tls)
        tls_end(peer->tls);
    close(peer->fd);
}

void rpc_make(struct rpc_request *request, int32_t procedure, const struct xdr_type *type,
              const void *args)
{
    const uint32_t header[] = {0,
                               remote_program.number,
                               remote_program.version,
                               (uint32_t)procedure,
                               VIR_NET_CALL,
                               1,
                               VIR_NET_OK};
    for (size_t i = 0; i < 7; i++)
        xdr_store_u32(request->bytes + 4 * i, header[i]);
    struct error err = {0};
    struct xdr_writer w = xdr_writer_over(request->bytes, sizeof(request->bytes), &err);
    w.len = MESSAGE_MIN;
    if (type)
        xdr_encode(&w, type, args);
    xdr_store_u32(request->bytes, (uint32_t)w.len);
    request->len = w.len;
}

void rpc_write(struct rpc_peer *peer, const void *bytes, size_t len)
{
    for (const uint8_t *at = bytes; len > 0;) {
        ssize_t put =
            peer->tls ? (ssize_t)tls_write_some(peer->tls, at, len) : write(peer->fd, at, len);
        if (put <= 0)
            fail("write");
        at += put;
        len -= (size_t)put;
    }
}

size_t rpc_read_some(struct rpc_peer *peer, void *to, size_t len)
{
    errno = 0;
    ssize_t got = peer->tls ? (ssize_t)tls_read_some(peer->tls, to, len) : read(peer->fd, to, len);
    if (got <= 0)
        fail("read");
    return (size_t)got;
}

static void read_exactly(struct rpc_peer *peer, uint8_t *at, size_t len)
{
    while (len > 0) {
        size_t got = rpc_read_some(peer, at, len);
        at += got;
        len -= got;
    }
}

size_t rpc_read_message(struct rpc_peer *peer, const uint8_t **message)
{
    static uint8_t bytes[1 << 20];
    read_exactly(peer, bytes, 4);
    size_t len = xdr_load_u32(bytes);
    if (len < MESSAGE_MIN || len > sizeof(bytes))
        fail("a length word");
    read_exactly(peer, bytes + 4, len - 4);
    *message = bytes;
    return len;
}

static void decode(const uint8_t *message, size_t len, const struct xdr_type *type, void *to)
{
    struct error err = {0};
    struct xdr_reader reader = {message + MESSAGE_MIN, message + len};
    if (type && !xdr_decode(&reader, type, to, &err)) {
        fprintf(stderr, "a reply: %s\n", err.message);
        exit(1);
    }
}

void rpc_ask(struct rpc_peer *peer, const struct rpc_request *request, const struct xdr_type *type,
             void *reply)
{
    const uint8_t *message;
    rpc_write(peer, request->bytes, request->len);
    size_t len;
    do
        len = rpc_read_message(peer, &message);
    while (message_header_read(message).type != VIR_NET_REPLY);
    if (message_header_read(message).status != VIR_NET_OK) {
        struct message_error error;
        decode(message, len, XDR_TYPE(message_error), &error);
        fprintf(stderr, "procedure %d has failed\n", message_header_read(message).proc);
        exit(1);
    }
    decode(message, len, type, reply);
}

void rpc_open(struct rpc_peer *peer, const char *uri)
{
    struct rpc_request request;
    struct remote_connect_open_args args = {.name = slice_of(uri)};
    rpc_make(&request, REMOTE_PROC_AUTH_LIST, NULL, NULL);
    rpc_ask(peer, &request, NULL, NULL);
    rpc_make(&request, REMOTE_PROC_CONNECT_OPEN, XDR_TYPE(remote_connect_open_args), &args);
    rpc_ask(peer, &request, NULL, NULL);
}

struct remote_nonnull_domain rpc_lookup(struct rpc_peer *peer, const char *name)
{
    struct rpc_request request;
    struct remote_domain_lookup_by_name_args args = {.name = slice_of(name)};
    struct remote_domain_lookup_by_name_ret ret;
    rpc_make(&request, REMOTE_PROC_DOMAIN_LOOKUP_BY_NAME,
             XDR_TYPE(remote_domain_lookup_by_name_args), &args);
    rpc_ask(peer, &request, XDR_TYPE(remote_domain_lookup_by_name_ret), &ret);
    return ret.dom;
}
