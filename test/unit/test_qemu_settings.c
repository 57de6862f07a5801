// qemu.conf: what is taken, what is ignored, and what is refused.
#include "hv/qemu/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct qemu_settings settings;
static struct error err;

static bool read_text(const char *text)
{
    error_clear(&err);
    qemu_settings_default(&settings, true);
    return qemu_settings_read(&settings, slice_of(text), "/etc/libvirt/qemu.conf", &err);
}

static void assert_refused(const char *text, const char *part)
{
    assert_false(read_text(text));
    assert_non_null(strstr(err.message, "qemu.conf:1"));
    assert_non_null(strstr(err.message, part));
}

static void the_system_driver_runs_guests_as_a_user_of_their_own(void **state)
{
    (void)state;
    qemu_settings_default(&settings, true);
    assert_string_equal(settings.user, "libvirt-qemu");
    assert_true(settings.dynamic_ownership);
    qemu_settings_default(&settings, false);
    assert_string_equal(settings.user, "");
    assert_false(settings.dynamic_ownership);
}

static void known_settings_are_stored(void **state)
{
    (void)state;
    assert_true(read_text("user = \"root\"\n"
                          "vnc_listen = \"0.0.0.0\"\n"
                          "remote_display_port_min = 6000\n"
                          "remote_display_port_max = 6100\n"
                          "dynamic_ownership = 0\n"
                          "seccomp_sandbox = 0\n"
                          "max_processes = 100\n"
                          "max_files = 4096\n"
                          "set_process_name = 1\n"
                          "security_driver = [ \"dac\" ]\n"
                          "max_core = \"unlimited\"\n"));
    assert_string_equal(settings.user, "root");
    assert_string_equal(settings.vnc_listen, "0.0.0.0");
    assert_int_equal(settings.remote_display_port_min, 6000);
    assert_int_equal(settings.remote_display_port_max, 6100);
    assert_false(settings.dynamic_ownership);
    assert_false(settings.seccomp_sandbox);
    assert_int_equal(settings.max_processes, 100);
    assert_int_equal(settings.max_files, 4096);
    assert_true(settings.set_process_name);
    assert_true(settings.max_core == UINT64_MAX);
}

static void a_sandbox_as_qemu_is_able_to_is_on(void **state)
{
    (void)state;
    assert_true(read_text("seccomp_sandbox = -1\n"));
    assert_true(settings.seccomp_sandbox);
}

static void settings_of_what_is_not_built_are_passed_over(void **state)
{
    (void)state;
    assert_true(read_text("namespaces = [ ]\nlock_manager = \"lockd\"\nvnc_tls = 0\n"
                          "cgroup_device_acl = [\n \"/dev/null\",\n]\n"));
}

static void protection_that_is_not_there_is_refused(void **state)
{
    (void)state;
    assert_refused("vnc_tls = 1\n", "vnc_tls");
    assert_refused("spice_sasl = 1\n", "spice_sasl");
    assert_refused("security_driver = \"selinux\"\n", "security_driver");
    assert_refused("security_driver = [ \"dac\", \"apparmor\" ]\n", "security_driver");
}

static void unknown_names_are_refused(void **state)
{
    (void)state;
    assert_refused("vnc_listn = \"0.0.0.0\"\n", "vnc_listn");
}

static void values_out_of_range_are_refused(void **state)
{
    (void)state;
    assert_refused("remote_display_port_min = 80\n", "remote_display_port_min");
    assert_refused("remote_display_port_max = 65536\n", "remote_display_port_max");
    assert_refused("remote_display_port_min = 65535\nremote_display_port_max = 5900\n",
                   "remote_display_port_max");
    assert_refused("deprecation_behavior = \"explode\"\n", "deprecation_behavior");
    assert_refused("max_core = \"lots\"\n", "max_core");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_driver_runs_guests_as_a_user_of_their_own),
        cmocka_unit_test(known_settings_are_stored),
        cmocka_unit_test(a_sandbox_as_qemu_is_able_to_is_on),
        cmocka_unit_test(settings_of_what_is_not_built_are_passed_over),
        cmocka_unit_test(protection_that_is_not_there_is_refused),
        cmocka_unit_test(unknown_names_are_refused),
        cmocka_unit_test(values_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
