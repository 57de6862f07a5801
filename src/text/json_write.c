// JSON: the writer.
#include "text/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// RFC 8259 section 7: quotes, backslashes and control characters are escaped.
static void put_escaped(struct buffer *out, struct slice text)
{
    static const char meanings[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    size_t start = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c != '"' && c != '\\' && (unsigned char)c >= ' ')
            continue;
        buffer_put(out, (struct slice){text.at + start, i - start});
        const char *found = c ? strchr(meanings, c) : NULL;
        if (found)
            buffer_printf(out, "\\%c", letters[found - meanings]);
        else
            buffer_printf(out, "\\u%04x", (unsigned)c);
        start = i + 1;
    }
    buffer_put(out, slice_from(text, start));
}

static void put_quoted(struct buffer *out, struct slice text)
{
    buffer_putc(out, '"');
    put_escaped(out, text);
    buffer_putc(out, '"');
}

// What stands before a value: the comma that the one before it needs, and the key.
static void begin(struct json_writer *w, struct slice key)
{
    if (w->comma)
        buffer_putc(w->out, ',');
    if (slice_present(key)) {
        put_quoted(w->out, key);
        buffer_putc(w->out, ':');
    }
    w->comma = true;
}

static void open_bracket(struct json_writer *w, struct slice key, char bracket)
{
    begin(w, key);
    buffer_putc(w->out, bracket);
    w->comma = false;
}

static void close_bracket(struct json_writer *w, char bracket)
{
    buffer_putc(w->out, bracket);
    w->comma = true;
}

struct json_writer json_writer_to(struct buffer *out)
{
    return (struct json_writer){.out = out};
}

void json_open_object(struct json_writer *w, const char *key)
{
    open_bracket(w, slice_of(key), '{');
}

void json_close_object(struct json_writer *w)
{
    close_bracket(w, '}');
}

void json_open_array(struct json_writer *w, const char *key)
{
    open_bracket(w, slice_of(key), '[');
}

void json_close_array(struct json_writer *w)
{
    close_bracket(w, ']');
}

void json_put_string(struct json_writer *w, const char *key, struct slice value)
{
    begin(w, slice_of(key));
    put_quoted(w->out, value);
}

void json_puts(struct json_writer *w, const char *key, const char *value)
{
    json_put_string(w, key, slice_of(value));
}

void json_putf(struct json_writer *w, const char *key, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof(text)) {
        w->out->full = true;
        return;
    }
    json_put_string(w, key, (struct slice){text, (size_t)length});
}

void json_put_i64(struct json_writer *w, const char *key, int64_t value)
{
    begin(w, slice_of(key));
    buffer_printf(w->out, "%" PRId64, value);
}

void json_put_u64(struct json_writer *w, const char *key, uint64_t value)
{
    begin(w, slice_of(key));
    buffer_printf(w->out, "%" PRIu64, value);
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
    begin(w, slice_of(key));
    buffer_puts(w->out, value ? "true" : "false");
}

void json_put_null(struct json_writer *w, const char *key)
{
    begin(w, slice_of(key));
    buffer_puts(w->out, "null");
}

void json_put_raw(struct json_writer *w, const char *key, struct slice json)
{
    begin(w, slice_of(key));
    buffer_put(w->out, json);
}

// Recursion goes as deep as the parser lets values nest, CONFIG_JSON_DEPTH.
static void put_value(struct json_writer *w, struct slice key, const struct json_value *value)
{
    bool is_object = value->kind == JSON_OBJECT;
    if (!is_object && value->kind != JSON_ARRAY) {
        begin(w, key);
        buffer_put(w->out, value->raw);
        return;
    }
    open_bracket(w, key, is_object ? '{' : '[');
    for (const struct json_value *child = value->child; child; child = child->next)
        put_value(w, child->key, child);
    close_bracket(w, is_object ? '}' : ']');
}

void json_put_value(struct json_writer *w, const char *key, const struct json_value *value)
{
    if (value)
        put_value(w, slice_of(key), value);
    else
        json_put_null(w, key);
}
