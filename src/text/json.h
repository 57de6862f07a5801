// JSON (RFC 8259): a text parsed into a tree over slices, and a writer.
//
// A tree lives in a `struct json_doc` that the caller provides and borrows from the parsed text,
// which must stay in place and unchanged. What comes in is not trusted (a guest's QEMU or agent
// wrote it): depth, number of values and UTF-8 are checked.
#ifndef TEXT_JSON_H
#define TEXT_JSON_H

#include "core/buffer.h"
#include "core/config.h"
#include "core/error.h"
#include "core/slice.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_value {
    enum json_kind kind;
    bool truth;        // of JSON_BOOL
    struct slice key;  // of an object's member: decoded as for strings
    struct slice text; // numbers as written; strings decoded (they may contain NUL)
    struct slice raw;  // the whole value as it stood in the source
    struct json_value *child, *next;
    uint32_t count; // members or elements
};

struct json_doc {
    struct json_value *root;
    struct json_value values[CONFIG_JSON_VALUES];
    char text[CONFIG_JSON_TEXT]; // strings that had escapes
    size_t value_count, text_len;
};

// Parses exactly one value. Errors: VIR_ERR_INTERNAL_ERROR, "cannot parse json ...: <cause>".
bool json_parse(struct json_doc *doc, struct slice source, struct error *err);

// Reading; a NULL value is allowed and reads as absent.
struct json_value *json_get(const struct json_value *object, const char *key);
// Along a path of keys: json_find(v, "return/running").
struct json_value *json_find(const struct json_value *object, const char *path);
struct slice json_string(const struct json_value *value); // absent if no string
struct slice json_get_string(const struct json_value *object, const char *key);
bool json_get_bool(const struct json_value *object, const char *key, bool otherwise);
bool json_get_i64(const struct json_value *object, const char *key, int64_t *number);
bool json_get_u64(const struct json_value *object, const char *key, uint64_t *number);
bool json_u64(const struct json_value *value, uint64_t *number);
bool json_i64(const struct json_value *value, int64_t *number);
bool json_f64(const struct json_value *value, double *number);

// Writing: commas are put in by the writer. `key` is NULL inside arrays and at the top.
struct json_writer {
    struct buffer *out;
    bool comma;
};
struct json_writer json_writer_to(struct buffer *out);
void json_open_object(struct json_writer *w, const char *key);
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w, const char *key);
void json_close_array(struct json_writer *w);
void json_put_string(struct json_writer *w, const char *key, struct slice value);
void json_puts(struct json_writer *w, const char *key, const char *value);
void json_putf(struct json_writer *w, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4))); // a string
void json_put_i64(struct json_writer *w, const char *key, int64_t value);
void json_put_u64(struct json_writer *w, const char *key, uint64_t value);
void json_put_bool(struct json_writer *w, const char *key, bool value);
void json_put_null(struct json_writer *w, const char *key);
void json_put_raw(struct json_writer *w, const char *key, struct slice json); // already JSON
// Writes a parsed value again, compactly.
void json_put_value(struct json_writer *w, const char *key, const struct json_value *value);

#endif
