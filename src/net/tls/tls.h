// TLS: the transport on port 16514, as libvirt has it, by mbedTLS.
//
// A peer's way: it connects, and costs nothing until it says something; the handshake, a step at a
// time; its certificate is looked at by libvirt's rules (verify.h); one byte, '\1', tells it that
// it is welcome. Whoever is not gets an end of the stream instead.
//
// A TLS record never holds parts of two messages: each message is sent in records of its own, and a
// peer that does otherwise is cut.
#ifndef NET_TLS_TLS_H
#define NET_TLS_TLS_H

#include "net/transport.h"

extern const struct transport transport_tls;

#endif
