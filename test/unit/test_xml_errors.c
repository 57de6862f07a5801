// XML: what a malformed or oversized document gets. The texts are those of libxml2 2.9.14 in the
// layout of libvirt 9.0, character by character, but for '?' in place of what can not be shown.
#include "text/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct xml_doc doc;
static char big[8 * 1024 * 1024];

static void refuse(struct slice text, int code, const char *message)
{
    struct error err = {0};
    assert_false(xml_parse(&doc, text, "domain_definition", &err));
    assert_int_equal(err.code, code);
    assert_int_equal(err.domain, VIR_FROM_DOMAIN);
    assert_string_equal(err.message, message);
    assert_null(doc.root);
}

static void malformed_documents_are_refused_in_the_words_of_libxml2(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "(domain_definition):1: Document is empty\n\n^"},
        {"  \n ", "(domain_definition):2: Start tag expected, '<' not found\n \n-^"},
        {"hello", "(domain_definition):1: Start tag expected, '<' not found\nhello\n^"},
        {"<domain>\n  <name>x</nam>\n</domain>",
         "(domain_definition):2: Opening and ending tag mismatch: name line 2 and nam\n"
         "  <name>x</nam>\n---------------^"},
        {"<q:a></q:b>", "(domain_definition):1: Opening and ending tag mismatch: a line 1 and b\n"
                        "<q:a></q:b>\n-----------^"},
        {"<a></>", "(domain_definition):1: Opening and ending tag mismatch: a line 1 and "
                   "unparsable\n<a></>\n------^"},
        {"<a>\n<b>", "(domain_definition):2: Premature end of data in tag b line 2\n<b>\n---^"},
        {"<a>\n", "(domain_definition):2: Premature end of data in tag a line 1\n\n^"},
        {"<a b='1'c='2'/>", "(domain_definition):1: attributes construct error\n"
                            "<a b='1'c='2'/>\n--------^"},
        {"<a b=1/>", "(domain_definition):1: AttValue: \" or ' expected\n<a b=1/>\n-----^"},
        {"<a b/>", "(domain_definition):1: Specification mandates value for attribute b\n"
                   "<a b/>\n----^"},
        {"<a ='1'/>", "(domain_definition):1: error parsing attribute name\n<a ='1'/>\n---^"},
        {"<a b='1<2'/>", "(domain_definition):1: Unescaped '<' not allowed in attributes values\n"
                         "<a b='1<2'/>\n-------^"},
        {"<a b='1", "(domain_definition):1: AttValue: ' expected\n<a b='1\n-------^"},
        {"<a b='\x01'/>", "(domain_definition):1: invalid character in attribute value\n"
                          "<a b='?'/>\n------^"},
        {"<a b='1' b='2'/>", "(domain_definition):1: Attribute b redefined\n"
                             "<a b='1' b='2'/>\n--------------^"},
        {"<a b='1'", "(domain_definition):1: attributes construct error\n<a b='1'\n--------^"},
        {"<a b='1' ", "(domain_definition):1: Couldn't find end of Start Tag a line 1\n"
                      "<a b='1' \n---------^"},
        {"<a>< b/></a>", "(domain_definition):1: StartTag: invalid element name\n"
                         "<a>< b/></a>\n----^"},
        {"<a></a b>", "(domain_definition):1: expected '>'\n<a></a b>\n-------^"},
        {"<a>&foo;</a>", "(domain_definition):1: Entity 'foo' not defined\n"
                         "<a>&foo;</a>\n--------^"},
        {"<a>&amp</a>", "(domain_definition):1: EntityRef: expecting ';'\n<a>&amp</a>\n-------^"},
        {"<a>a & b</a>", "(domain_definition):1: xmlParseEntityRef: no name\n"
                         "<a>a & b</a>\n------^"},
        {"<a>&#;</a>", NULL},
        {"<a>&#1;</a>", "(domain_definition):1: xmlParseCharRef: invalid xmlChar value 1\n"
                        "<a>&#1;</a>\n-------^"},
        {"<a>&#x110000;</a>", "(domain_definition):1: xmlParseCharRef: character reference out of "
                              "bounds\n<a>&#x110000;</a>\n-------------^"},
        {"<a>&#xg;</a>", "(domain_definition):1: CharRef: invalid hexadecimal value\n"
                         "<a>&#xg;</a>\n------^"},
        {"<a>&#1a;</a>", "(domain_definition):1: CharRef: invalid decimal value\n"
                         "<a>&#1a;</a>\n------^"},
        {"<a>x\x02</a>", "(domain_definition):1: PCDATA invalid Char value 2\n<a>x?</a>\n----^"},
        {"<a/>\n<b/>", "(domain_definition):2: Extra content at the end of the document\n"
                       "<b/>\n^"},
        {"<a/>x", "(domain_definition):1: Extra content at the end of the document\n<a/>x\n----^"},
        {"<a><!-- x", "(domain_definition):1: Comment not terminated\n<a><!-- x\n---------^"},
        {"<a><!--x--y--></a>", "(domain_definition):1: Double hyphen within comment: <!--x\n"
                               "<a><!--x--y--></a>\n--------^"},
        {"<a><![CDATA[xyz</a>", "(domain_definition):1: CData section not finished\nxyz</\n"
                                "<a><![CDATA[xyz</a>\n-------------------^"},
        {"<a><?x y</a>", "(domain_definition):1: ParsePI: PI x never end ...\n"
                         "<a><?x y</a>\n------------^"},
        {"<a><? y?></a>", "(domain_definition):1: xmlParsePI : no target name\n"
                          "<a><? y?></a>\n-----^"},
        {" <?xml version='1.0'?><a/>",
         "(domain_definition):1: XML declaration allowed only at the start of the document\n"
         " <?xml version='1.0'?><a/>\n------^"},
        {"<?xml encoding='UTF-8'?><a/>",
         "(domain_definition):1: Malformed declaration expecting version\n"
         "<?xml encoding='UTF-8'?><a/>\n------^"},
        {"<?xml version='1.0' encoding='nonsense'?><a/>",
         "(domain_definition):1: Unsupported encoding nonsense\n"
         "<?xml version='1.0' encoding='nonsense'?><a/>\n"
         "---------------------------------------^"},
        {"<?xml version='1.0'><a/>", "(domain_definition):1: Blank needed here\n"
                                     "<?xml version='1.0'><a/>\n-------------------^"},
        {"<a>\xFF\xFE \xFD</a>",
         "(domain_definition):1: Input is not proper UTF-8, indicate encoding !\n"
         "Bytes: 0xFF 0xFE 0x20 0xFD\n<a>?? ?</a>\n---^"},
        {"<a>\xEF\xBF\xBF</a>", NULL},
        {"<a>\n\t<b c='\t&x;'/></a>",
         "(domain_definition):2: Entity 'x' not defined\n\t<b c='\t&x;'/></a>\n\t------\t---^"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error err = {0};
        if (cases[i].message)
            refuse(slice_of(cases[i].text), VIR_ERR_XML_DETAIL, cases[i].message);
        else
            assert_false(xml_parse(&doc, slice_of(cases[i].text), "x", &err));
    }
}

