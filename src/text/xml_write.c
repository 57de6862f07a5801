// XML: the writer. Definitions in libvirt's layout, users' metadata in libxml2's.
#include "text/utf8.h"
#include "text/xml_private.h"

#include <string.h>

enum {
    STEP = 2,         // blanks a level
    DEEPEST_STEP = 60 // libxml2 indents no further
};

struct xml_writer {
    struct buffer *out;
    size_t indent;                  // of the current node, in blanks
    const struct xml_node *inlined; // no layout below this element, because it holds text
    const struct xml_node *foreign; // everything below this element is the user's
};

// --- escaping

struct escape {
    char character;
    const char *text;
};

// What libvirt escapes, in text and in attributes alike. White space of an attribute would come
// back as blanks if it were not escaped (XML 1.0 section 3.3.3), and so would a CR in text.
static const struct escape text_escapes[] = {
    {'&', "&amp;"},   {'<', "&lt;"},   {'>', "&gt;"}, {'"', "&quot;"},
    {'\'', "&apos;"}, {'\r', "&#13;"}, {'\0', NULL},
};
static const struct escape value_escapes[] = {
    {'&', "&amp;"},  {'<', "&lt;"},   {'>', "&gt;"},  {'"', "&quot;"}, {'\'', "&apos;"},
    {'\r', "&#13;"}, {'\n', "&#10;"}, {'\t', "&#9;"}, {'\0', NULL},
};
// What libxml2 escapes.
static const struct escape foreign_text_escapes[] = {
    {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'\r', "&#13;"}, {'\0', NULL},
};
static const struct escape foreign_value_escapes[] = {
    {'&', "&amp;"},  {'<', "&lt;"},   {'>', "&gt;"},  {'"', "&quot;"},
    {'\r', "&#13;"}, {'\n', "&#10;"}, {'\t', "&#9;"}, {'\0', NULL},
};

// Could this character be in one of the tables, or be one that XML can not hold?
static bool needs_look(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte < ' ' || byte >= 0x80 || c == '&' || c == '<' || c == '>' || c == '"' || c == '\'';
}

// The length of the first character; 0 when XML can not hold it (XML 1.0 section 2.2).
static size_t held_length(struct slice text)
{
    uint32_t character;
    unsigned length = utf8_read(text, &character);
    if (length == 0 || character == 0xFFFE || character == 0xFFFF)
        return 0;
    bool control = character < ' ' && character != '\t' && character != '\n';
    return control ? 0 : length;
}

static void put_escaped(struct buffer *out, struct slice text, const struct escape *escapes)
{
    size_t start = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (!needs_look(c))
            continue;
        const struct escape *escape = escapes;
        while (escape->text && escape->character != c)
            escape++;
        size_t held = escape->text ? 0 : held_length(slice_from(text, i));
        if (held > 0) {
            i += held - 1;
            continue;
        }
        buffer_put(out, (struct slice){text.at + start, i - start});
        buffer_puts(out, escape->text ? escape->text : "");
        start = i + 1;
    }
    buffer_put(out, (struct slice){text.at + start, text.len - start});
}

void xml_write_escaped(struct buffer *out, struct slice text)
{
    if (slice_present(text))
        put_escaped(out, text, text_escapes);
}

// --- layout

static void put_indent(struct xml_writer *w)
{
    static const char blanks[] = "                                                            ";
    size_t left = w->foreign && w->indent > DEEPEST_STEP ? DEEPEST_STEP : w->indent;
    while (left) {
        size_t part = left < sizeof(blanks) - 1 ? left : sizeof(blanks) - 1;
        buffer_put(w->out, (struct slice){blanks, part});
        left -= part;
    }
}

static void begin_line(struct xml_writer *w)
{
    if (!w->inlined)
        put_indent(w);
}

static void end_line(struct xml_writer *w)
{
    if (!w->inlined)
        buffer_putc(w->out, '\n');
}

// Blank text counts as the user's text only; elsewhere it is layout that was left in.
static bool is_written_text(const struct xml_writer *w, const struct xml_node *node)
{
    return xml_is_text(node) && (w->foreign || slice_trim(node->text).len > 0);
}

static bool is_written(const struct xml_writer *w, const struct xml_node *node)
{
    if (node->kind == XML_ELEMENT || w->foreign)
        return true;
    return xml_is_text(node) && (w->inlined || is_written_text(w, node));
}

// --- nodes

static bool is_namespace(const struct xml_attr *attr)
{
    return slice_is(attr->name, "xmlns") || slice_starts(attr->name, "xmlns:");
}

