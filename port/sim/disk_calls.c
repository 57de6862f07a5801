// Sim: the port's functions on the disk, which can fail for reasons of their own.
#include "port/sim/machine.h"

#include <string.h>

// ---- operations ---------------------------------------------------------------------------------

static int make_entry(const char *path, enum port_kind kind, uint32_t mode, const char *content)
{
    struct sim_walk walk;
    int status = sim_path_new(&walk, path);
    if (status < 0)
        return status;
    int inode = sim_inode_new(kind, mode);
    if (content) {
        sim_inode_write(inode, 0, content, strlen(content));
        sim_inode_sync(sim_inode(inode));
    }
    sim_entry_change(sim_entry_group(), walk.directory, walk.name, inode);
    return inode;
}

int sim_disk_fault(const char *call, const char *path, bool makes)
{
    int status = 0;
    if (makes && sim_chance(sim->weather.disk_full))
        status = -ENOSPC;
    else if (sim_chance(sim->weather.disk_error))
        status = -EIO;
    if (status < 0)
        sim_trace("%s %s: %s", call, path, status == -EIO ? "EIO" : "ENOSPC");
    return status;
}

static int open_inode(const char *path, unsigned flags, uint32_t mode)
{
    struct sim_walk walk;
    int inode = sim_path_walk(&walk, path, !(flags & PORT_OPEN_NOFOLLOW));
    if (inode == -ENOENT && (flags & PORT_OPEN_CREATE) && walk.name[0]) {
        int made = sim_inode_new(PORT_FILE, mode);
        sim_entry_change(sim_entry_group(), walk.directory, walk.name, made);
        return made;
    }
    if (inode >= 0 && (flags & PORT_OPEN_CREATE) && (flags & PORT_OPEN_NEW))
        return -EEXIST;
    if (inode < 0)
        return inode;
    if (sim_inode(inode)->kind == PORT_LINK)
        return -ELOOP;
    if (sim_inode(inode)->kind == PORT_DIRECTORY && (flags & PORT_OPEN_WRITE))
        return -EISDIR;
    if (flags & PORT_OPEN_TRUNCATE)
        sim_inode_resize(sim_inode(inode), 0);
    return inode;
}

int port_open(const char *path, unsigned flags, uint32_t mode)
{
    sim_enter("open");
    if (strcmp(path, "/dev/null") == 0)
        return sim_fd_new(sim_file_new(SIM_NOWHERE, path));
    int status = sim_disk_fault("open", path, flags & PORT_OPEN_CREATE);
    int inode = status < 0 ? status : open_inode(path, flags, mode);
    if (inode >= 0) {
        int file = sim_file_new(SIM_REGULAR, path);
        sim->files[file].inode = inode;
        sim->files[file].flags = flags;
        inode = sim_fd_new(file);
    }
    sim_trace("open %s %#x: %d", path, flags, inode);
    return inode;
}

int port_sync(int fd)
{
    sim_enter("sync");
    sim_may_block("port_sync");
    struct sim_file *file = sim_fd_file(fd);
    if (file->kind != SIM_REGULAR)
        return -EINVAL;
    struct sim_inode *inode = sim_inode(file->inode);
    int status = sim_disk_fault("sync", file->what, false);
    if (status < 0) { // the pages count as clean then, and are not on the disk
        memset(inode->dirty, 0, sizeof(inode->dirty));
        return status;
    }
    if (!sim_lies(SIM_SYNC))
        sim_inode_sync(inode);
    sim_trace("sync %d", fd);
    return 0;
}

int port_sync_directory(const char *path)
{
    sim_enter("sync directory");
    sim_may_block("port_sync_directory");
    int inode = sim_path_inode(path, true);
    if (inode >= 0 && sim_inode(inode)->kind != PORT_DIRECTORY)
        inode = -ENOTDIR;
    int status = inode < 0 ? inode : sim_disk_fault("sync directory", path, false);
    if (status == 0 && !sim_lies(SIM_SYNC_NAME))
        sim_entries_sync(inode);
    sim_trace("sync directory %s: %d", path, status);
    return status;
}

int port_truncate(int fd, uint64_t size)
{
    sim_enter("truncate");
    struct sim_file *file = sim_fd_file(fd);
    if (file->kind != SIM_REGULAR)
        return -EINVAL;
    sim_inode_resize(sim_inode(file->inode), (uint32_t)size);
    return 0;
}

static int describe(int number, struct port_stat *to)
{
    if (number < 0)
        return number;
    const struct sim_inode *inode = sim_inode(number);
    *to = (struct port_stat){
        .kind = inode->kind,
        .size = inode->now.size,
        .allocated = inode->now.room,
        .mtime_ns = inode->mtime_ns,
        .mode = inode->mode,
        .uid = inode->uid,
        .gid = inode->gid,
        .device = 1,
        .inode = (uint64_t)number + 1,
    };
    return 0;
}

int port_stat(const char *path, struct port_stat *to)
{
    sim_enter("stat");
    return describe(sim_path_inode(path, true), to);
}

int port_lstat(const char *path, struct port_stat *to)
{
    sim_enter("lstat");
    return describe(sim_path_inode(path, false), to);
}

