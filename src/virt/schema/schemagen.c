// schemagen: packs the schemas of this folder into the tables that the daemon walks over (a host
// tool, part of the build).
//
//     schemagen DIRECTORY
//
// writes DIRECTORY/schema_tables.h, the places of the tables that the daemon names, and
// DIRECTORY/schema_tables.c. Strings and tables that are equal are kept once; place 0 of each kind
// is the missing string and the empty table.
#include "virt/schema/schema_source.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct packed_attr {
    unsigned name, arg, message, value, flags;
};

struct packed_element {
    unsigned name, attrs, children, arg, message, text, flags, check;
};

#define TEXT_MAX 65535
#define ROWS_MAX 8192

static char text[TEXT_MAX];
static size_t text_len = 1;
static struct packed_attr attrs[ROWS_MAX];
static size_t attr_count = 1;
static struct packed_element elements[ROWS_MAX];
static size_t element_count = 1;
static const char *checks[256] = {""};
static size_t check_count = 1;
// Where each table of elements has gone.
static struct {
    const struct element_rule *rules;
    unsigned at;
} placed[ROWS_MAX];
static size_t placed_count;

static void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static unsigned place_text(const char *string)
{
    if (!string)
        return 0;
    size_t size = strlen(string) + 1;
    for (size_t at = 1; at + size <= text_len; at++)
        if (memcmp(text + at, string, size) == 0)
            return (unsigned)at;
    if (text_len + size > TEXT_MAX)
        fail("the strings do not fit into 16 bits");
    memcpy(text + text_len, string, size);
    text_len += size;
    return (unsigned)(text_len - size);
}

static unsigned place_check(const char *name)
{
    if (!name)
        return 0;
    for (size_t i = 1; i < check_count; i++)
        if (strcmp(checks[i], name) == 0)
            return (unsigned)i;
    if (check_count == 256)
        fail("more than 255 checks");
    checks[check_count] = name;
    return (unsigned)check_count++;
}

// The place of `count` rows of `size` bytes in `table`, where they may be already.
static unsigned place_rows(void *table, size_t *used, const void *rows, size_t count, size_t size)
{
    for (size_t at = 0; at + count <= *used; at++)
        if (memcmp((char *)table + at * size, rows, count * size) == 0)
            return (unsigned)at;
    if (*used + count > ROWS_MAX)
        fail("too many rules");
    memcpy((char *)table + *used * size, rows, count * size);
    *used += count;
    return (unsigned)(*used - count);
}

static unsigned place_attrs(const struct attr_rule *rules)
{
    struct packed_attr rows[64] = {0};
    size_t count = 0;
    for (; rules && rules->name; rules++, count++) {
        if (count == 63 || rules->flags >> SCHEMA_ATTR_FLAG_BITS)
            fail("attribute %s: too many, or a flag that only elements have", rules->name);
        rows[count] = (struct packed_attr){place_text(rules->name), place_text(rules->arg),
                                           place_text(rules->message), rules->value, rules->flags};
    }
    return place_rows(attrs, &attr_count, rows, count + 1, sizeof(rows[0]));
}

static bool leads_to(const struct element_rule *rules, const struct element_rule *target, int depth)
{
    for (; rules && rules->name && depth; rules++)
        if (rules->children == target || leads_to(rules->children, target, depth - 1))
            return true;
    return false;
}

static unsigned place_elements(const struct element_rule *rules);

static struct packed_element pack_element(const struct element_rule *rule)
{
    if (rule->flags >> SCHEMA_ELEMENT_FLAG_BITS)
        fail("element %s: an unknown flag", rule->name);
    return (struct packed_element){
        place_text(rule->name),
        place_attrs(rule->attrs),
        place_elements(rule->children),
        place_text(rule->arg),
        place_text(rule->message),
        rule->text,
        rule->flags,
        place_check(rule->check),
    };
}

static void remember_place(const struct element_rule *rules, unsigned at)
{
    if (placed_count == ROWS_MAX)
        fail("too many tables");
    placed[placed_count].rules = rules;
    placed[placed_count++].at = at;
}

