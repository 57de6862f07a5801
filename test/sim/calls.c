// Calls: what clients ask for, and what must hold for the answers.
#include "test/sim/world.h"

#include "test/contract/random_wire.h"
#include "test/sim/qemu.h"
#include "virt/domain/domain_constants.h"

#include <stdio.h>
#include <string.h>

bool decode(const struct xdr_type *type, const uint8_t *body, size_t len, void *into)
{
    struct xdr_reader reader = {body, body + len};
    struct error err = {0};
    return xdr_decode(&reader, type, into, &err);
}

// ---- domains by number --------------------------------------------------------------------------

const char *driver_uri(enum driver driver)
{
    return driver == DRIVER_TEST ? "test:///default" : "qemu:///system";
}

void name_of(enum driver driver, int name, char to[16])
{
    snprintf(to, 16, "%s%d", driver == DRIVER_TEST ? "test-" : "guest-", name);
}

void uuid_of(enum driver driver, int name, uint8_t to[16])
{
    memset(to, 0x40, 16);
    to[14] = (uint8_t)(driver + 1);
    to[15] = (uint8_t)name;
}

struct remote_nonnull_domain domain_of(enum driver driver, int name)
{
    static char text[16];
    struct remote_nonnull_domain domain = {.id = -1};
    name_of(driver, name, text);
    uuid_of(driver, name, domain.uuid);
    domain.name = slice_of(text);
    return domain;
}

int name_number(enum driver driver, struct slice name)
{
    char text[16];
    for (int i = 0; i < NAMES; i++) {
        name_of(driver, i, text);
        if (slice_is(name, text))
            return i;
    }
    return -1;
}