int port_fstat(int fd, struct port_stat *to)
{
    sim_enter("fstat");
    const struct sim_file *file = sim_fd_file(fd);
    if (file->kind == SIM_REGULAR || file->kind == SIM_DIRECTORY)
        return describe(file->inode, to);
    *to = (struct port_stat){.kind = file->is_socket ? PORT_SOCKET : PORT_FIFO, .mode = 0600};
    return 0;
}

int port_access(const char *path, unsigned flags)
{
    sim_enter("access");
    int inode = sim_path_inode(path, true);
    if (inode < 0)
        return inode;
    return (flags & PORT_ACCESS_RUN) && !(sim_inode(inode)->mode & 0111) ? -EACCES : 0;
}

int port_rename(const char *from, const char *to)
{
    sim_enter("rename");
    struct sim_walk source, target;
    int inode = sim_path_walk(&source, from, false);
    int status = inode < 0 ? inode : sim_disk_fault("rename", from, true);
    if (status == 0) {
        int replaced = sim_path_walk(&target, to, false);
        if (replaced < 0 && (replaced != -ENOENT || !target.name[0]))
            status = replaced;
        else if (replaced >= 0 && sim_inode(replaced)->kind == PORT_DIRECTORY)
            status = -EISDIR;
    }
    if (status == 0) {
        uint32_t group = sim_entry_group();
        if (sim_lies(SIM_TEAR))
            sim_inode_resize(sim_inode(inode), sim_inode(inode)->now.size / 2);
        sim_entry_change(group, target.directory, target.name, inode);
        sim_entry_change(group, source.directory, source.name, -1);
    }
    sim_trace("rename %s %s: %d", from, to, status);
    return status;
}

static bool directory_is_empty(int directory)
{
    for (int i = 0; i < SIM_ENTRIES; i++)
        if (sim->disk.now[i].used && sim->disk.now[i].directory == directory)
            return false;
    return true;
}

static int remove_entry(const char *path, bool directory)
{
    struct sim_walk walk;
    int inode = sim_path_walk(&walk, path, false);
    if (inode < 0)
        return inode;
    if ((sim_inode(inode)->kind == PORT_DIRECTORY) != directory)
        return directory ? -ENOTDIR : -EISDIR;
    if (directory && !directory_is_empty(inode))
        return -ENOTEMPTY;
    int status = sim_disk_fault("unlink", path, false);
    if (status == 0 && !sim_lies(SIM_UNLINK))
        sim_entry_change(sim_entry_group(), walk.directory, walk.name, -1);
    return status;
}

int port_unlink(const char *path)
{
    sim_enter("unlink");
    int status = remove_entry(path, false);
    sim_trace("unlink %s: %d", path, status);
    return status;
}

int port_remove_directory(const char *path)
{
    sim_enter("remove directory");
    return remove_entry(path, true);
}

// A small disk that is half full, whatever is on it.
int port_space(const char *path, struct port_space *space)
{
    struct sim_walk walk;
    sim_enter("space");
    int inode = sim_path_walk(&walk, path, true);
    *space = (struct port_space){.size = UINT64_C(1) << 30, .free = UINT64_C(1) << 29};
    return inode < 0 ? inode : 0;
}

int port_symlink(const char *target, const char *path)
{
    sim_enter("symlink");
    int status = sim_disk_fault("symlink", path, true);
    if (status == 0)
        status = make_entry(path, PORT_LINK, 0777, target);
    sim_trace("symlink %s %s: %d", target, path, status);
    return status < 0 ? status : 0;
}

ptrdiff_t port_readlink(const char *path, char *to, size_t size)
{
    sim_enter("readlink");
    int inode = sim_path_inode(path, false);
    if (inode < 0)
        return inode;
    const struct sim_blob *target = &sim_inode(inode)->now;
    if (sim_inode(inode)->kind != PORT_LINK)
        return -EINVAL;
    if (target->size >= size)
        return -ENAMETOOLONG;
    memcpy(to, target->at, target->size);
    to[target->size] = '\0';
    return (ptrdiff_t)target->size;
}

int port_chmod(const char *path, uint32_t mode)
{
    sim_enter("chmod");
    int inode = sim_path_inode(path, true);
    if (inode < 0)
        return inode;
    sim_inode(inode)->mode = mode & 07777;
    return 0;
}

int port_chown(const char *path, uint32_t uid, uint32_t gid)
{
    sim_enter("chown");
    int inode = sim_path_inode(path, true);
    if (inode < 0)
        return inode;
    if (uid != (uint32_t)-1)
        sim_inode(inode)->uid = uid;
    if (gid != (uint32_t)-1)
        sim_inode(inode)->gid = gid;
    return 0;
}

int port_make_directory(const char *path, uint32_t mode)
{
    sim_enter("make directory");
    int status = sim_disk_fault("make directory", path, true);
    if (status == 0)
        status = make_entry(path, PORT_DIRECTORY, mode, NULL);
    sim_trace("make directory %s: %d", path, status);
    return status < 0 ? status : 0;
}

int port_make_directories(const char *path, uint32_t mode)
{
    char part[PORT_PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof(part))
        return -ENAMETOOLONG;
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        int inode = sim_path_inode(part, true);
        int status = inode >= 0 ? 0 : port_make_directory(part, mode);
        if (status < 0 && status != -EEXIST)
            return status;
        if (inode >= 0 && sim_inode(inode)->kind != PORT_DIRECTORY)
            return -ENOTDIR;
    }
    return 0;
}
