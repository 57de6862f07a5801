// Storage pools: calls about them, and the audit of their definitions. A pool's version is the
// owner and the group of its directory: a definition in which they differ is not whole.
#include "test/sim/world.h"

#include "core/buffer.h"
#include "virt/storage/storage_constants.h"

#include <stdio.h>
#include <string.h>

static struct remote_nonnull_storage_pool pool_of(int name)
{
    static char text[16];
    snprintf(text, sizeof(text), "pool-%d", name);
    struct remote_nonnull_storage_pool pool = {.name = slice_of(text)};
    uuid_of(POOLS, name, pool.uuid);
    return pool;
}

static int pool_number(struct slice name)
{
    for (int i = 0; i < NAMES; i++)
        if (slice_equal(name, pool_of(i).name))
            return i;
    return -1;
}

void volume_path(int pool, int volume, char to[64])
{
    snprintf(to, 64, "/var/lib/pool-%d/volume-%d", pool, volume);
}

void pools_put(void)
{
    static char text[512];
    char path[64];
    struct buffer xml = buffer_over(text, sizeof(text));
    int name = NAMES - 1;
    snprintf(path, sizeof(path), "/var/lib/pool-%d", name);
    sim_disk_make_directory(path);
    buffer_printf(&xml, "<pool type='dir'><name>pool-%d</name><uuid>", name);
    put_uuid(&xml, POOLS, name);
    buffer_printf(&xml, "</uuid><target><path>%s</path></target></pool>", path);
    snprintf(path, sizeof(path), "/etc/libvirt/storage/pool-%d.xml", name);
    sim_disk_write(path, xml.at, xml.len, 0600);
}

// ---- what is asked ------------------------------------------------------------------------------

static void build_define(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    static char text[1024];
    uint32_t version = model_new_version();
    struct buffer xml = buffer_over(text, sizeof(text));
    buffer_printf(&xml, "<pool type='dir'><name>pool-%d</name><uuid>", call->name);
    put_uuid(&xml, POOLS, call->name);
    buffer_printf(&xml,
                  "</uuid><target><path>/var/lib/pool-%d</path><permissions><mode>0755</mode>"
                  "<owner>%u</owner><group>%u</group></permissions></target></pool>",
                  call->name, version, version);
    struct remote_storage_pool_define_xml_args args = {.xml = buffer_slice(&xml)};
    if (client->driver == DRIVER_QEMU)
        call->operation = model_begin(POOLS, call->name, version);
    xdr_encode(w, XDR_TYPE(remote_storage_pool_define_xml_args), &args);
}

// A pool alone, or a pool and flags that are 0.
static void build_pool(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)client;
    struct remote_nonnull_storage_pool args = pool_of(call->name);
    xdr_encode(w, XDR_TYPE(remote_nonnull_storage_pool), &args);
}

static void build_pool_flags(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)client;
    struct remote_storage_pool_build_args args = {.pool = pool_of(call->name)};
    xdr_encode(w, XDR_TYPE(remote_storage_pool_build_args), &args);
}

static void build_undefine(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    if (client->driver == DRIVER_QEMU)
        call->operation = model_begin(POOLS, call->name, 0);
    build_pool(client, call, w);
}

static void build_autostart(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)client;
    struct remote_storage_pool_set_autostart_args args = {.pool = pool_of(call->name),
                                                          .autostart = sim_chance(500)};
    xdr_encode(w, XDR_TYPE(remote_storage_pool_set_autostart_args), &args);
}

static void build_volume(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)client;
    static char text[512];
    snprintf(text, sizeof(text),
             "<volume><name>volume-%d</name><capacity>%u</capacity><allocation>%u</allocation>"
             "<target><format type='%s'/></target></volume>",
             (int)sim_random(VOLUMES), (unsigned)sim_random(1u << 17),
             (unsigned)sim_random(1u << 16), sim_chance(700) ? "raw" : "qcow2");
    struct remote_storage_vol_create_xml_args args = {.pool = pool_of(call->name),
                                                      .xml = slice_of(text)};
    xdr_encode(w, XDR_TYPE(remote_storage_vol_create_xml_args), &args);
}

static void build_volume_delete(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)client;
    static char name[16], key[64];
    int volume = (int)sim_random(VOLUMES);
    snprintf(name, sizeof(name), "volume-%d", volume);
    volume_path(call->name, volume, key);
    struct remote_storage_vol_delete_args args = {
        .vol = {.pool = pool_of(call->name).name, .name = slice_of(name), .key = slice_of(key)}};
    xdr_encode(w, XDR_TYPE(remote_storage_vol_delete_args), &args);
}

static void build_volumes(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)client;
    struct remote_storage_pool_list_all_volumes_args args = {.pool = pool_of(call->name),
                                                             .need_results = 1};
    xdr_encode(w, XDR_TYPE(remote_storage_pool_list_all_volumes_args), &args);
}

