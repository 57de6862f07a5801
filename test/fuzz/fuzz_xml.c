// XML: parser, tree and writer. What was written is parsed to the same text, whatever was done to
// the tree before.
#include "xml_mutate.h"

#include "text/xml.h"

#define TEXT_MAX (4 << 20)
#define EDITS    12

static struct xml_doc doc, again;
static char first[TEXT_MAX], second[TEXT_MAX];
static struct fuzz_random chance; // from the input, so that an input means one way of editing

static struct slice write_tree(const struct xml_node *node, char *to)
{
    struct buffer out = buffer_over(to, TEXT_MAX);
    xml_write(&out, node, 0);
    FUZZ_CHECK(buffer_ok(&out));
    return buffer_slice(&out);
}

// The tree may use up the document when it is parsed again: text that was a slice of the source
// needs decoding in what was written.
static bool hit_limit(const struct error *err)
{
    return err->code == VIR_ERR_XML_ERROR;
}

static bool parse_again(struct slice text, const char *what)
{
    struct error err = {0};
    bool good = xml_parse(&again, text, what, &err);
    FUZZ_TOLD(good, &err);
    if (!good && !hit_limit(&err))
        FUZZ_FAIL("its own text is refused: %s\n%.*s", err.message, SLICE_ARG(text));
    return good;
}

static void check_text(struct slice text, const char *what)
{
    if (parse_again(text, what))
        FUZZ_SAME(text, write_tree(again.root, second));
}

// Blank text that was put into a tree is layout when it is read again: once, and then no more.
static void check_edited(void)
{
    if (!parse_again(write_tree(doc.root, first), "after_edits"))
        return;
    struct slice text = write_tree(again.root, second);
    memcpy(first, text.at, text.len);
    check_text((struct slice){first, text.len}, "after_edits");
}

// Some element of the tree, by chance.
static struct xml_node *pick(void)
{
    struct xml_node *node = doc.root;
    for (unsigned depth = fuzz_below(&chance, 6); depth > 0; depth--) {
        unsigned count = xml_count(node, NULL);
        struct xml_node *child = xml_child(node, NULL);
        for (unsigned i = fuzz_below(&chance, count); i > 0; i--)
            child = xml_next(child, NULL);
        if (!child)
            break;
        node = child;
    }
    return node;
}

static bool is_below(const struct xml_node *node, const struct xml_node *top)
{
    while (node && node != top)
        node = node->parent;
    return node != NULL;
}

static struct slice some_text(struct slice input)
{
    size_t from = fuzz_below(&chance, (uint32_t)input.len);
    struct slice rest = slice_from(input, from);
    return fuzz_take(&rest, fuzz_below(&chance, 40));
}

static void move(struct xml_node *node, struct xml_node *other)
{
    if (node != doc.root && !is_below(other, node))
        xml_move(node, other);
}

static void move_before(struct xml_node *node, struct xml_node *other)
{
    if (node != doc.root && other != doc.root && !is_below(other, node))
        xml_move_before(node, other);
}

static void edit(struct slice input)
{
    struct xml_node *node = pick(), *other = pick();
    switch (fuzz_below(&chance, 11)) {
    case 0:
        xml_copy(&doc, other, node);
        break;
    case 1:
        move(node, other);
        break;
    case 2:
        move_before(node, other);
        break;
    case 3:
        if (node != doc.root)
            xml_remove(node);
        break;
    case 4:
        xml_set(&doc, node, "added", some_text(input));
        break;
    case 5:
        xml_sets(&doc, node, "kept", "a<b&c'\"");
        break;
    case 6:
        xml_set_text(&doc, node, some_text(input));
        break;
    case 7:
        xml_add_text(&doc, node, "child", some_text(input));
        break;
    case 8:
        xml_unset(node, "type");
        break;
    case 9:
        xml_need(&doc, node, "needed");
        break;
    default:
        if (node != doc.root)
            xml_add_before(&doc, node, "before");
        break;
    }
}

static void read_tree(struct xml_node *node)
{
    xml_namespace(node);
    xml_text(node);
    xml_text_at(node, "a/b");
    xml_attr_at(node, "os/type", "arch");
    XML_EACH (child, node, NULL) {
        FUZZ_CHECK(child->parent == node);
        read_tree(child);
    }
}

static void check_fragment(const struct xml_node *node)
{
    struct buffer out = buffer_over(first, TEXT_MAX);
    struct error err = {0};
    xml_write_fragment(&out, node);
    FUZZ_CHECK(buffer_ok(&out));
    if (!xml_parse(&again, buffer_slice(&out), "fragment", &err) && !hit_limit(&err))
        FUZZ_FAIL("its own fragment is refused: %s\n%s", err.message, first);
}

static void seed_chance(struct slice input)
{
    chance.state = input.len;
    for (size_t i = 0; i < input.len; i++)
        chance.state = chance.state * 31 + (uint8_t)input.at[i];
}

void fuzz_one(struct slice input)
{
    struct error err = {0};
    if (input.len > 65536)
        return;
    seed_chance(input);
    bool good = xml_parse(&doc, input, "domain_definition", &err);
    FUZZ_TOLD(good, &err);
    if (!good)
        return;
    check_text(write_tree(doc.root, first), "/etc/libvirt/qemu/name.xml");
    check_fragment(doc.root);
    read_tree(doc.root);
    xml_string(&doc, doc.root);
    for (unsigned i = 0; i < EDITS && xml_ok(&doc, &err); i++)
        edit(input);
    if (xml_ok(&doc, &err))
        check_edited();
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return xml_mutate(data, size, max_size, seed);
}
