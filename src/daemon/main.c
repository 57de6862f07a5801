// nanovirtd: the command line.
#include "daemon/commands.h"
#include "daemon/daemon.h"

int main(int argc, char **argv)
{
    struct options options = {0};
    int shift;
    command_main *command = commands_find(argc, argv, &shift);
    if (command)
        return command(argc - shift, argv + shift);
    switch (options_read(&options, argc, argv)) {
    case OPTIONS_EXIT_GOOD:
        return 0;
    case OPTIONS_EXIT_BAD:
        return 1;
    case OPTIONS_RUN:
        break;
    }
    return daemon_run(&options);
}
