// XML: the grammar (XML 1.0 fifth edition), from a document down to text. Messages are worded as
// libxml2 words them, because that is what libvirt's users see and search for.
#include "text/xml_private.h"

#include <string.h>

struct xml_parser {
    struct xml_scanner s;
    struct xml_node *open;           // the innermost open element
    unsigned depth;                  // how many are open
    bool keeps_blanks;               // an element asked for it with xml:space
    bool is_mixed[CONFIG_XML_DEPTH]; // of the open elements: text has been seen
};

enum { NAME_SHOWN = 100, DATA_SHOWN = 50 };

static struct slice cut(struct slice s, size_t most)
{
    return (struct slice){s.at, s.len < most ? s.len : most};
}

// The name without its prefix, as libxml2 shows it.
static struct slice local_name(struct slice name)
{
    ptrdiff_t colon = slice_find(name, ':');
    bool prefixed = colon > 0 && (size_t)colon + 1 < name.len;
    return cut(prefixed ? slice_from(name, (size_t)colon + 1) : name, NAME_SHOWN);
}

static bool has_failed(const struct xml_parser *p)
{
    return error_is_set(p->s.err);
}

// A node with its line, as the last child of the innermost open element.
static struct xml_node *add_node(struct xml_parser *p, enum xml_kind kind, uint32_t line)
{
    struct xml_node *node = xml_new_node(p->s.doc, kind);
    if (p->s.doc->full) {
        xml_fail_limit(&p->s, xml_limit_hit(p->s.doc));
        return NULL;
    }
    node->line = line;
    if (p->open)
        xml_link(node, p->open);
    return node;
}

// --- text

static bool blanks_are_kept(const struct xml_parser *p)
{
    if (!p->keeps_blanks)
        return false;
    for (const struct xml_node *node = p->open; node; node = node->parent) {
        struct slice space = xml_attr(node, "xml:space");
        if (slice_present(space))
            return slice_is(space, "preserve");
    }
    return false;
}

// Is white space at this place only there to lay the document out? As libxml2 sees it for documents
// without a DTD, blanks before a tag are, unless they are all that an element holds or text has
// been seen in the element.
static bool blanks_are_layout(const struct xml_parser *p)
{
    if (xml_peek(&p->s, 0) != '<' || p->is_mixed[p->depth - 1] || blanks_are_kept(p))
        return false;
    return p->open->child || xml_peek(&p->s, 1) != '/';
}

// One step over what does not stand for itself in text. Sets *done at the end of the text.
static bool text_step(struct xml_parser *p, struct xml_run *run, bool *done)
{
    struct xml_scanner *s = &p->s;
    const char *at = s->at;
    char c = xml_peek(s, 0), decoded[4];
    unsigned length;
    switch (c) {
    case '\0':
    case '<':
        *done = true;
        return true;
    case '&':
        return xml_take_reference(s, decoded, &length) &&
               xml_run_replace(s, run, at, decoded, length);
    case '\r': // section 2.11: CR LF and CR alone are LF
        s->at += xml_peek(s, 1) == '\n' ? 2 : 1;
        return xml_run_replace(s, run, at, "\n", 1);
    case ']':
        if (xml_at(s, "]]>"))
            return xml_fail(s, "Sequence ']]>' not allowed in content");
        s->at++;
        return true;
    default:
        return xml_fail(s, "PCDATA invalid Char value %d", c);
    }
}

static bool parse_text(struct xml_parser *p)
{
    struct xml_scanner *s = &p->s;
    const char *from = s->at;
    uint32_t line = xml_line_at(s);
    struct xml_run run = xml_run_begin(s);
    xml_skip_blanks(s);
    if (blanks_are_layout(p))
        return true;
    s->at = from;
    for (bool done = false; !done;)
        if (!xml_skip_class(s, XML_CLASS_TEXT) || !text_step(p, &run, &done))
            return false;
    p->is_mixed[p->depth - 1] = true;
    struct xml_node *node = add_node(p, XML_TEXT, line);
    return node && xml_run_end(s, &run, &node->text);
}

