// The test driver (test:///default): guests that exist in the daemon's files only.
//
// It needs nothing and pretends everything; libvirt's test driver is its model. Its state is made
// when the first connection opens and forgotten when the last one closes.
#include "hv/test/driver.h"

#include "core/assert.h"
#include "core/log.h"
#include "core/paths.h"
#include "hv/test/defaults.h"
#include "virt/domain/definition.h"

#include <stdio.h>
#include <string.h>

static char config_dir[PORT_PATH_MAX], state_dir[PORT_PATH_MAX];
static unsigned connections;

// ---- documents

static bool random_bytes(void *data, void *bytes, size_t len)
{
    (void)data;
    port_random(bytes, len);
    return true;
}

static bool parse(struct xml_doc *doc, struct slice text, uint32_t flags, struct error *err)
{
    struct domain_xml_rules rules;
    unsigned schema = flags & VIR_DOMAIN_DEFINE_VALIDATE ? DOMAIN_XML_PARSE_SCHEMA : 0;
    test_domain_xml_rules(&rules, random_bytes, NULL);
    return domain_xml_parse(doc, text, &rules, DOMAIN_XML_PARSE_NEW | schema, err);
}

// ---- the state

// libvirt's predefined domain.
static const char default_domain[] =
    "<domain type='test'>"
    "<name>test</name>"
    "<uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>"
    "<memory>8388608</memory>"
    "<currentMemory>2097152</currentMemory>"
    "<vcpu>2</vcpu>"
    "<os><type>hvm</type></os>"
    "<devices>"
    "<disk type='file' device='disk'>"
    "<source file='/guest/diskimage1'/>"
    "<target dev='vda' bus='virtio'/>"
    "<address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>"
    "</disk>"
    "<interface type='network'>"
    "<mac address='aa:bb:cc:dd:ee:ff'/>"
    "<source network='default'/>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x1' function='0x0'/>"
    "</interface>"
    "<memballoon model='virtio'>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x2' function='0x0'/>"
    "</memballoon>"
    "</devices>"
    "</domain>";

static void empty_directory(const char *path)
{
    struct port_dir dir;
    char file[2 * PORT_PATH_MAX];
    if (port_dir_open(&dir, path) < 0)
        return;
    for (const char *name = port_dir_next(&dir); name; name = port_dir_next(&dir)) {
        snprintf(file, sizeof(file), "%s/%s", path, name);
        port_unlink(file);
    }
    port_dir_close(&dir);
}

static void empty_directories(void)
{
    char autostart[PORT_PATH_MAX + 16];
    snprintf(autostart, sizeof(autostart), "%s/autostart", config_dir);
    empty_directory(autostart);
    empty_directory(config_dir);
    empty_directory(state_dir);
}

static void start_default_domain(struct domain *domain)
{
    struct error err = {0};
    struct hypervisor_op op = {.domain = domain, .err = &err, .document = true};
    if (!definition_save_volatile(domain, definition_scratch()->root, &err) ||
        test_start(&op) != CO_DONE || error_is_set(&err)) {
        log_error("test", "the default domain can not be made: %s", err.message);
        domain_remove(domain);
        return;
    }
    domain->persistent = true;
    domain_set_state(domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNKNOWN);
    domain_show(domain);
}

static void make_state(void)
{
    struct error err = {0};
    uint8_t uuid[16];
    struct xml_doc *doc = definition_scratch();
    empty_directories();
    if (!parse(doc, slice_of(default_domain), 0, &err)) {
        log_error("test", "the default domain can not be parsed: %s", err.message);
        return;
    }
    domain_uuid_parse(xml_text_at(doc->root, "uuid"), uuid);
    struct domain *domain =
        domain_add(&test_hypervisor, uuid, xml_text_at(doc->root, "name"), &err);
    if (!domain) {
        log_error("test", "%s", err.message);
        return;
    }
    start_default_domain(domain);
    domain_unref(domain);
}

static void forget_state(void)
{
    domain_remove_all(&test_hypervisor);
    domain_forget_ids(&test_hypervisor);
    test_forget_insides();
    empty_directories();
}

// ---- connections

