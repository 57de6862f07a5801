// Linux: giving up privileges (capabilities(7), PR_SET_NO_NEW_PRIVS).
#include "port/linux/linux.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITIES_MAX 64

// What a daemon that runs as root goes on to use.
static const uint8_t needed[] = {
    CAP_CHOWN,            // images and sockets become the guest's
    CAP_FOWNER,           // and their modes are set afterwards
    CAP_DAC_OVERRIDE,     // images lie in other users' directories
    CAP_KILL,             // guests run as another user
    CAP_SETUID,           // so that they do
    CAP_SETGID,           //
    CAP_SETPCAP,          // so that they have none of these
    CAP_NET_ADMIN,        // taps and bridges
    CAP_NET_BIND_SERVICE, // a port below 1024 in libvirtd.conf
    CAP_SYS_NICE,         // pinning
    CAP_SYS_RESOURCE,     // locked memory and core dumps of guests
};

static bool is_needed(unsigned capability)
{
    for (size_t i = 0; i < sizeof(needed); i++)
        if (needed[i] == capability)
            return true;
    return false;
}

// Takes capabilities out of the bounding set: no program that is started has them any more.
static bool drop_from_bounding_set(bool all)
{
    for (unsigned capability = 0; capability < CAPABILITIES_MAX; capability++) {
        if ((!all && is_needed(capability)) || prctl(PR_CAPBSET_READ, capability, 0, 0, 0) != 1)
            continue;
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return false;
    }
    return true;
}

bool port_drop_all_privileges(void)
{
    return drop_from_bounding_set(true);
}

// What of the permitted set is left: the needed part of it.
static bool keep_needed(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    if (syscall(SYS_capget, &header, data) < 0)
        return false;
    uint32_t mask[_LINUX_CAPABILITY_U32S_3] = {0};
    for (size_t i = 0; i < sizeof(needed); i++)
        mask[CAP_TO_INDEX(needed[i])] |= CAP_TO_MASK(needed[i]);
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i].permitted &= mask[i];
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) == 0;
}

unsigned port_confine(void)
{
    unsigned done = 0;
    bool no_new = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    bool bounded = geteuid() != 0 || drop_from_bounding_set(false);
    if (no_new && bounded && keep_needed())
        done |= PORT_CONFINE_PRIVILEGES;
#ifdef CONFIG_SECCOMP
    if (no_new && port_filter_calls())
        done |= PORT_CONFINE_CALLS;
#endif
    return done;
}
