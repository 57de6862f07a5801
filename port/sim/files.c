// Sim: open files and the tables of descriptors that lead to them.
#include "port/sim/machine.h"

#include <stdio.h>
#include <string.h>

// ---- files --------------------------------------------------------------------------------------

int sim_file_new(enum sim_file_kind kind, const char *what)
{
    for (int i = 0; i < SIM_FILES; i++) {
        struct sim_file *file = &sim->files[i];
        if (file->kind != SIM_FREE)
            continue;
        memset(file, 0, sizeof(*file));
        file->kind = kind;
        file->refs = 1;
        file->in = file->out = file->terminal = -1;
        snprintf(file->what, sizeof(file->what), "%s", what);
        return i;
    }
    sim_fail("too many open files on the simulated machine: SIM_FILES");
}

static void end_file(int number)
{
    struct sim_file *file = &sim->files[number];
    for (unsigned i = 0; i < file->arrived_count; i++)
        sim_file_release(file->arrived[i]);
    if (file->in >= 0)
        sim_channel_close(file->in, true);
    if (file->out >= 0)
        sim_channel_close(file->out, false);
    if (file->terminal >= 0)
        sim_file_release(file->terminal);
    for (unsigned i = 0; i < file->backlog_count; i++)
        sim_file_release(file->backlog[i]);
    if (file->kind == SIM_REGULAR && sim_inode(file->inode)->lock == number)
        sim_inode(file->inode)->lock = -1;
    file->kind = SIM_FREE;
}

void sim_file_release(int number)
{
    struct sim_file *file = &sim->files[number];
    if (file->kind == SIM_FREE || file->refs == 0)
        sim_fail("file %d is released once too often", number);
    if (--file->refs == 0)
        end_file(number);
}

void sim_wake_owner(int file)
{
    struct sim_actor *owner = sim->files[file].owner;
    if (owner)
        sim_wake(owner, 1000 + sim_random(100 * SIM_NS_PER_US));
}

// ---- descriptors --------------------------------------------------------------------------------

int sim_fd_new(int file)
{
    unsigned max = sim_self == SIM_DAEMON_PROCESS ? sim->weather.descriptor_max : SIM_FDS;
    for (unsigned fd = 0; fd < max && fd < SIM_FDS; fd++) {
        if (sim_self->fds[fd] >= 0)
            continue;
        sim_self->fds[fd] = (int16_t)file;
        sim_progress();
        return (int)fd;
    }
    sim_trace("no descriptor left: EMFILE");
    sim_file_release(file);
    return -EMFILE;
}

int sim_fd_number(int fd)
{
    if (fd < 0 || fd >= SIM_FDS || sim_self->fds[fd] < 0)
        sim_fail("descriptor %d is used and not open", fd);
    return sim_self->fds[fd];
}

struct sim_file *sim_fd_file(int fd)
{
    return &sim->files[sim_fd_number(fd)];
}

void port_close(int fd)
{
    if (fd < 0)
        return;
    sim_enter("close");
    sim_trace("close %d (%s)", fd, sim_fd_file(fd)->what);
    int file = sim_fd_number(fd);
    sim_progress();
    if (sim_lies(SIM_LEAK))
        return;
    sim_self->fds[fd] = -1;
    sim_file_release(file);
}

unsigned sim_descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < SIM_FDS; fd++)
        count += SIM_DAEMON_PROCESS->fds[fd] >= 0;
    return count;
}

void sim_list_descriptors(void)
{
    for (int fd = 0; fd < SIM_FDS; fd++)
        if (SIM_DAEMON_PROCESS->fds[fd] >= 0)
            fprintf(stderr, "    descriptor %d: %s\n", fd,
                    sim->files[SIM_DAEMON_PROCESS->fds[fd]].what);
}

// ---- reading and writing ------------------------------------------------------------------------

