// What an emulator can do: the cached answers of a probe, and what is made of them.
//
// Probing starts the emulator and takes about a second of CPU time, so it runs in a worker process
// (probe.h) and leaves a small text file in the cache directory, keyed by the emulator's path, size
// and time of change. Reading that file is cheap and is done each time an answer is needed.
#ifndef HV_QEMU_CAPABILITIES_H
#define HV_QEMU_CAPABILITIES_H

#include "core/buffer.h"
#include "core/config.h"
#include "core/error.h"
#include "core/slice.h"

enum qemu_accelerator { QEMU_TCG, QEMU_KVM, QEMU_ACCELERATORS };

struct qemu_machine {
    struct slice name;        // canonical: "pc-q35-7.2"
    struct slice alias;       // "q35"; absent for most
    struct slice ram_id;      // of its default memory backend: "pc.ram"; absent for some
    struct slice default_cpu; // "qemu64"; absent when the machine has none
    uint32_t max_cpus;
    bool is_default, hotplug_cpus, deprecated, numa_memory;
};

enum qemu_usable { QEMU_USABLE_UNKNOWN, QEMU_USABLE_YES, QEMU_USABLE_NO };

struct qemu_cpu_model {
    struct slice name;
    enum qemu_usable usable[QEMU_ACCELERATORS];
    struct slice blockers[QEMU_ACCELERATORS]; // features it can not have, "a,b"; of x86 models
    bool deprecated;
};

#define QEMU_FACTS_MAX 256

struct qemu_capabilities {
    struct slice emulator, arch;     // "/usr/bin/qemu-system-x86_64", libvirt's name: "x86_64"
    struct slice package;            // "Debian 1:7.2+dfsg-7"
    uint32_t version;                // 7002022 for 7.2.22
    bool kvm;                        // KVM works with this emulator on this host
    bool cpu_migratable;             // the CPU type has the property "migratable"
    uint32_t gic[QEMU_ACCELERATORS]; // bit 2: GICv2, bit 3: GICv3
    // Of an x86 processor that has all that the host (KVM) or QEMU (TCG) can do: vendor, family,
    // model, stepping and libvirt's names of its features, separated by blanks.
    struct slice cpu[QEMU_ACCELERATORS];
    uint64_t size; // of the emulator's file, and the time it was changed: the cache's key
    int64_t mtime_ns;
    uint64_t host_key; // of what else the answers depend on: who may use /dev/kvm
    uint8_t facts[QEMU_FACTS_MAX / 8];
    struct qemu_machine machines[CONFIG_QEMU_MACHINES];
    size_t machine_count;
    struct qemu_cpu_model models[CONFIG_QEMU_CPU_MODELS];
    size_t model_count;
    char text[CONFIG_QEMU_CACHE_TEXT];
};

// Whether the emulator has the device or object type ("virtio-vga", "memory-backend-memfd"), the
// command line option ("-sandbox", "-spice") or the QMP command ("set-action"). Only names that
// this program asks for are known: others read as absent.
bool qemu_capabilities_have(const struct qemu_capabilities *capabilities, const char *name);

// The machine of that name or alias; an absent name asks for the default machine. NULL when
// unknown.
const struct qemu_machine *qemu_capabilities_machine(const struct qemu_capabilities *capabilities,
                                                     struct slice name);
const struct qemu_cpu_model *qemu_capabilities_model(const struct qemu_capabilities *capabilities,
                                                     struct slice name);

// Reads the text of a cache file, which it keeps: `text` is copied. False when it is not one of
// ours.
bool qemu_capabilities_parse(struct qemu_capabilities *capabilities, struct slice text);

// Adds one fact while probing; names that nobody asks for are passed over.
void qemu_capabilities_learn(struct qemu_capabilities *capabilities, struct slice name);
// Writes the text of a cache file.
void qemu_capabilities_write(struct buffer *out, const struct qemu_capabilities *capabilities);

#endif
