// Mutations of an XML document as a tree.
#include "xml_mutate.h"

#include "text/xml.h"

#define STRING_MAX 4096

static struct xml_doc doc;
static struct fuzz_random chance;

// Every element has the same chance.
static struct xml_node *pick_element(void)
{
    struct xml_node *node;
    do {
        node = &doc.nodes[fuzz_below(&chance, (uint32_t)doc.node_count)];
    } while (node->kind != XML_ELEMENT || (node != doc.root && !node->parent));
    return node;
}

static struct xml_node *pick_below_root(void)
{
    struct xml_node *node = pick_element();
    return node == doc.root ? NULL : node;
}

static struct xml_attr *pick_attr(struct xml_node *node)
{
    uint32_t count = 0;
    for (struct xml_attr *attr = node->attrs; attr; attr = attr->next)
        count++;
    struct xml_attr *attr = node->attrs;
    for (uint32_t i = fuzz_below(&chance, count); i > 0; i--)
        attr = attr->next;
    return attr;
}

static bool is_below(const struct xml_node *node, const struct xml_node *top)
{
    while (node && node != top)
        node = node->parent;
    return node != NULL;
}

// libFuzzer's own change of a string, which knows the dictionary.
static struct slice changed_string(struct slice s)
{
    uint8_t text[STRING_MAX];
    size_t len = s.len < sizeof(text) / 2 ? s.len : sizeof(text) / 2;
    if (len)
        memcpy(text, s.at, len);
    len = LLVMFuzzerMutate(text, len, sizeof(text));
    return xml_keep(&doc, (struct slice){(const char *)text, len});
}

static struct slice some_value(struct slice old)
{
    static const char *const values[] = {
        "0",    "1",          "-1",         "2",         "yes", "no",      "on",
        "off",  "4294967295", "4294967296", "",          "16",  "0x1",     "010",
        "auto", "none",       "qemu",       "/dev/null", "vda", "default", "x y"};
    switch (fuzz_below(&chance, 4)) {
    case 0:
        return slice_of(values[fuzz_below(&chance, sizeof(values) / sizeof(values[0]))]);
    case 1: { // of somebody else
        struct xml_attr *attr = pick_attr(pick_element());
        return attr ? attr->value : SLICE("1");
    }
    default:
        return changed_string(old);
    }
}

// ---- changes

static void change_attr(void)
{
    struct xml_attr *attr = pick_attr(pick_element());
    if (attr)
        attr->value = some_value(attr->value);
}

static void rename_attr(void)
{
    struct xml_attr *attr = pick_attr(pick_element());
    struct xml_attr *other = pick_attr(pick_element());
    if (attr && other)
        attr->name = fuzz_below(&chance, 2) ? other->name : changed_string(attr->name);
}

static void add_attr(void)
{
    struct xml_attr *attr = pick_attr(pick_element());
    char name[64];
    if (attr && slice_copy(name, sizeof(name), attr->name))
        xml_set(&doc, pick_element(), xml_keep(&doc, slice_of(name)).at, attr->value);
}

static void remove_attr(void)
{
    struct xml_node *node = pick_element();
    struct xml_attr *attr = pick_attr(node);
    char name[64];
    if (attr && slice_copy(name, sizeof(name), attr->name))
        xml_unset(node, name);
}

static void change_text(void)
{
    struct xml_node *node = pick_element();
    if (!xml_child(node, NULL))
        xml_set_text(&doc, node, some_value(xml_text(node)));
}

static void rename_element(void)
{
    struct xml_node *node = pick_element();
    node->name = fuzz_below(&chance, 4) ? pick_element()->name : changed_string(node->name);
}

static void remove_element(void)
{
    xml_remove(pick_below_root());
}

static void copy_element(void)
{
    struct xml_node *node = pick_below_root();
    struct xml_node *parent = node && fuzz_below(&chance, 2) ? node->parent : pick_element();
    if (node)
        xml_copy(&doc, parent, node);
}

// Many of one kind: what is looked up among its like must not take long.
static void repeat_element(void)
{
    struct xml_node *node = pick_below_root();
    uint32_t times = 1u << fuzz_below(&chance, 12);
    while (node && times-- > 0 && xml_ok(&doc, &(struct error){0}))
        xml_copy(&doc, node->parent, node);
}

static void move_element(void)
{
    struct xml_node *node = pick_below_root(), *to = pick_element();
    if (!node || is_below(to, node))
        return;
    if (to != doc.root && fuzz_below(&chance, 2))
        xml_move_before(node, to);
    else
        xml_move(node, to);
}

static void change(void)
{
    static void (*const changes[])(void) = {
        change_attr, change_attr, change_attr,    add_attr,       remove_attr,  rename_attr,
        change_text, change_text, rename_element, remove_element, copy_element, move_element,
    };
    if (fuzz_below(&chance, 64) == 0)
        repeat_element();
    else
        changes[fuzz_below(&chance, sizeof(changes) / sizeof(changes[0]))]();
}

size_t xml_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static char source[1 << 17], text[1 << 20];
    struct error err = {0};
    chance.state = seed;
    if (size > sizeof(source) || fuzz_below(&chance, 5) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    memcpy(source, data, size);
    if (!xml_parse(&doc, (struct slice){source, size}, "mutated", &err))
        return LLVMFuzzerMutate(data, size, max_size);
    for (uint32_t i = fuzz_below(&chance, 4); i < 4 && xml_ok(&doc, &err); i++)
        change();
    struct buffer out = buffer_over(text, sizeof(text));
    xml_write(&out, doc.root, 0);
    if (!buffer_ok(&out) || out.len > max_size || out.len == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    memcpy(data, text, out.len);
    return out.len;
}
