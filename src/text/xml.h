// XML: a document parsed into a tree over slices, changed in place, and written out again.
//
// A tree lives in a `struct xml_doc` that the caller provides (they are large: keep them static)
// and borrows its strings from the text that was parsed: that text must stay unchanged and in place
// for as long as the tree is used. Only what needed decoding (&amp; and the like) or was added
// afterwards is held in the document itself. There is nothing to free; parsing or xml_reset()
// starts afresh.
//
// What is supported is what libvirt documents use: elements, attributes, text, comments, CDATA,
// character and the five predefined entity references, namespaces as plain prefixes, processing
// instructions. UTF-8 only. A document type declaration is refused. White space that only lays the
// document out is dropped, by the rule of libxml2, as libvirt parses.
//
// Nothing here fails half-way: when a document runs out of nodes or text, the functions that add go
// on returning a usable scratch node, and xml_ok() reports the limit at the end.
#ifndef TEXT_XML_H
#define TEXT_XML_H

#include "core/buffer.h"
#include "core/config.h"
#include "core/error.h"
#include "core/slice.h"

enum xml_kind { XML_ELEMENT, XML_TEXT, XML_CDATA, XML_COMMENT, XML_INSTRUCTION };

struct xml_attr {
    struct slice name, value; // the value is decoded
    struct xml_attr *next;
};

struct xml_node {
    enum xml_kind kind;
    struct slice name; // with its prefix, "qemu:commandline"
    struct slice text; // of all that are no element; decoded
    struct xml_attr *attrs;
    struct xml_node *parent, *child, *last, *next, *prev;
    uint32_t line; // in the source, from 1; 0 for a node that was added
    bool open;     // written with an end tag even when it is empty
    bool scratch;  // belongs to no tree, because the document was full
};

struct xml_doc {
    struct xml_node *root;
    struct xml_node nodes[CONFIG_XML_NODES];
    struct xml_attr attrs[CONFIG_XML_ATTRS];
    char text[CONFIG_XML_TEXT];
    size_t node_count, attr_count, text_len;
    const char *full; // the name of the limit that was hit, or NULL
    struct xml_node scratch_node;
    struct xml_attr scratch_attr;
};

// Empties the document.
void xml_reset(struct xml_doc *doc);
// Parses `source`. `what` names it in messages: "domain_definition" is shown in brackets, a path as
// it is. Errors: VIR_ERR_XML_DETAIL with place, libxml2's wording, the line and a pointer into it,
// as libvirt lays it out ("(domain_definition):3: Opening and ending tag mismatch: ..."), in the
// error domain that the definition belongs to; VIR_ERR_XML_ERROR with name and value of a limit
// that was hit. After an error the document is empty.
bool xml_parse(struct xml_doc *doc, struct slice source, const char *what, struct error *err);
// False, with the error set, when a function below has run into a limit since xml_reset/xml_parse.
bool xml_ok(const struct xml_doc *doc, struct error *err);

// --- reading. A NULL node is allowed everywhere and reads as empty, so paths can be chained.
bool xml_named(const struct xml_node *node, const char *name);
// The first child element of that name (NULL name: any element); NULL when there is none.
struct xml_node *xml_child(const struct xml_node *node, const char *name);
// The next sibling element of that name (NULL name: any element).
struct xml_node *xml_next(const struct xml_node *node, const char *name);
// The first element along a path of names: xml_find(root, "os/boot").
struct xml_node *xml_find(const struct xml_node *node, const char *path);
// Absent when there is no such attribute (or node).
struct slice xml_attr(const struct xml_node *node, const char *name);
bool xml_attr_is(const struct xml_node *node, const char *name, const char *value);
// The text of the first text or CDATA child, without surrounding white space; absent without one.
struct slice xml_text(const struct xml_node *node);
// All text below the node as one string with its white space, as XPath's string() gives it; absent
// only when there is no node. It is what libvirt reads from <name>, <title> and <description>.
struct slice xml_string(struct xml_doc *doc, const struct xml_node *node);
// xml_text(xml_find(node, path)) and xml_attr(xml_find(node, path), name).
struct slice xml_text_at(const struct xml_node *node, const char *path);
struct slice xml_attr_at(const struct xml_node *node, const char *path, const char *name);
// The namespace that an element is in, by the xmlns attributes in force there; absent for none.
struct slice xml_namespace(const struct xml_node *node);
// How many child elements have that name.
unsigned xml_count(const struct xml_node *node, const char *name);

