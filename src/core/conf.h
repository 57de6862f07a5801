// Configuration files in libvirt's syntax (libvirtd.conf, qemu.conf), read into a struct by a
// table.
//
//     # a comment
//     name = "text"          'text' and """text of several lines""" too; there are no escapes
//     name = 123
//     name = [ "a", "b" ]
//
// The caller's table says which names there are, of what type, and where each value goes. A name
// that is not in the table and a value that does not fit are errors that tell file and line: a
// misspelt setting must not go unnoticed.
#ifndef CORE_CONF_H
#define CORE_CONF_H

#include "core/error.h"
#include "core/slice.h"

enum conf_type {
    CONF_STRING,     // char[]: cut never; a value that does not fit is refused
    CONF_BOOL,       // bool, written 0 or 1
    CONF_UINT32,     // uint32_t
    CONF_UINT64,     // uint64_t
    CONF_INT32,      // int32_t
    CONF_LIST,       // struct conf_list: strings
    CONF_LOOSE_LIST, // the same; one string may stand without brackets
    CONF_ANY,        // any of these
};

#define CONF_LIST_ITEMS 64 // strings in a list
#define CONF_LIST_TEXT  2040

// A list that was read: its strings one behind the other, each with its NUL. `is_set` tells an
// empty list from none.
struct conf_list {
    bool is_set;
    uint16_t count;
    uint16_t length; // of `text` in use
    char text[CONF_LIST_TEXT];
};

// The strings in order: start with NULL; NULL at the end.
const char *conf_list_next(const struct conf_list *list, const char *before);
bool conf_list_has(const struct conf_list *list, const char *string);

// A value as it stands in the file.
struct conf_value {
    enum { CONF_VALUE_STRING, CONF_VALUE_NUMBER, CONF_VALUE_LIST } kind;
    struct slice string;
    bool negative;
    uint64_t number; // without its sign
    struct slice items[CONF_LIST_ITEMS];
    size_t count;
};

struct conf_key {
    const char *name;
    // Looks at a value of the right type before it is stored. NULL when it is fine, else the reason
    // why not; the message becomes "FILE:LINE: NAME: REASON".
    const char *(*check)(const struct conf_value *value);
    // Stores the value instead of the type's own way. Likewise.
    const char *(*convert)(void *field, const struct conf_value *value);
    uint32_t offset; // of the field in the struct that is filled
    uint16_t size;   // of the field; 0: not stored
    uint8_t type;    // enum conf_type
    uint8_t max;     // of a number; 0: what the type holds
    bool idle;       // taken and checked, and of no effect; see conf_read()
};

// A key with the name of its field: {CONF_KEY(struct settings, CONF_BOOL, listen_tcp)}.
#define CONF_KEY(struct_type, key_type, field)                                                     \
    .name = #field, .type = (key_type), .offset = offsetof(struct_type, field),                    \
    .size = sizeof(((struct_type *)0)->field)

struct conf {
    const struct conf_key *keys;
    size_t key_count;
    void *base;      // the struct that the offsets are in
    uint32_t *lines; // key_count of them: the line where each was set, 0 where it was not
    const char *file;
    const char *idle; // more names that are known and of no effect, a word list; or NULL
};

// Reads `text`. Of a name that is set twice the first counts, as in libvirt. What is set and has no
// effect is warned of in the log, with file and line, unless it says 0 or [ ]: that switches off
// what is not there. Errors: VIR_ERR_CONF_SYNTAX, and VIR_ERR_CONFIG_UNSUPPORTED for names and
// values; what stood before the error has been stored.
bool conf_read(const struct conf *conf, struct slice text, struct error *err);
// Sets an error about the key at `index`, at the place where it was set. Returns false.
bool conf_refuse(const struct conf *conf, size_t index, const char *reason, struct error *err);

#endif