static bool accepts(struct slice uri, struct error *err)
{
    if (!slice_starts(uri, "test:"))
        return false;
    struct slice rest = slice_from(uri, strlen("test:"));
    if (!slice_starts(rest, "///")) {
        error_set(err, VIR_FROM_TEST, VIR_ERR_INVALID_ARG,
                  "test driver has no hosts: use test:///default");
        return false;
    }
    rest = slice_from(rest, 2);
    ptrdiff_t query = slice_find(rest, '?');
    if (query >= 0)
        rest.len = (size_t)query;
    if (slice_is(rest, "/default"))
        return true;
    if (rest.len <= 1)
        error_set(err, VIR_FROM_TEST, VIR_ERR_INVALID_ARG,
                  "testOpen: supply a path or use test:///default");
    else
        error_set(err, VIR_FROM_TEST, VIR_ERR_OPERATION_UNSUPPORTED,
                  "a host described by a file ('%.*s') is not supported: use test:///default",
                  SLICE_ARG(rest));
    return false;
}

static void opened(void)
{
    if (connections++ == 0)
        make_state();
}

static void closed(void)
{
    assert(connections > 0);
    if (--connections == 0)
        forget_state();
}

static const char *uri(void)
{
    return "test:///default";
}

static bool make_directory(char path[PORT_PATH_MAX], const char *name, struct error *err)
{
    int len = snprintf(path, PORT_PATH_MAX, "%s/%s", paths()->run, name);
    int status = len < PORT_PATH_MAX ? port_make_directories(path, 0700) : -1;
    return status == 0 || error_set(err, VIR_FROM_TEST, VIR_ERR_SYSTEM_ERROR,
                                    "unable to create directory %s: %s", path, strerror(-status));
}

static bool initialize(struct error *err)
{
    if (!make_directory(config_dir, "test/config", err) ||
        !make_directory(state_dir, "test/state", err))
        return false;
    empty_directories();
    return true;
}

#define REBOOT_FLAGS 31 // every virDomainRebootFlagValues
#define XML_FLAGS    (VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_MIGRATABLE)
#define VCPU_FLAGS   (VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM)

const struct hypervisor test_hypervisor = {
    .type = "TEST",
    .prefix = "test",
    .os_type = "linux",
    .takes_files = true,
    .terse_lookups = true,
    .allowed =
        {
            .create_xml = VIR_DOMAIN_START_VALIDATE,
            .define = VIR_DOMAIN_DEFINE_VALIDATE,
            .undefine = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
            .destroy = VIR_DOMAIN_DESTROY_GRACEFUL,
            .reboot = REBOOT_FLAGS,
            .xml_desc = XML_FLAGS,
            .set_vcpus = VCPU_FLAGS,
            .get_vcpus = VCPU_FLAGS,
            .pin_info = UINT32_MAX, // nobody looks
            .set_time = VIR_DOMAIN_TIME_SYNC,
        },
    .error_domain = VIR_FROM_TEST,
    .config_dir = config_dir,
    .state_dir = state_dir,
    .version = 2,
    .initialize = initialize,
    .accepts = accepts,
    .opened = opened,
    .closed = closed,
    .uri = uri,
    .parse = parse,
    .capabilities = test_capabilities,
    .max_vcpus = test_max_vcpus,
    .node = &test_node,
    .may_start = test_may_start,
    .may_shutdown = test_may_shutdown,
    .may_suspend = test_may_suspend,
    .may_resume = test_may_resume,
    .may_undefine = test_may_undefine,
    .start = test_start,
    .destroy = test_destroy,
    .shutdown = test_shutdown,
    .reboot = test_reboot,
    .reset = test_reset,
    .set_lifecycle = test_set_lifecycle,
    .suspend = test_suspend,
    .resume = test_resume,
    .set_memory = test_set_memory,
    .set_vcpus = test_set_vcpus,
    .set_memory_stats_period = test_set_memory_stats_period,
    .memory_stats = test_memory_stats,
    .send_key = test_send_key,
    .inject_nmi = test_inject_nmi,
    .screenshot = test_screenshot,
    .hostname = test_hostname,
    .filesystems = test_filesystems,
    .set_password = test_set_password,
    .fs_freeze = test_fs_freeze,
    .fs_thaw = test_fs_thaw,
    .fs_trim = test_fs_trim,
    .get_time = test_get_time,
    .set_time = test_set_time,
    .info = test_info,
    .interface_stats = test_interface_stats,
    .blocks = test_blocks,
    .no_block_sums = true,
    .takes_signals = true,
    .edits_one = true,
    .pins_vcpus_that_are_there = true,
    .stats = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_IOTHREAD,
    .vcpu = test_vcpu,
    .pin = test_pin,
    .cpu_stats = test_cpu_stats,
    .cpu_stats_cpus = 2,
    .node_cpus = test_cpus,
    .security_label = test_security_label,
    .checks_max_vcpus = true,
    .no_vcpus = "cannot list vcpus for an inactive domain",
};
