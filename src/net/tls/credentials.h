// Credentials: our key and certificate, whom we trust, and who was revoked.
//
// They are read at start and at every reload. A handshake goes on with those it began with;
// connections whose handshake is over need none any more.
#ifndef NET_TLS_CREDENTIALS_H
#define NET_TLS_CREDENTIALS_H

#include "core/error.h"

#include <mbedtls/ssl.h>

struct settings;
struct tls_credentials;

// Reads and checks the files that the settings name, or libvirt's, and uses them from now on. On
// failure those before stay in use. Errors are libvirt's: VIR_ERR_SYSTEM_ERROR, and
// VIR_ERR_CONFIG_UNSUPPORTED when of the key, certificate and CA only some are set.
bool tls_credentials_load(const struct settings *settings, struct error *err);
// Reads the same files and throws away what is in them: for a worker, which may wait for the disk.
void tls_credentials_read_ahead(const struct settings *settings);
// For the length of a handshake.
struct tls_credentials *tls_credentials_take(void);
const mbedtls_ssl_config *tls_credentials_config(const struct tls_credentials *credentials);
// The revocation lists, the first of which may be empty.
const mbedtls_x509_crl *tls_credentials_revoked(const struct tls_credentials *credentials);
void tls_credentials_release(struct tls_credentials *credentials);

#endif
