// nanovirtd passwd: who may log in with a password.
#include "auth/saslprep.h"
#include "auth/users_change.h"
#include "core/paths.h"
#include "daemon/arguments.h"
#include "daemon/commands.h"
#include "port/port.h"

#include <mbedtls/platform_util.h>

#include <stdio.h>
#include <string.h>

#define PASSWORD_MAX 1024 // bytes with the NUL
#define PROGRAM      "nanovirtd passwd"

struct order {
    const char *root, *file, *name;
    uint32_t iterations;
    enum scram_mechanism mechanism;
    bool remove, list, help;
};

static const struct argument known[] = {
    {'d', "delete", false},    {'l', "list", false}, {'h', "help", false},  {'f', "file", true},
    {'i', "iterations", true}, {'R', "root", true},  {'1', "sha-1", false}, {0, NULL, false},
};

static const char help[] =
    "Usage:\n"
    "  " PROGRAM " [options] USER\n"
    "\n"
    "Asks for a password and lets the user log in with it; reads one line of\n"
    "standard input where that is no terminal.\n"
    "\n"
    "Options:\n"
    "  -d, --delete              Take all passwords of the user away\n"
    "  -l, --list                List the users\n"
    "  -f, --file FILE           Change this file, not passwd.scram of the configuration\n"
    "      --root DIR            As nanovirtd --root DIR\n"
    "  -i, --iterations NUMBER   What a guess and a login cost (default %d)\n"
    "  -1, --sha-1               For clients that have SCRAM-SHA-1 only\n"
    "  -h, --help                Display program help\n";

static int fail(const char *message)
{
    fprintf(stderr, "%s: %s\n", PROGRAM, message);
    return 1;
}

// ---- asking for the password

// Waits until there is something to read; false when a signal comes first, or nothing will.
static bool wait_for_input(int signals)
{
    struct port_poll polls[] = {{.fd = 0, .events = PORT_POLL_IN},
                                {.fd = signals, .events = PORT_POLL_IN}};
    for (;;) {
        port_poll(polls, 2, -1);
        if (port_signals_take(signals) == PORT_SIGNAL_TERMINATE)
            return false;
        if (polls[0].revents)
            return true;
    }
}

// One line without its end. False at the end of the input, and when it is too long.
static bool read_line(int signals, char *to, size_t size)
{
    for (size_t len = 0; len < size; len++) {
        to[len] = '\0';
        if (!wait_for_input(signals))
            return false;
        ptrdiff_t got = port_read(0, to + len, 1);
        if (got < 0 || (got == 0 && len == 0))
            return false;
        if (got == 0 || to[len] == '\n') {
            to[len] = '\0';
            return true;
        }
    }
    return false;
}

static bool ask(const char *question, int signals, char *to)
{
    fputs(question, stderr);
    bool good = read_line(signals, to, PASSWORD_MAX);
    fputc('\n', stderr);
    return good;
}

// Asks twice on a terminal. NULL when it has the password, else the reason why not.
static const char *ask_password(char *password)
{
    char again[PASSWORD_MAX] = "";
    const char *wrong = NULL;
    int signals = port_signals_open();
    if (signals < 0)
        return "cannot set up signals";
    if (port_tty_echo(0, false) < 0)
        return read_line(signals, password, PASSWORD_MAX) ? NULL : "there is no password";
    if (!ask("New password: ", signals, password) || !ask("Retype new password: ", signals, again))
        wrong = "there is no password";
    else if (strcmp(password, again) != 0)
        wrong = "the passwords do not match";
    port_tty_echo(0, true);
    mbedtls_platform_zeroize(again, sizeof(again));
    return wrong;
}

// ---- what can be done

static int set(const struct order *order)
{
    char password[PASSWORD_MAX] = "";
    struct scram_keys keys;
    struct error err = {0};
    const char *wrong = ask_password(password);
    if (wrong)
        return fail(wrong);
    wrong = saslprep_refuses(slice_of(password));
    if (wrong) {
        fprintf(stderr, "%s: the password can not be used: %s\n", PROGRAM, wrong);
        return 1;
    }
    bool good = scram_keys_derive(&keys, order->mechanism, order->iterations, slice_of(password));
    mbedtls_platform_zeroize(password, sizeof(password));
    if (!good)
        return fail("mbedTLS was built without the hash of that mechanism");
    return users_set(order->name, &keys, &err) ? 0 : fail(err.message);
}

static int list(void)
{
    struct slice text;
    struct user user;
    struct error err = {0};
    const char *wrong;
    if (!users_read(&text, &err))
        return fail(err.message);
    while (users_next(&text, &user, &wrong))
        if (user.name.at && !slice_is(user.name, USERS_EVERYBODY_ELSE))
            printf("%-30.*s %-14s %u\n", SLICE_ARG(user.name),
                   scram_mechanism_name(user.keys.mechanism), (unsigned)user.keys.iterations);
    users_forget();
    return users_check(&err) ? 0 : fail(err.message);
}

// ---- the command line

static const char *name_refused(const char *name)
{
    struct slice s = slice_of(name);
    if (s.len >= IDENTITY_USER_MAX)
        return "it is too long";
    if (slice_find(s, ':') >= 0 || slice_starts(s, "#") || slice_is(s, USERS_EVERYBODY_ELSE) ||
        slice_trim(s).len != s.len)
        return "it would not fit into the file of users";
    return saslprep_refuses(s);
}

static bool take_option(struct order *order, const struct arguments *arguments, int option)
{
    switch (option) {
    case 'd':
        order->remove = true;
        return true;
    case 'l':
        order->list = true;
        return true;
    case 'h':
        order->help = true;
        return true;
    case 'f':
        order->file = arguments->value;
        return true;
    case 'R':
        order->root = arguments->value;
        return true;
    case '1':
        order->mechanism = SCRAM_SHA_1;
        return true;
    case 'i':
        return slice_u32(slice_of(arguments->value), 10, &order->iterations) &&
               order->iterations >= SCRAM_ITERATIONS_MIN;
    default:
        return false;
    }
}

static bool read_order(struct order *order, struct arguments *arguments)
{
    int option;
    while ((option = arguments_next(arguments, known)) != 0) {
        if (option < 0)
            return false;
        if (take_option(order, arguments, option))
            continue;
        fprintf(stderr, "%s: not a number from %d on: %s\n", PROGRAM, SCRAM_ITERATIONS_MIN,
                arguments->value);
        return false;
    }
    order->name = *arguments->words;
    if (order->help || (order->name != NULL && !arguments->words[1]) != order->list)
        return true;
    fail(order->list ? "a list is of all users" : "the name of one user is expected");
    return false;
}

int passwd_main(int argc, char **argv)
{
    struct order order = {.iterations = CONFIG_SASL_ITERATIONS};
    struct arguments arguments = {.program = PROGRAM, .words = argv + (argc > 0)};
    struct error err = {0};
    if (!read_order(&order, &arguments))
        return 1;
    if (order.help)
        return printf(help, CONFIG_SASL_ITERATIONS) < 0;
    if (!paths_choose(order.root, port_uid() != 0, &err))
        return fail(err.message);
    if (order.file)
        users_set_file(order.file);
    if (order.list)
        return list();
    const char *wrong = order.remove ? NULL : name_refused(order.name);
    if (wrong) {
        fprintf(stderr, "%s: the name can not be used: %s\n", PROGRAM, wrong);
        return 1;
    }
    if (order.remove)
        return users_delete(order.name, &err) ? 0 : fail(err.message);
    return set(&order);
}
