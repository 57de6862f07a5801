// The daemon: start-up in its order, signals, and the end.
#include "daemon/daemon.h"

#include "core/child.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/paths.h"
#include "core/settings.h"
#include "daemon/activation.h"
#include "daemon/idle.h"
#include "daemon/pid_file.h"
#include "daemon/rules.h"
#include "daemon/servers.h"
#include "mdns/mdns.h"
#include "net/listener.h"
#include "net/transport.h"
#include "rpc/client.h"
#include "virt/access.h"
#include "virt/connection.h"
#include "virt/node/node.h"
#include "virt/domain/domain_audit.h"
#include "virt/domain/domain_console.h"
#include "virt/hypervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct settings settings;
static struct watch signals;

// ---- signals

// Keys and certificates, as libvirtd does, and the access rules.
static void reload_now(void)
{
    struct error err = {0};
    if (transport_reload(&err))
        log_info("daemon", "keys and certificates were read again");
    else
        log_error("daemon", "keys and certificates are not read again: %s", err.message);
    rules_reload();
    domain_console_rules_changed();
}

// The disk may let whoever reads from it wait, so a worker does so first.
static struct worker reader;
static bool reader_runs, reload_again;

static int read_ahead(void *argument, int out)
{
    (void)argument, (void)out;
    transport_read_ahead();
    rules_read_ahead();
    return 0;
}

static void reload(struct task *task)
{
    struct error err = {0};
    if (reader_runs) {
        if (!worker_done(&reader))
            return;
        reader_runs = false;
        reload_now();
        if (!reload_again)
            return;
    }
    reload_again = false;
    reader_runs = worker_start(&reader, read_ahead, NULL, NULL, task, &err);
    if (!reader_runs)
        reload_now();
}

static struct task reloading = {.run = reload};

static void begin_reload(void)
{
    reload_again = reader_runs;
    if (!reader_runs)
        task_wake(&reloading);
}

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
            begin_reload();
    }
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

#define SSH_PORT 22

// Where clients on other hosts get in: by TLS, else by TCP, else by SSH, which is there most
// likely.
static bool announce(struct error *err)
{
    uint16_t port = listener_port("tls");
    if (!port)
        port = listener_port("tcp");
    return !settings.mdns_adv || mdns_start(settings.mdns_name, port ? port : SSH_PORT, err);
}

static void confine(void)
{
    unsigned done = port_confine();
    if (!(done & PORT_CONFINE_PRIVILEGES))
        log_warning("daemon", "not all privileges that are not needed could be given up");
    if (!(done & PORT_CONFINE_CALLS))
        log_info("daemon", "system calls are not filtered");
}

static bool start(const struct options *options, struct error *err)
{
    if (!activation_start(err) || !read_settings(options, err) || !make_directories(err) ||
        !start_log(options, err) || !rules_start(&settings, err) || !pid_file_take(options, err) ||
        !start_signals(err))
        return false;
    servers_add(&settings);
    connection_init();
    node_choose_host_uuid(settings.host_uuid, settings.host_uuid_is_machine_id);
    access_init();
    domain_audit_start(settings.audit_logging);
    if (!start_hypervisors(err) || !servers_listen(&settings, options->listen, err) ||
        !announce(err))
        return false;
    confine();
    idle_set_timeout(options->timeout);
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
    activation_tell("READY=1");
    int status = loop_run();
    activation_tell("STOPPING=1");
    mdns_stop();
    listener_close_all();
    client_close_all();
    pid_file_remove();
    return status;
}
