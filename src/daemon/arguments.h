// Arguments: the command lines of the programs that are in this binary besides the daemon.
#ifndef DAEMON_ARGUMENTS_H
#define DAEMON_ARGUMENTS_H

#include <stdbool.h>

struct argument {
    char letter;      // what arguments_next() returns for it
    const char *name; // --name
    bool takes_value;
};

struct arguments {
    const char *program; // for messages
    char **words;        // those that are left, ended by NULL; begin behind the program's name
    const char *value;   // of the option returned last
};

// Takes the next option off the front: -x, --name, and with a value -x VALUE, --name VALUE or
// --name=VALUE. `known` ends with letter 0. Returns its letter; 0 when what is left are no options;
// -1 when it is unknown or its value is missing, which has been said then.
int arguments_next(struct arguments *arguments, const struct argument *known);

#endif
