// Handlers: title, description and users' own metadata of a domain.
//
// A user's element is stored with the prefix `key` bound to the namespace `uri`, and given back
// without both, as libvirt does it.
#include "virt/domain/domain_edit.h"
#include "virt/domain/domain_event.h"
#include "virt/xml/domain_xml.h"
#include "virt/handlers.h"
#include "virt/xml/xml_value.h"

// Of what is below the first type there is nothing, and setting it does nothing.
static bool check_type(struct call *call, int32_t type)
{
    if (type <= VIR_DOMAIN_METADATA_ELEMENT)
        return true;
    call_fail(call, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "unknown metadata type '%d'", type);
    return false;
}

// ---- namespaces

static struct slice prefix_of(const struct xml_node *node)
{
    ptrdiff_t colon = slice_find(node->name, ':');
    return (struct slice){node->name.at, colon < 0 ? 0 : (size_t)colon};
}

// The attribute that binds `prefix` ("": the default namespace) for this node.
static struct xml_attr *binding_of(const struct xml_node *node, struct slice prefix)
{
    for (; node; node = node->parent) {
        for (struct xml_attr *attr = node->attrs; attr; attr = attr->next) {
            if (prefix.len == 0 && slice_is(attr->name, "xmlns"))
                return attr;
            if (prefix.len > 0 && slice_starts(attr->name, "xmlns:") &&
                slice_equal(slice_from(attr->name, 6), prefix))
                return attr;
        }
    }
    return NULL;
}

static bool is_in_namespace(const struct xml_node *node, struct slice uri)
{
    const struct xml_attr *binding = binding_of(node, prefix_of(node));
    return binding && slice_equal(binding->value, uri);
}

static struct xml_node *element_of(const struct xml_node *tree, struct slice uri)
{
    XML_EACH (element, xml_child(tree, "metadata"), NULL)
        if (is_in_namespace(element, uri))
            return element;
    return NULL;
}

// The node after this one in the order of the document, below `top`.
static struct xml_node *following(struct xml_node *node, const struct xml_node *top)
{
    if (node->child)
        return node->child;
    while (node != top && !node->next)
        node = node->parent;
    return node == top ? NULL : node->next;
}

// ---- get

static void strip_namespace(struct xml_node *top, struct slice uri)
{
    struct xml_node *node = top;
    for (; node; node = following(node, top)) {
        struct slice prefix = prefix_of(node);
        if (node->kind == XML_ELEMENT && prefix.len > 0 && is_in_namespace(node, uri))
            node->name = slice_from(node->name, prefix.len + 1);
    }
    for (struct xml_attr **link = &top->attrs; *link; link = &(*link)->next) {
        if (slice_starts((*link)->name, "xmlns") && slice_equal((*link)->value, uri)) {
            *link = (*link)->next;
            return;
        }
    }
}

static bool put_metadata(struct call *call, struct xml_node *tree, int32_t type, struct slice uri)
{
    struct xml_node *node = type == VIR_DOMAIN_METADATA_TITLE ? xml_child(tree, "title")
                            : type == VIR_DOMAIN_METADATA_DESCRIPTION
                                ? xml_child(tree, "description")
                                : element_of(tree, uri);
    if (!node || type < 0)
        return false;
    struct xdr_writer *w = call_reply(call);
    if (type != VIR_DOMAIN_METADATA_ELEMENT) {
        xdr_put_string(w, value_text(node));
        return true;
    }
    strip_namespace(node, uri);
    struct buffer text = xdr_string_begin(w);
    xml_write_fragment(&text, node);
    xdr_string_end(w, &text);
    return true;
}

static bool get_check(struct call *call)
{
    const struct remote_domain_get_metadata_args *args =
        CALL_ARGS(call, struct remote_domain_get_metadata_args);
    if (!call_exclusive_flags(call, args->flags, VIR_DOMAIN_AFFECT_LIVE, "VIR_DOMAIN_AFFECT_LIVE",
                              VIR_DOMAIN_AFFECT_CONFIG, "VIR_DOMAIN_AFFECT_CONFIG"))
        return false;
    if (args->type == VIR_DOMAIN_METADATA_ELEMENT && !slice_present(args->uri))
        return call_invalid_argument(call, "uri", "must not be NULL");
    if (args->type >= 0 && args->type < VIR_DOMAIN_METADATA_ELEMENT && slice_present(args->uri))
        return call_invalid_argument(call, "uri", "must be NULL");
    return true;
}

