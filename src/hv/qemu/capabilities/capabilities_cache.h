// The emulators of this host and the cached capabilities of each.
#ifndef HV_QEMU_CAPABILITIES_CACHE_H
#define HV_QEMU_CAPABILITIES_CACHE_H

#include "hv/qemu/capabilities/capabilities.h"
#include "port/port.h"

// A guest architecture and the program that runs it.
struct qemu_emulator {
    const char *arch;   // libvirt's name
    const char *path;   // "/usr/bin/qemu-system-x86_64"
    unsigned word_size; // 32 or 64
};

// In the order in which libvirt lists guests; ended by an entry without an arch.
extern const struct qemu_emulator qemu_emulators[];

// Where the cache files lie ("/var/cache/libvirt/qemu") and which identity probes take. The string
// is kept. Called once, at the start.
void qemu_cache_open(const char *directory, bool identity, uint32_t uid, uint32_t gid);
bool qemu_cache_identity(uint32_t *uid, uint32_t *gid);
// Changes when KVM comes, goes, or may be used by somebody else, and when probes are somebody else
// or in other groups.
uint64_t qemu_cache_host_key(void);

// The name of an emulator's cache file.
bool qemu_cache_file(const char *emulator, char path[PORT_PATH_MAX]);

// The emulator's capabilities, read from its cache file unless they are the ones that were asked
// for last. Valid until the next call. NULL when there is no such emulator, or the cache is missing
// or stale and qemu_probe_emulators() has to be waited for.
const struct qemu_capabilities *qemu_cache_get(const char *emulator);

// Why qemu_cache_get() has nothing, as libvirt says it: VIR_ERR_SYSTEM_ERROR "Cannot check QEMU
// binary ...", VIR_ERR_INTERNAL_ERROR when it is there and could not be probed. Returns false.
bool qemu_cache_refuse(const char *emulator, struct error *err);

// The emulator for guests of that architecture that is installed here; NULL when there is none.
const struct qemu_emulator *qemu_emulator_for(struct slice arch);
bool qemu_emulator_installed(const struct qemu_emulator *emulator);

#endif
