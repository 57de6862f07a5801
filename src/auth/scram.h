// SCRAM (RFC 5802; RFC 7677 for SHA-256): the server's side of the exchange, and the keys that are
// kept in place of a password.
//
// What is kept lets nobody log in: a client proves that it knows ClientKey, of which only the hash
// (StoredKey) is here, and the server proves itself by ServerKey. Channel bindings are not offered:
// "n" and "y" are accepted, "p" is refused.
#ifndef AUTH_SCRAM_H
#define AUTH_SCRAM_H

#include "auth/identity.h"
#include "core/buffer.h"

#define SCRAM_KEY_MAX        32   // bytes of a key; SHA-1 has 20
#define SCRAM_SALT_MAX       64   // bytes
#define SCRAM_MESSAGE_MAX    2048 // longest message of a client
#define SCRAM_FIRST_MAX      1024 // of these, its first
#define SCRAM_NONCE_MAX      256  // longest nonce of a client
#define SCRAM_ITERATIONS_MIN 4096 // RFC 7677 section 4

enum scram_mechanism { SCRAM_SHA_256, SCRAM_SHA_1, SCRAM_MECHANISMS };

const char *scram_mechanism_name(enum scram_mechanism mechanism); // "SCRAM-SHA-256"
size_t scram_key_size(enum scram_mechanism mechanism);            // bytes of its keys
bool scram_mechanism_find(struct slice name, enum scram_mechanism *mechanism);

// ---- keys (auth/scram_keys.c)

struct scram_keys {
    enum scram_mechanism mechanism;
    uint32_t iterations;
    size_t salt_len;
    uint8_t salt[SCRAM_SALT_MAX];
    uint8_t stored_key[SCRAM_KEY_MAX], server_key[SCRAM_KEY_MAX];
};

// Derives the keys of a password with a new salt: the cost is `iterations` of PBKDF2. False when
// this build of mbedTLS lacks the hash.
bool scram_keys_derive(struct scram_keys *keys, enum scram_mechanism mechanism, uint32_t iterations,
                       struct slice password);
// The same for a given salt, which `keys` holds with mechanism and iterations.
bool scram_keys_derive_salted(struct scram_keys *keys, struct slice password);
// As text, in the form of RFC 5803 that other servers use, too:
// "SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY", the last three in base64.
void scram_keys_put(const struct scram_keys *keys, struct buffer *b);
bool scram_keys_read(struct scram_keys *keys, struct slice text);

// HMAC (RFC 2104) and hash of a mechanism, to SCRAM_KEY_MAX bytes that are zeroed first.
bool scram_hmac(enum scram_mechanism mechanism, const uint8_t *key, struct slice text, uint8_t *to);
bool scram_hash(enum scram_mechanism mechanism, struct slice bytes, uint8_t *to);

// ---- the exchange (auth/scram.c)

struct scram_exchange {
    struct scram_keys keys;       // to be filled in between scram_first() and scram_challenge()
    bool is_user;                 // the keys are a user's; else nobody will pass
    char name[IDENTITY_USER_MAX]; // of the user, from scram_first() on
    // What was said: GS2 header, client-first-message-bare, ",", server-first-message, ",".
    char said[SCRAM_FIRST_MAX + SCRAM_NONCE_MAX + SCRAM_SALT_MAX * 2 + 64];
    size_t said_len, header_len;
    struct slice nonce; // in `said`: the client's, later with ours behind it
};

// Takes the client-first-message. NULL when it is fine, else what is wrong with it, for the log.
const char *scram_first(struct scram_exchange *exchange, struct slice message);
// Says the server-first-message; it stays valid until the exchange ends.
struct slice scram_challenge(struct scram_exchange *exchange);
// The same with a given part of the nonce, of at most 24 bytes: for what has to be repeated.
struct slice scram_challenge_with(struct scram_exchange *exchange, struct slice nonce);
// Takes the client-final-message and appends the server-final-message. NULL when the client has
// proved that it is that user, else the reason.
const char *scram_final(const struct scram_exchange *exchange, struct slice message,
                        struct buffer *reply);

#endif
