// JSON: the parser (RFC 8259). It keeps its own stack of open values, so that nothing a guest sends
// can make it recurse.
#include "text/json.h"

#include "text/utf8.h"

#include <string.h>

struct json_parser {
    struct json_doc *doc;
    const char *start, *end, *at;
    struct json_value *open[CONFIG_JSON_DEPTH]; // the arrays and objects around the cursor
    struct json_value *last[CONFIG_JSON_DEPTH]; // the last child of each
    unsigned depth;
    struct error *err;
};

enum { SOURCE_SHOWN = 100 };

static bool fail(struct json_parser *p, const char *cause)
{
    struct slice shown = {p->start, (size_t)(p->end - p->start)};
    if (shown.len > SOURCE_SHOWN)
        shown.len = SOURCE_SHOWN;
    char memory[SOURCE_SHOWN + 1];
    struct buffer printable = buffer_over(memory, sizeof(memory));
    utf8_put_printable(&printable, shown);
    return error_set(p->err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                     "cannot parse json %s: %s at byte %td", memory, cause, p->at - p->start);
}

static bool fail_limit(struct json_parser *p, const char *what, unsigned limit, const char *name)
{
    return error_set(p->err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                     "cannot parse json: %s: limit is %u, %s", what, limit, name);
}

static char peek(const struct json_parser *p)
{
    return p->at < p->end ? *p->at : '\0';
}

static void skip_blanks(struct json_parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

// --- strings

static bool put_text(struct json_parser *p, const char *at, size_t len)
{
    struct json_doc *doc = p->doc;
    if (len > CONFIG_JSON_TEXT - doc->text_len)
        return fail_limit(p, "too much decoded text", CONFIG_JSON_TEXT, "CONFIG_JSON_TEXT");
    if (len)
        memcpy(doc->text + doc->text_len, at, len);
    doc->text_len += len;
    return true;
}

// Four hexadecimal digits.
static bool take_hex(struct json_parser *p, uint32_t *unit)
{
    uint64_t value;
    struct slice digits = {p->at, 4};
    bool prefixed = p->end - p->at >= 4 && (p->at[1] == 'x' || p->at[1] == 'X');
    if (p->end - p->at < 4 || prefixed || !slice_u64(digits, 16, &value))
        return fail(p, "invalid \\u escape");
    p->at += 4;
    *unit = (uint32_t)value;
    return true;
}

// What follows "\u". Half a surrogate pair stands for no character and becomes U+FFFD.
static bool take_unicode(struct json_parser *p)
{
    uint32_t character, low;
    char utf8[4];
    if (!take_hex(p, &character))
        return false;
    bool is_high = character >= 0xD800 && character <= 0xDBFF;
    if (is_high && p->end - p->at >= 6 && p->at[0] == '\\' && p->at[1] == 'u') {
        const char *before = p->at;
        p->at += 2;
        if (!take_hex(p, &low))
            return false;
        if (low >= 0xDC00 && low <= 0xDFFF)
            character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
        else
            p->at = before;
    }
    if (character >= 0xD800 && character <= 0xDFFF)
        character = 0xFFFD;
    return put_text(p, utf8, utf8_write(character, utf8));
}

// With the cursor at the backslash.
static bool take_escape(struct json_parser *p)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    p->at++;
    char c = peek(p);
    const char *found = c ? strchr(letters, c) : NULL;
    if (c != 'u' && !found)
        return fail(p, "invalid escape in a string");
    p->at++;
    return found ? put_text(p, &meanings[found - letters], 1) : take_unicode(p);
}

// Over characters that stand for themselves.
static bool skip_plain(struct json_parser *p)
{
    uint32_t character;
    while (p->at < p->end && *p->at != '"' && *p->at != '\\') {
        if ((unsigned char)*p->at < ' ')
            return fail(p, "control character in a string");
        unsigned length = 1;
        if ((unsigned char)*p->at >= 0x80)
            length = utf8_read((struct slice){p->at, (size_t)(p->end - p->at)}, &character);
        if (length == 0)
            return fail(p, "invalid UTF-8 in a string");
        p->at += length;
    }
    return p->at < p->end || fail(p, "premature end");
}

// A string without escapes stays in the source; another is decoded into the document.
static bool take_string(struct json_parser *p, struct slice *string)
{
    const char *from = ++p->at;
    size_t base = p->doc->text_len;
    if (!skip_plain(p))
        return false;
    if (*p->at == '"') {
        *string = (struct slice){from, (size_t)(p->at++ - from)};
        return true;
    }
    while (*p->at == '\\') {
        if (!put_text(p, from, (size_t)(p->at - from)) || !take_escape(p))
            return false;
        from = p->at;
        if (!skip_plain(p))
            return false;
    }
    if (!put_text(p, from, (size_t)(p->at - from)))
        return false;
    p->at++;
    *string = (struct slice){p->doc->text + base, p->doc->text_len - base};
    return true;
}

// --- numbers and words

static bool skip_digits(struct json_parser *p)
{
    const char *from = p->at;
    while (peek(p) >= '0' && peek(p) <= '9')
        p->at++;
    return p->at > from || fail(p, "invalid number");
}

