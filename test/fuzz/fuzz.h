// The fuzzers: what their targets share.
//
// A target is a file fuzz_NAME.c with one function, fuzz_one(). entry.c is what libFuzzer calls,
// replay.c what runs kept inputs without it. Each input is run in the same world: the clock stands
// at the same time, chance gives the same numbers, and what may block is done at once (world.c), so
// an input that fails fails each time.
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include "core/buffer.h"
#include "core/error.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// ---- a target

// Runs one input. What it starts it ends again: nothing may be left for the next input.
void fuzz_one(struct slice input);
// Before the first input; optional.
void fuzz_start(void);

// libFuzzer's names, which a target with a mutator of its own defines and calls.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

// ---- claims

// Ends the process with a message, which libFuzzer reports with the input.
_Noreturn void fuzz_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define FUZZ_FAIL(...) fuzz_fail(__FILE__, __LINE__, __VA_ARGS__)
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            FUZZ_FAIL("%s", #condition);                                                           \
    } while (0)
// Fails with both texts where they part.
#define FUZZ_SAME(one, other) fuzz_same(__FILE__, __LINE__, (one), (other))
void fuzz_same(const char *file, int line, struct slice one, struct slice other);
// A function that can fail has set the error when it did, with a code and a text, and only then.
#define FUZZ_TOLD(good, err) fuzz_told(__FILE__, __LINE__, (good), (err))
void fuzz_told(const char *file, int line, bool good, const struct error *err);

// ---- the world

void fuzz_world_reset(void);
void fuzz_clock_advance(uint64_t ns);
// A directory of this process's own, removed at its end.
const char *fuzz_directory(void);
void fuzz_file_write(const char *path, struct slice text);

// ---- chance, from a seed

struct fuzz_random {
    uint64_t state;
};

static inline uint32_t fuzz_u32(struct fuzz_random *random)
{
    random->state = random->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random->state >> 32);
}

static inline uint32_t fuzz_below(struct fuzz_random *random, uint32_t limit)
{
    return limit ? fuzz_u32(random) % limit : 0;
}

// ---- taking an input apart

static inline uint8_t fuzz_take_byte(struct slice *input)
{
    if (input->len == 0)
        return 0;
    uint8_t byte = (uint8_t)input->at[0];
    *input = slice_from(*input, 1);
    return byte;
}

static inline struct slice fuzz_take(struct slice *input, size_t len)
{
    struct slice part = {input->at, len < input->len ? len : input->len};
    *input = slice_from(*input, part.len);
    return part;
}

#endif
