// XML: what the parser, the tree and the writer share. Nobody else includes this.
#ifndef TEXT_XML_PRIVATE_H
#define TEXT_XML_PRIVATE_H

#include "text/xml.h"

// --- memory of a document (xml_tree.c). Out of it, these set doc->full and hand out scratch.
struct xml_node *xml_new_node(struct xml_doc *doc, enum xml_kind kind);
struct xml_attr *xml_new_attr(struct xml_doc *doc);
void xml_link(struct xml_node *node, struct xml_node *parent); // as the last child
// Appends bytes to the document's text; false, with doc->full set, when there is no room.
bool xml_put_text(struct xml_doc *doc, const char *at, size_t len);
// The limit doc->full names, with its value.
struct xml_limit {
    const char *name, *what;
    size_t value;
};
const struct xml_limit *xml_limit_hit(const struct xml_doc *doc);

static inline bool xml_is_text(const struct xml_node *node)
{
    return node->kind == XML_TEXT || node->kind == XML_CDATA;
}

// --- the scanner (xml_scan.c): a cursor over the source, and the tokens below the grammar.
struct xml_scanner {
    struct xml_doc *doc;
    const char *start, *end;
    const char *at;      // the next byte
    const char *counted; // lines are counted up to here
    uint32_t line;       // the line of `counted`
    const char *what;    // for messages
    struct error *err;
};

// A run of characters under way. It stays a slice of the source until something in it needs
// decoding; from then on it is collected in the document's text.
struct xml_run {
    const char *from; // of the part that is not yet collected
    size_t base;      // where the collected text begins
    bool collected;
};

// Character classes of ASCII.
enum {
    XML_CLASS_NAME_START = 1,
    XML_CLASS_NAME = 2,
    XML_CLASS_TEXT = 4,  // stands for itself in text
    XML_CLASS_VALUE = 8, // stands for itself in an attribute value
    XML_CLASS_BLANK = 16,
};
extern const unsigned char xml_classes[128];

static inline bool xml_class(char c, unsigned classes)
{
    unsigned char byte = (unsigned char)c;
    return byte < 128 && (xml_classes[byte] & classes) != 0;
}

// Reports a failure at the cursor in libvirt's layout: place, message, the line, a pointer into it.
// Nothing is reported twice. Returns false.
bool xml_fail(struct xml_scanner *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Reports the limit that doc->full names. Returns false.
bool xml_fail_limit(struct xml_scanner *s, const struct xml_limit *limit);
uint32_t xml_line_at(struct xml_scanner *s);

// The byte at the cursor plus `ahead`; NUL at the end (the source holds none).
char xml_peek(const struct xml_scanner *s, size_t ahead);
bool xml_at(const struct xml_scanner *s, const char *token); // is the cursor at `token`?
bool xml_skip_blanks(struct xml_scanner *s);                 // true if there were any
// A Name (XML 1.0 fifth edition, production 5); absent when there is none. May set the error.
struct slice xml_take_name(struct xml_scanner *s);
// Advances over characters of `classes` and valid non-ASCII ones. False when the bytes are not
// UTF-8.
bool xml_skip_class(struct xml_scanner *s, unsigned classes);
// Advances over Chars (production 2) to the first `token`, or to what is no Char, or to the end.
bool xml_skip_to(struct xml_scanner *s, const char *token);
// A reference, with the cursor at its '&'; its character is written as UTF-8.
bool xml_take_reference(struct xml_scanner *s, char to[4], unsigned *length);

struct xml_run xml_run_begin(struct xml_scanner *s);
// Puts `bytes` in place of the source from `up_to` to the cursor.
bool xml_run_replace(struct xml_scanner *s, struct xml_run *run, const char *up_to,
                     const char *bytes, size_t len);
bool xml_run_end(struct xml_scanner *s, struct xml_run *run, struct slice *text);

#endif
