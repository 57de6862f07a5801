// The emulator's command line: live definitions in, arguments out.
//
// test/data/qemu has live definitions as libvirtd 9.0 shows them, and beside each the arguments
// that were compared with those libvirtd gave its emulator. NANOVIRT_UPDATE=1 writes them anew.
#include "hv/qemu/command/command.h"
#include "hv/qemu/capabilities/host_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA "test/data/qemu/"

static struct xml_doc doc;
static struct qemu_command command;
static struct qemu_capabilities capabilities;
static struct qemu_settings settings;
static struct error err;
static char xml[65536], expected[65536], actual[65536];

static struct slice read_file(const char *name, const char *suffix, char *to, size_t size)
{
    char path[256];
    snprintf(path, sizeof(path), DATA "%s%s", name, suffix);
    FILE *file = fopen(path, "r");
    if (!file)
        return SLICE_NONE;
    size_t len = fread(to, 1, size - 1, file);
    fclose(file);
    to[len] = '\0';
    return (struct slice){to, len};
}

static void load_capabilities(const char *arch)
{
    static char text[65536];
    struct slice file = read_file(arch, ".caps", text, sizeof(text));
    assert_true(slice_present(file));
    assert_true(qemu_capabilities_parse(&capabilities, file));
}

static bool build(struct slice text)
{
    static const struct qemu_interface_fds fds[] = {{30, -1}, {31, 32}};
    struct qemu_command_context context = {
        .capabilities = &capabilities,
        .settings = &settings,
        .privileged = true,
        .state_dir = "@DIR@/state",
        .monitor_fd = -1,
        .monitor_path = "@DIR@/monitor.sock",
        .interfaces = fds,
        .interface_count = 2,
        .now = 1000000000,
    };
    error_clear(&err);
    if (!xml_parse(&doc, text, "domain_definition", &err))
        fail_msg("%s", err.message);
    return qemu_command_build(&command, doc.root, &context, &err);
}

static int prepare(void **state)
{
    (void)state;
    load_capabilities("x86_64");
    qemu_settings_default(&settings, true);
    return 0;
}

static void print_result(struct buffer *out)
{
    static const char *const uses[] = {"read", "shared", "write", "create", "socket"};
    for (size_t i = 0; i < command.arg_count; i++)
        buffer_printf(out, "%s\n", command.args[i]);
    buffer_putc(out, '\n');
    for (size_t i = 0; i < command.path_count; i++)
        buffer_printf(out, "%s %s%s\n", uses[command.paths[i].use], command.paths[i].path,
                      command.paths[i].image ? " image" : "");
}

static void check_golden(const char *name, const char *arch)
{
    load_capabilities(arch);
    struct slice text = read_file(name, ".xml", xml, sizeof(xml));
    assert_true(slice_present(text));
    if (!build(text))
        fail_msg("%s: %s", name, err.message);
    struct buffer out = buffer_over(actual, sizeof(actual));
    print_result(&out);
    if (getenv("NANOVIRT_UPDATE")) {
        char path[256];
        snprintf(path, sizeof(path), DATA "%s.args", name);
        FILE *file = fopen(path, "w");
        fwrite(out.at, 1, out.len, file);
        fclose(file);
        return;
    }
    read_file(name, ".args", expected, sizeof(expected));
    assert_string_equal(actual, expected);
}

static void definitions_become_the_arguments_that_libvirtd_gives(void **state)
{
    (void)state;
    static const char *const x86[] = {"q35-rich",    "pc-old", "kernel", "i686",
                                      "uefi-secure", "memory", "pci",    "kvm"};
    for (size_t i = 0; i < sizeof(x86) / sizeof(x86[0]); i++)
        check_golden(x86[i], "x86_64");
    check_golden("aa64", "aarch64");
    check_golden("arm7", "aarch64");
}

