// load: the load generator. Sends calls over one or many connections, with a number of calls
// outstanding on each, and prints what it measured as "name value" lines.
//
//     load [-d DOMAIN] [-r REPLY] [-s SECONDS] ADDRESS URI CALL CONNECTIONS OUTSTANDING CALLS
//
// ADDRESS is that of rpc.h, so that it may be over TLS. CALL is feature (32 bytes each way), lookup
// (of DOMAIN, "test" unless said otherwise), xml (its definition), list (every domain), or mix,
// which is all of these in turn. It stops after CALLS calls, or after SECONDS. With -r it is the
// echo server that is talked to: nothing is opened, and each reply has REPLY bytes. The latencies
// of mix mean little: with several calls outstanding, replies may overtake each other, and
// latencies are taken in the order of the requests. Over TLS, those named sent_ last until the
// reply was sent.
#define _GNU_SOURCE
#include "rpc.h"
#include "tls.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECTIONS_MAX 512
#define OUTSTANDING_MAX 512
#define KINDS           4
#define INPUT_SIZE      (1 << 20)

struct connection {
    struct rpc_peer peer;
    unsigned outstanding, first;
    uint64_t sent_at[OUTSTANDING_MAX]; // a ring
    uint8_t in[INPUT_SIZE];
    size_t have;
};

static struct connection *connections;
static unsigned connection_count, outstanding_wanted;
static struct rpc_request requests[KINDS];
static unsigned request_count;
static size_t echo_reply, reply_size;
static size_t calls_wanted, calls_sent, calls_done;
static double *latencies;      // microseconds
static double *sent_latencies; // likewise, over TLS
static uint64_t end_at;        // of the clock, when it is not the calls that are counted

// ---- requests

static struct rpc_request *add_request(void)
{
    return &requests[request_count++];
}

static void add_feature(struct remote_nonnull_domain domain)
{
    struct remote_connect_supports_feature_args args = {.feature = 14};
    (void)domain;
    rpc_make(add_request(), REMOTE_PROC_CONNECT_SUPPORTS_FEATURE,
             XDR_TYPE(remote_connect_supports_feature_args), &args);
}

static void add_lookup(struct remote_nonnull_domain domain)
{
    struct remote_domain_lookup_by_name_args args = {.name = domain.name};
    rpc_make(add_request(), REMOTE_PROC_DOMAIN_LOOKUP_BY_NAME,
             XDR_TYPE(remote_domain_lookup_by_name_args), &args);
}

static void add_xml(struct remote_nonnull_domain domain)
{
    struct remote_domain_get_xml_desc_args args = {.dom = domain};
    rpc_make(add_request(), REMOTE_PROC_DOMAIN_GET_XML_DESC,
             XDR_TYPE(remote_domain_get_xml_desc_args), &args);
}

static void add_list(struct remote_nonnull_domain domain)
{
    struct remote_connect_list_all_domains_args args = {.need_results = 1};
    (void)domain;
    rpc_make(add_request(), REMOTE_PROC_CONNECT_LIST_ALL_DOMAINS,
             XDR_TYPE(remote_connect_list_all_domains_args), &args);
}

static const struct {
    const char *name;
    void (*add)(struct remote_nonnull_domain domain);
    bool about_domain;
} kinds[KINDS] = {
    {"feature", add_feature, false},
    {"lookup", add_lookup, true},
    {"xml", add_xml, true},
    {"list", add_list, false},
};

static void choose_requests(const char *call, const char *name)
{
    bool mix = strcmp(call, "mix") == 0;
    for (size_t i = 0; i < KINDS; i++) {
        if (!mix && strcmp(call, kinds[i].name) != 0)
            continue;
        struct remote_nonnull_domain domain = {.name = slice_of(name)};
        if (kinds[i].about_domain && !echo_reply)
            domain = rpc_lookup(&connections[0].peer, name);
        kinds[i].add(domain);
    }
    if (request_count == 0)
        fail(call);
}

// ---- the run

static bool may_send(void)
{
    return end_at ? now_ns() < end_at : calls_sent < calls_wanted;
}

// In the clear, what may be sent goes out in one system call; over TLS a record is one message.
static void send_more(struct connection *c)
{
    static uint8_t batch[16 * REQUEST_MAX];
    size_t len = 0;
    while (c->outstanding < outstanding_wanted && may_send()) {
        const struct rpc_request *request = &requests[calls_sent % request_count];
        if (len + request->len > sizeof(batch))
            break;
        if (c->peer.tls) {
            rpc_write(&c->peer, request->bytes, request->len);
        } else {
            memcpy(batch + len, request->bytes, request->len);
            len += request->len;
        }
        c->sent_at[(c->first + c->outstanding++) % OUTSTANDING_MAX] = now_ns();
        calls_sent++;
    }
    rpc_write(&c->peer, batch, len);
}

