// Probing an emulator: what it is able to do, asked over QMP.
//
// It takes about a second of CPU time and blocks, so it runs in a worker process; its result is a
// file in the cache directory. Whoever needs an emulator's capabilities waits for probe_emulators()
// once, which costs nothing when the cache is fresh.
#ifndef HV_QEMU_PROBE_H
#define HV_QEMU_PROBE_H

#include "core/child.h"
#include "core/co.h"
#include "hv/qemu/capabilities/capabilities_cache.h"

// What a probe needs to know.
struct qemu_probe {
    const char *emulator;
    const char *cache_file;
    bool identity; // run the emulator as uid and gid, as guests do
    uint32_t uid, gid;
};

// For a worker: probes, and writes the cache file. Returns 0; else 1 with the cause written to
// `out`.
int qemu_probe_run(void *probe, int out);

// Probes all emulators of this host whose cache is missing or stale, one after the other, and
// `emulator` if it is not NULL and not among them. Zero the struct before the first call. A probe
// that fails is logged and leaves its emulator unknown; for `emulator` it sets the error:
// VIR_ERR_INTERNAL_ERROR "Failed to probe QEMU binary with QMP: ...".
struct qemu_probe_wait {
    struct co co;
    struct worker worker;
    struct pause pause;
    struct qemu_probe probe;
    struct buffer output;
    size_t index;
    bool single; // all were looked at, and it is `emulator`'s turn
    char message[256], path[PORT_PATH_MAX], cache_file[PORT_PATH_MAX];
};
enum co_status qemu_probe_emulators(struct qemu_probe_wait *wait, struct task *task,
                                    const char *emulator, struct error *err);

#endif
