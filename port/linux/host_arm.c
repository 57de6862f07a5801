// Linux: what only ARM processors can tell.
#include "port/linux/linux.h"

#include <sys/auxv.h>

int port_arm_identity(uint64_t *midr, uint64_t *capabilities)
{
    int64_t value;
    if (port_host_number(&value, "/sys/devices/system/cpu/cpu0/regs/identification/midr_el1") < 0)
        return -ENOENT;
    *midr = (uint64_t)value;
    *capabilities = getauxval(AT_HWCAP);
    return 0;
}
