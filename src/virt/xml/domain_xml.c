// Domain definitions: parsing, order, and the forms in which they are shown.
#include "virt/xml/domain_xml.h"

#include "virt/xml/domain_check.h"
#include "virt/xml/domain_complete.h"

static bool is_in_metadata(const struct domain_xml *x, const struct xml_node *node)
{
    while (node && node->parent != x->root)
        node = node->parent;
    return xml_named(node, "metadata");
}

static bool apply_schema(struct domain_xml *x)
{
    struct schema_walk walk = {
        .doc = x->doc,
        .live = x->flags & DOMAIN_XML_PARSE_LIVE,
        .err = x->err,
        .user = x,
    };
    return schema_apply(&walk, x->root, &schema_elements[SCHEMA_DOMAIN]);
}

static bool check_names(struct domain_xml *x)
{
    struct schema_walk walk = {.doc = x->doc, .err = x->err};
    return !(x->flags & DOMAIN_XML_PARSE_SCHEMA) ||
           schema_check_names(&walk, "domain.rng", x->root, &schema_elements[SCHEMA_DOMAIN]);
}

// Elements are compared with their siblings: there may not be too many.
static bool check_children(struct domain_xml *x)
{
    for (size_t i = 0; i < x->doc->node_count; i++) {
        const struct xml_node *node = &x->doc->nodes[i];
        if (xml_count(node, NULL) > CONFIG_DOMAIN_CHILDREN && !is_in_metadata(x, node))
            return error_set(x->err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                             "too many elements in <%.*s>: limit is %d, CONFIG_DOMAIN_CHILDREN",
                             SLICE_ARG(node->name), CONFIG_DOMAIN_CHILDREN);
    }
    return true;
}

// What makes a parsed document complete, in this order.
static bool (*const steps[])(struct domain_xml *x) = {
    domain_parse_head,        apply_schema,   domain_parse_vcpus, domain_complete_numa,
    domain_complete_seclabel,
#ifdef CONFIG_DOMAIN_VALIDATION
    domain_check_singles,
#endif
    domain_complete,          check_children,
};

// What refuses a complete one.
static bool (*const validations[])(struct domain_xml *x) = {
#ifdef CONFIG_DOMAIN_VALIDATION
    domain_validate,
#endif
    NULL,
};

static bool complete(struct domain_xml *x)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (!steps[i](x))
            return false;
    return true;
}

static bool validate(struct domain_xml *x)
{
    for (size_t i = 0; validations[i]; i++)
        if (!validations[i](x))
            return false;
    return true;
}

bool domain_xml_parse(struct xml_doc *doc, struct slice text, const struct domain_xml_rules *rules,
                      unsigned flags, struct error *err)
{
    struct domain_xml x = {.doc = doc, .rules = rules, .flags = flags, .err = err};
    if (!(rules->features & DOMAIN_XML_ABI_UPDATE))
        x.flags &= ~(unsigned)DOMAIN_XML_PARSE_NEW;
    if (!xml_parse(doc, text, "domain_definition", err))
        return false;
    x.root = doc->root;
    if (!xml_named(x.root, "domain"))
        return error_set(err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                         "expecting root element of 'domain', not '%.*s'", SLICE_ARG(x.root->name));
    if (!check_names(&x) || !check_children(&x))
        return false;
    domain_parse_namespace(&x);
    if (!complete(&x))
        return xml_ok(doc, err) && false;
    if (!(flags & DOMAIN_XML_PARSE_SKIP_VALIDATE) && !validate(&x))
        return false;
    domain_drop_namespaces(x.root);
    domain_xml_order(doc);
    return xml_ok(doc, err);
}

void domain_xml_order(struct xml_doc *doc)
{
    schema_order(doc->root, &schema_elements[SCHEMA_DOMAIN]);
}
