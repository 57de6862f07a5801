// Linux: whether there are control groups to put guests into, from /proc/mounts.
#include "port/linux/linux.h"

#include <stdio.h>
#include <string.h>

struct mount {
    char directory[PORT_PATH_MAX], type[32], options[256];
};

// The next line of /proc/mounts, fstab(5)'s form: what a field does not hold is not looked for.
static bool next_mount(struct port_text *mounts, struct mount *mount)
{
    char source[8];
    if (port_text_field(mounts, " ", source, sizeof(source)) == EOF)
        return false;
    int end = port_text_field(mounts, " ", mount->directory, sizeof(mount->directory));
    if (end == ' ')
        end = port_text_field(mounts, " ", mount->type, sizeof(mount->type));
    if (end == ' ')
        end = port_text_field(mounts, " ", mount->options, sizeof(mount->options));
    return end == '\n' || (end == ' ' && port_text_skip(mounts));
}

// A hierarchy of version 1 with a name is for somebody's bookkeeping, and one of version 2 without
// controllers is systemd's: neither limits anything.
static bool limits_processes(const struct mount *mount)
{
    char controllers[512];
    if (strcmp(mount->type, "cgroup") == 0)
        return !strstr(mount->options, "name=");
    return strcmp(mount->type, "cgroup2") == 0 &&
           port_host_text(controllers, sizeof(controllers), "%s/cgroup.controllers",
                          mount->directory) > 0;
}

bool port_has_cgroups(void)
{
    char path[PORT_PATH_MAX];
    struct port_text mounts;
    struct mount mount = {0};
    port_host_path(path, "/proc/mounts");
    if (port_text_open(&mounts, path) < 0)
        return false;
    bool found = false;
    while (!found && next_mount(&mounts, &mount))
        found = limits_processes(&mount);
    port_text_close(&mounts);
    return found;
}
