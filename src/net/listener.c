// Listeners: accepting clients, as long as there is room for them.
//
// While max_clients of a server are connected nobody is accepted for it; who comes then waits in
// the kernel's queue.
#include "net/listener.h"

#include "core/log.h"
#include "core/loop.h"
#include "net/transport.h"
#include "rpc/client.h"

#include <errno.h>
#include <string.h>

#define LISTENERS_MAX     16
#define ACCEPTS_A_TURN    16
#define NO_DESCRIPTORS_NS NS_PER_SEC // how long to wait when the process has no descriptor left

struct listener {
    struct watch watch; // first
    struct admission admission;
    char path[PORT_PATH_MAX]; // of a unix socket, else ""
};

static struct listener listeners[LISTENERS_MAX];
static size_t count;
static struct timer retry;
static struct client_hook client_gone_hook;

void listener_reconsider(void)
{
    for (size_t i = 0; i < count; i++)
        loop_watch_for(&listeners[i].watch, PORT_POLL_IN);
}

// Of one server, or (NULL) of all.
static void rest(const struct server *server)
{
    for (size_t i = 0; i < count; i++)
        if (!server || listeners[i].admission.server == server)
            loop_watch_rest(&listeners[i].watch);
}

static void retry_now(struct timer *timer)
{
    (void)timer;
    listener_reconsider();
}

static void a_client_went(struct client *client)
{
    (void)client;
    if (!timer_running(&retry))
        timer_start(&retry, 0, retry_now);
}

static void ready(struct watch *watch, short events)
{
    (void)events;
    const struct admission *admission = &((struct listener *)(void *)watch)->admission;
    for (int i = 0; i < ACCEPTS_A_TURN && client_room(admission->server); i++) {
        struct port_peer peer;
        int fd = port_accept(watch->fd, &peer);
        if (fd >= 0) {
            client_add(fd, admission, &peer);
            continue;
        }
        if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS) {
            log_error("net", "cannot accept a client: %s", strerror(-fd));
            rest(NULL);
            timer_start(&retry, NO_DESCRIPTORS_NS, retry_now);
        }
        return;
    }
    if (!client_room(admission->server))
        rest(admission->server);
}

static struct listener *add(int fd, const struct admission *admission, struct error *err)
{
    if (count == LISTENERS_MAX) {
        port_close(fd);
        error_set(err, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                  "too many listening sockets: limit is %d", LISTENERS_MAX);
        return NULL;
    }
    struct listener *listener = &listeners[count];
    memset(listener, 0, sizeof(*listener));
    listener->admission = *admission;
    if (!loop_watch(&listener->watch, fd, PORT_POLL_IN, ready, err)) {
        port_close(fd);
        return NULL;
    }
    if (count++ == 0) {
        client_gone_hook.gone = a_client_went;
        client_on_gone(&client_gone_hook);
    }
    return listener;
}

bool listener_add_unix(const char *path, uint32_t mode, uint32_t gid,
                       const struct admission *admission, struct error *err)
{
    int fd = port_listen_unix(path, mode, gid);
    if (fd < 0)
        return error_set(err, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR,
                         "Failed to bind socket to '%s': %s", path, strerror(-fd));
    struct listener *listener = add(fd, admission, err);
    if (!listener)
        return false;
    if (!slice_copy(listener->path, sizeof(listener->path), slice_of(path)))
        listener->path[0] = '\0';
    return true;
}

bool listener_add_fd(int fd, const struct admission *admission, struct error *err)
{
    return add(fd, admission, err) != NULL;
}

bool listener_add_tcp(const char *address, const char *service, const struct admission *admission,
                      struct error *err)
{
    int fds[8];
    int n = port_listen_tcp(address, service, fds, sizeof(fds) / sizeof(fds[0]));
    if (n < 0)
        return error_set(err, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR,
                         "Unable to listen on address '%s' port '%s': %s", address ? address : "*",
                         service, strerror(-n));
    bool good = true;
    for (int i = 0; i < n; i++) {
        if (good)
            good = add(fds[i], admission, err) != NULL;
        else
            port_close(fds[i]);
    }
    return good;
}

uint16_t listener_port(const char *transport)
{
    for (size_t i = 0; i < count; i++) {
        struct port_peer local;
        if (strcmp(listeners[i].admission.transport->name, transport) == 0 &&
            port_local_address(listeners[i].watch.fd, &local) == 0)
            return local.port;
    }
    return 0;
}

void listener_close_all(void)
{
    for (size_t i = 0; i < count; i++) {
        int fd = listeners[i].watch.fd;
        loop_unwatch(&listeners[i].watch);
        port_close(fd);
        if (listeners[i].path[0])
            port_unlink(listeners[i].path);
    }
    count = 0;
    timer_stop(&retry);
}
