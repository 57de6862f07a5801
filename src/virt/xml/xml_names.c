// Schemas of libvirt's documents: whether all elements and attributes of a document are known
// (VIR_DOMAIN_DEFINE_VALIDATE). Values are checked by whoever parses.
#include "virt/xml/xml_schema.h"

// What libxml2 says of the first place that does not fit, and of the element around it.
static bool refuse(struct schema_walk *walk, const char *schema, const struct xml_node *element,
                   const char *what, struct slice name)
{
    return error_set(walk->err, VIR_FROM_XML, VIR_ERR_XML_INVALID_SCHEMA,
                     "Unable to validate doc against /usr/share/libvirt/schemas/%s\n%s %.*s%s%.*s\n"
                     "Element %.*s failed to validate %s\n",
                     schema, what, SLICE_ARG(name), what[0] == 'I' ? " for element " : " there",
                     SLICE_ARG(what[0] == 'I' ? element->name : SLICE("")),
                     SLICE_ARG(element->name), what[0] == 'I' ? "attributes" : "content");
}

static bool in_table(unsigned table, struct slice name)
{
    for (const struct schema_attr *rule = &schema_attrs[table]; rule->name; rule++)
        if (slice_is(name, schema_string(rule->name)))
            return true;
    return false;
}

// Attributes that depend on another value are in tables of their own.
static bool is_dependent(const struct xml_node *node, struct slice attr)
{
    static const struct {
        const char *element;
        unsigned table;
    } tables[] = {
        {"address", SCHEMA_PCI_ADDRESS},    {"address", SCHEMA_DRIVE_ADDRESS},
        {"address", SCHEMA_SERIAL_ADDRESS}, {"address", SCHEMA_CCID_ADDRESS},
        {"address", SCHEMA_USB_ADDRESS},    {"address", SCHEMA_CCW_ADDRESS},
        {"address", SCHEMA_ISA_ADDRESS},    {"address", SCHEMA_DIMM_ADDRESS},
        {"address", SCHEMA_SPAPR_ADDRESS},  {"graphics", SCHEMA_SPICE_PORTS},
        {"spinlocks", SCHEMA_SPINLOCKS},    {"source", SCHEMA_SOCKET},
        {"local", SCHEMA_SOCKET},
    };
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (xml_named(node, tables[i].element) && in_table(tables[i].table, attr))
            return true;
    return false;
}

// What is in a namespace is not libvirt's own.
static bool is_foreign_attr(const struct xml_attr *attr)
{
    return slice_find(attr->name, ':') >= 0 || slice_is(attr->name, "xmlns");
}

static bool is_foreign(const struct xml_node *node)
{
    return slice_find(node->name, ':') >= 0 || slice_present(xml_namespace(node));
}

static const struct schema_element *rule_of(const struct schema_element *element, struct slice name)
{
    struct schema_cursor cursor = schema_rules(element->children);
    const struct schema_element *rule;
    while ((rule = schema_next_rule(&cursor)) && !slice_is(name, schema_string(rule->name)))
        continue;
    return rule;
}

bool schema_check_names(struct schema_walk *walk, const char *schema, const struct xml_node *node,
                        const struct schema_element *element)
{
    if (element->flags & SCHEMA_VERBATIM)
        return true;
    for (const struct xml_attr *attr = node->attrs; attr; attr = attr->next)
        if (!is_foreign_attr(attr) && !in_table(element->attrs, attr->name) &&
            !is_dependent(node, attr->name))
            return refuse(walk, schema, node, "Invalid attribute", attr->name);
    XML_EACH (child, node, NULL) {
        const struct schema_element *rule = rule_of(element, child->name);
        if (!rule && !is_foreign(child))
            return refuse(walk, schema, node, "Did not expect element", child->name);
        if (rule && !schema_check_names(walk, schema, child, rule))
            return false;
    }
    return true;
}