// Text between delimiters, where only line ends are decoded. The cursor is at its end, `length`
// bytes behind `from`.
static bool normalised(struct xml_scanner *s, const char *from, struct slice *text)
{
    const char *end = s->at;
    s->at = from;
    struct xml_run run = xml_run_begin(s);
    const char *cr;
    while ((cr = memchr(s->at, '\r', (size_t)(end - s->at))) != NULL) {
        s->at = cr + 1;
        if (s->at < end && *s->at == '\n')
            s->at++;
        if (!xml_run_replace(s, &run, cr, "\n", 1))
            return false;
    }
    s->at = end;
    return xml_run_end(s, &run, text);
}

static bool parse_cdata(struct xml_parser *p)
{
    struct xml_scanner *s = &p->s;
    uint32_t line = xml_line_at(s);
    s->at += strlen("<![CDATA[");
    const char *from = s->at;
    if (!xml_skip_to(s, "]]>"))
        return false;
    if (!xml_at(s, "]]>")) {
        struct slice data = {from, (size_t)(s->at - from)};
        data.len -= data.len < 2 ? data.len : 2;
        return xml_fail(s, "CData section not finished\n%.*s", SLICE_ARG(cut(data, DATA_SHOWN)));
    }
    p->is_mixed[p->depth - 1] = true;
    struct xml_node *node = add_node(p, XML_CDATA, line);
    if (!node || !normalised(s, from, &node->text))
        return false;
    s->at += strlen("]]>");
    return true;
}

// --- comments and processing instructions

static bool parse_comment(struct xml_parser *p)
{
    struct xml_scanner *s = &p->s;
    uint32_t line = xml_line_at(s);
    s->at += strlen("<!--");
    const char *from = s->at;
    if (!xml_skip_to(s, "--"))
        return false;
    struct slice data = {from, (size_t)(s->at - from)};
    if (s->at == s->end)
        return xml_fail(s, "Comment not terminated");
    if (!xml_at(s, "--"))
        return xml_fail(s, "xmlParseComment: invalid xmlChar value %d", xml_peek(s, 0));
    if (!xml_at(s, "-->"))
        return data.len ? xml_fail(s, "Double hyphen within comment: <!--%.*s",
                                   SLICE_ARG(cut(data, DATA_SHOWN)))
                        : xml_fail(s, "Double hyphen within comment");
    if (p->open) {
        struct xml_node *node = add_node(p, XML_COMMENT, line);
        if (!node || !normalised(s, from, &node->text))
            return false;
    }
    s->at += strlen("-->");
    return true;
}

static bool parse_instruction(struct xml_parser *p)
{
    struct xml_scanner *s = &p->s;
    uint32_t line = xml_line_at(s);
    s->at += strlen("<?");
    const char *from = s->at;
    struct slice target = xml_take_name(s);
    if (!slice_present(target))
        return xml_fail(s, "xmlParsePI : no target name");
    if (slice_is(target, "xml"))
        return xml_fail(s, "XML declaration allowed only at the start of the document");
    target = cut(target, NAME_SHOWN);
    if (!xml_at(s, "?>") && !xml_class(xml_peek(s, 0), XML_CLASS_BLANK))
        return xml_fail(s, "ParsePI: PI %.*s space expected", SLICE_ARG(target));
    if (!xml_skip_to(s, "?>"))
        return false;
    if (!xml_at(s, "?>"))
        return xml_fail(s, "ParsePI: PI %.*s never end ...", SLICE_ARG(target));
    if (p->open) {
        struct xml_node *node = add_node(p, XML_INSTRUCTION, line);
        if (!node || !normalised(s, from, &node->text))
            return false;
    }
    s->at += strlen("?>");
    return true;
}

// --- attributes

