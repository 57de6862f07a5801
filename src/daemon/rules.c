// The access rules of the daemon: read at start and at SIGHUP.
#include "daemon/rules.h"

#include "auth/access.h"
#include "core/log.h"
#include "core/paths.h"
#include "port/port.h"

#include <errno.h>

static const char *file;
static bool wanted, unwanted; // access_drivers has our name, or "none"

#ifndef CONFIG_ACCESS
static bool access_load(const char *path, bool *absent, struct error *err)
{
    struct port_stat stat;
    *absent = port_lstat(path, &stat) == -ENOENT;
    return *absent ||
           error_set(err, VIR_FROM_ACCESS, VIR_ERR_CONFIG_UNSUPPORTED,
                     "there is '%s', but access rules are not built into this daemon", path);
}

static bool access_in_force(void)
{
    return false;
}
#endif

static bool load(struct error *err)
{
    bool absent;
    struct port_stat stat;
    if (unwanted)
        return port_lstat(file, &stat) == -ENOENT ||
               error_set(
                   err, VIR_FROM_ACCESS, VIR_ERR_CONFIG_UNSUPPORTED,
                   "there is '%s', but access_drivers is [ \"none\" ]: one of the two must go",
                   file);
    if (!access_load(file, &absent, err))
        return false;
    if (absent && (wanted || access_in_force()))
        return error_set(err, VIR_FROM_ACCESS, VIR_ERR_CONFIG_UNSUPPORTED,
                         "there is no file of access rules '%s'", file);
    return true;
}

bool rules_start(const struct settings *settings, struct error *err)
{
    wanted = conf_list_has(&settings->access_drivers, "rules");
    unwanted = conf_list_has(&settings->access_drivers, "none");
    file = paths_join(paths()->config, "access.conf");
    return file ? load(err)
                : error_set(err, VIR_FROM_ACCESS, VIR_ERR_INTERNAL_ERROR,
                            "the path of the access rules is too long");
}

void rules_reload(void)
{
    struct error err = {0};
    if (!load(&err))
        log_error("access", "%s; %s", err.message,
                  access_in_force() ? "the rules that were in force still are"
                                    : "there are no rules");
    else if (access_in_force())
        log_info("access", "rules are in force, from %s", file);
}

void rules_read_ahead(void)
{
    static char text[65536];
    port_file_read(file, text, sizeof(text));
}
