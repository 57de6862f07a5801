// Commands: the programs that are in this binary besides the daemon.
#ifndef DAEMON_COMMANDS_H
#define DAEMON_COMMANDS_H

// A program: its exit status. argv[0] is the name it was called by.
typedef int command_main(int argc, char **argv);

command_main acl_check_main, passwd_main, ssh_helper_main;

// The command that argv asks for: by the name of the binary (a link named "virt-ssh-helper"), or as
// its first word ("nanovirtd passwd ..."). NULL for the daemon. With a first word, *shift is 1: the
// arguments begin one further.
command_main *commands_find(int argc, char **argv, int *shift);
// A line for each, for --help.
void commands_print_help(void);

#endif