// One step over what does not stand for itself in an attribute value. White space becomes a blank
// (section 3.3.3).
static bool value_step(struct xml_scanner *s, struct xml_run *run, char quote)
{
    const char *at = s->at;
    char c = xml_peek(s, 0), decoded[4];
    unsigned length;
    if (c == '\0')
        return xml_fail(s, "AttValue: ' expected");
    if (c == '<')
        return xml_fail(s, "Unescaped '<' not allowed in attributes values");
    if (c == '&')
        return xml_take_reference(s, decoded, &length) &&
               xml_run_replace(s, run, at, decoded, length);
    if (xml_class(c, XML_CLASS_BLANK)) {
        s->at += xml_at(s, "\r\n") ? 2 : 1;
        return xml_run_replace(s, run, at, " ", 1);
    }
    if (c != '"' && c != '\'')
        return xml_fail(s, "invalid character in attribute value");
    s->at += c != quote;
    return true;
}

static bool parse_value(struct xml_scanner *s, struct slice *value)
{
    char quote = xml_peek(s, 0);
    if (quote != '"' && quote != '\'')
        return xml_fail(s, "AttValue: \" or ' expected");
    s->at++;
    struct xml_run run = xml_run_begin(s);
    while (xml_peek(s, 0) != quote)
        if (!xml_skip_class(s, XML_CLASS_VALUE) ||
            (xml_peek(s, 0) != quote && !value_step(s, &run, quote)))
            return false;
    if (!xml_run_end(s, &run, value))
        return false;
    s->at++;
    return true;
}

// Links a new attribute behind `*last`.
static bool parse_attribute(struct xml_parser *p, struct xml_attr ***last)
{
    struct xml_scanner *s = &p->s;
    struct slice name = xml_take_name(s);
    if (!slice_present(name))
        return xml_fail(s, "error parsing attribute name");
    xml_skip_blanks(s);
    if (xml_peek(s, 0) != '=')
        return xml_fail(s, "Specification mandates value for attribute %.*s",
                        SLICE_ARG(local_name(name)));
    s->at++;
    xml_skip_blanks(s);
    struct xml_attr *attr = xml_new_attr(s->doc);
    if (s->doc->full)
        return xml_fail_limit(s, xml_limit_hit(s->doc));
    attr->name = name;
    p->keeps_blanks = p->keeps_blanks || (*name.at == 'x' && slice_is(name, "xml:space"));
    **last = attr;
    *last = &attr->next;
    return parse_value(s, &attr->value);
}

// The limit of attributes in an element also bounds the time that this takes.
static bool attributes_differ(struct xml_scanner *s, const struct xml_node *node)
{
    for (const struct xml_attr *a = node->attrs; a; a = a->next)
        for (const struct xml_attr *b = a->next; b; b = b->next)
            if (slice_equal(a->name, b->name))
                return xml_fail(s, "Attribute %.*s redefined", SLICE_ARG(cut(a->name, NAME_SHOWN)));
    return true;
}

static bool tag_ends(const struct xml_scanner *s)
{
    return xml_peek(s, 0) == '>' || (xml_peek(s, 0) == '/' && xml_peek(s, 1) == '>');
}

static bool parse_attributes(struct xml_parser *p, struct xml_node *node)
{
    static const struct xml_limit limit = {
        "CONFIG_XML_ELEMENT_ATTRS", "too many attributes in an element", CONFIG_XML_ELEMENT_ATTRS};
    struct xml_scanner *s = &p->s;
    struct xml_attr **last = &node->attrs;
    xml_skip_blanks(s);
    for (unsigned count = 0; !tag_ends(s) && (unsigned char)xml_peek(s, 0) >= ' '; count++) {
        if (count == limit.value)
            return xml_fail_limit(s, &limit);
        if (!parse_attribute(p, &last))
            return false;
        if (!xml_skip_blanks(s) && !tag_ends(s))
            return xml_fail(s, "attributes construct error");
    }
    return attributes_differ(s, node);
}

// --- elements

