// Firmware descriptors: their order, and which of them satisfies a guest.
#include "hv/qemu/capabilities/firmware.h"

#include "port/port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char root[64];

static void put_file(const char *directory, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", root, directory);
    assert_int_equal(port_make_directories(path, 0755), 0);
    snprintf(path, sizeof(path), "%s/%s/%s", root, directory, name);
    int fd = port_open(path, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_TRUNCATE, 0644);
    assert_true(fd >= 0);
    assert_int_equal(port_write(fd, text, strlen(text)), strlen(text));
    port_close(fd);
}

static void put_flash(const char *directory, const char *name, const char *loader,
                      const char *machine, const char *features)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "{\"interface-types\":[\"uefi\"],\"mapping\":{\"device\":\"flash\","
             "\"executable\":{\"filename\":\"%s\",\"format\":\"raw\"},"
             "\"nvram-template\":{\"filename\":\"%s.vars\",\"format\":\"raw\"}},"
             "\"targets\":[{\"architecture\":\"x86_64\",\"machines\":[\"%s\"]}],"
             "\"features\":[%s],\"tags\":[]}",
             loader, loader, machine, features);
    put_file(directory, name, text);
}

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/firmware-test-%d", port_pid());
    put_flash("usr/share/qemu/firmware", "40-secure.json", "/fw/secure.fd", "pc-q35-*",
              "\"secure-boot\",\"enrolled-keys\",\"requires-smm\"");
    put_flash("usr/share/qemu/firmware", "60-plain.json", "/fw/plain.fd", "pc-*", "");
    put_flash("usr/share/qemu/firmware", "70-hidden.json", "/fw/hidden.fd", "*", "");
    put_file("etc/qemu/firmware", "70-hidden.json", "");
    put_file("usr/share/qemu/firmware", "10-broken.json", "{\"mapping\":");
    put_file("usr/share/qemu/firmware", "README", "no descriptor");
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command);
}

static struct qemu_firmware wish_for(const char *machine)
{
    return (struct qemu_firmware){
        .type = SLICE("efi"), .arch = SLICE("x86_64"), .machine = slice_of(machine)};
}

static void the_first_name_in_the_alphabet_wins(void **state)
{
    (void)state;
    struct qemu_firmware wish = wish_for("pc-q35-7.2");
    assert_true(qemu_firmware_resolve(&wish, root));
    assert_true(slice_is(wish.loader, "/fw/secure.fd"));
    assert_true(slice_is(wish.nvram_template, "/fw/secure.fd.vars"));
    assert_true(wish.pflash);
    assert_true(wish.loader_secure);
}

static void a_machine_that_the_first_does_not_list_gets_the_next(void **state)
{
    (void)state;
    struct qemu_firmware wish = wish_for("pc-i440fx-7.2");
    assert_true(qemu_firmware_resolve(&wish, root));
    assert_true(slice_is(wish.loader, "/fw/plain.fd"));
    assert_false(wish.loader_secure);
}

static void features_are_wanted_or_unwanted(void **state)
{
    (void)state;
    struct qemu_firmware wish = wish_for("pc-q35-7.2");
    wish.secure_boot = QEMU_WISH_NO;
    assert_true(qemu_firmware_resolve(&wish, root));
    assert_true(slice_is(wish.loader, "/fw/plain.fd"));
    wish = wish_for("pc-i440fx-7.2");
    wish.enrolled_keys = QEMU_WISH_YES;
    assert_false(qemu_firmware_resolve(&wish, root));
}

static void an_empty_file_in_etc_hides_a_descriptor(void **state)
{
    (void)state;
    struct qemu_firmware wish = wish_for("microvm");
    assert_false(qemu_firmware_resolve(&wish, root));
}

static void another_architecture_is_not_served(void **state)
{
    (void)state;
    struct qemu_firmware wish = wish_for("virt-7.2");
    wish.arch = SLICE("aarch64");
    assert_false(qemu_firmware_resolve(&wish, root));
}

static void a_wanted_loader_chooses_its_descriptor(void **state)
{
    (void)state;
    struct qemu_firmware wish = wish_for("pc-q35-7.2");
    wish.loader = SLICE("/fw/plain.fd");
    assert_true(qemu_firmware_resolve(&wish, root));
    assert_true(slice_is(wish.nvram_template, "/fw/plain.fd.vars"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_name_in_the_alphabet_wins),
        cmocka_unit_test(a_machine_that_the_first_does_not_list_gets_the_next),
        cmocka_unit_test(features_are_wanted_or_unwanted),
        cmocka_unit_test(an_empty_file_in_etc_hides_a_descriptor),
        cmocka_unit_test(another_architecture_is_not_served),
        cmocka_unit_test(a_wanted_loader_chooses_its_descriptor),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