static void text_may_not_hold_the_end_of_a_cdata_section(void **state)
{
    (void)state;
    refuse(SLICE("<a>x]]>y</a>"), VIR_ERR_XML_DETAIL,
           "(domain_definition):1: Sequence ']]>' not allowed in content\n<a>x]]>y</a>\n----^");
}

static void a_nul_byte_is_refused_wherever_it_is(void **state)
{
    (void)state;
    static const char text[] = "<a b='c'>d<!--e--></a>";
    char copy[sizeof(text) - 1];
    for (size_t i = 0; i < sizeof(copy); i++) {
        struct error err = {0};
        memcpy(copy, text, sizeof(copy));
        copy[i] = '\0';
        assert_false(xml_parse(&doc, (struct slice){copy, sizeof(copy)}, "x", &err));
        assert_non_null(strstr(err.message, "Char 0x0 out of allowed range"));
    }
}

static void a_document_type_declaration_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    assert_false(xml_parse(&doc, SLICE("<!DOCTYPE a [<!ENTITY b 'c'>]>\n<a>&b;</a>"), "x", &err));
    assert_non_null(strstr(err.message, "document type declaration is not supported"));
}

static void a_path_is_shown_without_brackets_and_no_name_as_a_line(void **state)
{
    (void)state;
    struct error err = {0};
    assert_false(xml_parse(&doc, SLICE("<a"), "/etc/libvirt/qemu/x.xml", &err));
    assert_non_null(strstr(err.message, "/etc/libvirt/qemu/x.xml:1: Couldn't"));
    assert_int_equal(err.domain, VIR_FROM_XML);
    error_clear(&err);
    assert_false(xml_parse(&doc, SLICE("<a"), NULL, &err));
    assert_non_null(strstr(err.message, "at line 1: Couldn't"));
}

