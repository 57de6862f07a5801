// Typed parameters (virTypedParameter): lists of named values, each with its own type.
#include "rpc/xdr_params.h"

static void add(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                struct remote_typed_param_value value)
{
    struct remote_typed_param param = {.field = slice_of(name), .value = value};
    xdr_list_add(w, list);
    xdr_encode(w, XDR_TYPE(remote_typed_param), &param);
}

#define VALUE(number, member, of)                                                                  \
    ((struct remote_typed_param_value){.type = (number), .member = (of)})

void xdr_param_add_i32(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                       int32_t value)
{
    add(w, list, name, VALUE(VIR_TYPED_PARAM_INT, i, value));
}

void xdr_param_add_u32(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                       uint32_t value)
{
    add(w, list, name, VALUE(VIR_TYPED_PARAM_UINT, ui, value));
}

void xdr_param_add_i64(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                       int64_t value)
{
    add(w, list, name, VALUE(VIR_TYPED_PARAM_LLONG, l, value));
}

void xdr_param_add_u64(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                       uint64_t value)
{
    add(w, list, name, VALUE(VIR_TYPED_PARAM_ULLONG, ul, value));
}

void xdr_param_add_double(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                          double value)
{
    add(w, list, name, VALUE(VIR_TYPED_PARAM_DOUBLE, d, value));
}

void xdr_param_add_bool(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                        bool value)
{
    add(w, list, name, VALUE(VIR_TYPED_PARAM_BOOLEAN, b, value));
}

void xdr_param_add_string(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                          struct slice value)
{
    add(w, list, name, VALUE(VIR_TYPED_PARAM_STRING, s, value));
}

bool xdr_param_find(struct xdr_list params, const char *name, struct remote_typed_param *found)
{
    while (xdr_next(&params, found))
        if (slice_is(found->field, name))
            return true;
    return false;
}

static const char *type_name(int32_t type)
{
    static const char *const names[] = {
        [VIR_TYPED_PARAM_INT] = "int",       [VIR_TYPED_PARAM_UINT] = "uint",
        [VIR_TYPED_PARAM_LLONG] = "llong",   [VIR_TYPED_PARAM_ULLONG] = "ullong",
        [VIR_TYPED_PARAM_DOUBLE] = "double", [VIR_TYPED_PARAM_BOOLEAN] = "boolean",
        [VIR_TYPED_PARAM_STRING] = "string",
    };
    return names[type]; // the decoder knows no others
}

bool xdr_params_check(struct xdr_list params, const struct xdr_param_rule *allowed, size_t count,
                      struct error *err)
{
    uint32_t seen = 0;
    struct remote_typed_param param;
    while (xdr_next(&params, &param)) {
        size_t i = 0;
        while (i < count && !slice_is(param.field, allowed[i].name))
            i++;
        if (i == count)
            return error_set(err, VIR_FROM_NONE, VIR_ERR_ARGUMENT_UNSUPPORTED,
                             "parameter '%.*s' not supported", SLICE_ARG(param.field));
        if (param.value.type != allowed[i].type)
            return error_set(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                             "invalid type '%s' for parameter '%s', expected '%s'",
                             type_name(param.value.type), allowed[i].name,
                             type_name(allowed[i].type));
        if (seen & 1u << i)
            return error_set(err, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                             "parameter '%s' occurs multiple times", allowed[i].name);
        seen |= 1u << i;
    }
    return true;
}
