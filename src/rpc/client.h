// Clients: everybody who is connected, and what the server holds for each.
//
// A client is its transport, what is being received from it, its calls and streams, and its send
// queue. It is read from only while its calls and its queue are within bounds and there are slots:
// that is all the back-pressure there is. It is cut when it can not be understood, when it does not
// take what is sent to it, or when it stops in the middle of a message.
#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H

#include "core/loop.h"
#include "core/slot.h"
#include "net/transport.h"
#include "rpc/call.h"
#include "rpc/message.h"
#include "rpc/server.h"

#include <stdbool.h>
#include <stdint.h>

struct stream;

// What is queued for one client may hold as many small slots as one in so many of those that are
// free: the fewer there are, the fewer anybody adds.
#define QUEUE_FRACTION 16

struct client {
    struct watch watch; // first: its callbacks find the client by it
    struct connection_io io;
    struct server *server;
    struct client *before, *after; // of the same server, in the order of their numbers
    struct identity identity;
    uint64_t number;       // counts the server's connections from 1: virt-admin's client id
    uint64_t serial;       // counts those of all servers from 1
    int64_t connected;     // microseconds since 1970
    enum auth_scheme auth; // what it had to pass, or still has
    bool used, read_only, authenticated;
    bool opening; // its transport is in its handshake (rpc/opening.h)
    bool opening_queued;
    struct client *opening_next;
    bool closing; // gone as soon as its queue is empty
    bool dead;    // to be taken apart at the end of this turn

    // receiving (rpc/receive.c)
    struct slot *input;    // bytes read that are not yet a message of their own
    struct slot *incoming; // a message of which a part is there
    uint32_t skip;         // bytes of an over-long message still to be thrown away
    bool starved;          // waits for a slot or a place for a call that others have
    bool put_off;          // waits for `again`: it had its share of the loop
    uint64_t received_at;  // when bytes last came, loop_now()
    uint64_t connected_at; // likewise
    uint32_t fds_wanted;   // descriptors that `incoming` still lacks
    short wanted;          // of its transport: PORT_POLL_IN, PORT_POLL_OUT
    struct task again;     // goes on with what polling does not tell of, or was put off

    // calls in progress and streams
    uint32_t call_count;
    struct call *calls;
    struct stream *streams;
    uint32_t stream_held; // slots of stream data not yet taken by their streams

    // sending (rpc/send.c)
    struct slot *send_first, *send_last;
    uint32_t send_count, send_large;
    uint8_t fds_sent;     // of the first message
    uint64_t progress_at; // when bytes last went out, loop_now()
    struct client *flush_next;
    bool flush_queued, send_blocked;

    // keepalive (rpc/keepalive.c)
    struct timer keepalive;
    bool pings; // the client has said that it answers them
    uint32_t unanswered;
};

// Whether somebody more may connect to the server.
bool client_room(const struct server *server);
// Takes over a connected descriptor, whatever the result; refused (and closed) when there are too
// many.
struct client *client_add(int fd, const struct admission *admission, const struct port_peer *peer);
// It has passed what it had to: all its server's procedures are open to it.
void client_authenticated(struct client *client);
// Ends the connection. Its calls run on without it; the struct is given back at the end of the
// turn.
void client_cut(struct client *client, const char *why);
// Ends it once everything queued has been sent.
void client_close_later(struct client *client);
void client_close_all(void);

uint32_t client_count(void);                        // of all servers
uint32_t client_index(const struct client *client); // below CONFIG_MAX_CLIENTS
// Walks the clients: start with NULL.
struct client *client_next(const struct client *previous);

// Told about every client that goes, before it is taken apart; and about the count of clients.
struct client_hook {
    void (*gone)(struct client *client);
    struct client_hook *next;
};
void client_on_gone(struct client_hook *hook);

// Queues a message; the slot is the client's from now on. Order is kept. It is written out at the
// end of the turn.
void client_send(struct client *client, struct slot *slot);

// Somebody waits for a slot: cuts the client that has stood still the longest with slots of its
// own, if that is longer than a network takes. False when there is none. It may be the client at
// hand.
bool client_relieve(void);

// Detaches a client from its calls (rpc/call.c).
void call_client_gone(struct client *client);

// An event for a client: write its body to the writer that client_event_begin() returns, then send
// it. One at a time. When there is no slot, the client may be the one that is cut to make room: who
// walks a list of clients has it changed then, and the event is dropped.
struct xdr_writer *client_event_begin(struct client *client, const struct xdr_program *program,
                                      uint32_t procedure);
void client_event_send(void);

// Whether the client may be read from now.
void client_update(struct client *client);

#endif
