// Sim: pipes, socket pairs, and sockets that are listened at and connected to.
#include "port/sim/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- pairs --------------------------------------------------------------------------------------

// Both ends become descriptors of who runs, or neither.
static int open_pair(const int files[2], int ends[2])
{
    ends[0] = sim_fd_new(files[0]);
    if (ends[0] < 0) {
        sim_file_release(files[1]);
        return ends[0];
    }
    ends[1] = sim_fd_new(files[1]);
    if (ends[1] >= 0)
        return 0;
    sim_self->fds[ends[0]] = -1;
    sim_file_release(files[0]);
    return ends[1];
}

static void make_pipe(int files[2], const char *what)
{
    int channel = sim_channel_new(sim->weather.pipe_room);
    files[0] = sim_file_new(SIM_STREAM, what);
    files[1] = sim_file_new(SIM_STREAM, what);
    sim->files[files[0]].in = sim->files[files[1]].out = channel;
    sim->channels[channel].reader = files[0];
    sim->channels[channel].writer = files[1];
}

int port_pipe(int ends[2])
{
    sim_enter("pipe");
    int files[2];
    make_pipe(files, "pipe");
    int status = open_pair(files, ends);
    sim_trace("pipe: %d, %d %d", status, ends[0], ends[1]);
    return status;
}

int port_socket_pair(int ends[2])
{
    sim_enter("socket pair");
    int files[2];
    sim_stream_pair(files, sim->weather.socket_room, "socket pair");
    return open_pair(files, ends);
}

void sim_pair(int handles[2], struct sim_actor *owner)
{
    sim_stream_pair(handles, sim->weather.socket_room, "pair");
    sim->files[handles[0]].owner = owner;
}

int port_make_blocking(int fd, bool blocking)
{
    (void)blocking;
    (void)fd;
    return 0;
}

// ---- listening ----------------------------------------------------------------------------------

static int find_by_path(const char *path)
{
    int inode = sim_path_inode(path, true);
    for (int i = 0; i < SIM_FILES && inode >= 0; i++)
        if (sim->files[i].kind == SIM_LISTENER && sim->files[i].port == 0 &&
            sim->files[i].inode == inode)
            return i;
    return -1;
}

static int find_by_port(enum port_family family, uint16_t port)
{
    for (int i = 0; i < SIM_FILES; i++)
        if (sim->files[i].kind == SIM_LISTENER && sim->files[i].port == port &&
            sim->files[i].family == family)
            return i;
    return -1;
}

static int new_listener(const char *what, int inode, enum port_family family, uint16_t port)
{
    int file = sim_file_new(SIM_LISTENER, what);
    sim->files[file].inode = inode;
    sim->files[file].family = family;
    sim->files[file].port = port;
    return file;
}

static int make_socket_entry(const char *path, uint32_t mode)
{
    struct sim_walk walk;
    int inode = sim_path_inode(path, true);
    if (inode >= 0 && (sim_inode(inode)->kind != PORT_SOCKET || find_by_path(path) >= 0))
        return -EADDRINUSE;
    if (sim_path_walk(&walk, path, false) < 0 && !walk.name[0])
        return -ENOENT;
    inode = sim_inode_new(PORT_SOCKET, mode);
    sim_inode(inode)->mode = mode;
    int status = sim_path_walk(&walk, path, false);
    if (status < 0 && status != -ENOENT)
        return status;
    sim_entry_change(sim_entry_group(), walk.directory, walk.name, inode);
    return inode;
}

int port_listen_unix(const char *path, uint32_t mode, uint32_t gid)
{
    sim_enter("listen");
    int inode = make_socket_entry(path, mode);
    if (inode < 0)
        return inode;
    if (gid != (uint32_t)-1)
        sim_inode(inode)->gid = gid;
    int fd = sim_fd_new(new_listener(path, inode, PORT_UNIX, 0));
    sim_trace("listen at %s: %d", path, fd);
    return fd;
}

int port_listen_tcp(const char *address, const char *service, int *fds, size_t max)
{
    static const enum port_family families[] = {PORT_IPV4, PORT_IPV6};
    sim_enter("listen");
    sim_may_block("port_listen_tcp");
    uint16_t port = (uint16_t)atoi(service);
    if (port == 0)
        return -EPROTONOSUPPORT;
    int count = 0;
    for (size_t i = 0; i < 2 && (size_t)count < max; i++) {
        bool wide = strcmp(address ? address : "*", "*") == 0;
        if (!wide && (families[i] == PORT_IPV6) != (strchr(address, ':') != NULL))
            continue;
        int fd = find_by_port(families[i], port) >= 0
                     ? -EADDRINUSE
                     : sim_fd_new(new_listener("tcp", -1, families[i], port));
        if (fd < 0 && count == 0)
            return fd;
        if (fd >= 0)
            fds[count++] = fd;
    }
    return count;
}

bool port_tcp_is_free(uint16_t port)
{
    sim_enter("bind");
    return find_by_port(PORT_IPV4, port) < 0 && find_by_port(PORT_IPV6, port) < 0;
}

