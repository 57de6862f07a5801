// XML: the layout that is written, and that what was written reads back as the same.
#include "text/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct xml_doc doc;
static char memory[64 * 1024], again[64 * 1024];

static struct xml_node *parse(struct slice text)
{
    struct error err = {0};
    if (!xml_parse(&doc, text, "x", &err))
        fail_msg("%s", err.message);
    return doc.root;
}

static void assert_rewritten(const char *text, const char *expected)
{
    struct buffer out = buffer_over(memory, sizeof(memory));
    xml_write(&out, parse(slice_of(text)), 0);
    assert_true(buffer_ok(&out));
    assert_string_equal(memory, expected);
    out = buffer_over(again, sizeof(again));
    xml_write(&out, parse(slice_of(memory)), 0);
    assert_string_equal(again, memory);
}

static void elements_are_laid_out_as_libvirt_does(void **state)
{
    (void)state;
    assert_rewritten("<domain type=\"kvm\"   id='3' xmlns:q=\"u\"><name>x</name>\n\n<os><boot "
                     "dev='hd' ></boot></os></domain>",
                     "<domain type='kvm' id='3' xmlns:q='u'>\n  <name>x</name>\n  <os>\n"
                     "    <boot dev='hd'/>\n  </os>\n</domain>\n");
}

static void the_indent_of_the_first_line_can_be_given(void **state)
{
    (void)state;
    struct buffer out = buffer_over(memory, sizeof(memory));
    xml_write(&out, parse(SLICE("<a><b/></a>")), 4);
    assert_string_equal(memory, "    <a>\n      <b/>\n    </a>\n");
}

static void deep_indents_have_their_full_width(void **state)
{
    (void)state;
    struct buffer out = buffer_over(memory, sizeof(memory));
    xml_write(&out, parse(SLICE("<a/>")), 150);
    assert_int_equal(strspn(memory, " "), 150);
}

static void text_and_attributes_are_escaped_as_libvirt_does(void **state)
{
    (void)state;
    assert_rewritten("<a b='&lt;&gt;&amp;&quot;&apos;'>&lt;&gt;&amp;\"'\xC3\xA9</a>",
                     "<a b='&lt;&gt;&amp;&quot;&apos;'>&lt;&gt;&amp;&quot;&apos;\xC3\xA9</a>\n");
}

static void white_space_that_would_be_lost_is_written_as_references(void **state)
{
    (void)state;
    assert_rewritten("<a b='1&#10;2&#9;3&#13;4'>5\n6\t7&#13;8</a>",
                     "<a b='1&#10;2&#9;3&#13;4'>5\n6\t7&#13;8</a>\n");
}

static void what_xml_can_not_hold_is_left_out(void **state)
{
    (void)state;
    struct buffer out = buffer_over(memory, sizeof(memory));
    xml_write_escaped(&out, SLICE("a\x01"
                                  "b\x1F"
                                  "c\nd"));
    assert_string_equal(memory, "abc\nd");
    xml_write_escaped(&out, SLICE_NONE);
    assert_string_equal(memory, "abc\nd");
}

static void what_is_no_utf8_is_left_out(void **state)
{
    (void)state;
    struct buffer out = buffer_over(memory, sizeof(memory));
    xml_write_escaped(&out, SLICE("\xC3\xA9\xFF\xE2\x82<\xC0\xAF"
                                  "a\xEF\xBF\xBE\xF0\x9F\x98\x80\xC3"));
    assert_string_equal(memory, "\xC3\xA9&lt;a\xF0\x9F\x98\x80");
}

static void comments_instructions_and_cdata_marks_are_not_libvirts(void **state)
{
    (void)state;
    assert_rewritten("<a><!-- x --><b><!-- y --></b><c>1<!-- z -->2</c><?pi?><d><![CDATA[<3]]></d>"
                     "</a>",
                     "<a>\n  <b/>\n  <c>12</c>\n  <d>&lt;3</d>\n</a>\n");
}

