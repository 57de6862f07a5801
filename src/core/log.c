// The log: errors and warnings to standard error.
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>

bool log_wanted(enum log_level level, const char *module)
{
    (void)module;
    return level >= LOG_LEVEL_WARNING;
}

void log_message(enum log_level level, const char *module, const char *format, ...)
{
    (void)level;
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", module);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}