int sim_listen_unix(const char *path, struct sim_actor *owner)
{
    int inode = make_socket_entry(path, 0600);
    if (inode < 0)
        return inode;
    int file = new_listener(path, inode, PORT_UNIX, 0);
    sim->files[file].owner = owner;
    return file;
}

// ---- accepting ----------------------------------------------------------------------------------

static int take_from_backlog(int listener)
{
    struct sim_file *file = &sim->files[listener];
    if (file->backlog_count == 0)
        return -EAGAIN;
    int accepted = file->backlog[0];
    memmove(file->backlog, file->backlog + 1, --file->backlog_count * sizeof(file->backlog[0]));
    return accepted;
}

static void describe(struct port_peer *peer, const struct sim_file *file)
{
    *peer = (struct port_peer){.family = PORT_UNIX, .has_credentials = true};
    peer->uid = file->uid;
    peer->gid = file->uid;
    peer->pid = file->pid;
    if (file->port == 0)
        return;
    *peer = (struct port_peer){.family = file->family, .port = file->port};
    strcpy(peer->address, file->family == PORT_IPV4 ? "127.0.0.1" : "::1");
}

int port_accept(int listener, struct port_peer *peer)
{
    sim_enter("accept");
    if (sim_chance(sim->weather.interrupted))
        return -EINTR;
    if (sim_chance(sim->weather.again))
        return -EAGAIN;
    if (sim_chance(sim->weather.accept_fails)) {
        sim_progress(); // who asked has been told
        return sim_chance(500) ? -EMFILE : -ENOMEM;
    }
    unsigned used = sim_descriptors();
    if (used >= sim->weather.descriptor_max) { // before anybody is taken from the queue
        sim_progress();
        return -EMFILE;
    }
    int file = take_from_backlog(sim_fd_number(listener));
    if (file < 0)
        return file;
    describe(peer, &sim->files[file]);
    int fd = sim_fd_new(file);
    sim_trace("accept at %d: %d", listener, fd);
    return fd;
}

int sim_accept(int listener, struct sim_actor *owner)
{
    int file = take_from_backlog(listener);
    if (file >= 0)
        sim->files[file].owner = owner;
    return file;
}

// ---- connecting ---------------------------------------------------------------------------------

static int connect_to(int listener, uint32_t uid, int32_t pid, uint16_t port)
{
    struct sim_file *file = &sim->files[listener];
    if (file->backlog_count == SIM_BACKLOG)
        return -EAGAIN;
    int files[2];
    sim_stream_pair(files, sim->weather.socket_room, file->what);
    for (int i = 0; i < 2; i++) {
        sim->files[files[i]].uid = uid;
        sim->files[files[i]].pid = pid;
        sim->files[files[i]].port = port;
        sim->files[files[i]].family = file->family;
    }
    file->backlog[file->backlog_count++] = files[1];
    sim_wake_owner(listener);
    return files[0];
}

static int connect_by_path(const char *path, uint32_t uid, int32_t pid)
{
    int inode = sim_path_inode(path, true);
    if (inode < 0)
        return inode;
    int listener = find_by_path(path);
    return listener < 0 ? -ECONNREFUSED : connect_to(listener, uid, pid, 0);
}

int port_connect_unix(const char *path)
{
    sim_enter("connect");
    int file = connect_by_path(path, port_uid(), sim_self->pid);
    int fd = file < 0 ? file : sim_fd_new(file);
    sim_trace("connect to %s: %d", path, fd);
    return fd;
}

int port_connect_tcp(const char *address, uint16_t port)
{
    sim_enter("connect");
    enum port_family family = strchr(address, ':') ? PORT_IPV6 : PORT_IPV4;
    int listener = find_by_port(family, port);
    int file = listener < 0 ? -ECONNREFUSED : connect_to(listener, 0, 0, port);
    return file < 0 ? file : sim_fd_new(file);
}

int sim_connect_unix(const char *path, uint32_t uid, struct sim_actor *owner)
{
    int file = connect_by_path(path, uid, 1);
    if (file >= 0)
        sim->files[file].owner = owner;
    return file;
}

int sim_connect_tcp(enum port_family family, uint16_t port, struct sim_actor *owner)
{
    int listener = find_by_port(family, port);
    int file = listener < 0 ? -ECONNREFUSED : connect_to(listener, 0, 0, port);
    if (file >= 0)
        sim->files[file].owner = owner;
    return file;
}

int port_socket_error(int fd)
{
    sim_enter("socket error");
    return sim_fd_file(fd)->kind == SIM_STREAM ? 0 : -ENOTSOCK;
}

int port_local_address(int fd, struct port_peer *local)
{
    sim_enter("local address");
    describe(local, sim_fd_file(fd));
    return 0;
}

int port_peer_groups(int fd, uint32_t *gids, size_t max)
{
    sim_enter("peer's groups");
    (void)fd;
    (void)gids;
    (void)max;
    return 0;
}
