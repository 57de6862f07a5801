// Handlers: consoles and channels of running guests as streams. A device has one user at a time;
// with FORCE, the newer one wins.
#include "core/log.h"
#include "rpc/stream.h"
#include "virt/access.h"
#include "virt/domain/domain_call.h"
#include "virt/domain/domain_console.h"
#include "virt/handlers.h"

#include <string.h>

#define DEVICE_SIZE 128 // of an alias, or a channel's name
#define PATH_SIZE   256

// Who uses which device, by the path that its pty or socket has on this host.
static struct session {
    bool used;
    char path[PATH_SIZE];
    const struct hypervisor *hypervisor;
    uint8_t domain[16];
    struct stream *stream; // NULL while it is being opened
} sessions[CONFIG_MAX_STREAMS];

struct console_state {
    struct domain_call base;
    struct hypervisor_op op;
    struct session *session;
    char device[DEVICE_SIZE];
    char path[PATH_SIZE];
};

// What tells the two kinds apart.
struct console_kind {
    const char *function;    // "DomainOpenConsole"
    uint32_t allowed;        // flags
    uint32_t force;          // of them
    const char *source_type; // that the device must have
    const char *not_found, *wrong_type, *in_use;
    hypervisor_fn *(*op)(const struct hypervisor *hypervisor);
    const struct xml_node *(*find)(const struct xml_node *devices, struct slice name);
};

// The two calls' arguments are the same: libvirt's device of one is the name of the other.
static const struct remote_domain_open_console_args *console_args(const struct call *call)
{
    return CALL_ARGS(call, struct remote_domain_open_console_args);
}

// ---- the device

static struct slice alias_of(const struct xml_node *device)
{
    return xml_attr_at(device, "alias", "name");
}

static const struct xml_node *find_alias(const struct xml_node *devices, const char *kind,
                                         struct slice alias)
{
    XML_EACH (device, devices, kind)
        if (slice_equal(alias_of(device), alias))
            return device;
    return NULL;
}

static const struct xml_node *find_console(const struct xml_node *devices, struct slice name)
{
    static const char *const kinds[] = {"console", "serial", "parallel"};
    const struct xml_node *found = NULL;
    if (!slice_present(name)) {
        found = xml_child(devices, "console");
        return found ? found : xml_child(devices, "serial");
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !found; i++)
        found = find_alias(devices, kinds[i], name);
    return found;
}

static const struct xml_node *find_channel(const struct xml_node *devices, struct slice name)
{
    if (!slice_present(name))
        return xml_child(devices, "channel");
    XML_EACH (channel, devices, "channel") {
        const struct xml_node *target = xml_child(channel, "target");
        if (slice_equal(alias_of(channel), name) ||
            (xml_attr_is(target, "type", "virtio") && slice_equal(xml_attr(target, "name"), name)))
            return channel;
    }
    return NULL;
}

// Finds the device in the live definition and keeps its alias and path.
static bool find_device(struct call *call, struct console_state *s, const struct console_kind *kind)
{
    const struct domain *domain = s->base.domain;
    struct slice name = console_args(call)->dev_name;
    const struct xml_node *tree = definition_tree(domain, DEFINITION_LIVE, &call->error);
    if (!tree)
        return false;
    const struct xml_node *device = kind->find(xml_child(tree, "devices"), name);
    struct slice shown = slice_present(name) ? name : SLICE("(null)");
    if (!device)
        return error_set(&call->error, domain->hypervisor->error_domain, VIR_ERR_INTERNAL_ERROR,
                         "%s %.*s", kind->not_found, SLICE_ARG(shown));
    shown = slice_present(name) ? name : alias_of(device);
    if (!xml_attr_is(device, "type", kind->source_type))
        return error_set(&call->error, domain->hypervisor->error_domain, VIR_ERR_INTERNAL_ERROR,
                         kind->wrong_type, SLICE_ARG(shown));
    if (!slice_copy(s->device, sizeof(s->device), alias_of(device)) ||
        !slice_copy(s->path, sizeof(s->path), xml_attr_at(device, "source", "path")))
        return error_set(&call->error, domain->hypervisor->error_domain, VIR_ERR_INTERNAL_ERROR,
                         "name or path of the device is too long");
    return true;
}

// ---- sessions

static struct session *session_of(const char *path)
{
    for (size_t i = 0; i < CONFIG_MAX_STREAMS; i++)
        if (sessions[i].used && strcmp(sessions[i].path, path) == 0)
            return &sessions[i];
    return NULL;
}

static bool take_session(struct call *call, struct console_state *s,
                         const struct console_kind *kind)
{
    struct session *other = session_of(s->path);
    if (other && other->stream && (console_args(call)->flags & kind->force)) {
        stream_abort(other->stream, NULL);
        other = session_of(s->path);
    }
    if (other)
        return error_set(&call->error, s->base.domain->hypervisor->error_domain,
                         VIR_ERR_OPERATION_FAILED, "%s", kind->in_use);
    for (size_t i = 0; i < CONFIG_MAX_STREAMS && !s->session; i++)
        if (!sessions[i].used)
            s->session = &sessions[i];
    if (!s->session)
        return error_set(&call->error, VIR_FROM_STREAMS, VIR_ERR_OPERATION_FAILED,
                         "too many streams: limit is %d, CONFIG_MAX_STREAMS", CONFIG_MAX_STREAMS);
    *s->session = (struct session){.used = true, .hypervisor = s->base.domain->hypervisor};
    memcpy(s->session->domain, s->base.domain->uuid, sizeof(s->session->domain));
    memcpy(s->session->path, s->path, sizeof(s->path));
    return true;
}

