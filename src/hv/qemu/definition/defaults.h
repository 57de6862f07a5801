// QEMU domains: what the emulator, the machine and the architecture add to a definition.
//
// The functions fill in what libvirt 9.0's QEMU driver fills in: canonical machine names, the
// default emulator, implied controllers, CPU model, device models, and the addresses of all
// devices.
#ifndef HV_QEMU_DEFAULTS_H
#define HV_QEMU_DEFAULTS_H

#include "virt/xml/domain_xml.h"

// One emulator, as the probe of capabilities knows it. Slices live at least as long as the tree
// that is being completed.
struct qemu_machine_facts {
    struct slice machine;     // canonical name of the wanted machine or alias; absent when unknown
    struct slice default_cpu; // of that machine for that virt type, "qemu64"; absent when not known
    bool cpu_migratable;      // the CPU type has the property "migratable"
    unsigned max_cpus;        // of that machine; 0 when not known
};

enum qemu_firmware_wish { QEMU_WISH_ANY, QEMU_WISH_YES, QEMU_WISH_NO };

// What <os firmware='...'> asks for and what the first matching firmware descriptor answers.
struct qemu_firmware {
    struct slice type; // "efi" or "bios"
    struct slice arch, machine;
    enum qemu_firmware_wish secure_boot, enrolled_keys, secure_loader, stateless;
    struct slice loader; // wanted path, absent for any; afterwards the chosen one
    // Answers:
    struct slice nvram_template; // absent when the firmware has none
    bool pflash, loader_secure;
};

// How the completion asks about this host. All functions get `data` and none may be NULL.
struct qemu_lookup {
    void *data;
    struct slice host_arch;
    // What the daemon answers when <os><type> names no arch is host_arch.
    // The emulator for a guest architecture ("/usr/bin/qemu-system-x86_64"); absent when none.
    struct slice (*emulator)(void *data, struct slice arch);
    // True when guests of this type ("kvm", "qemu") and arch can run with the emulator.
    bool (*supports)(void *data, struct slice emulator, struct slice arch, struct slice virt_type);
    // Facts on `machine` (absent: the default machine); false when the emulator can not be asked.
    bool (*machine)(void *data, struct slice emulator, struct slice virt_type, struct slice machine,
                    struct qemu_machine_facts *facts, struct error *err);
    // True when the emulator has the device ("qemu-xhci", "cirrus-vga").
    bool (*device)(void *data, struct slice emulator, const char *device);
    // Highest GIC version (2, 3) that KVM offers on this host; 0 when unknown.
    int (*gic_version)(void *data, struct slice emulator, struct slice virt_type);
    // Resolves firmware as libvirt does from the descriptors below /usr/share/qemu/firmware; false
    // when none matches.
    bool (*firmware)(void *data, struct qemu_firmware *firmware);
    const char *nvram_dir;   // "/var/lib/libvirt/qemu/nvram"
    const char *channel_dir; // "/var/lib/libvirt/qemu/channel/target"
    const char *lib_dir;     // for sockets of displays; NULL: "/var/lib/libvirt/qemu"
    // Where displays listen that name no address; NULL: 127.0.0.1.
    const char *vnc_listen, *spice_listen;
    bool spice_tls; // qemu.conf enables it
    bool (*random)(void *data, void *bytes, size_t len);
};

// Rules for domain_xml_parse(). `lookup` must stay in place while the rules are used.
void qemu_domain_xml_rules(struct domain_xml_rules *rules, const struct qemu_lookup *lookup);

// Live definitions only, after domain_xml_make_live(); what libvirt decides when a guest starts:
// resolves <os firmware='...'> to loader and nvram, gives channels and sockets of displays without
// a path their generated one, displays the address they listen on, and numbers disk sources.
// Ports, pty paths and <backingStore/> are the caller's. Errors: VIR_ERR_OPERATION_FAILED "Unable
// to find any firmware to satisfy ..."; VIR_ERR_OPERATION_INVALID when SMM is off and the firmware
// needs it.
bool qemu_domain_xml_resolve(struct xml_doc *doc, const struct qemu_lookup *lookup,
                             struct error *err);

#endif
