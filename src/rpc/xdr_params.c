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
