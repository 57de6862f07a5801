// Completing a domain: what libvirt fills in for every hypervisor (libvirt: domain_postparse.c).
#ifndef VIRT_DOMAIN_COMPLETE_H
#define VIRT_DOMAIN_COMPLETE_H

#include "virt/xml/domain_xml.h"

// The identity and kind of a domain, checked before all else: type, name, uuid, os type. Adds the
// elements that every definition has.
bool domain_parse_head(struct domain_xml *x);
// Processors and I/O threads, once the schema has been applied.
bool domain_parse_vcpus(struct domain_xml *x);
// Devices of which there may be only one, and USB when it is switched off.
bool domain_check_singles(struct domain_xml *x);
// Fills in defaults and implied devices, in libvirt's order, with the hypervisor's rules between.
bool domain_complete(struct domain_xml *x);
// What libvirt's validator refuses, for every hypervisor.
bool domain_validate(struct domain_xml *x);
bool domain_validate_devices(struct domain_xml *x);
// Checks the NUMA cells against each other and fills in distances that follow from others; counts
// their processors.
bool domain_complete_numa(struct domain_xml *x);
bool domain_validate_numa(struct domain_xml *x);
// Gives pass-through elements libvirt's prefix.
void domain_parse_namespace(struct domain_xml *x);
// Takes the declarations away that no element needs any more.
void domain_drop_namespaces(struct xml_node *root);
// Gives a lone <seclabel> the host's security model.
bool domain_complete_seclabel(struct domain_xml *x);

// --- for completing functions, here and in the hypervisors

// Architecture, machine and os type of the domain.
struct slice domain_arch(const struct domain_xml *x);
struct slice domain_machine(const struct domain_xml *x);
bool domain_is_x86(const struct domain_xml *x);
bool domain_is_hvm(const struct domain_xml *x);
// The type of a device's <address>; absent without one.
struct slice domain_address_type(const struct xml_node *device);
// The controller of that type and index; NULL when there is none.
struct xml_node *domain_find_controller(const struct domain_xml *x, const char *type,
                                        unsigned index);
// Adds one; `model` may be NULL. `index` < 0: the lowest that is free.
struct xml_node *domain_add_controller(struct domain_xml *x, const char *type, int index,
                                       const char *model);
struct xml_node *domain_need_controller(struct domain_xml *x, const char *type, unsigned index);
// An I/O thread of that number is defined.
bool domain_has_iothread(const struct domain_xml *x, unsigned id);
// Is it the <console> that only repeats the first serial port?
bool domain_is_serial_console(const struct domain_xml *x, const struct xml_node *console);
// Makes the first console a copy of the first serial port, when it stands for it.
void domain_mirror_console(struct domain_xml *x);
// Sets the address of a drive.
void domain_set_drive_address(struct domain_xml *x, struct xml_node *device, unsigned controller,
                              unsigned bus, unsigned unit);
// The element below which `name` is a device's address; replaced when it is there.
struct xml_node *domain_new_address(struct domain_xml *x, struct xml_node *device,
                                    const char *type);

// Calls `f` for each device with a place in the guest, in libvirt's order of types
// (virDomainDeviceInfoIterate); stops when it returns false.
typedef bool domain_device_fn(struct domain_xml *x, struct xml_node *device, void *data);
bool domain_each_device(struct domain_xml *x, bool all_consoles, domain_device_fn *f, void *data);

#endif
