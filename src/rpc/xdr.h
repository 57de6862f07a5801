// XDR (RFC 4506): the reader, the writer, and the interpreter of the contract's descriptor tables.
//
// proto/*.x describe the protocol; xdrgen turns each into a header of plain C structs
// ("proto/remote.h") and all of them together into one set of constant tables, which the
// interpreter walks. Decoding leaves strings, opaques and lists where they arrived: the struct
// points into the message.
//
//     XDR type                      member of the C struct
//     int, enum                     int32_t
//     unsigned int                  uint32_t
//     hyper, unsigned hyper         int64_t, uint64_t
//     double                        double
//     char, unsigned char           int8_t, uint8_t     (four bytes on the wire, as rpcgen has it)
//     unsigned short                uint16_t            (likewise)
//     string<n>, opaque<n>          struct slice
//     *string                       struct slice, absent (.at == NULL) when the sender left it out
//     opaque[n]                     uint8_t[n]
//     T[n]                          T[n]
//     T<n>                          struct xdr_list, walked with xdr_next()
//     struct, union                 by value; a union is its discriminant and a C union
//     *struct                       bool NAME_present, and the value
#ifndef RPC_XDR_H
#define RPC_XDR_H

#include "core/buffer.h"
#include "core/config.h"
#include "core/error.h"
#include "core/slice.h"

// ---- The tables (generated; the interpreter's business, but for the procedures) ----

enum xdr_kind {
    XDR_INT,
    XDR_UINT,
    XDR_HYPER,
    XDR_UHYPER,
    XDR_DOUBLE,
    XDR_CHAR,
    XDR_UCHAR,
    XDR_USHORT,
    XDR_STRING,
    XDR_OPAQUE,
    XDR_BYTES, // opaque[n]
    XDR_STRUCT,
    XDR_UNION,
};

enum xdr_shape {
    XDR_ONE,
    XDR_OPTIONAL,
    XDR_ARRAY, // T[n]
    XDR_LIST,  // T<n>
};

// One member of a struct, or one arm of a union.
struct xdr_field {
    uint16_t name;   // in contract_names
    uint16_t offset; // in the C struct
    uint8_t kind;
    uint8_t shape;
    uint16_t
        of; // STRING, OPAQUE: the limit's index; BYTES: the size; STRUCT, UNION: the type's index
    uint16_t extent; // LIST: the limit's index; ARRAY: the length; OPTIONAL: offset of
                     // NAME_present; a union's arm: its case
};

struct xdr_type {
    uint16_t first; // in contract_fields; a union's first field is its discriminant
    uint16_t count;
    uint16_t size; // of the C struct
    bool is_union;
};

struct xdr_limit {
    uint32_t value;
    uint16_t name; // in contract_names
};

extern const struct xdr_type contract_types[];
extern const struct xdr_field contract_fields[];
extern const struct xdr_limit contract_limits[];
extern const char contract_names[];

// The size in C of one value of the field, whatever its shape.
size_t xdr_value_size(const struct xdr_field *field);

// The descriptor of a struct or union of the contract: XDR_TYPE(remote_domain_create_args).
#define XDR_TYPE(name) (&contract_types[XDR_TYPE_##name])

// ---- Programs and procedures ----

enum xdr_procedure_mark {
    XDR_MARK_READONLY = 1 << 0,     // may be called over a read-only connection (but see the rules)
    XDR_MARK_PREAUTH = 1 << 1,      // may be called before authentication
    XDR_MARK_EVENT = 1 << 2,        // a message, not a call; `args` is what it carries
    XDR_MARK_PRIORITY = 1 << 3,     // never waits for a hypervisor
    XDR_MARK_STREAM_READ = 1 << 4,  // opens a stream on which the client reads
    XDR_MARK_STREAM_WRITE = 1 << 5, // opens a stream on which the client writes
};

enum xdr_rule_kind {
    XDR_RULE_ACCESS,    // needs this permission on the object
    XDR_RULE_FILTER,    // lists only objects on which the caller has this permission
    XDR_RULE_READWRITE, // refused to read-only connections: "read only access prevents API"
    XDR_RULE_SECURE,    // likewise, because it shows secrets: "API with secure flag"
    XDR_RULE_SPARSE,    // the stream has holes
};

enum xdr_rule_test {
    XDR_TEST_ALWAYS,
    XDR_TEST_HAS,   // all bits of `value` set in the argument
    XDR_TEST_ANY,   // at least one of them
    XDR_TEST_LACKS, // none of them
    XDR_TEST_IS,    // the argument is `value`
};

struct xdr_rule {
    uint8_t permission; // in contract_permissions; 0 when it has none
    uint8_t kind;
    uint8_t test;
    uint16_t offset; // of the unsigned int that the test looks at, in the arguments' C struct
    uint32_t value;
};

