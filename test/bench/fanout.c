// fanout SOCKET URI LISTENERS ACTIONS [REQUEST REPLY EVENT]: every listener is told of every
// action.
//
// One client suspends and resumes the domain "test", one call after the other; LISTENERS others
// have asked for its lifecycle events. Prints how many events arrived a second, and the sizes of
// the messages. With these sizes it is the echo server that is talked to: it sends EVENT bytes to
// every other connection for each request.
#define _GNU_SOURCE
#include "rpc.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LISTENERS_MAX 256
#define LIFECYCLE     0 // VIR_DOMAIN_EVENT_ID_LIFECYCLE

static struct rpc_peer peers[LISTENERS_MAX + 1]; // the last one acts, the others listen
static struct pollfd polls[LISTENERS_MAX + 1];
static size_t listeners, actions;
static struct rpc_request requests[2]; // suspend, resume
static size_t reply_size, event_size;

static void listen_for_events(struct rpc_peer *peer)
{
    struct rpc_request ask;
    struct remote_connect_domain_event_callback_register_any_args args = {.eventID = LIFECYCLE};
    rpc_make(&ask, REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY,
             XDR_TYPE(remote_connect_domain_event_callback_register_any_args), &args);
    rpc_ask(peer, &ask, NULL, NULL);
}

static void make_actions(struct rpc_peer *actor)
{
    struct remote_domain_suspend_args suspend = {.dom = rpc_lookup(actor, "test")};
    struct remote_domain_resume_args resume = {.dom = suspend.dom};
    rpc_make(&requests[0], REMOTE_PROC_DOMAIN_SUSPEND, XDR_TYPE(remote_domain_suspend_args),
             &suspend);
    rpc_make(&requests[1], REMOTE_PROC_DOMAIN_RESUME, XDR_TYPE(remote_domain_resume_args), &resume);
}

// Suspends and resumes once, to see how long the messages are.
static void measure_messages(struct rpc_peer *actor)
{
    const uint8_t *message;
    for (int i = 0; i < 2; i++) {
        rpc_write(actor, requests[i].bytes, requests[i].len);
        reply_size = rpc_read_message(actor, &message);
        for (size_t l = 0; l < listeners; l++)
            event_size = rpc_read_message(&peers[l], &message);
    }
}

static size_t read_some(struct rpc_peer *peer)
{
    static uint8_t bytes[65536];
    return rpc_read_some(peer, bytes, sizeof(bytes));
}

static void run(void)
{
    size_t acted = 0, replied = 0, bytes = 0, wanted = actions * listeners * event_size;
    struct rpc_peer *actor = &peers[listeners];
    while (bytes < wanted || replied < actions * reply_size) {
        if (replied == acted * reply_size && acted < actions) {
            const struct rpc_request *request = &requests[acted++ % 2];
            rpc_write(actor, request->bytes, request->len);
        }
        poll(polls, listeners + 1, -1);
        for (size_t i = 0; i < listeners; i++)
            if (polls[i].revents)
                bytes += read_some(&peers[i]);
        if (polls[listeners].revents)
            replied += read_some(actor);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5 && argc != 8) {
        fprintf(stderr, "usage: fanout SOCKET URI LISTENERS ACTIONS [REQUEST REPLY EVENT]\n");
        return 2;
    }
    listeners = strtoul(argv[3], NULL, 10);
    actions = strtoul(argv[4], NULL, 10);
    if (listeners == 0 || listeners > LISTENERS_MAX)
        fail("listeners");
    bool echo = argc == 8;
    for (size_t i = 0; i <= listeners; i++) {
        peers[i] = rpc_connect(argv[1]);
        polls[i] = (struct pollfd){.fd = peers[i].fd, .events = POLLIN};
        if (!echo)
            rpc_open(&peers[i], argv[2]);
        if (!echo && i < listeners)
            listen_for_events(&peers[i]);
    }
    if (echo) {
        requests[0].len = requests[1].len = strtoul(argv[5], NULL, 10);
        reply_size = strtoul(argv[6], NULL, 10);
        event_size = strtoul(argv[7], NULL, 10);
    } else {
        make_actions(&peers[listeners]);
        measure_messages(&peers[listeners]);
    }
    uint64_t began = now_ns();
    run();
    double seconds = (double)(now_ns() - began) / 1e9;
    printf("rate %.0f\nrequest %zu\nreply %zu\nevent %zu\n",
           (double)(actions * listeners) / seconds, requests[0].len, reply_size, event_size);
    return 0;
}
