// load: the load generator of the benchmarks. Sends one kind of call over one or many connections,
// with a number of calls outstanding on each, and prints what it measured as "name value" lines.
//
//     load SOCKET URI CALL CONNECTIONS OUTSTANDING CALLS [REPLY]
//
// CALL is feature (32 bytes each way), hostname, list (every domain), or lookup (of the domain
// "test"). URI "-" is for the echo server: nothing is opened, and each reply has REPLY bytes.
#define _GNU_SOURCE
#include "proto/message.h"
#include "proto/remote.h"
#include "rpc/message.h"
#include "rpc/xdr.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 512
#define OUTSTANDING_MAX 512

struct connection {
    int fd;
    unsigned outstanding;
    uint64_t sent_at[OUTSTANDING_MAX]; // ring: replies to one kind of call come in order
    unsigned first;
    uint8_t in[SLOT_LARGE_SIZE];
    size_t have;
};

static struct connection *connections;
static unsigned connection_count, outstanding_wanted;
static uint8_t request[4096];
static size_t request_len, echo_reply;
static unsigned calls_wanted, calls_sent, calls_done;
static double *latencies; // microseconds

static void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail(path);
    return fd;
}

// ---- messages

static size_t make_call(uint8_t *to, int32_t procedure, const struct xdr_type *type,
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
        xdr_store_u32(to + 4 * i, header[i]);
    struct error err = {0};
    struct xdr_writer w = xdr_writer_over(to, sizeof(request), &err);
    w.len = MESSAGE_MIN;
    if (type)
        xdr_encode(&w, type, args);
    xdr_store_u32(to, (uint32_t)w.len);
    return w.len;
}

static void read_exactly(int fd, void *to, size_t len)
{
    for (uint8_t *at = to; len > 0;) {
        ssize_t got = read(fd, at, len);
        if (got <= 0)
            fail("read");
        at += got;
        len -= (size_t)got;
    }
}

static void call_and_wait(int fd, const uint8_t *message, size_t len)
{
    static uint8_t reply[SLOT_LARGE_SIZE];
    if (write(fd, message, len) != (ssize_t)len)
        fail("write");
    read_exactly(fd, reply, 4);
    read_exactly(fd, reply + 4, xdr_load_u32(reply) - 4);
    if (message_header_read(reply).status != VIR_NET_OK) {
        fprintf(stderr, "load: a call has failed\n");
        exit(1);
    }
}

static void open_connection(int fd, const char *uri)
{
    uint8_t message[4096];
    size_t len = make_call(message, REMOTE_PROC_AUTH_LIST, NULL, NULL);
    call_and_wait(fd, message, len);
    struct remote_connect_open_args args = {.name = slice_of(uri)};
    len = make_call(message, REMOTE_PROC_CONNECT_OPEN, XDR_TYPE(remote_connect_open_args), &args);
    call_and_wait(fd, message, len);
}

static void choose_request(const char *call)
{
    struct remote_connect_supports_feature_args feature = {.feature = 14};
    struct remote_domain_lookup_by_name_args lookup = {.name = SLICE("test")};
    struct remote_connect_list_all_domains_args list = {.need_results = 1};
    if (strcmp(call, "feature") == 0)
        request_len = make_call(request, REMOTE_PROC_CONNECT_SUPPORTS_FEATURE,
                                XDR_TYPE(remote_connect_supports_feature_args), &feature);
    else if (strcmp(call, "hostname") == 0)
        request_len = make_call(request, REMOTE_PROC_CONNECT_GET_HOSTNAME, NULL, NULL);
    else if (strcmp(call, "lookup") == 0)
        request_len = make_call(request, REMOTE_PROC_DOMAIN_LOOKUP_BY_NAME,
                                XDR_TYPE(remote_domain_lookup_by_name_args), &lookup);
    else if (strcmp(call, "list") == 0)
        request_len = make_call(request, REMOTE_PROC_CONNECT_LIST_ALL_DOMAINS,
                                XDR_TYPE(remote_connect_list_all_domains_args), &list);
    else
        fail(call);
}

// ---- the run

static void send_more(struct connection *c)
{
    static uint8_t batch[64 * sizeof(request)];
    size_t len = 0;
    while (c->outstanding < outstanding_wanted && calls_sent < calls_wanted &&
           len + request_len <= sizeof(batch)) {
        memcpy(batch + len, request, request_len);
        len += request_len;
        c->sent_at[(c->first + c->outstanding) % OUTSTANDING_MAX] = now_ns();
        c->outstanding++;
        calls_sent++;
    }
    for (size_t put = 0; put < len;) {
        ssize_t n = write(c->fd, batch + put, len - put);
        if (n < 0)
            fail("write");
        put += (size_t)n;
    }
}

static void take_replies(struct connection *c)
{
    ssize_t got = read(c->fd, c->in + c->have, sizeof(c->in) - c->have);
    if (got <= 0)
        fail("read");
    c->have += (size_t)got;
    size_t at = 0;
    while (c->have - at >= 4) {
        size_t len = echo_reply ? echo_reply : xdr_load_u32(c->in + at);
        if (c->have - at < len)
            break;
        at += len;
        latencies[calls_done++] = (double)(now_ns() - c->sent_at[c->first]) / 1000;
        c->first = (c->first + 1) % OUTSTANDING_MAX;
        c->outstanding--;
    }
    c->have -= at;
    memmove(c->in, c->in + at, c->have);
}

static void run(void)
{
    struct pollfd polls[CONNECTIONS_MAX];
    for (unsigned i = 0; i < connection_count; i++) {
        polls[i] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
        send_more(&connections[i]);
    }
    while (calls_done < calls_wanted) {
        poll(polls, connection_count, -1);
        for (unsigned i = 0; i < connection_count; i++) {
            if (!polls[i].revents)
                continue;
            take_replies(&connections[i]);
            send_more(&connections[i]);
        }
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double q)
{
    return latencies[(size_t)(q * (calls_wanted - 1))];
}

int main(int argc, char **argv)
{
    if (argc != 7 && argc != 8) {
        fprintf(stderr, "usage: load SOCKET URI CALL CONNECTIONS OUTSTANDING CALLS [REPLY]\n");
        return 2;
    }
    choose_request(argv[3]);
    connection_count = (unsigned)atoi(argv[4]);
    outstanding_wanted = (unsigned)atoi(argv[5]);
    calls_wanted = (unsigned)atoi(argv[6]);
    echo_reply = argc == 8 ? strtoul(argv[7], NULL, 10) : 0;
    if (connection_count > CONNECTIONS_MAX || outstanding_wanted > OUTSTANDING_MAX)
        fail("too many");
    connections = calloc(connection_count, sizeof(*connections));
    latencies = calloc(calls_wanted, sizeof(*latencies));
    for (unsigned i = 0; i < connection_count; i++) {
        connections[i].fd = connect_to(argv[1]);
        if (strcmp(argv[2], "-") != 0)
            open_connection(connections[i].fd, argv[2]);
    }
    uint64_t began = now_ns();
    run();
    double seconds = (double)(now_ns() - began) / 1e9;
    qsort(latencies, calls_wanted, sizeof(*latencies), ascending);
    printf("rate %.0f\np50 %.2f\np99 %.2f\np999 %.2f\n", calls_wanted / seconds, quantile(0.5),
           quantile(0.99), quantile(0.999));
    return 0;
}