const struct call_kind pool_kinds[POOL_KINDS] = {
    {.procedure = REMOTE_PROC_STORAGE_POOL_DEFINE_XML,
     .weight = 40,
     .build = build_define,
     .pools = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_STORAGE_POOL_UNDEFINE,
     .weight = 10,
     .build = build_undefine,
     .pools = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_STORAGE_POOL_BUILD,
     .weight = 20,
     .build = build_pool_flags,
     .pools = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_STORAGE_POOL_CREATE,
     .weight = 30,
     .build = build_pool_flags,
     .pools = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_STORAGE_POOL_DESTROY,
     .weight = 10,
     .build = build_pool,
     .pools = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_STORAGE_POOL_DELETE,
     .weight = 5,
     .build = build_pool_flags,
     .pools = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_STORAGE_POOL_REFRESH,
     .weight = 15,
     .build = build_pool_flags,
     .pools = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_STORAGE_POOL_SET_AUTOSTART,
     .weight = 15,
     .build = build_autostart,
     .pools = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_STORAGE_VOL_CREATE_XML,
     .weight = 60,
     .build = build_volume,
     .limit = 4500 * SIM_NS_PER_S,
     .pools = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_STORAGE_VOL_DELETE,
     .weight = 10,
     .build = build_volume_delete,
     .pools = true,
     .qemu_only = true},
    {.procedure = REMOTE_PROC_STORAGE_POOL_LIST_ALL_VOLUMES,
     .weight = 15,
     .build = build_volumes,
     .pools = true,
     .qemu_only = true},
};

// ---- the audit ----------------------------------------------------------------------------------

static int next;
static bool listed[NAMES];

static void failed(struct client *client, struct sent_call *call, const struct message_error *why)
{
    (void)client;
    sim_fail("the audit's call of %d about pool %d fails: %.*s", call->procedure, call->name,
             SLICE_ARG(why->message));
}

static uint32_t number_behind(struct slice xml, const char *what)
{
    uint32_t number = 0;
    size_t len = strlen(what);
    const char *at = xml.at, *end = xml.at + xml.len;
    while (at + len < end && memcmp(at, what, len) != 0)
        at++;
    for (at += len; at < end && *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (uint32_t)(*at - '0');
    return number;
}

static void ask_next(struct client *client);

static void definition_is(struct client *client, struct sent_call *call, const uint8_t *body,
                          size_t len)
{
    struct remote_storage_pool_get_xml_desc_ret ret;
    decode(XDR_TYPE(remote_storage_pool_get_xml_desc_ret), body, len, &ret);
    uint32_t version = number_behind(ret.xml, "<owner>");
    if (call->name != NAMES - 1 && (version == 0 || version != number_behind(ret.xml, "<group>") ||
                                    !slice_contains(ret.xml, "</pool>")))
        sim_fail("the definition of pool %d is not whole: %.*s", call->name, SLICE_ARG(ret.xml));
    model_found(POOLS, call->name, version);
    ask_next(client);
}

static void build_definition(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)client;
    struct remote_storage_pool_get_xml_desc_args args = {.pool = pool_of(call->name),
                                                         .flags = VIR_STORAGE_XML_INACTIVE};
    xdr_encode(w, XDR_TYPE(remote_storage_pool_get_xml_desc_args), &args);
}

static const struct call_kind definition_kind = {.procedure = REMOTE_PROC_STORAGE_POOL_GET_XML_DESC,
                                                 .build = build_definition,
                                                 .done = definition_is,
                                                 .failed = failed};

static void ask_next(struct client *client)
{
    while (next < NAMES) {
        int name = next++;
        if (listed[name]) {
            client_call(client, &definition_kind, name);
            return;
        }
        model_found(POOLS, name, 0);
    }
    audit_end();
}

static void pools_are(struct client *client, struct sent_call *call, const uint8_t *body,
                      size_t len)
{
    (void)call;
    struct remote_connect_list_all_storage_pools_ret ret;
    struct remote_nonnull_storage_pool pool;
    decode(XDR_TYPE(remote_connect_list_all_storage_pools_ret), body, len, &ret);
    while (xdr_next(&ret.pools, &pool)) {
        int name = pool_number(pool.name);
        if (name >= 0 && listed[name])
            sim_fail("pool %d is listed twice", name);
        if (name >= 0)
            listed[name] = true;
    }
    ask_next(client);
}

static void build_list(struct client *client, struct sent_call *call, struct xdr_writer *w)
{
    (void)client, (void)call;
    struct remote_connect_list_all_storage_pools_args args = {
        .need_results = 1, .flags = VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT};
    xdr_encode(w, XDR_TYPE(remote_connect_list_all_storage_pools_args), &args);
}

static const struct call_kind list_kind = {.procedure = REMOTE_PROC_CONNECT_LIST_ALL_STORAGE_POOLS,
                                           .build = build_list,
                                           .done = pools_are,
                                           .failed = failed};

void pools_audit(struct client *auditor)
{
    next = 0;
    memset(listed, 0, sizeof(listed));
    client_call(auditor, &list_kind, -1);
}
