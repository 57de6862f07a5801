// Domain definitions: what clients send becomes what libvirt 9.0 shows, byte for byte.
//
// test/data/domain/DRIVER/NAME.xml is an input; beside it lies what Debian's libvirt 9.0 made of
// it: NAME.out, its `virsh dumpxml --inactive`, or NAME.err, the code and the message of its
// refusal. In test/data/domain/live, NAME.out is the `virsh dumpxml` of the guest when it ran, less
// what only its start can tell: features of the CPU, ports, states, and labels. QEMU is Debian
// 12's, by test/unit/qemu_lookup.h.
#include "hv/test/defaults.h"
#include "test/unit/qemu_lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glob.h>

#include <cmocka.h>

static struct xml_doc doc;
static char input[262144], expected[262144], output[262144];

static bool count_up(void *data, void *bytes, size_t len)
{
    (void)data;
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)(i + 1);
    return true;
}

static bool read_file(const char *path, char *to, size_t size)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    size_t len = fread(to, 1, size - 1, file);
    fclose(file);
    to[len] = '\0';
    return true;
}

static void write_tree(void)
{
    struct buffer out = buffer_over(output, sizeof(output));
    xml_write(&out, doc.root, 0);
    assert_true(buffer_ok(&out));
}

// Where two texts part, for the eye.
static unsigned report_difference(const char *path)
{
    size_t at = 0, line = 1;
    while (output[at] && output[at] == expected[at])
        line += output[at++] == '\n';
    if (!output[at] && !expected[at])
        return 0;
    print_error("%s: line %zu differs:\n got:      %.80s\n expected: %.80s\n", path, line,
                output + at, expected + at);
    return 1;
}

static void replace_suffix(char *path, const char *suffix)
{
    strcpy(strrchr(path, '.'), suffix);
}

static unsigned check_refusal(const char *path, const struct error *err)
{
    snprintf(output, sizeof(output), "%d: %s\n", err->code, err->message);
    return report_difference(path);
}

static unsigned check_file(const char *path, const struct domain_xml_rules *rules)
{
    char other[512];
    struct error err = {0};
    snprintf(other, sizeof(other), "%s", path);
    assert_true(read_file(path, input, sizeof(input)));
    bool parsed = domain_xml_parse(&doc, slice_of(input), rules, DOMAIN_XML_PARSE_NEW, &err);
    replace_suffix(other, ".err");
    if (read_file(other, expected, sizeof(expected)))
        return check_refusal(path, &err);
    if (!parsed) {
        print_error("%s: %s\n", path, err.message);
        return 1;
    }
    replace_suffix(other, ".out");
    assert_true(read_file(other, expected, sizeof(expected)));
    domain_xml_show(&doc, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE);
    write_tree();
    return report_difference(path);
}

static void check_files(const char *pattern, const struct domain_xml_rules *rules)
{
    glob_t files;
    unsigned failed = 0;
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        failed += check_file(files.gl_pathv[i], rules);
    globfree(&files);
    assert_int_equal(failed, 0);
}

static struct domain_xml_rules rules;
static struct qemu_lookup lookup;

static void use_test_driver(void)
{
    test_domain_xml_rules(&rules, count_up, NULL);
}

static void use_qemu(void)
{
    lookup = debian_lookup;
    lookup.random = count_up;
    qemu_domain_xml_rules(&rules, &lookup);
}

static void definitions_of_the_test_driver_come_out_as_libvirt_shows_them(void **state)
{
    (void)state;
    use_test_driver();
    check_files("test/data/domain/test/*.xml", &rules);
}

static void definitions_of_qemu_guests_come_out_as_libvirt_shows_them(void **state)
{
    (void)state;
    use_qemu();
    check_files("test/data/domain/qemu/*.xml", &rules);
}

static unsigned check_again(const char *path)
{
    char other[512];
    struct error err = {0};
    snprintf(other, sizeof(other), "%s", path);
    replace_suffix(other, ".again");
    assert_true(read_file(path, input, sizeof(input)));
    if (!read_file(other, expected, sizeof(expected)))
        strcpy(expected, input);
    if (!domain_xml_parse(&doc, slice_of(input), &rules, 0, &err))
        return check_refusal(path, &err);
    domain_xml_show(&doc, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE);
    write_tree();
    return report_difference(path);
}

