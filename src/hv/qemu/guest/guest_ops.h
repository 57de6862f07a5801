// Operations on running guests: the driver's entries of struct hypervisor.
#ifndef HV_QEMU_GUEST_OPS_H
#define HV_QEMU_GUEST_OPS_H

#include "hv/qemu/guest/guest.h"
#include "virt/hypervisor.h"

// guest_power.c
hypervisor_fn guest_shutdown, guest_reboot, guest_reset, guest_suspend, guest_resume;
hypervisor_fn guest_wake_up, guest_inject_nmi;
// guest_lifecycle.c
hypervisor_fn guest_set_lifecycle;
// guest_dump.c
hypervisor_fn guest_core_dump;
bool guest_job(const struct domain *domain, struct hypervisor_job *to);
bool guest_abort_job(const struct domain *domain, struct error *err);
// guest_sleep.c
hypervisor_fn guest_sleep;
// guest_memory.c
hypervisor_fn guest_set_memory, guest_memory_stats, guest_set_stats_period;
bool guest_info(const struct domain *domain, uint64_t *memory_kib, uint64_t *cpu_ns);
// guest_vcpus.c
hypervisor_fn guest_set_vcpus;
// guest_processors.c
bool guest_vcpu(const struct domain *domain, unsigned vcpu, struct hypervisor_vcpu *to,
                struct error *err);
bool guest_pin(const struct domain *domain, int vcpu, const struct port_cpuset *cpus,
               struct error *err);
bool guest_cpu_stats(const struct domain *domain, int cpu, struct hypervisor_cpu_stats *to,
                     struct error *err);
bool guest_host_cpus(struct port_cpuset *cpus, struct error *err);
bool guest_security_label(const struct domain *domain, unsigned nth, char *label, size_t size,
                          bool *enforcing);
// guest_disks.c
hypervisor_fn guest_blocks;
// guest_stats.c
hypervisor_fn guest_running_stats;
// guest_interfaces.c
bool guest_interface_stats(const struct domain *domain, const char *device,
                           struct port_link_stats *to, struct error *err);
// guest_keys.c
hypervisor_fn guest_send_key;
// guest_monitor.c
hypervisor_fn guest_monitor_command;
// guest_screenshot.c
hypervisor_fn guest_screenshot;
// guest_agent.c
hypervisor_fn guest_agent_command, guest_hostname, guest_get_time, guest_set_time;
bool guest_set_agent_timeout(struct domain *domain, int32_t timeout, struct error *err);
// guest_filesystems.c
hypervisor_fn guest_filesystems;
// The target of the disk that a guest's agent speaks of by where it is plugged in; absent when it
// is none of the definition's.
struct slice guest_disk_target(const struct xml_node *devices, const struct json_value *told);
// guest_inside.c
hypervisor_fn guest_tell_inside;
// guest_addresses.c
hypervisor_fn guest_addresses;
// From the agent's answer; valid until the next call of it or of guest_addresses().
bool guest_read_addresses(const struct json_value *answer, const struct hypervisor_address **at,
                          uint32_t *count, struct error *err);
// guest_agent_vcpus.c
hypervisor_fn guest_agent_vcpus, guest_agent_set_vcpus;
// guest_agent_files.c
hypervisor_fn guest_set_password, guest_fs_freeze, guest_fs_thaw, guest_fs_trim;
hypervisor_fn guest_ssh_keys, guest_set_ssh_keys;
// guest_console.c
hypervisor_fn guest_open_console, guest_open_channel;
// guest_graphics.c
hypervisor_fn guest_open_graphics;

// The disk that QEMU speaks of: by its alias or the path of its device in QEMU's tree, or by the
// name of a block node; either may be absent. NULL when there is none.
const struct xml_node *guest_find_disk(const struct xml_node *tree, struct slice device,
                                       struct slice node);

// hypervisor.copy
bool guest_copy_definition(const struct domain *domain, uint32_t flags, struct error *err);

#endif
