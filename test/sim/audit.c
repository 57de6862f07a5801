// The audit: the first client looks at every domain while nobody else does anything, and compares
// what is there with what may be there, and what the guests do with what events told of it.
//
// It asks for the persistent definitions, then for each of them and its state; it stays connected
// for the life of the daemon, so that it gets every event.
#include "test/sim/qemu.h"
#include "test/sim/world.h"

#include "virt/domain/domain_constants.h"

#include <string.h>

static struct audit *audit(void)
{
    return &world->audit;
}

static struct client *auditor(void)
{
    return &world->clients[0];
}

bool audit_done(void)
{
    return !audit()->running;
}

static void ask_next(void);

static void absent(struct client *client, struct sent_call *call, const struct message_error *why)
{
    if (client->index == 0)
        sim_fail("the audit's call of %d about domain %d fails: %.*s", call->procedure, call->name,
                 SLICE_ARG(why->message));
}

// ---- each domain --------------------------------------------------------------------------------

// A guest that runs has one emulator, and one that does not has none.
static void check_emulators(int name, int state)
{
    char text[16];
    name_of(DRIVER_QEMU, name, text);
    unsigned wanted = state != VIR_DOMAIN_SHUTOFF;
    if (!audit()->first && auditor()->driver == DRIVER_QEMU && qemu_running(text) != wanted)
        sim_fail("'%s' is in state %d, and %u emulators run for it", text, state,
                 qemu_running(text));
}

static void state_is(struct client *client, struct sent_call *call, const uint8_t *body, size_t len)
{
    struct remote_domain_get_state_ret ret;
    decode(XDR_TYPE(remote_domain_get_state_ret), body, len, &ret);
    struct guest_view *view = &world->model.views[client->driver][call->name];
    // The test driver lets a paused guest run when it is rebooted, and as libvirt's tells nobody.
    bool rebooted = client->driver == DRIVER_TEST && view->state == VIR_DOMAIN_PAUSED &&
                    ret.state == VIR_DOMAIN_RUNNING && ret.reason == VIR_DOMAIN_RUNNING_BOOTED;
    char name[16];
    name_of(DRIVER_QEMU, call->name, name);
    bool deceived = client->driver == DRIVER_QEMU && view->there && qemu_lies(name);
    if ((audit()->first && !view->changed) || rebooted || deceived)
        view->state = ret.state;
    else if (!view->there || view->state != ret.state)
        sim_fail("domain %d is in state %d (reason %d), and by its events in %d", call->name,
                 ret.state, ret.reason, view->there ? view->state : -1);
    check_emulators(call->name, ret.state);
    ask_next();
}

// A transient guest can end by itself after it was listed; an event has told of it then.
static void has_ended(struct client *client, struct sent_call *call,
                      const struct message_error *why)
{
    if (world->model.views[client->driver][call->name].there) {
        absent(client, call, why);
        return;
    }
    check_emulators(call->name, VIR_DOMAIN_SHUTOFF);
    ask_next();
}

static void build_state(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_get_state_args args = {.dom = domain_of(client->driver, call->name)};
    xdr_encode(w, XDR_TYPE(remote_domain_get_state_args), &args);
}

static const struct call_kind state_kind = {.procedure = REMOTE_PROC_DOMAIN_GET_STATE,
                                            .build = build_state,
                                            .done = state_is,
                                            .failed = has_ended};

static void definition_is(struct client *client, struct sent_call *call, const uint8_t *body,
                          size_t len)
{
    struct remote_domain_get_xml_desc_ret ret;
    decode(XDR_TYPE(remote_domain_get_xml_desc_ret), body, len, &ret);
    uint32_t version = model_version(ret.xml);
    if (version == 0 && call->name != NAMES - 1)
        sim_fail("the definition of domain %d is not whole: %.*s", call->name, SLICE_ARG(ret.xml));
    model_found(client->driver, call->name, version);
    client_call(client, &state_kind, call->name);
}

static void build_definition(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_get_xml_desc_args args = {.dom = domain_of(client->driver, call->name),
                                                   .flags = VIR_DOMAIN_XML_INACTIVE};
    xdr_encode(w, XDR_TYPE(remote_domain_get_xml_desc_args), &args);
}

static void not_shown(struct client *client, struct sent_call *call,
                      const struct message_error *why)
{
    (void)client;
    sim_fail("the definition of domain %d can not be shown: %.*s", call->name,
             SLICE_ARG(why->message));
}

static const struct call_kind definition_kind = {.procedure = REMOTE_PROC_DOMAIN_GET_XML_DESC,
                                                 .build = build_definition,
                                                 .done = definition_is,
                                                 .failed = not_shown};

static void check_absent(int name)
{
    struct guest_view *view = &world->model.views[auditor()->driver][name];
    model_found(auditor()->driver, name, 0);
    if (!audit()->first && view->there && view->persistent)
        sim_fail("by its events domain %d is defined, and it is not listed", name);
    if (!audit()->first && view->there && !audit()->active[name] &&
        view->state != VIR_DOMAIN_SHUTOFF)
        sim_fail("by its events domain %d is in state %d, and it is not listed", name, view->state);
}

