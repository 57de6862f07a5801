// Definitions as files: written durably and completely, read back, and loaded at start-up.
#define _GNU_SOURCE
#include "core/loop.h"
#include "virt/domain/definition.h"
#include "virt/hypervisor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char root[64], config_dir[128], state_dir[128];

static void write_status(const struct domain *domain, const struct xml_node *before,
                         struct buffer *out)
{
    (void)domain;
    (void)before;
    buffer_puts(out, "  <monitor path='/x' type='unix'/>\n");
}

static const struct hypervisor hypervisor = {.type = "FILES",
                                             .config_dir = config_dir,
                                             .state_dir = state_dir,
                                             .write_status = write_status};

#define DOMAIN_XML                                                                                 \
    "<domain type='qemu'>\n"                                                                       \
    "  <name>vm</name>\n"                                                                          \
    "  <uuid>01000000-0000-0000-0000-000000000000</uuid>\n"                                        \
    "  <memory unit='KiB'>1024</memory>\n"                                                         \
    "</domain>\n"

#define HEADER                                                                                     \
    "<!--\n"                                                                                       \
    "WARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE\n"                    \
    "OVERWRITTEN AND LOST. Changes to this xml configuration should be made using:\n"              \
    "  virsh edit vm\n"                                                                            \
    "or other application using the libvirt API.\n"                                                \
    "-->\n\n"

static int make_directories(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/nanovirt-definition-XXXXXX");
    assert_non_null(mkdtemp(root));
    snprintf(config_dir, sizeof(config_dir), "%s/etc/qemu", root);
    snprintf(state_dir, sizeof(state_dir), "%s/run", root);
    assert_int_equal(port_make_directories(state_dir, 0700), 0);
    return 0;
}

static int remove_directories(void **state)
{
    struct domain *domain;
    char command[128];
    (void)state;
    while ((domain = domain_next(&hypervisor, NULL)))
        domain_remove(domain);
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command);
}

// ---- helpers

static struct domain *add(const char *name)
{
    struct error err = {0};
    const uint8_t uuid[16] = {1};
    struct domain *domain = domain_add(&hypervisor, uuid, slice_of(name), &err);
    assert_non_null(domain);
    domain_show(domain);
    domain_unref(domain);
    return domain;
}

