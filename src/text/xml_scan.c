// XML: the scanner. Characters, names, references, and how a failure is told.
#include "text/xml_private.h"

#include "text/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_CONTEXT = 200, MESSAGE_BEFORE = 150 };

// The classes of xml_private.h, one byte for each ASCII character.
// clang-format off
const unsigned char xml_classes[128] = {
     0,  0,  0,  0,  0,  0,  0,  0,  0, 20, 20,  0,  0, 16,  0,  0, // 0x00
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, // 0x10
    28, 12,  4, 12, 12, 12,  0,  4, 12, 12, 12, 12, 12, 14, 14, 12, // 0x20 !"#$%&'()*+,-./
    14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 15, 12,  0, 12, 12, 12, // 0x30 0-9 : ; < = > ?
    12, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, // 0x40 @ A-O
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 12, 12,  8, 12, 15, // 0x50 P-Z [ \ ] ^ _
    12, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, // 0x60 ` a-o
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 12, 12, 12, 12, 12, // 0x70 p-z { | } ~ DEL
};
// clang-format on

// --- failures

// Which part of libvirt a definition's errors come from (the VIR_FROM_THIS of the file that parses
// it).
static const struct {
    const char *what;
    int domain;
} error_domains[] = {
    {"domain_definition", VIR_FROM_DOMAIN},
    {"device_definition", VIR_FROM_DOMAIN},
    {"disk_definition", VIR_FROM_DOMAIN},
    {"domain_snapshot", VIR_FROM_DOMAIN_SNAPSHOT},
    {"domain_checkpoint", VIR_FROM_DOMAIN_CHECKPOINT},
    {"network_definition", VIR_FROM_NETWORK},
    {"networkport_definition", VIR_FROM_NETWORK},
    {"nwfilter_definition", VIR_FROM_NWFILTER},
    {"nwfilterbinding_definition", VIR_FROM_NWFILTER},
    {"interface_definition", VIR_FROM_INTERFACE},
    {"storage_pool_definition", VIR_FROM_STORAGE},
    {"storage_volume_definition", VIR_FROM_STORAGE},
    {"node_device_definition", VIR_FROM_NODEDEV},
    {"CPU_definition", VIR_FROM_CPU},
};

static int error_domain_of(const char *what)
{
    for (size_t i = 0; what && i < sizeof(error_domains) / sizeof(error_domains[0]); i++)
        if (strcmp(what, error_domains[i].what) == 0)
            return error_domains[i].domain;
    return VIR_FROM_XML;
}

