// libvirtd.conf: the settings of the daemon.
#ifndef CORE_SETTINGS_H
#define CORE_SETTINGS_H

#include "auth/identity.h"
#include "core/conf.h"
#include "core/error.h"

#define SETTING_MAX      256 // bytes of a string with its NUL
#define SETTING_PATH_MAX 1024

// Every setting that has an effect, or will have one as soon as what it belongs to is built.
struct settings {
    bool listen_tls, listen_tcp; // both only with --listen
    char tls_port[SETTING_MAX], tcp_port[SETTING_MAX];
    char listen_addr[SETTING_MAX]; // "": every address

    char unix_sock_group[SETTING_MAX];                                      // "": ours
    uint32_t unix_sock_ro_perms, unix_sock_rw_perms, unix_sock_admin_perms; // file modes
    char unix_sock_dir[SETTING_PATH_MAX];                                   // "": the run directory

    enum auth_scheme auth_unix_ro, auth_unix_rw, auth_tcp, auth_tls;
    struct conf_list access_drivers;
    struct conf_list sasl_allowed_username_list;
    uint32_t tcp_min_ssf;

    char key_file[SETTING_PATH_MAX], cert_file[SETTING_PATH_MAX]; // "": libvirt's places
    char ca_file[SETTING_PATH_MAX], crl_file[SETTING_PATH_MAX];
    bool tls_no_sanity_certificate, tls_no_verify_certificate;
    struct conf_list tls_allowed_dn_list;
    char tls_priority[SETTING_MAX];

    uint32_t max_clients, max_anonymous_clients, max_client_requests;
    uint32_t admin_max_clients, admin_max_client_requests;
    uint32_t min_workers, max_workers, prio_workers; // virt-admin shows them; there are no threads
    uint32_t admin_min_workers, admin_max_workers;   // likewise
    int32_t keepalive_interval, admin_keepalive_interval; // seconds; 0 or less: none
    uint32_t keepalive_count, admin_keepalive_count;

    uint32_t log_level; // enum log_level; 0: the default
    char log_filters[SETTING_PATH_MAX], log_outputs[SETTING_PATH_MAX];

    bool audit_logging;
    bool mdns_adv;
    char mdns_name[SETTING_MAX]; // "": made from the host's name

    char host_uuid[SETTING_MAX];  // "": from host_uuid_source
    bool host_uuid_is_machine_id; // host_uuid_source
};

// libvirt's values for a daemon without polkit; listen_tls is set, as in libvirtd, where TLS is
// built.
void settings_default(struct settings *settings);
// The defaults, and over them the text of a libvirtd.conf; `file` is its name for messages. A name
// that libvirt does not know, a bad value, and a setting that asks for what is not built are
// refused with file and line: VIR_ERR_CONF_SYNTAX, VIR_ERR_CONFIG_UNSUPPORTED.
bool settings_load(struct settings *settings, struct slice text, const char *file,
                   struct error *err);

#endif
