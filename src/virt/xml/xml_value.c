// Values in libvirt's documents: numbers, words, sizes, uuids and sets.
#include "virt/xml/xml_value.h"

#include <limits.h>
#include <string.h>

// --- words

int schema_word_index(const char *list, struct slice word)
{
    struct slice rest = slice_of(list), part;
    for (int i = 0; slice_split(&rest, '|', &part); i++) {
        if (part.len > 1 && part.at[0] == '-')
            part = slice_from(part, 1);
        if (slice_equal(part, word))
            return i;
    }
    return -1;
}

bool schema_has_word(const char *list, struct slice word)
{
    return schema_word_index(list, word) >= 0;
}

static bool is_hidden_word(const char *list, struct slice word)
{
    struct slice rest = slice_of(list), part;
    while (slice_split(&rest, '|', &part))
        if (part.len > 1 && part.at[0] == '-' && slice_equal(slice_from(part, 1), word))
            return true;
    return false;
}

// --- numbers

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool schema_number(struct slice s, int base, bool *negative, uint64_t *magnitude)
{
    while (s.len && is_blank(s.at[0]))
        s = slice_from(s, 1);
    *negative = slice_starts(s, "-");
    if (*negative || slice_starts(s, "+"))
        s = slice_from(s, 1);
    bool hex = slice_starts(s, "0x") || slice_starts(s, "0X");
    if (hex && (base == 0 || base == 16)) {
        s = slice_from(s, 2);
        base = 16;
    } else if (base == 0) {
        base = slice_starts(s, "0") ? 8 : 10;
    }
    if (s.len && (s.at[0] == '-' || s.at[0] == '+'))
        return false;
    return slice_u64(s, base, magnitude);
}

static int base_of(unsigned flags)
{
    if (flags & SCHEMA_BASE_0)
        return 0;
    if (flags & SCHEMA_BASE_16)
        return 16;
    return flags & SCHEMA_BASE_8 ? 8 : 10;
}

static bool number_fits(enum schema_value kind, bool negative, uint64_t magnitude)
{
    switch (kind) {
    case VALUE_UINT:
        return (!negative || magnitude == 0) && magnitude <= UINT_MAX;
    case VALUE_ULONG:
        return !negative || magnitude == 0;
    case VALUE_INT:
    case VALUE_NATURAL:
        return magnitude <= (uint64_t)INT_MAX + (negative ? 1 : 0);
    default:
        return magnitude <= (uint64_t)INT64_MAX + (negative ? 1 : 0);
    }
}

// What libvirt calls the expected kind in its messages (virXMLPropUInt and its relatives).
static const char *kind_name(enum schema_value kind)
{
    switch (kind) {
    case VALUE_UINT:
    case VALUE_ULONG:
        return "non-negative integer value";
    case VALUE_LONG:
        return "long long integer value";
    default:
        return "integer value";
    }
}

static enum value_result bad_value(struct schema_walk *walk, const struct xml_node *node,
                                   const struct schema_attr *rule, struct slice value,
                                   const char *expected)
{
    if (rule->flags & SCHEMA_LENIENT)
        return VALUE_DROP;
    if (rule->message) {
        char message[ERROR_MESSAGE_MAX];
        struct buffer out = buffer_over(message, sizeof(message));
        struct slice rest = slice_of(schema_string(rule->message)), part;
        // The message has at most one "%s", for the value.
        for (bool first = true; slice_split(&rest, '%', &part); first = false) {
            if (!first) {
                buffer_put(&out, value);
                part = slice_from(part, 1);
            }
            buffer_put(&out, part);
        }
        bool unsupported = rule->flags & SCHEMA_UNSUPPORTED;
        error_set(walk->err, VIR_FROM_DOMAIN,
                  unsupported ? VIR_ERR_CONFIG_UNSUPPORTED : VIR_ERR_XML_ERROR, "%s", message);
        return VALUE_BAD;
    }
    error_set(walk->err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
              "Invalid value for attribute '%s' in element '%.*s': '%.*s'.%s%s",
              schema_string(rule->name), SLICE_ARG(node->name), SLICE_ARG(value),
              expected ? " Expected " : "", expected ? expected : "");
    return VALUE_BAD;
}

static enum value_result zero_value(struct schema_walk *walk, const struct xml_node *node,
                                    const struct schema_attr *rule)
{
    error_set(walk->err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
              "Invalid value for attribute '%s' in element '%.*s': Zero is not permitted",
              schema_string(rule->name), SLICE_ARG(node->name));
    return VALUE_BAD;
}

// `format` has one conversion for an unsigned int, "0x%02x".
static struct slice keep_formatted(struct xml_doc *doc, const char *format, unsigned value)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return xml_keepf(doc, format, value);
#pragma GCC diagnostic pop
}

