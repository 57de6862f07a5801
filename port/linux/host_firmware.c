// Linux: what the firmware tells about the host.
#include "port/linux/linux.h"

#include <string.h>

int port_host_uuid(char to[37])
{
    static const char *const paths[] = {"/sys/devices/virtual/dmi/id/product_uuid",
                                        "/sys/class/dmi/id/product_uuid"};
    char text[64];
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (port_host_text(text, sizeof(text), "%s", paths[i]) == 36) {
            memcpy(to, text, 37);
            return 0;
        }
    }
    return -ENOENT;
}

int port_machine_id(char to[37])
{
    return port_host_text(to, 37, "/etc/machine-id") == 32 ? 0 : -ENOENT;
}

ptrdiff_t port_smbios(void *to, size_t size)
{
    char path[PORT_PATH_MAX], *bytes = to;
    port_host_path(path, "/sys/firmware/dmi/tables/DMI");
    int fd = port_open(path, PORT_OPEN_READ, 0);
    if (fd < 0)
        return fd;
    ptrdiff_t len = 0, got = 0;
    while ((size_t)len < size && (got = port_read(fd, bytes + len, size - (size_t)len)) > 0)
        len += got;
    port_close(fd);
    return got < 0 ? got : len;
}

bool port_has_iommu(void)
{
    char path[PORT_PATH_MAX];
    struct port_dir dir;
    port_host_path(path, "/sys/kernel/iommu_groups");
    if (port_dir_open(&dir, path) < 0)
        return false;
    bool any = port_dir_next(&dir) != NULL;
    port_dir_close(&dir);
    return any;
}