static const char *path_of(const char *directory, const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static const char *content_of(const char *directory, const char *name)
{
    static char text[4096];
    return port_file_read(path_of(directory, name), text, sizeof(text)) < 0 ? NULL : text;
}

static void put_file(const char *directory, const char *name, const char *text)
{
    port_make_directories(directory, 0700);
    FILE *file = fopen(path_of(directory, name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool link_is_there(const char *name)
{
    struct port_stat stat;
    return port_lstat(path_of(config_dir, name), &stat) == 0 && stat.kind == PORT_LINK;
}

static struct xml_node *parse(const char *text)
{
    struct error err = {0};
    assert_true(xml_parse(definition_scratch(), slice_of(text), "test", &err));
    return definition_scratch()->root;
}

static void wake(struct task *task)
{
    (void)task;
}

static struct task task = {.run = wake};

// Runs a durable change to its end.
#define RUN(call)                                                                                  \
    do {                                                                                           \
        while ((call) == CO_WAITING) {                                                             \
            child_reap();                                                                          \
            loop_turn((int64_t)NS_PER_MS);                                                         \
        }                                                                                          \
    } while (0)

static void save(struct domain *domain, const char *text)
{
    struct error err = {0};
    struct definition_change change = {0};
    const struct xml_node *tree = parse(text);
    RUN(definition_save(&change, domain, tree, &task, &err));
    assert_string_equal(err.message, "");
}

// ---- claims

static void a_saved_definition_has_libvirts_header_and_layout(void **state)
{
    (void)state;
    struct error err = {0};
    struct domain *domain = add("vm");
    save(domain, DOMAIN_XML);
    assert_string_equal(content_of(config_dir, "vm.xml"), HEADER DOMAIN_XML);
    assert_null(content_of(config_dir, "vm.xml.new"));
    const struct xml_node *tree = definition_tree(domain, DEFINITION_PERSISTENT, &err);
    assert_true(slice_is(xml_text_at(tree, "name"), "vm"));
}

static void a_name_that_a_comment_can_not_hold_is_replaced_by_the_uuid(void **state)
{
    (void)state;
    struct domain *domain = add("a--b c");
    save(domain, DOMAIN_XML);
    assert_non_null(strstr(content_of(config_dir, "a--b c.xml"),
                           "virsh edit 01000000-0000-0000-0000-000000000000\n"));
}

static void a_failed_save_says_why_and_leaves_the_old_file(void **state)
{
    (void)state;
    struct error err = {0};
    struct definition_change change = {0};
    struct domain *domain = add("vm");
    put_file(root, "etc", ""); // a file where a directory should be
    const struct xml_node *tree = parse(DOMAIN_XML);
    RUN(definition_save(&change, domain, tree, &task, &err));
    assert_int_equal(err.code, VIR_ERR_SYSTEM_ERROR);
    assert_non_null(strstr(err.message, "Not a directory"));
}

static void autostart_is_a_link_to_the_definition(void **state)
{
    (void)state;
    struct error err = {0};
    char target[256];
    struct definition_change on = {0}, off = {0};
    struct domain *domain = add("vm");
    save(domain, DOMAIN_XML);
    RUN(definition_autostart(&on, domain, true, &task, &err));
    assert_true(link_is_there("autostart/vm.xml"));
    assert_true(port_readlink(path_of(config_dir, "autostart/vm.xml"), target, sizeof(target)) > 0);
    assert_string_equal(target, path_of(config_dir, "vm.xml"));
    RUN(definition_autostart(&off, domain, false, &task, &err));
    assert_false(link_is_there("autostart/vm.xml"));
    assert_int_equal(err.code, 0);
}

static void deleting_takes_the_link_along(void **state)
{
    (void)state;
    struct error err = {0};
    struct definition_change on = {0}, gone = {0};
    struct domain *domain = add("vm");
    save(domain, DOMAIN_XML);
    RUN(definition_autostart(&on, domain, true, &task, &err));
    RUN(definition_delete(&gone, domain, &task, &err));
    assert_int_equal(err.code, 0);
    assert_null(content_of(config_dir, "vm.xml"));
    assert_false(link_is_there("autostart/vm.xml"));
}

static void renaming_moves_file_and_link(void **state)
{
    (void)state;
    struct error err = {0};
    struct definition_change on = {0}, renamed = {0};
    struct domain *domain = add("vm");
    save(domain, DOMAIN_XML);
    RUN(definition_autostart(&on, domain, true, &task, &err));
    domain->autostart = true;
    const struct xml_node *tree = parse("<domain><name>new</name></domain>");
    RUN(definition_rename(&renamed, domain, SLICE("new"), tree, &task, &err));
    assert_int_equal(err.code, 0);
    assert_null(content_of(config_dir, "vm.xml"));
    assert_false(link_is_there("autostart/vm.xml"));
    assert_non_null(strstr(content_of(config_dir, "new.xml"), "<name>new</name>"));
    assert_true(link_is_there("autostart/new.xml"));
}

static void a_live_definition_is_wrapped_in_its_status(void **state)
{
    (void)state;
    struct error err = {0};
    struct domain *domain = add("vm");
    domain->id = 4;
    domain_set_state(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
    assert_true(
        definition_write_live(domain, parse("<domain id='4'><name>vm</name></domain>"), &err));
    assert_string_equal(content_of(state_dir, "vm.xml"),
                        HEADER "<domstatus state='paused' reason='user'>\n"
                               "  <monitor path='/x' type='unix'/>\n"
                               "  <domain id='4'>\n"
                               "    <name>vm</name>\n"
                               "  </domain>\n"
                               "</domstatus>\n");
    const struct xml_node *tree = definition_current(domain, &err);
    assert_true(xml_named(tree, "domain"));
    assert_null(tree->parent);
    assert_true(xml_attr_is(definition_wrapper(), "state", "paused"));
    definition_remove_live(domain);
    assert_null(content_of(state_dir, "vm.xml"));
}

static void start_up_finds_what_libvirtd_left(void **state)
{
    (void)state;
    struct error err = {0};
    put_file(config_dir, "vm.xml", HEADER DOMAIN_XML);
    port_make_directories(path_of(config_dir, "autostart"), 0700);
    char link[256], target[256];
    snprintf(target, sizeof(target), "%s/vm.xml", config_dir);
    snprintf(link, sizeof(link), "%s/autostart/vm.xml", config_dir);
    assert_int_equal(port_symlink(target, link), 0);
    definition_load_all(&hypervisor);
    const struct domain *domain = domain_by_name(&hypervisor, SLICE("vm"));
    assert_non_null(domain);
    assert_true(domain->persistent && domain->autostart);
    assert_false(domain_active(domain));
    assert_int_equal(domain->state, VIR_DOMAIN_SHUTOFF);
    assert_non_null(definition_current(domain, &err));
}

static void start_up_takes_state_and_id_from_the_status(void **state)
{
    (void)state;
    put_file(state_dir, "vm.xml",
             "<domstatus state='running' reason='booted' pid='12'>\n"
             "<domain type='qemu' id='9'><name>vm</name>"
             "<uuid>01000000-0000-0000-0000-000000000000</uuid></domain></domstatus>");
    definition_load_all(&hypervisor);
    const struct domain *domain = domain_by_id(&hypervisor, 9);
    assert_non_null(domain);
    assert_false(domain->persistent);
    assert_int_equal(domain->state, VIR_DOMAIN_RUNNING);
    assert_int_equal(domain->reason, VIR_DOMAIN_RUNNING_BOOTED);
}

static void start_up_passes_over_what_is_no_definition(void **state)
{
    (void)state;
    put_file(config_dir, "words.xml", "words");
    put_file(config_dir, "nameless.xml", "<domain/>");
    put_file(config_dir, "other.xml", DOMAIN_XML); // the name inside is another one
    put_file(config_dir, "notes.txt", DOMAIN_XML);
    put_file(state_dir, "vm.xml", DOMAIN_XML); // without a status
    definition_load_all(&hypervisor);
    assert_null(domain_next(&hypervisor, NULL));
}

static void two_files_of_one_uuid_are_one_domain(void **state)
{
    (void)state;
    put_file(config_dir, "vm.xml", DOMAIN_XML);
    put_file(config_dir, "new.xml",
             "<domain><name>new</name><uuid>01000000-0000-0000-0000-000000000000</uuid></domain>");
    definition_load_all(&hypervisor);
    const struct domain *domain = domain_next(&hypervisor, NULL);
    assert_non_null(domain);
    assert_null(domain_next(&hypervisor, domain));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directories, remove_directories)
    const struct CMUnitTest tests[] = {
        TEST(a_saved_definition_has_libvirts_header_and_layout),
        TEST(a_name_that_a_comment_can_not_hold_is_replaced_by_the_uuid),
        TEST(a_failed_save_says_why_and_leaves_the_old_file),
        TEST(autostart_is_a_link_to_the_definition),
        TEST(deleting_takes_the_link_along),
        TEST(renaming_moves_file_and_link),
        TEST(a_live_definition_is_wrapped_in_its_status),
        TEST(start_up_finds_what_libvirtd_left),
        TEST(start_up_takes_state_and_id_from_the_status),
        TEST(start_up_passes_over_what_is_no_definition),
        TEST(two_files_of_one_uuid_are_one_domain),
    };
    return cmocka_run_group_tests_name("definitions", tests, NULL, NULL);
}