// A small guest with something more in it.
static bool build_with(const char *parts)
{
    static char text[8192];
    snprintf(text, sizeof(text),
             "<domain type='qemu'><name>g</name><uuid>11111111-2222-3333-4444-555555555555</uuid>"
             "<memory unit='KiB'>65536</memory><vcpu>1</vcpu>"
             "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>%s</domain>",
             parts);
    return build(slice_of(text));
}

#define DEVICES(x) "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>" x "</devices>"

static void assert_unsupported(const char *parts, const char *message)
{
    assert_false(build_with(parts));
    assert_int_equal(err.code, VIR_ERR_CONFIG_UNSUPPORTED);
    if (!strstr(err.message, message))
        fail_msg("\"%s\" has no \"%s\"", err.message, message);
}

static bool has_argument(const char *wanted)
{
    for (size_t i = 0; i < command.arg_count; i++)
        if (strcmp(command.args[i], wanted) == 0)
            return true;
    return false;
}

static bool mentions(const char *wanted)
{
    for (size_t i = 0; i < command.arg_count; i++)
        if (strstr(command.args[i], wanted))
            return true;
    return false;
}

static void what_can_not_be_expressed_is_refused(void **state)
{
    (void)state;
    assert_unsupported(DEVICES("<hostdev mode='subsystem' type='usb'/>"), "host device");
    assert_unsupported(DEVICES("<tpm model='tpm-tis'/>"), "TPM");
    assert_unsupported(DEVICES("<filesystem type='mount'/>"), "filesystem");
    assert_unsupported(DEVICES("<redirfilter><usbdev allow='no'/></redirfilter>"), "redirection");
    assert_unsupported("<launchSecurity type='sev'/>" DEVICES(""), "launch security");
    assert_unsupported(DEVICES("<controller type='xenbus'/>"), "xenbus");
    assert_unsupported(DEVICES("<interface type='network'><model type='virtio'/>"
                               "<alias name='net2'/></interface>"
                               "<interface type='vhostuser'><alias name='net3'/></interface>"),
                       "vhostuser");
    assert_unsupported(DEVICES("<disk type='file' device='disk'><source file='/a' index='1'>"
                               "<encryption format='luks'/></source>"
                               "<target dev='vda' bus='virtio'/><alias name='d'/></disk>"),
                       "encrypted");
    assert_unsupported(DEVICES("<serial type='tcp'><source mode='bind' host='h' service='1' "
                               "tls='yes'/><alias name='serial0'/></serial>"),
                       "TLS");
}

static void a_network_without_a_tap_device_is_refused(void **state)
{
    (void)state;
    assert_unsupported(
        DEVICES("<interface type='user'><model type='e1000'/><alias name='net0'/></interface>"
                "<interface type='user'><model type='e1000'/><alias name='net1'/></interface>"
                "<interface type='network'><model type='e1000'/><alias name='net2'/></interface>"),
        "network");
}

static void filters_are_not_left_out_silently(void **state)
{
    (void)state;
    assert_unsupported(DEVICES("<interface type='bridge'><filterref filter='clean-traffic'/>"
                               "<model type='e1000'/><alias name='net0'/></interface>"),
                       "filterref");
}

static void an_unknown_machine_is_refused_in_libvirts_words(void **state)
{
    (void)state;
    struct slice text =
        SLICE("<domain type='qemu'><name>g</name><os><type arch='x86_64' machine='pc-9.9'>hvm"
              "</type></os>" DEVICES("") "</domain>");
    assert_false(build(text));
    assert_string_equal(err.message,
                        "unsupported configuration: Emulator '/usr/bin/qemu-system-x86_64' does "
                        "not support machine type 'pc-9.9'");
}

static void an_unknown_processor_is_refused(void **state)
{
    (void)state;
    assert_unsupported("<cpu mode='custom'><model>Z80</model></cpu>" DEVICES(""), "Z80");
}

static void more_processors_than_the_machine_has_are_refused(void **state)
{
    (void)state;
    struct slice text =
        SLICE("<domain type='qemu'><name>g</name><memory>65536</memory><vcpu>300</vcpu><os>"
              "<type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>" DEVICES("") "</domain>");
    assert_false(build(text));
    assert_non_null(strstr(err.message, "machine type limit 288"));
}

