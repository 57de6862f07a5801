// Configuration files in libvirt's syntax: the parser, and storing values by their type.
#include "core/conf.h"

#include "core/assert.h"
#include "core/log.h"
#include "core/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_(symbol) #symbol
#define NUMBER(symbol)  NUMBER_(symbol)

struct conf_parser {
    const struct conf *conf;
    const char *at, *end;
    uint32_t line;
    uint32_t name_line; // of the setting under way
    struct error *err;
};

// --- the syntax

static bool fail(struct conf_parser *p, const char *cause)
{
    return error_set(p->err, VIR_FROM_CONF, VIR_ERR_CONF_SYNTAX, "%s:%u: %s", p->conf->file,
                     p->line, cause);
}

static char peek(const struct conf_parser *p)
{
    return p->at < p->end ? *p->at : '\0';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

static bool at_line_end(const struct conf_parser *p)
{
    return is_line_end(peek(p));
}

static void skip_blanks(struct conf_parser *p)
{
    while (peek(p) == ' ' || peek(p) == '\t')
        p->at++;
}

static void skip_comment(struct conf_parser *p)
{
    while (peek(p) == '#')
        while (p->at < p->end && !at_line_end(p))
            p->at++;
}

static void skip_blanks_and_lines(struct conf_parser *p)
{
    for (skip_blanks(p); at_line_end(p); skip_blanks(p)) {
        p->line += *p->at == '\n';
        p->at++;
    }
}

static bool take_string(struct conf_parser *p, struct slice *string)
{
    struct slice rest = {p->at, (size_t)(p->end - p->at)};
    bool is_long = slice_starts(rest, "\"\"\"");
    char quotes[] = {*p->at, *p->at, *p->at, '\0'};
    quotes[is_long ? 3 : 1] = '\0';
    rest = slice_from(rest, strlen(quotes));
    const char *from = rest.at;
    uint32_t lines = 0;
    while (rest.len && !slice_starts(rest, quotes) && (is_long || !is_line_end(*rest.at))) {
        lines += *rest.at == '\n';
        rest = slice_from(rest, 1);
    }
    if (!slice_starts(rest, quotes))
        return fail(p, "unterminated string");
    *string = (struct slice){from, (size_t)(rest.at - from)};
    if (slice_find(*string, '\0') >= 0)
        return fail(p, "NUL in a string");
    p->line += lines;
    p->at = rest.at + strlen(quotes);
    return true;
}

static bool take_number(struct conf_parser *p, struct conf_value *value)
{
    value->kind = CONF_VALUE_NUMBER;
    value->negative = peek(p) == '-';
    if (peek(p) == '-' || peek(p) == '+')
        p->at++;
    const char *from = p->at;
    while (is_digit(peek(p)))
        p->at++;
    if (p->at == from)
        return fail(p, "unterminated number");
    if (!slice_u64((struct slice){from, (size_t)(p->at - from)}, 10, &value->number))
        return fail(p, "the number is too large");
    return true;
}

// With the cursor behind '['.
static bool take_list(struct conf_parser *p, struct conf_value *value)
{
    value->kind = CONF_VALUE_LIST;
    value->count = 0;
    for (;;) {
        skip_blanks_and_lines(p);
        if (peek(p) == ']')
            break;
        if (value->count == CONF_LIST_ITEMS)
            return fail(p, "too many strings in a list: limit is " NUMBER(CONF_LIST_ITEMS));
        if (p->at == p->end)
            return fail(p, "list is not closed with ]");
        if (peek(p) != '"' && peek(p) != '\'')
            return fail(p, "expecting a value");
        if (!take_string(p, &value->items[value->count++]))
            return false;
        skip_blanks_and_lines(p);
        if (peek(p) == ']')
            break;
        if (peek(p) != ',')
            return fail(p, p->at == p->end ? "list is not closed with ]"
                                           : "expecting a separator in list");
        p->at++;
    }
    p->at++;
    return true;
}

static bool take_value(struct conf_parser *p, struct conf_value *value)
{
    char c = peek(p);
    if (c == '"' || c == '\'') {
        value->kind = CONF_VALUE_STRING;
        return take_string(p, &value->string);
    }
    if (c == '[') {
        p->at++;
        return take_list(p, value);
    }
    if (is_digit(c) || c == '-' || c == '+')
        return take_number(p, value);
    return fail(p, "expecting a value");
}

static bool take_name(struct conf_parser *p, struct slice *name)
{
    const char *from = p->at;
    if (!is_letter(peek(p)))
        return fail(p, "expecting a name");
    while (is_letter(peek(p)) || is_digit(peek(p)) || peek(p) == '_')
        p->at++;
    *name = (struct slice){from, (size_t)(p->at - from)};
    p->name_line = p->line;
    return true;
}

// --- values

static bool refuse_for(const struct conf *conf, uint32_t line, const struct conf_key *key,
                       const char *reason, struct error *err)
{
    return error_set(err, VIR_FROM_CONF, VIR_ERR_CONFIG_UNSUPPORTED, "%s:%u: %s: %s", conf->file,
                     line, key->name, reason);
}

bool conf_refuse(const struct conf *conf, size_t index, const char *reason, struct error *err)
{
    assert(index < conf->key_count);
    return refuse_for(conf, conf->lines[index], &conf->keys[index], reason, err);
}

// In the words of libvirt's messages.
static const char *const type_names[] = {
    [CONF_STRING] = "a string",
    [CONF_BOOL] = "a bool",
    [CONF_UINT32] = "an unsigned integer",
    [CONF_UINT64] = "an unsigned integer",
    [CONF_INT32] = "a signed integer",
    [CONF_LIST] = "a string list",
    [CONF_LOOSE_LIST] = "a string or string list",
};

static bool has_type(const struct conf_value *value, enum conf_type type)
{
    bool is_number = value->kind == CONF_VALUE_NUMBER;
    switch (type) {
    case CONF_STRING:
        return value->kind == CONF_VALUE_STRING;
    case CONF_UINT32:
    case CONF_UINT64:
        return is_number && !value->negative;
    case CONF_BOOL:
    case CONF_INT32:
        return is_number;
    case CONF_LIST:
        return value->kind == CONF_VALUE_LIST;
    case CONF_LOOSE_LIST:
        return !is_number;
    case CONF_ANY:
        break;
    }
    return true;
}

static uint64_t highest(const struct conf_key *key)
{
    if (key->max)
        return key->max;
    if (key->type == CONF_UINT64)
        return UINT64_MAX;
    return key->type == CONF_INT32 ? INT32_MAX : UINT32_MAX;
}

static bool check_range(struct conf_parser *p, const struct conf_key *key,
                        const struct conf_value *value)
{
    if (value->kind != CONF_VALUE_NUMBER || key->type == CONF_ANY)
        return true;
    if (key->type == CONF_BOOL)
        return (value->number <= 1 && !value->negative) ||
               error_set(p->err, VIR_FROM_CONF, VIR_ERR_CONFIG_UNSUPPORTED,
                         "%s:%u: value for '%s' parameter must be 0 or 1", p->conf->file,
                         p->name_line, key->name);
    uint64_t max = highest(key), lowest = key->type == CONF_INT32 ? (uint64_t)1 << 31 : 0;
    if (value->number <= (value->negative ? lowest : max))
        return true;
    return error_set(p->err, VIR_FROM_CONF, VIR_ERR_CONFIG_UNSUPPORTED,
                     "%s:%u: value for '%s' parameter must be in range %s%" PRIu64 ":%" PRIu64,
                     p->conf->file, p->name_line, key->name, lowest ? "-" : "", lowest, max);
}

static bool add_item(struct conf_list *list, struct slice item)
{
    size_t room = sizeof(list->text) - list->length;
    if (room == 0 || !slice_copy(list->text + list->length, room, item))
        return false;
    list->length = (uint16_t)(list->length + item.len + 1);
    list->count++;
    return true;
}

static const char *store_list(struct conf_list *list, const struct conf_value *value)
{
    bool is_single = value->kind == CONF_VALUE_STRING;
    *list = (struct conf_list){.is_set = true};
    for (size_t i = 0; i < (is_single ? 1 : value->count); i++)
        if (!add_item(list, is_single ? value->string : value->items[i]))
            return "the list is too long: limit is " NUMBER(CONF_LIST_TEXT) " bytes";
    return NULL;
}

static const char *store(const struct conf_key *key, void *field, const struct conf_value *value)
{
    int64_t number = value->negative ? -(int64_t)value->number : (int64_t)value->number;
    if (key->convert)
        return key->convert(field, value);
    if (key->size == 0)
        return NULL;
    switch (key->type) {
    case CONF_STRING:
        return slice_copy(field, key->size, value->string) ? NULL : "the string is too long";
    case CONF_BOOL:
        *(bool *)field = value->number == 1;
        return NULL;
    case CONF_UINT32:
        *(uint32_t *)field = (uint32_t)value->number;
        return NULL;
    case CONF_UINT64:
        *(uint64_t *)field = value->number;
        return NULL;
    case CONF_INT32:
        *(int32_t *)field = (int32_t)number;
        return NULL;
    case CONF_LIST:
    case CONF_LOOSE_LIST:
        return store_list(field, value);
    case CONF_ANY:
        break;
    }
    return NULL;
}

static bool take_setting(struct conf_parser *p, size_t index, const struct conf_value *value)
{
    const struct conf *conf = p->conf;
    const struct conf_key *key = &conf->keys[index];
    if (!has_type(value, key->type))
        return error_set(p->err, VIR_FROM_CONF, VIR_ERR_CONFIG_UNSUPPORTED,
                         "%s:%u: expected %s for '%s' parameter", conf->file, p->name_line,
                         type_names[key->type], key->name);
    if (!check_range(p, key, value))
        return false;
    const char *reason = key->check ? key->check(value) : NULL;
    if (reason)
        return refuse_for(conf, p->name_line, key, reason, p->err);
    if (conf->lines[index])
        return true;
    conf->lines[index] = p->name_line;
    reason = store(key, (char *)conf->base + key->offset, value);
    return !reason || refuse_for(conf, p->name_line, key, reason, p->err);
}

static bool switches_off(const struct conf_value *value)
{
    return (value->kind == CONF_VALUE_NUMBER && value->number == 0) ||
           (value->kind == CONF_VALUE_LIST && value->count == 0);
}

static void warn_of_idle(const struct conf_parser *p, struct slice name,
                         const struct conf_value *value)
{
    if (!switches_off(value))
        log_warning("conf", "%s:%u: %.*s has no effect in this daemon", p->conf->file, p->name_line,
                    SLICE_ARG(name));
}

// --- the file

static ptrdiff_t index_of(const struct conf *conf, struct slice name)
{
    for (size_t i = 0; i < conf->key_count; i++)
        if (slice_is(name, conf->keys[i].name))
            return (ptrdiff_t)i;
    return -1;
}

// name = value, up to the end of the line.
static bool take_statement(struct conf_parser *p)
{
    struct slice name;
    struct conf_value value = {0};
    if (!take_name(p, &name))
        return false;
    ptrdiff_t index = index_of(p->conf, name);
    bool listed = words_index(p->conf->idle, name) >= 0;
    if (index < 0 && !listed)
        return error_set(p->err, VIR_FROM_CONF, VIR_ERR_CONFIG_UNSUPPORTED,
                         "%s:%u: unknown parameter '%.*s'", p->conf->file, p->line,
                         SLICE_ARG(name));
    skip_blanks(p);
    if (peek(p) != '=')
        return fail(p, "expecting an assignment");
    p->at++;
    skip_blanks(p);
    if (!take_value(p, &value) || (!listed && !take_setting(p, (size_t)index, &value)))
        return false;
    if (listed || p->conf->keys[index].idle)
        warn_of_idle(p, name, &value);
    skip_blanks(p);
    skip_comment(p);
    if (p->at == p->end || at_line_end(p))
        return true;
    if (peek(p) != ';')
        return fail(p, "expecting a separator");
    p->at++;
    return true;
}

bool conf_read(const struct conf *conf, struct slice text, struct error *err)
{
    struct conf_parser p = {
        .conf = conf, .at = text.at, .end = text.at + text.len, .line = 1, .err = err};
    memset(conf->lines, 0, conf->key_count * sizeof(conf->lines[0]));
    for (;;) {
        skip_blanks_and_lines(&p);
        if (p.at == p.end)
            return true;
        if (peek(&p) == '#')
            skip_comment(&p);
        else if (!take_statement(&p))
            return false;
    }
}

// --- lists

const char *conf_list_next(const struct conf_list *list, const char *before)
{
    const char *next = before ? before + strlen(before) + 1 : list->text;
    return next < list->text + list->length ? next : NULL;
}

bool conf_list_has(const struct conf_list *list, const char *string)
{
    for (const char *item = conf_list_next(list, NULL); item; item = conf_list_next(list, item))
        if (strcmp(item, string) == 0)
            return true;
    return false;
}
