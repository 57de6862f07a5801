// The cache of what emulators can do, probing, and the documents made of it.
#include "hv/qemu/capabilities/capabilities_document.h"
#include "hv/qemu/capabilities/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char directory[64], emulator[128], cache_file[PORT_PATH_MAX];
static struct error err;
static char text[65536];

static void write_file(const char *path, const char *content, size_t len, uint32_t mode)
{
    int fd = port_open(path, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_TRUNCATE, mode);
    assert_true(fd >= 0);
    assert_int_equal(port_write(fd, content, len), len);
    port_close(fd);
}

static void write_script(const char *content)
{
    write_file(emulator, content, strlen(content), 0755);
}

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/capabilities-test-%d", port_pid());
    snprintf(emulator, sizeof(emulator), "%s/qemu", directory);
    assert_int_equal(port_make_directories(directory, 0755), 0);
    write_script("#!/bin/sh\n");
    qemu_cache_open(directory, false, 0, 0);
    assert_true(qemu_cache_file(emulator, cache_file));
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

// Puts test/data's capabilities into the cache as those of our emulator.
static void fill_cache(const char *arch)
{
    static char data[65536], file[65536];
    char path[PORT_PATH_MAX];
    struct port_stat stat;
    struct qemu_capabilities *c = calloc(1, sizeof(*c));
    snprintf(path, sizeof(path), "test/data/qemu/%s.caps", arch);
    ptrdiff_t len = port_file_read(path, data, sizeof(data));
    assert_true(len > 0);
    assert_true(qemu_capabilities_parse(c, (struct slice){data, (size_t)len}));
    assert_int_equal(port_stat(emulator, &stat), 0);
    c->emulator = slice_of(emulator);
    c->size = stat.size;
    c->mtime_ns = stat.mtime_ns;
    c->host_key = qemu_cache_host_key();
    struct buffer out = buffer_over(file, sizeof(file));
    qemu_capabilities_write(&out, c);
    free(c);
    snprintf(path, sizeof(path), "%s/nanovirt", directory);
    assert_int_equal(port_make_directories(path, 0755), 0);
    write_file(cache_file, out.at, out.len, 0644);
}

static bool ask(const char *arch, const char *machine, const char *type)
{
    struct buffer out = buffer_over(text, sizeof(text));
    error_clear(&err);
    return qemu_domain_capabilities_write(&out, slice_of(emulator), slice_of(arch),
                                          slice_of(machine), slice_of(type), &err);
}

static void assert_refused(const char *arch, const char *machine, const char *type,
                           const char *message)
{
    assert_false(ask(arch, machine, type));
    assert_int_equal(err.code, VIR_ERR_INVALID_ARG);
    if (!strstr(err.message, message))
        fail_msg("\"%s\" has no \"%s\"", err.message, message);
}

static void without_a_cache_file_nothing_is_known(void **state)
{
    (void)state;
    assert_null(qemu_cache_get(emulator));
    assert_null(qemu_cache_get("/no/such/emulator"));
}

static void a_cache_file_is_read(void **state)
{
    (void)state;
    fill_cache("x86_64");
    const struct qemu_capabilities *c = qemu_cache_get(emulator);
    assert_non_null(c);
    assert_int_equal(c->version, 7002022);
    assert_true(qemu_capabilities_have(c, "virtio-vga"));
    assert_false(qemu_capabilities_have(c, "pl011"));
    assert_false(qemu_capabilities_have(c, "no such device"));
    assert_true(slice_is(qemu_capabilities_machine(c, SLICE("q35"))->name, "pc-q35-7.2"));
    assert_true(slice_is(qemu_capabilities_machine(c, SLICE_NONE)->alias, "pc"));
}

static void an_emulator_that_was_replaced_has_to_be_probed_again(void **state)
{
    (void)state;
    fill_cache("x86_64");
    assert_non_null(qemu_cache_get(emulator));
    write_script("#!/bin/sh\n# a new release\n");
    assert_null(qemu_cache_get(emulator));
}

static void the_document_names_the_machine_by_its_canonical_name(void **state)
{
    (void)state;
    fill_cache("x86_64");
    assert_true(ask("x86_64", "q35", "qemu"));
    assert_non_null(strstr(text, "  <machine>pc-q35-7.2</machine>\n  <arch>x86_64</arch>\n"
                                 "  <vcpu max='288'/>\n"));
    assert_non_null(strstr(text, "<mode name='host-passthrough' supported='no'/>"));
    assert_non_null(strstr(text, "<mode name='host-model' supported='yes'>"));
    assert_non_null(strstr(text, "<model usable='yes' vendor='unknown'>qemu64</model>"));
    assert_null(strstr(text, "qemu64-v1"));
    assert_null(strstr(text, "<value>ide</value>"));
    assert_true(ask("x86_64", "pc", "qemu"));
    assert_non_null(strstr(text, "<value>ide</value>"));
}

