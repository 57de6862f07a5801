// mbedTLS: what differs between its versions (2.28 and 3) and builds, and what it needs of us.
#ifndef NET_TLS_LIBRARY_H
#define NET_TLS_LIBRARY_H

#include "core/error.h"

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>

#if MBEDTLS_VERSION_NUMBER < 0x03000000
// From 3.0 on, members that are not for everybody have to be named by this.
#define MBEDTLS_PRIVATE(member) member
#endif

// Versions of the protocol that may be spoken.
struct tls_versions {
    bool tls12, tls13;
};

// Whether this mbedTLS speaks TLS 1.3.
bool tls_library_has_13(void);
// Once, before anything else: gives mbedTLS its memory. VIR_ERR_INTERNAL_ERROR.
bool tls_library_start(struct error *err);
// Random bytes from the port, as mbedTLS asks for them.
int tls_random(void *unused, unsigned char *to, size_t len);
// A server's configuration: AEAD ciphers with forward secrecy only, no renegotiation, no session
// tickets, and a certificate asked of the client.
bool tls_library_configure(mbedtls_ssl_config *config, const struct tls_versions *versions);
int tls_library_parse_key(mbedtls_pk_context *key, const unsigned char *text, size_t len);
bool tls_library_is_pair(const mbedtls_pk_context *public_key, const mbedtls_pk_context *key);
bool tls_library_handshake_over(const mbedtls_ssl_context *ssl);
// Why mbedTLS failed, for the log.
const char *tls_library_reason(int code);

// Which keys and signatures are good enough: GnuTLS's level of the priority NORMAL.
extern const mbedtls_x509_crt_profile tls_profile;

#endif
