// The log: what the daemon tells its administrator, with libvirt's levels.
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>

enum log_level {
    LOG_LEVEL_DEBUG = 1,
    LOG_LEVEL_INFO = 2,
    LOG_LEVEL_WARNING = 3,
    LOG_LEVEL_ERROR = 4
};

// `module` is the part of the daemon that speaks ("rpc", "qemu"): log filters match it.
void log_message(enum log_level level, const char *module, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Whether a message of that level would go anywhere.
bool log_wanted(enum log_level level, const char *module);

#define log_at(level, module, ...)                                                                 \
    do {                                                                                           \
        if (log_wanted(level, module))                                                             \
            log_message(level, module, __VA_ARGS__);                                               \
    } while (0)
#define log_debug(module, ...)   log_at(LOG_LEVEL_DEBUG, module, __VA_ARGS__)
#define log_info(module, ...)    log_at(LOG_LEVEL_INFO, module, __VA_ARGS__)
#define log_warning(module, ...) log_at(LOG_LEVEL_WARNING, module, __VA_ARGS__)
#define log_error(module, ...)   log_at(LOG_LEVEL_ERROR, module, __VA_ARGS__)

#endif
