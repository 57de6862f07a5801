// Records and messages: whether a peer keeps them apart.
#ifndef NET_TLS_RECORDS_H
#define NET_TLS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Where in a message of the protocol (its length word counts all of it) the bytes received so far
// end. Zeroed for a new connection.
struct tls_records {
    uint32_t length;  // of the message, as far as its length word is there
    uint32_t counted; // bytes of it that have come
};

// Takes the next bytes of a record; `more` says whether the record goes on behind them. False when
// it holds parts of two messages.
bool tls_records_take(struct tls_records *records, const uint8_t *at, size_t len, bool more);

#endif
