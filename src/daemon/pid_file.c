// The pid file: written once and locked until the end.
#include "daemon/pid_file.h"

#include "core/paths.h"
#include "port/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *path;
static int held = -1;

static bool fail(const char *what, int result, struct error *err)
{
    return error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "%s pid file '%s': %s", what, path,
                     strerror(-result));
}

bool pid_file_take(const struct options *options, struct error *err)
{
    path = options->pid_file ? options->pid_file : paths()->pid_file;
    int fd = port_open(path, PORT_OPEN_READ | PORT_OPEN_WRITE | PORT_OPEN_CREATE, 0644);
    if (fd < 0)
        return fail("Failed to open", fd, err);
    int result = port_file_lock(fd);
    if (result < 0) {
        port_close(fd);
        return fail("Failed to acquire", result, err);
    }
    char text[16];
    int len = snprintf(text, sizeof(text), "%d", port_pid());
    result = port_truncate(fd, 0);
    if (result == 0)
        result = (int)port_pwrite(fd, text, (size_t)len, 0);
    if (result < 0) {
        port_close(fd);
        return fail("Failed to write", result, err);
    }
    held = fd;
    return true;
}

void pid_file_remove(void)
{
    if (held < 0)
        return;
    port_unlink(path);
    port_close(held);
    held = -1;
}
