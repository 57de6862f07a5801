// XML: the tree. Finding in it, changing it, and the memory of a document.
#include "text/xml_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// --- memory

static const struct xml_limit limits[] = {
    {"CONFIG_XML_NODES", "too many nodes in the document", CONFIG_XML_NODES},
    {"CONFIG_XML_ATTRS", "too many attributes in the document", CONFIG_XML_ATTRS},
    {"CONFIG_XML_TEXT", "too much decoded or added text in the document", CONFIG_XML_TEXT},
};

const struct xml_limit *xml_limit_hit(const struct xml_doc *doc)
{
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        if (doc->full && strcmp(doc->full, limits[i].name) == 0)
            return &limits[i];
    return NULL;
}

void xml_reset(struct xml_doc *doc)
{
    doc->root = NULL;
    doc->node_count = 0;
    doc->attr_count = 0;
    doc->text_len = 0;
    doc->full = NULL;
}

bool xml_ok(const struct xml_doc *doc, struct error *err)
{
    const struct xml_limit *limit = xml_limit_hit(doc);
    return !limit || error_set(err, VIR_FROM_XML, VIR_ERR_XML_ERROR, "%s: limit is %zu, %s",
                               limit->what, limit->value, limit->name);
}

struct xml_node *xml_new_node(struct xml_doc *doc, enum xml_kind kind)
{
    bool full = doc->node_count == CONFIG_XML_NODES;
    struct xml_node *node = full ? &doc->scratch_node : &doc->nodes[doc->node_count++];
    memset(node, 0, sizeof(*node));
    node->kind = kind;
    node->scratch = full;
    if (full && !doc->full)
        doc->full = "CONFIG_XML_NODES";
    return node;
}

struct xml_attr *xml_new_attr(struct xml_doc *doc)
{
    bool full = doc->attr_count == CONFIG_XML_ATTRS;
    struct xml_attr *attr = full ? &doc->scratch_attr : &doc->attrs[doc->attr_count++];
    memset(attr, 0, sizeof(*attr));
    if (full && !doc->full)
        doc->full = "CONFIG_XML_ATTRS";
    return attr;
}

bool xml_put_text(struct xml_doc *doc, const char *at, size_t len)
{
    if (len > CONFIG_XML_TEXT - doc->text_len) {
        if (!doc->full)
            doc->full = "CONFIG_XML_TEXT";
        return false;
    }
    if (len)
        memcpy(doc->text + doc->text_len, at, len);
    doc->text_len += len;
    return true;
}

struct slice xml_keep(struct xml_doc *doc, struct slice s)
{
    if (!s.at)
        return s;
    const char *at = doc->text + doc->text_len;
    return xml_put_text(doc, s.at, s.len) ? (struct slice){at, s.len} : SLICE("");
}

static struct slice keep_format(struct xml_doc *doc, const char *format, va_list args)
{
    char *at = doc->text + doc->text_len;
    size_t room = CONFIG_XML_TEXT - doc->text_len;
    int length = vsnprintf(at, room, format, args);
    if (length < 0 || (size_t)length >= room) {
        if (!doc->full)
            doc->full = "CONFIG_XML_TEXT";
        return SLICE("");
    }
    doc->text_len += (size_t)length;
    return (struct slice){at, (size_t)length};
}

struct slice xml_keepf(struct xml_doc *doc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct slice kept = keep_format(doc, format, args);
    va_end(args);
    return kept;
}

// --- reading

bool xml_named(const struct xml_node *node, const char *name)
{
    return node && node->kind == XML_ELEMENT && (!name || slice_is(node->name, name));
}

static struct xml_node *first_named(struct xml_node *node, const char *name)
{
    while (node && !xml_named(node, name))
        node = node->next;
    return node;
}

struct xml_node *xml_child(const struct xml_node *node, const char *name)
{
    return node ? first_named(node->child, name) : NULL;
}

struct xml_node *xml_next(const struct xml_node *node, const char *name)
{
    return node ? first_named(node->next, name) : NULL;
}

struct xml_node *xml_find(const struct xml_node *node, const char *path)
{
    struct slice rest = slice_of(path), part;
    struct xml_node *found = NULL;
    while (slice_split(&rest, '/', &part)) {
        found = node ? node->child : NULL;
        while (found && !(found->kind == XML_ELEMENT && slice_equal(found->name, part)))
            found = found->next;
        node = found;
    }
    return found;
}

static struct xml_attr *attr_named(const struct xml_node *node, const char *name)
{
    struct xml_attr *attr = node ? node->attrs : NULL;
    while (attr && !slice_is(attr->name, name))
        attr = attr->next;
    return attr;
}

struct slice xml_attr(const struct xml_node *node, const char *name)
{
    const struct xml_attr *attr = attr_named(node, name);
    return attr ? attr->value : SLICE_NONE;
}

