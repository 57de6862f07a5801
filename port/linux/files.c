// Linux: files.
#include "port/linux/linux.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NS_PER_S     1000000000
#define SECTOR_BYTES 512 // the unit of st_blocks and of sysfs, whatever the device

int port_open(const char *path, unsigned flags, uint32_t mode)
{
    static const struct {
        unsigned ours;
        int theirs;
    } bits[] = {
        {PORT_OPEN_CREATE, O_CREAT},      {PORT_OPEN_NEW, O_EXCL},
        {PORT_OPEN_TRUNCATE, O_TRUNC},    {PORT_OPEN_APPEND, O_APPEND},
        {PORT_OPEN_NOFOLLOW, O_NOFOLLOW},
    };
    int how = O_RDONLY;
    if (flags & PORT_OPEN_WRITE)
        how = flags & PORT_OPEN_READ ? O_RDWR : O_WRONLY;
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        if (flags & bits[i].ours)
            how |= bits[i].theirs;
    }
    return port_result(open(path, how | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, (mode_t)mode));
}

ptrdiff_t port_pread(int fd, void *to, size_t len, uint64_t offset)
{
    ssize_t got = pread(fd, to, len, (off_t)offset);
    return got < 0 ? -errno : got;
}

ptrdiff_t port_pwrite(int fd, const void *from, size_t len, uint64_t offset)
{
    ssize_t put = pwrite(fd, from, len, (off_t)offset);
    return put < 0 ? -errno : put;
}

int port_sync(int fd)
{
    port_may_block(__func__);
    return port_result(fsync(fd));
}

int port_sync_directory(const char *path)
{
    port_may_block(__func__);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = port_result(fsync(fd));
    port_close(fd);
    // Some file systems have nothing to synchronize in a directory, and say so.
    return result == -EINVAL ? 0 : result;
}

int port_truncate(int fd, uint64_t size)
{
    return port_result(ftruncate(fd, (off_t)size));
}

static enum port_kind kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return PORT_DIRECTORY;
    case S_IFLNK:
        return PORT_LINK;
    case S_IFBLK:
        return PORT_BLOCK;
    case S_IFCHR:
        return PORT_CHARACTER;
    case S_IFIFO:
        return PORT_FIFO;
    case S_IFSOCK:
        return PORT_SOCKET;
    default:
        return PORT_FILE;
    }
}

// A device need not be opened for it, which could take as long as the device likes.
static uint64_t device_size(dev_t device)
{
    int64_t sectors;
    return port_host_number(&sectors, "/sys/dev/block/%u:%u/size", major(device), minor(device)) < 0
               ? 0
               : (uint64_t)sectors * SECTOR_BYTES;
}

static int describe(struct port_stat *to, int result, const struct stat *from)
{
    if (result < 0)
        return -errno;
    *to = (struct port_stat){
        .kind = kind_of(from->st_mode),
        .size = (uint64_t)from->st_size,
        .allocated = (uint64_t)from->st_blocks * SECTOR_BYTES,
        .mtime_ns = (int64_t)from->st_mtim.tv_sec * NS_PER_S + from->st_mtim.tv_nsec,
        .mode = from->st_mode & 07777,
        .uid = from->st_uid,
        .gid = from->st_gid,
        .device = from->st_dev,
        .inode = from->st_ino,
        .rdev = from->st_rdev,
    };
    if (to->kind == PORT_BLOCK)
        to->size = to->allocated = device_size(from->st_rdev);
    return 0;
}

int port_stat(const char *path, struct port_stat *to)
{
    struct stat from;
    return describe(to, stat(path, &from), &from);
}

int port_lstat(const char *path, struct port_stat *to)
{
    struct stat from;
    return describe(to, lstat(path, &from), &from);
}

int port_fstat(int fd, struct port_stat *to)
{
    struct stat from;
    return describe(to, fstat(fd, &from), &from);
}

int port_access(const char *path, unsigned flags)
{
    int mode = F_OK;
    if (flags & PORT_OPEN_READ)
        mode |= R_OK;
    if (flags & PORT_OPEN_WRITE)
        mode |= W_OK;
    if (flags & PORT_ACCESS_RUN)
        mode |= X_OK;
    return port_result(faccessat(AT_FDCWD, path, mode, AT_EACCESS));
}

int port_rename(const char *from, const char *to)
{
    return port_result(rename(from, to));
}

int port_unlink(const char *path)
{
    return port_result(unlink(path));
}

int port_symlink(const char *target, const char *path)
{
    return port_result(symlink(target, path));
}

ptrdiff_t port_readlink(const char *path, char *to, size_t size)
{
    ssize_t len = readlink(path, to, size);
    if (len < 0)
        return -errno;
    if ((size_t)len >= size)
        return -ENAMETOOLONG;
    to[len] = '\0';
    return len;
}

int port_chmod(const char *path, uint32_t mode)
{
    return port_result(chmod(path, (mode_t)mode));
}

int port_chown(const char *path, uint32_t uid, uint32_t gid)
{
    return port_result(chown(path, uid, gid));
}

int port_make_directory(const char *path, uint32_t mode)
{
    return port_result(mkdir(path, (mode_t)mode));
}

static int make_directory_unless_there(const char *path, uint32_t mode)
{
    struct stat found;
    if (mkdir(path, (mode_t)mode) == 0)
        return 0;
    int result = -errno;
    if (result != -EEXIST)
        return result;
    if (stat(path, &found) < 0)
        return -errno;
    return S_ISDIR(found.st_mode) ? 0 : -ENOTDIR;
}

int port_make_directories(const char *path, uint32_t mode)
{
    char part[PORT_PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof(part))
        return -ENAMETOOLONG;
    memcpy(part, path, len + 1);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int result = make_directory_unless_there(part, mode);
        if (result < 0)
            return result;
        *slash = '/';
    }
    return make_directory_unless_there(part, mode);
}

int port_remove_directory(const char *path)
{
    return port_result(rmdir(path));
}

int port_space(const char *path, struct port_space *space)
{
    struct statvfs system;
    if (statvfs(path, &system) < 0)
        return port_result(-1);
    space->size = (uint64_t)system.f_frsize * system.f_blocks;
    space->free = (uint64_t)system.f_frsize * system.f_bfree;
    return 0;
}

int port_absolute_path(const char *path, char *to, size_t size)
{
    char here[PORT_PATH_MAX] = "";
    if (path[0] != '/' && syscall(SYS_getcwd, here, sizeof(here)) < 0)
        return -errno;
    const char *between = path[0] == '/' || strcmp(here, "/") == 0 ? "" : "/";
    int len = snprintf(to, size, "%s%s%s", strcmp(here, "/") == 0 ? "/" : here, between, path);
    return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

// An open file description's lock conflicts with the fcntl() locks that libvirtd takes, and ends
// with the descriptor rather than with the first one of that file to be closed.
int port_file_lock(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int result = port_result(fcntl(fd, F_OFD_SETLK, &lock));
    return result == -EACCES ? -EAGAIN : result;
}