static enum value_result normalise_number(struct schema_walk *walk, const struct xml_node *node,
                                          const struct schema_attr *rule, struct slice *value)
{
    bool negative;
    uint64_t magnitude;
    if (!schema_number(*value, base_of(rule->flags), &negative, &magnitude) ||
        !number_fits(rule->value, negative, magnitude))
        return bad_value(walk, node, rule, *value, kind_name(rule->value));
    if (rule->value == VALUE_NATURAL && negative && magnitude)
        return bad_value(walk, node, rule, *value, "non-negative value");
    if (magnitude == 0 && rule->flags & SCHEMA_NONZERO)
        return zero_value(walk, node, rule);
    if (magnitude == 0 && rule->flags & SCHEMA_DROP_ZERO)
        return VALUE_DROP;
    if (rule->arg)
        *value = keep_formatted(walk->doc, schema_string(rule->arg), (unsigned)magnitude);
    else
        *value = xml_keepf(walk->doc, "%s%llu", negative && magnitude ? "-" : "",
                           (unsigned long long)magnitude);
    return VALUE_KEEP;
}

// --- sizes

static bool equal_letters(struct slice s, const char *word)
{
    if (s.len != strlen(word))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((s.at[i] | 0x20) != (word[i] | 0x20))
            return false;
    return true;
}

static bool unit_scale(struct slice unit, uint64_t *scale)
{
    static const char prefixes[] = "kmgtpe";
    uint64_t base;
    if (equal_letters(unit, "b") || equal_letters(unit, "byte") || equal_letters(unit, "bytes")) {
        *scale = 1;
        return true;
    }
    if (unit.len == 1 || equal_letters(slice_from(unit, 1), "ib"))
        base = 1024;
    else if (equal_letters(slice_from(unit, 1), "b"))
        base = 1000;
    else
        return false;
    const char *prefix = strchr(prefixes, unit.at[0] | 0x20);
    if (!prefix)
        return false;
    *scale = 1;
    for (const char *p = prefixes; p <= prefix; p++)
        *scale *= base;
    return true;
}

bool schema_scale(uint64_t *value, struct slice unit, uint64_t scale, uint64_t limit,
                  struct error *err)
{
    if (unit.len && !unit_scale(unit, &scale))
        return error_set(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "unknown suffix '%.*s'",
                         SLICE_ARG(unit));
    if (*value && *value > limit / scale)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_OVERFLOW, "value too large: %llu%.*s",
                         (unsigned long long)*value, SLICE_ARG(unit));
    *value *= scale;
    return true;
}

bool value_memory(struct schema_walk *walk, struct xml_node *node, bool kib)
{
    struct slice text = value_text(node);
    bool negative, tune = xml_named(node->parent, "memtune");
    uint64_t value;
    if (!schema_number(text, 10, &negative, &value) || (negative && value))
        return error_set(
            walk->err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
            "Invalid value '%.*s' for element or attribute './%s%.*s%s'", SLICE_ARG(text),
            tune ? "memtune/" : "", SLICE_ARG(node->name),
            tune || schema_has_word("memory|currentMemory|maxMemory", node->name) ? "[1]" : "");
    const uint64_t most =
        kib ? (uint64_t)INT64_MAX : UINT64_MAX; // VIR_DOMAIN_MEMORY_PARAM_UNLIMITED
    if (!schema_scale(&value, xml_attr(node, "unit"), kib ? 1024 : 1, most, walk->err))
        return false;
    if (kib)
        value = value / 1024 + (value % 1024 != 0);
    xml_sets(walk->doc, node, "unit", kib ? "KiB" : "bytes");
    xml_set_textf(walk->doc, node, "%llu", (unsigned long long)value);
    return true;
}

// --- uuids

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// virUUIDParse: 32 hex digits, hyphens anywhere between them, blanks around.
static bool normalise_uuid(struct schema_walk *walk, struct slice *value)
{
    char digits[33] = {0};
    size_t count = 0;
    struct slice s = slice_trim(*value);
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '-')
            continue;
        if (hex_digit(s.at[i]) < 0 || count == 32)
            return false;
        digits[count++] = (char)(s.at[i] >= 'A' && s.at[i] <= 'F' ? s.at[i] | 0x20 : s.at[i]);
    }
    if (count != 32)
        return false;
    *value = xml_keepf(walk->doc, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12,
                       digits + 16, digits + 20);
    return true;
}

// --- sets of small numbers (virBitmapParse, virBitmapFormat)

bool schema_set_has(const struct schema_set *set, unsigned bit)
{
    return bit < SCHEMA_SET_BITS && set->bits[bit / 64] >> (bit % 64) & 1;
}

void schema_set_add(struct schema_set *set, unsigned bit)
{
    if (bit < SCHEMA_SET_BITS)
        set->bits[bit / 64] |= (uint64_t)1 << (bit % 64);
}