bool xml_attr_is(const struct xml_node *node, const char *name, const char *value)
{
    return slice_is(xml_attr(node, name), value);
}

struct slice xml_text(const struct xml_node *node)
{
    for (const struct xml_node *child = node ? node->child : NULL; child; child = child->next)
        if (xml_is_text(child))
            return slice_trim(child->text);
    return SLICE_NONE;
}

// The node after `node` in document order, within `top`.
static const struct xml_node *following(const struct xml_node *node, const struct xml_node *top)
{
    if (node->child)
        return node->child;
    while (node != top && !node->next)
        node = node->parent;
    return node == top ? NULL : node->next;
}

struct slice xml_string(struct xml_doc *doc, const struct xml_node *node)
{
    if (!node)
        return SLICE_NONE;
    struct slice only = SLICE("");
    unsigned count = 0;
    for (const struct xml_node *n = node; n; n = following(n, node))
        if (xml_is_text(n)) {
            only = n->text;
            count++;
        }
    if (count <= 1)
        return only;
    size_t start = doc->text_len;
    for (const struct xml_node *n = node; n; n = following(n, node))
        if (xml_is_text(n) && !xml_put_text(doc, n->text.at, n->text.len))
            return SLICE("");
    return (struct slice){doc->text + start, doc->text_len - start};
}

struct slice xml_text_at(const struct xml_node *node, const char *path)
{
    return xml_text(xml_find(node, path));
}

struct slice xml_attr_at(const struct xml_node *node, const char *path, const char *name)
{
    return xml_attr(xml_find(node, path), name);
}

// Is it the declaration (xmlns or xmlns:prefix) of that prefix?
static bool declares(const struct xml_attr *attr, struct slice prefix)
{
    if (!slice_starts(attr->name, "xmlns"))
        return false;
    struct slice rest = slice_from(attr->name, strlen("xmlns"));
    if (prefix.len == 0)
        return rest.len == 0;
    return slice_starts(rest, ":") && slice_equal(slice_from(rest, 1), prefix);
}

struct slice xml_namespace(const struct xml_node *node)
{
    if (!node)
        return SLICE_NONE;
    ptrdiff_t colon = slice_find(node->name, ':');
    struct slice prefix = {node->name.at, colon > 0 ? (size_t)colon : 0};
    for (; node; node = node->parent)
        for (const struct xml_attr *attr = node->attrs; attr; attr = attr->next)
            if (declares(attr, prefix))
                return attr->value.len ? attr->value : SLICE_NONE;
    return SLICE_NONE;
}

unsigned xml_count(const struct xml_node *node, const char *name)
{
    unsigned count = 0;
    XML_EACH (child, node, name)
        count++;
    return count;
}

// --- changing

static void unlink_node(struct xml_node *node)
{
    struct xml_node *parent = node->parent;
    if (!parent)
        return;
    *(node->prev ? &node->prev->next : &parent->child) = node->next;
    *(node->next ? &node->next->prev : &parent->last) = node->prev;
    node->parent = node->prev = node->next = NULL;
}

void xml_link(struct xml_node *node, struct xml_node *parent)
{
    if (node->scratch || parent->scratch)
        return;
    node->parent = parent;
    node->prev = parent->last;
    node->next = NULL;
    *(parent->last ? &parent->last->next : &parent->child) = node;
    parent->last = node;
}

static void link_before(struct xml_node *node, struct xml_node *sibling)
{
    struct xml_node *parent = sibling->parent;
    if (node->scratch || !parent)
        return;
    node->parent = parent;
    node->prev = sibling->prev;
    node->next = sibling;
    *(sibling->prev ? &sibling->prev->next : &parent->child) = node;
    sibling->prev = node;
}

static struct xml_node *new_element(struct xml_doc *doc, const char *name)
{
    struct xml_node *node = xml_new_node(doc, XML_ELEMENT);
    node->name = slice_of(name);
    return node;
}

struct xml_node *xml_root(struct xml_doc *doc, const char *name)
{
    xml_reset(doc);
    doc->root = new_element(doc, name);
    return doc->root;
}

struct xml_node *xml_add(struct xml_doc *doc, struct xml_node *parent, const char *name)
{
    struct xml_node *node = new_element(doc, name);
    xml_link(node, parent);
    return node;
}

struct xml_node *xml_add_before(struct xml_doc *doc, struct xml_node *sibling, const char *name)
{
    struct xml_node *node = new_element(doc, name);
    link_before(node, sibling);
    return node;
}

struct xml_node *xml_need(struct xml_doc *doc, struct xml_node *parent, const char *name)
{
    struct xml_node *child = xml_child(parent, name);
    return child ? child : xml_add(doc, parent, name);
}

