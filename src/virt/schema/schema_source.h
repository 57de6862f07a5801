// Schemas of libvirt's documents as they are written down: one table of rules for each element's
// attributes and children, in the order in which libvirt 9.0 prints them
// (https://libvirt.org/formatdomain.html).
//
// These files are no part of the daemon: schemagen, a host tool, is linked with them and writes
// them out as the packed tables of virt/xml/xml_schema.h, a sixth of the size.
#ifndef VIRT_SCHEMA_SOURCE_H
#define VIRT_SCHEMA_SOURCE_H

#include "virt/schema/schema_kinds.h"

#include <stddef.h>

struct attr_rule {
    const char *name; // NULL ends a table
    enum schema_value value;
    unsigned flags;
    const char *arg;
    const char *message; // with one %s for the value; libvirt's general wording when NULL
};

struct element_rule {
    const char *name; // NULL ends a table; "" stands for all rows of `children`
    const struct attr_rule *attrs;
    const struct element_rule *children;
    unsigned flags;
    enum schema_value text;
    const char *arg, *message; // of the text
    // The name of a domain_check function (virt/xml/domain_check.h), called when attributes and
    // children are done.
    const char *check;
};

extern const struct element_rule domain_schema[];
extern const struct element_rule domain_devices_schema[]; // children of <devices>
extern const struct element_rule domain_disk_schema[];
extern const struct element_rule domain_interface_schema[];
// Rows for {.name = "", .children = ...}:
extern const struct element_rule domain_device_info_schema[]; // boot, alias, rom, address, ...
extern const struct element_rule domain_chardev_schema[];     // source, protocol, log
extern const struct element_rule domain_source_schema[];      // <source> of a disk
extern const struct element_rule domain_backing_children[];   // of <backingStore>
extern const struct attr_rule domain_virtio_options[];

// Attributes that depend on another value, which the checks of their elements apply themselves.
struct attr_table {
    const char *name; // PCI_ADDRESS for SCHEMA_PCI_ADDRESS; NULL ends the list
    const struct attr_rule *attrs;
};
extern const struct attr_table domain_attr_tables[];

// Parts of the tables.
#define ANY(n)                                                                                     \
    {                                                                                              \
        n, VALUE_STRING, 0, NULL, NULL                                                             \
    }
#define NAMED(n)                                                                                   \
    {                                                                                              \
        n, VALUE_STRING, SCHEMA_DROP_EMPTY, NULL, NULL                                             \
    }
#define NEEDED(n)                                                                                  \
    {                                                                                              \
        n, VALUE_STRING, SCHEMA_REQUIRED, NULL, NULL                                               \
    }
#define WORD(n, list)                                                                              \
    {                                                                                              \
        n, VALUE_ENUM, 0, list, NULL                                                               \
    }
#define WORD_OR(n, list, text)                                                                     \
    {                                                                                              \
        n, VALUE_ENUM, SCHEMA_UNSUPPORTED, list, text                                              \
    }
#define YES_NO(n)                                                                                  \
    {                                                                                              \
        n, VALUE_YES_NO, 0, NULL, NULL                                                             \
    }
#define ON_OFF(n)                                                                                  \
    {                                                                                              \
        n, VALUE_ON_OFF, 0, NULL, NULL                                                             \
    }
#define UINT(n)                                                                                    \
    {                                                                                              \
        n, VALUE_UINT, 0, NULL, NULL                                                               \
    }
#define COUNT(n)                                                                                   \
    {                                                                                              \
        n, VALUE_UINT, SCHEMA_DROP_ZERO, NULL, NULL                                                \
    }
#define ULONG(n)                                                                                   \
    {                                                                                              \
        n, VALUE_ULONG, SCHEMA_DROP_ZERO, NULL, NULL                                               \
    }
#define NUMBER(n, f)                                                                               \
    {                                                                                              \
        n, VALUE_UINT, f, NULL, NULL                                                               \
    }
#define ATTRS(...)                                                                                 \
    .attrs = (const struct attr_rule[])                                                            \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define CHILDREN(...)                                                                              \
    .children = (const struct element_rule[])                                                      \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define INCLUDE(rows)                                                                              \
    {                                                                                              \
        .name = "", .children = rows                                                               \
    }
#define TEXT(n)                                                                                    \
    {                                                                                              \
        .name = n, .text = VALUE_STRING, .flags = SCHEMA_ONE                                       \
    }
#define MARK(n)                                                                                    \
    {                                                                                              \
        .name = n, .flags = SCHEMA_ONE | SCHEMA_MARK                                               \
    }
#define VIRTIO_OPTIONS ON_OFF("iommu"), ON_OFF("ats"), ON_OFF("packed"), ON_OFF("page_per_vq")

#endif