static ptrdiff_t read_regular(struct sim_file *file, void *to, size_t len, uint64_t offset)
{
    const struct sim_blob *content = &sim_inode(file->inode)->now;
    int status = sim_disk_fault("read", file->what, false);
    if (status < 0)
        return status;
    if (offset >= content->size)
        return 0;
    size_t rest = content->size - offset;
    if (len > rest)
        len = rest;
    if (len > 1 && sim_chance(sim->weather.short_io))
        len = 1 + sim_random(len - 1);
    memcpy(to, content->at + offset, len);
    return (ptrdiff_t)len;
}

static ptrdiff_t write_regular(struct sim_file *file, const void *from, size_t len, uint64_t offset)
{
    int status = sim_disk_fault("write", file->what, true);
    // A disk that becomes full takes a part first.
    if (status == -ENOSPC && len > 1 && sim_chance(500)) {
        len = 1 + sim_random(len - 1);
        status = 0;
    }
    if (status < 0)
        return status;
    if (len > 1 && sim_chance(sim->weather.short_io))
        len = 1 + sim_random(len - 1);
    sim_inode_write(file->inode, offset, from, len);
    return (ptrdiff_t)len;
}

// What happens to a transfer that could be made: it is interrupted, put off, or made shorter.
static ptrdiff_t transfer_fault(size_t *len)
{
    if (sim_chance(sim->weather.interrupted))
        return -EINTR;
    if (sim_chance(sim->weather.again))
        return -EAGAIN;
    if (*len > 1 && sim_chance(sim->weather.short_io))
        *len = 1 + sim_random(*len - 1);
    return 0;
}

static bool waits(const struct sim_file *file)
{
    return file->blocking && sim_self->kind == SIM_WORKER;
}

ptrdiff_t port_read(int fd, void *to, size_t len)
{
    sim_enter("read");
    int number = sim_fd_number(fd);
    struct sim_file *file = &sim->files[number];
    ptrdiff_t got = file->kind == SIM_NOWHERE ? 0 : -EINVAL;
    if (file->kind == SIM_REGULAR) {
        got = read_regular(file, to, len, file->offset);
        file->offset += got > 0 ? (uint64_t)got : 0;
    } else if (file->kind == SIM_STREAM && (got = transfer_fault(&len)) == 0) {
        while ((got = sim_channel_read(number, to, len)) == -EAGAIN && waits(file))
            sim_sleep(&number, 1, SIM_NEVER);
        if (got == 0 && file->pty)
            got = -EIO;
    }
    if (got != -EAGAIN && got != -EINTR)
        sim_progress();
    sim_trace("read %d: %td", fd, got);
    return got;
}

// Another socket that somebody is connected to; the same when there is none.
static int other_socket(int number)
{
    for (int i = SIM_FILES - 1; i >= 0; i--)
        if (i != number && sim->files[i].kind == SIM_STREAM && sim->files[i].is_socket &&
            strcmp(sim->files[i].what, sim->files[number].what) == 0 && sim->files[i].owner == NULL)
            return i;
    return number;
}

// What a lying machine does with what is written to a socket; true: nothing is left to do.
static bool write_falsely(int *number, const void *from, size_t len)
{
    if (!sim->files[*number].is_socket)
        return false;
    if (sim_lies(SIM_SWALLOW))
        return true;
    if (sim_lies(SIM_REPEAT))
        sim_channel_write(*number, from, len);
    if (sim_lies(SIM_ASTRAY))
        *number = other_socket(*number);
    return false;
}

static ptrdiff_t write_stream(int number, const void *from, size_t len)
{
    if (write_falsely(&number, from, len))
        return (ptrdiff_t)len;
    ptrdiff_t put = transfer_fault(&len);
    while (put == 0 && (put = sim_channel_write(number, from, len)) == -EAGAIN &&
           waits(&sim->files[number])) {
        sim_sleep(&number, 1, SIM_NEVER);
        put = 0;
    }
    return put;
}