// A permission, by its names in contract_names: "domain", "storage_pool", ... and "getattr",
// "search_domains", ... No name stands twice in there: equal names have equal offsets.
struct xdr_permission {
    uint16_t object;
    uint16_t permission;
};

#define XDR_PERMISSIONS_MAX 128 // that the contract can have, with 0, which is none

struct xdr_procedure {
    uint16_t name; // in contract_procedure_names; 0: no such number
    uint16_t args; // types' indices + 1, 0 for void
    uint16_t result;
    uint16_t rules; // the first, in contract_rules
    uint8_t rule_count;
    uint8_t marks; // enum xdr_procedure_mark
};

// Programs are constants of the generated headers: remote_program, qemu_program, ...
struct xdr_program {
    const char *name;                       // "remote"
    const struct xdr_procedure *procedures; // numbers 1 to `last`
    uint32_t number;
    uint32_t version;
    uint32_t last;
};

// What procedures are called. A byte from 128 on stands for a pair of bytes, which may be such
// bytes again.
extern const unsigned char contract_procedure_names[];
extern const unsigned char contract_pairs[][2];

extern const struct xdr_rule contract_rules[];
extern const struct xdr_permission contract_permissions[];
extern const uint8_t contract_permission_count; // with 0

// NULL when the program has no procedure of that number.
const struct xdr_procedure *xdr_procedure_find(const struct xdr_program *program, int32_t number);
// The name of the API function ("virDomainCreateXML"); where there is none, that of the procedure
// ("auth_list"). For messages: libvirt's own name the API function. Valid until the next call.
const char *xdr_procedure_name(const struct xdr_procedure *procedure);
// NULL for void.
const struct xdr_type *xdr_procedure_args(const struct xdr_procedure *procedure);
const struct xdr_type *xdr_procedure_result(const struct xdr_procedure *procedure);
// The next rule of that kind which these (decoded) arguments make apply; `previous` is NULL at
// first and the rule last returned then. NULL when there is none left.
const struct xdr_rule *xdr_procedure_rule(const struct xdr_procedure *procedure,
                                          enum xdr_rule_kind kind, const void *args,
                                          const struct xdr_rule *previous);
const char *xdr_rule_object(const struct xdr_rule *rule);
const char *xdr_rule_permission(const struct xdr_rule *rule);
// Refuses what a read-only connection may not call, in libvirt's words (VIR_ERR_OPERATION_DENIED).
bool xdr_procedure_allow_readonly(const struct xdr_procedure *procedure, const void *args,
                                  struct error *err);

// ---- Reading ----

struct xdr_reader {
    const uint8_t *at;
    const uint8_t *end;
};

// A T<n> in the message: validated, but still encoded.
struct xdr_list {
    const uint8_t *at;
    const uint8_t *end;
    const struct xdr_field *element;
    uint32_t count; // elements not yet walked
};

// Decodes one value of `type` into its C struct, which points into the message afterwards. False
// with VIR_ERR_RPC when the message is too short, a string or list is longer than its limit, a
// string holds a NUL, or a discriminant is unknown. Unknown enum values pass and padding is not
// looked at, as in every libvirt. Bytes after the value stay in the reader; libvirt tolerates them
// after arguments.
bool xdr_decode(struct xdr_reader *reader, const struct xdr_type *type, void *into,
                struct error *err);

// Decodes the next element of a list: an int32_t, a struct slice, a struct ... False at the end.
// Copy the list (it is small) to walk it twice.
#define xdr_next(list, element) xdr_list_next((list), (element), sizeof *(element))
bool xdr_list_next(struct xdr_list *list, void *element, size_t size);

// ---- Writing ----

#ifdef CONFIG_DEBUG_CHECKS
#define XDR_CHECK_DEPTH 16
// Where in the expected type the writer is (rpc/xdr_check.c).
struct xdr_check {
    struct xdr_check_level {
        const struct xdr_field *field;
        const struct xdr_field *end;
        uint32_t left;
        uint8_t state;
    } level[XDR_CHECK_DEPTH];
    int depth;
    bool active; // a type is expected
};
#endif

// Writes into memory that can be exchanged for larger memory. The first failure sticks: `*err` is
// set, `failed` is true, and everything after it does nothing, so a handler writes its reply down
// without looking and its caller asks once.
struct xdr_writer {
    uint8_t *at; // the start of the memory
    size_t size;
    size_t len; // written
    // Called when more than `size` bytes are needed. Puts memory of at least `need` bytes in place
    // (at, size), with the bytes written so far copied. XDR_GROW_MOST asks for the largest there
    // is. False when there is none: with *err set, or else the message is told to be too long.
    bool (*grow)(struct xdr_writer *writer, size_t need);
    void *owner; // grow's
    struct error *err;
    bool failed;
    char nothing[1]; // what a failed writer hands out for a text
#ifdef CONFIG_DEBUG_CHECKS
    struct xdr_check check;
#endif
};

