// Whole-daemon runs: which seeds, how many, and what is said about them.
#include "test/sim/run.h"

#include "port/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct wish {
    uint64_t first, count;
    unsigned seconds; // 0: no limit
    bool trace, twice, keep_going;
    const char *file; // of seeds that have found something
};

static int usage(void)
{
    fputs("usage: sim [-s SEED] [-n COUNT] [-t SECONDS] [-f FILE] [-v] [-2] [-k]\n"
          "  -s SEED     the first seed (1)\n"
          "  -n COUNT    how many seeds\n"
          "  -t SECONDS  begin no further seed after this time\n"
          "  -f FILE     the seeds at the starts of the file's lines, before all others\n"
          "  -v          print the trace\n"
          "  -2          run each seed twice and compare\n"
          "  -k          go on after a failure\n",
          stderr);
    return 2;
}

static bool read_arguments(struct wish *wish, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i];
        if (strcmp(option, "-v") == 0) {
            wish->trace = true;
        } else if (strcmp(option, "-2") == 0) {
            wish->twice = true;
        } else if (strcmp(option, "-k") == 0) {
            wish->keep_going = true;
        } else if (i + 1 == argc || option[0] != '-' || !option[1] || option[2]) {
            return false;
        } else {
            const char *value = argv[++i];
            uint64_t number = strtoull(value, NULL, 0);
            switch (option[1]) {
            case 's':
                wish->first = number;
                break;
            case 'n':
                wish->count = number;
                break;
            case 't':
                wish->seconds = (unsigned)number;
                break;
            case 'f':
                wish->file = value;
                break;
            default:
                return false;
            }
        }
    }
    return true;
}

static unsigned passed, failed;

static bool run_once(uint64_t seed)
{
    bool good = run_seed(seed);
    if (good)
        passed++;
    else
        failed++;
    if (!good)
        fprintf(stderr, "seed %llu failed: make sim SEED=%llu\n", (unsigned long long)seed,
                (unsigned long long)seed);
    return good;
}

static bool run(const struct wish *wish, uint64_t seed)
{
    bool good = run_once(seed);
    uint64_t hash = sim_trace_hash();
    if (good && wish->twice && (!run_seed(seed) || sim_trace_hash() != hash)) {
        fprintf(stderr, "seed %llu does not run the same twice\n", (unsigned long long)seed);
        failed++;
        good = false;
    }
    return good || wish->keep_going;
}

// Lines that begin with a number: seeds, and why they are kept.
static bool run_file(const struct wish *wish)
{
    char line[512];
    bool good = true;
    FILE *file = fopen(wish->file, "r");
    if (!file) {
        perror(wish->file);
        failed++;
        return false;
    }
    while (good && fgets(line, sizeof(line), file)) {
        char *end;
        uint64_t seed = strtoull(line, &end, 0);
        if (end != line)
            good = run(wish, seed);
    }
    fclose(file);
    return good;
}

int main(int argc, char **argv)
{
    struct wish wish = {.first = 1, .count = 1000};
    if (!read_arguments(&wish, argc, argv))
        return usage();
    time_t begin = time(NULL);
    run_create();
    sim_trace_print(wish.trace);
    bool go_on = !wish.file || run_file(&wish);
    for (uint64_t i = 0; go_on && i < wish.count; i++) {
        if (wish.seconds && time(NULL) - begin >= (time_t)wish.seconds)
            break;
        go_on = run(&wish, wish.first + i);
    }
    printf("sim: %u seeds passed, %u failed, in %ld s\n", passed, failed,
           (long)(time(NULL) - begin));
    return failed ? 1 : 0;
}
