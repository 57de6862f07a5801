// libvirtd.conf: the keys, their defaults, and what is refused.
#include "core/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct settings settings;

static void accept(const char *text)
{
    struct error err = {0};
    if (!settings_load(&settings, slice_of(text), "libvirtd.conf", &err))
        fail_msg("%s", err.message);
}

static void refuse(const char *text, const char *message)
{
    struct error err = {0};
    char expected[512];
    snprintf(expected, sizeof(expected), "unsupported configuration: libvirtd.conf:%s", message);
    assert_false(settings_load(&settings, slice_of(text), "libvirtd.conf", &err));
    assert_string_equal(err.message, expected);
    assert_int_equal(err.code, VIR_ERR_CONFIG_UNSUPPORTED);
}

static void an_empty_file_gives_libvirts_defaults(void **state)
{
    (void)state;
    accept("# nothing set\n");
    assert_false(settings.listen_tcp);
    assert_true(settings.listen_tls);
    assert_string_equal(settings.tcp_port, "16509");
    assert_string_equal(settings.tls_port, "16514");
    assert_int_equal(settings.unix_sock_ro_perms, 0777);
    assert_int_equal(settings.unix_sock_rw_perms, 0700);
    assert_int_equal(settings.unix_sock_admin_perms, 0700);
    assert_int_equal(settings.auth_unix_rw, AUTH_NONE);
    assert_int_equal(settings.auth_unix_ro, AUTH_NONE);
    assert_int_equal(settings.max_clients, 5000);
    assert_int_equal(settings.max_anonymous_clients, 20);
    assert_int_equal(settings.max_client_requests, 5);
    assert_int_equal(settings.keepalive_interval, 5);
    assert_int_equal(settings.keepalive_count, 5);
    assert_int_equal(settings.log_level, 0);
    assert_false(settings.tls_allowed_dn_list.is_set);
}

static void every_key_of_libvirtd_conf_is_known(void **state)
{
    (void)state;
    accept("listen_tls = 0\nlisten_tcp = 1\ntls_port = \"16514\"\ntcp_port = \"16510\"\n"
           "listen_addr = \"::1\"\nunix_sock_group = \"libvirt\"\nunix_sock_ro_perms = \"0766\"\n"
           "unix_sock_rw_perms = \"0770\"\nunix_sock_admin_perms = \"0600\"\n"
           "unix_sock_dir = \"/run/x\"\nauth_unix_ro = \"none\"\nauth_unix_rw = \"none\"\n"
           "auth_tcp = \"none\"\nauth_tls = \"none\"\ntcp_min_ssf = 112\n"
           "access_drivers = [ \"none\" ]\nkey_file = \"/k\"\ncert_file = \"/c\"\n"
           "ca_file = \"/a\"\ncrl_file = \"/r\"\ntls_no_sanity_certificate = 1\n"
           "tls_no_verify_certificate = 1\ntls_allowed_dn_list = [\"DN1\", \"DN2\"]\n"
           "sasl_allowed_username_list = [\"joe@EXAMPLE.COM\"]\ntls_priority = \"NORMAL\"\n"
           "max_clients = 100\nmax_queued_clients = 10\nmax_anonymous_clients = 7\n"
           "min_workers = 1\nmax_workers = 2\nprio_workers = 3\nmax_requests = 20\n"
           "max_client_requests = 6\nadmin_min_workers = 1\nadmin_max_workers = 5\n"
           "admin_max_clients = 5\nadmin_max_queued_clients = 5\nadmin_max_client_requests = 4\n"
           "log_level = 2\nlog_filters = \"1:qemu 3:rpc\"\n"
           "log_outputs = \"3:stderr 1:file:/var/log/x.log\"\naudit_level = 1\naudit_logging = 1\n"
           "host_uuid = \"8c4f2b1e-0d3a-4b5c-9e7f-000000000001\"\n"
           "host_uuid_source = \"machine-id\"\nkeepalive_interval = -1\nkeepalive_count = 0\n"
           "keepalive_required = 1\nadmin_keepalive_required = 1\nadmin_keepalive_interval = 6\n"
           "admin_keepalive_count = 7\novs_timeout = 5\nmdns_adv = 0\nmdns_name = \"x\"\n");
    assert_true(settings.listen_tcp);
    assert_string_equal(settings.tcp_port, "16510");
    assert_string_equal(settings.listen_addr, "::1");
    assert_string_equal(settings.unix_sock_group, "libvirt");
    assert_int_equal(settings.unix_sock_ro_perms, 0766);
    assert_int_equal(settings.unix_sock_rw_perms, 0770);
    assert_int_equal(settings.unix_sock_admin_perms, 0600);
    assert_string_equal(settings.unix_sock_dir, "/run/x");
    assert_int_equal(settings.auth_tcp, AUTH_NONE);
    assert_string_equal(settings.crl_file, "/r");
    assert_true(conf_list_has(&settings.tls_allowed_dn_list, "DN2"));
    assert_int_equal(settings.max_clients, 100);
    assert_int_equal(settings.keepalive_interval, -1);
    assert_int_equal(settings.admin_keepalive_count, 7);
    assert_int_equal(settings.log_level, 2);
    assert_string_equal(settings.log_filters, "1:qemu 3:rpc");
    assert_true(settings.host_uuid_is_machine_id);
}

