// XML: changing a tree.
#include "text/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct xml_doc doc, other;
static char memory[64 * 1024];

static struct xml_node *parse(struct xml_doc *into, const char *text)
{
    struct error err = {0};
    if (!xml_parse(into, slice_of(text), "x", &err))
        fail_msg("%s", err.message);
    return into->root;
}

static void assert_written(const struct xml_node *node, const char *expected)
{
    struct buffer out = buffer_over(memory, sizeof(memory));
    xml_write(&out, node, 0);
    assert_true(buffer_ok(&out));
    assert_string_equal(memory, expected);
}

static void a_document_is_built_from_nothing(void **state)
{
    (void)state;
    struct xml_node *root = xml_root(&doc, "domain");
    xml_sets(&doc, root, "type", "qemu");
    xml_add_text(&doc, root, "name", SLICE("a<b"));
    struct xml_node *memory_node = xml_add_textf(&doc, root, "memory", "%u", 1024u);
    xml_setf(&doc, memory_node, "unit", "%s", "KiB");
    xml_set(&doc, xml_add(&doc, xml_need(&doc, root, "devices"), "disk"), "type", SLICE("file"));
    xml_add(&doc, xml_need(&doc, root, "devices"), "console");
    assert_written(root, "<domain type='qemu'>\n  <name>a&lt;b</name>\n"
                         "  <memory unit='KiB'>1024</memory>\n  <devices>\n"
                         "    <disk type='file'/>\n    <console/>\n  </devices>\n</domain>\n");
    struct error err = {0};
    assert_true(xml_ok(&doc, &err));
}

static void attributes_are_replaced_in_place_and_removed(void **state)
{
    (void)state;
    struct xml_node *root = parse(&doc, "<a b='1' c='2' d='3'/>");
    xml_sets(&doc, root, "c", "new");
    xml_unset(root, "b");
    xml_unset(root, "missing");
    xml_sets(&doc, root, "e", "5");
    assert_written(root, "<a c='new' d='3' e='5'/>\n");
    xml_unset(root, "e");
    xml_unset(root, "c");
    xml_unset(root, "d");
    assert_written(root, "<a/>\n");
}

static void text_replaces_all_children(void **state)
{
    (void)state;
    struct xml_node *root = parse(&doc, "<a>old<b/>more</a>");
    xml_set_text(&doc, root, SLICE("new"));
    assert_written(root, "<a>new</a>\n");
    xml_set_textf(&doc, root, "%d%%", 50);
    assert_written(root, "<a>50%</a>\n");
    xml_set_text(&doc, root, SLICE(""));
    assert_written(root, "<a/>\n");
}

static void elements_are_added_before_others_moved_and_removed(void **state)
{
    (void)state;
    struct xml_node *root = parse(&doc, "<a><b/><c/><d><e/></d></a>");
    xml_add_before(&doc, xml_child(root, "b"), "first");
    xml_add_before(&doc, xml_child(root, "c"), "middle");
    assert_written(root, "<a>\n  <first/>\n  <b/>\n  <middle/>\n  <c/>\n  <d>\n    <e/>\n  </d>\n"
                         "</a>\n");
    xml_move(xml_child(root, "first"), root);
    xml_move_before(xml_child(root, "d"), xml_child(root, "b"));
    xml_move_before(xml_child(root, "b"), xml_child(root, "b"));
    xml_remove(xml_child(root, "c"));
    assert_written(root, "<a>\n  <d>\n    <e/>\n  </d>\n  <b/>\n  <middle/>\n  <first/>\n</a>\n");
    while (root->child)
        xml_remove(root->child);
    assert_written(root, "<a/>\n");
    assert_null(root->last);
}

static void the_current_element_of_a_safe_walk_may_be_removed(void **state)
{
    (void)state;
    struct xml_node *root = parse(&doc, "<a><b/><c/><b/><d/><b/></a>");
    XML_EACH_SAFE (b, root, "b")
        xml_remove(b);
    assert_written(root, "<a>\n  <c/>\n  <d/>\n</a>\n");
}

static void a_copy_from_another_document_outlives_it(void **state)
{
    (void)state;
    char text[] = "<x><y a='1&amp;2'>t<!-- c --><z><w/></z>u</y><v/></x>";
    struct xml_node *from = parse(&other, text);
    struct xml_node *root = xml_root(&doc, "root");
    struct xml_node *copy = xml_copy(&doc, root, xml_child(from, "y"));
    memset(text, '#', sizeof(text));
    xml_reset(&other);
    memset(other.text, '#', 100);
    assert_ptr_equal(copy->parent, root);
    assert_written(root, "<root>\n  <y a='1&amp;2'>t<z><w/></z>u</y>\n</root>\n");
}

