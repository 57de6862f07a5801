// Paths: where everything lies.
#include "core/paths.h"

#include "core/buffer.h"
#include "port/port.h"

#include <stdlib.h>

#define MEMORY_SIZE 16384

static struct paths chosen;
static char memory[MEMORY_SIZE];
static size_t memory_used;

const struct paths *paths(void)
{
    return &chosen;
}

const char *paths_join(const char *directory, const char *name)
{
    struct buffer b = buffer_over(memory + memory_used, sizeof(memory) - memory_used);
    buffer_printf(&b, "%s%s%s", directory, *name ? "/" : "", name);
    if (!buffer_ok(&b) || b.len >= PORT_PATH_MAX || memory_used + b.len + 2 > sizeof(memory))
        return NULL;
    memory_used += b.len + 1;
    return b.at;
}

static void choose_system(const char *root)
{
    chosen = (struct paths){
        .config = paths_join(root, "etc/libvirt"),
        .run = paths_join(root, "run/libvirt"),
        .pid_file = paths_join(root, "run/libvirtd.pid"),
        .lib = paths_join(root, "var/lib/libvirt"),
        .log = paths_join(root, "var/log/libvirt"),
        .cache = paths_join(root, "var/cache/libvirt"),
        .pki = paths_join(root, "etc/pki"),
    };
}

static const char *below_home(const char *name)
{
    const char *home = getenv("HOME");
    return home && home[0] == '/' ? paths_join(home, name) : NULL;
}

// An XDG directory, or its default below HOME (XDG Base Directory Specification).
static const char *xdg(const char *variable, const char *otherwise)
{
    const char *value = getenv(variable);
    return value && value[0] == '/' ? value : below_home(otherwise);
}

static bool choose_session(struct error *err)
{
    const char *config = xdg("XDG_CONFIG_HOME", ".config");
    const char *cache = xdg("XDG_CACHE_HOME", ".cache");
    const char *data = xdg("XDG_DATA_HOME", ".local/share");
    const char *run = xdg("XDG_RUNTIME_DIR", ".cache"); // as GLib, and so libvirt's clients
    if (!config || !cache || !data || !run)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                         "HOME is not set to an absolute path");
    chosen = (struct paths){
        .config = paths_join(config, "libvirt"),
        .run = paths_join(run, "libvirt"),
        .pid_file = paths_join(run, "libvirt/libvirtd.pid"),
        .lib = paths_join(data, "libvirt"),
        .log = paths_join(cache, "libvirt/log"),
        .cache = paths_join(cache, "libvirt"),
        .pki = "/etc/pki",
        .user_pki = below_home(".pki/libvirt"),
        .session = true,
    };
    return true;
}

bool paths_choose(const char *root, bool session, struct error *err)
{
    memory_used = 0;
    if (session && !root) {
        if (!choose_session(err))
            return false;
    } else {
        choose_system(root ? root : "");
        chosen.session = session;
    }
    if (chosen.config && chosen.run && chosen.pid_file && chosen.lib && chosen.log &&
        chosen.cache && chosen.pki)
        return true;
    return error_set(err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "a path is too long");
}
