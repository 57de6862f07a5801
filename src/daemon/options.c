// Options: a table of them, short and long, and the one walk over the command line.
#include "daemon/options.h"

#include "core/slice.h"
#include "daemon/commands.h"

#include <stdio.h>
#include <string.h>

enum kind { FLAG, STRING, SECONDS, HELP, VERSION };

struct option {
    char letter; // 0: none
    const char *name;
    enum kind kind;
    size_t offset; // in struct options
    const char *argument, *help;
};

#define AT(member) offsetof(struct options, member)

static const struct option known[] = {
    {'h', "help", HELP, 0, NULL, "Display program help"},
    {'v', "verbose", FLAG, AT(verbose), NULL, "Verbose messages"},
    {'d', "daemon", FLAG, AT(daemon), NULL, "Run as a daemon & write PID file"},
    {'l', "listen", FLAG, AT(listen), NULL, "Listen for TCP/IP connections"},
    {'t', "timeout", SECONDS, AT(timeout), "<secs>", "Exit after timeout period without clients"},
    {'f', "config", STRING, AT(config), "<file>", "Configuration file"},
    {'V', "version", VERSION, 0, NULL, "Display version information"},
    {'p', "pid-file", STRING, AT(pid_file), "<file>", "Change name of PID file"},
    {0, "root", STRING, AT(root), "<dir>", "Put every path below this directory"},
};
#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

static void print_help(void)
{
    puts("Usage:\n  nanovirtd [options]\n\nOptions:");
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        char name[40], letter[8] = "";
        snprintf(name, sizeof(name), "--%s%s%s", known[i].name, known[i].argument ? " " : "",
                 known[i].argument ? known[i].argument : "");
        if (known[i].letter)
            snprintf(letter, sizeof(letter), "-%c |", known[i].letter);
        printf("  %4s %-20s %s\n", letter, name, known[i].help);
    }
    puts("\nCommands:");
    commands_print_help();
    puts("\nSee nanovirtd(8). Paths and the configuration file are libvirtd's.");
}

static enum options_result wrong(const char *what, const char *which)
{
    fprintf(stderr, "nanovirtd: %s: %s\nTry 'nanovirtd --help'.\n", what, which);
    return OPTIONS_EXIT_BAD;
}

static const struct option *find_letter(char letter)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (letter && known[i].letter == letter)
            return &known[i];
    return NULL;
}

static const struct option *find_name(struct slice name)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (slice_is(name, known[i].name))
            return &known[i];
    return NULL;
}

static enum options_result apply(struct options *options, const struct option *option,
                                 const char *value)
{
    void *member = (char *)options + option->offset;
    switch (option->kind) {
    case FLAG:
        *(bool *)member = true;
        return OPTIONS_RUN;
    case STRING:
        *(const char **)member = value;
        return OPTIONS_RUN;
    case SECONDS:
        if (slice_u32(slice_of(value), 10, member) && *(uint32_t *)member > 0)
            return OPTIONS_RUN;
        return wrong("not a number of seconds above 0", value);
    case HELP:
        print_help();
        return OPTIONS_EXIT_GOOD;
    case VERSION:
        printf("nanovirtd %s\n", NANOVIRT_VERSION);
        return OPTIONS_EXIT_GOOD;
    }
    return OPTIONS_EXIT_BAD;
}

static bool takes_value(const struct option *option)
{
    return option->kind == STRING || option->kind == SECONDS;
}

// The value of an option: behind it, or the next word. NULL when there is none.
static const char *value_of(const char *behind, char **argv, int *at)
{
    if (behind)
        return behind;
    return argv[*at + 1] ? argv[++*at] : NULL;
}

static enum options_result read_long(struct options *options, char **argv, int *at)
{
    struct slice name = slice_of(argv[*at] + 2);
    const char *behind = strchr(argv[*at], '=');
    if (behind)
        name.len = (size_t)(behind++ - name.at);
    const struct option *option = find_name(name);
    if (!option || (behind && !takes_value(option)))
        return wrong("unknown option", argv[*at]);
    const char *value = takes_value(option) ? value_of(behind, argv, at) : NULL;
    if (takes_value(option) && !value)
        return wrong("this option needs an argument", option->name);
    return apply(options, option, value);
}

static enum options_result read_short(struct options *options, char **argv, int *at)
{
    for (const char *letter = argv[*at] + 1; *letter; letter++) {
        const struct option *option = find_letter(*letter);
        if (!option)
            return wrong("unknown option", argv[*at]);
        if (!takes_value(option)) {
            enum options_result result = apply(options, option, NULL);
            if (result != OPTIONS_RUN)
                return result;
            continue;
        }
        const char *value = value_of(letter[1] ? letter + 1 : NULL, argv, at);
        if (!value)
            return wrong("this option needs an argument", option->name);
        return apply(options, option, value);
    }
    return OPTIONS_RUN;
}

enum options_result options_read(struct options *options, int argc, char **argv)
{
    for (int at = 1; at < argc; at++) {
        enum options_result result;
        if (strncmp(argv[at], "--", 2) == 0 && argv[at][2])
            result = read_long(options, argv, &at);
        else if (argv[at][0] == '-' && argv[at][1] && argv[at][1] != '-')
            result = read_short(options, argv, &at);
        else
            result = wrong("unexpected argument", argv[at]);
        if (result != OPTIONS_RUN)
            return result;
    }
    return OPTIONS_RUN;
}
