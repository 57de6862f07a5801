// Commands: one table, looked up by the name of the binary and by the first word.
#include "daemon/commands.h"

#include "core/config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    command_main *main;
    const char *help;
};

static const struct command commands[] = {
#ifdef CONFIG_ACCESS
    {"acl-check", acl_check_main, "what the access rules allow"},
#endif
#ifdef CONFIG_SASL
    {"passwd", passwd_main, "set, delete and list passwords"},
#endif
#ifdef CONFIG_SSH_HELPER
    {"virt-ssh-helper", ssh_helper_main, "carry a connection that came over SSH"},
#endif
    {NULL, NULL, NULL},
};

static command_main *find(const char *name)
{
    for (const struct command *command = commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command->main;
    return NULL;
}

command_main *commands_find(int argc, char **argv, int *shift)
{
    *shift = 0;
    if (argc < 1)
        return NULL;
    const char *slash = strrchr(argv[0], '/');
    command_main *command = find(slash ? slash + 1 : argv[0]);
    if (command || argc < 2)
        return command;
    *shift = 1;
    return find(argv[1]);
}

void commands_print_help(void)
{
    for (const struct command *command = commands; command->name; command++)
        printf("  %-26s %s\n", command->name, command->help);
}