void put_uuid(struct buffer *to, enum driver driver, int name)
{
    uint8_t uuid[16];
    uuid_of(driver, name, uuid);
    for (int i = 0; i < 16; i++)
        buffer_printf(to, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

// Some have an agent, some a display, some a tap.
static void put_guest(struct buffer *to, uint32_t version)
{
    buffer_puts(to,
                "<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><emulator>" QEMU_PATH
                "</emulator><console type='pty'/>");
    if (version % 2)
        buffer_puts(to, "<channel type='unix'><source mode='bind'/>"
                        "<target type='virtio' name='org.qemu.guest_agent.0'/></channel>");
    if (version % 3)
        buffer_puts(to, "<graphics type='vnc' port='-1'/><video><model type='vga'/></video>");
    if (version % 4 == 1)
        buffer_puts(to, "<interface type='bridge'><mac address='52:54:00:00:00:01'/>"
                        "<source bridge='" SIM_BRIDGE "'/></interface>");
    buffer_puts(to, "</devices></domain>");
}

static struct slice definition(enum driver driver, int name, uint32_t version)
{
    static char text[8192];
    char name_text[16];
    struct buffer to = buffer_over(text, sizeof(text));
    name_of(driver, name, name_text);
    buffer_printf(&to, "<domain type='%s'><name>%s</name><uuid>",
                  driver == DRIVER_TEST ? "test" : "qemu", name_text);
    put_uuid(&to, driver, name);
    buffer_puts(&to, "</uuid><description>");
    model_mark(version, &to);
    buffer_printf(&to, "</description><memory>%u</memory><vcpu>1</vcpu>",
                  65536 + 1024 * (version % 64));
    if (driver == DRIVER_TEST)
        buffer_puts(&to, "<os><type>hvm</type></os></domain>");
    else
        put_guest(&to, version);
    if (!buffer_ok(&to))
        sim_fail("a definition does not fit");
    return buffer_slice(&to);
}

// ---- what is asked ------------------------------------------------------------------------------

static void build_open(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)call;
    struct remote_connect_open_args args = {.name = slice_of(driver_uri(client->driver))};
    xdr_encode(w, XDR_TYPE(remote_connect_open_args), &args);
}

static void opened(struct client *client, struct sent_call *call, const uint8_t *body, size_t len)
{
    (void)call, (void)body, (void)len;
    client->opened = true;
}

static void open_failed(struct client *client, struct sent_call *call,
                        const struct message_error *why)
{
    (void)call;
    sim_trace("client %d can not open: %.*s", client->index, SLICE_ARG(why->message));
    client->leaving = true;
}

// A domain and flags, or a domain alone: the flags are mostly 0.
static void build_flags(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_destroy_flags_args args = {.dom = domain_of(client->driver, call->name)};
    if (sim_chance(30))
        args.flags = (uint32_t)sim_random(64);
    xdr_encode(w, XDR_TYPE(remote_domain_destroy_flags_args), &args);
}

static void build_domain(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_nonnull_domain args = domain_of(client->driver, call->name);
    xdr_encode(w, XDR_TYPE(remote_nonnull_domain), &args);
}

static void build_define(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    uint32_t version = model_new_version();
    struct remote_domain_define_xml_flags_args args = {
        .xml = definition(client->driver, call->name, version)};
    if (sim_chance(30))
        args.xml.len -= 1 + sim_random(args.xml.len - 1); // must be refused
    else
        call->operation = model_begin(client->driver, call->name, version);
    xdr_encode(w, XDR_TYPE(remote_domain_define_xml_flags_args), &args);
}

static void defined(struct client *client, struct sent_call *call, const uint8_t *body, size_t len)
{
    struct remote_domain_define_xml_flags_ret ret;
    decode(XDR_TYPE(remote_domain_define_xml_flags_ret), body, len, &ret);
    if (name_number(client->driver, ret.dom.name) != call->name)
        sim_fail("domain %d was defined, and the reply has '%.*s'", call->name,
                 SLICE_ARG(ret.dom.name));
}

static void build_create_xml(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_create_xml_args args = {
        .xml_desc = definition(client->driver, call->name, model_new_version())};
    if (sim_chance(100))
        args.flags = VIR_DOMAIN_START_PAUSED;
    xdr_encode(w, XDR_TYPE(remote_domain_create_xml_args), &args);
}

static void build_undefine(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    call->operation = model_begin(client->driver, call->name, 0);
    build_flags(client, call, w);
}

static void build_lookup(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_lookup_by_name_args args = {
        .name = domain_of(client->driver, call->name).name};
    xdr_encode(w, XDR_TYPE(remote_domain_lookup_by_name_args), &args);
}

static void looked_up(struct client *client, struct sent_call *call, const uint8_t *body,
                      size_t len)
{
    struct remote_domain_lookup_by_name_ret ret;
    decode(XDR_TYPE(remote_domain_lookup_by_name_ret), body, len, &ret);
    struct remote_nonnull_domain wanted = domain_of(client->driver, call->name);
    if (!slice_equal(ret.dom.name, wanted.name) || memcmp(ret.dom.uuid, wanted.uuid, 16) != 0)
        if (call->name != NAMES - 1)
            sim_fail("domain %d was looked up, and '%.*s' found", call->name,
                     SLICE_ARG(ret.dom.name));
}

static void build_xml_desc(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_get_xml_desc_args args = {.dom = domain_of(client->driver, call->name),
                                                   .flags = (uint32_t)sim_random(4)};
    xdr_encode(w, XDR_TYPE(remote_domain_get_xml_desc_args), &args);
}

static void described(struct client *client, struct sent_call *call, const uint8_t *body,
                      size_t len)
{
    (void)client;
    struct remote_domain_get_xml_desc_ret ret;
    decode(XDR_TYPE(remote_domain_get_xml_desc_ret), body, len, &ret);
    if (call->name != NAMES - 1 && model_version(ret.xml) == 0)
        sim_fail("the definition of domain %d is not whole: %.*s", call->name, SLICE_ARG(ret.xml));
}

static void build_list(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)client, (void)call;
    struct remote_connect_list_all_domains_args args = {.need_results = sim_chance(900)};
    xdr_encode(w, XDR_TYPE(remote_connect_list_all_domains_args), &args);
}

static void build_autostart(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_domain_set_autostart_args args = {.dom = domain_of(client->driver, call->name),
                                                    .autostart = sim_chance(500)};
    xdr_encode(w, XDR_TYPE(remote_domain_set_autostart_args), &args);
}

static void build_register(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    struct remote_connect_domain_event_callback_register_any_args args = {
        .eventID = sim_chance(800) ? 0 : (int32_t)sim_random(26)};
    if (call->name >= 0 && sim_chance(300)) {
        args.dom_present = true;
        args.dom = domain_of(client->driver, call->name);
    }
    xdr_encode(w, XDR_TYPE(remote_connect_domain_event_callback_register_any_args), &args);
}

