// Schemas of libvirt's documents: which elements and attributes there are, in which order libvirt
// prints them, what their values may be and how libvirt prints those.
//
// A schema is a constant table. One walk over a tree checks every value, rewrites it in the form
// that libvirt prints ("0x01" for slot 1, "2097152" KiB for 2 GiB), drops what libvirt does not
// keep, and puts children and attributes into order. What the table does not name is kept, last.
#ifndef VIRT_XML_SCHEMA_H
#define VIRT_XML_SCHEMA_H

#include "text/xml.h"

enum schema_value {
    VALUE_NONE,   // an element without text of its own
    VALUE_STRING, // anything
    VALUE_ENUM,   // one word of `arg`, "raw|qcow2"; a word after '-' is accepted and then not shown
    VALUE_YES_NO,
    VALUE_ON_OFF,
    VALUE_UINT,  // unsigned int, base 10 unless flagged otherwise; `arg` is a format to print it
                 // with
    VALUE_ULONG, // unsigned long long
    VALUE_INT,
    VALUE_LONG,    // long long
    VALUE_NATURAL, // int that is not negative
    VALUE_UUID,
    VALUE_MEMORY, // KiB with a unit attribute, which is rewritten; element text only
    VALUE_BYTES,  // likewise in bytes
    VALUE_SET,    // "0-3,^2", a set of small numbers
};

enum schema_flags {
    // Attributes, and text of elements:
    SCHEMA_REQUIRED = 1 << 0,    // missing is an error
    SCHEMA_NONZERO = 1 << 1,     // 0 is an error
    SCHEMA_DROP_ZERO = 1 << 2,   // 0 is not shown
    SCHEMA_DROP_EMPTY = 1 << 3,  // an empty string is not shown
    SCHEMA_BASE_0 = 1 << 4,      // 0x and octal numbers, too
    SCHEMA_BASE_16 = 1 << 5,     // hexadecimal with or without 0x
    SCHEMA_BASE_8 = 1 << 6,      // octal
    SCHEMA_UNSUPPORTED = 1 << 7, // a bad value is VIR_ERR_CONFIG_UNSUPPORTED with `message`
    SCHEMA_LENIENT = 1 << 8,     // a bad value is dropped without an error
    // Both:
    SCHEMA_LIVE = 1 << 9,    // only a running guest has it; ignored in what is defined
    SCHEMA_SECRET = 1 << 10, // shown only to those who may see secrets
    SCHEMA_HIDE = 1 << 15,   // not shown in inactive definitions
    // Elements:
    SCHEMA_ONE = 1 << 11,       // the first one counts, others are dropped
    SCHEMA_DROP_BARE = 1 << 12, // not shown without attributes and children
    SCHEMA_MARK = 1 << 13,      // <readonly/>: its presence is all; content is dropped
    SCHEMA_VERBATIM = 1 << 14,  // not looked into
    SCHEMA_OPEN = 1 << 17,      // written with an end tag even when it is empty
    SCHEMA_KEEP_TEXT = 1 << 16, // text beside or instead of children is kept
};

struct schema_attr {
    const char *name; // NULL ends a table
    enum schema_value value;
    unsigned flags;
    const char *arg;
    const char *message; // with one %.*s for the value; libvirt's general wording when NULL
};

struct schema_walk;

struct schema_element {
    const char *name; // NULL ends a table; "" stands for all rows of `children`
    const struct schema_attr *attrs;
    const struct schema_element *children;
    unsigned flags;
    enum schema_value text;
    const char *arg, *message; // of the text
    // Called when attributes and children are done: checks that need more than one value. May
    // remove the node from its tree. Returns false with the walk's error set.
    bool (*check)(struct schema_walk *walk, struct xml_node *node);
};

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
struct schema_cursor schema_rules(const struct schema_element *rules);
const struct schema_element *schema_next_rule(struct schema_cursor *cursor);

// Checks and rewrites `node`, whose rule is `element`. False with the error set.
bool schema_apply(struct schema_walk *walk, struct xml_node *node,
                  const struct schema_element *element);
// The same for the attributes alone, by a table chosen by the caller.
bool schema_apply_attrs(struct schema_walk *walk, struct xml_node *node,
                        const struct schema_attr *rules);
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