ptrdiff_t port_write(int fd, const void *from, size_t len)
{
    sim_enter("write");
    int number = sim_fd_number(fd);
    struct sim_file *file = &sim->files[number];
    ptrdiff_t put = file->kind == SIM_NOWHERE ? (ptrdiff_t)len : -EINVAL;
    if (file->kind == SIM_REGULAR) {
        if (file->flags & PORT_OPEN_APPEND)
            file->offset = sim_inode(file->inode)->now.size;
        put = write_regular(file, from, len, file->offset);
        file->offset += put > 0 ? (uint64_t)put : 0;
    } else if (file->kind == SIM_STREAM) {
        put = len ? write_stream(number, from, len) : 0;
    }
    if (put != -EAGAIN && put != -EINTR)
        sim_progress();
    if (file->kind == SIM_NOWHERE)
        sim_trace("says: %.*s", (int)(len < 400 ? len : 400), (const char *)from);
    else
        sim_trace("write %d %zu: %td", fd, len, put);
    return put;
}

// All spans in one piece, as far as they go into a fixed buffer: a short write otherwise.
ptrdiff_t port_writev(int fd, const struct port_span *spans, size_t count)
{
    static uint8_t bytes[65536];
    size_t len = 0;
    for (size_t i = 0; i < count && len < sizeof(bytes); i++) {
        size_t n = spans[i].len < sizeof(bytes) - len ? spans[i].len : sizeof(bytes) - len;
        if (n)
            memcpy(bytes + len, spans[i].at, n);
        len += n;
    }
    return port_write(fd, bytes, len);
}

ptrdiff_t port_pread(int fd, void *to, size_t len, uint64_t offset)
{
    sim_enter("pread");
    struct sim_file *file = sim_fd_file(fd);
    return file->kind == SIM_REGULAR ? read_regular(file, to, len, offset) : -ESPIPE;
}

ptrdiff_t port_pwrite(int fd, const void *from, size_t len, uint64_t offset)
{
    sim_enter("pwrite");
    struct sim_file *file = sim_fd_file(fd);
    return file->kind == SIM_REGULAR ? write_regular(file, from, len, offset) : -ESPIPE;
}

int port_file_lock(int fd)
{
    sim_enter("lock");
    int number = sim_fd_number(fd);
    if (sim->files[number].kind != SIM_REGULAR)
        return -EINVAL;
    struct sim_inode *inode = sim_inode(sim->files[number].inode);
    if (inode->lock >= 0 && inode->lock != number)
        return -EAGAIN;
    inode->lock = number;
    return 0;
}

int port_absolute_path(const char *path, char *to, size_t size)
{
    int len = snprintf(to, size, "%s%s", path[0] == '/' ? "" : "/", path);
    return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

// ---- directories --------------------------------------------------------------------------------

int port_dir_open(struct port_dir *dir, const char *path)
{
    sim_enter("open directory");
    int inode = sim_path_inode(path, true);
    if (inode >= 0 && sim_inode(inode)->kind != PORT_DIRECTORY)
        inode = -ENOTDIR;
    if (inode < 0)
        return inode;
    int file = sim_file_new(SIM_DIRECTORY, path);
    sim->files[file].inode = inode;
    dir->at = 0;
    dir->fd = sim_fd_new(file);
    return dir->fd < 0 ? dir->fd : 0;
}

// In the order of the table, which is that of no sorting.
const char *port_dir_next(struct port_dir *dir)
{
    sim_enter("next of directory");
    int inode = sim_fd_file(dir->fd)->inode;
    while (dir->at < SIM_ENTRIES) {
        const struct sim_entry *entry = &sim->disk.now[dir->at++];
        if (!entry->used || entry->directory != inode)
            continue;
        strcpy(dir->entries, entry->name);
        return dir->entries;
    }
    return NULL;
}

void port_dir_close(struct port_dir *dir)
{
    port_close(dir->fd);
    dir->fd = -1;
}
