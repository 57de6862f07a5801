// qemu.conf: which settings there are, their values when nothing is said, and what is refused.
#include "hv/qemu/settings.h"

#include "core/conf.h"

#include <string.h>

#define PORT_MIN 5900 // the lowest port of a display

// Settings that promise protection which is not there must not go unnoticed.
static const char *refuse_on(const struct conf_value *value)
{
    return value->number ? "is not supported" : NULL;
}

static const char *check_driver(const struct conf_value *value)
{
    if (value->kind == CONF_VALUE_STRING)
        return slice_is(value->string, "none") || slice_is(value->string, "dac")
                   ? NULL
                   : "only the security drivers \"none\" and \"dac\" are supported";
    for (size_t i = 0; i < value->count; i++)
        if (!slice_is(value->items[i], "none") && !slice_is(value->items[i], "dac"))
            return "only the security drivers \"none\" and \"dac\" are supported";
    return NULL;
}

static const char *check_display_port(const struct conf_value *value)
{
    return value->number < PORT_MIN || value->number > 65535 || value->negative
               ? "port must be between 5900 and 65535"
               : NULL;
}

static const char *check_websocket_port(const struct conf_value *value)
{
    return value->number < 5700 || value->number > 65535 || value->negative
               ? "port must be between 5700 and 65535"
               : NULL;
}

// "unlimited" or a number of bytes.
static const char *set_max_core(void *field, const struct conf_value *value)
{
    uint64_t *bytes = field;
    if (value->kind == CONF_VALUE_NUMBER && !value->negative)
        *bytes = value->number;
    else if (value->kind == CONF_VALUE_STRING && slice_is(value->string, "unlimited"))
        *bytes = UINT64_MAX;
    else
        return "must be \"unlimited\" or a number of bytes";
    return NULL;
}

// -1: as QEMU is able to, 0: never, 1: always.
static const char *set_sandbox(void *field, const struct conf_value *value)
{
    if (value->kind != CONF_VALUE_NUMBER || value->number > 1)
        return "must be -1, 0 or 1";
    *(bool *)field = value->number != 0;
    return NULL;
}

