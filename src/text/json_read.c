// JSON: reading from a parsed tree.
#include "text/json.h"

#include <stdlib.h>

static struct json_value *member(const struct json_value *object, struct slice key)
{
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    struct json_value *child = object->child;
    while (child && !slice_equal(child->key, key))
        child = child->next;
    return child;
}

struct json_value *json_get(const struct json_value *object, const char *key)
{
    return member(object, slice_of(key));
}

struct json_value *json_find(const struct json_value *object, const char *path)
{
    struct slice rest = slice_of(path), part;
    struct json_value *found = NULL;
    while (slice_split(&rest, '/', &part)) {
        found = member(object, part);
        object = found;
    }
    return found;
}

struct slice json_string(const struct json_value *value)
{
    return value && value->kind == JSON_STRING ? value->text : SLICE_NONE;
}

struct slice json_get_string(const struct json_value *object, const char *key)
{
    return json_string(json_get(object, key));
}

bool json_get_bool(const struct json_value *object, const char *key, bool otherwise)
{
    const struct json_value *value = json_get(object, key);
    return value && value->kind == JSON_BOOL ? value->truth : otherwise;
}

bool json_u64(const struct json_value *value, uint64_t *number)
{
    return value && value->kind == JSON_NUMBER && slice_u64(value->text, 10, number);
}

bool json_i64(const struct json_value *value, int64_t *number)
{
    return value && value->kind == JSON_NUMBER && slice_i64(value->text, 10, number);
}

bool json_f64(const struct json_value *value, double *number)
{
    char text[64];
    if (!value || value->kind != JSON_NUMBER || !slice_copy(text, sizeof(text), value->text))
        return false;
    *number = strtod(text, NULL);
    return true;
}

bool json_get_i64(const struct json_value *object, const char *key, int64_t *number)
{
    return json_i64(json_get(object, key), number);
}

bool json_get_u64(const struct json_value *object, const char *key, uint64_t *number)
{
    return json_u64(json_get(object, key), number);
}
