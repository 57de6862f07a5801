// The daemon's server in this process, with the services and handlers of the daemon and the test
// driver behind it, and a client that watches what it answers.
#ifndef TEST_FUZZ_SERVER_H
#define TEST_FUZZ_SERVER_H

#include "fuzz.h"

// How a client behaves: bits.
enum server_manner {
    SERVER_READ_ONLY = 1 << 0,
    SERVER_OPENED = 1 << 1,     // test:///default is open already
    SERVER_BIT_BY_BIT = 1 << 2, // bytes come in pieces
    SERVER_IN_A_RUSH = 1 << 3,  // it sends everything before it reads
    SERVER_HANGS_UP = 1 << 4,   // it leaves without waiting for replies
    SERVER_LATER = 1 << 5,      // a minute passes in the middle
};

// Who the client is: one that has not authenticated yet, one that has, or the manager of the
// daemon.
enum server_peer { SERVER_STRANGER, SERVER_CLIENT, SERVER_ADMIN };

void server_start(void);
// Sends the bytes as a client and checks what comes back: replies that the contract allows, one to
// each call. The server is at rest and empty afterwards.
void server_serve(struct slice bytes, unsigned manner, enum server_peer peer);

// libFuzzer's mutator for such bytes, with the manner in front of them.
size_t server_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed,
                     enum server_peer peer);

#endif
