// Handlers: every procedure that is built, joined from the lists of the modules.
#ifndef VIRT_HANDLERS_H
#define VIRT_HANDLERS_H

#include "rpc/call.h"

// NULL when the procedure has no handler.
call_handler *handlers_find_remote(uint32_t procedure);
call_handler *handlers_find_qemu(uint32_t procedure);

// The lists, each ended by {0, NULL}.
extern const struct call_entry authentication_handlers[];
extern const struct call_entry sasl_handlers[];
extern const struct call_entry connection_handlers[];
extern const struct call_entry node_handlers[];
extern const struct call_entry capabilities_handlers[];
extern const struct call_entry domain_lookup_handlers[];
extern const struct call_entry domain_list_handlers[];
extern const struct call_entry domain_state_handlers[];
extern const struct call_entry domain_life_handlers[];
extern const struct call_entry domain_create_handlers[];
extern const struct call_entry domain_define_handlers[];
extern const struct call_entry domain_lifecycle_handlers[];
extern const struct call_entry domain_sleep_handlers[];
extern const struct call_entry domain_ssh_keys_handlers[];
extern const struct call_entry domain_autostart_handlers[];
extern const struct call_entry domain_rename_handlers[];
extern const struct call_entry domain_xml_desc_handlers[];
extern const struct call_entry domain_event_handlers[];
extern const struct call_entry domain_memory_handlers[];
extern const struct call_entry domain_metadata_handlers[];
extern const struct call_entry domain_vcpu_handlers[];
extern const struct call_entry domain_tune_handlers[];
extern const struct call_entry domain_job_info_handlers[];
extern const struct call_entry domain_dump_handlers[];
extern const struct call_entry domain_pin_handlers[];
extern const struct call_entry domain_input_handlers[];
extern const struct call_entry domain_security_handlers[];
extern const struct call_entry domain_agent_handlers[];
extern const struct call_entry domain_guest_handlers[];
extern const struct call_entry domain_console_handlers[];
extern const struct call_entry domain_graphics_handlers[];
extern const struct call_entry storage_pool_list_handlers[];
extern const struct call_entry storage_pool_life_handlers[];
extern const struct call_entry storage_volume_handlers[];
extern const struct call_entry storage_create_handlers[];
extern const struct call_entry qemu_command_handlers[];
extern const struct call_entry domain_device_stats_handlers[];
extern const struct call_entry domain_stats_handlers[];
extern const struct call_entry monitor_event_handlers[];

#endif
