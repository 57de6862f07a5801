// Calls to running guests: by their agents, by their monitors, and clients of their displays, which
// pass descriptors both ways.
#include "test/sim/world.h"

#include "proto/qemu.h"
#include "virt/domain/domain_constants.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// ---- agents and monitors ------------------------------------------------------------------------

static void build_agent_command(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    static const char *const commands[] = {
        "{\"execute\":\"guest-ping\"}",
        "{\"execute\":\"guest-get-osinfo\"}",
        "{\"execute\":\"guest-get-time\"}",
        "{\"execute\":\"guest-nothing\",\"arguments\":{\"a\":[1,2,{\"b\":null}]}}",
        "{\"execute\":", // is refused
    };
    static const int32_t limits[] = {-1, 0, 1, 5, 60, -3}; // -2 is a wait for ever
    struct qemu_domain_agent_command_args args = {
        .dom = domain_of(client->driver, call->name),
        .cmd = slice_of(commands[sim_random(5)]),
        .timeout = limits[sim_random(6)],
    };
    xdr_encode(w, XDR_TYPE(qemu_domain_agent_command_args), &args);
}

static void build_monitor_command(struct client *client, struct sent_call *call,
                                  struct xdr_writer *w)
{
    static const char *const commands[] = {
        "{\"execute\":\"query-version\"}",
        "{\"execute\":\"query-status\",\"id\":\"mine\"}",
        "{\"execute\":\"nothing\"}",
        "info status",
    };
    struct qemu_domain_monitor_command_args args = {.dom = domain_of(client->driver, call->name),
                                                    .cmd = slice_of(commands[sim_random(4)]),
                                                    .flags = sim_chance(300)};
    xdr_encode(w, XDR_TYPE(qemu_domain_monitor_command_args), &args);
}

// A domain and a number: flags, or which of the agent's answers are wanted.
static void build_flags(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_get_hostname_args args = {.dom = domain_of(client->driver, call->name)};
    if (call->procedure == REMOTE_PROC_DOMAIN_GET_HOSTNAME)
        args.flags = VIR_DOMAIN_GET_HOSTNAME_AGENT;
    xdr_encode(w, XDR_TYPE(remote_domain_get_hostname_args), &args);
}

static void build_set_time(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_set_time_args args = {.dom = domain_of(client->driver, call->name),
                                               .seconds = 1700000000};
    xdr_encode(w, XDR_TYPE(remote_domain_set_time_args), &args);
}

static void build_addresses(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_interface_addresses_args args = {
        .dom = domain_of(client->driver, call->name),
        .source = VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT};
    xdr_encode(w, XDR_TYPE(remote_domain_interface_addresses_args), &args);
}

static void build_guest_info(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_get_guest_info_args args = {.dom = domain_of(client->driver, call->name),
                                                     .types = (uint32_t)sim_random(128)};
    xdr_encode(w, XDR_TYPE(remote_domain_get_guest_info_args), &args);
}

// Of all file systems.
static void build_freeze(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_nonnull_domain domain = domain_of(client->driver, call->name);
    xdr_encode(w, XDR_TYPE(remote_nonnull_domain), &domain);
    xdr_put_u32(w, 0);
    xdr_put_u32(w, 0);
}

// ---- displays: who is let in is greeted by the emulator with the guest's name

static void build_graphics(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_open_graphics_args args = {.dom = domain_of(client->driver, call->name)};
    if (sim_chance(200))
        args.flags = VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH;
    args.idx = sim_chance(50);
    xdr_encode(w, XDR_TYPE(remote_domain_open_graphics_args), &args);
}

// The client keeps one end of a pair and sends the other.
static void build_brought_graphics(struct client *client, struct sent_call *call,
                                   struct xdr_writer *w)
{
    int ends[2];
    bool may = !client->network && client->passenger < 0;
    struct display *display = may ? display_new(client, call->name) : NULL;
    if (display) { // else it is refused without a descriptor
        sim_pair(ends, &client->actor);
        display->handle = ends[0];
        client->passenger = ends[1];
        xdr_put_u32(w, 1);
    }
    build_graphics(client, call, w);
}

