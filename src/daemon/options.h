// Options: the command line, as libvirtd's.
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *config;   // -f, --config FILE
    const char *pid_file; // -p, --pid-file FILE
    const char *root;     // --root DIR
    uint32_t timeout;     // -t, --timeout SECONDS; 0: none
    bool daemon;          // -d, --daemon
    bool listen;          // -l, --listen
    bool verbose;         // -v, --verbose
};

enum options_result { OPTIONS_RUN, OPTIONS_EXIT_GOOD, OPTIONS_EXIT_BAD };

// Reads the command line. With -h, -V or a mistake it has said what there is to say.
enum options_result options_read(struct options *options, int argc, char **argv);

#endif
