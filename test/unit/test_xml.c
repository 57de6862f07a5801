// XML: what the parser makes of a document, and what reading the tree gives.
#include "text/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct xml_doc doc;

static struct xml_node *parse(const char *text)
{
    struct error err = {0};
    if (!xml_parse(&doc, slice_of(text), "domain_definition", &err))
        fail_msg("%s", err.message);
    return doc.root;
}

static void assert_slice(struct slice s, const char *expected)
{
    assert_true(slice_present(s));
    assert_int_equal(s.len, strlen(expected));
    assert_memory_equal(s.at, expected, s.len);
}

static void elements_attributes_and_text_are_found(void **state)
{
    (void)state;
    struct xml_node *root = parse("<domain type='kvm' id=\"7\">\n  <name>demo</name>\n"
                                  "  <os><type arch='x86_64'>hvm</type><boot dev='hd'/></os>\n"
                                  "</domain>\n");
    assert_slice(root->name, "domain");
    assert_slice(xml_attr(root, "type"), "kvm");
    assert_slice(xml_attr(root, "id"), "7");
    assert_slice(xml_text_at(root, "name"), "demo");
    assert_slice(xml_text_at(root, "os/type"), "hvm");
    assert_slice(xml_attr_at(root, "os/type", "arch"), "x86_64");
    assert_true(xml_attr_is(xml_find(root, "os/boot"), "dev", "hd"));
}

static void what_is_missing_reads_as_absent(void **state)
{
    (void)state;
    struct xml_node *root = parse("<a><b/></a>");
    assert_null(xml_child(root, "c"));
    assert_null(xml_find(root, "c/d/e"));
    assert_null(xml_find(root, "b/d"));
    assert_false(slice_present(xml_attr_at(root, "c", "x")));
    assert_false(slice_present(xml_text_at(root, "c/d")));
    assert_false(slice_present(xml_text(xml_child(root, "b"))));
    assert_null(xml_child(NULL, "a"));
    assert_null(xml_next(NULL, NULL));
    assert_int_equal(xml_count(NULL, NULL), 0);
    assert_false(xml_named(NULL, "a"));
}

static void children_are_walked_and_counted_by_name(void **state)
{
    (void)state;
    struct xml_node *root = parse("<d><x n='1'/>text<y/><x n='2'/><!-- c --><x n='3'/></d>");
    char seen[8] = "";
    XML_EACH (x, root, "x")
        strncat(seen, xml_attr(x, "n").at, 1);
    assert_string_equal(seen, "123");
    assert_int_equal(xml_count(root, "x"), 3);
    assert_int_equal(xml_count(root, NULL), 4);
}

static void a_parsed_string_is_a_slice_of_the_source(void **state)
{
    (void)state;
    const char *text = "<a b='plain'>word</a>";
    struct xml_node *root = parse(text);
    assert_ptr_equal(xml_attr(root, "b").at, text + 6);
    assert_ptr_equal(xml_text(root).at, text + 13);
    assert_int_equal(doc.text_len, 0);
}

static void entities_and_character_references_are_decoded(void **state)
{
    (void)state;
    struct xml_node *root = parse("<a b='&lt;&gt;&amp;&quot;&apos;&#65;&#x42;'>x &amp; "
                                  "&#xe9;&#x20AC;&#x1F600; y</a>");
    assert_slice(xml_attr(root, "b"), "<>&\"'AB");
    assert_slice(xml_text(root), "x & \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80 y");
    assert_ptr_equal(root->child, root->last);
}

static void line_ends_become_line_feeds(void **state)
{
    (void)state;
    struct xml_node *root = parse("<a>one\r\ntwo\rthree\nfour</a>");
    assert_slice(xml_text(root), "one\ntwo\nthree\nfour");
    root = parse("<a><![CDATA[one\r\ntwo\r]]></a>");
    assert_slice(root->child->text, "one\ntwo\n");
}

static void white_space_in_an_attribute_becomes_blanks_unless_it_is_a_reference(void **state)
{
    (void)state;
    struct xml_node *root = parse("<a b='1\t2\n3\r\n4\r5' c='x&#10;&#9;y'/>");
    assert_slice(xml_attr(root, "b"), "1 2 3 4 5");
    assert_slice(xml_attr(root, "c"), "x\n\ty");
}

static void each_quote_may_hold_the_other(void **state)
{
    (void)state;
    struct xml_node *root = parse("<a b='say \"hi\"' c=\"it's\" d='' e = 'spaced' />");
    assert_slice(xml_attr(root, "b"), "say \"hi\"");
    assert_slice(xml_attr(root, "c"), "it's");
    assert_slice(xml_attr(root, "d"), "");
    assert_slice(xml_attr(root, "e"), "spaced");
}

static void cdata_is_text(void **state)
{
    (void)state;
    struct xml_node *root = parse("<a><![CDATA[1 < 2 && ]] > ]]></a>");
    assert_slice(root->child->text, "1 < 2 && ]] > ");
    assert_slice(xml_text(root), "1 < 2 && ]] >");
}

static void text_is_trimmed_and_a_string_is_not(void **state)
{
    (void)state;
    struct xml_node *root = parse("<a>  two words\n</a>");
    assert_slice(xml_text(root), "two words");
    assert_slice(xml_string(&doc, root), "  two words\n");
}