static void commas_in_values_do_not_end_them(void **state)
{
    (void)state;
    assert_true(build(
        SLICE("<domain type='qemu'><name>a,b</name><memory>65536</memory><vcpu>1</vcpu><os>"
              "<type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>" DEVICES(
                  "<serial type='file'><source path='/x,y'/><target type='isa-serial' port='0'/>"
                  "<alias name='serial0'/></serial>") "</domain>")));
    assert_true(has_argument("guest=a,,b,debug-threads=on"));
    assert_true(has_argument("file,id=charserial0,path=/x,,y"));
}

static void the_first_device_of_a_boot_class_boots(void **state)
{
    (void)state;
    assert_true(
        build(SLICE("<domain type='qemu'><name>g</name><memory>65536</memory><vcpu>1</vcpu><os>"
                    "<type arch='x86_64' machine='pc-q35-7.2'>hvm</type><boot dev='network'/>"
                    "<boot dev='hd'/></os>" DEVICES(
                        "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><alias "
                        "name='c0'/>"
                        "<address type='drive' unit='0'/></disk>"
                        "<disk type='file' device='disk'><source file='/a' index='2'/>"
                        "<target dev='sdb' bus='sata'/><alias name='c1'/><address type='drive' "
                        "unit='1'/></disk>"
                        "<disk type='file' device='disk'><source file='/b' index='1'/>"
                        "<target dev='sdc' bus='sata'/><alias name='c2'/><address type='drive' "
                        "unit='2'/></disk>"
                        "<interface type='user'><model type='e1000'/><alias "
                        "name='net0'/></interface>") "</domain>")));
    assert_true(mentions("\"id\":\"c1\",\"bootindex\":2"));
    assert_false(mentions("\"id\":\"c2\",\"bootindex\""));
    assert_true(mentions("\"id\":\"net0\",\"bootindex\":1"));
}

static void a_command_line_that_is_too_long_names_the_limit(void **state)
{
    (void)state;
    static char text[CONFIG_QEMU_ARGUMENTS * 40 + 4096];
    struct buffer out = buffer_over(text, sizeof(text));
    buffer_puts(&out, "<domain type='qemu'><name>g</name><memory>65536</memory><vcpu>1</vcpu><os>"
                      "<type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>" DEVICES(
                          "") "<qemu:commandline>");
    for (int i = 0; i < CONFIG_QEMU_ARGUMENTS; i++)
        buffer_puts(&out, "<qemu:arg value='-S'/>");
    buffer_puts(&out, "</qemu:commandline></domain>");
    assert_true(buffer_ok(&out));
    assert_false(build(buffer_slice(&out)));
    assert_non_null(strstr(err.message, "CONFIG_QEMU_ARGUMENTS"));
}

static void environment_of_the_definition_is_added(void **state)
{
    (void)state;
    assert_true(build_with(DEVICES("") "<qemu:commandline><qemu:env name='A' value='b c'/>"
                                       "</qemu:commandline>"));
    assert_string_equal(command.environment[command.environment_count - 1], "A=b c");
    assert_null(command.environment[command.environment_count]);
}

static void a_switch_in_qemu_conf_turns_the_sandbox_off(void **state)
{
    (void)state;
    assert_true(build_with(DEVICES("")));
    assert_true(has_argument("-sandbox"));
    settings.seccomp_sandbox = false;
    assert_true(build_with(DEVICES("")));
    assert_false(has_argument("-sandbox"));
}

static void a_switch_in_qemu_conf_names_the_process(void **state)
{
    (void)state;
    assert_true(build_with(DEVICES("")));
    assert_true(has_argument("guest=g,debug-threads=on"));
    settings.set_process_name = true;
    assert_true(build_with(DEVICES("")));
    assert_true(has_argument("guest=g,process=qemu:g,debug-threads=on"));
}

