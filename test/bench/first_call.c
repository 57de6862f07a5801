// first_call SOCKET URI COMMAND ARGUMENT...: starts a daemon and prints the microseconds until a
// client that tries all the time has connected, opened URI and been told how many domains are
// defined. Then it waits for the daemon to end.
#define _GNU_SOURCE
#include "rpc.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int connect_as_soon_as_possible(const char *path)
{
    const struct timespec moment = {.tv_nsec = 50000};
    int fd;
    while ((fd = rpc_try_connect(path)) < 0)
        nanosleep(&moment, NULL);
    return fd;
}

static int count_defined(int fd)
{
    struct rpc_request request;
    struct remote_connect_num_of_defined_domains_ret ret;
    rpc_make(&request, REMOTE_PROC_CONNECT_NUM_OF_DEFINED_DOMAINS, NULL, NULL);
    rpc_ask(fd, &request, XDR_TYPE(remote_connect_num_of_defined_domains_ret), &ret);
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
    int fd = connect_as_soon_as_possible(argv[1]);
    rpc_open(fd, argv[2]);
    int defined = count_defined(fd);
    printf("first %.1f\ndefined %d\n", (double)(now_ns() - began) / 1000, defined);
    fflush(stdout);
    close(fd);
    waitpid(daemon, NULL, 0);
    return 0;
}
