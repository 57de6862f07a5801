// A file as a stream to a client.
#include "virt/domain/file_stream.h"

#include "core/child.h"
#include "rpc/stream.h"

#include <string.h>

#define CHUNK 65536

// ---- in the worker

static int copy_work(void *argument, int out)
{
    static char chunk[CHUNK];
    int fd = *(const int *)argument;
    ptrdiff_t len;
    while ((len = port_read(fd, chunk, sizeof(chunk))) > 0)
        if (port_write_all(out, chunk, (size_t)len) < 0)
            return 1;
    return len < 0;
}

// ---- in the daemon

static struct copier {
    struct child child;
    bool used;
} copiers[CONFIG_MAX_CHILDREN];

static void stop_copier(void *data)
{
    struct copier *copier = data;
    if (!copier->child.ended)
        port_kill(copier->child.pid, PORT_KILL_KILL);
    child_forget(&copier->child);
    copier->used = false;
}

static struct copier *start_copier(int fd, int *out_fd, struct error *err)
{
    for (size_t i = 0; i < CONFIG_MAX_CHILDREN; i++) {
        struct copier *copier = &copiers[i];
        if (copier->used)
            continue;
        int pid = port_worker(copy_work, &fd, &fd, 1, out_fd);
        if (pid < 0) {
            error_set(err, VIR_FROM_STREAMS, VIR_ERR_SYSTEM_ERROR, "cannot start a worker: %s",
                      strerror(-pid));
            return NULL;
        }
        *copier = (struct copier){.used = true};
        if (!child_adopt(&copier->child, pid, NULL))
            copier->child.ended = true;
        return copier;
    }
    error_set(err, VIR_FROM_STREAMS, VIR_ERR_OPERATION_FAILED,
              "too many file streams: limit is %d, CONFIG_MAX_CHILDREN", CONFIG_MAX_CHILDREN);
    return NULL;
}

bool file_stream_open(struct call *call, int fd)
{
    int out_fd;
    struct copier *copier = start_copier(fd, &out_fd, &call->error);
    port_close(fd);
    if (!copier)
        return false;
    if (stream_open(call, out_fd, STREAM_TO_CLIENT, stop_copier, copier))
        return true;
    stop_copier(copier);
    return false;
}
