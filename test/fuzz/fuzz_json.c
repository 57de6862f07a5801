// JSON: what was parsed is written and parsed to the same text, and numbers agree with each other.
#include "fuzz.h"

#include "text/json.h"

#define TEXT_MAX (1 << 20)

static struct json_doc doc, again;
static char first[TEXT_MAX], second[TEXT_MAX];

static void check_numbers(const struct json_value *value)
{
    uint64_t u64;
    int64_t i64;
    double f64;
    bool is_u64 = json_u64(value, &u64), is_i64 = json_i64(value, &i64);
    bool is_f64 = json_f64(value, &f64);
    if (is_u64 && is_i64)
        FUZZ_CHECK(i64 >= 0 && (uint64_t)i64 == u64);
    if (is_u64 || is_i64)
        FUZZ_CHECK(value->kind == JSON_NUMBER && is_f64);
}

static void check_value(const struct json_value *value)
{
    uint32_t count = 0;
    check_numbers(value);
    for (const struct json_value *child = value->child; child; child = child->next) {
        FUZZ_CHECK((value->kind == JSON_OBJECT) == slice_present(child->key));
        check_value(child);
        count++;
    }
    FUZZ_CHECK(count == value->count);
    FUZZ_CHECK(slice_present(json_string(value)) == (value->kind == JSON_STRING));
}

static struct slice write_value(const struct json_value *value, char *to)
{
    struct buffer out = buffer_over(to, TEXT_MAX);
    struct json_writer writer = json_writer_to(&out);
    json_put_value(&writer, NULL, value);
    FUZZ_CHECK(buffer_ok(&out));
    return buffer_slice(&out);
}

void fuzz_one(struct slice input)
{
    struct error err = {0};
    if (input.len > TEXT_MAX / 8) // six bytes for one, at most
        return;
    bool good = json_parse(&doc, input, &err);
    FUZZ_TOLD(good, &err);
    if (!good)
        return;
    check_value(doc.root);
    struct slice text = write_value(doc.root, first);
    if (!json_parse(&again, text, &err))
        FUZZ_FAIL("its own text is refused: %s\n%.*s", err.message, SLICE_ARG(text));
    FUZZ_SAME(text, write_value(again.root, second));
    json_find(doc.root, "return/running");
}