static void a_second_load_starts_from_the_defaults(void **state)
{
    (void)state;
    accept("max_clients = 1");
    accept("");
    assert_int_equal(settings.max_clients, 5000);
}

static void a_name_too_long_for_dns_is_refused(void **state)
{
    (void)state;
    char text[120] = "mdns_name = \"";
    memset(text + strlen(text), 'x', 63);
    strcat(text, "\"");
    accept(text);
    char longer[121] = "";
    snprintf(longer, sizeof(longer), "mdns_name = \"y%s", text + strlen("mdns_name = \""));
    refuse(longer, "1: mdns_name: a name in DNS has at most 63 bytes");
}

static void what_is_not_built_is_refused_and_not_ignored(void **state)
{
    (void)state;
    refuse("auth_unix_rw = \"polkit\"",
           "1: auth_unix_rw: polkit is not built into this daemon; use \"none\"");
    refuse("access_drivers = [ \"polkit\" ]",
           "1: access_drivers: the access drivers of this daemon are [ \"none\" ] and "
           "[ \"rules\" ]");
    refuse("audit_level = 2", "1: audit_level: auditing is not built into this daemon");
}

static void tcp_without_authentication_has_to_be_asked_for(void **state)
{
    (void)state;
    refuse(
        "# x\nlisten_tcp = 1\n",
        "2: listen_tcp: auth_tcp is \"sasl\" unless it is set, and no mechanism of this daemon "
        "encrypts; set tcp_min_ssf = 0 to have users log in over a network that is safe without, "
        "or auth_tcp = \"none\" to let everybody in");
    refuse(
        "listen_tcp = 1\nauth_tcp = \"sasl\"\ntcp_min_ssf = 112\n",
        "1: listen_tcp: auth_tcp is \"sasl\" unless it is set, and no mechanism of this daemon "
        "encrypts; set tcp_min_ssf = 0 to have users log in over a network that is safe without, "
        "or auth_tcp = \"none\" to let everybody in");
    accept("listen_tcp = 1\nauth_tcp = \"none\"\n");
    accept("listen_tcp = 1\nauth_tcp = \"sasl\"\ntcp_min_ssf = 0\n");
    accept("auth_tcp = \"sasl\"\nauth_unix_rw = \"sasl\"\n");
}

static void bad_values_are_refused_with_file_and_line(void **state)
{
    (void)state;
    refuse("listen_tpc = 1", "1: unknown parameter 'listen_tpc'");
    refuse("auth_tcp = \"magic\"", "1: auth_tcp: unsupported auth magic");
    refuse("unix_sock_rw_perms = \"rwx\"",
           "1: unix_sock_rw_perms: not a file mode in octal digits, "
           "such as \"0770\"");
    refuse("unix_sock_rw_perms = 770", "1: expected a string for 'unix_sock_rw_perms' parameter");
    refuse("unix_sock_rw_perms = \"17777\"", "1: unix_sock_rw_perms: not a file mode in octal "
                                             "digits, such as \"0770\"");
    refuse("tcp_port = 16509", "1: expected a string for 'tcp_port' parameter");
    refuse("tcp_port = \"\"", "1: tcp_port: the string is empty");
    refuse("max_workers = 0", "1: max_workers: must be greater than 0");
    refuse("tcp_min_ssf = 56", "1: tcp_min_ssf: minimum SSF levels lower than 112 are not "
                               "supported");
    refuse("log_level = 5", "1: value for 'log_level' parameter must be in range 0:4");
    refuse("log_filters = \"9:x\"",
           "1: log_filters: invalid argument: Invalid priority '9' for filter '9:x'");
    refuse("log_outputs = \"1:printer\"", "1: log_outputs: invalid argument: Invalid log "
                                          "destination 'printer' for log output '1:printer'");
    refuse("host_uuid = \"00000000-0000-0000-0000-000000000000\"",
           "1: host_uuid: invalid host UUID");
    refuse("host_uuid = \"8c4f2b1e\"", "1: host_uuid: invalid host UUID");
    refuse("host_uuid = \"8c4f2b1e-0d3a-4b5c-9e7f-00000000000g\"",
           "1: host_uuid: invalid host UUID");
    refuse("host_uuid_source = \"dice\"",
           "1: host_uuid_source: invalid UUID source; use \"smbios\" or \"machine-id\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_libvirts_defaults),
        cmocka_unit_test(every_key_of_libvirtd_conf_is_known),
        cmocka_unit_test(a_second_load_starts_from_the_defaults),
        cmocka_unit_test(a_name_too_long_for_dns_is_refused),
        cmocka_unit_test(what_is_not_built_is_refused_and_not_ignored),
        cmocka_unit_test(tcp_without_authentication_has_to_be_asked_for),
        cmocka_unit_test(bad_values_are_refused_with_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
