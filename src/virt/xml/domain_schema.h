// The schema of <domain>: what libvirt 9.0 knows, in the order in which it prints it
// (https://libvirt.org/formatdomain.html).
#ifndef VIRT_DOMAIN_SCHEMA_H
#define VIRT_DOMAIN_SCHEMA_H

#include "virt/xml/xml_schema.h"

extern const struct schema_element domain_schema;
extern const struct schema_element domain_devices_schema[]; // children of <devices>
extern const struct schema_element domain_disk_schema[];
extern const struct schema_element domain_interface_schema[];
// Rows for {.name = "", .children = ...}:
extern const struct schema_element domain_device_info_schema[]; // boot, alias, rom, address, ...
extern const struct schema_element domain_chardev_schema[];     // source, protocol, log
extern const struct schema_element domain_source_schema[];      // <source> of a disk
extern const struct schema_element domain_backing_children[];   // of <backingStore>
extern const struct schema_attr domain_virtio_options[];

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
    .attrs = (const struct schema_attr[])                                                          \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define CHILDREN(...)                                                                              \
    .children = (const struct schema_element[])                                                    \
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
