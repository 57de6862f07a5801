// The log's outputs: where its messages go. Only core/log.c includes this.
#ifndef CORE_LOG_OUTPUT_H
#define CORE_LOG_OUTPUT_H

#include "core/log.h"

struct log_line {
    enum log_level level;
    const char *module;
    const char *head; // time, process and level, for outputs that do not tell these themselves
    const char *text;
};

// "1" to "4".
bool log_parse_level(struct slice text, enum log_level *level);
// Whether any output takes messages of that level.
bool log_output_wants(enum log_level level);
void log_output_write(const struct log_line *line);

#endif