static void printed_commands_can_be_pasted_into_a_shell(void **state)
{
    (void)state;
    assert_true(
        build_with(DEVICES("") "<qemu:commandline><qemu:arg value=\"it's\"/></qemu:commandline>"));
    struct buffer out = buffer_over(actual, sizeof(actual));
    qemu_command_print(&out, &command);
    assert_non_null(strstr(actual, "LC_ALL=C \\\n"));
    assert_non_null(strstr(actual, "-uuid 11111111-2222-3333-4444-555555555555 \\\n"));
    assert_non_null(strstr(actual, "'it'\\''s'"));
}

static void host_model_becomes_the_closest_named_model(void **state)
{
    (void)state;
    struct slice text = SLICE("<domain type='qemu'><cpu mode='host-model' check='partial'>"
                              "<topology sockets='1' cores='1' threads='1'/>"
                              "<feature policy='disable' name='aes'/></cpu></domain>");
    assert_true(xml_parse(&doc, text, "d", &err));
    qemu_cpu_update(&doc, doc.root, &capabilities);
    const struct xml_node *cpu = xml_child(doc.root, "cpu");
    assert_true(xml_attr_is(cpu, "mode", "custom"));
    assert_true(slice_present(xml_text_at(cpu, "model")));
    unsigned aes = 0;
    XML_EACH (feature, cpu, "feature")
        aes += xml_attr_is(feature, "name", "aes") && xml_attr_is(feature, "policy", "disable");
    assert_int_equal(aes, 1);
    assert_true(xml_count(cpu, "feature") > 5);
}

static void a_cache_file_survives_writing_and_reading(void **state)
{
    (void)state;
    static char again[CONFIG_QEMU_CACHE_TEXT];
    struct slice text = read_file("x86_64", ".caps", expected, sizeof(expected));
    struct buffer out = buffer_over(again, sizeof(again));
    qemu_capabilities_write(&out, &capabilities);
    assert_int_equal(out.len, text.len);
    assert_memory_equal(out.at, text.at, text.len);
}

static void a_cache_file_that_was_cut_off_is_not_believed(void **state)
{
    (void)state;
    struct slice text = read_file("x86_64", ".caps", expected, sizeof(expected));
    text.len /= 2;
    assert_false(qemu_capabilities_parse(&capabilities, text));
    assert_false(qemu_capabilities_parse(&capabilities, SLICE("something else\nend\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(definitions_become_the_arguments_that_libvirtd_gives, prepare),
        cmocka_unit_test_setup(what_can_not_be_expressed_is_refused, prepare),
        cmocka_unit_test_setup(a_network_without_a_tap_device_is_refused, prepare),
        cmocka_unit_test_setup(filters_are_not_left_out_silently, prepare),
        cmocka_unit_test_setup(an_unknown_machine_is_refused_in_libvirts_words, prepare),
        cmocka_unit_test_setup(an_unknown_processor_is_refused, prepare),
        cmocka_unit_test_setup(more_processors_than_the_machine_has_are_refused, prepare),
        cmocka_unit_test_setup(commas_in_values_do_not_end_them, prepare),
        cmocka_unit_test_setup(the_first_device_of_a_boot_class_boots, prepare),
        cmocka_unit_test_setup(a_command_line_that_is_too_long_names_the_limit, prepare),
        cmocka_unit_test_setup(environment_of_the_definition_is_added, prepare),
        cmocka_unit_test_setup(a_switch_in_qemu_conf_turns_the_sandbox_off, prepare),
        cmocka_unit_test_setup(a_switch_in_qemu_conf_names_the_process, prepare),
        cmocka_unit_test_setup(printed_commands_can_be_pasted_into_a_shell, prepare),
        cmocka_unit_test_setup(host_model_becomes_the_closest_named_model, prepare),
        cmocka_unit_test_setup(a_cache_file_survives_writing_and_reading, prepare),
        cmocka_unit_test_setup(a_cache_file_that_was_cut_off_is_not_believed, prepare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