static bool parse_start_tag(struct xml_parser *p)
{
    static const struct xml_limit limit = {"CONFIG_XML_DEPTH", "elements nested too deep",
                                           CONFIG_XML_DEPTH};
    struct xml_scanner *s = &p->s;
    if (p->depth == limit.value)
        return xml_fail_limit(s, &limit);
    uint32_t line = xml_line_at(s);
    s->at++;
    struct slice name = xml_take_name(s);
    if (!slice_present(name))
        return xml_fail(s, "StartTag: invalid element name");
    struct xml_node *node = add_node(p, XML_ELEMENT, line);
    if (!node)
        return false;
    node->name = name;
    if (!p->open)
        s->doc->root = node;
    if (!parse_attributes(p, node))
        return false;
    if (!tag_ends(s))
        return xml_fail(s, "Couldn't find end of Start Tag %.*s line %u",
                        SLICE_ARG(local_name(name)), line);
    bool is_empty = xml_peek(s, 0) == '/';
    s->at += is_empty ? 2 : 1;
    if (!is_empty) {
        p->open = node;
        p->is_mixed[p->depth++] = false;
    }
    return true;
}

static bool parse_end_tag(struct xml_parser *p)
{
    struct xml_scanner *s = &p->s;
    s->at += strlen("</");
    struct slice name = xml_take_name(s), expected = p->open->name;
    if (has_failed(p))
        return false;
    xml_skip_blanks(s);
    if (xml_peek(s, 0) != '>')
        return xml_fail(s, "expected '>'");
    s->at++;
    if (!slice_equal(name, expected)) {
        bool prefixed = slice_find(expected, ':') > 0;
        struct slice found = slice_present(name) ? cut(name, NAME_SHOWN) : SLICE("unparsable");
        return xml_fail(s, "Opening and ending tag mismatch: %.*s line %u and %.*s",
                        SLICE_ARG(local_name(expected)), p->open->line,
                        SLICE_ARG(prefixed ? local_name(found) : found));
    }
    p->open = p->open->parent;
    p->depth--;
    return true;
}

static bool parse_content(struct xml_parser *p)
{
    if (xml_peek(&p->s, 0) != '<')
        return parse_text(p);
    char kind = xml_peek(&p->s, 1);
    if (kind == '/')
        return parse_end_tag(p);
    if (kind == '?')
        return parse_instruction(p);
    if (kind == '!' && xml_at(&p->s, "<!--"))
        return parse_comment(p);
    if (kind == '!' && xml_at(&p->s, "<![CDATA["))
        return parse_cdata(p);
    return parse_start_tag(p);
}

// From the root's start tag to its end tag.
static bool parse_root(struct xml_parser *p)
{
    struct xml_scanner *s = &p->s;
    if (xml_peek(s, 0) != '<')
        return xml_fail(s, "Start tag expected, '<' not found");
    if (!parse_start_tag(p))
        return false;
    while (p->open) {
        if (s->at == s->end)
            return xml_fail(s, "Premature end of data in tag %.*s line %u",
                            SLICE_ARG(local_name(p->open->name)), p->open->line);
        if (!parse_content(p))
            return false;
    }
    return true;
}

// --- the document

// name = "value" of the XML declaration.
static bool parse_pseudo_attribute(struct xml_scanner *s, const char *name, struct slice *value)
{
    s->at += strlen(name);
    xml_skip_blanks(s);
    if (xml_peek(s, 0) != '=')
        return xml_fail(s, "expected '='");
    s->at++;
    xml_skip_blanks(s);
    char quote = xml_peek(s, 0);
    if (quote != '"' && quote != '\'')
        return xml_fail(s, "String not started expecting ' or \"");
    const char *from = ++s->at;
    while (xml_class(xml_peek(s, 0), XML_CLASS_NAME))
        s->at++;
    *value = (struct slice){from, (size_t)(s->at - from)};
    if (xml_peek(s, 0) != quote)
        return xml_fail(s, "String not closed expecting \" or '");
    s->at++;
    return true;
}

