// handshakes ADDRESS COUNT: connects so often, one time after the other, each with a whole TLS
// handshake on both sides' certificates, and prints how many of them a second.
#include "rpc.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: handshakes ADDRESS COUNT\n");
        return 2;
    }
    int count = atoi(argv[2]);
    uint64_t began = now_ns();
    for (int i = 0; i < count; i++) {
        struct rpc_peer peer = rpc_connect(argv[1]);
        rpc_close(&peer);
    }
    printf("rate %.1f\n", count / ((double)(now_ns() - began) / 1e9));
    return 0;
}
