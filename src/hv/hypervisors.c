// The hypervisor drivers of this build, in the order in which a URI is offered to them.
#include "hv/qemu/driver.h"
#include "hv/test/driver.h"
#include "virt/hypervisor.h"

const struct hypervisor *const hypervisors[] = {
    &test_hypervisor,
    &qemu_hypervisor,
    NULL,
};
