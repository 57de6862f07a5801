// Schemas of libvirt's documents: which elements and attributes there are, in which order libvirt
// prints them, what their values may be and how libvirt prints those.
//
// A schema is a constant table. One walk over a tree checks every value, rewrites it in the form
// that libvirt prints ("0x01" for slot 1, "2097152" KiB for 2 GiB), drops what libvirt does not
// keep, and puts children and attributes into order. What the table does not name is kept, last.
#ifndef VIRT_XML_SCHEMA_H
#define VIRT_XML_SCHEMA_H

#include "text/xml.h"
#include "virt/schema/schema_kinds.h"
#include "virt/schema_tables.h"

// Schemas are written in virt/schema, and packed by schemagen: strings and tables are places in the
// three arrays below.
struct schema_attr {
    uint16_t name; // 0 ends a table
    uint16_t arg;
    uint16_t message; // with one %s for the value; libvirt's general wording when 0
    uint16_t value : SCHEMA_VALUE_BITS, flags : SCHEMA_ATTR_FLAG_BITS;
};

struct schema_element {
    uint16_t name;            // 0 ends a table; "" stands for all rows of `children`
    uint16_t attrs, children; // tables; 0 is the empty one
    uint16_t arg, message;    // of the text
    uint16_t text : SCHEMA_VALUE_BITS;
    uint32_t flags : SCHEMA_ELEMENT_FLAG_BITS;
    // Called when attributes and children are done: checks that need more than one value. May
    // remove the node from its tree. Returns false with the walk's error set.
    uint32_t check : 8; // of schema_checks; 0 for none
};

struct schema_walk;

extern const char schema_text[];
extern const struct schema_attr schema_attrs[];
extern const struct schema_element schema_elements[];
extern bool (*const schema_checks[])(struct schema_walk *walk, struct xml_node *node);

// The string at a place; NULL at 0.
const char *schema_string(unsigned place);

struct schema_walk {
    struct xml_doc *doc;
    bool live; // keep what only a running guest has
    struct error *err;
    void *user; // for check functions
};

// The rules of a list of children, one after the other, with those that rows named "" stand for.
struct schema_cursor {
    const struct schema_element *at, *back;
};
struct schema_cursor schema_rules(unsigned table);
const struct schema_element *schema_next_rule(struct schema_cursor *cursor);

// Checks and rewrites `node`, whose rule is `element`. False with the error set.
bool schema_apply(struct schema_walk *walk, struct xml_node *node,
                  const struct schema_element *element);
// The same for the attributes alone, by a table of schema_attrs that the caller chooses.
bool schema_apply_attrs(struct schema_walk *walk, struct xml_node *node, unsigned table);
// Whether all elements and attributes of `node` and below are known to `element`; `schema` is the
// name of libvirt's own ("domain.rng"), for the message. VIR_ERR_XML_INVALID_SCHEMA.
bool schema_check_names(struct schema_walk *walk, const char *schema, const struct xml_node *node,
                        const struct schema_element *element);
// Only puts children and attributes into order.
void schema_order(struct xml_node *node, const struct schema_element *element);
// Removes what is flagged with any of `flags` (SCHEMA_HIDE, SCHEMA_SECRET).
void schema_strip(struct xml_node *node, const struct schema_element *element, unsigned flags);

// True when `list`, "a|-b|c", has the word.
bool schema_has_word(const char *list, struct slice word);
// The position of the word in the list, or -1.
int schema_word_index(const char *list, struct slice word);
// Numbers as strtol reads them: blanks and a sign before, nothing behind; bases 0, 8, 10, 16.
bool schema_number(struct slice s, int base, bool *negative, uint64_t *magnitude);
// Scales a value by its unit as libvirt does ("GiB", "k", "MB", none: `scale`). Errors:
// VIR_ERR_INVALID_ARG for an unknown unit, VIR_ERR_OVERFLOW above `limit` bytes.
bool schema_scale(uint64_t *value, struct slice unit, uint64_t scale, uint64_t limit,
                  struct error *err);

#define SCHEMA_SET_BITS 16384 // libvirt's VIR_DOMAIN_CPUMASK_LEN
struct schema_set {
    uint64_t bits[SCHEMA_SET_BITS / 64];
};
// Parses "0-3,^2,7". False when it is malformed.
bool schema_set_parse(struct slice text, struct schema_set *set);
bool schema_set_has(const struct schema_set *set, unsigned bit);
void schema_set_add(struct schema_set *set, unsigned bit);
// The next bit that is set at or after `from`, or -1.
int schema_set_next(const struct schema_set *set, int from);
void schema_set_write(struct buffer *out, const struct schema_set *set);

#endif
