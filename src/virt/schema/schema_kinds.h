// The kinds of values in libvirt's documents and what a schema says of its elements and attributes;
// shared by the schemas (here), and the daemon's walk over them (virt/xml/xml_schema.h).
#ifndef VIRT_SCHEMA_KINDS_H
#define VIRT_SCHEMA_KINDS_H

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
    SCHEMA_HIDE = 1 << 11,   // not shown in inactive definitions
    // Elements:
    SCHEMA_ONE = 1 << 12,       // the first one counts, others are dropped
    SCHEMA_DROP_BARE = 1 << 13, // not shown without attributes and children
    SCHEMA_MARK = 1 << 14,      // <readonly/>: its presence is all; content is dropped
    SCHEMA_VERBATIM = 1 << 15,  // not looked into
    SCHEMA_OPEN = 1 << 16,      // written with an end tag even when it is empty
    SCHEMA_KEEP_TEXT = 1 << 17, // text beside or instead of children is kept
};

#define SCHEMA_VALUE_BITS        4
#define SCHEMA_ATTR_FLAG_BITS    12
#define SCHEMA_ELEMENT_FLAG_BITS 18
#define SCHEMA_ATTR_FLAGS        ((1u << SCHEMA_ATTR_FLAG_BITS) - 1)

#endif