// Parses expected output again and compares: nothing may change, but for the few definitions that
// libvirt itself changes then; NAME.again is what it makes of them.
static void check_files_again(const char *pattern)
{
    glob_t files;
    unsigned failed = 0;
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        failed += check_again(files.gl_pathv[i]);
    globfree(&files);
    assert_int_equal(failed, 0);
}

static void a_canonical_definition_stays_as_libvirt_leaves_it(void **state)
{
    (void)state;
    use_test_driver();
    check_files_again("test/data/domain/test/*.out");
    use_qemu();
    check_files_again("test/data/domain/qemu/*.out");
}

static unsigned check_live(const char *path)
{
    char other[512];
    struct error err = {0};
    snprintf(other, sizeof(other), "%s", path);
    replace_suffix(other, ".out");
    assert_true(read_file(path, input, sizeof(input)));
    assert_true(read_file(other, expected, sizeof(expected)));
    if (!domain_xml_parse(&doc, slice_of(input), &rules, DOMAIN_XML_PARSE_NEW, &err) ||
        !domain_xml_make_live(&doc, 1, true, &err) ||
        !qemu_domain_xml_resolve(&doc, &lookup, &err)) {
        print_error("%s: %s\n", path, err.message);
        return 1;
    }
    domain_xml_show(&doc, VIR_DOMAIN_XML_SECURE);
    write_tree();
    return report_difference(path);
}

