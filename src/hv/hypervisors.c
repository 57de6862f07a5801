// The hypervisor drivers of this build, in the order in which a URI is offered to them.
#include "hv/qemu/driver.h"
#include "hv/test/driver.h"
#include "virt/hypervisor.h"

const struct hypervisor *const hypervisors[] = {
#ifdef CONFIG_HYPERVISOR_TEST
    &test_hypervisor,
#endif
#ifdef CONFIG_HYPERVISOR_QEMU
    &qemu_hypervisor,
#endif
    NULL,
};
