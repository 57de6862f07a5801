// Distinguished names of certificates, as virt-pki-query-dn prints them.
#ifndef NET_TLS_NAME_H
#define NET_TLS_NAME_H

#include "core/buffer.h"

#include <mbedtls/x509.h>

// Writes a name as gnutls_x509_crt_get_dn() does, which libvirt's lists and access rules are
// written against: RFC 4514, but first things first ("C=UK,O=Example,CN=ann"). False when it is not
// one that GnuTLS would take (an empty or broken string), or when `to` is full.
bool tls_name_put(struct buffer *to, const mbedtls_x509_name *name);

#endif
