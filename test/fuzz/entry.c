// libFuzzer's way into a target.
#include "fuzz.h"

#include "port/port.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NS_PER_MS 1000000

static uint64_t limit_ms; // of CPU time for one input; 0: none

__attribute__((weak)) void fuzz_start(void)
{
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    const char *limit = getenv("NANOVIRT_FUZZ_LIMIT_MS");
    if (limit && !slice_u64(slice_of(limit), 10, &limit_ms))
        FUZZ_FAIL("NANOVIRT_FUZZ_LIMIT_MS is no number");
    signal(SIGPIPE, SIG_IGN); // as port_signals_open() does
    fuzz_world_reset();
    fuzz_start();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t before = limit_ms ? port_cpu_ns() : 0;
    fuzz_world_reset();
    fuzz_one((struct slice){size ? (const char *)data : "", size});
    if (limit_ms && port_cpu_ns() - before > limit_ms * NS_PER_MS)
        FUZZ_FAIL("an input of %zu bytes took %u ms", size,
                  (unsigned)((port_cpu_ns() - before) / NS_PER_MS));
    return 0;
}

_Noreturn void fuzz_fail(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

void fuzz_same(const char *file, int line, struct slice one, struct slice other)
{
    if (one.len == other.len && (one.len == 0 || memcmp(one.at, other.at, one.len) == 0))
        return;
    size_t at = 0;
    while (at < one.len && at < other.len && one.at[at] == other.at[at])
        at++;
    size_t from = at < 40 ? 0 : at - 40;
    struct slice left = slice_from(one, from), right = slice_from(other, from);
    fuzz_fail(file, line, "they part at byte %zu of %zu and %zu:\n--- %.*s\n+++ %.*s", at, one.len,
              other.len, left.len < 200 ? (int)left.len : 200, left.at,
              right.len < 200 ? (int)right.len : 200, right.at);
}

void fuzz_told(const char *file, int line, bool good, const struct error *err)
{
    if (good && err->code != 0)
        fuzz_fail(file, line, "it worked and told an error: %s", err->message);
    if (!good && (err->code == 0 || err->message[0] == '\0'))
        fuzz_fail(file, line, "it failed and told no error (code %d)", err->code);
}
