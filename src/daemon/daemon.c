// The daemon: start-up in its order, signals, the time-out, and the end.
#include "daemon/daemon.h"

#include "core/child.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/paths.h"
#include "core/settings.h"
#include "daemon/pid_file.h"
#include "net/listener.h"
#include "proto/qemu.h"
#include "proto/remote.h"
#include "rpc/client.h"
#include "rpc/dispatch.h"
#include "virt/connection.h"
#include "virt/handlers.h"
#include "virt/hypervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct settings settings;
static struct watch signals;
static struct timer idle;
static uint32_t idle_seconds;

static struct server libvirtd_server = {.name = "libvirtd"};
static struct service remote_service = {
    .program = &remote_program,
    .handler = handlers_find_remote,
    .gate = connection_gate,
};
static struct service qemu_service = {
    .program = &qemu_program,
    .handler = handlers_find_qemu,
    .gate = connection_gate,
};

// ---- signals and the time-out

static void take_signals(struct watch *watch, short events)
{
    (void)events;
    enum port_signal signal;
    while ((signal = port_signals_take(watch->fd)) != PORT_SIGNAL_NONE) {
        if (signal == PORT_SIGNAL_CHILD)
            child_reap();
        else if (signal == PORT_SIGNAL_TERMINATE)
            loop_stop(0);
        else if (signal == PORT_SIGNAL_RELOAD)
            log_info("daemon", "nothing to reload");
    }
}

static bool something_runs(void)
{
    for (size_t i = 0; hypervisors[i]; i++) {
        const struct hypervisor *hypervisor = hypervisors[i];
        for (struct domain *domain = domain_next(hypervisor, NULL); domain;
             domain = domain_next(hypervisor, domain))
            if (hypervisor->keeps_daemon && domain_active(domain))
                return true;
    }
    return false;
}

// Every second, so that no event of the server has to know about it.
static void count_idle(struct timer *timer)
{
    static uint32_t seconds;
    seconds = client_count() || something_runs() ? 0 : seconds + 1;
    if (seconds >= idle_seconds)
        loop_stop(0);
    else
        timer_start(timer, NS_PER_SEC, count_idle);
}

// ---- start-up

static bool make_directories(struct error *err)
{
    const struct paths *p = paths();
    const char *const directories[] = {p->config, p->run, p->lib, p->log, p->cache};
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        int result = port_make_directories(directories[i], 0755);
        if (result < 0)
            return error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                             "unable to create directory %s: %s", directories[i],
                             strerror(-result));
    }
    return true;
}

static bool start_signals(struct error *err)
{
    int fd = port_signals_open();
    if (fd < 0)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "cannot set up signals: %s",
                         strerror(-fd));
    return loop_watch(&signals, fd, PORT_POLL_IN, take_signals, err);
}

static bool start_hypervisors(struct error *err)
{
    for (size_t i = 0; hypervisors[i]; i++)
        if (hypervisors[i]->initialize && !hypervisors[i]->initialize(err))
            return false;
    return true;
}

static bool listen_unix(const char *name, uint32_t mode, const struct admission *admission,
                        struct error *err)
{
    const char *directory = settings.unix_sock_dir[0] ? settings.unix_sock_dir : paths()->run;
    const char *path = paths_join(directory, name);
    if (!path)
        return error_set(err, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "the path of %s is too long",
                         name);
    uint32_t group = (uint32_t)-1;
    if (settings.unix_sock_group[0] && port_group_lookup(settings.unix_sock_group, &group) < 0)
        return error_set(err, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                         "unix_sock_group: there is no group '%s'", settings.unix_sock_group);
    return listener_add_unix(path, mode, group, admission, err);
}

static bool start_listening(const struct options *options, struct error *err)
{
    const struct admission read_write = {
        .server = &libvirtd_server, .transport = &transport_unix, .auth = settings.auth_unix_rw};
    const struct admission read_only = {.server = &libvirtd_server,
                                        .transport = &transport_unix,
                                        .auth = settings.auth_unix_ro,
                                        .read_only = true};
    const struct admission tcp = {
        .server = &libvirtd_server, .transport = &transport_tcp, .auth = settings.auth_tcp};
    const char *address = settings.listen_addr[0] ? settings.listen_addr : NULL;
    if (!listen_unix("libvirt-sock", settings.unix_sock_rw_perms, &read_write, err))
        return false;
    if (!paths()->session &&
        !listen_unix("libvirt-sock-ro", settings.unix_sock_ro_perms, &read_only, err))
        return false;
    return !options->listen || !settings.listen_tcp ||
           listener_add_tcp(address, settings.tcp_port, &tcp, err);
}

static bool read_settings(const struct options *options, struct error *err)
{
    static char text[65536];
    settings_default(&settings);
    const char *file =
        options->config ? options->config : paths_join(paths()->config, "libvirtd.conf");
    ptrdiff_t len = file ? port_file_read(file, text, sizeof(text)) : -ENAMETOOLONG;
    if (len == -ENOENT && !options->config)
        return true;
    if (len < 0)
        return error_set(err, VIR_FROM_CONF, VIR_ERR_SYSTEM_ERROR, "Failed to read '%s': %s", file,
                         strerror((int)-len));
    return settings_load(&settings, (struct slice){text, (size_t)len}, file, err);
}

static bool start_log(const struct options *options, struct error *err)
{
    if (settings.log_level)
        log_set_level((enum log_level)settings.log_level);
    else if (options->verbose)
        log_set_level(LOG_LEVEL_INFO);
    if (!log_set_filters(slice_of(settings.log_filters), err))
        return false;
    if (settings.log_outputs[0])
        return log_set_outputs(slice_of(settings.log_outputs), err);
    return log_set_default_output(options->daemon, paths_join(paths()->log, "libvirtd.log"), err);
}

static void add_servers(void)
{
    libvirtd_server.limits = (struct server_limits){
        .max_clients = settings.max_clients,
        .max_anonymous_clients = settings.max_anonymous_clients,
        .max_client_requests = settings.max_client_requests,
        .keepalive_interval = settings.keepalive_interval,
        .keepalive_count = settings.keepalive_count,
    };
    server_add(&libvirtd_server);
    dispatch_serve(&libvirtd_server, &remote_service);
    dispatch_serve(&libvirtd_server, &qemu_service);
}

static bool start(const struct options *options, struct error *err)
{
    if (!read_settings(options, err) || !make_directories(err) || !start_log(options, err) ||
        !pid_file_take(options, err) || !start_signals(err))
        return false;
    add_servers();
    connection_init();
    if (!start_hypervisors(err) || !start_listening(options, err))
        return false;
    idle_seconds = options->timeout;
    if (idle_seconds)
        timer_start(&idle, NS_PER_SEC, count_idle);
    return true;
}

int daemon_run(const struct options *options)
{
    struct error err = {0};
    if (options->daemon && port_daemonize() < 0) {
        fprintf(stderr, "nanovirtd: cannot become a daemon\n");
        return 1;
    }
    if (!paths_choose(options->root, port_uid() != 0, &err) || !start(options, &err)) {
        fprintf(stderr, "nanovirtd: %s\n", err.message);
        port_daemon_ready(1);
        return 1;
    }
    port_daemon_ready(0);
    int status = loop_run();
    listener_close_all();
    client_close_all();
    pid_file_remove();
    return status;
}