#define XML_EACH(child, parent, name)                                                              \
    for (struct xml_node *child = xml_child(parent, name); child; child = xml_next(child, name))
// As XML_EACH, and the current element may be removed.
#define XML_EACH_SAFE(child, parent, name)                                                         \
    for (struct xml_node *child = xml_child(parent, name), *child##_next;                          \
         child && (child##_next = xml_next(child, name), true); child = child##_next)

// --- changing. Strings are copied into the document unless the name says "keep": those are
// borrowed and must live as long as the document (literals, slices of the source, other parts of
// this tree).
struct xml_node *xml_root(struct xml_doc *doc, const char *name); // name kept; empties the document
struct xml_node *xml_add(struct xml_doc *doc, struct xml_node *parent,
                         const char *name); // kept, last
struct xml_node *xml_add_before(struct xml_doc *doc, struct xml_node *sibling, const char *name);
// The child of that name, added when it is missing.
struct xml_node *xml_need(struct xml_doc *doc, struct xml_node *parent, const char *name);
// Adds <name>text</name>.
struct xml_node *xml_add_text(struct xml_doc *doc, struct xml_node *parent, const char *name,
                              struct slice text);
struct xml_node *xml_add_textf(struct xml_doc *doc, struct xml_node *parent, const char *name,
                               const char *format, ...) __attribute__((format(printf, 4, 5)));
void xml_set_text(struct xml_doc *doc, struct xml_node *node,
                  struct slice text); // replaces children
void xml_set_textf(struct xml_doc *doc, struct xml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Sets or replaces; a new attribute goes last. The attribute's name is kept.
void xml_set(struct xml_doc *doc, struct xml_node *node, const char *name, struct slice value);
void xml_sets(struct xml_doc *doc, struct xml_node *node, const char *name,
              const char *value); // kept
void xml_setf(struct xml_doc *doc, struct xml_node *node, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// Nothing happens to a NULL node.
void xml_unset(struct xml_node *node, const char *name);
// Unlinks it with all below it; its memory stays used. NULL: nothing.
void xml_remove(struct xml_node *node);
// Unlinks `node` and puts it in as the last child of `parent`, or directly before `sibling`.
void xml_move(struct xml_node *node, struct xml_node *parent);
void xml_move_before(struct xml_node *node, struct xml_node *sibling);
// A deep copy of `node` (of this or another document) as the last child of `parent`.
struct xml_node *xml_copy(struct xml_doc *doc, struct xml_node *parent,
                          const struct xml_node *node);
// A string that lives as long as the document.
struct slice xml_keep(struct xml_doc *doc, struct slice s);
struct slice xml_keepf(struct xml_doc *doc, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// --- writing, in libvirt's layout: two blanks a level from `indent` blanks on, attributes in
// single quotes, <name>text</name> on one line, <name/> when empty; comments and instructions left
// out. An element with text among its children keeps everything below it on the text's own lines.
// Below an element named "metadata" all is the user's: kept whole and in the layout of libxml2,
// which is what libvirt gives back for it (double quotes, namespaces first). Ends with a line end.
void xml_write(struct buffer *out, const struct xml_node *node, unsigned indent);
// One element as below "metadata", without the line end: what virDomainGetMetadata returns.
void xml_write_fragment(struct buffer *out, const struct xml_node *node);
// Escapes & < > and both quotes as libvirt does, and drops what XML can not hold.
void xml_write_escaped(struct buffer *out, struct slice text);

#endif
