// libvirtd.conf: which settings there are, and what a value of each may be.
#include "core/settings.h"

#include "core/config.h"
#include "core/log.h"

#include <stdio.h>
#include <string.h>

// --- checks and conversions

#ifdef CONFIG_TLS
#define TLS_IS_BUILT true
#define check_tls    NULL
#else
#define TLS_IS_BUILT false
static const char *check_tls(const struct conf_value *value)
{
    return value->number ? "TLS is not built into this daemon" : NULL;
}
#endif

#ifdef CONFIG_MDNS
#define check_mdns NULL
#else
static const char *check_mdns(const struct conf_value *value)
{
    return value->number ? "multicast DNS is not built into this daemon" : NULL;
}
#endif

// It becomes a label of a domain name (RFC 6763, section 4.1.1).
static const char *check_mdns_name(const struct conf_value *value)
{
    return value->string.len > 63 ? "a name in DNS has at most 63 bytes" : NULL;
}

// 1 stands for auditing where the host has it, 2 for not starting without it.
static const char *check_audit_level(const struct conf_value *value)
{
    return value->number > 1 ? "auditing is not built into this daemon" : NULL;
}

static const char *convert_auth(void *field, const struct conf_value *value)
{
    static char reason[SETTING_MAX];
    enum auth_scheme *auth = field;
    if (slice_is(value->string, "none")) {
        *auth = AUTH_NONE;
        return NULL;
    }
    if (slice_is(value->string, "sasl")) {
#ifdef CONFIG_SASL
        *auth = AUTH_SASL;
        return NULL;
#else
        return "SASL is not built into this daemon; use \"none\"";
#endif
    }
    if (slice_is(value->string, "polkit"))
        return "polkit is not built into this daemon; use \"none\"";
    snprintf(reason, sizeof(reason), "unsupported auth %.*s", SLICE_ARG(value->string));
    return reason;
}

static const char *check_access_drivers(const struct conf_value *value)
{
    for (size_t i = 0; i < value->count; i++)
        if (value->count > 1 ||
            !(slice_is(value->items[i], "none") || slice_is(value->items[i], "rules")))
            return "the access drivers of this daemon are [ \"none\" ] and [ \"rules\" ]";
    return NULL;
}

static const char *convert_mode(void *field, const struct conf_value *value)
{
    uint32_t mode;
    if (!slice_u32(value->string, 8, &mode) || mode > 07777)
        return "not a file mode in octal digits, such as \"0770\"";
    *(uint32_t *)field = mode;
    return NULL;
}

static const char *check_not_empty(const struct conf_value *value)
{
    return value->string.len ? NULL : "the string is empty";
}

static const char *check_workers(const struct conf_value *value)
{
    return value->number ? NULL : "must be greater than 0";
}

// 0 is ours: libvirtd does not start with it.
static const char *check_ssf(const struct conf_value *value)
{
    return value->number && value->number < 112
               ? "minimum SSF levels lower than 112 are not supported"
               : NULL;
}

static const char *check_log(const struct conf_value *value,
                             bool (*check)(struct slice, struct error *))
{
    static struct error err;
    error_clear(&err);
    return check(value->string, &err) ? NULL : err.message;
}

static const char *check_log_filters(const struct conf_value *value)
{
    return check_log(value, log_check_filters);
}

static const char *check_log_outputs(const struct conf_value *value)
{
    return check_log(value, log_check_outputs);
}

// As virUUIDParse and virUUIDIsValid: 32 digits, dashes anywhere, and not all digits the same.
static const char *check_uuid(const struct conf_value *value)
{
    unsigned digits = 0, first = 0, same = 0;
    for (size_t i = 0; i < value->string.len; i++) {
        uint64_t digit;
        if (value->string.at[i] == '-')
            continue;
        if (!slice_u64((struct slice){value->string.at + i, 1}, 16, &digit))
            return "invalid host UUID";
        first = digits == 0 ? (unsigned)digit : first;
        same += digit == first;
        digits++;
    }
    return digits == 32 && same < 32 ? NULL : "invalid host UUID";
}

static const char *convert_uuid_source(void *field, const struct conf_value *value)
{
    if (!slice_is(value->string, "smbios") && !slice_is(value->string, "machine-id"))
        return "invalid UUID source; use \"smbios\" or \"machine-id\"";
    *(bool *)field = slice_is(value->string, "machine-id");
    return NULL;
}

// --- the table

#define KEY(type, field) CONF_KEY(struct settings, type, field)