static void blanks_that_were_left_between_tags_are_no_text(void **state)
{
    (void)state;
    assert_rewritten("<a><b>\n  </b></a>", "<a>\n  <b/>\n</a>\n");
    struct xml_node *root = parse(SLICE("<a>\n</a>"));
    xml_add(&doc, root, "b");
    struct buffer out = buffer_over(memory, sizeof(memory));
    xml_write(&out, root, 0);
    assert_string_equal(memory, "<a>\n  <b/>\n</a>\n");
}

static void an_element_with_text_and_elements_stays_on_its_lines(void **state)
{
    (void)state;
    assert_rewritten("<a><b>one <c>two</c> <d><e/></d>\nthree</b><f/></a>",
                     "<a>\n  <b>one <c>two</c> <d><e/></d>\nthree</b>\n  <f/>\n</a>\n");
}

static void metadata_comes_back_as_libxml2_writes_it(void **state)
{
    (void)state;
    assert_rewritten(
        "<domain type='kvm'><metadata><app:one id='1' note='say \"hi\" &amp; it&apos;s&#10;' "
        "xmlns:app='http://e'><app:two>a &lt; \"b\" 'c'</app:two><!-- keep --><?pi data?>"
        "<x></x><y> </y><z><![CDATA[<raw>]]></z><m>mixed <b>bold</b> text</m></app:one>"
        "</metadata><os/></domain>",
        "<domain type='kvm'>\n  <metadata>\n"
        "    <app:one xmlns:app=\"http://e\" id=\"1\" note=\"say &quot;hi&quot; &amp; "
        "it's&#10;\">\n"
        "      <app:two>a &lt; \"b\" 'c'</app:two>\n      <!-- keep -->\n      <?pi data?>\n"
        "      <x/>\n      <y> </y>\n      <z><![CDATA[<raw>]]></z>\n"
        "      <m>mixed <b>bold</b> text</m>\n    </app:one>\n  </metadata>\n  <os/>\n</domain>\n");
}

static void a_fragment_has_the_layout_of_metadata_and_no_line_end(void **state)
{
    (void)state;
    struct buffer out = buffer_over(memory, sizeof(memory));
    xml_write_fragment(&out, parse(SLICE("<a b='1'><!-- x --><c/></a>")));
    assert_string_equal(memory, "<a b=\"1\">\n  <!-- x -->\n  <c/>\n</a>");
    out = buffer_over(memory, sizeof(memory));
    xml_write_fragment(&out, parse(SLICE("<a>\n</a>")));
    assert_string_equal(memory, "<a>\n</a>");
}

static void only_the_element_that_was_asked_for_is_written(void **state)
{
    (void)state;
    struct buffer out = buffer_over(memory, sizeof(memory));
    struct xml_node *root = parse(SLICE("<a><b><c/></b><d/></a>"));
    xml_write(&out, xml_child(root, "b"), 0);
    xml_write(&out, xml_child(root, "d"), 0);
    xml_write(&out, NULL, 0);
    assert_string_equal(memory, "<b>\n  <c/>\n</b>\n<d/>\n");
}

static void a_full_buffer_is_reported_by_the_buffer(void **state)
{
    (void)state;
    struct xml_node *root = parse(SLICE("<a><b c='d'>text</b></a>"));
    char small[30];
    for (size_t size = 1; size < sizeof(small); size++) {
        struct buffer out = buffer_over(small, size);
        xml_write(&out, root, 0);
        assert_int_equal(buffer_ok(&out), size > strlen("<a>\n  <b c='d'>text</b>\n</a>\n"));
    }
}

