// xdrgen's picture of the protocol: what the parser fills in and the emitter writes out.
#ifndef XDRGEN_H
#define XDRGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// The kinds and shapes of rpc/xdr.h, by their names there.
enum kind {
    KIND_INT,
    KIND_UINT,
    KIND_HYPER,
    KIND_UHYPER,
    KIND_DOUBLE,
    KIND_CHAR,
    KIND_UCHAR,
    KIND_USHORT,
    KIND_STRING,
    KIND_OPAQUE,
    KIND_BYTES,
    KIND_STRUCT,
    KIND_UNION,
    KIND_NAMED, // a name of the .x files that is not resolved yet
};

enum shape {
    SHAPE_ONE,
    SHAPE_OPTIONAL,
    SHAPE_ARRAY,
    SHAPE_LIST,
};

// `kind` of a value, how many of it, and the name it goes by. Bounds are kept as they are written,
// a number or the name of a constant: the C compiler knows their values.
struct declaration {
    enum kind kind;
    enum shape shape;
    const char *name;
    const char *type;     // KIND_NAMED: the name
    const char *bound;    // STRING, OPAQUE: longest; BYTES: size
    const char *extent;   // ARRAY: length; LIST: longest
    const char *arm_case; // in a union: the case
    int definition;       // STRUCT, UNION: index in model.definitions
    int line;
};

enum definition_kind {
    DEFINE_CONST,
    DEFINE_ENUM,
    DEFINE_STRUCT,
    DEFINE_UNION,
    DEFINE_TYPEDEF,
};

struct definition {
    enum definition_kind kind;
    const char *name;
    const char *value; // CONST
    int first, count;  // STRUCT, UNION (its discriminant first), TYPEDEF: in model.declarations
                       // ENUM: in model.enumerators
    int file;
    int line;
    int type; // STRUCT, UNION: its number in contract_types, -1 until it has one
};

struct enumerator {
    const char *name;
    const char *value;
};

enum rule_kind {
    RULE_ACCESS,
    RULE_FILTER,
    RULE_READWRITE,
    RULE_SECURE,
    RULE_SPARSE,
};

enum rule_test {
    TEST_ALWAYS,
    TEST_HAS,
    TEST_ANY,
    TEST_LACKS,
    TEST_IS,
};

struct rule {
    enum rule_kind kind;
    enum rule_test test;
    const char *object; // NULL for rules that are not about access
    const char *permission;
    const char *argument; // NULL for TEST_ALWAYS
    uint32_t value;
};

enum mark {
    MARK_READONLY = 1 << 0,
    MARK_PREAUTH = 1 << 1,
    MARK_EVENT = 1 << 2,
    MARK_PRIORITY = 1 << 3,
    MARK_STREAM_READ = 1 << 4,
    MARK_STREAM_WRITE = 1 << 5,
};

#define RULES_PER_PROCEDURE 8

struct procedure {
    const char *name;
    const char *api;           // NULL for none
    const char *args, *result; // "void" or the name of a struct
    int number;
    unsigned marks;
    bool open_to_all; // @acl(none)
    int rule_count;
    struct rule rules[RULES_PER_PROCEDURE];
    int line;
};

struct program {
    const char *name, *version_name;
    const char *number, *version;
    int first, count; // in model.procedures
    int file;
};

struct model {
    struct file {
        const char *path;
        const char *base; // "remote" of proto/remote.x
    } files[16];
    int file_count;
    struct definition definitions[2048];
    int definition_count;
    struct declaration declarations[8192];
    int declaration_count;
    struct enumerator enumerators[512];
    int enumerator_count;
    struct enumerator values[64]; // @value
    int value_count;
    struct procedure procedures[1024];
    int procedure_count;
    struct program programs[16];
    int program_count;
};

extern struct model model;

// Ends xdrgen with "FILE:LINE: message".
_Noreturn void fail_at(int file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Reads one .x file into the model.
void parse_file(int file);
// Gives every named type its definition.
void resolve_names(void);
// -1 when nothing of that name is defined.
int find_definition(const char *name);
// The value of a number or of a constant; CONFIG_ symbols have none here.
bool constant_value(const char *text, uint32_t *value);

// The names of procedures, packed (xdrgen_names.c). All are added and numbered; when that is done
// they are packed, and have their offsets.
#define PACKED_NAME_MAX 128 // with its NUL: what the daemon has room for
unsigned packed_name_add(const char *name);
void packed_names_pack(void);
unsigned packed_name_offset(unsigned number);
void packed_names_write(FILE *out);

// Writes DIRECTORY/BASE.h for every file, and DIRECTORY/contract.c; of the tables only what is
// among `words`, lines that begin behind a line end; NULL for all.
void emit(const char *directory, const char *words);

#endif