static void display_came(struct client *client, struct sent_call *call, const uint8_t *body,
                         size_t len)
{
    (void)body, (void)len;
    if (client->arrived < 0)
        sim_fail("client %d was to get a descriptor", client->index);
    struct display *display = display_new(client, call->name);
    if (!display)
        sim_close(client->arrived);
    else
        display->handle = client->arrived;
    client->arrived = -1;
}

struct display *display_new(struct client *client, int name)
{
    for (int i = 0; i < DISPLAYS_A_CLIENT; i++) {
        struct display *display = &client->displays[i];
        if (display->handle >= 0)
            continue;
        *display = (struct display){.handle = -1, .name = name};
        return display;
    }
    return NULL;
}

// Until the other side closes it. A greeting is that of the guest that was asked for.
static void look_at(struct client *client, struct display *display)
{
    char name[16], wanted[32];
    ptrdiff_t got = sim_read(display->handle, display->text + display->len,
                             sizeof(display->text) - display->len);
    if (got == -EAGAIN)
        return;
    name_of(client->driver, display->name, name);
    int len = snprintf(wanted, sizeof(wanted), "RFB for %s\n", name);
    display->len += got > 0 ? (size_t)got : 0;
    if (display->len > (size_t)len || memcmp(display->text, wanted, display->len) != 0)
        sim_fail("client %d is at '%.*s' instead of the display of %s", client->index,
                 (int)display->len, display->text, name);
    if (got <= 0 || display->len == (size_t)len) {
        sim_close(display->handle);
        display->handle = -1;
    }
}

void displays_step(struct client *client)
{
    for (int i = 0; i < DISPLAYS_A_CLIENT; i++)
        if (client->displays[i].handle >= 0)
            look_at(client, &client->displays[i]);
}

void displays_forget(struct client *client)
{
    for (int i = 0; i < DISPLAYS_A_CLIENT; i++)
        client->displays[i].handle = -1;
}

void displays_close(struct client *client)
{
    for (int i = 0; i < DISPLAYS_A_CLIENT; i++)
        if (client->displays[i].handle >= 0)
            sim_close(client->displays[i].handle);
    displays_forget(client);
}

// ---- the table ----------------------------------------------------------------------------------

const struct call_kind guest_kinds[GUEST_KINDS] = {
    {.program = &qemu_program,
     .procedure = QEMU_PROC_DOMAIN_AGENT_COMMAND,
     .weight = 50,
     .build = build_agent_command,
     .guests = true,
     .qemu_only = true},
    {.program = &qemu_program,
     .procedure = QEMU_PROC_DOMAIN_MONITOR_COMMAND,
     .weight = 15,
     .build = build_monitor_command,
     .guests = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_DOMAIN_GET_TIME,
     .weight = 15,
     .build = build_flags,
     .guests = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_DOMAIN_SET_TIME,
     .weight = 8,
     .build = build_set_time,
     .guests = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_DOMAIN_GET_HOSTNAME,
     .weight = 8,
     .build = build_flags,
     .guests = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_DOMAIN_GET_FSINFO,
     .weight = 8,
     .build = build_flags,
     .guests = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_DOMAIN_INTERFACE_ADDRESSES,
     .weight = 8,
     .build = build_addresses,
     .guests = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_DOMAIN_GET_GUEST_INFO,
     .weight = 15,
     .build = build_guest_info,
     .guests = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_DOMAIN_FSFREEZE,
     .weight = 8,
     .build = build_freeze,
     .guests = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_DOMAIN_FSTHAW,
     .weight = 8,
     .build = build_freeze,
     .guests = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_DOMAIN_OPEN_GRAPHICS,
     .weight = 25,
     .build = build_brought_graphics,
     .guests = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_DOMAIN_OPEN_GRAPHICS_FD,
     .weight = 25,
     .build = build_graphics,
     .done = display_came,
     .guests = true,
     .qemu_only = true},
};