#define XDR_GROW_MOST SIZE_MAX

// A writer over memory that does not grow, unless `grow` and `owner` are set afterwards.
struct xdr_writer xdr_writer_over(void *memory, size_t size, struct error *err);
// Fails the writer: for what a handler finds out in the middle of a reply. Returns false.
bool xdr_writer_fail(struct xdr_writer *w, int domain, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// In checking builds: what is written from here on must be one value of `type` (NULL: nothing at
// all), item by item, or the program aborts. xdr_writer_done() aborts when the value is incomplete,
// unless the writer has failed. In other builds both are nothing.
void xdr_writer_expect(struct xdr_writer *w, const struct xdr_type *type);
void xdr_writer_done(const struct xdr_writer *w);

// A whole value from its C struct. Lists in it are copied as they are: they came from a decoded
// message. This is the way to write everything that has no list of its own to build:
//
//     struct remote_domain_get_state_ret ret = {.state = state, .reason = reason};
//     xdr_encode(w, XDR_TYPE(remote_domain_get_state_ret), &ret);
void xdr_encode(struct xdr_writer *w, const struct xdr_type *type, const void *from);

// Single items, for values that hold lists or long texts, in the order of the contract.
void xdr_put_i32(struct xdr_writer *w, int32_t value);
void xdr_put_u32(struct xdr_writer *w, uint32_t value);
void xdr_put_i64(struct xdr_writer *w, int64_t value);
void xdr_put_u64(struct xdr_writer *w, uint64_t value);
void xdr_put_double(struct xdr_writer *w, double value);
// At most CONFIG_REMOTE_STRING_MAX bytes and no NUL. An absent string is written as an empty one.
void xdr_put_string(struct xdr_writer *w, struct slice value);
// *string: an absent slice is left out.
void xdr_put_optional_string(struct xdr_writer *w, struct slice value);
// *struct: says whether a value follows.
void xdr_put_present(struct xdr_writer *w, bool present);
// opaque<max>: more fails the writer, with the limit's name.
#define xdr_put_opaque(w, bytes, len, max) xdr_put_opaque_named((w), (bytes), (len), (max), #max)
void xdr_put_opaque_named(struct xdr_writer *w, const void *bytes, size_t len, uint32_t max,
                          const char *limit);
// opaque[n], such as a uuid.
void xdr_put_bytes(struct xdr_writer *w, const void *bytes, size_t len);
// A remote_nonnull_domain, and whatever else is a name, a uuid and a number, in one go: lists have
// thousands of them. The name is shorter than CONFIG_REMOTE_STRING_MAX.
void xdr_put_object(struct xdr_writer *w, const char *name, const uint8_t uuid[16], int32_t id);
// char<max>, the contract's form of SASL data and security labels: a list with an element per byte.
#define xdr_put_chars(w, value, max) xdr_put_chars_named((w), (value), (max), #max)
void xdr_put_chars_named(struct xdr_writer *w, struct slice value, uint32_t max, const char *limit);

// A string whose length is not known yet: a document written straight into the message. Moves to
// the largest memory at once; the buffer ends where the string or the message would become too
// long. Nothing else may be written before xdr_string_end(), which fails the writer with the
// limit's name when the buffer is full.
struct buffer xdr_string_begin(struct xdr_writer *w);
void xdr_string_end(struct xdr_writer *w, const struct buffer *text);

// A list whose length is not known yet:
//
//     struct xdr_list_mark names = xdr_list_begin(w, REMOTE_DOMAIN_LIST_MAX);
//     for (...) {
//         xdr_list_add(w, &names);
//         xdr_put_string(w, name);
//     }
//     xdr_list_end(w, &names);
//
// An element over the maximum fails the writer, with the limit's name.
struct xdr_list_mark {
    size_t at; // of the count
    uint32_t count;
    uint32_t max;
    const char *limit; // its name
};
#define xdr_list_begin(w, max) xdr_list_begin_named((w), (max), #max)
struct xdr_list_mark xdr_list_begin_named(struct xdr_writer *w, uint32_t max, const char *limit);
void xdr_list_add(struct xdr_writer *w, struct xdr_list_mark *list);
void xdr_list_end(struct xdr_writer *w, const struct xdr_list_mark *list);

// ---- Big-endian words, for what frames a message ----

static inline uint32_t xdr_load_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void xdr_store_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

#endif
