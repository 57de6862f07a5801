// What the daemon holds at the moment, from its own tables.
#include "test/sim/daemon_state.h"

#include "core/slot.h"
#include "rpc/client.h"
#include "virt/hypervisor.h"

#include <stddef.h>
#include <string.h>

bool daemon_has_qemu(void)
{
    for (size_t i = 0; hypervisors[i]; i++)
        if (strcmp(hypervisors[i]->type, "QEMU") == 0)
            return true;
    return false;
}

unsigned daemon_clients(void)
{
    return client_count();
}

bool daemon_slots_free(void)
{
    return slot_small_free() == CONFIG_SMALL_SLOTS && slot_large_free() == CONFIG_LARGE_SLOTS;
}

const char *daemon_holds(void)
{
    if (client_count())
        return "clients are still connected";
    if (slot_small_free() != CONFIG_SMALL_SLOTS)
        return "small message slots were not given back";
    if (slot_large_free() != CONFIG_LARGE_SLOTS)
        return "large message slots were not given back";
    return NULL;
}