static void registered(struct client *client, struct sent_call *call, const uint8_t *body,
                       size_t len)
{
    (void)call;
    struct remote_connect_domain_event_callback_register_any_ret ret;
    decode(XDR_TYPE(remote_connect_domain_event_callback_register_any_ret), body, len, &ret);
    if (ret.callbackID < 32)
        client->callbacks |= 1u << ret.callbackID;
}

static void build_deregister(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)client, (void)call;
    struct remote_connect_domain_event_callback_deregister_any_args args = {
        .callbackID = (int32_t)sim_random(8)};
    xdr_encode(w, XDR_TYPE(remote_connect_domain_event_callback_deregister_any_args), &args);
}

// ---- any procedure at all -----------------------------------------------------------------------

static bool suits(const struct xdr_procedure *procedure, int32_t number)
{
    const unsigned strange = XDR_MARK_EVENT | XDR_MARK_STREAM_READ | XDR_MARK_STREAM_WRITE;
    return procedure && !(procedure->marks & strange) && number != REMOTE_PROC_CONNECT_CLOSE &&
           number != REMOTE_PROC_CONNECT_OPEN;
}

static bool is_flags(const struct xdr_field *field)
{
    return field->kind == XDR_UINT && field->shape == XDR_ONE &&
           strcmp(contract_names + field->name, "flags") == 0;
}

static bool is_domain(const struct xdr_field *field)
{
    return field->kind == XDR_STRUCT && field->shape == XDR_ONE &&
           &contract_types[field->of] == XDR_TYPE(remote_nonnull_domain);
}

static void put_domain(struct client *client)
{
    struct error err = {0};
    struct remote_nonnull_domain domain = domain_of(client->driver, NAMES - 1);
    struct xdr_writer w =
        xdr_writer_over(wire.bytes + wire.len, sizeof(wire.bytes) - wire.len, &err);
    xdr_encode(&w, XDR_TYPE(remote_nonnull_domain), &domain);
    wire.len += w.len;
}

static void put_random_arguments(struct client *client, const struct xdr_type *type)
{
    const struct xdr_field *fields = &contract_fields[type->first];
    if (type->is_union || type == XDR_TYPE(remote_nonnull_domain)) {
        generate_type(type);
        return;
    }
    for (unsigned i = 0; i < type->count; i++) {
        if (is_domain(&fields[i]))
            put_domain(client);
        else if (is_flags(&fields[i]) && sim_chance(800))
            wire_word(sim_chance(700) ? 0 : (uint32_t)sim_random(8));
        else
            generate_field(&fields[i]);
    }
}

static void build_anything(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    const struct xdr_procedure *procedure;
    do {
        call->procedure = 1 + (int32_t)sim_random(remote_program.last);
        procedure = xdr_procedure_find(&remote_program, call->procedure);
    } while (!suits(procedure, call->procedure));
    chance_state = sim_random(UINT64_MAX);
    wire.len = 0;
    const struct xdr_type *args = xdr_procedure_args(procedure);
    if (args)
        put_random_arguments(client, args);
    if (wire.len > 32000)
        wire.len = 0; // which is refused
    xdr_put_bytes(w, wire.bytes, wire.len);
}

// ---- the table ----------------------------------------------------------------------------------

static const struct call_kind open_kind = {
    .procedure = REMOTE_PROC_CONNECT_OPEN,
    .build = build_open,
    .done = opened,
    .failed = open_failed,
};

