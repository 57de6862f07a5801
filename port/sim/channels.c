// Sim: channels, the one-way pipes of bytes that pipes and sockets are made of, and what is ready.
#include "port/sim/machine.h"

#include <string.h>

static struct sim_channel *channel_at(int channel)
{
    return &sim->channels[channel];
}

int sim_channel_new(uint32_t room)
{
    for (int i = 0; i < SIM_CHANNELS; i++) {
        struct sim_channel *channel = channel_at(i);
        if (channel->used)
            continue;
        memset(channel, 0, sizeof(*channel));
        channel->used = true;
        channel->reader = channel->writer = -1;
        sim_blob_room(&channel->ring, room);
        channel->ring.size = room;
        return i;
    }
    sim_fail("too many channels on the simulated machine: SIM_CHANNELS");
}

static uint64_t held(const struct sim_channel *channel)
{
    return channel->put - channel->got;
}

static void drop_passengers(struct sim_channel *channel)
{
    for (unsigned i = 0; i < channel->passenger_count; i++)
        sim_file_release(channel->passengers[i].file);
    channel->passenger_count = 0;
}

void sim_channel_close(int number, bool reader)
{
    struct sim_channel *channel = channel_at(number);
    if (reader)
        channel->reader_gone = true;
    else
        channel->writer_gone = true;
    int other = reader ? channel->writer : channel->reader;
    if (reader)
        drop_passengers(channel);
    // A socket that is closed with bytes in it unread resets the connection.
    if (reader && held(channel) && !channel->writer_gone && sim->files[other].is_socket &&
        sim->files[other].in >= 0)
        channel_at(sim->files[other].in)->reset = true;
    if (channel->reader_gone && channel->writer_gone) {
        sim_blob_free(&channel->ring);
        channel->used = false;
        return;
    }
    sim_wake_owner(other);
}

void sim_stream_pair(int files[2], uint32_t room, const char *what)
{
    for (int i = 0; i < 2; i++) {
        files[i] = sim_file_new(SIM_STREAM, what);
        sim->files[files[i]].is_socket = true;
    }
    for (int i = 0; i < 2; i++) {
        int channel = sim_channel_new(room);
        channel_at(channel)->writer = files[i];
        channel_at(channel)->reader = files[!i];
        sim->files[files[i]].out = channel;
        sim->files[files[!i]].in = channel;
    }
}

// ---- transfer -----------------------------------------------------------------------------------

// How far one read goes: it ends before the byte that a descriptor travels with, unless that is
// its first.
static size_t readable(const struct sim_channel *channel, size_t len)
{
    uint64_t end = channel->put;
    for (unsigned i = 0; i < channel->passenger_count; i++)
        if (channel->passengers[i].position > channel->got && channel->passengers[i].position < end)
            end = channel->passengers[i].position;
    uint64_t n = end - channel->got;
    return n < len ? (size_t)n : len;
}

// Descriptors get off with their byte. Whoever reads without asking for them loses them.
static void unload(struct sim_file *file, struct sim_channel *channel, uint64_t from, uint64_t to)
{
    unsigned stay = 0;
    for (unsigned i = 0; i < channel->passenger_count; i++) {
        struct sim_passenger passenger = channel->passengers[i];
        if (passenger.position < from || passenger.position >= to)
            channel->passengers[stay++] = passenger;
        else if (file->arrived_count < sizeof(file->arrived) / sizeof(file->arrived[0]))
            file->arrived[file->arrived_count++] = passenger.file;
        else
            sim_file_release(passenger.file);
    }
    channel->passenger_count = stay;
}

ptrdiff_t sim_channel_read(int number, void *to, size_t len)
{
    struct sim_file *file = &sim->files[number];
    if (file->in < 0)
        return -EBADF;
    struct sim_channel *channel = channel_at(file->in);
    if (channel->reset) {
        channel->reset = false;
        channel->got = channel->put;
        channel->writer_gone = true;
        return -ECONNRESET;
    }
    size_t n = readable(channel, len);
    if (n == 0)
        return channel->writer_gone || len == 0 ? 0 : -EAGAIN;
    uint8_t *bytes = to;
    for (size_t i = 0; i < n; i++)
        bytes[i] = channel->ring.at[(channel->got + i) % channel->ring.size];
    unload(file, channel, channel->got, channel->got + n);
    channel->got += n;
    if (!channel->writer_gone)
        sim_wake_owner(channel->writer);
    return (ptrdiff_t)n;
}

ptrdiff_t sim_channel_write(int number, const void *from, size_t len)
{
    const struct sim_file *file = &sim->files[number];
    if (file->out < 0)
        return -EBADF;
    struct sim_channel *channel = channel_at(file->out);
    if (channel->reader_gone)
        return -EPIPE;
    uint64_t room = channel->ring.size - held(channel);
    size_t n = len < room ? len : (size_t)room;
    if (n == 0)
        return -EAGAIN;
    const uint8_t *bytes = from;
    for (size_t i = 0; i < n; i++)
        channel->ring.at[(channel->put + i) % channel->ring.size] = bytes[i];
    channel->put += n;
    sim_wake_owner(channel->reader);
    return (ptrdiff_t)n;
}

// ---- readiness ----------------------------------------------------------------------------------

