// Linux: listing directories by getdents64(2), since opendir(3) allocates.
#include "port/linux/linux.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// The kernel's struct linux_dirent64, getdents64(2).
struct entry {
    uint64_t inode;
    int64_t next;
    uint16_t size;
    uint8_t type;
    char name[];
};

int port_dir_open(struct port_dir *dir, const char *path)
{
    dir->at = dir->end = 0;
    dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir->fd < 0 ? -errno : 0;
}

const char *port_dir_next(struct port_dir *dir)
{
    for (;;) {
        if (dir->at == dir->end) {
            long got = syscall(SYS_getdents64, dir->fd, dir->entries, sizeof(dir->entries));
            if (got <= 0)
                return NULL;
            dir->at = 0;
            dir->end = (size_t)got;
        }
        const struct entry *entry = (const void *)(dir->entries + dir->at);
        assert(entry->size <= dir->end - dir->at);
        dir->at += entry->size;
        if (strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0)
            return entry->name;
    }
}

void port_dir_close(struct port_dir *dir)
{
    port_close(dir->fd);
    dir->fd = -1;
}