// Every key of libvirtd.conf in libvirt 9.0 and 11.3, and four older ones. Those that are idle are
// taken so that a file written for libvirtd does not have to be changed:
//   max_requests          was a limit of all clients' calls together; here CONFIG_MAX_CALLS is
//   keepalive_required    libvirt itself has not acted on them for a long time
//   ovs_timeout           Open vSwitch is not driven
// The limits of workers and queued clients are kept for virt-admin; one thread does the work and
// the kernel's backlog is the queue.
static const struct conf_key keys[] = {
    {KEY(CONF_BOOL, listen_tls), .check = check_tls},
    {KEY(CONF_BOOL, listen_tcp)},
    {KEY(CONF_STRING, tls_port), .check = check_not_empty},
    {KEY(CONF_STRING, tcp_port), .check = check_not_empty},
    {KEY(CONF_STRING, listen_addr)},
    {KEY(CONF_STRING, unix_sock_group)},
    {KEY(CONF_STRING, unix_sock_ro_perms), .convert = convert_mode},
    {KEY(CONF_STRING, unix_sock_rw_perms), .convert = convert_mode},
    {KEY(CONF_STRING, unix_sock_admin_perms), .convert = convert_mode},
    {KEY(CONF_STRING, unix_sock_dir)},
    {KEY(CONF_STRING, auth_unix_ro), .convert = convert_auth},
    {KEY(CONF_STRING, auth_unix_rw), .convert = convert_auth},
    {KEY(CONF_STRING, auth_tcp), .convert = convert_auth},
    {KEY(CONF_STRING, auth_tls), .convert = convert_auth},
    {KEY(CONF_LIST, access_drivers), .check = check_access_drivers},
    {KEY(CONF_LIST, sasl_allowed_username_list)},
    {KEY(CONF_UINT32, tcp_min_ssf), .check = check_ssf},
    {KEY(CONF_STRING, key_file)},
    {KEY(CONF_STRING, cert_file)},
    {KEY(CONF_STRING, ca_file)},
    {KEY(CONF_STRING, crl_file)},
    {KEY(CONF_BOOL, tls_no_sanity_certificate)},
    {KEY(CONF_BOOL, tls_no_verify_certificate)},
    {KEY(CONF_LIST, tls_allowed_dn_list)},
    {KEY(CONF_STRING, tls_priority)},
    {KEY(CONF_UINT32, max_clients)},
    {KEY(CONF_UINT32, max_anonymous_clients)},
    {KEY(CONF_UINT32, max_client_requests)},
    {KEY(CONF_UINT32, min_workers)},
    {KEY(CONF_UINT32, max_workers), .check = check_workers},
    {KEY(CONF_UINT32, prio_workers)},
    {KEY(CONF_UINT32, admin_max_clients)},
    {KEY(CONF_UINT32, admin_max_client_requests)},
    {KEY(CONF_UINT32, admin_min_workers)},
    {KEY(CONF_UINT32, admin_max_workers), .check = check_workers},
    {KEY(CONF_INT32, keepalive_interval)},
    {KEY(CONF_UINT32, keepalive_count)},
    {KEY(CONF_INT32, admin_keepalive_interval)},
    {KEY(CONF_UINT32, admin_keepalive_count)},
    {KEY(CONF_UINT32, log_level), .max = LOG_LEVEL_ERROR},
    {KEY(CONF_STRING, log_filters), .check = check_log_filters},
    {KEY(CONF_STRING, log_outputs), .check = check_log_outputs},
    {KEY(CONF_STRING, host_uuid), .check = check_uuid},
    {.name = "host_uuid_source",
     .type = CONF_STRING,
     .offset = offsetof(struct settings, host_uuid_is_machine_id),
     .convert = convert_uuid_source},
    {.name = "audit_level", .type = CONF_UINT32, .max = 2, .check = check_audit_level},
    {KEY(CONF_BOOL, audit_logging)},
    {KEY(CONF_BOOL, mdns_adv), .check = check_mdns},
    {KEY(CONF_STRING, mdns_name), .check = check_mdns_name},
    {.name = "max_requests", .type = CONF_ANY, .idle = true},
    {.name = "max_queued_clients", .type = CONF_ANY, .idle = true},
    {.name = "admin_max_queued_clients", .type = CONF_ANY, .idle = true},
    {.name = "keepalive_required", .type = CONF_ANY, .idle = true},
    {.name = "admin_keepalive_required", .type = CONF_ANY, .idle = true},
    {.name = "ovs_timeout", .type = CONF_ANY, .idle = true},
};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

static size_t index_of(const char *name)
{
    size_t i = 0;
    while (strcmp(keys[i].name, name) != 0)
        i++;
    return i;
}

void settings_default(struct settings *settings)
{
    *settings = (struct settings){
        .listen_tls = TLS_IS_BUILT,
        .tls_port = "16514",
        .tcp_port = "16509",
        .unix_sock_ro_perms = 0777,
        .unix_sock_rw_perms = 0700,
        .unix_sock_admin_perms = 0700,
        .auth_tcp = AUTH_SASL,
        .tcp_min_ssf = 112,
        .max_clients = 5000,
        .max_anonymous_clients = 20,
        .max_client_requests = 5,
        .min_workers = 5,
        .max_workers = 20,
        .prio_workers = 5,
        .admin_max_clients = 5000,
        .admin_max_client_requests = 5,
        .admin_min_workers = 5,
        .admin_max_workers = 20,
        .keepalive_interval = 5,
        .keepalive_count = 5,
        .admin_keepalive_interval = 5,
        .admin_keepalive_count = 5,
    };
}

// libvirtd's default for TCP is SASL. Nobody is to find out later that it was nothing, or that all
// that followed the password could be read and changed: what encrypts is a mechanism such as
// GSSAPI, and SCRAM is none.
static const char sasl_over_tcp[] =
#ifdef CONFIG_SASL
    "auth_tcp is \"sasl\" unless it is set, and no mechanism of this daemon encrypts; set "
    "tcp_min_ssf "
    "= 0 to have users log in over a network that is safe without, or auth_tcp = \"none\" to let "
    "everybody in";
#else
    "auth_tcp is \"sasl\" unless it is set, and SASL is not built into this daemon; set auth_tcp = "
    "\"none\" to let everybody in";
#endif

bool settings_load(struct settings *settings, struct slice text, const char *file,
                   struct error *err)
{
    uint32_t lines[KEY_COUNT];
    struct conf conf = {
        .keys = keys, .key_count = KEY_COUNT, .base = settings, .lines = lines, .file = file};
    settings_default(settings);
    if (!conf_read(&conf, text, err))
        return false;
    if (settings->listen_tcp && settings->auth_tcp == AUTH_SASL && settings->tcp_min_ssf)
        return conf_refuse(&conf, index_of("listen_tcp"), sasl_over_tcp, err);
    return true;
}