static void a_copy_may_go_below_what_it_copies(void **state)
{
    (void)state;
    struct xml_node *root = parse(&doc, "<a><b c='d'><e/></b></a>");
    xml_copy(&doc, xml_child(root, "b"), root);
    assert_written(root, "<a>\n  <b c='d'>\n    <e/>\n    <a>\n      <b c='d'>\n        <e/>\n"
                         "      </b>\n    </a>\n  </b>\n</a>\n");
}

static void kept_strings_are_copies(void **state)
{
    (void)state;
    char text[] = "abc";
    xml_reset(&doc);
    struct slice kept = xml_keep(&doc, slice_of(text));
    struct slice made = xml_keepf(&doc, "%s-%d", text, 7);
    memset(text, '#', 3);
    assert_true(slice_is(kept, "abc"));
    assert_true(slice_is(made, "abc-7"));
    assert_false(slice_present(xml_keep(&doc, SLICE_NONE)));
}

static void a_document_out_of_nodes_stays_usable_and_says_so(void **state)
{
    (void)state;
    struct error err = {0};
    struct xml_node *root = xml_root(&doc, "a");
    for (unsigned i = 0; i < CONFIG_XML_NODES - 1; i++)
        xml_add(&doc, root, "b");
    assert_true(xml_ok(&doc, &err));
    struct xml_node *extra = xml_add(&doc, root, "c");
    assert_non_null(extra);
    xml_sets(&doc, extra, "d", "e");
    xml_add_text(&doc, extra, "f", SLICE("g"));
    xml_add_before(&doc, extra, "h");
    xml_move(extra, root);
    xml_move_before(extra, root->child);
    xml_set_text(&doc, root->child, SLICE("lost"));
    xml_copy(&doc, root, root->child);
    assert_int_equal(xml_count(root, NULL), CONFIG_XML_NODES - 1);
    assert_false(xml_ok(&doc, &err));
    assert_int_equal(err.code, VIR_ERR_XML_ERROR);
    assert_non_null(strstr(err.message, "CONFIG_XML_NODES"));
    xml_root(&doc, "again");
    error_clear(&err);
    assert_true(xml_ok(&doc, &err));
}

static void a_document_out_of_attributes_or_text_says_so(void **state)
{
    (void)state;
    struct error err = {0};
    struct xml_node *node = xml_root(&doc, "a");
    for (unsigned i = 0; i <= CONFIG_XML_ATTRS; i++) {
        if (i % 100 == 0)
            node = xml_add(&doc, doc.root, "b");
        xml_sets(&doc, node, xml_keepf(&doc, "n%u%c", i % 100, 0).at, "");
    }
    assert_false(xml_ok(&doc, &err));
    assert_non_null(strstr(err.message, "CONFIG_XML_ATTRS"));

    xml_root(&doc, "a");
    error_clear(&err);
    static char text[CONFIG_XML_TEXT + 1];
    memset(text, 'x', sizeof(text));
    xml_set_text(&doc, doc.root, (struct slice){text, CONFIG_XML_TEXT});
    assert_true(xml_ok(&doc, &err));
    assert_int_equal(xml_text(doc.root).len, CONFIG_XML_TEXT);
    xml_setf(&doc, doc.root, "b", "%d", 1);
    assert_false(xml_ok(&doc, &err));
    assert_non_null(strstr(err.message, "CONFIG_XML_TEXT"));
    assert_true(slice_is(xml_attr(doc.root, "b"), ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_built_from_nothing),
        cmocka_unit_test(attributes_are_replaced_in_place_and_removed),
        cmocka_unit_test(text_replaces_all_children),
        cmocka_unit_test(elements_are_added_before_others_moved_and_removed),
        cmocka_unit_test(the_current_element_of_a_safe_walk_may_be_removed),
        cmocka_unit_test(a_copy_from_another_document_outlives_it),
        cmocka_unit_test(a_copy_may_go_below_what_it_copies),
        cmocka_unit_test(kept_strings_are_copies),
        cmocka_unit_test(a_document_out_of_nodes_stays_usable_and_says_so),
        cmocka_unit_test(a_document_out_of_attributes_or_text_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
