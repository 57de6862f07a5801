// tls_priority: which versions of TLS may be spoken.
#ifndef NET_TLS_PRIORITY_H
#define NET_TLS_PRIORITY_H

#include "core/slice.h"
#include "net/tls/library.h"

// Reads a GnuTLS priority string, as far as it means something here; "" is the default. Ciphers,
// key exchanges and groups are not for choice: all that there are have forward secrecy and at least
// 128 bits. A word that asks for anything else is refused: VIR_ERR_CONFIG_UNSUPPORTED.
bool tls_priority_read(struct slice priority, struct tls_versions *versions, struct error *err);

#endif