static const char *check_behavior(const struct conf_value *value)
{
    static const char *const values[] = {"none", "omit", "reject", "crash"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (slice_is(value->string, values[i]))
            return NULL;
    return "must be \"none\", \"omit\", \"reject\" or \"crash\"";
}

static const char *check_image_format(const struct conf_value *value)
{
    static const char *const values[] = {"raw", "gzip", "bzip2", "xz", "lzop"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (slice_is(value->string, values[i]))
            return NULL;
    return "unknown format";
}

#define TEXT(field)                                                                                \
    {                                                                                              \
        CONF_KEY(struct qemu_settings, CONF_STRING, field)                                         \
    }
#define SWITCH(field)                                                                              \
    {                                                                                              \
        CONF_KEY(struct qemu_settings, CONF_BOOL, field)                                           \
    }
#define NUMBER(field)                                                                              \
    {                                                                                              \
        CONF_KEY(struct qemu_settings, CONF_UINT32, field)                                         \
    }
#define CHECKED(type, field, function)                                                             \
    {                                                                                              \
        CONF_KEY(struct qemu_settings, type, field), .check = (function)                           \
    }
#define MADE(field, function)                                                                      \
    {                                                                                              \
        CONF_KEY(struct qemu_settings, CONF_ANY, field), .convert = (function)                     \
    }
#define IDLE(key_type, key)                                                                        \
    {                                                                                              \
        .name = (key), .type = (key_type), .idle = true                                            \
    }
#define REFUSED(key)                                                                               \
    {                                                                                              \
        .name = (key), .type = CONF_BOOL, .check = refuse_on                                       \
    }

static const struct conf_key keys[] = {
    TEXT(user),
    TEXT(group),
    SWITCH(dynamic_ownership),
    TEXT(vnc_listen),
    TEXT(vnc_password),
    TEXT(spice_listen),
    TEXT(spice_password),
    CHECKED(CONF_UINT32, remote_display_port_min, check_display_port),
    CHECKED(CONF_UINT32, remote_display_port_max, check_display_port),
    CHECKED(CONF_UINT32, remote_websocket_port_min, check_websocket_port),
    CHECKED(CONF_UINT32, remote_websocket_port_max, check_websocket_port),
    MADE(max_core, set_max_core),
    SWITCH(dump_guest_core),
    MADE(seccomp_sandbox, set_sandbox),
    SWITCH(log_timestamp),
    SWITCH(set_process_name),
    NUMBER(max_processes),
    NUMBER(max_files),
    CHECKED(CONF_STRING, deprecation_behavior, check_behavior),
    TEXT(memory_backing_dir),
    {.name = "security_driver", .type = CONF_ANY, .check = check_driver},
    {.name = "save_image_format", .type = CONF_STRING, .check = check_image_format, .idle = true},
    {.name = "dump_image_format", .type = CONF_STRING, .check = check_image_format, .idle = true},
    IDLE(CONF_BOOL, "remember_owner"), // owners always are
    IDLE(CONF_BOOL, "vnc_allow_host_audio"),
    IDLE(CONF_BOOL, "vnc_auto_unix_socket"),
    IDLE(CONF_BOOL, "spice_auto_unix_socket"),
    IDLE(CONF_BOOL, "nographics_allow_host_audio"),
    IDLE(CONF_INT32, "keepalive_interval"),
    IDLE(CONF_UINT32, "keepalive_count"),
    REFUSED("vnc_tls"),
    REFUSED("vnc_sasl"),
    REFUSED("spice_tls"),
    REFUSED("spice_sasl"),
    REFUSED("chardev_tls"),
    REFUSED("migrate_tls_force"),
    REFUSED("mac_filter"),
    REFUSED("security_require_confined"),
};

// Of no effect here: what they set up is not built, or needs no setting.
static const char idle[] = "allow_disk_format_probing\0"
                           "auto_dump_bypass_cache\0"
                           "auto_dump_path\0"
                           "auto_start_bypass_cache\0"
                           "backup_tls_x509_cert_dir\0"
                           "backup_tls_x509_secret_uuid\0"
                           "backup_tls_x509_verify\0"
                           "bridge_helper\0"
                           "capability_filters\0"
                           "cgroup_controllers\0"
                           "cgroup_device_acl\0"
                           "chardev_tls_x509_cert_dir\0"
                           "chardev_tls_x509_secret_uuid\0"
                           "chardev_tls_x509_verify\0"
                           "clear_emulator_capabilities\0"
                           "dbus_daemon\0"
                           "default_tls_x509_cert_dir\0"
                           "default_tls_x509_secret_uuid\0"
                           "default_tls_x509_verify\0"
                           "gluster_debug_level\0"
                           "hugetlbfs_mount\0"
                           "lock_manager\0"
                           "max_queued\0"
                           "max_threads_per_process\0"
                           "migrate_tls_x509_cert_dir\0"
                           "migrate_tls_x509_secret_uuid\0"
                           "migrate_tls_x509_verify\0"
                           "migration_address\0"
                           "migration_host\0"
                           "migration_port_max\0"
                           "migration_port_min\0"
                           "namespaces\0"
                           "nbd_tls\0"
                           "nbd_tls_x509_cert_dir\0"
                           "nbd_tls_x509_secret_uuid\0"
                           "nvram\0"
                           "pr_helper\0"
                           "relaxed_acs_check\0"
                           "sched_core\0"
                           "security_default_confined\0"
                           "slirp_helper\0"
                           "snapshot_image_format\0"
                           "spice_sasl_dir\0"
                           "spice_tls_x509_cert_dir\0"
                           "stdio_handler\0"
                           "swtpm_group\0"
                           "swtpm_user\0"
                           "virtiofsd_debug\0"
                           "vnc_sasl_dir\0"
                           "vnc_tls_x509_cert_dir\0"
                           "vnc_tls_x509_secret_uuid\0"
                           "vnc_tls_x509_verify\0"
                           "vxhs_tls\0"
                           "vxhs_tls_x509_cert_dir\0"
                           "vxhs_tls_x509_secret_uuid\0";

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

void qemu_settings_default(struct qemu_settings *settings, bool privileged)
{
    *settings = (struct qemu_settings){
        .dynamic_ownership = privileged,
        .vnc_listen = "127.0.0.1",
        .spice_listen = "127.0.0.1",
        .remote_display_port_min = PORT_MIN,
        .remote_display_port_max = 65535,
        .remote_websocket_port_min = 5700,
        .remote_websocket_port_max = 65535,
        .seccomp_sandbox = true,
        .log_timestamp = true,
        .deprecation_behavior = "none",
    };
    if (!privileged)
        return;
    slice_copy(settings->user, sizeof(settings->user), SLICE("libvirt-qemu"));
    slice_copy(settings->group, sizeof(settings->group), SLICE("libvirt-qemu"));
}

static size_t key_index(const char *name)
{
    size_t i = 0;
    while (i < KEY_COUNT && strcmp(keys[i].name, name) != 0)
        i++;
    return i;
}

bool qemu_settings_read(struct qemu_settings *settings, struct slice text, const char *file,
                        struct error *err)
{
    static uint32_t lines[KEY_COUNT];
    struct conf conf = {.keys = keys,
                        .key_count = KEY_COUNT,
                        .idle = idle,
                        .base = settings,
                        .lines = lines,
                        .file = file};
    memset(lines, 0, sizeof(lines));
    if (!conf_read(&conf, text, err))
        return false;
    if (settings->remote_display_port_min > settings->remote_display_port_max)
        return conf_refuse(&conf, key_index("remote_display_port_min"),
                           "must not be greater than remote_display_port_max", err);
    if (settings->remote_websocket_port_min > settings->remote_websocket_port_max)
        return conf_refuse(&conf, key_index("remote_websocket_port_min"),
                           "must not be greater than remote_websocket_port_max", err);
    return true;
}
