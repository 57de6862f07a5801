// Multicast DNS: announcing the daemon on the local networks as a service _libvirt._tcp.
//
// A responder of its own (RFC 6762) for the few records of one service (RFC 6763), on IPv4 and IPv6
// and every interface. Beside another responder on the same machine, such as avahi-daemon, the
// addresses of the host are left to that one.
#ifndef MDNS_MDNS_H
#define MDNS_MDNS_H

#include "core/config.h"
#include "core/error.h"

#include <stdint.h>

#ifdef CONFIG_MDNS

// Begins to announce `name` ("": "Virtualization Host HOSTNAME", as libvirtd) at a TCP port of this
// host. When another host has the name, " #2" is put behind it, and so on. VIR_ERR_SYSTEM_ERROR
// when there is no multicast here.
bool mdns_start(const char *name, uint16_t port, struct error *err);
void mdns_stop(void); // says goodbye

#else // and mdns_adv is refused

static inline bool mdns_start(const char *name, uint16_t port, struct error *err)
{
    (void)name, (void)port, (void)err;
    return true;
}

static inline void mdns_stop(void)
{
}

#endif

#endif