// A table that holds itself, as a backing store does, gets its place before its rows are known.
static unsigned place_recursive(const struct element_rule *rules, size_t count)
{
    size_t at = element_count;
    element_count += count + 1;
    if (element_count > ROWS_MAX)
        fail("too many rules");
    remember_place(rules, (unsigned)at);
    for (size_t i = 0; i < count; i++)
        elements[at + i] = pack_element(&rules[i]);
    return (unsigned)at;
}

static unsigned place_elements(const struct element_rule *rules)
{
    struct packed_element rows[128] = {0};
    size_t count = 0;
    for (size_t i = 0; i < placed_count; i++)
        if (placed[i].rules == rules)
            return placed[i].at;
    while (rules && rules[count].name)
        count++;
    if (count >= 128)
        fail("element %s: too many rules beside it", rules->name);
    if (leads_to(rules, rules, 16))
        return place_recursive(rules, count);
    for (size_t i = 0; i < count; i++)
        rows[i] = pack_element(&rules[i]);
    unsigned at = place_rows(elements, &element_count, rows, count + 1, sizeof(rows[0]));
    if (rules)
        remember_place(rules, at);
    return at;
}

// --- writing

static FILE *create(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    if (!file)
        fail("%s: cannot be written", path);
    return file;
}

static void finish(FILE *file)
{
    if (ferror(file) || fclose(file) != 0)
        fail("a table could not be written");
}

static void write_header(const char *directory, unsigned domain)
{
    FILE *out = create(directory, "schema_tables.h");
    fprintf(out, "// Places in the schema tables. Made by schemagen.\n"
                 "#ifndef SCHEMA_TABLES_H\n#define SCHEMA_TABLES_H\n\nenum {\n");
    fprintf(out, "    SCHEMA_DOMAIN = %u, // in schema_elements\n", domain);
    for (const struct attr_table *table = domain_attr_tables; table->name; table++)
        fprintf(out, "    SCHEMA_%s = %u,\n", table->name, place_attrs(table->attrs));
    fprintf(out, "};\n\n#endif\n");
    finish(out);
}

static void write_text(FILE *out)
{
    fprintf(out, "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n"
                 "const char schema_text[] =\n    \"\\0\"\n");
    for (size_t at = 1; at < text_len; at += strlen(text + at) + 1) {
        fprintf(out, "    \"");
        for (const char *c = text + at; *c; c++)
            fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
        fprintf(out, "\\0\"\n");
    }
    fprintf(out, "    \"\";\n\n");
}

static void write_tables(const char *directory)
{
    FILE *out = create(directory, "schema_tables.c");
    fprintf(out,
            "// The schemas, packed. Made by schemagen.\n#include \"virt/xml/domain_check.h\"\n"
            "#include \"virt/xml/xml_schema.h\"\n\n");
    write_text(out);
    fprintf(out, "const struct schema_attr schema_attrs[] = {\n");
    for (size_t i = 0; i < attr_count; i++)
        fprintf(out, "    {%u, %u, %u, %u, %u},\n", attrs[i].name, attrs[i].arg, attrs[i].message,
                attrs[i].value, attrs[i].flags);
    fprintf(out, "};\n\nconst struct schema_element schema_elements[] = {\n");
    for (size_t i = 0; i < element_count; i++) {
        const struct packed_element *e = &elements[i];
        fprintf(out, "    {%u, %u, %u, %u, %u, %u, %u, %u},\n", e->name, e->attrs, e->children,
                e->arg, e->message, e->text, e->flags, e->check);
    }
    fprintf(out, "};\n\ndomain_check *const schema_checks[] = {\n    NULL,\n");
    for (size_t i = 1; i < check_count; i++)
        fprintf(out, "    %s,\n", checks[i]);
    fprintf(out, "};\n");
    finish(out);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        fail("usage: schemagen DIRECTORY");
    unsigned domain = place_elements(domain_schema);
    write_header(argv[1], domain);
    write_tables(argv[1]);
    return 0;
}
