// Typed parameters (virTypedParameter): lists of named values, each with its own type.
//
// Many results are such a list, and clients ask for one by its name.
#ifndef RPC_XDR_PARAMS_H
#define RPC_XDR_PARAMS_H

#include "proto/remote.h"

// Each adds one parameter to an open list (xdr_list_begin).
void xdr_param_add_i32(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                       int32_t value);
void xdr_param_add_u32(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                       uint32_t value);
void xdr_param_add_i64(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                       int64_t value);
void xdr_param_add_u64(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                       uint64_t value);
void xdr_param_add_double(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                          double value);
void xdr_param_add_bool(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                        bool value);
void xdr_param_add_string(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                          struct slice value);

// The first parameter of that name, as virTypedParamsGet() finds it. Takes lists of
// remote_typed_param and of admin_typed_param, which is the same; the list stays as it is.
bool xdr_param_find(struct xdr_list params, const char *name, struct remote_typed_param *found);

struct xdr_param_rule {
    const char *name;
    int32_t type; // VIR_TYPED_PARAM_*
};

// Whether each parameter is one of `allowed` (at most 32), has its type and comes once; else the
// error that virTypedParamsValidate() reports. The list stays as it is.
bool xdr_params_check(struct xdr_list params, const struct xdr_param_rule *allowed, size_t count,
                      struct error *err);

#endif
