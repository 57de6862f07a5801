// Domain definitions: parsing, checking, completing, and the forms in which they are shown.
//
// A definition is a `struct xml_doc`; there are no domain structs. domain_xml_parse() turns what a
// client sent into libvirt's canonical form: the tree is checked as libvirt's parser and validator
// check it, units and numbers are normalised, defaults and implied devices are filled in, addresses
// are assigned, and children and attributes are put into libvirt's order, so that xml_write()
// prints what `virsh dumpxml` of libvirt 9.0 prints. Elements that libvirt does not know are kept,
// after those that it knows. Parsing its own output again changes nothing.
//
// What depends on the hypervisor comes in as `struct domain_xml_rules`:
// src/hv/qemu/definition/defaults.h and src/hv/test/defaults.h fill it in.
#ifndef VIRT_DOMAIN_XML_H
#define VIRT_DOMAIN_XML_H

#include "text/xml.h"
#include "virt/domain/domain_constants.h"

// One definition while it is worked on; what the functions of domain_xml_*.c and a hypervisor's
// rules hand each other. `err` takes the first error.
struct domain_xml {
    struct xml_doc *doc;
    struct xml_node *root, *devices;
    const struct domain_xml_rules *rules;
    unsigned flags; // DOMAIN_XML_PARSE_*
    struct error *err;
};

// Optional parts of a definition that a hypervisor supports (libvirt: VIR_DOMAIN_DEF_FEATURE_*).
enum domain_xml_features {
    DOMAIN_XML_MEMORY_HOTPLUG = 1 << 0,
    DOMAIN_XML_NET_MODEL_STRING = 1 << 1, // any interface model, not only those that libvirt knows
    DOMAIN_XML_INDIVIDUAL_VCPUS = 1 << 2,
    DOMAIN_XML_USER_ALIAS = 1 << 3,
    DOMAIN_XML_FIRMWARE_AUTO = 1 << 4, // <os firmware='efi'>
    DOMAIN_XML_DISK_FD = 1 << 5,
    DOMAIN_XML_ABI_UPDATE = 1 << 6, // DOMAIN_XML_PARSE_NEW means something to it
};

// What a hypervisor adds. Each function returns false with x->err set; any of them may be NULL.
struct domain_xml_rules {
    unsigned features;           // enum domain_xml_features
    uint8_t mac_prefix[3];       // of generated addresses
    const char *name_space;      // prefix of pass-through elements, "qemu"; or NULL
    const char *name_space_attr; // "xmlns:qemu"
    const char *name_space_uri;
    const char *security_model; // of a lone <seclabel> that names none; or NULL
    // Fills `bytes` with random bytes; must not be NULL (uuids and addresses are made of them).
    bool (*random)(void *data, void *bytes, size_t len);
    // Completes <os><type> with arch and machine and the emulator from what the host offers; the
    // tree is then checked. Called first.
    bool (*complete_os)(struct domain_xml *x);
    // Adds what the machine implies: controllers, features, CPU.
    bool (*complete_domain)(struct domain_xml *x);
    // Completes one child of <devices>, before the hypervisor-independent defaults of it.
    bool (*complete_device)(struct domain_xml *x, struct xml_node *device);
    bool (*assign_addresses)(struct domain_xml *x);
    bool (*validate)(struct domain_xml *x);
    // Checks one child of <devices>, after the hypervisor-independent checks of it.
    bool (*validate_device)(struct domain_xml *x, const struct xml_node *device);
    void *data; // the hypervisor's own
};

enum domain_xml_parse_flags {
    // A live definition (of a status file): aliases, ports, paths of ptys and the id are kept.
    // Without it they are dropped, as libvirt ignores them in what it defines and starts.
    DOMAIN_XML_PARSE_LIVE = 1 << 0,
    // New to this host, so that defaults which would change an existing guest's hardware are
    // allowed (libvirt: VIR_DOMAIN_DEF_PARSE_ABI_UPDATE). Set for define and create, not for
    // reading
    // our files.
    DOMAIN_XML_PARSE_NEW = 1 << 1,
    // Leaves the checks that the running emulator makes to whoever starts the guest. For reading
    // files.
    DOMAIN_XML_PARSE_SKIP_VALIDATE = 1 << 2,
    // Refuses elements and attributes that libvirt does not know (VIR_DOMAIN_DEFINE_VALIDATE).
    DOMAIN_XML_PARSE_SCHEMA = 1 << 3,
};

// Parses and completes a <domain>. `text` must live as long as the tree. Errors: those of
// xml_parse, and libvirt's codes and messages for what its parser refuses.
bool domain_xml_parse(struct xml_doc *doc, struct slice text, const struct domain_xml_rules *rules,
                      unsigned flags, struct error *err);

// Turns a completed definition into that of a running guest: sets the id, gives every device its
// alias as libvirt's qemu_alias.c does, and adds
// <resource><partition>/machine</partition></resource> when `partition` is true (qemu:///system,
// on a host with control groups). Ports, pty paths, socket paths and labels are the caller's to
// set, since they are known only when the guest starts.
bool domain_xml_make_live(struct xml_doc *doc, int id, bool partition, struct error *err);

// Edits the tree into what virDomainGetXMLDesc shows for these flags (VIR_DOMAIN_XML_SECURE 1,
// VIR_DOMAIN_XML_INACTIVE 2, VIR_DOMAIN_XML_UPDATE_CPU 4, VIR_DOMAIN_XML_MIGRATABLE 8): without
// SECURE passwords go; with INACTIVE id, aliases and everything that only a running guest has go;
// MIGRATABLE drops what older libvirts would refuse. A tree without an id is always shown as
// inactive. To write a definition to its file, use SECURE | INACTIVE; to write a status file, do
// not call this.
void domain_xml_show(struct xml_doc *doc, unsigned flags);

// Puts children and attributes into libvirt's order; for trees that were changed after parsing.
void domain_xml_order(struct xml_doc *doc);

#endif
