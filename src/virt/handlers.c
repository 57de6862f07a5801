// Handlers: the lists of the modules, spread into one table per program.
#include "virt/handlers.h"

#include "core/config.h"
#include "core/assert.h"
#include "core/config.h"
#include "proto/qemu.h"
#include "proto/remote.h"

#define PROCEDURES_MAX 512

struct table {
    bool spread;
    call_handler *handlers[PROCEDURES_MAX];
};

// clang-format off
static const struct call_entry *const remote_lists[] = {
    authentication_handlers,
#ifdef CONFIG_SASL
    sasl_handlers,
#endif
    connection_handlers,
#ifdef CONFIG_NODE
    node_handlers,
#endif
    capabilities_handlers,
    domain_lookup_handlers,
    domain_list_handlers,
    domain_state_handlers,
    domain_life_handlers,
    domain_lifecycle_handlers,
    domain_sleep_handlers,
    domain_create_handlers,
    domain_define_handlers,
    domain_autostart_handlers,
#ifdef CONFIG_DOMAIN_METADATA
    domain_rename_handlers,
    domain_metadata_handlers,
#endif
    domain_xml_desc_handlers,
    domain_event_handlers,
#ifdef CONFIG_DOMAIN_STATISTICS
    domain_stats_handlers,
    domain_device_stats_handlers,
    domain_job_info_handlers,
    domain_dump_handlers,
#endif
    domain_console_handlers,
#ifdef CONFIG_GRAPHICS
    domain_graphics_handlers,
#endif
#ifdef CONFIG_GUEST_AGENT
    domain_agent_handlers,
    domain_guest_handlers,
    domain_ssh_keys_handlers,
#endif
    domain_security_handlers,
#ifdef CONFIG_DOMAIN_INPUT
    domain_input_handlers,
#endif
#ifdef CONFIG_DOMAIN_TUNING
    domain_pin_handlers,
    domain_tune_handlers,
    domain_vcpu_handlers,
    domain_memory_handlers,
#endif
#ifdef CONFIG_STORAGE
    storage_pool_list_handlers,
    storage_pool_life_handlers,
    storage_volume_handlers,
    storage_create_handlers,
#endif
    NULL,
};

static const struct call_entry *const qemu_lists[] = {
#ifdef CONFIG_QEMU_COMMANDS
    monitor_event_handlers,
    qemu_command_handlers,
#endif
    NULL,
};
// clang-format on

static struct table remote_table, qemu_table;

static void spread(struct table *table, const struct call_entry *const *lists)
{
    for (size_t i = 0; lists[i]; i++) {
        for (const struct call_entry *entry = lists[i]; entry->handler; entry++) {
            assert(entry->procedure < PROCEDURES_MAX && !table->handlers[entry->procedure]);
            table->handlers[entry->procedure] = entry->handler;
        }
    }
    table->spread = true;
}

static call_handler *find(struct table *table, const struct call_entry *const *lists,
                          uint32_t procedure)
{
    if (!table->spread)
        spread(table, lists);
    return procedure < PROCEDURES_MAX ? table->handlers[procedure] : NULL;
}

call_handler *handlers_find_remote(uint32_t procedure)
{
    return find(&remote_table, remote_lists, procedure);
}

call_handler *handlers_find_qemu(uint32_t procedure)
{
    return find(&qemu_table, qemu_lists, procedure);
}
