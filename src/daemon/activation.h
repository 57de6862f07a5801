// Activation: sockets that a service manager has opened for us (systemd.socket(5)), and telling it
// how we are.
//
// The sockets' names say what they are for, and are libvirtd's: libvirtd.socket,
// libvirtd-ro.socket, libvirtd-admin.socket, libvirtd-tcp.socket, libvirtd-tls.socket. As in
// libvirtd, a daemon that was handed any serves these alone: the manager's units then say on what
// it listens, and not libvirtd.conf.
#ifndef DAEMON_ACTIVATION_H
#define DAEMON_ACTIVATION_H

#include "core/config.h"
#include "core/error.h"
#include "port/port.h"
#include "rpc/server.h"

#ifdef CONFIG_ACTIVATION

// Takes over what was handed to us, before anything else is started. VIR_ERR_INTERNAL_ERROR when
// it can not be understood.
bool activation_start(struct error *err);
bool activation_given(void); // whether there was anything
bool activation_has(const char *name);
// Listens on all sockets of that name, which must be unix sockets for transport_unix and no others.
bool activation_listen(const char *name, const struct admission *admission, struct error *err);
// Refuses to leave sockets alone that nobody has asked for: their clients would wait for ever.
bool activation_complete(struct error *err);
void activation_tell(const char *state); // "READY=1", "STOPPING=1" (sd_notify(3))

#else // nothing is looked at

static inline bool activation_start(struct error *err)
{
    (void)err;
    return true;
}

static inline bool activation_given(void)
{
    return false;
}

static inline bool activation_has(const char *name)
{
    (void)name;
    return false;
}

static inline bool activation_listen(const char *name, const struct admission *admission,
                                     struct error *err)
{
    (void)name, (void)admission, (void)err;
    return true;
}

static inline bool activation_complete(struct error *err)
{
    (void)err;
    return true;
}

static inline void activation_tell(const char *state)
{
    (void)state;
}

#endif

#endif