int schema_set_next(const struct schema_set *set, int from)
{
    for (unsigned bit = (unsigned)from; bit < SCHEMA_SET_BITS; bit++) {
        if (bit % 64 == 0 && set->bits[bit / 64] == 0)
            bit += 63;
        else if (schema_set_has(set, bit))
            return (int)bit;
    }
    return -1;
}

static struct slice skip_blanks(struct slice s)
{
    while (s.len && is_blank(s.at[0]))
        s = slice_from(s, 1);
    return s;
}

static bool take_number(struct slice *s, unsigned *number)
{
    uint64_t sum = 0;
    size_t digits = 0;
    for (; digits < s->len && s->at[digits] >= '0' && s->at[digits] <= '9'; digits++) {
        sum = sum * 10 + (uint64_t)(s->at[digits] - '0');
        if (sum >= SCHEMA_SET_BITS)
            return false;
    }
    *s = skip_blanks(slice_from(*s, digits));
    *number = (unsigned)sum;
    return digits > 0;
}

static bool take_range(struct slice *s, struct schema_set *set)
{
    bool without = slice_starts(*s, "^");
    unsigned first, last;
    if (without)
        *s = slice_from(*s, 1);
    if (!take_number(s, &first))
        return false;
    last = first;
    if (slice_starts(*s, "-")) {
        *s = skip_blanks(slice_from(*s, 1));
        if (without || !take_number(s, &last) || last < first)
            return false;
    }
    for (unsigned bit = first; bit <= last; bit++) {
        if (without)
            set->bits[bit / 64] &= ~((uint64_t)1 << (bit % 64));
        else
            schema_set_add(set, bit);
    }
    return true;
}

bool schema_set_parse(struct slice text, struct schema_set *set)
{
    memset(set, 0, sizeof(*set));
    struct slice s = skip_blanks(text);
    if (s.len == 0)
        return false;
    while (s.len) {
        if (!take_range(&s, set))
            return false;
        if (s.len && s.at[0] != ',')
            return false;
        s = skip_blanks(slice_from(s, 1));
    }
    return true;
}

void schema_set_write(struct buffer *out, const struct schema_set *set)
{
    const char *comma = "";
    for (int first = schema_set_next(set, 0); first >= 0;) {
        int last = first;
        while (schema_set_has(set, (unsigned)last + 1))
            last++;
        buffer_printf(out, first == last ? "%s%d" : "%s%d-%d", comma, first, last);
        comma = ",";
        first = schema_set_next(set, last + 1);
    }
}

static enum value_result normalise_set(struct schema_walk *walk, struct slice *value)
{
    struct schema_set set;
    char text[4096];
    struct buffer out = buffer_over(text, sizeof(text));
    if (!schema_set_parse(*value, &set)) {
        error_set(walk->err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Failed to parse bitmap '%.*s'",
                  SLICE_ARG(*value));
        return VALUE_BAD;
    }
    schema_set_write(&out, &set);
    if (!buffer_ok(&out))
        return VALUE_AS_IS;
    *value = xml_keep(walk->doc, buffer_slice(&out));
    return VALUE_KEEP;
}

// --- all kinds

struct slice value_text(const struct xml_node *node)
{
    const struct xml_node *child = node ? node->child : NULL;
    for (; child; child = child->next)
        if (child->kind == XML_TEXT || child->kind == XML_CDATA)
            return child->text;
    return SLICE("");
}

static enum value_result normalise_word(struct schema_walk *walk, const struct xml_node *node,
                                        const struct schema_attr *rule, struct slice value,
                                        const char *list)
{
    if (!schema_has_word(list, value))
        return bad_value(walk, node, rule, value, NULL);
    return is_hidden_word(list, value) ? VALUE_DROP : VALUE_AS_IS;
}

enum value_result value_normalise(struct schema_walk *walk, const struct xml_node *node,
                                  const struct schema_attr *rule, struct slice *value)
{
    switch ((enum schema_value)rule->value) {
    case VALUE_ENUM:
        return normalise_word(walk, node, rule, *value, schema_string(rule->arg));
    case VALUE_YES_NO:
        return normalise_word(walk, node, rule, *value, "yes|no");
    case VALUE_ON_OFF:
        return normalise_word(walk, node, rule, *value, "on|off");
    case VALUE_UINT:
    case VALUE_ULONG:
    case VALUE_INT:
    case VALUE_LONG:
    case VALUE_NATURAL:
        return normalise_number(walk, node, rule, value);
    case VALUE_UUID:
        return normalise_uuid(walk, value) ? VALUE_KEEP : bad_value(walk, node, rule, *value, NULL);
    case VALUE_SET:
        return normalise_set(walk, value);
    default:
        return rule->flags & SCHEMA_DROP_EMPTY && value->len == 0 ? VALUE_DROP : VALUE_AS_IS;
    }
}