static bool is_supported_encoding(struct slice name)
{
    static const char *const names[] = {"utf-8", "utf8", "us-ascii", "ascii"};
    char lower[16] = "";
    for (size_t i = 0; i < name.len && name.len < sizeof(lower); i++)
        lower[i] = (char)(name.at[i] >= 'A' && name.at[i] <= 'Z' ? name.at[i] | 0x20 : name.at[i]);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(lower, names[i]) == 0)
            return true;
    return false;
}

// Section 2.8, production 23.
static bool parse_declaration(struct xml_scanner *s)
{
    struct slice value;
    s->at += strlen("<?xml");
    xml_skip_blanks(s);
    if (!xml_at(s, "version"))
        return xml_fail(s, "Malformed declaration expecting version");
    if (!parse_pseudo_attribute(s, "version", &value))
        return false;
    if (!slice_starts(value, "1."))
        return xml_fail(s, "Unsupported version '%.*s'", SLICE_ARG(cut(value, NAME_SHOWN)));
    if (!xml_skip_blanks(s) && !xml_at(s, "?>"))
        return xml_fail(s, "Blank needed here");
    if (xml_at(s, "encoding")) {
        if (!parse_pseudo_attribute(s, "encoding", &value))
            return false;
        if (!is_supported_encoding(value))
            return xml_fail(s, "Unsupported encoding %.*s", SLICE_ARG(cut(value, NAME_SHOWN)));
        xml_skip_blanks(s);
    }
    if (xml_at(s, "standalone")) {
        if (!parse_pseudo_attribute(s, "standalone", &value))
            return false;
        if (!slice_is(value, "yes") && !slice_is(value, "no"))
            return xml_fail(s, "standalone accepts only 'yes' or 'no'");
    }
    xml_skip_blanks(s);
    if (!xml_at(s, "?>"))
        return xml_fail(s, "parsing XML declaration: '?>' expected");
    s->at += strlen("?>");
    return true;
}

// Comments, processing instructions and blanks around the root element.
static bool parse_misc(struct xml_parser *p)
{
    for (;;) {
        xml_skip_blanks(&p->s);
        if (xml_at(&p->s, "<!--")) {
            if (!parse_comment(p))
                return false;
        } else if (xml_at(&p->s, "<?")) {
            if (!parse_instruction(p))
                return false;
        } else {
            return true;
        }
    }
}

static bool parse_document(struct xml_parser *p)
{
    struct xml_scanner *s = &p->s;
    const char *nul = s->at < s->end ? memchr(s->at, '\0', (size_t)(s->end - s->at)) : NULL;
    if (nul) {
        s->at = nul;
        return xml_fail(s, "Char 0x0 out of allowed range");
    }
    if (xml_at(s, "\xEF\xBB\xBF"))
        s->at += strlen("\xEF\xBB\xBF");
    if (s->at == s->end)
        return xml_fail(s, "Document is empty");
    if (xml_at(s, "<?xml") && xml_class(xml_peek(s, 5), XML_CLASS_BLANK) && !parse_declaration(s))
        return false;
    if (!parse_misc(p))
        return false;
    if (xml_at(s, "<!DOCTYPE"))
        return xml_fail(s, "a document type declaration is not supported");
    if (!parse_root(p) || !parse_misc(p))
        return false;
    return s->at == s->end || xml_fail(s, "Extra content at the end of the document");
}

bool xml_parse(struct xml_doc *doc, struct slice source, const char *what, struct error *err)
{
    const char *at = source.at ? source.at : "";
    struct xml_parser p = {
        .s = {.doc = doc, .start = at, .at = at, .counted = at, .line = 1, .what = what},
    };
    p.s.end = at + source.len;
    p.s.err = err;
    xml_reset(doc);
    if (parse_document(&p))
        return true;
    xml_reset(doc);
    return false;
}