static void a_string_joins_all_text_below(void **state)
{
    (void)state;
    struct xml_node *root = parse("<a>one<!-- no -->, <b>two<?no?></b><![CDATA[ & three]]></a>");
    assert_slice(xml_string(&doc, root), "one, two & three");
    assert_slice(xml_string(&doc, parse("<a/>")), "");
    assert_false(slice_present(xml_string(&doc, NULL)));
}

static void white_space_of_the_layout_is_dropped(void **state)
{
    (void)state;
    struct xml_node *root = parse("<a>\n  <b/>\n  <!-- c -->\n  <c/>\n</a>");
    assert_slice(root->child->name, "b");
    assert_int_equal(root->child->next->kind, XML_COMMENT);
    assert_slice(root->last->name, "c");
}

static void white_space_that_is_content_is_kept(void **state)
{
    (void)state;
    assert_slice(parse("<a>  </a>")->child->text, "  ");
    struct xml_node *root = parse("<a> mixed <b/> <c/></a>");
    assert_slice(root->child->next->next->text, " ");
    root = parse("<a xml:space='preserve'> <b/> </a>");
    assert_int_equal(root->child->kind, XML_TEXT);
    assert_int_equal(root->last->kind, XML_TEXT);
    root = parse("<a xml:space='preserve'><b xml:space='default'> <c/></b></a>");
    assert_slice(root->child->child->name, "c");
}

static void lines_are_counted(void **state)
{
    (void)state;
    struct xml_node *root = parse("<?xml version='1.0'?>\n\n<a>\n<b\nx='1'/>text\n\n<c/></a>");
    assert_int_equal(root->line, 3);
    assert_int_equal(xml_child(root, "b")->line, 4);
    assert_int_equal(xml_child(root, "c")->line, 7);
}

static void prefixes_are_part_of_the_name_and_namespaces_can_be_asked_for(void **state)
{
    (void)state;
    struct xml_node *root = parse("<d xmlns:q='http://q'><q:cmd><q:arg/></q:cmd>"
                                  "<r:cmd xmlns:r='http://r' xmlns='http://own'><x/></r:cmd>"
                                  "<y xmlns=''/><s:none/></d>");
    assert_slice(xml_namespace(xml_find(root, "q:cmd/q:arg")), "http://q");
    assert_slice(xml_namespace(xml_find(root, "r:cmd")), "http://r");
    assert_slice(xml_namespace(xml_find(root, "r:cmd/x")), "http://own");
    assert_false(slice_present(xml_namespace(root)));
    assert_false(slice_present(xml_namespace(xml_child(root, "y"))));
    assert_false(slice_present(xml_namespace(xml_child(root, "s:none"))));
    assert_false(slice_present(xml_namespace(NULL)));
}

static void
declarations_byte_order_marks_comments_and_instructions_may_surround_the_root(void **state)
{
    (void)state;
    parse("\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<!-- a -->\n"
          "<?pi data?>\n<a/>\n<!-- b --><?pi?>\n");
    parse("<?xml version=\"1.1\" ?><a/>");
    parse("<?xml version='1.0' encoding='US-ASCII'?><a/>");
    parse("\n\n  <a/>");
}

static void names_may_hold_letters_of_any_script(void **state)
{
    (void)state;
    struct xml_node *root = parse("<\xC3\xA9t\xC3\xA9 \xD0\xB8-1.x_='v'/>");
    assert_slice(root->name, "\xC3\xA9t\xC3\xA9");
    assert_slice(xml_attr(root, "\xD0\xB8-1.x_"), "v");
}

static void an_absent_source_is_an_empty_document(void **state)
{
    (void)state;
    struct error err = {0};
    assert_false(xml_parse(&doc, SLICE_NONE, "domain_definition", &err));
    assert_string_equal(err.message, "(domain_definition):1: Document is empty\n\n^");
    assert_null(doc.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_attributes_and_text_are_found),
        cmocka_unit_test(what_is_missing_reads_as_absent),
        cmocka_unit_test(children_are_walked_and_counted_by_name),
        cmocka_unit_test(a_parsed_string_is_a_slice_of_the_source),
        cmocka_unit_test(entities_and_character_references_are_decoded),
        cmocka_unit_test(line_ends_become_line_feeds),
        cmocka_unit_test(white_space_in_an_attribute_becomes_blanks_unless_it_is_a_reference),
        cmocka_unit_test(each_quote_may_hold_the_other),
        cmocka_unit_test(cdata_is_text),
        cmocka_unit_test(text_is_trimmed_and_a_string_is_not),
        cmocka_unit_test(a_string_joins_all_text_below),
        cmocka_unit_test(white_space_of_the_layout_is_dropped),
        cmocka_unit_test(white_space_that_is_content_is_kept),
        cmocka_unit_test(lines_are_counted),
        cmocka_unit_test(prefixes_are_part_of_the_name_and_namespaces_can_be_asked_for),
        cmocka_unit_test(
            declarations_byte_order_marks_comments_and_instructions_may_surround_the_root),
        cmocka_unit_test(names_may_hold_letters_of_any_script),
        cmocka_unit_test(an_absent_source_is_an_empty_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
