// The hypervisor drivers of this build, in the order in which a URI is offered to them.
#include "virt/hypervisor.h"

const struct hypervisor *const hypervisors[] = {
    NULL,
};
