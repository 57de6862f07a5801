// first_call SOCKET URI COMMAND ARGUMENT...: starts a daemon and prints the microseconds until a
// client that tries all the time has connected, opened URI and been told how many domains are
// defined. Then it waits for the daemon to end.
#define _GNU_SOURCE
#include "rpc.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct rpc_peer connect_as_soon_as_possible(const char *path)
{
    const struct timespec moment = {.tv_nsec = 50000};
    struct rpc_peer peer;
    while (!rpc_try_connect(&peer, path))
        nanosleep(&moment, NULL);
    return peer;
}

static int count_defined(struct rpc_peer *peer)
{
    struct rpc_request request;
    struct remote_connect_num_of_defined_domains_ret ret;
    rpc_make(&request, REMOTE_PROC_CONNECT_NUM_OF_DEFINED_DOMAINS, NULL, NULL);
    rpc_ask(peer, &request, XDR_TYPE(remote_connect_num_of_defined_domains_ret), &ret);
    return ret.num;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: first_call SOCKET URI COMMAND ARGUMENT...\n");
        return 2;
    }
    uint64_t began = now_ns();
    pid_t daemon = vfork();
    if (daemon == 0) {
        execvp(argv[3], argv + 3);
        _exit(127);
    }
    struct rpc_peer peer = connect_as_soon_as_possible(argv[1]);
    rpc_open(&peer, argv[2]);
    int defined = count_defined(&peer);
    printf("first %.1f\ndefined %d\n", (double)(now_ns() - began) / 1000, defined);
    fflush(stdout);
    rpc_close(&peer);
    waitpid(daemon, NULL, 0);
    return 0;
}