static const char domain[] =
    "<?xml version='1.0' encoding='UTF-8'?>\n<!-- comment -->\n"
    "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
    "  <name>demo</name>\n  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>\n"
    "  <title>A &amp; B &lt;\xC3\xA9&gt;</title>\n"
    "  <description>first\r\nsecond \"line\" &#x2014; done</description>\n  <metadata>\n"
    "    <app:one xmlns:app='http://example.org/app' id='1'>\n"
    "      <app:two>a &lt; b</app:two>\n      <!-- keep me --><![CDATA[raw <x> & more]]>\n"
    "    </app:one>\n  </metadata>\n  <memory unit='KiB'>219136</memory>\n"
    "  <os>\n    <type arch='x86_64' machine=\"pc\">hvm</type>\n    <boot dev='hd'/>\n  </os>\n"
    "  <devices>\n    <disk type='file' device='disk'>\n"
    "      <source file='/var/lib/a&apos;b&quot;.qcow2'/>\n"
    "      <target dev='vda' bus='virtio'/>\n    </disk>\n"
    "    <graphics type='vnc' port='-1'\n\t      autoport='yes'/>\n  </devices>\n"
    "  <qemu:commandline>\n    <qemu:arg value='-newarg'/>\n  </qemu:commandline>\n</domain>\n";

// Parses bytes that end where their memory ends, so that a sanitizer sees a read behind them, and
// writes what was accepted; that has to read back, and then to be written the same.
static void check(const char *text, size_t length)
{
    static char place[2 * sizeof(domain)];
    struct error err = {0};
    char *copy = place + sizeof(place) - length;
    memcpy(copy, text, length);
    bool ok = xml_parse(&doc, (struct slice){copy, length}, "x", &err);
    assert_int_equal(ok, !error_is_set(&err));
    if (!ok)
        return;
    struct buffer out = buffer_over(memory, sizeof(memory));
    xml_write(&out, doc.root, 0);
    assert_true(buffer_ok(&out));
    if (!xml_parse(&doc, buffer_slice(&out), "x", &err))
        fail_msg("%s", err.message);
    out = buffer_over(again, sizeof(again));
    xml_write(&out, doc.root, 0);
    assert_string_equal(memory, again);
}

static void every_cut_of_a_definition_is_refused_or_read(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof(domain); length++)
        check(domain, length < sizeof(domain) - 1 ? length : sizeof(domain) - 1);
}

static void every_change_of_one_character_is_refused_or_survives_a_round_trip(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "",     "<",    ">",      "&",           "'",        "\"",   "</",
        "/>",   "<!--", "-->",    "<![CDATA[",   "]]>",      "?",    "<?x ",
        "?>",   "&lt;", "&#65;",  "&#x",         "=",        "\n",   "\r",
        "\t",   " ",    "x",      ":",           "\xC3\xA9", "\xFF", "\xED\xA0\x80",
        "\x01", "<a/>", "a='b' ", "xmlns:q='u' "};
    static char text[sizeof(domain) + 16];
    for (size_t at = 0; at < sizeof(domain) - 1; at++)
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
            size_t added = strlen(parts[i]), rest = sizeof(domain) - 2 - at;
            memcpy(text, domain, at);
            memcpy(text + at, parts[i], added);
            memcpy(text + at + added, domain + at + 1, rest);
            check(text, at + added + rest);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_laid_out_as_libvirt_does),
        cmocka_unit_test(the_indent_of_the_first_line_can_be_given),
        cmocka_unit_test(deep_indents_have_their_full_width),
        cmocka_unit_test(text_and_attributes_are_escaped_as_libvirt_does),
        cmocka_unit_test(white_space_that_would_be_lost_is_written_as_references),
        cmocka_unit_test(what_xml_can_not_hold_is_left_out),
        cmocka_unit_test(what_is_no_utf8_is_left_out),
        cmocka_unit_test(comments_instructions_and_cdata_marks_are_not_libvirts),
        cmocka_unit_test(blanks_that_were_left_between_tags_are_no_text),
        cmocka_unit_test(an_element_with_text_and_elements_stays_on_its_lines),
        cmocka_unit_test(metadata_comes_back_as_libxml2_writes_it),
        cmocka_unit_test(a_fragment_has_the_layout_of_metadata_and_no_line_end),
        cmocka_unit_test(only_the_element_that_was_asked_for_is_written),
        cmocka_unit_test(a_full_buffer_is_reported_by_the_buffer),
        cmocka_unit_test(every_cut_of_a_definition_is_refused_or_read),
        cmocka_unit_test(every_change_of_one_character_is_refused_or_survives_a_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