static void of_a_long_line_the_part_around_the_failure_is_shown(void **state)
{
    (void)state;
    memset(big, 'x', 5000);
    memcpy(big, "<a>", 3);
    memcpy(big + 3000, "</b>", 4);
    struct error err = {0};
    assert_false(xml_parse(&doc, (struct slice){big, 5000}, "domain_definition", &err));
    const char *context = strstr(err.message, "and b\nxxx");
    assert_non_null(context);
    const char *line = strchr(context, '\n') + 1, *pointer = strchr(line, '\n') + 1;
    size_t column = strcspn(pointer, "^");
    assert_memory_equal(line + column - 4, "</b>", 4);
}

static struct slice nested(unsigned depth)
{
    struct buffer b = buffer_over(big, sizeof(big));
    for (unsigned i = 0; i < depth; i++)
        buffer_puts(&b, "<a>");
    for (unsigned i = 0; i < depth; i++)
        buffer_puts(&b, "</a>");
    return buffer_slice(&b);
}

static void too_deep_nesting_is_refused_with_the_name_and_value_of_the_limit(void **state)
{
    (void)state;
    struct error err = {0};
    char expected[128];
    assert_true(xml_parse(&doc, nested(CONFIG_XML_DEPTH), "domain_definition", &err));
    snprintf(expected, sizeof(expected),
             "XML error: (domain_definition):1: elements nested too deep: limit is %d, "
             "CONFIG_XML_DEPTH",
             CONFIG_XML_DEPTH);
    refuse(nested(CONFIG_XML_DEPTH + 1), VIR_ERR_XML_ERROR, expected);
    refuse(nested(100000), VIR_ERR_XML_ERROR, expected);
}

static struct slice repeated(const char *before, const char *part, size_t times, const char *after)
{
    struct buffer b = buffer_over(big, sizeof(big));
    buffer_puts(&b, before);
    for (size_t i = 0; i < times; i++)
        buffer_printf(&b, part, (unsigned)i);
    buffer_puts(&b, after);
    assert_true(buffer_ok(&b));
    return buffer_slice(&b);
}

static void expect_limit(struct slice text, const char *name)
{
    struct error err = {0};
    assert_false(xml_parse(&doc, text, "domain_definition", &err));
    assert_int_equal(err.code, VIR_ERR_XML_ERROR);
    if (!strstr(err.message, name))
        fail_msg("%s is not in '%s'", name, err.message);
}

static void too_many_nodes_attributes_and_decoded_text_are_refused_by_name(void **state)
{
    (void)state;
    struct error err = {0};
    assert_true(xml_parse(&doc, repeated("<a>", "<b/>", CONFIG_XML_NODES - 1, "</a>"), "x", &err));
    expect_limit(repeated("<a>", "<b/>", CONFIG_XML_NODES, "</a>"), "CONFIG_XML_NODES");
    expect_limit(repeated("<a>", "<b c='' d='' e='' f='' g='' h='' i='' j='' k=''/>",
                          CONFIG_XML_ATTRS / 9 + 1, "</a>"),
                 "CONFIG_XML_ATTRS");
    expect_limit(repeated("<a>", "&lt;", CONFIG_XML_TEXT + 1, "</a>"), "CONFIG_XML_TEXT");
    expect_limit(repeated("<a b='", "&lt;", CONFIG_XML_TEXT + 1, "'/>"), "CONFIG_XML_TEXT");
}

static void too_many_attributes_of_one_element_are_refused_by_name(void **state)
{
    (void)state;
    struct error err = {0};
    assert_true(
        xml_parse(&doc, repeated("<a", " b%u=''", CONFIG_XML_ELEMENT_ATTRS, "/>"), "x", &err));
    expect_limit(repeated("<a", " b%u=''", CONFIG_XML_ELEMENT_ATTRS + 1, "/>"),
                 "CONFIG_XML_ELEMENT_ATTRS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_documents_are_refused_in_the_words_of_libxml2),
        cmocka_unit_test(text_may_not_hold_the_end_of_a_cdata_section),
        cmocka_unit_test(a_nul_byte_is_refused_wherever_it_is),
        cmocka_unit_test(a_document_type_declaration_is_refused),
        cmocka_unit_test(a_path_is_shown_without_brackets_and_no_name_as_a_line),
        cmocka_unit_test(of_a_long_line_the_part_around_the_failure_is_shown),
        cmocka_unit_test(too_deep_nesting_is_refused_with_the_name_and_value_of_the_limit),
        cmocka_unit_test(too_many_nodes_attributes_and_decoded_text_are_refused_by_name),
        cmocka_unit_test(too_many_attributes_of_one_element_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
