// Schemas of libvirt's documents: the walk over a tree.
#include "virt/xml/xml_schema.h"

#include "virt/xml/xml_value.h"

const char *schema_string(unsigned place)
{
    return place ? schema_text + place : NULL;
}

struct schema_cursor schema_rules(unsigned table)
{
    return (struct schema_cursor){&schema_elements[table], NULL};
}

const struct schema_element *schema_next_rule(struct schema_cursor *cursor)
{
    while (cursor->at) {
        const struct schema_element *rule = cursor->at;
        if (!rule->name) {
            cursor->at = cursor->back;
            cursor->back = NULL;
            continue;
        }
        cursor->at = rule + 1;
        if (schema_text[rule->name])
            return rule;
        cursor->back = cursor->at;
        cursor->at = &schema_elements[rule->children];
    }
    return NULL;
}

static const struct schema_element *child_rule(const struct schema_element *element,
                                               struct slice name)
{
    struct schema_cursor cursor = schema_rules(element->children);
    const struct schema_element *rule;
    while ((rule = schema_next_rule(&cursor)) && !slice_is(name, schema_string(rule->name)))
        continue;
    return rule;
}

// --- order

static struct xml_attr *take_attr(struct xml_attr **list, const char *name)
{
    for (struct xml_attr **at = list; *at; at = &(*at)->next)
        if (slice_is((*at)->name, name)) {
            struct xml_attr *found = *at;
            *at = found->next;
            return found;
        }
    return NULL;
}

static void order_attrs(struct xml_node *node, unsigned table)
{
    struct xml_attr *rest = node->attrs, *ordered = NULL, **end = &ordered;
    for (const struct schema_attr *rule = &schema_attrs[table]; rule->name; rule++) {
        struct xml_attr *attr = take_attr(&rest, schema_string(rule->name));
        if (attr) {
            *end = attr;
            end = &attr->next;
        }
    }
    *end = rest;
    node->attrs = ordered;
}

static void order_children(struct xml_node *node, unsigned table)
{
    struct xml_node *last_known = NULL;
    struct schema_cursor cursor = schema_rules(table);
    const struct schema_element *rule;
    while ((rule = schema_next_rule(&cursor))) {
        XML_EACH_SAFE (child, node, schema_string(rule->name)) {
            struct xml_node *next = last_known ? last_known->next : node->child;
            if (next != child)
                xml_move_before(child, next);
            last_known = child;
        }
    }
}

void schema_order(struct xml_node *node, const struct schema_element *element)
{
    if (element->flags & SCHEMA_VERBATIM)
        return;
    node->open = element->flags & SCHEMA_OPEN;
    order_attrs(node, element->attrs);
    order_children(node, element->children);
    XML_EACH (child, node, NULL) {
        const struct schema_element *rule = child_rule(element, child->name);
        if (rule)
            schema_order(child, rule);
    }
}

// --- strip

void schema_strip(struct xml_node *node, const struct schema_element *element, unsigned flags)
{
    node->open = element->flags & SCHEMA_OPEN;
    for (const struct schema_attr *rule = &schema_attrs[element->attrs]; rule->name; rule++)
        if (rule->flags & flags)
            xml_unset(node, schema_string(rule->name));
    XML_EACH_SAFE (child, node, NULL) {
        const struct schema_element *rule = child_rule(element, child->name);
        if (!rule || (rule->flags & SCHEMA_VERBATIM))
            continue;
        schema_strip(child, rule, flags);
        if (rule->flags & flags ||
            (rule->flags & SCHEMA_DROP_BARE && !child->attrs && !child->child))
            xml_remove(child);
    }
}

// --- apply

static bool apply_attr(struct schema_walk *walk, struct xml_node *node,
                       const struct schema_attr *rule)
{
    const char *name = schema_string(rule->name);
    if (rule->flags & SCHEMA_LIVE && !walk->live)
        xml_unset(node, name);
    struct slice value = xml_attr(node, name);
    if (!slice_present(value)) {
        if (rule->flags & SCHEMA_REQUIRED)
            return error_set(walk->err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                             "Missing required attribute '%s' in element '%.*s'", name,
                             SLICE_ARG(node->name));
        return true;
    }
    switch (value_normalise(walk, node, rule, &value)) {
    case VALUE_KEEP:
        xml_set(walk->doc, node, name, value);
        return true;
    case VALUE_AS_IS:
        return true;
    case VALUE_DROP:
        xml_unset(node, name);
        return true;
    default:
        return false;
    }
}

bool schema_apply_attrs(struct schema_walk *walk, struct xml_node *node, unsigned table)
{
    for (const struct schema_attr *rule = &schema_attrs[table]; rule->name; rule++)
        if (!apply_attr(walk, node, rule))
            return false;
    order_attrs(node, table);
    return true;
}

// Text elements without text count as absent in libvirt.
static bool apply_text(struct schema_walk *walk, struct xml_node *node,
                       const struct schema_element *element)
{
    struct slice value = value_text(node);
    if (value.len == 0) {
        if (element->flags & SCHEMA_DROP_BARE || !node->attrs)
            xml_remove(node);
        return true;
    }
    if (element->text == VALUE_MEMORY || element->text == VALUE_BYTES)
        return value_memory(walk, node, element->text == VALUE_MEMORY);
    const struct schema_attr as_attr = {element->name, element->arg, element->message,
                                        element->text, element->flags & SCHEMA_ATTR_FLAGS};
    switch (value_normalise(walk, node, &as_attr, &value)) {
    case VALUE_KEEP:
        xml_set_text(walk->doc, node, value);
        return true;
    case VALUE_AS_IS:
        return true;
    case VALUE_DROP:
        xml_remove(node);
        return true;
    default:
        return false;
    }
}

// Comments and stray text between elements are not part of a definition.
static void drop_stray(struct xml_node *node)
{
    struct xml_node *next;
    for (struct xml_node *child = node->child; child; child = next) {
        next = child->next;
        if (child->kind != XML_ELEMENT)
            xml_remove(child);
    }
}

static bool apply_children(struct schema_walk *walk, struct xml_node *node,
                           const struct schema_element *element)
{
    struct schema_cursor cursor = schema_rules(element->children);
    const struct schema_element *rule;
    while ((rule = schema_next_rule(&cursor))) {
        bool seen = false;
        XML_EACH_SAFE (child, node, schema_string(rule->name)) {
            if ((rule->flags & SCHEMA_LIVE && !walk->live) || (rule->flags & SCHEMA_ONE && seen)) {
                xml_remove(child);
                continue;
            }
            seen = true;
            if (!schema_apply(walk, child, rule))
                return false;
        }
    }
    return true;
}

bool schema_apply(struct schema_walk *walk, struct xml_node *node,
                  const struct schema_element *element)
{
    if (element->flags & SCHEMA_VERBATIM)
        return true;
    if (element->flags & SCHEMA_MARK) {
        while (node->child)
            xml_remove(node->child);
        if (!element->attrs)
            node->attrs = NULL;
    }
    if (!schema_apply_attrs(walk, node, element->attrs))
        return false;
    if (element->text == VALUE_NONE) {
        if (!(element->flags & SCHEMA_KEEP_TEXT) || xml_child(node, NULL))
            drop_stray(node);
        if (!apply_children(walk, node, element))
            return false;
        order_children(node, element->children);
        if (element->flags & SCHEMA_DROP_BARE && !node->attrs && !node->child)
            xml_remove(node);
    } else if (!apply_text(walk, node, element)) {
        return false;
    }
    return !element->check || !node->parent || schema_checks[element->check](walk, node);
}
