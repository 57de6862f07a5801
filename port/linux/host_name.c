// Linux: what the host is called, and where it is described.
#include "port/linux/linux.h"

#include <stdio.h>
#include <sys/utsname.h>

static int copy(const char *from, char *to, size_t size)
{
    int len = snprintf(to, size, "%s", from);
    return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

int port_hostname(char *to, size_t size)
{
    struct utsname names;
    return uname(&names) < 0 ? -errno : copy(names.nodename, to, size);
}

int port_machine(char *to, size_t size)
{
    struct utsname names;
    return uname(&names) < 0 ? -errno : copy(names.machine, to, size);
}
