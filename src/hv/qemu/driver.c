// The QEMU driver: its table, its start, and what it says about itself.
#include "hv/qemu/driver.h"

#include "core/log.h"
#include "core/paths.h"
#include "hv/qemu/guest/adopt.h"
#include "hv/qemu/capabilities/capabilities_document.h"
#include "hv/qemu/capabilities/capabilities_lookup.h"
#include "hv/qemu/capabilities/driver_probe.h"
#include "hv/qemu/definition/lifecycle.h"
#include "hv/qemu/guest/guest_ops.h"
#include "hv/qemu/guest/process.h"
#include "virt/domain/definition.h"
#include "virt/domain/domain_background.h"
#include "virt/xml/domain_xml.h"
#include "virt/node/node.h"
#include "virt/storage/storage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SETTINGS_SIZE 65536 // of qemu.conf; libvirt's with all its comments has 35 KiB

struct qemu_driver qemu_driver;
static struct qemu_lookup lookup;
static struct domain_xml_rules rules;

const struct qemu_lookup *driver_lookup(void)
{
    return &lookup;
}

const struct domain_xml_rules *driver_rules(void)
{
    return &rules;
}

// ---- start-up

static bool make_directory(const char **to, const char *directory, const char *name, uint32_t mode,
                           struct error *err)
{
    *to = paths_join(directory, name);
    int result = *to ? port_make_directories(*to, mode) : -ENAMETOOLONG;
    return result == 0 ||
           error_set(err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                     "Failed to create directory %s/%s: %s", directory, name, strerror(-result));
}

static bool make_directories(struct error *err)
{
    const struct paths *p = paths();
    struct qemu_driver *d = &qemu_driver;
    const char *channels, *nvram, *dump, *links;
    if (!make_directory(&d->config, p->config, "qemu", 0700, err) ||
        !make_directory(&links, d->config, "autostart", 0700, err) ||
        !make_directory(&d->state, p->run, "qemu", 0755, err) ||
        !make_directory(&d->lib, p->lib, "qemu", 0751, err) ||
        !make_directory(&d->log, p->log, "qemu", 0700, err) ||
        !make_directory(&d->cache, p->cache, "qemu", 0750, err) ||
        !make_directory(&channels, d->lib, "channel/target", 0755, err) ||
        !make_directory(&nvram, d->lib, "nvram", 0711, err) ||
        !make_directory(&dump, d->lib, "dump", 0700, err))
        return false;
    lookup.channel_dir = channels;
    lookup.nvram_dir = nvram;
    if (d->privileged && d->uid != port_uid())
        port_chown(dump, d->uid, d->gid); // QEMU writes there itself
    return true;
}

static bool read_settings(struct error *err)
{
    static char text[SETTINGS_SIZE];
    struct qemu_settings *s = &qemu_driver.settings;
    const char *path = paths_join(paths()->config, "qemu.conf");
    qemu_settings_default(s, qemu_driver.privileged);
    ptrdiff_t len = path ? port_file_read(path, text, sizeof(text)) : -ENAMETOOLONG;
    if (len == -ENOENT)
        return true;
    if (len < 0)
        return error_set(err, VIR_FROM_CONF, VIR_ERR_SYSTEM_ERROR, "Failed to open file '%s': %s",
                         path ? path : "qemu.conf", strerror((int)-len));
    return qemu_settings_read(s, (struct slice){text, (size_t)len}, path, err);
}

// The user that guests run as; ours when it does not exist or we may not change to it.
static bool choose_user(struct error *err)
{
    struct qemu_driver *d = &qemu_driver;
    d->uid = port_uid();
    d->gid = port_gid();
    if (!d->privileged || port_uid() != 0 || !d->settings.user[0])
        return true;
    uint32_t uid, gid;
    int result = port_user_lookup(d->settings.user, &uid, &gid);
    if (result < 0 && strcmp(d->settings.user, "libvirt-qemu") == 0) {
        // The built-in name, on a host that has no such user.
        log_warning("qemu", "there is no user libvirt-qemu: guests run as root, without its "
                            "privileges; set user and group in qemu.conf");
        return true;
    }
    if (result < 0)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "Failed to find user record for name '%s'", d->settings.user);
    d->uid = uid;
    d->gid = gid != (uint32_t)-1 ? gid : d->gid;
    if (d->settings.group[0] && port_group_lookup(d->settings.group, &gid) == 0)
        d->gid = gid;
    return true;
}

static bool random_bytes(void *data, void *bytes, size_t len)
{
    (void)data;
    port_random(bytes, len);
    return true;
}

// libvirt (virDriverShouldAutostart): once in each run of the host, not of the daemon.
static bool should_autostart(void)
{
    const char *marker = paths_join(qemu_driver.state, "autostarted");
    int fd = marker ? port_open(marker, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_NEW, 0600)
                    : -ENAMETOOLONG;
    if (fd < 0)
        return false;
    port_close(fd);
    return true;
}

