// The identity of a peer: everything that is known of who is at the other end of a connection.
//
// The transport knows some of it at once (addresses, a unix socket's credentials), TLS and SASL add
// to it as they establish it. Access rules and virt-admin read it; libvirt's names for the parts
// are those of virIdentity and VIR_CLIENT_INFO_*.
#ifndef AUTH_IDENTITY_H
#define AUTH_IDENTITY_H

#include "port/port.h"

#define IDENTITY_DNAME_MAX 1024 // bytes with the NUL
#define IDENTITY_USER_MAX  256  // likewise

// What a client must pass before it may call anything else (remote_auth_type of the protocol).
enum auth_scheme { AUTH_NONE, AUTH_SASL, AUTH_POLKIT };

struct identity {
    struct port_peer peer;               // address, and a unix socket's uid, gid and pid
    char x509_dname[IDENTITY_DNAME_MAX]; // of the certificate that was verified; "": none
    char sasl_user[IDENTITY_USER_MAX];   // "": none
};

#endif