// Replaces all children by one text, which has been kept.
static void set_kept_text(struct xml_doc *doc, struct xml_node *node, struct slice text)
{
    while (node->child)
        unlink_node(node->child);
    if (text.len == 0)
        return;
    struct xml_node *child = xml_new_node(doc, XML_TEXT);
    child->text = text;
    xml_link(child, node);
}

void xml_set_text(struct xml_doc *doc, struct xml_node *node, struct slice text)
{
    set_kept_text(doc, node, xml_keep(doc, text));
}

void xml_set_textf(struct xml_doc *doc, struct xml_node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_kept_text(doc, node, keep_format(doc, format, args));
    va_end(args);
}

struct xml_node *xml_add_text(struct xml_doc *doc, struct xml_node *parent, const char *name,
                              struct slice text)
{
    struct xml_node *node = xml_add(doc, parent, name);
    xml_set_text(doc, node, text);
    return node;
}

struct xml_node *xml_add_textf(struct xml_doc *doc, struct xml_node *parent, const char *name,
                               const char *format, ...)
{
    struct xml_node *node = xml_add(doc, parent, name);
    va_list args;
    va_start(args, format);
    set_kept_text(doc, node, keep_format(doc, format, args));
    va_end(args);
    return node;
}

static void add_attr(struct xml_doc *doc, struct xml_node *node, struct slice name,
                     struct slice value)
{
    struct xml_attr *attr = xml_new_attr(doc);
    attr->name = name;
    attr->value = value;
    if (attr == &doc->scratch_attr)
        return;
    struct xml_attr **end = &node->attrs;
    while (*end)
        end = &(*end)->next;
    *end = attr;
}

// `value` has been kept.
static void set_kept(struct xml_doc *doc, struct xml_node *node, const char *name,
                     struct slice value)
{
    struct xml_attr *attr = attr_named(node, name);
    if (attr)
        attr->value = value;
    else
        add_attr(doc, node, slice_of(name), value);
}

void xml_set(struct xml_doc *doc, struct xml_node *node, const char *name, struct slice value)
{
    set_kept(doc, node, name, xml_keep(doc, value));
}

void xml_sets(struct xml_doc *doc, struct xml_node *node, const char *name, const char *value)
{
    set_kept(doc, node, name, slice_of(value));
}

void xml_setf(struct xml_doc *doc, struct xml_node *node, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_kept(doc, node, name, keep_format(doc, format, args));
    va_end(args);
}

void xml_unset(struct xml_node *node, const char *name)
{
    if (!node)
        return;
    struct xml_attr **link = &node->attrs;
    while (*link && !slice_is((*link)->name, name))
        link = &(*link)->next;
    if (*link)
        *link = (*link)->next;
}

void xml_remove(struct xml_node *node)
{
    if (node)
        unlink_node(node);
}

void xml_move(struct xml_node *node, struct xml_node *parent)
{
    unlink_node(node);
    xml_link(node, parent);
}

void xml_move_before(struct xml_node *node, struct xml_node *sibling)
{
    if (node == sibling)
        return;
    unlink_node(node);
    link_before(node, sibling);
}

// --- copying

static bool holds(const struct xml_doc *doc, const struct xml_node *node)
{
    uintptr_t at = (uintptr_t)node, first = (uintptr_t)doc->nodes;
    return at >= first && at < first + sizeof(doc->nodes);
}

// A string of a tree in `doc` lives long enough; one of another tree does not.
static struct slice keep_foreign(struct xml_doc *doc, struct slice s, bool own)
{
    return own ? s : xml_keep(doc, s);
}

// One node without what is below it.
static struct xml_node *copy_node(struct xml_doc *doc, const struct xml_node *node, bool own)
{
    struct xml_node *copy = xml_new_node(doc, node->kind);
    copy->name = keep_foreign(doc, node->name, own);
    copy->text = keep_foreign(doc, node->text, own);
    copy->open = node->open;
    for (const struct xml_attr *attr = node->attrs; attr; attr = attr->next)
        add_attr(doc, copy, keep_foreign(doc, attr->name, own),
                 keep_foreign(doc, attr->value, own));
    return copy;
}

struct xml_node *xml_copy(struct xml_doc *doc, struct xml_node *parent, const struct xml_node *node)
{
    bool own = holds(doc, node);
    struct xml_node *top = copy_node(doc, node, own), *copy = top;
    // The copy is linked last, so that a copy into a node's own subtree ends.
    for (const struct xml_node *from = node; (from->child || from != node) && !doc->full;) {
        if (from->child) {
            from = from->child;
        } else {
            while (from != node && !from->next) {
                from = from->parent;
                copy = copy->parent;
            }
            if (from == node)
                break;
            from = from->next;
            copy = copy->parent;
        }
        struct xml_node *below = copy_node(doc, from, own);
        xml_link(below, copy);
        copy = below;
    }
    xml_link(top, parent);
    return top;
}
