// The emulators of Debian 12 (QEMU 7.2, no KVM), as far as completing definitions asks for them.
#ifndef TEST_UNIT_QEMU_LOOKUP_H
#define TEST_UNIT_QEMU_LOOKUP_H

#include "hv/qemu/definition/defaults.h"
#include "virt/xml/xml_schema.h"

#include <string.h>

static struct slice lookup_emulator(void *data, struct slice arch)
{
    (void)data;
    static const struct {
        const char *arch, *path;
    } emulators[] = {
        {"x86_64", "/usr/bin/qemu-system-x86_64"},
        {"i686", "/usr/bin/qemu-system-i386"},
        {"aarch64", "/usr/bin/qemu-system-aarch64"},
        {"armv7l", "/usr/bin/qemu-system-arm"},
    };
    for (size_t i = 0; i < sizeof(emulators) / sizeof(emulators[0]); i++)
        if (slice_is(arch, emulators[i].arch))
            return slice_of(emulators[i].path);
    return SLICE_NONE;
}

static bool lookup_supports(void *data, struct slice emulator, struct slice arch,
                            struct slice virt_type)
{
    (void)data;
    bool x86 = slice_ends(emulator, "x86_64") && (schema_has_word("x86_64|i686", arch));
    bool own = x86 || slice_equal(emulator, lookup_emulator(NULL, arch));
    return own && (!slice_present(virt_type) || slice_is(virt_type, "qemu") ||
                   (x86 && slice_is(virt_type, "kvm")));
}

static bool is_version(struct slice name, const char *prefix)
{
    struct slice version = slice_from(name, strlen(prefix));
    return slice_starts(name, prefix) &&
           schema_has_word("2.4|2.5|2.6|2.7|2.8|2.9|2.10|2.11|2.12|3.0|3.1|4.0|4.1|4.2|5.0|5.1|5.2|"
                           "6.0|6.1|6.2|7.0|7.1|7.2",
                           version);
}

static bool lookup_machine(void *data, struct slice emulator, struct slice virt_type,
                           struct slice machine, struct qemu_machine_facts *facts,
                           struct error *err)
{
    (void)data;
    (void)virt_type;
    bool x86 = slice_ends(emulator, "x86_64") || slice_ends(emulator, "i386");
    bool arm = slice_ends(emulator, "aarch64") || slice_ends(emulator, "arm");
    *facts = (struct qemu_machine_facts){.cpu_migratable = x86};
    if (!x86 && !arm)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                         "Cannot check QEMU binary %.*s: No such file or directory",
                         SLICE_ARG(emulator));
    if (x86 && (!machine.len || slice_is(machine, "pc")))
        facts->machine = SLICE("pc-i440fx-7.2");
    else if (x86 && slice_is(machine, "q35"))
        facts->machine = SLICE("pc-q35-7.2");
    else if (x86 && (is_version(machine, "pc-i440fx-") || is_version(machine, "pc-q35-") ||
                     slice_is(machine, "isapc") || slice_is(machine, "microvm")))
        facts->machine = machine;
    else if (arm && slice_is(machine, "virt"))
        facts->machine = SLICE("virt-7.2");
    else if (arm && (is_version(machine, "virt-") || slice_is(machine, "versatilepb") ||
                     slice_is(machine, "vexpress-a9")))
        facts->machine = machine;
    if (!facts->machine.len)
        return true;
    facts->default_cpu = x86 ? SLICE("qemu64") : SLICE("cortex-a15");
    if (x86 && slice_ends(emulator, "i386"))
        facts->default_cpu = SLICE("qemu32");
    if (slice_is(facts->machine, "vexpress-a9"))
        facts->default_cpu = SLICE("cortex-a9");
    if (slice_is(facts->machine, "isapc"))
        facts->default_cpu = SLICE("486");
    facts->max_cpus = slice_starts(facts->machine, "pc-q35") ? 288 : x86 ? 255 : 512;
    return true;
}

static bool lookup_device(void *data, struct slice emulator, const char *device)
{
    (void)data;
    bool arm = slice_ends(emulator, "aarch64") || slice_ends(emulator, "arm");
    return strcmp(device, "gpex-pcihost") != 0 || arm;
}

static int lookup_gic_version(void *data, struct slice emulator, struct slice virt_type)
{
    (void)data;
    (void)emulator;
    (void)virt_type;
    return 0;
}

// The descriptors that Debian's ovmf and qemu-efi-aarch64 install, in libvirt's order.
static bool lookup_firmware(void *data, struct qemu_firmware *wish)
{
    static const struct {
        const char *arch, *machines, *loader, *nvram;
        bool smm, secure_boot, enrolled_keys;
    } firmwares[] = {
        {"aarch64", "virt-", "/usr/share/AAVMF/AAVMF_CODE.ms.fd",
         "/usr/share/AAVMF/AAVMF_VARS.ms.fd", false, true, true},
        {"x86_64", "pc-q35-", "/usr/share/OVMF/OVMF_CODE_4M.ms.fd",
         "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", true, true, true},
        {"x86_64", "pc-q35-", "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
         "/usr/share/OVMF/OVMF_VARS_4M.fd", true, true, false},
        {"aarch64", "virt-", "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd",
         false, false, false},
        {"x86_64", "pc-", "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd",
         false, false, false},
    };
    (void)data;
    for (size_t i = 0; i < sizeof(firmwares) / sizeof(firmwares[0]); i++) {
        enum qemu_firmware_wish boot = wish->secure_boot, keys = wish->enrolled_keys;
        if (!slice_is(wish->arch, firmwares[i].arch) ||
            !slice_starts(wish->machine, firmwares[i].machines) ||
            (boot != QEMU_WISH_ANY && (boot == QEMU_WISH_YES) != firmwares[i].secure_boot) ||
            (keys != QEMU_WISH_ANY && (keys == QEMU_WISH_YES) != firmwares[i].enrolled_keys) ||
            (wish->secure_loader == QEMU_WISH_YES && !firmwares[i].smm))
            continue;
        wish->loader = slice_of(firmwares[i].loader);
        wish->nvram_template = slice_of(firmwares[i].nvram);
        wish->pflash = true;
        wish->loader_secure = firmwares[i].smm;
        return true;
    }
    return false;
}

static const struct qemu_lookup debian_lookup = {
    .host_arch = {"x86_64", 6},
    .emulator = lookup_emulator,
    .supports = lookup_supports,
    .machine = lookup_machine,
    .device = lookup_device,
    .gic_version = lookup_gic_version,
    .firmware = lookup_firmware,
    .nvram_dir = "/var/lib/libvirt/qemu/nvram",
    .channel_dir = "/var/lib/libvirt/qemu/channel/target",
};

#endif
