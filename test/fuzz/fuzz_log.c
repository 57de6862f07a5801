// The log's filters and outputs: what is shown of the filters can be set again and means the same.
#include "fuzz.h"

#include "core/log.h"

#include <stdio.h>

// What the filters let through, as one letter a module and level.
static void put_wanted(char wanted[64])
{
    static const char *const modules[] = {"rpc", "qemu", "daemon", "loop", "qemu.monitor", ""};
    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
        for (int level = LOG_LEVEL_DEBUG; level <= LOG_LEVEL_ERROR; level++)
            *wanted++ = log_wanted((enum log_level)level, modules[i]) ? 'y' : 'n';
    *wanted = '\0';
}

// A filter is shown with a '*' at both ends, which may be two bytes more than one can have.
static bool too_long(const struct error *err)
{
    return slice_contains(slice_of(err->message), "Invalid match string");
}

static void set_what_is_shown(void)
{
    static char shown[65536];
    char first[64], second[64];
    struct error err = {0};
    struct buffer out = buffer_over(shown, sizeof(shown));
    put_wanted(first);
    log_put_filters(&out);
    FUZZ_CHECK(buffer_ok(&out));
    bool good = log_set_filters(buffer_slice(&out), &err);
    if (!good && !too_long(&err))
        FUZZ_FAIL("its own text is refused: %s", err.message);
    put_wanted(second);
    FUZZ_SAME(slice_of(first), slice_of(second));
}

void fuzz_one(struct slice input)
{
    struct error err = {0};
    bool good = log_set_filters(input, &err);
    FUZZ_TOLD(good, &err);
    FUZZ_CHECK(log_check_filters(input, &(struct error){0}) == good);
    if (good)
        set_what_is_shown();
    FUZZ_CHECK(log_set_filters(SLICE(""), &(struct error){0}));
    error_clear(&err);
    FUZZ_TOLD(log_check_outputs(input, &err), &err);
}