static bool initialize(struct error *err)
{
    struct qemu_driver *d = &qemu_driver;
    d->privileged = !paths()->session;
    if (!read_settings(err) || !choose_user(err) || !make_directories(err))
        return false;
    qemu_hypervisor.config_dir = d->config;
    qemu_hypervisor.state_dir = d->state;
    qemu_cache_open(d->cache, d->privileged, d->uid, d->gid);
    lookup.random = random_bytes;
    lookup.lib_dir = d->lib;
    lookup.vnc_listen = d->settings.vnc_listen;
    lookup.spice_listen = d->settings.spice_listen;
    qemu_capabilities_lookup(&lookup);
    qemu_domain_xml_rules(&rules, &lookup);
    definition_load_all(&qemu_hypervisor);
#ifdef CONFIG_STORAGE
    storage_load();
#endif
    adopt_all();
    if (should_autostart())
        domain_autostart_all(&qemu_hypervisor);
    return true;
}

// ---- what is asked about domains

static uint32_t taints(const struct domain *domain)
{
    const struct guest *guest = guest_of(domain);
    return guest ? guest->taints : 0;
}

// libvirt (qemuDomainNVRAMPathFormat)
static bool nvram_path(const struct domain *domain, char *path, size_t size)
{
    int len = snprintf(path, size, "%s/%s_VARS.fd", lookup.nvram_dir, domain->name);
    return len > 0 && (size_t)len < size;
}

// ---- connections

static bool is_starting(const struct domain *domain)
{
    const struct guest *guest = guest_of(domain);
    return domain->due == DOMAIN_DUE_START || (guest && guest->starting);
}

// As libvirtd, which listens before but answers after it has started what is to start with it.
static bool ready(struct task *task)
{
    static bool started;
    if (!driver_probed(task))
        return false;
    for (const struct domain *domain = domain_next(&qemu_hypervisor, NULL); domain && !started;
         domain = domain_next(&qemu_hypervisor, domain)) {
        if (is_starting(domain)) {
            driver_wait(task);
            return false;
        }
    }
    started = true;
    return true;
}

static const char *uri(void)
{
    return qemu_driver.privileged ? "qemu:///system" : "qemu:///session";
}

// libvirt (virConnectValidateURIPath); a connection without a URI is ours.
static bool accepts(struct slice name, struct error *err)
{
    if (name.len == 0)
        return true;
    if (!slice_starts(name, "qemu:"))
        return false;
    struct slice path = slice_from(name, 5);
    if (!slice_starts(path, "///"))
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "unexpected qemu URI '%.*s', try %s", SLICE_ARG(name), uri());
    path = slice_from(path, 2);
    ptrdiff_t query = slice_find(path, '?');
    if (query >= 0)
        path.len = (size_t)query;
    if (slice_is(path, "/session") || (qemu_driver.privileged && slice_is(path, "/system")))
        return true;
    return error_set(err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                     "unexpected qemu URI path '%.*s', try %s", SLICE_ARG(path), uri());
}

// ---- documents

static bool parse(struct xml_doc *doc, struct slice text, uint32_t flags, struct error *err)
{
    unsigned schema = flags & VIR_DOMAIN_DEFINE_VALIDATE ? DOMAIN_XML_PARSE_SCHEMA : 0;
    return domain_xml_parse(doc, text, &rules, DOMAIN_XML_PARSE_NEW | schema, err);
}

static int32_t max_vcpus(struct slice type, struct error *err)
{
    if (type.len == 0 || slice_is(type, "qemu") || slice_is(type, "QEMU"))
        return 16; // libvirt's number for guests without KVM
    if (!slice_is(type, "kvm")) {
        error_set(err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "unknown type '%.*s'", SLICE_ARG(type));
        return -1;
    }
    int result = port_access("/dev/kvm", PORT_OPEN_READ | PORT_OPEN_WRITE);
    if (result == 0)
        return CONFIG_QEMU_VCPUS;
    error_set(err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR, "Unable to open %s: %s", "/dev/kvm",
              strerror(-result));
    return -1;
}

static enum co_status version_query(struct hypervisor_op *op)
{
    if (!driver_probed(op->task))
        return CO_WAITING;
    const struct qemu_emulator *emulator = qemu_emulator_for(qemu_host_arch());
    const struct qemu_capabilities *found = emulator ? qemu_cache_get(emulator->path) : NULL;
    if (found)
        op->named.value = found->version;
    else
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "Cannot find suitable emulator for %.*s", SLICE_ARG(qemu_host_arch()));
    return CO_DONE;
}

#define START_FLAGS (VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY)
#define VCPU_FLAGS  (VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM)