static void end_session(void *data)
{
    struct session *session = data;
    session->used = false;
}

// ---- the rules, which may change while a call waits and while a stream is open

static bool may_keep(const struct session *session, const struct client *client, int32_t procedure)
{
    const struct domain *domain = domain_by_uuid(session->hypervisor, session->domain);
    return !domain || access_may_keep(client, procedure, domain);
}

static void deny(const struct session *session, const struct client *client, struct error *err)
{
    log_warning("access", "client %llu may not have a console or channel open any more",
                (unsigned long long)client->number);
    error_set(err, VIR_FROM_ACCESS, VIR_ERR_ACCESS_DENIED, "'%s' denied access",
              session->hypervisor->type);
}

void domain_console_rules_changed(void)
{
    for (size_t i = 0; i < CONFIG_MAX_STREAMS; i++) {
        struct stream *stream = sessions[i].used ? sessions[i].stream : NULL;
        if (!stream || may_keep(&sessions[i], stream->client, stream->header.proc))
            continue;
        struct error err = {0};
        deny(&sessions[i], stream->client, &err);
        stream_abort(stream, &err);
    }
}

// ---- the calls

static bool console_open(struct call *call, struct console_state *s,
                         const struct console_kind *kind)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return false;
    if (!kind->op(hypervisor)) {
        call_unsupported(call);
        return false;
    }
    if (!call_driver_flags(call, hypervisor, console_args(call)->flags, kind->allowed,
                           kind->function) ||
        !domain_call_open(call, &s->base, &console_args(call)->dom))
        return false;
    if (domain_check_active(s->base.domain, &call->error) && find_device(call, s, kind) &&
        take_session(call, s, kind)) {
        s->op = (struct hypervisor_op){.task = &call->task,
                                       .err = &call->error,
                                       .domain = s->base.domain,
                                       .flags = console_args(call)->flags,
                                       .channel = {.device = s->device, .fd = -1}};
        return true;
    }
    domain_call_close(call, &s->base);
    return false;
}

static void console_finish(struct call *call, struct console_state *s)
{
    bool opened = !error_is_set(&call->error);
    if (opened && call->client && !may_keep(s->session, call->client, call->header.proc)) {
        deny(s->session, call->client, &call->error);
        port_close(s->op.channel.fd);
    } else if (opened) {
        s->session->stream = stream_open(
            call, s->op.channel.fd, STREAM_TO_CLIENT | STREAM_FROM_CLIENT, end_session, s->session);
    }
    if (!s->session->stream)
        end_session(s->session);
    domain_call_close(call, &s->base);
}

static enum co_status console_run(struct call *call, const struct console_kind *kind)
{
    struct console_state *s = CALL_STATE(call, struct console_state);

    CO_BEGIN(&call->co);
    if (!console_open(call, s, kind))
        CO_RETURN(&call->co);
    CO_CALL(&call->co, kind->op(s->base.domain->hypervisor)(&s->op));
    console_finish(call, s);
    CO_END(&call->co);
}

static hypervisor_fn *console_op(const struct hypervisor *hypervisor)
{
    return hypervisor->open_console;
}

static enum co_status open_console(struct call *call)
{
    static const struct console_kind kind = {
        .function = "DomainOpenConsole",
        .allowed = VIR_DOMAIN_CONSOLE_SAFE | VIR_DOMAIN_CONSOLE_FORCE,
        .force = VIR_DOMAIN_CONSOLE_FORCE,
        .source_type = "pty",
        .not_found = "cannot find character device",
        .wrong_type = "character device %.*s is not using a PTY",
        .in_use = "Active console session exists for this domain",
        .op = console_op,
        .find = find_console,
    };
    return console_run(call, &kind);
}

static hypervisor_fn *channel_op(const struct hypervisor *hypervisor)
{
    return hypervisor->open_channel;
}

static enum co_status open_channel(struct call *call)
{
    static const struct console_kind kind = {
        .function = "DomainOpenChannel",
        .allowed = VIR_DOMAIN_CHANNEL_FORCE,
        .force = VIR_DOMAIN_CHANNEL_FORCE,
        .source_type = "unix",
        .not_found = "cannot find channel",
        .wrong_type = "channel %.*s is not using a UNIX socket",
        .in_use = "Active channel stream exists for this domain",
        .op = channel_op,
        .find = find_channel,
    };
    return console_run(call, &kind);
}

const struct call_entry domain_console_handlers[] = {
    {REMOTE_PROC_DOMAIN_OPEN_CONSOLE, open_console},
    {REMOTE_PROC_DOMAIN_OPEN_CHANNEL, open_channel},
    {0, NULL},
};
