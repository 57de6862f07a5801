// Whole-daemon runs: which seeds, how many, and what is said about them.
#include "test/sim/bugs.h"
#include "test/sim/run.h"

#include "port/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct wish {
    uint64_t first, count;
    unsigned seconds; // 0: no limit
    bool trace, twice, keep_going, lies, crashes;
    const char *file; // of seeds that have found something
};

static int usage(void)
{
    fputs("usage: sim [-s SEED] [-n COUNT] [-t SECONDS] [-f FILE] [-v] [-2] [-k] [-l] [-c]\n"
          "  -s SEED     the first seed (1)\n"
          "  -n COUNT    how many seeds (1000; with -c 3, each of which is a thousand runs)\n"
          "  -t SECONDS  begin no further seed after this time\n"
          "  -f FILE     the seeds at the starts of the file's lines, before all others\n"
          "  -v          print the trace\n"
          "  -2          run each seed twice and compare\n"
          "  -k          go on after a failure\n"
          "  -c          end the daemon at each port call of a script, in each seed\n"
          "  -l          run on machines that lie, and with bugs, and see that it is noticed\n",
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
        } else if (strcmp(option, "-c") == 0) {
            wish->crashes = true;
        } else if (strcmp(option, "-l") == 0) {
            wish->lies = true;
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
static time_t began;

static bool time_is_over(const struct wish *wish)
{
    return wish->seconds && time(NULL) - began >= (time_t)wish->seconds;
}

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

// ---- crashes: at each port call there is

static bool crash_everywhere(uint64_t seed, enum sim_end how)
{
    uint64_t call = 0;
    bool over = false, good = true;
    while (good && !over)
        good = run_crash(seed, ++call, how, &over);
    if (!good)
        fprintf(stderr, "seed %llu failed with the crash at call %llu\n", (unsigned long long)seed,
                (unsigned long long)call);
    printf("seed %llu: %s at each of %llu calls\n", (unsigned long long)seed,
           how == SIM_KILLED ? "killed" : "power cut", (unsigned long long)call - 1);
    passed += good;
    failed += !good;
    return good;
}

static int run_crashes(const struct wish *wish)
{
    for (uint64_t i = 0; i < wish->count && !time_is_over(wish); i++)
        if ((!crash_everywhere(wish->first + i, SIM_KILLED) ||
             !crash_everywhere(wish->first + i, SIM_POWER_CUT)) &&
            !wish->keep_going)
            break;
    printf("sim: %u scripts survived their crashes, %u did not\n", passed, failed);
    return failed ? 1 : 0;
}

// ---- lies and bugs: each is noticed, and by the claim that it breaks

#define TRIAL_SEEDS 400

static const struct trial {
    enum sim_lie lie;
    enum bug bug;
    const char *noticed[3]; // one of these is a part of what is said
} trials[] = {
    {SIM_SYNC, BUG_NONE, {"which can not be", "is not whole"}},
    {SIM_SYNC_NAME, BUG_NONE, {"which can not be"}},
    {SIM_TEAR, BUG_NONE, {"is not whole", "can not be shown", "which can not be"}},
    {SIM_UNLINK, BUG_NONE, {"which can not be"}},
    {SIM_LEAK, BUG_NONE, {"descriptors are open that nobody needs"}},
    {SIM_SWALLOW, BUG_NONE, {"has waited for"}},
    {SIM_REPEAT, BUG_NONE, {"and has no such call"}},
    {SIM_ASTRAY, BUG_NONE, {"and has no such call"}},
    {SIM_KILL, BUG_NONE, {"emulators run for it"}},
    {SIM_FORGET, BUG_NONE, {"were not taken note of", "children are waited for"}},
    {SIM_STALL, BUG_NONE, {"workers are there"}},
    {SIM_IGNORE, BUG_NONE, {"has waited for"}},
    {SIM_SLIGHT, BUG_NONE, {"is starved"}},
    {SIM_RING, BUG_NONE, {"the loop spins"}},
    {SIM_HONEST, BUG_SMALL_SLOT, {"small message slots are not given back"}},
    {SIM_HONEST, BUG_LARGE_SLOT, {"large message slots are not given back"}},
    {SIM_HONEST, BUG_CALL, {"calls are in progress"}},
    {SIM_HONEST, BUG_WATCH, {"descriptors are watched that nobody needs"}},
    {SIM_HONEST, BUG_TIMER, {"timers run that nobody needs"}},
    {SIM_HONEST, BUG_TASK, {"the loop spins"}},
    {SIM_HONEST, BUG_EVENT, {"by its events"}},
};

static bool suits(const struct trial *trial, const char *failure)
{
    for (size_t n = 0; n < 3; n++)
        if (trial->noticed[n] && strstr(failure, trial->noticed[n]))
            return true;
    return false;
}

static void try_out(const struct trial *trial)
{
    const char *name = trial->bug == BUG_NONE ? sim_lie_name(trial->lie) : bug_name(trial->bug);
    char otherwise[256] = "";
    sim_tell(trial->lie);
    sim_hush(true);
    bug_plant(trial->bug);
    for (uint64_t seed = 1; seed <= TRIAL_SEEDS; seed++) {
        if (run_seed(seed))
            continue;
        if (suits(trial, sim_failure())) {
            printf("%-10s seed %3llu: %s\n", name, (unsigned long long)seed, sim_failure());
            passed++;
            return;
        }
        snprintf(otherwise, sizeof(otherwise), "%s", sim_failure());
    }
    printf("%-10s was not noticed for what it is; %s\n", name, otherwise);
    failed++;
}

static int run_trials(void)
{
    for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
        try_out(&trials[i]);
    printf("sim: %u lies and bugs noticed, %u not\n", passed, failed);
    return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct wish wish = {.first = 1};
    if (!read_arguments(&wish, argc, argv))
        return usage();
    if (wish.count == 0)
        wish.count = wish.crashes ? 3 : 1000;
    began = time(NULL);
    run_create();
    sim_trace_print(wish.trace);
    if (wish.lies)
        return run_trials();
    if (wish.crashes)
        return run_crashes(&wish);
    bool go_on = !wish.file || run_file(&wish);
    for (uint64_t i = 0; go_on && i < wish.count && !time_is_over(&wish); i++)
        go_on = run(&wish, wish.first + i);
    printf("sim: %u seeds passed, %u failed, in %ld s\n", passed, failed,
           (long)(time(NULL) - began));
    return failed ? 1 : 0;
}