static void arm_machines_have_an_interrupt_controller_to_choose(void **state)
{
    (void)state;
    fill_cache("aarch64");
    assert_true(ask("aarch64", "virt", "qemu"));
    assert_non_null(strstr(text, "<gic supported='yes'>"));
    assert_non_null(strstr(text, "<mode name='host-model' supported='no'/>"));
    assert_null(strstr(text, "hyperv"));
}

static void what_the_command_line_refuses_is_not_promised(void **state)
{
    (void)state;
    fill_cache("x86_64");
    assert_true(ask("x86_64", NULL, "qemu"));
    static const char *const names[] = {"hostdev", "filesystem", "tpm"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char element[64];
        snprintf(element, sizeof(element), "<%s supported='no'/>", names[i]);
        assert_non_null(strstr(text, element));
    }
}

static void arguments_that_do_not_fit_are_refused_in_libvirts_words(void **state)
{
    (void)state;
    fill_cache("aarch64");
    assert_refused("foo", NULL, NULL, "unknown architecture: foo");
    assert_refused(NULL, NULL, "foo", "unknown virttype: foo");
    assert_refused("x86_64", NULL, NULL,
                   "architecture from emulator 'aarch64' doesn't match given architecture "
                   "'x86_64'");
    assert_refused("aarch64", "pc", NULL, "the machine 'pc' is not supported by emulator");
    assert_refused("aarch64", NULL, "kvm", "the accel 'kvm' is not supported by");
    assert_refused("aarch64", NULL, "xen", "does not support virt type 'xen'");
}

static int probe(char *message, size_t size)
{
    int ends[2];
    assert_int_equal(port_pipe(ends), 0);
    struct qemu_probe what = {.emulator = emulator, .cache_file = cache_file};
    port_unlink(cache_file);
    int result = qemu_probe_run(&what, ends[1]);
    port_close(ends[1]);
    ptrdiff_t len = port_read(ends[0], message, size - 1);
    message[len > 0 ? len : 0] = '\0';
    port_close(ends[0]);
    return result;
}

static void a_program_that_is_no_emulator_is_reported_with_what_it_said(void **state)
{
    (void)state;
    char message[256];
    write_script("#!/bin/sh\necho 'what machine?' >&2\nexit 1\n");
    assert_int_equal(probe(message, sizeof(message)), 1);
    assert_non_null(strstr(message, "the emulator ended"));
    assert_non_null(strstr(message, "what machine?"));
    assert_null(qemu_cache_get(emulator));
}

static void a_program_that_talks_nonsense_is_given_up(void **state)
{
    (void)state;
    char message[256];
    write_script("#!/bin/sh\necho '{\"QMP\":{}}'\necho 'hello {'\nexec sleep 60\n");
    assert_int_equal(probe(message, sizeof(message)), 1);
    assert_string_equal(message, "answer is no JSON: ");
}

static void a_program_that_never_ends_its_line_is_given_up(void **state)
{
    (void)state;
    char message[256];
    write_script("#!/bin/sh\nwhile :; do tr '\\000' x </dev/zero 2>/dev/null; done\n");
    assert_int_equal(probe(message, sizeof(message)), 1);
    assert_string_equal(message, "answer too long: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_cache_file_nothing_is_known),
        cmocka_unit_test(a_cache_file_is_read),
        cmocka_unit_test(an_emulator_that_was_replaced_has_to_be_probed_again),
        cmocka_unit_test(the_document_names_the_machine_by_its_canonical_name),
        cmocka_unit_test(arm_machines_have_an_interrupt_controller_to_choose),
        cmocka_unit_test(what_the_command_line_refuses_is_not_promised),
        cmocka_unit_test(arguments_that_do_not_fit_are_refused_in_libvirts_words),
        cmocka_unit_test(a_program_that_is_no_emulator_is_reported_with_what_it_said),
        cmocka_unit_test(a_program_that_talks_nonsense_is_given_up),
        cmocka_unit_test(a_program_that_never_ends_its_line_is_given_up),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
