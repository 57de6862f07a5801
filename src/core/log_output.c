// The log's outputs: standard error, files, the system's log, the journal.
#include "core/log_output.h"

#include "core/config.h"
#include "port/port.h"

#include <stdio.h>
#include <string.h>

enum { STANDARD_ERROR = 2 };

struct log_output;

// A destination: how it is opened and written to. Both return false when it is not possible.
struct log_sink {
    const char *name;
    bool has_argument;
    bool (*open)(struct log_output *output, struct error *err);
    bool (*write)(struct log_output *output, const struct log_line *line);
};

struct log_output {
    const struct log_sink *sink;
    enum log_level level;
    int fd;
    unsigned lost;            // messages since the last one that went through
    char name[PORT_PATH_MAX]; // path of a file, identity for the system's log
};

struct log_outputs {
    struct log_output list[CONFIG_LOG_OUTPUTS];
    size_t count;
};

// --- the destinations

static bool open_stderr(struct log_output *output, struct error *err)
{
    (void)err;
    output->fd = STANDARD_ERROR;
    return true;
}

static bool open_file(struct log_output *output, struct error *err)
{
    output->fd =
        port_open(output->name, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_APPEND, 0600);
    return output->fd >= 0 ||
           error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "failed to open %s: %s",
                     output->name, strerror(-output->fd));
}

static bool open_syslog(struct log_output *output, struct error *err)
{
    (void)err;
    port_syslog_open(output->name);
    return true;
}

static bool open_journal(struct log_output *output, struct error *err)
{
    output->fd = port_journal_open();
    return output->fd >= 0 ||
           error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                     "failed to connect to systemd-journald: %s", strerror(-output->fd));
}

static bool write_line(int fd, const struct log_line *line)
{
    struct port_span spans[] = {
        {line->head, strlen(line->head)},
        {line->module, strlen(line->module)},
        {" : ", 3},
        {line->text, strlen(line->text)},
        {"\n", 1},
    };
    return port_writev(fd, spans, sizeof(spans) / sizeof(spans[0])) > 0;
}

// Standard error is a descriptor that we share, so it can not be made non-blocking. A pipe that is
// ready takes PIPE_BUF bytes (POSIX), which a line does not exceed.
static bool write_stderr(struct log_output *output, const struct log_line *line)
{
    struct port_poll ready = {.fd = output->fd, .events = PORT_POLL_OUT};
    return port_poll(&ready, 1, 0) == 1 && (ready.revents & PORT_POLL_OUT) &&
           write_line(output->fd, line);
}

static bool write_file(struct log_output *output, const struct log_line *line)
{
    return write_line(output->fd, line);
}

static bool write_syslog(struct log_output *output, const struct log_line *line)
{
    (void)output;
    char text[LOG_MESSAGE_MAX + 256];
    snprintf(text, sizeof(text), "%s : %s", line->module, line->text);
    port_syslog((int)line->level, text);
    return true;
}

static void put_le64(char to[8], uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        to[i] = (char)(value >> 8 * i & 0xFF);
}

// The journal's native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL): a datagram of fields.
// The message may hold line ends, so it has its length in front. Field names as libvirt's.
static bool write_journal(struct log_output *output, const struct log_line *line)
{
    static const int priorities[] = {0, 7, 6, 4, 3}; // syslog's numbers
    size_t text_len = strlen(line->text);
    char length[8], fields[160];
    put_le64(length, text_len);
    int fields_len = snprintf(fields, sizeof(fields),
                              "\nPRIORITY=%d\nLIBVIRT_SOURCE=%s\nSYSLOG_IDENTIFIER=nanovirtd\n",
                              priorities[line->level], line->module);
    struct port_span spans[] = {
        {"MESSAGE\n", 8},
        {length, sizeof(length)},
        {line->text, text_len},
        {fields, fields_len < (int)sizeof(fields) ? (size_t)fields_len : sizeof(fields) - 1},
    };
    return port_writev(output->fd, spans, sizeof(spans) / sizeof(spans[0])) > 0;
}

static const struct log_sink sinks[] = {
    {"stderr", false, open_stderr, write_stderr},
    {"syslog", true, open_syslog, write_syslog},
    {"file", true, open_file, write_file},
    {"journald", false, open_journal, write_journal},
};

// --- the list of outputs

static struct log_outputs sets[2];
static struct log_outputs *outputs, *outputs_to_be = &sets[0];
static char default_outputs[PORT_PATH_MAX + 16];

// Until outputs are set, standard error takes everything.
static struct log_outputs *outputs_in_use(void)
{
    if (!outputs) {
        outputs = &sets[1];
        outputs->list[0].sink = &sinks[0];
        outputs->list[0].level = LOG_LEVEL_DEBUG;
        outputs->list[0].fd = STANDARD_ERROR;
        outputs->count = 1;
    }
    return outputs;
}

static const struct log_sink *sink_named(struct slice name)
{
    for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++)
        if (slice_is(name, sinks[i].name))
            return &sinks[i];
    return NULL;
}

bool log_parse_level(struct slice text, enum log_level *level)
{
    uint32_t number;
    if (!slice_u32(text, 10, &number) || number < LOG_LEVEL_DEBUG || number > LOG_LEVEL_ERROR)
        return false;
    *level = (enum log_level)number;
    return true;
}

