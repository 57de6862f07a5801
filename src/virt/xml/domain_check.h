// Checks of a domain's elements that need more than one value; called by the walk over its schema
// once an element's own attributes and children are in order. Sources of rules and wording:
// libvirt 9.0's parser, per element.
#ifndef VIRT_DOMAIN_CHECK_H
#define VIRT_DOMAIN_CHECK_H

#include "virt/xml/domain_xml.h"
#include "virt/xml/xml_schema.h"

typedef bool domain_check(struct schema_walk *walk, struct xml_node *node);

// general
domain_check domain_check_blkio_device, domain_check_hugepage, domain_check_memtune,
    domain_check_pin, domain_check_scheduler, domain_check_cputune, domain_check_numatune_memory,
    domain_check_memnode, domain_check_sysinfo_entries, domain_check_fwcfg_entry,
    domain_check_firmware_features, domain_check_nvram, domain_check_acpi_table,
    domain_check_bootmenu, domain_check_seclabel, domain_check_clock;
// features and CPU
domain_check domain_check_features, domain_check_switch, domain_check_hyperv,
    domain_check_spinlocks, domain_check_stimer, domain_check_vendor_id, domain_check_kvm,
    domain_check_dirty_ring, domain_check_smm, domain_check_cpu, domain_check_topology,
    domain_check_cpu_cache, domain_check_cpu_feature, domain_check_numa_cell;
// disks and what devices share
domain_check domain_check_alias, domain_check_rom, domain_check_address,
    domain_check_source_address, domain_check_device_seclabel, domain_check_reconnect,
    domain_check_source, domain_check_disk_driver, domain_check_geometry, domain_check_disk;
// other devices
domain_check domain_check_chardev, domain_check_controller, domain_check_filesystem,
    domain_check_filesystem_driver, domain_check_smartcard, domain_check_input, domain_check_tpm,
    domain_check_listen, domain_check_graphics, domain_check_sound, domain_check_video,
    domain_check_acceleration, domain_check_hostdev, domain_check_redirdev, domain_check_hub,
    domain_check_watchdog, domain_check_memballoon, domain_check_rng, domain_check_shmem,
    domain_check_usbdev;
domain_check domain_check_interface, domain_check_interface_target, domain_check_ip,
    domain_check_virtualport, domain_check_bandwidth;

// Sets an error of domain VIR_FROM_DOMAIN; always false.
bool domain_refuse(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define REFUSE(walk_or_x, code, ...) domain_refuse((walk_or_x)->err, VIR_ERR_##code, __VA_ARGS__)

// A number among a node's attributes that the schema has already checked; `otherwise` without one.
unsigned domain_number(const struct xml_node *node, const char *attr, unsigned otherwise);
// The number of processors that a definition allows for, <vcpu>.
unsigned domain_vcpu_max(const struct xml_node *root);
// Rewrites the scaled size in attribute `attr`, whose unit is in `unit_attr`, in KiB.
bool domain_scale_attr(struct schema_walk *walk, struct xml_node *node, const char *attr,
                       const char *unit_attr, uint64_t *kib);
// Sets the attribute `name`, which libvirt shows first, when it is missing.
void domain_default_first(struct schema_walk *walk, struct xml_node *node, const char *name,
                          const char *value);
// Removes all attributes but those of the list "a|b".
void domain_keep_attrs(struct xml_node *node, const char *list);
// The sources of a character device (or of an RNG's or redirdev's backend) by its type.
bool domain_check_char_source(struct schema_walk *walk, struct xml_node *node, struct slice type);
// virDiskNameToIndex: "vdb" is 1; -1 when it is no such name.
int domain_disk_index(struct slice name);
bool domain_is_virtio_net(struct slice model);

#endif
