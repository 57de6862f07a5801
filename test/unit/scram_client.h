// A SCRAM client, for tests: what it would send, given what it knows. It shares nothing with the
// server but mbedTLS and base64.
#ifndef TEST_UNIT_SCRAM_CLIENT_H
#define TEST_UNIT_SCRAM_CLIENT_H

#include "auth/scram.h"
#include "text/base64.h"

#include <mbedtls/md.h>
#include <stdio.h>
#include <string.h>

struct scram_client {
    mbedtls_md_type_t hash;
    size_t size; // of the hash
    const char *password;
    char header[256], bare[768];   // of its first message
    char first[1024], final[2048]; // what it sends
    char expected[128];            // what the server has to answer to `final`
};

static inline void scram_client_start(struct scram_client *client, const char *header,
                                      const char *name, const char *nonce)
{
    snprintf(client->header, sizeof(client->header), "%s", header);
    snprintf(client->bare, sizeof(client->bare), "n=%s,r=%s", name, nonce);
    snprintf(client->first, sizeof(client->first), "%s%s", client->header, client->bare);
}

static inline void scram_client_hmac(const struct scram_client *client, const void *key, size_t len,
                                     const char *text, size_t text_len, uint8_t *to)
{
    assert_int_equal(mbedtls_md_hmac(mbedtls_md_info_from_type(client->hash), key, len,
                                     (const unsigned char *)text, text_len, to),
                     0);
}

// Hi() as RFC 5802 section 2.2 spells it out.
static inline void scram_client_hi(const struct scram_client *client, const char *salt,
                                   size_t salt_len, unsigned iterations, uint8_t *to)
{
    char first[128];
    uint8_t u[64];
    memcpy(first, salt, salt_len);
    memcpy(first + salt_len, "\0\0\0\1", 4);
    scram_client_hmac(client, client->password, strlen(client->password), first, salt_len + 4, u);
    memcpy(to, u, client->size);
    for (unsigned i = 1; i < iterations; i++) {
        scram_client_hmac(client, client->password, strlen(client->password), (const char *)u,
                          client->size, u);
        for (size_t k = 0; k < client->size; k++)
            to[k] ^= u[k];
    }
}

static inline void scram_client_put(char *to, size_t size, const char *name, const void *bytes,
                                    size_t len)
{
    struct buffer b = buffer_over(to, size);
    buffer_puts(&b, name);
    base64_put(&b, bytes, len);
    assert_true(buffer_ok(&b));
}

// Takes "r=...,s=...,i=..." and makes `final` and `expected` of it.
static inline void scram_client_answer(struct scram_client *client, struct slice challenge)
{
    uint8_t salted[64], key[64], stored[64], signature[64];
    char salt[64], said[4096], without_proof[1024], proof[64], binding[512];
    struct slice rest = challenge, nonce, salt_text, count;
    uint32_t iterations;
    assert_true(slice_split(&rest, ',', &nonce));
    assert_true(slice_split(&rest, ',', &salt_text));
    assert_true(slice_split(&rest, ',', &count));
    assert_true(slice_starts(nonce, "r=") && slice_starts(salt_text, "s="));
    assert_true(slice_u32(slice_from(count, 2), 10, &iterations));
    ptrdiff_t salt_len = base64_decode(salt, sizeof(salt), slice_from(salt_text, 2));
    assert_true(salt_len > 0);
    scram_client_hi(client, salt, (size_t)salt_len, iterations, salted);
    scram_client_hmac(client, salted, client->size, "Client Key", 10, key);
    assert_int_equal(mbedtls_md(mbedtls_md_info_from_type(client->hash), key, client->size, stored),
                     0);
    scram_client_put(binding, sizeof(binding), "c=", client->header, strlen(client->header));
    snprintf(without_proof, sizeof(without_proof), "%s,%.*s", binding, SLICE_ARG(nonce));
    snprintf(said, sizeof(said), "%s,%.*s,%s", client->bare, SLICE_ARG(challenge), without_proof);
    scram_client_hmac(client, stored, client->size, said, strlen(said), signature);
    for (size_t i = 0; i < client->size; i++)
        key[i] ^= signature[i];
    scram_client_put(proof, sizeof(proof), ",p=", key, client->size);
    snprintf(client->final, sizeof(client->final), "%s%s", without_proof, proof);
    scram_client_hmac(client, salted, client->size, "Server Key", 10, key);
    scram_client_hmac(client, key, client->size, said, strlen(said), signature);
    scram_client_put(client->expected, sizeof(client->expected), "v=", signature, client->size);
}

#endif
