// Runs kept inputs without libFuzzer, and tells which took the most CPU time.
//
//     replay FILE|DIRECTORY ...
#define _GNU_SOURCE
#include "fuzz.h"

#include "port/port.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX (1 << 20)
#define SLOWEST   5
#define RUNS      2 // the fastest counts

uint64_t __real_port_cpu_ns(void);

static struct {
    uint64_t ns;
    size_t size;
    char path[PORT_PATH_MAX];
} slowest[SLOWEST];
static unsigned count;

// Mutators are linked in and never called.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    (void)data, (void)max_size;
    return size;
}

static void note(const char *path, size_t size, uint64_t ns)
{
    size_t at = SLOWEST;
    while (at > 0 && ns > slowest[at - 1].ns)
        at--;
    if (at == SLOWEST)
        return;
    memmove(slowest + at + 1, slowest + at, (SLOWEST - 1 - at) * sizeof(slowest[0]));
    slowest[at].ns = ns;
    slowest[at].size = size;
    snprintf(slowest[at].path, sizeof(slowest[at].path), "%s", path);
}

static int run_file(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    static uint8_t bytes[INPUT_MAX];
    (void)stat, (void)ftw;
    FILE *file = type == FTW_F ? fopen(path, "rb") : NULL;
    if (!file)
        return 0;
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    uint64_t best = UINT64_MAX;
    for (unsigned run = 0; run < RUNS; run++) {
        uint64_t before = __real_port_cpu_ns();
        LLVMFuzzerTestOneInput(bytes, size);
        uint64_t used = __real_port_cpu_ns() - before;
        best = used < best ? used : best;
    }
    note(path, size, best);
    count++;
    return 0;
}

int main(int argc, char **argv)
{
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        nftw(argv[i], run_file, 16, FTW_PHYS);
    printf("%u inputs\n", count);
    for (size_t i = 0; i < SLOWEST && slowest[i].ns; i++)
        printf("%8.3f ms %7zu bytes  %s\n", (double)slowest[i].ns / 1e6, slowest[i].size,
               slowest[i].path);
    return 0;
}
