// The writer's conscience: in checking builds each item is held against the expected type.
//
// The expected type is walked with a stack, a level for each struct, value or list that is open.
#include "rpc/xdr_check.h"

#ifdef CONFIG_DEBUG_CHECKS

#include <stdio.h>
#include <stdlib.h>

enum level_state {
    LEVEL_FIELDS, // `field` to `end` are still to come
    LEVEL_VALUES, // `left` values of `field` are still to come, whatever its shape
    LEVEL_LIST,   // between two elements of the list `field`
};

_Noreturn static void abort_at(const struct xdr_field *field, const char *what, int item)
{
    fprintf(stderr, "the reply is not what the contract says: %s: %s (item %d)\n",
            field ? contract_names + field->name : "end", what, item);
    abort();
}

static void push(struct xdr_check *check, struct xdr_check_level level)
{
    if (check->depth == XDR_CHECK_DEPTH)
        abort_at(level.field, "nested too deeply", 0);
    check->level[check->depth++] = level;
}

static void push_fields(struct xdr_check *check, const struct xdr_type *type)
{
    const struct xdr_field *first = &contract_fields[type->first];
    push(check, (struct xdr_check_level){first, first + type->count, 0, LEVEL_FIELDS});
}

static void push_values(struct xdr_check *check, const struct xdr_field *field, uint32_t count)
{
    push(check, (struct xdr_check_level){field, NULL, count, LEVEL_VALUES});
}

static void push_arm(struct xdr_check *check, const struct xdr_type *type, uint32_t selected)
{
    const struct xdr_field *field = &contract_fields[type->first];
    for (unsigned i = 1; i < type->count; i++) {
        if (field[i].extent == selected) {
            push_values(check, &field[i], 1);
            return;
        }
    }
    abort_at(field, "no such discriminant", XDR_INT);
}

static void leave_finished(struct xdr_check *check)
{
    while (check->depth > 0) {
        const struct xdr_check_level *top = &check->level[check->depth - 1];
        bool finished = top->state == LEVEL_FIELDS   ? top->field == top->end
                        : top->state == LEVEL_VALUES ? top->left == 0
                                                     : false;
        if (!finished)
            return;
        check->depth--;
    }
}

// True when the item was taken, false when the next level has to look at it.
static bool take_field(struct xdr_check *check, struct xdr_check_level *top, int item,
                       uint32_t value)
{
    const struct xdr_field *field = top->field++;
    switch ((enum xdr_shape)field->shape) {
    case XDR_ONE:
        push_values(check, field, 1);
        return false;
    case XDR_ARRAY:
        push_values(check, field, field->extent);
        return false;
    case XDR_OPTIONAL:
        if (item != XDR_ITEM_PRESENT)
            abort_at(field, "presence expected", item);
        if (value)
            push_values(check, field, 1);
        return true;
    case XDR_LIST:
        if (item != XDR_ITEM_LIST_BEGIN)
            abort_at(field, "list expected", item);
        push(check, (struct xdr_check_level){field, NULL, 0, LEVEL_LIST});
        return true;
    }
    return true;
}

static bool take_value(struct xdr_check *check, struct xdr_check_level *top, int item,
                       uint32_t value)
{
    const struct xdr_field *field = top->field;
    top->left--;
    if (field->kind == XDR_STRUCT) {
        push_fields(check, &contract_types[field->of]);
        return false;
    }
    if (field->kind == XDR_UNION) {
        if (item != XDR_INT)
            abort_at(field, "discriminant expected", item);
        push_arm(check, &contract_types[field->of], value);
        return true;
    }
    if (item != field->kind)
        abort_at(field, "wrong type", item);
    if (item == XDR_BYTES && value != field->of)
        abort_at(field, "wrong length", item);
    return true;
}

static void take_list(struct xdr_check *check, const struct xdr_check_level *top, int item)
{
    if (item == XDR_ITEM_LIST_ADD)
        push_values(check, top->field, 1);
    else if (item == XDR_ITEM_LIST_END)
        check->depth--;
    else
        abort_at(top->field, "element or end of list expected", item);
}

void xdr_check_item(struct xdr_writer *w, int item, uint32_t value)
{
    struct xdr_check *check = &w->check;
    if (!check->active || w->failed)
        return;
    for (bool taken = false; !taken;) {
        leave_finished(check);
        if (check->depth == 0)
            abort_at(NULL, "nothing more expected", item);
        struct xdr_check_level *top = &check->level[check->depth - 1];
        if (top->state == LEVEL_FIELDS) {
            taken = take_field(check, top, item, value);
        } else if (top->state == LEVEL_VALUES) {
            taken = take_value(check, top, item, value);
        } else {
            take_list(check, top, item);
            taken = true;
        }
    }
}

void xdr_writer_expect(struct xdr_writer *w, const struct xdr_type *type)
{
    w->check = (struct xdr_check){.active = true};
    if (type)
        push_fields(&w->check, type);
}

void xdr_writer_done(const struct xdr_writer *w)
{
    struct xdr_check check = w->check;
    if (!check.active || w->failed)
        return;
    leave_finished(&check);
    if (check.depth > 0)
        abort_at(check.level[check.depth - 1].field, "the reply ends here", -1);
}

#else

void xdr_writer_expect(struct xdr_writer *w, const struct xdr_type *type)
{
    (void)w;
    (void)type;
}

void xdr_writer_done(const struct xdr_writer *w)
{
    (void)w;
}

#endif