static enum co_status get_metadata(struct call *call)
{
    const struct remote_domain_get_metadata_args *args =
        CALL_ARGS(call, struct remote_domain_get_metadata_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    uint32_t flags = args->flags;
    if (!hypervisor || !get_check(call) ||
        !call_driver_flags(call, hypervisor, flags,
                           VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, "DomainGetMetadata"))
        return CO_DONE;
    const struct domain *domain = call_find_domain(call, &args->dom);
    if (!domain || !check_type(call, args->type) ||
        !domain_check_impact(domain, &flags, &call->error))
        return CO_DONE;
    struct xml_node *tree = domain_definition_for(domain, flags, &call->error);
    if (tree && !put_metadata(call, tree, args->type, args->uri))
        call_fail(call, VIR_FROM_DOMAIN, VIR_ERR_NO_DOMAIN_METADATA,
                  "Requested metadata element is not present");
    return CO_DONE;
}

// ---- set

static bool set_prepare(struct call *call, struct domain_edit *edit)
{
    const struct remote_domain_set_metadata_args *args =
        CALL_ARGS(call, struct remote_domain_set_metadata_args);
    edit->flags = args->flags;
    if (args->type == VIR_DOMAIN_METADATA_TITLE && slice_find(args->metadata, '\n') >= 0) {
        call_fail(call, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                  "metadata title can't contain newlines");
        return false;
    }
    if (args->type == VIR_DOMAIN_METADATA_ELEMENT) {
        if (!slice_present(args->uri))
            return call_invalid_argument(call, "uri", "must not be NULL");
        if (slice_present(args->metadata) && !slice_present(args->key))
            return call_invalid_argument(call, "key", "must not be NULL");
    } else if (args->type >= 0 && args->type < VIR_DOMAIN_METADATA_ELEMENT) {
        if (slice_present(args->uri))
            return call_invalid_argument(call, "uri", "must be NULL");
        if (slice_present(args->key))
            return call_invalid_argument(call, "key", "must be NULL");
    }
    return true;
}

static bool is_name_byte(char c, bool first)
{
    bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
    return letter || (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

// An NCName of "Namespaces in XML 1.0", with any character beyond ASCII.
static bool is_prefix(struct slice key)
{
    for (size_t i = 0; i < key.len; i++)
        if (!is_name_byte(key.at[i], i == 0))
            return false;
    return key.len > 0;
}

// The user's element, in the scratch document, bound to the namespace.
static struct xml_node *bound_element(struct call *call)
{
    const struct remote_domain_set_metadata_args *args =
        CALL_ARGS(call, struct remote_domain_set_metadata_args);
    struct xml_doc *doc = definition_scratch();
    const char *problem = NULL;
    if (!xml_parse(doc, args->metadata, "metadata_xml", &call->error)) {
        call->error.domain = VIR_FROM_DOMAIN; // as libvirt, whose parser reports for its caller
        return NULL;
    }
    if (!is_prefix(args->key))
        problem = "failed to validate prefix for a new XML namespace";
    else if (binding_of(doc->root, args->key))
        problem = "failed to create a new XML namespace";
    if (problem) {
        call_fail(call, VIR_FROM_XML, VIR_ERR_INTERNAL_ERROR, "%s", problem);
        return NULL;
    }
    for (struct xml_node *node = doc->root; node; node = following(node, doc->root))
        if (node->kind == XML_ELEMENT && !binding_of(node, prefix_of(node)))
            node->name = xml_keepf(doc, "%.*s:%.*s", SLICE_ARG(args->key), SLICE_ARG(node->name));
    // Names of attributes are literals, so one that no document can have is renamed.
    xml_set(doc, doc->root, "xmlns: ", args->uri);
    binding_of(doc->root, SLICE(" "))->name = xml_keepf(doc, "xmlns:%.*s", SLICE_ARG(args->key));
    return xml_ok(doc, &call->error) ? doc->root : NULL;
}

static bool set_element(struct call *call, struct xml_doc *doc, struct xml_node *tree)
{
    const struct remote_domain_set_metadata_args *args =
        CALL_ARGS(call, struct remote_domain_set_metadata_args);
    const struct xml_node *element = NULL;
    struct xml_node *old;
    if (slice_present(args->metadata) && !(element = bound_element(call)))
        return false;
    while ((old = element_of(tree, args->uri)))
        xml_remove(old);
    if (element)
        xml_copy(doc, xml_need(doc, tree, "metadata"), element);
    return true;
}

static bool set_edit(struct call *call, struct xml_doc *doc, struct xml_node *tree)
{
    const struct remote_domain_set_metadata_args *args =
        CALL_ARGS(call, struct remote_domain_set_metadata_args);
    if (!check_type(call, args->type))
        return false;
    if (args->type == VIR_DOMAIN_METADATA_ELEMENT) {
        if (!set_element(call, doc, tree))
            return false;
    } else if (args->type >= 0) {
        const char *name = args->type == VIR_DOMAIN_METADATA_TITLE ? "title" : "description";
        struct xml_node *node = xml_child(tree, name);
        if (args->metadata.len > 0)
            xml_set_text(doc, xml_need(doc, tree, name), args->metadata);
        else if (node)
            xml_remove(node);
    }
    domain_xml_order(doc);
    return true;
}

static void set_done(struct call *call, struct domain_edit *edit)
{
    const struct remote_domain_set_metadata_args *args =
        CALL_ARGS(call, struct remote_domain_set_metadata_args);
    domain_event_metadata_change(edit->base.domain, args->type, args->uri);
}

static enum co_status set_metadata(struct call *call)
{
    static const struct domain_edit_kind kind = {
        .holder = "remoteDispatchDomainSetMetadata",
        .allowed = domain_edit_impact_flags,
        .prepare = set_prepare,
        .edit_live = set_edit,
        .edit_config = set_edit,
        .done = set_done,
    };
    return domain_edit_run(call, &kind);
}

const struct call_entry domain_metadata_handlers[] = {
    {REMOTE_PROC_DOMAIN_SET_METADATA, set_metadata},
    {REMOTE_PROC_DOMAIN_GET_METADATA, get_metadata},
    {0, NULL},
};