static double since(uint64_t begin, uint64_t end)
{
    return end > begin ? (double)(end - begin) / 1000 : 0;
}

static void take_reply(struct connection *c)
{
    if (calls_done < calls_wanted) {
        latencies[calls_done] = since(c->sent_at[c->first], now_ns());
        if (c->peer.tls)
            sent_latencies[calls_done] = since(c->sent_at[c->first], tls_sent_ns());
    }
    calls_done++;
    c->first = (c->first + 1) % OUTSTANDING_MAX;
    c->outstanding--;
}

static void check_status(const uint8_t *message)
{
    if (!echo_reply && message_header_read(message).status != VIR_NET_OK) {
        fprintf(stderr, "load: a call has failed\n");
        exit(1);
    }
}

static void take_replies(struct connection *c)
{
    c->have += rpc_read_some(&c->peer, c->in + c->have, sizeof(c->in) - c->have);
    size_t at = 0;
    while (c->have - at >= MESSAGE_MIN) {
        size_t len = echo_reply ? echo_reply : xdr_load_u32(c->in + at);
        if (c->have - at < len)
            break;
        check_status(c->in + at);
        reply_size = len;
        at += len;
        take_reply(c);
    }
    c->have -= at;
    memmove(c->in, c->in + at, c->have);
}

static void run(void)
{
    struct pollfd polls[CONNECTIONS_MAX];
    for (unsigned i = 0; i < connection_count; i++) {
        polls[i] = (struct pollfd){.fd = connections[i].peer.fd, .events = POLLIN};
        send_more(&connections[i]);
    }
    while (calls_done < calls_sent) {
        poll(polls, connection_count, -1);
        for (unsigned i = 0; i < connection_count; i++) {
            if (!polls[i].revents)
                continue;
            take_replies(&connections[i]);
            send_more(&connections[i]);
        }
    }
}

// ---- the report

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report_quantiles(const char *prefix, double *values, size_t known)
{
    static const struct {
        const char *name;
        double q;
    } quantiles[] = {{"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}};
    qsort(values, known, sizeof(*values), ascending);
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]) && known; i++)
        printf("%s%s %.2f\n", prefix, quantiles[i].name,
               values[(size_t)(quantiles[i].q * (double)(known - 1))]);
}

static void report(double seconds)
{
    size_t known = calls_done < calls_wanted ? calls_done : calls_wanted;
    printf("calls %zu\nrate %.0f\nreply %zu\nrequest %zu\n", calls_done,
           (double)calls_done / seconds, reply_size, requests[0].len);
    report_quantiles("", latencies, known);
    if (connections[0].peer.tls)
        report_quantiles("sent_", sent_latencies, known);
}

int main(int argc, char **argv)
{
    const char *domain = "test";
    unsigned seconds = 0;
    for (int option; (option = getopt(argc, argv, "d:r:s:")) != -1;) {
        if (option == 'd')
            domain = optarg;
        else if (option == 'r')
            echo_reply = strtoul(optarg, NULL, 10);
        else if (option == 's')
            seconds = (unsigned)atoi(optarg);
        else
            return 2;
    }
    if (argc - optind != 6) {
        fprintf(stderr, "usage: load [-d DOMAIN] [-r REPLY] [-s SECONDS] ADDRESS URI CALL "
                        "CONNECTIONS OUTSTANDING CALLS\n");
        return 2;
    }
    argv += optind;
    connection_count = (unsigned)atoi(argv[3]);
    outstanding_wanted = (unsigned)atoi(argv[4]);
    calls_wanted = strtoul(argv[5], NULL, 10);
    if (connection_count == 0 || connection_count > CONNECTIONS_MAX ||
        outstanding_wanted > OUTSTANDING_MAX)
        fail("connections or calls outstanding");
    connections = calloc(connection_count, sizeof(*connections));
    latencies = calloc(calls_wanted + 1, sizeof(*latencies));
    sent_latencies = calloc(calls_wanted + 1, sizeof(*sent_latencies));
    for (unsigned i = 0; i < connection_count; i++) {
        connections[i].peer = rpc_connect(argv[0]);
        if (!echo_reply)
            rpc_open(&connections[i].peer, argv[1]);
    }
    choose_requests(argv[2], domain);
    uint64_t began = now_ns();
    end_at = seconds ? began + seconds * (uint64_t)1000000000 : 0;
    run();
    report((double)(now_ns() - began) / 1e9);
    return 0;
}
