// The log: what the daemon tells its administrator, with libvirt's levels, filters and outputs
// (libvirtd.conf's log_level, log_filters and log_outputs; https://libvirt.org/logging.html).
//
// Nothing here waits: a message that standard error, the system's log or the journal can not take
// now is dropped and counted, and the next one that goes through tells how many were. A log file
// is written through the page cache.
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/buffer.h"
#include "core/error.h"
#include "core/slice.h"

#include <stdbool.h>

enum log_level {
    LOG_LEVEL_DEBUG = 1,
    LOG_LEVEL_INFO = 2,
    LOG_LEVEL_WARNING = 3, // the default
    LOG_LEVEL_ERROR = 4
};

// `module` is the part of the daemon that speaks ("rpc", "qemu"): log filters match it. Until
// outputs are set, messages go to standard error. What is longer than LOG_MESSAGE_MAX is cut.
#define LOG_MESSAGE_MAX 2048
void log_message(enum log_level level, const char *module, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Whether a message of that level would go anywhere.
bool log_wanted(enum log_level level, const char *module);

// Debug messages stand in the way of each call: what they would say is not even looked at.
#define log_debug(module, ...)                                                                     \
    do {                                                                                           \
        if (log_wanted(LOG_LEVEL_DEBUG, module))                                                   \
            log_message(LOG_LEVEL_DEBUG, module, __VA_ARGS__);                                     \
    } while (0)
#define log_info(module, ...)    log_message(LOG_LEVEL_INFO, module, __VA_ARGS__)
#define log_warning(module, ...) log_message(LOG_LEVEL_WARNING, module, __VA_ARGS__)
#define log_error(module, ...)   log_message(LOG_LEVEL_ERROR, module, __VA_ARGS__)

// --- configuration, at start and through the admin interface.

void log_set_level(enum log_level level); // of modules that no filter matches
enum log_level log_get_level(void);
// "1:qemu 3:rpc": the level of modules whose name contains the text (* and ? are wildcards); the
// first filter that matches counts. "" takes all filters away. VIR_ERR_INVALID_ARG with libvirt's
// wording; nothing has changed then.
bool log_set_filters(struct slice filters, struct error *err);
// "3:stderr", "1:file:PATH", "3:syslog:NAME", "2:journald", separated by blanks: where messages of
// at least that level go. "" sets the default output. Files are opened (may block). Errors as
// above, and VIR_ERR_SYSTEM_ERROR when a file or the journal can not be opened.
bool log_set_outputs(struct slice outputs, struct error *err);
// Only looks whether they could be set, without opening anything.
bool log_check_filters(struct slice filters, struct error *err);
bool log_check_outputs(struct slice outputs, struct error *err);
// The same texts as virt-admin's daemon-log-filters and daemon-log-outputs show them. They return
// how many there are.
uint32_t log_put_filters(struct buffer *out);
uint32_t log_put_outputs(struct buffer *out);
// What "" stands for: standard error, or for a daemon the journal where there is one and else
// `file`, with the current level (the journal never gets debug messages by default).
bool log_set_default_output(bool is_daemon, const char *file, struct error *err);

#endif