static void put_attr(struct xml_writer *w, const struct xml_attr *attr)
{
    const char *quote = w->foreign ? "\"" : "'";
    buffer_putc(w->out, ' ');
    buffer_put(w->out, attr->name);
    buffer_putc(w->out, '=');
    buffer_puts(w->out, quote);
    put_escaped(w->out, attr->value, w->foreign ? foreign_value_escapes : value_escapes);
    buffer_puts(w->out, quote);
}

static void put_attrs(struct xml_writer *w, const struct xml_node *node)
{
    for (const struct xml_attr *attr = node->attrs; attr; attr = attr->next)
        if (w->foreign && is_namespace(attr))
            put_attr(w, attr);
    for (const struct xml_attr *attr = node->attrs; attr; attr = attr->next)
        if (!w->foreign || !is_namespace(attr))
            put_attr(w, attr);
}

// A child that is written, from `node` on.
static const struct xml_node *written_from(const struct xml_writer *w, const struct xml_node *node)
{
    while (node && !is_written(w, node))
        node = node->next;
    return node;
}

// Writes the start tag, and returns the first child when there is something to write below.
static const struct xml_node *open_element(struct xml_writer *w, const struct xml_node *node)
{
    begin_line(w);
    if (!w->foreign && slice_is(node->name, "metadata"))
        w->foreign = node;
    buffer_putc(w->out, '<');
    buffer_put(w->out, node->name);
    put_attrs(w, node);
    for (const struct xml_node *child = node->child; child && !w->inlined; child = child->next)
        if (is_written_text(w, child))
            w->inlined = node;
    const struct xml_node *first = written_from(w, node->child);
    if (!first && node->open) {
        buffer_putc(w->out, '>');
        end_line(w);
        begin_line(w);
        buffer_printf(w->out, "</%.*s>", SLICE_ARG(node->name));
        end_line(w);
        return NULL;
    }
    if (!first) {
        buffer_puts(w->out, "/>");
        end_line(w);
        return NULL;
    }
    buffer_putc(w->out, '>');
    end_line(w);
    w->indent += STEP;
    return first;
}

static void leave_element(struct xml_writer *w, const struct xml_node *node)
{
    if (w->foreign == node)
        w->foreign = NULL;
}

static void close_element(struct xml_writer *w, const struct xml_node *node)
{
    w->indent -= STEP;
    begin_line(w);
    buffer_puts(w->out, "</");
    buffer_put(w->out, node->name);
    buffer_putc(w->out, '>');
    if (w->inlined == node)
        w->inlined = NULL;
    end_line(w);
    leave_element(w, node);
}

static void put_delimited(struct xml_writer *w, const char *before, struct slice text,
                          const char *after)
{
    begin_line(w);
    buffer_puts(w->out, before);
    buffer_put(w->out, text);
    buffer_puts(w->out, after);
    end_line(w);
}

static void put_leaf(struct xml_writer *w, const struct xml_node *node)
{
    if (node->kind == XML_COMMENT)
        put_delimited(w, "<!--", node->text, "-->");
    else if (node->kind == XML_INSTRUCTION)
        put_delimited(w, "<?", node->text, "?>");
    else if (node->kind == XML_CDATA && w->foreign)
        put_delimited(w, "<![CDATA[", node->text, "]]>");
    else
        put_escaped(w->out, node->text, w->foreign ? foreign_text_escapes : text_escapes);
}

static void write_tree(struct xml_writer *w, const struct xml_node *top)
{
    const struct xml_node *node = top;
    for (;;) {
        const struct xml_node *below = NULL;
        if (node->kind == XML_ELEMENT) {
            below = open_element(w, node);
            if (!below)
                leave_element(w, node);
        } else {
            put_leaf(w, node);
        }
        const struct xml_node *next = below;
        while (!next && node != top) {
            next = written_from(w, node->next);
            if (next)
                break;
            node = node->parent;
            close_element(w, node);
        }
        if (!next)
            return;
        node = next;
    }
}

void xml_write(struct buffer *out, const struct xml_node *node, unsigned indent)
{
    struct xml_writer w = {.out = out, .indent = indent};
    if (node)
        write_tree(&w, node);
}

void xml_write_fragment(struct buffer *out, const struct xml_node *node)
{
    struct xml_writer w = {.out = out};
    if (!node)
        return;
    w.foreign = node;
    write_tree(&w, node);
    if (buffer_ok(out) && out->len && out->at[out->len - 1] == '\n')
        out->at[--out->len] = '\0';
}