static const struct call_kind kinds[] = {
    {.procedure = REMOTE_PROC_DOMAIN_DEFINE_XML_FLAGS,
     .weight = 160,
     .build = build_define,
     .done = defined},
    {.procedure = REMOTE_PROC_DOMAIN_UNDEFINE_FLAGS, .weight = 25, .build = build_undefine},
    {.procedure = REMOTE_PROC_DOMAIN_CREATE_XML, .weight = 40, .build = build_create_xml},
    {.procedure = REMOTE_PROC_DOMAIN_CREATE_WITH_FLAGS, .weight = 80, .build = build_flags},
    {.procedure = REMOTE_PROC_DOMAIN_DESTROY_FLAGS, .weight = 60, .build = build_flags},
    {.procedure = REMOTE_PROC_DOMAIN_SHUTDOWN_FLAGS, .weight = 30, .build = build_flags},
    {.procedure = REMOTE_PROC_DOMAIN_REBOOT, .weight = 20, .build = build_flags},
    {.procedure = REMOTE_PROC_DOMAIN_RESET, .weight = 20, .build = build_flags},
    {.procedure = REMOTE_PROC_DOMAIN_SUSPEND, .weight = 40, .build = build_domain},
    {.procedure = REMOTE_PROC_DOMAIN_RESUME, .weight = 40, .build = build_domain},
    {.procedure = REMOTE_PROC_DOMAIN_GET_STATE, .weight = 40, .build = build_flags},
    {.procedure = REMOTE_PROC_DOMAIN_GET_INFO, .weight = 30, .build = build_domain},
    {.procedure = REMOTE_PROC_DOMAIN_GET_XML_DESC,
     .weight = 80,
     .build = build_xml_desc,
     .done = described},
    {.procedure = REMOTE_PROC_DOMAIN_LOOKUP_BY_NAME,
     .weight = 40,
     .build = build_lookup,
     .done = looked_up,
     .quick = true},
    {.procedure = REMOTE_PROC_CONNECT_LIST_ALL_DOMAINS,
     .weight = 60,
     .build = build_list,
     .quick = true},
    {.procedure = REMOTE_PROC_DOMAIN_SET_AUTOSTART, .weight = 40, .build = build_autostart},
    {.procedure = REMOTE_PROC_DOMAIN_GET_AUTOSTART, .weight = 20, .build = build_domain},
    {.procedure = REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY,
     .weight = 40,
     .build = build_register,
     .done = registered},
    {.procedure = REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY,
     .weight = 20,
     .build = build_deregister},
    {.procedure = REMOTE_PROC_CONNECT_DOMAIN_EVENT_REGISTER, .weight = 20},
    {.procedure = REMOTE_PROC_CONNECT_DOMAIN_EVENT_DEREGISTER, .weight = 10},
    {.procedure = REMOTE_PROC_CONNECT_GET_HOSTNAME, .weight = 10, .quick = true},
    {.procedure = REMOTE_PROC_CONNECT_GET_CAPABILITIES, .weight = 5},
    {.procedure = REMOTE_PROC_NODE_GET_INFO, .weight = 10, .quick = true},
    {.weight = 100, .build = build_anything},
};

static const struct {
    const struct call_kind *kinds;
    size_t count;
} tables[] = {
    {kinds, sizeof(kinds) / sizeof(kinds[0])},
    {pool_kinds, POOL_KINDS},
    {stream_kinds, STREAM_KINDS},
    {guest_kinds, GUEST_KINDS},
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

const struct call_kind *call_open(void)
{
    return &open_kind;
}

static unsigned weight_of(const struct call_kind *kind, enum driver driver, bool quick)
{
    bool out = (quick && !kind->quick) || (kind->qemu_only && driver == DRIVER_TEST);
    return out ? 0 : kind->weight;
}

const struct call_kind *call_random(enum driver driver, bool quick)
{
    uint64_t total = 0;
    for (size_t table = 0; table < TABLES; table++)
        for (size_t i = 0; i < tables[table].count; i++)
            total += weight_of(&tables[table].kinds[i], driver, quick);
    uint64_t at = sim_random(total);
    for (size_t table = 0;; table++) {
        for (size_t i = 0; i < tables[table].count; i++) {
            const struct call_kind *kind = &tables[table].kinds[i];
            if (at < weight_of(kind, driver, quick))
                return kind;
            at -= weight_of(kind, driver, quick);
        }
    }
}

// ---- events -------------------------------------------------------------------------------------

// Events are decoded, whoever gets them; the auditor learns from them what the guests do.
void event_arrived(struct client *client, const struct message_header *header, const uint8_t *body,
                   size_t len)
{
    static _Alignas(16) uint8_t value[4096];
    const struct xdr_procedure *procedure = xdr_procedure_find(&remote_program, header->proc);
    if (!procedure || !(procedure->marks & XDR_MARK_EVENT) || header->prog != remote_program.number)
        sim_fail("client %d gets an event of procedure %d", client->index, header->proc);
    if (!decode(xdr_procedure_args(procedure), body, len, value))
        sim_fail("an event of procedure %d can not be decoded", header->proc);
    if (header->proc != REMOTE_PROC_DOMAIN_EVENT_CALLBACK_LIFECYCLE || client->index != 0)
        return;
    const struct remote_domain_event_callback_lifecycle_msg *event = (const void *)value;
    int name = name_number(client->driver, event->msg.dom.name);
    if (name >= 0)
        model_event(client->driver, name, event->msg.event, event->msg.detail);
}
