// The emulators of this host and the cached capabilities of each.
#include "hv/qemu/capabilities/capabilities_cache.h"

#include <string.h>

#define GROUPS_MAX 64 // of the user that probes are

const struct qemu_emulator qemu_emulators[] = {
    {"armv6l", "/usr/bin/qemu-system-arm", 32},      {"armv7l", "/usr/bin/qemu-system-arm", 32},
    {"aarch64", "/usr/bin/qemu-system-aarch64", 64}, {"i686", "/usr/bin/qemu-system-i386", 32},
    {"x86_64", "/usr/bin/qemu-system-x86_64", 64},   {NULL, NULL, 0},
};

static struct {
    const char *directory;
    bool identity;
    uint32_t uid, gid;
    uint64_t identity_key; // of these, and of the user's other groups
    bool loaded;
    char emulator[PORT_PATH_MAX]; // whose capabilities are loaded
    int64_t file_mtime_ns;        // of the cache file then
    struct qemu_capabilities capabilities;
} cache;

static uint64_t identity_key(bool identity, uint32_t uid, uint32_t gid)
{
    uint32_t gids[GROUPS_MAX];
    if (!identity)
        return UINT32_MAX;
    uint64_t key = (uint64_t)uid * 31 + gid;
    size_t count = port_user_groups(uid, gids, GROUPS_MAX);
    for (size_t i = 0; i < count; i++)
        key = key * 31 + gids[i];
    return key;
}

void qemu_cache_open(const char *directory, bool identity, uint32_t uid, uint32_t gid)
{
    cache.directory = directory;
    cache.identity = identity;
    cache.uid = uid;
    cache.gid = gid;
    cache.identity_key = identity_key(identity, uid, gid);
    cache.loaded = false;
}

bool qemu_cache_identity(uint32_t *uid, uint32_t *gid)
{
    *uid = cache.uid;
    *gid = cache.gid;
    return cache.identity;
}

bool qemu_cache_file(const char *emulator, char path[PORT_PATH_MAX])
{
    if (!cache.directory)
        return false;
    struct buffer out = buffer_over(path, PORT_PATH_MAX);
    buffer_printf(&out, "%s/nanovirt", cache.directory);
    for (size_t start = out.len; *emulator; emulator++)
        buffer_putc(&out, *emulator == '/' && out.len > start ? '_' : *emulator);
    buffer_puts(&out, ".caps");
    return buffer_ok(&out);
}

bool qemu_emulator_installed(const struct qemu_emulator *emulator)
{
    return port_access(emulator->path, PORT_ACCESS_RUN) == 0;
}

const struct qemu_emulator *qemu_emulator_for(struct slice arch)
{
    for (const struct qemu_emulator *emulator = qemu_emulators; emulator->arch; emulator++)
        if (slice_is(arch, emulator->arch))
            return qemu_emulator_installed(emulator) ? emulator : NULL;
    return NULL;
}

uint64_t qemu_cache_host_key(void)
{
    struct port_stat kvm;
    uint64_t key = cache.identity_key;
    if (port_stat("/dev/kvm", &kvm) < 0)
        return key;
    return key * 31 * 31 * 31 + ((uint64_t)kvm.mode * 31 + kvm.uid) * 31 + kvm.gid + 1;
}

static bool is_fresh(const struct port_stat *emulator)
{
    return cache.capabilities.host_key == qemu_cache_host_key() &&
           cache.capabilities.size == emulator->size &&
           cache.capabilities.mtime_ns == emulator->mtime_ns;
}

static bool load(const char *emulator, const char *path)
{
    static char text[CONFIG_QEMU_CACHE_TEXT + 1];
    ptrdiff_t len = port_file_read(path, text, sizeof(text));
    cache.loaded = len > 0 &&
                   slice_copy(cache.emulator, sizeof(cache.emulator), slice_of(emulator)) &&
                   qemu_capabilities_parse(&cache.capabilities, (struct slice){text, (size_t)len});
    return cache.loaded;
}

const struct qemu_capabilities *qemu_cache_get(const char *emulator)
{
    char path[PORT_PATH_MAX];
    struct port_stat program, file;
    if (port_stat(emulator, &program) < 0 || !qemu_cache_file(emulator, path) ||
        port_stat(path, &file) < 0)
        return NULL;
    bool current = cache.loaded && strcmp(cache.emulator, emulator) == 0 &&
                   cache.file_mtime_ns == file.mtime_ns;
    if (!current && !load(emulator, path))
        return NULL;
    cache.file_mtime_ns = file.mtime_ns;
    return is_fresh(&program) ? &cache.capabilities : NULL;
}

bool qemu_cache_refuse(const char *emulator, struct error *err)
{
    struct port_stat stat;
    int result = port_stat(emulator, &stat);
    if (result < 0)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                         "Cannot check QEMU binary %s: %s", emulator, strerror(-result));
    result = port_access(emulator, PORT_ACCESS_RUN);
    if (result < 0)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                         "QEMU binary %s is not executable: %s", emulator, strerror(-result));
    return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "Failed to probe QEMU binary '%s'",
                     emulator);
}
