// Everything that a client may send before it has authenticated.
//
// An input is the client's manner in one byte (server.h) and the bytes that it sends.
#include "server.h"

void fuzz_start(void)
{
    server_start();
}

void fuzz_one(struct slice input)
{
    unsigned manner = fuzz_take_byte(&input);
    server_serve(input, manner, SERVER_STRANGER);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return server_mutate(data, size, max_size, seed, SERVER_STRANGER);
}
