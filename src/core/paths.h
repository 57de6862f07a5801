// Paths: where everything lies, as libvirt lays it, below --root or below the user's own
// directories.
#ifndef CORE_PATHS_H
#define CORE_PATHS_H

#include "core/error.h"

struct paths {
    const char *config;   // etc/libvirt           ($XDG_CONFIG_HOME/libvirt)
    const char *run;      // run/libvirt           ($XDG_RUNTIME_DIR/libvirt)
    const char *pid_file; // run/libvirtd.pid      ($XDG_RUNTIME_DIR/libvirt/libvirtd.pid)
    const char *lib;      // var/lib/libvirt       ($XDG_DATA_HOME/libvirt)
    const char *log;      // var/log/libvirt       ($XDG_CACHE_HOME/libvirt/log)
    const char *cache;    // var/cache/libvirt     ($XDG_CACHE_HOME/libvirt)
    const char *pki;      // etc/pki               (/etc/pki)
    const char *user_pki; // NULL                ($HOME/.pki/libvirt)
    bool session;         // the user's own: qemu:///session
};

// Chooses the paths: `root` (NULL for none) in front of the system's, or the user's own ones when
// `session` is true and there is no root. VIR_ERR_INTERNAL_ERROR when a path becomes too long or
// HOME is not set.
bool paths_choose(const char *root, bool session, struct error *err);
const struct paths *paths(void);
// DIRECTORY/NAME in memory that lives as long as the process: for paths that are made at start-up.
// NULL when that memory is used up.
const char *paths_join(const char *directory, const char *name);

#endif
