// The namespace of a hypervisor's pass-through elements: whichever prefix a client chose, they are
// shown with libvirt's, declared at the root while there are any.
#include "virt/xml/domain_complete.h"

#include <string.h>

static struct slice prefix_of(struct slice name)
{
    ptrdiff_t colon = slice_find(name, ':');
    return colon > 0 ? (struct slice){name.at, (size_t)colon} : SLICE("");
}

static struct slice local_of(struct slice name)
{
    ptrdiff_t colon = slice_find(name, ':');
    return colon > 0 ? slice_from(name, (size_t)colon + 1) : name;
}

// The attribute declares a prefix, or the default namespace.
static bool is_declaration(const struct xml_attr *attr)
{
    return slice_is(attr->name, "xmlns") || slice_starts(attr->name, "xmlns:");
}

static bool is_ours(const struct domain_xml *x, const struct xml_node *node)
{
    return x->rules->name_space && slice_is(xml_namespace(node), x->rules->name_space_uri);
}

// Of an element and all below it. The declarations stay in force until all names are looked up.
static void rename_below(struct domain_xml *x, struct xml_node *node)
{
    XML_EACH (child, node, NULL)
        if (is_ours(x, child))
            rename_below(x, child);
    node->name =
        xml_keepf(x->doc, "%s:%.*s", x->rules->name_space, SLICE_ARG(local_of(node->name)));
    struct xml_attr **link = &node->attrs;
    while (*link)
        if (is_declaration(*link))
            *link = (*link)->next;
        else
            link = &(*link)->next;
}

static bool uses_prefix(const struct xml_node *node, struct slice prefix)
{
    if (slice_equal(prefix_of(node->name), prefix))
        return true;
    for (const struct xml_attr *attr = node->attrs; attr; attr = attr->next)
        if (slice_equal(prefix_of(attr->name), prefix))
            return true;
    for (const struct xml_node *child = node->child; child; child = child->next)
        if (child->kind == XML_ELEMENT && uses_prefix(child, prefix))
            return true;
    return false;
}

void domain_drop_namespaces(struct xml_node *root)
{
    struct xml_attr **link = &root->attrs;
    while (*link) {
        struct slice name = (*link)->name;
        bool used = !is_declaration(*link);
        XML_EACH (child, root, NULL)
            used = used || (name.len > 6 && uses_prefix(child, slice_from(name, 6)));
        if (used)
            link = &(*link)->next;
        else
            *link = (*link)->next;
    }
}

// Each application has one element below <metadata>, the first of its namespace; what has no
// namespace goes.
static void sanitize_metadata(struct xml_node *metadata)
{
    XML_EACH_SAFE (child, metadata, NULL) {
        struct slice space = xml_namespace(child);
        bool keep = slice_present(space);
        for (const struct xml_node *before = child->prev; before; before = before->prev)
            keep =
                keep && (before->kind != XML_ELEMENT || !slice_equal(xml_namespace(before), space));
        if (!keep)
            xml_remove(child);
    }
}

// Pass-through elements of other hypervisors.
static void drop_foreign(struct domain_xml *x)
{
    XML_EACH_SAFE (child, x->root, NULL)
        if (slice_starts(xml_namespace(child), "http://libvirt.org/schemas/domain/") &&
            !is_ours(x, child))
            xml_remove(child);
}

void domain_parse_namespace(struct domain_xml *x)
{
    bool ours = false;
    sanitize_metadata(xml_child(x->root, "metadata"));
    drop_foreign(x);
    XML_EACH (child, x->root, NULL) {
        if (!is_ours(x, child))
            continue;
        rename_below(x, child);
        ours = ours || child->child || child->attrs;
    }
    if (ours)
        xml_sets(x->doc, x->root, x->rules->name_space_attr, x->rules->name_space_uri);
}
