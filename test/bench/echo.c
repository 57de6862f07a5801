// echo SOCKET REQUEST REPLY [EVENT]: the floor. A bare poll() server that answers each REQUEST
// bytes with REPLY bytes and looks at none of them; with EVENT, every other connection is sent so
// many bytes for each request.
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PEERS_MAX 512
#define REPLY_MAX (1 << 20)

static struct pollfd polls[PEERS_MAX + 1];
static size_t pending[PEERS_MAX + 1]; // bytes of a request that is not whole yet
static size_t peer_count;
static size_t request, reply, event;
static char bytes[REPLY_MAX];

static int listen_on(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, 512) < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

static void write_all(int fd, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);
        if (put <= 0)
            return;
        len -= (size_t)put;
    }
}

static void tell_others(size_t i, size_t len)
{
    for (size_t other = 1; other <= peer_count && len > 0; other++)
        if (other != i)
            write_all(polls[other].fd, len);
}

static void serve(size_t i)
{
    static char in[65536];
    ssize_t got = read(polls[i].fd, in, sizeof(in));
    if (got <= 0) {
        close(polls[i].fd);
        polls[i] = polls[peer_count];
        pending[i] = pending[peer_count--];
        return;
    }
    pending[i] += (size_t)got;
    size_t answers = pending[i] / request;
    pending[i] %= request;
    tell_others(i, answers * event);
    for (size_t most = sizeof(bytes) / reply; answers > 0;) {
        size_t now = answers < most ? answers : most;
        write_all(polls[i].fd, now * reply);
        answers -= now;
    }
}

int main(int argc, char **argv)
{
    if (argc != 4 && argc != 5) {
        fprintf(stderr, "usage: echo SOCKET REQUEST REPLY [EVENT]\n");
        return 2;
    }
    request = strtoul(argv[2], NULL, 10);
    reply = strtoul(argv[3], NULL, 10);
    event = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    polls[0] = (struct pollfd){.fd = listen_on(argv[1]), .events = POLLIN};
    for (;;) {
        poll(polls, peer_count + 1, -1);
        for (size_t i = peer_count; i > 0; i--)
            if (polls[i].revents)
                serve(i);
        if (polls[0].revents && peer_count < PEERS_MAX) {
            polls[++peer_count] =
                (struct pollfd){.fd = accept(polls[0].fd, NULL, NULL), .events = POLLIN};
            pending[peer_count] = 0;
        }
    }
}
