// Storage: what touches a disk, done by workers.
//
// A worker has a copy of this process's memory, so what it is to do is handed over in one static
// order that the next job overwrites; its result is an errno.
#include "virt/storage/storage.h"

#include "virt/domain/definition_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFINITION_SIZE 16384

static struct {
    enum storage_job job;
    struct storage_pool pool;
    char volume[VOLUME_NAME_SIZE];
    char path[STORAGE_PATH_SIZE + VOLUME_NAME_SIZE]; // of the volume
} order;

// ---- in the worker

static int find_space(int out)
{
    struct storage_space space = {0};
    struct port_space system;
    struct port_stat stat;
    int status = port_stat(order.pool.path, &stat);
    if (status == 0 && stat.kind != PORT_DIRECTORY)
        status = -ENOTDIR;
    if (status == 0)
        status = port_space(order.pool.path, &system);
    if (status < 0)
        return status;
    space = (struct storage_space){system.size, system.free, stat.mode, stat.uid, stat.gid};
    return port_write_all(out, &space, sizeof(space));
}

static int list_volumes(int out)
{
    struct port_dir dir;
    int status = port_dir_open(&dir, order.pool.path);
    if (status < 0)
        return status;
    for (const char *name = port_dir_next(&dir); name && status == 0; name = port_dir_next(&dir)) {
        char path[STORAGE_PATH_SIZE + VOLUME_NAME_SIZE], line[VOLUME_NAME_SIZE + 1];
        struct port_stat stat;
        snprintf(path, sizeof(path), "%s/%s", order.pool.path, name);
        if (!volume_name_valid(slice_of(name)) || port_stat(path, &stat) < 0 ||
            !volume_is_one(&stat))
            continue;
        int len = snprintf(line, sizeof(line), "%s\n", name);
        status = port_write_all(out, line, (size_t)len);
    }
    port_dir_close(&dir);
    return status;
}

static int probe(int out)
{
    struct storage_volume volume = {0};
    int status = volume_probe(order.path, &volume);
    memcpy(volume.name, order.volume, sizeof(volume.name));
    return status < 0 ? status : port_write_all(out, &volume, sizeof(volume));
}

static int reserve(const char *path)
{
    int fd = port_open(path, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_NEW, 0600);
    if (fd >= 0)
        port_close(fd);
    return fd;
}

static int own(const char *path)
{
    const struct storage_pool *pool = &order.pool;
    int status = pool->mode == STORAGE_UNSET ? 0 : port_chmod(path, pool->mode);
    if (status == 0 && (pool->uid != STORAGE_UNSET || pool->gid != STORAGE_UNSET))
        status = port_chown(path, pool->uid, pool->gid); // STORAGE_UNSET leaves it
    return status;
}

static int build(void)
{
    const struct storage_pool *pool = &order.pool;
    int status = port_make_directories(pool->path, pool->mode == STORAGE_UNSET ? 0711 : pool->mode);
    return status < 0 ? status : own(pool->path);
}

static int make_lasting(const char *directory)
{
    int status = port_make_directories(directory, 0700);
    return status < 0 ? status : definition_sync_parents(directory);
}

static int save(void)
{
    static char text[DEFINITION_SIZE];
    char path[PORT_PATH_MAX];
    struct buffer out = buffer_over(text, sizeof(text));
    buffer_puts(&out, "<!--\n"
                      "WARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE\n"
                      "OVERWRITTEN AND LOST. Changes to this xml configuration should be made "
                      "using:\n  virsh pool-edit\nor other application using the libvirt API.\n"
                      "-->\n\n");
    storage_write(&out, &order.pool, NULL);
    storage_definition_path(path, order.pool.name);
    int status = buffer_ok(&out) ? make_lasting(storage_directory()) : -EFBIG;
    if (status == 0)
        status = definition_replace_file(path, buffer_slice(&out), true);
    return status < 0 ? status : port_sync_directory(storage_directory());
}

static int remove_if_there(const char *path)
{
    int status = port_unlink(path);
    return status == -ENOENT || status == -ENOTDIR ? 0 : status;
}

static int link_autostart(bool on)
{
    char target[PORT_PATH_MAX], link[PORT_PATH_MAX], directory[PORT_PATH_MAX];
    snprintf(directory, sizeof(directory), "%s/autostart", storage_directory());
    storage_definition_path(target, order.pool.name);
    storage_link_path(link, order.pool.name);
    int status = make_lasting(directory);
    if (status == 0)
        status = remove_if_there(link);
    if (status == 0 && on)
        status = port_symlink(target, link);
    return status < 0 ? status : port_sync_directory(directory);
}

// The link goes first, and for sure: it would start another pool of that name.
static int forget(void)
{
    char path[PORT_PATH_MAX];
    int status = storage_autostarts(&order.pool) ? link_autostart(false) : 0;
    storage_definition_path(path, order.pool.name);
    if (status == 0)
        status = remove_if_there(path);
    return status < 0 ? status : port_sync_directory(storage_directory());
}

static int work(void *argument, int out)
{
    (void)argument;
    int status = 0;
    switch (order.job) {
    case STORAGE_SPACE:
        status = find_space(out);
        break;
    case STORAGE_LIST:
        status = list_volumes(out);
        break;
    case STORAGE_PROBE:
        status = probe(out);
        break;
    case STORAGE_BUILD:
        status = build();
        break;
    case STORAGE_EMPTY:
        status = port_remove_directory(order.pool.path);
        break;
    case STORAGE_RESERVE:
        status = reserve(order.path);
        break;
    case STORAGE_UNLINK:
        status = port_unlink(order.path);
        break;
    case STORAGE_OWN:
        status = own(order.path);
        break;
    case STORAGE_SAVE:
        status = save();
        break;
    case STORAGE_FORGET:
        status = forget();
        break;
    case STORAGE_LINK:
    case STORAGE_UNSHARE:
        status = link_autostart(order.job == STORAGE_LINK);
        break;
    }
    return status < 0 ? (-status > 254 ? EIO : -status) : 0;
}

// ---- in the daemon

static void give_order(enum storage_job job, const struct storage_pool *pool, struct slice volume)
{
    order.job = job;
    order.pool = *pool;
    slice_copy(order.volume, sizeof(order.volume), volume);
    snprintf(order.path, sizeof(order.path), "%s/%s", pool->path, order.volume);
}

int storage_result(const struct storage_work *w)
{
    return w->worker.result;
}

enum co_status storage_run(struct storage_work *w, enum storage_job job,
                           const struct storage_pool *pool, struct slice volume,
                           struct buffer *list, struct task *task, struct error *err)
{
    CO_BEGIN(&w->co);
    give_order(job, pool, volume);
    // A struct comes as it lies in memory: the worker is this very program.
    w->out = buffer_over(w->bytes, sizeof(w->bytes));
    if (!worker_start(&w->worker, work, NULL, list ? list : &w->out, task, err))
        CO_RETURN(&w->co);
    CO_WAIT(&w->co, worker_done(&w->worker));
    CO_END(&w->co);
}