// RFC 8259 section 6: no leading zeros, no bare point.
static bool take_number(struct json_parser *p, struct slice *number)
{
    const char *from = p->at;
    if (peek(p) == '-')
        p->at++;
    if (peek(p) == '0')
        p->at++;
    else if (!skip_digits(p))
        return false;
    if (peek(p) == '.') {
        p->at++;
        if (!skip_digits(p))
            return false;
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        p->at++;
        if (peek(p) == '+' || peek(p) == '-')
            p->at++;
        if (!skip_digits(p))
            return false;
    }
    *number = (struct slice){from, (size_t)(p->at - from)};
    return true;
}

static bool take_word(struct json_parser *p, struct json_value *value)
{
    static const struct {
        const char *word;
        enum json_kind kind;
        bool truth;
    } words[] = {
        {"true", JSON_BOOL, true}, {"false", JSON_BOOL, false}, {"null", JSON_NULL, false}};
    struct slice rest = {p->at, (size_t)(p->end - p->at)};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (slice_starts(rest, words[i].word)) {
            value->kind = words[i].kind;
            value->truth = words[i].truth;
            p->at += strlen(words[i].word);
            return true;
        }
    return fail(p, p->at == p->end ? "premature end" : "unexpected character");
}

// --- values

static struct json_value *new_value(struct json_parser *p)
{
    struct json_doc *doc = p->doc;
    if (doc->value_count == CONFIG_JSON_VALUES) {
        fail_limit(p, "too many values", CONFIG_JSON_VALUES, "CONFIG_JSON_VALUES");
        return NULL;
    }
    struct json_value *value = &doc->values[doc->value_count++];
    memset(value, 0, sizeof(*value));
    if (p->depth == 0) {
        doc->root = value;
        return value;
    }
    struct json_value *parent = p->open[p->depth - 1], **last = &p->last[p->depth - 1];
    *(*last ? &(*last)->next : &parent->child) = value;
    *last = value;
    parent->count++;
    return value;
}

static bool open_value(struct json_parser *p, struct json_value *value, enum json_kind kind)
{
    if (p->depth == CONFIG_JSON_DEPTH)
        return fail_limit(p, "values nested too deep", CONFIG_JSON_DEPTH, "CONFIG_JSON_DEPTH");
    value->kind = kind;
    value->raw.at = p->at++;
    p->open[p->depth] = value;
    p->last[p->depth++] = NULL;
    return true;
}

static void close_value(struct json_parser *p)
{
    p->at++;
    struct json_value *value = p->open[--p->depth];
    value->raw.len = (size_t)(p->at - value->raw.at);
}

static bool take_key(struct json_parser *p, struct slice *key)
{
    if (peek(p) != '"')
        return fail(p, p->at == p->end ? "premature end" : "a member needs a name in quotes");
    if (!take_string(p, key))
        return false;
    skip_blanks(p);
    if (peek(p) != ':')
        return fail(p, p->at == p->end ? "premature end" : "':' expected behind a name");
    p->at++;
    skip_blanks(p);
    return true;
}

// A value with its key, where the cursor is; an array or object is left open.
static bool begin_value(struct json_parser *p)
{
    struct slice key = SLICE_NONE;
    if (p->depth && p->open[p->depth - 1]->kind == JSON_OBJECT && !take_key(p, &key))
        return false;
    struct json_value *value = new_value(p);
    if (!value)
        return false;
    value->key = key;
    char c = peek(p);
    if (c == '{' || c == '[')
        return open_value(p, value, c == '{' ? JSON_OBJECT : JSON_ARRAY);
    value->raw.at = p->at;
    bool ok;
    if (c == '"') {
        value->kind = JSON_STRING;
        ok = take_string(p, &value->text);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        value->kind = JSON_NUMBER;
        ok = take_number(p, &value->text);
    } else {
        ok = take_word(p, value);
    }
    value->raw.len = (size_t)(p->at - value->raw.at);
    return ok;
}

static char closer_of(const struct json_value *open)
{
    return open->kind == JSON_OBJECT ? '}' : ']';
}

// Goes on behind a value or an opening bracket, up to the next value or the end.
static bool step(struct json_parser *p)
{
    struct json_value *open = p->open[p->depth - 1];
    skip_blanks(p);
    if (peek(p) == closer_of(open)) {
        close_value(p);
        return true;
    }
    if (open->count) {
        if (peek(p) != ',')
            return fail(p, p->at == p->end ? "premature end" : "',' or a closing bracket expected");
        p->at++;
        skip_blanks(p);
    }
    return begin_value(p);
}

bool json_parse(struct json_doc *doc, struct slice source, struct error *err)
{
    struct json_parser p = {.doc = doc, .err = err};
    p.start = p.at = source.at ? source.at : "";
    p.end = p.start + source.len;
    doc->root = NULL;
    doc->value_count = doc->text_len = 0;
    skip_blanks(&p);
    bool ok = begin_value(&p);
    while (ok && p.depth)
        ok = step(&p);
    skip_blanks(&p);
    if (ok && p.at < p.end)
        ok = fail(&p, "something follows the value");
    if (!ok)
        doc->root = NULL;
    return ok;
}