static short stream_ready(const struct sim_file *file)
{
    short events = 0;
    bool ended_in = true, ended_out = true;
    if (file->in >= 0) {
        const struct sim_channel *channel = channel_at(file->in);
        ended_in = channel->writer_gone;
        if (held(channel) || channel->writer_gone || channel->reset)
            events |= PORT_POLL_IN;
        if (channel->reset)
            events |= PORT_POLL_ERR;
    }
    if (file->out >= 0) {
        const struct sim_channel *channel = channel_at(file->out);
        ended_out = channel->reader_gone;
        if (held(channel) < channel->ring.size || channel->reader_gone)
            events |= PORT_POLL_OUT;
        if (channel->reader_gone && !file->is_socket)
            events |= PORT_POLL_ERR;
    }
    return ended_in && ended_out ? (short)(events | PORT_POLL_HUP) : events;
}

#define SLIGHT_NS (40 * SIM_NS_PER_S)

static bool is_ignored(struct sim_file *file)
{
    if (file->is_socket && sim_lies(SIM_IGNORE))
        file->ignored_until = SIM_NEVER;
    if (file->is_socket && sim_lies(SIM_SLIGHT))
        file->ignored_until = sim->now + SLIGHT_NS;
    return sim->now < file->ignored_until;
}

short sim_file_ready(int number)
{
    struct sim_file *file = &sim->files[number];
    switch (file->kind) {
    case SIM_STREAM:
        return is_ignored(file) ? 0 : stream_ready(file);
    case SIM_LISTENER:
        file->rings = file->rings || sim_lies(SIM_RING);
        return file->backlog_count || file->rings ? PORT_POLL_IN : 0;
    case SIM_SIGNALS:
        return sim->signals ? PORT_POLL_IN : 0;
    case SIM_REGULAR:
    case SIM_NOWHERE:
        return PORT_POLL_IN | PORT_POLL_OUT;
    default:
        return 0;
    }
}

// ---- descriptors that travel --------------------------------------------------------------------

static bool put_aboard(struct sim_channel *channel, int file, uint64_t position)
{
    if (channel->passenger_count == sizeof(channel->passengers) / sizeof(channel->passengers[0]))
        return false;
    sim->files[file].refs++;
    channel->passengers[channel->passenger_count++] =
        (struct sim_passenger){.position = position, .file = file};
    return true;
}

static ptrdiff_t send_with(int number, const void *from, size_t len, const int *files, size_t count)
{
    if (sim->files[number].out < 0)
        return -EBADF;
    struct sim_channel *channel = channel_at(sim->files[number].out);
    uint64_t position = channel->put;
    if (channel->passenger_count + count >
        sizeof(channel->passengers) / sizeof(channel->passengers[0]))
        return -EAGAIN;
    ptrdiff_t put = sim_channel_write(number, from, len);
    for (size_t i = 0; put > 0 && i < count; i++)
        put_aboard(channel, files[i], position);
    return put;
}

ptrdiff_t port_send_fds(int fd, const void *from, size_t len, const int *fds, size_t fd_count)
{
    sim_enter("send descriptors");
    int files[8];
    if (fd_count > sizeof(files) / sizeof(files[0]))
        return -E2BIG;
    for (size_t i = 0; i < fd_count; i++)
        files[i] = sim_fd_number(fds[i]);
    if (sim_chance(sim->weather.interrupted))
        return -EINTR;
    if (sim_chance(sim->weather.again))
        return -EAGAIN;
    if (len > 1 && sim_chance(sim->weather.short_io))
        len = 1 + sim_random(len - 1);
    ptrdiff_t put = send_with(sim_fd_number(fd), from, len, files, fd_count);
    if (put >= 0)
        sim_progress();
    sim_trace("send %zu descriptors to %d: %td", fd_count, fd, put);
    return put;
}

ptrdiff_t port_receive_fds(int fd, void *to, size_t len, int *fds, size_t fd_max, size_t *fd_count)
{
    *fd_count = 0;
    ptrdiff_t got = port_read(fd, to, len);
    struct sim_file *file = sim_fd_file(fd);
    for (unsigned i = 0; i < file->arrived_count; i++) {
        int new = *fd_count < fd_max ? sim_fd_new(file->arrived[i]) : -EMFILE;
        if (new >= 0)
            fds[(*fd_count)++] = new;
        else if (*fd_count >= fd_max)
            sim_file_release(file->arrived[i]);
    }
    file->arrived_count = 0;
    return got;
}

// ---- for actors ---------------------------------------------------------------------------------

ptrdiff_t sim_read(int handle, void *to, size_t len)
{
    return sim_channel_read(handle, to, len);
}

size_t sim_unread(int handle)
{
    return (size_t)held(channel_at(sim->files[handle].in));
}

ptrdiff_t sim_write(int handle, const void *from, size_t len)
{
    return len ? sim_channel_write(handle, from, len) : 0;
}

int sim_take_handle(int handle, struct sim_actor *owner)
{
    struct sim_file *file = &sim->files[handle];
    if (file->arrived_count == 0)
        return -1;
    int taken = file->arrived[0];
    memmove(file->arrived, file->arrived + 1, --file->arrived_count * sizeof(file->arrived[0]));
    sim->files[taken].owner = owner;
    return taken;
}

bool sim_send_handle(int handle, int sent)
{
    return send_with(handle, "", 1, &sent, 1) == 1;
}

void sim_own(int handle, struct sim_actor *owner)
{
    sim->files[handle].owner = owner;
    sim_wake_owner(handle);
}

void sim_close(int handle)
{
    sim_file_release(handle);
}

void sim_reset_connection(int handle)
{
    if (sim->files[handle].out >= 0)
        channel_at(sim->files[handle].out)->reset = true;
    sim_file_release(handle);
}