uint32_t xml_line_at(struct xml_scanner *s)
{
    while (s->counted < s->at) {
        const char *end = memchr(s->counted, '\n', (size_t)(s->at - s->counted));
        if (!end)
            break;
        s->line++;
        s->counted = end + 1;
    }
    return s->line;
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

// The line the cursor is in, or as much of it as a message can hold, and a pointer under the
// cursor.
static void put_context(struct buffer *b, const struct xml_scanner *s)
{
    const char *line = s->at;
    while (line > s->start && line < s->end && is_line_end(*line))
        line--;
    while (line > s->start && (line == s->end || !is_line_end(*line)))
        line--;
    if (line < s->end && is_line_end(*line))
        line++;
    if (s->at - line > MESSAGE_BEFORE)
        line = s->at - MESSAGE_BEFORE;
    while (line < s->at && ((unsigned char)*line & 0xC0) == 0x80)
        line++;
    const char *end = line;
    while (end < s->end && !is_line_end(*end) && end - line < MESSAGE_CONTEXT)
        end++;
    utf8_put_printable(b, (struct slice){line, (size_t)(end - line)});
    buffer_putc(b, '\n');
    for (const char *c = line; c < s->at && c < end; c++)
        buffer_putc(b, *c == '\t' ? '\t' : '-');
    buffer_putc(b, '^');
}

static void put_place(struct buffer *b, struct xml_scanner *s)
{
    bool is_path = s->what && s->what[0] == '/';
    if (!s->what)
        buffer_printf(b, "at line %u: ", xml_line_at(s));
    else
        buffer_printf(b, is_path ? "%s:%u: " : "(%s):%u: ", s->what, xml_line_at(s));
}

bool xml_fail(struct xml_scanner *s, const char *format, ...)
{
    char memory[ERROR_MESSAGE_MAX + 2 * MESSAGE_CONTEXT];
    struct buffer b = buffer_over(memory, sizeof(memory));
    char message[ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    put_place(&b, s);
    if (length >= (int)sizeof(message))
        length = (int)sizeof(message) - 1;
    buffer_put(&b, (struct slice){message, length < 0 ? 0 : (size_t)length});
    buffer_putc(&b, '\n');
    put_context(&b, s);
    return error_set(s->err, error_domain_of(s->what), VIR_ERR_XML_DETAIL, "%s", memory);
}

bool xml_fail_limit(struct xml_scanner *s, const struct xml_limit *limit)
{
    char memory[160];
    struct buffer b = buffer_over(memory, sizeof(memory));
    put_place(&b, s);
    return error_set(s->err, error_domain_of(s->what), VIR_ERR_XML_ERROR, "%s%s: limit is %zu, %s",
                     memory, limit->what, limit->value, limit->name);
}

// --- characters

// Passes over characters of `classes`. A definition is mostly those, so it is one tight loop.
static void pass_over(struct xml_scanner *s, unsigned classes)
{
    const char *at = s->at, *end = s->end;
    while (at < end && (unsigned char)*at < 128 && (xml_classes[(unsigned char)*at] & classes))
        at++;
    s->at = at;
}

char xml_peek(const struct xml_scanner *s, size_t ahead)
{
    return (size_t)(s->end - s->at) > ahead ? s->at[ahead] : '\0';
}

bool xml_at(const struct xml_scanner *s, const char *token)
{
    if (s->at == s->end || *s->at != token[0])
        return false;
    return slice_starts((struct slice){s->at, (size_t)(s->end - s->at)}, token);
}

bool xml_skip_blanks(struct xml_scanner *s)
{
    const char *from = s->at;
    pass_over(s, XML_CLASS_BLANK);
    return s->at > from;
}

// Steps over one non-ASCII character.
static bool skip_wide(struct xml_scanner *s, uint32_t *character)
{
    struct slice rest = {s->at, (size_t)(s->end - s->at)};
    unsigned length = utf8_read(rest, character);
    if (length == 0) {
        unsigned char bytes[4] = {0};
        memcpy(bytes, rest.at, rest.len < sizeof(bytes) ? rest.len : sizeof(bytes));
        return xml_fail(s,
                        "Input is not proper UTF-8, indicate encoding !\n"
                        "Bytes: 0x%02X 0x%02X 0x%02X 0x%02X",
                        bytes[0], bytes[1], bytes[2], bytes[3]);
    }
    if (*character == 0xFFFE || *character == 0xFFFF)
        return xml_fail(s, "Char 0x%X out of allowed range", (unsigned)*character);
    s->at += length;
    return true;
}

bool xml_skip_class(struct xml_scanner *s, unsigned classes)
{
    uint32_t character;
    for (;;) {
        pass_over(s, classes);
        if (s->at == s->end || !((unsigned char)*s->at & 0x80))
            return true;
        if (!skip_wide(s, &character))
            return false;
    }
}

bool xml_skip_to(struct xml_scanner *s, const char *token)
{
    uint32_t character;
    while (s->at < s->end) {
        if (*s->at == token[0] && xml_at(s, token))
            return true;
        if ((unsigned char)*s->at & 0x80) {
            if (!skip_wide(s, &character))
                return false;
        } else if ((unsigned char)*s->at < ' ' && !xml_class(*s->at, XML_CLASS_BLANK)) {
            return true;
        } else {
            s->at++;
        }
    }
    return true;
}

// --- names

// Production 4 of XML 1.0, fifth edition, above ASCII.
static const struct {
    uint32_t first, last;
} name_ranges[] = {
    {0xC0, 0xD6},     {0xD8, 0xF6},     {0xF8, 0x2FF},    {0x370, 0x37D},
    {0x37F, 0x1FFF},  {0x200C, 0x200D}, {0x2070, 0x218F}, {0x2C00, 0x2FEF},
    {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
};

static bool is_wide_name(uint32_t character, bool first)
{
    for (size_t i = 0; i < sizeof(name_ranges) / sizeof(name_ranges[0]); i++)
        if (character >= name_ranges[i].first && character <= name_ranges[i].last)
            return true;
    return !first && (character == 0xB7 || (character >= 0x300 && character <= 0x36F) ||
                      character == 0x203F || character == 0x2040);
}

struct slice xml_take_name(struct xml_scanner *s)
{
    const char *from = s->at;
    while (s->at < s->end) {
        uint32_t character;
        if (s->at > from || xml_class(*s->at, XML_CLASS_NAME_START))
            pass_over(s, XML_CLASS_NAME);
        const char *before = s->at;
        if (s->at == s->end || !((unsigned char)*s->at & 0x80))
            break;
        if (!skip_wide(s, &character))
            return SLICE_NONE;
        if (!is_wide_name(character, before == from)) {
            s->at = before;
            break;
        }
    }
    return s->at > from ? (struct slice){from, (size_t)(s->at - from)} : SLICE_NONE;
}

// --- references

static bool is_char(uint32_t character)
{
    if (character < ' ')
        return character == '\t' || character == '\n' || character == '\r';
    return character <= 0xD7FF || (character >= 0xE000 && character <= 0xFFFD) ||
           (character >= 0x10000 && character <= 0x10FFFF);
}

static int digit_of(char c, int base)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return base == 16 && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// With the cursor behind "&#".
static bool take_character_reference(struct xml_scanner *s, char to[4], unsigned *length)
{
    int base = xml_peek(s, 0) == 'x' ? 16 : 10;
    s->at += base == 16;
    uint32_t character = 0;
    const uint32_t beyond = 0x110000;
    while (xml_peek(s, 0) != ';') {
        int digit = digit_of(xml_peek(s, 0), base);
        if (digit < 0)
            return xml_fail(s, "CharRef: invalid %s value", base == 16 ? "hexadecimal" : "decimal");
        character = character * (uint32_t)base + (uint32_t)digit;
        if (character > beyond)
            character = beyond;
        s->at++;
    }
    s->at++;
    if (character == beyond)
        return xml_fail(s, "xmlParseCharRef: character reference out of bounds");
    if (!is_char(character))
        return xml_fail(s, "xmlParseCharRef: invalid xmlChar value %u", (unsigned)character);
    *length = utf8_write(character, to);
    return true;
}

static char predefined_entity(struct slice name)
{
    static const struct {
        const char *name;
        char character;
    } entities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
        if (slice_is(name, entities[i].name))
            return entities[i].character;
    return '\0';
}

bool xml_take_reference(struct xml_scanner *s, char to[4], unsigned *length)
{
    s->at++;
    if (xml_peek(s, 0) == '#') {
        s->at++;
        return take_character_reference(s, to, length);
    }
    struct slice name = xml_take_name(s);
    if (!slice_present(name))
        return xml_fail(s, "xmlParseEntityRef: no name");
    if (xml_peek(s, 0) != ';')
        return xml_fail(s, "EntityRef: expecting ';'");
    s->at++;
    to[0] = predefined_entity(name);
    if (to[0] == '\0')
        return xml_fail(s, "Entity '%.*s' not defined", SLICE_ARG(name));
    *length = 1;
    return true;
}

// --- runs

struct xml_run xml_run_begin(struct xml_scanner *s)
{
    return (struct xml_run){.from = s->at, .base = s->doc->text_len};
}

bool xml_run_replace(struct xml_scanner *s, struct xml_run *run, const char *up_to,
                     const char *bytes, size_t len)
{
    run->collected = true;
    if (!xml_put_text(s->doc, run->from, (size_t)(up_to - run->from)) ||
        !xml_put_text(s->doc, bytes, len))
        return xml_fail_limit(s, xml_limit_hit(s->doc));
    run->from = s->at;
    return true;
}

bool xml_run_end(struct xml_scanner *s, struct xml_run *run, struct slice *text)
{
    if (!run->collected) {
        *text = (struct slice){run->from, (size_t)(s->at - run->from)};
        return true;
    }
    if (!xml_run_replace(s, run, s->at, "", 0))
        return false;
    *text = (struct slice){s->doc->text + run->base, s->doc->text_len - run->base};
    return true;
}