struct hypervisor qemu_hypervisor = {
    .type = "QEMU",
    .prefix = "qemu",
    .allowed =
        {
            .create_xml = START_FLAGS | VIR_DOMAIN_START_VALIDATE | VIR_DOMAIN_START_RESET_NVRAM,
            .create = START_FLAGS | VIR_DOMAIN_START_BYPASS_CACHE | VIR_DOMAIN_START_FORCE_BOOT |
                      VIR_DOMAIN_START_RESET_NVRAM,
            .define = VIR_DOMAIN_DEFINE_VALIDATE,
            .undefine = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                        VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM |
                        VIR_DOMAIN_UNDEFINE_KEEP_NVRAM | VIR_DOMAIN_UNDEFINE_TPM |
                        VIR_DOMAIN_UNDEFINE_KEEP_TPM,
            .destroy = VIR_DOMAIN_DESTROY_GRACEFUL | VIR_DOMAIN_DESTROY_REMOVE_LOGS,
            .shutdown = VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN | VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,
            .reboot = VIR_DOMAIN_REBOOT_ACPI_POWER_BTN | VIR_DOMAIN_REBOOT_GUEST_AGENT,
            .xml_desc = VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE |
                        VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_UPDATE_CPU,
            .set_vcpus = VCPU_FLAGS | VIR_DOMAIN_VCPU_GUEST | VIR_DOMAIN_VCPU_HOTPLUGGABLE,
            .get_vcpus = VCPU_FLAGS | VIR_DOMAIN_VCPU_GUEST,
            .pin_vcpu = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG,
            .pin_info = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG,
            .hostname = VIR_DOMAIN_GET_HOSTNAME_LEASE | VIR_DOMAIN_GET_HOSTNAME_AGENT,
            .set_time = VIR_DOMAIN_TIME_SYNC,
        },
    .error_domain = VIR_FROM_QEMU,
    .keeps_daemon = true,
    .has_jobs = true,
#ifdef CONFIG_DOMAIN_STATISTICS
    .core_dump = guest_core_dump,
    .job = guest_job,
    .abort_job = guest_abort_job,
#endif
    .shows_tuning = true,
#ifdef CONFIG_NODE
    .node = &node_of_host,
#endif
    .initialize = initialize,
    .ready = ready,
    .accepts = accepts,
    .uri = uri,
    .parse = parse,
#ifdef CONFIG_NODE
    .capabilities = qemu_capabilities_document,
#endif
#ifdef CONFIG_DOMAIN_CAPABILITIES
    .domain_capabilities = qemu_domain_capabilities_write,
#endif
    .write_status = guest_write_status,
    .copy = guest_copy_definition,
    .max_vcpus = max_vcpus,
    .interrupt = process_interrupt,
    .start = process_start_op,
    .destroy = process_destroy_op,
    .shutdown = guest_shutdown,
    .reboot = guest_reboot,
    .reset = guest_reset,
    .suspend = guest_suspend,
    .resume = guest_resume,
#ifdef CONFIG_DOMAIN_TUNING
    .set_memory = guest_set_memory,
    .set_vcpus = guest_set_vcpus,
#endif
    .memory_stats = guest_memory_stats,
#ifdef CONFIG_DOMAIN_INPUT
    .send_key = guest_send_key,
    .inject_nmi = guest_inject_nmi,
#endif
#ifdef CONFIG_STORAGE
    .has_storage = true,
#endif
#ifdef CONFIG_DOMAIN_INPUT
    .screenshot = guest_screenshot,
#endif
#ifdef CONFIG_QEMU_COMMANDS
    .monitor_command = guest_monitor_command,
#endif
#ifdef CONFIG_GUEST_AGENT
    .agent_command = guest_agent_command,
    .hostname = guest_hostname,
    .get_time = guest_get_time,
    .set_time = guest_set_time,
    .filesystems = guest_filesystems,
    .guest_info = guest_tell_inside,
    .guest_vcpus = guest_agent_vcpus,
    .set_guest_vcpus = guest_agent_set_vcpus,
    .addresses = guest_addresses,
    .set_password = guest_set_password,
    .fs_freeze = guest_fs_freeze,
    .fs_thaw = guest_fs_thaw,
    .fs_trim = guest_fs_trim,
    .ssh_keys = guest_ssh_keys,
    .set_ssh_keys = guest_set_ssh_keys,
    .sleep = guest_sleep,
    .set_agent_timeout = guest_set_agent_timeout,
#endif
    .wake_up = guest_wake_up,
    .set_lifecycle = guest_set_lifecycle,
    .may_end_so = qemu_validate_lifecycle,
    .open_console = guest_open_console,
    .open_channel = guest_open_channel,
#ifdef CONFIG_GRAPHICS
    .open_graphics = guest_open_graphics,
#endif
    .version_query = version_query,
    .info = guest_info,
    .taints = taints,
    .nvram_path = nvram_path,
#ifdef CONFIG_DOMAIN_TUNING
    .set_memory_stats_period = guest_set_stats_period,
#endif
#ifdef CONFIG_DOMAIN_STATISTICS
    .blocks = guest_blocks,
    .running_stats = guest_running_stats,
    .interface_stats = guest_interface_stats,
#endif
    .stats = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON |
             VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK |
             VIR_DOMAIN_STATS_PERF | VIR_DOMAIN_STATS_IOTHREAD | VIR_DOMAIN_STATS_MEMORY |
             VIR_DOMAIN_STATS_DIRTYRATE | VIR_DOMAIN_STATS_VM,
    .vcpu = guest_vcpu,
    .pin = guest_pin,
    .cpu_stats = guest_cpu_stats,
    .node_cpus = guest_host_cpus,
    .security_label = guest_security_label,
    .lists_security_labels = true,
    .no_vcpus = "cannot retrieve vcpu information for inactive domain",
};