static bool set_name(struct log_output *output, struct slice argument)
{
    char name[PORT_PATH_MAX];
    output->name[0] = '\0';
    if (!output->sink->has_argument)
        return true;
    if (argument.len == 0 || !slice_copy(name, sizeof(name), argument))
        return false;
    if (output->sink->open == open_file)
        return port_absolute_path(name, output->name, sizeof(output->name)) == 0;
    return slice_copy(output->name, sizeof(output->name), argument);
}

static bool parse_output(struct slice text, struct log_output *output, struct error *err)
{
    struct slice rest = text, level, name, argument = SLICE_NONE;
    if (!slice_split(&rest, ':', &level) || !slice_split(&rest, ':', &name))
        return error_set(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                         "Malformed format for log output '%.*s'", SLICE_ARG(text));
    bool has_argument = slice_split(&rest, ':', &argument);
    output->sink = sink_named(name);
    output->fd = -1;
    output->lost = 0;
    if (!log_parse_level(level, &output->level))
        return error_set(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                         "Invalid log priority '%.*s' for log output '%.*s'", SLICE_ARG(level),
                         SLICE_ARG(text));
    if (!output->sink)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                         "Invalid log destination '%.*s' for log output '%.*s'", SLICE_ARG(name),
                         SLICE_ARG(text));
    if (has_argument != output->sink->has_argument || rest.at || !set_name(output, argument))
        return error_set(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                         "Log output '%.*s' does not meet the format requirements for destination "
                         "type '%s'",
                         SLICE_ARG(text), output->sink->name);
    return true;
}

// Of two outputs to the same place the later one counts. There is one identity for the system's
// log, so that one counts by its kind alone.
static void drop_duplicate(struct log_outputs *set)
{
    const struct log_output *last = &set->list[set->count - 1];
    for (size_t i = 0; i + 1 < set->count; i++) {
        const struct log_output *other = &set->list[i];
        if (other->sink != last->sink ||
            (last->sink->open != open_syslog && strcmp(other->name, last->name) != 0))
            continue;
        memmove(&set->list[i], &set->list[i + 1], (set->count - i - 1) * sizeof(set->list[0]));
        set->count--;
        return;
    }
}

bool log_check_outputs(struct slice text, struct error *err)
{
    struct log_outputs *set = outputs_to_be;
    struct slice part;
    set->count = 0;
    while (slice_split(&text, ' ', &part)) {
        if (part.len == 0)
            continue;
        if (set->count == CONFIG_LOG_OUTPUTS)
            return error_set(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                             "too many log outputs: limit is %d, CONFIG_LOG_OUTPUTS",
                             CONFIG_LOG_OUTPUTS);
        if (!parse_output(part, &set->list[set->count], err))
            return false;
        set->count++;
        drop_duplicate(set);
    }
    return true;
}

static void close_outputs(struct log_outputs *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->list[i].fd > STANDARD_ERROR)
            port_close(set->list[i].fd);
    set->count = 0;
}

bool log_set_outputs(struct slice text, struct error *err)
{
    struct log_outputs *next = outputs_to_be, *before = outputs_in_use();
    if (slice_trim(text).len == 0)
        text = default_outputs[0] ? slice_of(default_outputs) : SLICE("1:stderr");
    if (!log_check_outputs(text, err))
        return false;
    for (size_t i = 0; i < next->count; i++)
        if (!next->list[i].sink->open(&next->list[i], err)) {
            close_outputs(next);
            return false;
        }
    close_outputs(before);
    outputs = next;
    outputs_to_be = before;
    return true;
}

uint32_t log_put_outputs(struct buffer *out)
{
    const struct log_outputs *set = outputs_in_use();
    for (size_t i = 0; i < set->count; i++) {
        const struct log_output *output = &set->list[i];
        buffer_printf(out, "%s%d:%s", i ? " " : "", (int)output->level, output->sink->name);
        if (output->sink->has_argument)
            buffer_printf(out, ":%s", output->name);
    }
    return (uint32_t)set->count;
}

bool log_set_default_output(bool is_daemon, const char *file, struct error *err)
{
    int level = (int)log_get_level(), journal = is_daemon ? port_journal_open() : -1;
    if (journal >= 0) {
        port_close(journal);
        snprintf(default_outputs, sizeof(default_outputs), "%d:journald",
                 level == LOG_LEVEL_DEBUG ? LOG_LEVEL_INFO : level);
    } else if (is_daemon) {
        snprintf(default_outputs, sizeof(default_outputs), "%d:file:%s", level, file);
    } else {
        snprintf(default_outputs, sizeof(default_outputs), "%d:stderr", level);
    }
    return log_set_outputs(SLICE(""), err);
}

bool log_output_wants(enum log_level level)
{
    const struct log_outputs *set = outputs_in_use();
    for (size_t i = 0; i < set->count; i++)
        if (level >= set->list[i].level)
            return true;
    return false;
}

static void write_output(struct log_output *output, const struct log_line *line)
{
    if (output->lost) {
        char text[64];
        snprintf(text, sizeof(text), "%u messages were lost", output->lost);
        if (output->sink->write(output,
                                &(struct log_line){LOG_LEVEL_WARNING, "log", line->head, text}))
            output->lost = 0;
    }
    if (!output->sink->write(output, line))
        output->lost++;
}

void log_output_write(const struct log_line *line)
{
    struct log_outputs *set = outputs_in_use();
    for (size_t i = 0; i < set->count; i++)
        if (line->level >= set->list[i].level)
            write_output(&set->list[i], line);
}