static void ask_next(void)
{
    while (audit()->next < NAMES) {
        int name = audit()->next++;
        if (audit()->listed[name]) {
            client_call(auditor(), &definition_kind, name);
            return;
        }
        check_absent(name);
        if (!audit()->active[name])
            check_emulators(name, VIR_DOMAIN_SHUTOFF);
        if (audit()->active[name]) {
            client_call(auditor(), &state_kind, name);
            return;
        }
    }
    if (auditor()->driver == DRIVER_QEMU)
        pools_audit(auditor());
    else
        audit_end();
}

void audit_end(void)
{
    sim_trace("the audit is done");
    audit()->running = false;
}

// ---- the lists ----------------------------------------------------------------------------------

static void note_list(struct client *client, const uint8_t *body, size_t len, bool *seen)
{
    struct remote_connect_list_all_domains_ret ret;
    decode(XDR_TYPE(remote_connect_list_all_domains_ret), body, len, &ret);
    struct remote_nonnull_domain domain;
    while (xdr_next(&ret.domains, &domain)) {
        int name = name_number(client->driver, domain.name);
        if (name < 0)
            continue;
        if (seen[name])
            sim_fail("domain %d is listed twice", name);
        seen[name] = true;
    }
}

static void build_list(uint32_t flags, struct xdr_writer *w)
{
    struct remote_connect_list_all_domains_args args = {.need_results = 1, .flags = flags};
    xdr_encode(w, XDR_TYPE(remote_connect_list_all_domains_args), &args);
}

static void build_transient(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)client, (void)call;
    build_list(VIR_CONNECT_LIST_DOMAINS_TRANSIENT, w);
}

static void transient_are(struct client *client, struct sent_call *call, const uint8_t *body,
                          size_t len)
{
    (void)call;
    note_list(client, body, len, audit()->active);
    for (int name = 0; name < NAMES && audit()->first; name++) {
        struct guest_view *view = &world->model.views[client->driver][name];
        if (view->changed)
            continue;
        view->persistent = audit()->listed[name];
        view->there = audit()->listed[name] || audit()->active[name];
    }
    ask_next();
}

static const struct call_kind transient_kind = {.procedure = REMOTE_PROC_CONNECT_LIST_ALL_DOMAINS,
                                                .build = build_transient,
                                                .done = transient_are,
                                                .failed = absent};

static void build_persistent(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)client, (void)call;
    build_list(VIR_CONNECT_LIST_DOMAINS_PERSISTENT, w);
}

static void persistent_are(struct client *client, struct sent_call *call, const uint8_t *body,
                           size_t len)
{
    (void)call;
    note_list(client, body, len, audit()->listed);
    client_call(client, &transient_kind, -1);
}

static const struct call_kind persistent_kind = {.procedure = REMOTE_PROC_CONNECT_LIST_ALL_DOMAINS,
                                                 .build = build_persistent,
                                                 .done = persistent_are,
                                                 .failed = absent};

// ---- before that --------------------------------------------------------------------------------

static void registered(struct client *client, struct sent_call *call, const uint8_t *body,
                       size_t len)
{
    (void)call, (void)body, (void)len;
    client_call(client, &persistent_kind, -1);
}

static void build_register(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)client, (void)call;
    struct remote_connect_domain_event_callback_register_any_args args = {.eventID = 0};
    xdr_encode(w, XDR_TYPE(remote_connect_domain_event_callback_register_any_args), &args);
}

static const struct call_kind register_kind = {
    .procedure = REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY,
    .build = build_register,
    .done = registered,
    .failed = absent};

void audit_begin(enum driver driver, bool first)
{
    sim_trace("an audit of %s begins", driver_uri(driver));
    *audit() = (struct audit){.running = true, .first = first, .driver = driver};
    client_call(auditor(), first ? &register_kind : &persistent_kind, -1);
    sim_wake(&auditor()->actor, 0);
}

// ---- the end of the guests ----------------------------------------------------------------------

static void destroyed(struct client *client, struct sent_call *call, const uint8_t *body,
                      size_t len);
static void not_destroyed(struct client *client, struct sent_call *call,
                          const struct message_error *why);

static const struct call_kind destroy_kind = {.procedure = REMOTE_PROC_DOMAIN_DESTROY_FLAGS,
                                              .build = build_state,
                                              .done = destroyed,
                                              .failed = not_destroyed};

static void destroy_next(void)
{
    while (audit()->next < NAMES) {
        int name = audit()->next++;
        const struct guest_view *view = &world->model.views[auditor()->driver][name];
        if (view->there && view->state != VIR_DOMAIN_SHUTOFF) {
            client_call(auditor(), &destroy_kind, name);
            return;
        }
    }
    audit_begin(audit()->driver, false);
}

static void destroyed(struct client *client, struct sent_call *call, const uint8_t *body,
                      size_t len)
{
    (void)client, (void)call, (void)body, (void)len;
    destroy_next();
}

static void not_destroyed(struct client *client, struct sent_call *call,
                          const struct message_error *why)
{
    (void)client;
    sim_fail("domain %d can not be destroyed: %.*s", call->name, SLICE_ARG(why->message));
}

void audit_destroy(void)
{
    *audit() = (struct audit){.running = true, .driver = auditor()->driver};
    destroy_next();
    sim_wake(&auditor()->actor, 0);
}
