// Sim: pseudo-terminals. An actor holds the one end, which it gets open; the other is a path. What
// nobody has read stays in a pty while nobody has it open, as the kernel's own buffer does.
#include "port/sim/machine.h"

#include <stdio.h>
#include <string.h>

int sim_pty_open(unsigned *number, struct sim_actor *owner)
{
    int files[2];
    *number = ++sim->last_pty;
    sim_stream_pair(files, sim->weather.socket_room, "pty");
    for (int i = 0; i < 2; i++) {
        sim->files[files[i]].is_socket = false;
        sim->files[files[i]].pty = *number;
    }
    sim->files[files[0]].terminal = files[1];
    sim->files[files[0]].owner = owner;
    return files[0];
}

static int find_terminal(unsigned number)
{
    for (int i = 0; i < SIM_FILES; i++)
        if (sim->files[i].kind == SIM_STREAM && sim->files[i].pty == number &&
            sim->files[i].terminal >= 0)
            return sim->files[i].terminal;
    return -1;
}

int port_tty_open(const char *path)
{
    sim_enter("open tty");
    unsigned number;
    char end;
    if (sscanf(path, "/dev/pts/%u%c", &number, &end) != 1)
        return sim_path_inode(path, true) < 0 ? -ENOENT : -ENOTTY;
    int terminal = find_terminal(number);
    if (terminal < 0)
        return -ENOENT;
    if (sim_chance(sim->weather.interrupted))
        return -EINTR;
    sim->files[terminal].refs++;
    int fd = sim_fd_new(terminal);
    sim_trace("open %s: %d", path, fd);
    return fd;
}

int port_tty_echo(int fd, bool shown)
{
    (void)fd;
    (void)shown;
    return -ENOTTY;
}
