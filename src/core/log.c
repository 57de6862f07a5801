// The log: levels and filters, and how a message is made.
#include "core/log.h"

#include "core/config.h"
#include "core/log_output.h"
#include "port/port.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct log_filter {
    enum log_level level;
    char match[64]; // with a '*' at both ends
};

struct log_filters {
    struct log_filter list[CONFIG_LOG_FILTERS];
    size_t count;
};

static struct log_filters filters, filters_to_be;
static enum log_level default_level = LOG_LEVEL_WARNING;
static enum log_level lowest_level = LOG_LEVEL_WARNING; // of all filters and the default

// --- filters

static enum log_level level_of(const char *module)
{
    for (size_t i = 0; i < filters.count; i++)
        if (slice_matches(slice_of(module), filters.list[i].match))
            return filters.list[i].level;
    return default_level;
}

static void find_lowest_level(void)
{
    lowest_level = default_level;
    for (size_t i = 0; i < filters.count; i++)
        if (filters.list[i].level < lowest_level)
            lowest_level = filters.list[i].level;
}

void log_set_level(enum log_level level)
{
    default_level = level;
    find_lowest_level();
}

enum log_level log_get_level(void)
{
    return default_level;
}

static bool parse_filter(struct slice text, struct log_filter *filter, struct error *err)
{
    struct slice rest = text, level, match;
    if (!slice_split(&rest, ':', &level) || !slice_split(&rest, ':', &match))
        return error_set(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                         "Malformed format for filter '%.*s'", SLICE_ARG(text));
    if (!log_parse_level(level, &filter->level))
        return error_set(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                         "Invalid priority '%.*s' for filter '%.*s'", SLICE_ARG(level),
                         SLICE_ARG(text));
    struct slice plain = slice_starts(match, "+") ? slice_from(match, 1) : match;
    if (plain.len == 0 || plain.len + 3 > sizeof(filter->match))
        return error_set(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Invalid match string '%.*s'",
                         SLICE_ARG(match));
    snprintf(filter->match, sizeof(filter->match), "*%.*s*", SLICE_ARG(plain));
    return true;
}

bool log_check_filters(struct slice text, struct error *err)
{
    struct slice part;
    filters_to_be.count = 0;
    while (slice_split(&text, ' ', &part)) {
        if (part.len == 0)
            continue;
        if (filters_to_be.count == CONFIG_LOG_FILTERS)
            return error_set(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                             "too many log filters: limit is %d, CONFIG_LOG_FILTERS",
                             CONFIG_LOG_FILTERS);
        if (!parse_filter(part, &filters_to_be.list[filters_to_be.count], err))
            return false;
        filters_to_be.count++;
    }
    return true;
}

bool log_set_filters(struct slice text, struct error *err)
{
    if (!log_check_filters(text, err))
        return false;
    filters = filters_to_be;
    find_lowest_level();
    return true;
}

uint32_t log_put_filters(struct buffer *out)
{
    for (size_t i = 0; i < filters.count; i++)
        buffer_printf(out, "%s%d:%s", i ? " " : "", (int)filters.list[i].level,
                      filters.list[i].match);
    return (uint32_t)filters.count;
}

// --- messages

bool log_wanted(enum log_level level, const char *module)
{
    return level >= lowest_level && log_output_wants(level) && level >= level_of(module);
}

// libvirt's time stamp: "2026-11-23 00:11:22.333+0000".
static void put_time(struct buffer *b)
{
    int64_t now = port_time_us();
    time_t seconds = (time_t)(now / 1000000);
    const struct tm *utc = gmtime(&seconds);
    char text[32] = "";
    if (utc)
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", utc);
    buffer_printf(b, "%s.%03d+0000", text, (int)(now / 1000 % 1000));
}

// Much of a message comes from clients and guests. No part of it can look like another message: a
// further line is indented, and control characters do not reach a terminal.
static void put_text(struct buffer *b, const char *text)
{
    for (; *text; text++) {
        bool is_control = (unsigned char)*text < ' ' || *text == 0x7F;
        if (*text == '\n')
            buffer_puts(b, text[1] ? "\n    " : "");
        else
            buffer_putc(b, is_control && *text != '\t' ? '?' : *text);
    }
}

void log_message(enum log_level level, const char *module, const char *format, ...)
{
    static const char *const level_names[] = {"", "debug", "info", "warning", "error"};
    char raw[LOG_MESSAGE_MAX], text[LOG_MESSAGE_MAX + 256], head[128];
    va_list args;
    if (!log_wanted(level, module))
        return;
    va_start(args, format);
    vsnprintf(raw, sizeof(raw), format, args);
    va_end(args);
    struct buffer clean = buffer_over(text, sizeof(text));
    put_text(&clean, raw);
    struct buffer line_head = buffer_over(head, sizeof(head));
    put_time(&line_head);
    buffer_printf(&line_head, ": %d: %s : ", port_pid(), level_names[level]);
    log_output_write(&(struct log_line){level, module, head, text});
}
