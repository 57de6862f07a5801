// Certificates, ours and the peer's, looked at as libvirt does (its virnettlscontext.c): the same
// things are refused, in the same words.
#ifndef NET_TLS_VERIFY_H
#define NET_TLS_VERIFY_H

#include "auth/identity.h"
#include "core/error.h"

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

struct settings;

enum tls_role { TLS_SERVER, TLS_CLIENT, TLS_CA };

// Whether a certificate can be what it is used as: its times, and what its extensions "basic
// constraints", "key usage" and "extended key usage" (RFC 5280 section 4.2.1) make of it. A usage
// or purpose that is missing, but not critical, is only logged. `file` names it in messages.
bool tls_verify_certificate(const mbedtls_x509_crt *cert, const char *file, enum tls_role role,
                            struct error *err);
// Whether our own certificate, with those behind it in its file, leads to one of the CAs.
bool tls_verify_own(mbedtls_x509_crt *cert, const char *file, mbedtls_x509_crt *ca,
                    const char *ca_file, struct error *err);
// Whether a revocation list is of the authority with that name.
bool tls_verify_is_of(const mbedtls_x509_crl *crl, const mbedtls_x509_buf *name);
// Whether the peer of a finished handshake may come in: somebody whom a CA vouches for and nobody
// has revoked, with a certificate for clients and a name on tls_allowed_dn_list, if there is one.
// The name is put into the identity as soon as it is certain.
bool tls_verify_peer(const mbedtls_ssl_context *ssl, const mbedtls_x509_crl *crl,
                     const struct settings *settings, struct identity *identity, struct error *err);

#endif