static void running_guests_come_out_as_libvirt_shows_them(void **state)
{
    (void)state;
    glob_t files;
    unsigned failed = 0;
    use_qemu();
    assert_int_equal(glob("test/data/domain/live/*.xml", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        failed += check_live(files.gl_pathv[i]);
    globfree(&files);
    assert_int_equal(failed, 0);
}

static const char small[] = "<domain type='test'><name>small</name><memory>1024</memory>"
                            "<os><type>hvm</type></os><wanted by='the future'><x/></wanted>"
                            "<devices><disk device='cdrom'><target dev='hda' shape='round'/>"
                            "</disk><graphics type='vnc' passwd='secret'/></devices></domain>";

static bool parse_small(unsigned flags)
{
    struct error err = {0};
    use_test_driver();
    return domain_xml_parse(&doc, SLICE(small), &rules, flags, &err);
}

static void what_libvirt_does_not_know_is_kept(void **state)
{
    (void)state;
    assert_true(parse_small(DOMAIN_XML_PARSE_NEW));
    assert_true(xml_attr_is(xml_find(doc.root, "wanted"), "by", "the future"));
    assert_non_null(xml_find(doc.root, "wanted/x"));
    assert_true(xml_attr_is(xml_find(doc.root, "devices/disk/target"), "shape", "round"));
}

static void a_missing_uuid_is_made_of_the_random_bytes(void **state)
{
    (void)state;
    assert_true(parse_small(DOMAIN_XML_PARSE_NEW));
    assert_true(slice_is(xml_text_at(doc.root, "uuid"), "01020304-0506-4708-890a-0b0c0d0e0f10"));
}

static void passwords_are_shown_only_to_those_who_may_see_secrets(void **state)
{
    (void)state;
    assert_true(parse_small(DOMAIN_XML_PARSE_NEW));
    domain_xml_show(&doc, VIR_DOMAIN_XML_SECURE);
    assert_true(xml_attr_is(xml_find(doc.root, "devices/graphics"), "passwd", "secret"));
    domain_xml_show(&doc, 0);
    assert_false(slice_present(xml_attr(xml_find(doc.root, "devices/graphics"), "passwd")));
}

static void a_running_domain_has_an_id_and_aliases_that_are_hidden_when_inactive(void **state)
{
    (void)state;
    struct error err = {0};
    assert_true(parse_small(DOMAIN_XML_PARSE_NEW));
    assert_true(domain_xml_make_live(&doc, 7, true, &err));
    assert_true(xml_attr_is(doc.root, "id", "7"));
    assert_true(xml_attr_is(xml_find(doc.root, "devices/disk/alias"), "name", "ide0-0-0"));
    assert_true(slice_is(xml_text_at(doc.root, "resource/partition"), "/machine"));
    domain_xml_show(&doc, VIR_DOMAIN_XML_INACTIVE);
    assert_false(slice_present(xml_attr(doc.root, "id")));
}

static bool parse_with_inputs(unsigned count, struct error *err)
{
    struct buffer text = buffer_over(input, sizeof(input));
    buffer_puts(&text, "<domain type='test'><name>n</name><memory>1</memory><os><type>hvm</type>"
                       "</os><devices>");
    while (count-- > 0)
        buffer_puts(&text, "<input type='tablet' bus='usb'/>");
    buffer_puts(&text, "</devices></domain>");
    return domain_xml_parse(&doc, buffer_slice(&text), &rules, DOMAIN_XML_PARSE_NEW, err);
}

static void refused_by_name(const char *text, const char *message)
{
    struct error err = {0};
    bool parsed = domain_xml_parse(&doc, slice_of(text), &rules,
                                   DOMAIN_XML_PARSE_NEW | DOMAIN_XML_PARSE_SCHEMA, &err);
    assert_int_equal(parsed, message == NULL);
    if (!message)
        return;
    assert_int_equal(err.code, VIR_ERR_XML_INVALID_SCHEMA);
    assert_non_null(strstr(err.message, message));
}

#define DOMAIN_WITH(devices)                                                                       \
    "<domain type='test' xmlns:own='urn:own'><name>n</name><memory>9</memory>"                     \
    "<metadata><own:any colour='red'/></metadata><os><type>hvm</type></os>"                        \
    "<devices>" devices "</devices></domain>"

static void a_validated_definition_has_no_names_that_libvirt_does_not_know(void **state)
{
    (void)state;
    use_test_driver();
    refused_by_name(DOMAIN_WITH(""), NULL);
    refused_by_name(DOMAIN_WITH("<controller type='pci'><address type='pci' slot='1'/>"
                                "</controller>"),
                    NULL);
    refused_by_name(DOMAIN_WITH("<teleporter/>"),
                    "domain.rng\nDid not expect element teleporter there\n"
                    "Element devices failed to validate content\n");
    refused_by_name(DOMAIN_WITH("<memballoon model='none' colour='red'/>"),
                    "Invalid attribute colour for element memballoon\n"
                    "Element memballoon failed to validate attributes\n");
    refused_by_name(DOMAIN_WITH("<memballoon model='none'><alias nome='b'/></memballoon>"),
                    "Invalid attribute nome for element alias");
}

// Devices are compared with each other, and a turn of the loop has its time.
static void too_many_devices_are_refused_with_the_limit(void **state)
{
    (void)state;
    struct error err = {0};
    use_test_driver();
    assert_true(parse_with_inputs(CONFIG_DOMAIN_CHILDREN - 16, &err));
    assert_false(parse_with_inputs(CONFIG_DOMAIN_CHILDREN + 1, &err));
    assert_int_equal(err.code, VIR_ERR_XML_ERROR);
    assert_non_null(strstr(err.message, "<devices>: limit is"));
    assert_non_null(strstr(err.message, "CONFIG_DOMAIN_CHILDREN"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definitions_of_the_test_driver_come_out_as_libvirt_shows_them),
        cmocka_unit_test(definitions_of_qemu_guests_come_out_as_libvirt_shows_them),
        cmocka_unit_test(running_guests_come_out_as_libvirt_shows_them),
        cmocka_unit_test(a_canonical_definition_stays_as_libvirt_leaves_it),
        cmocka_unit_test(what_libvirt_does_not_know_is_kept),
        cmocka_unit_test(a_validated_definition_has_no_names_that_libvirt_does_not_know),
        cmocka_unit_test(a_missing_uuid_is_made_of_the_random_bytes),
        cmocka_unit_test(passwords_are_shown_only_to_those_who_may_see_secrets),
        cmocka_unit_test(too_many_devices_are_refused_with_the_limit),
        cmocka_unit_test(a_running_domain_has_an_id_and_aliases_that_are_hidden_when_inactive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
