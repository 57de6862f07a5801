// Storage: the table of pools, and their definitions.
#include "virt/storage/storage.h"

#include "core/assert.h"
#include "core/log.h"
#include "core/paths.h"
#include "virt/domain/definition.h"

#include <stdio.h>
#include <string.h>

#define DEFINITION_SIZE 16384

static struct storage_pool pools[CONFIG_MAX_STORAGE_POOLS];
static const char *directory;

// ---- paths

const char *storage_directory(void)
{
    return directory;
}

void storage_definition_path(char to[PORT_PATH_MAX], const char *name)
{
    snprintf(to, PORT_PATH_MAX, "%s/%s.xml", directory, name);
}

void storage_link_path(char to[PORT_PATH_MAX], const char *name)
{
    snprintf(to, PORT_PATH_MAX, "%s/autostart/%s.xml", directory, name);
}

bool storage_autostarts(const struct storage_pool *pool)
{
    char path[PORT_PATH_MAX];
    struct port_stat stat;
    storage_link_path(path, pool->name);
    return port_lstat(path, &stat) == 0;
}

uint64_t storage_definition_inode(const struct storage_pool *pool)
{
    char path[PORT_PATH_MAX];
    struct port_stat stat;
    storage_definition_path(path, pool->name);
    return port_lstat(path, &stat) == 0 ? stat.inode : 0;
}

bool storage_clean_path(char *to, size_t size, struct slice path)
{
    struct buffer out = buffer_over(to, size);
    for (size_t i = 0; i < path.len; i++)
        if (path.at[i] != '/' || out.len == 0 || to[out.len - 1] != '/')
            buffer_putc(&out, path.at[i]);
    if (out.len > 1 && to[out.len - 1] == '/')
        to[--out.len] = '\0';
    return buffer_ok(&out);
}

// ---- lookups

struct storage_pool *storage_next(const struct storage_pool *previous)
{
    for (size_t i = previous ? (size_t)(previous - pools) + 1 : 0; i < CONFIG_MAX_STORAGE_POOLS;
         i++)
        if (pools[i].used)
            return &pools[i];
    return NULL;
}

struct storage_pool *storage_by_uuid(const uint8_t uuid[16])
{
    struct storage_pool *pool = NULL;
    while ((pool = storage_next(pool)) && memcmp(pool->uuid, uuid, sizeof(pool->uuid)) != 0)
        ;
    return pool;
}

struct storage_pool *storage_by_name(struct slice name)
{
    struct storage_pool *pool = NULL;
    while ((pool = storage_next(pool)) && !slice_is(name, pool->name))
        ;
    return pool;
}

struct storage_pool *storage_by_path(struct slice path)
{
    struct storage_pool *pool = NULL;
    while ((pool = storage_next(pool)) && !slice_is(path, pool->path))
        ;
    return pool;
}

// ---- from XML

static bool refuse(struct error *err, int code, const char *text)
{
    return error_set(err, VIR_FROM_STORAGE, code, "%s", text);
}

static bool read_type(const struct xml_node *root, struct error *err)
{
    static const char *const known[] = {"fs",   "netfs",    "logical",     "disk",     "iscsi",
                                        "scsi", "mpath",    "rbd",         "sheepdog", "gluster",
                                        "zfs",  "vstorage", "iscsi-direct"};
    struct slice type = xml_attr(root, "type");
    if (slice_is(type, "dir"))
        return true;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (slice_is(type, known[i]))
            return error_set(err, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR,
                             "missing backend for pool type %d (%s)", (int)i + 1, known[i]);
    return error_set(err, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR,
                     "unknown storage pool type %.*s", SLICE_ARG(type));
}

static bool read_name(struct xml_doc *doc, struct storage_pool *pool, struct error *err)
{
    struct slice name = xml_string(doc, xml_child(doc->root, "name"));
    if (name.len == 0)
        return refuse(err, VIR_ERR_XML_ERROR, "missing pool source name element");
    if (slice_find(name, '/') >= 0 || slice_find(name, '\n') >= 0)
        return error_set(err, VIR_FROM_STORAGE, VIR_ERR_XML_ERROR, "name %.*s cannot contain '%s'",
                         SLICE_ARG(name), slice_find(name, '/') >= 0 ? "/" : "\\n");
    return slice_copy(pool->name, sizeof(pool->name), name) ||
           error_set(err, VIR_FROM_STORAGE, VIR_ERR_XML_ERROR,
                     "name of pool is longer than %d bytes", STORAGE_NAME_SIZE - 1);
}

static bool read_uuid(const struct xml_doc *doc, struct storage_pool *pool, struct error *err)
{
    struct slice uuid = xml_text_at(doc->root, "uuid");
    if (slice_present(uuid))
        return domain_uuid_parse(uuid, pool->uuid) ||
               refuse(err, VIR_ERR_XML_ERROR, "malformed uuid element");
    port_random(pool->uuid, sizeof(pool->uuid));
    pool->uuid[6] = (uint8_t)((pool->uuid[6] & 0x0F) | 0x40); // version 4
    pool->uuid[8] = (uint8_t)((pool->uuid[8] & 0x3F) | 0x80);
    return true;
}

static bool read_id(struct slice text, uint32_t *id, const char *what, struct error *err)
{
    *id = STORAGE_UNSET;
    return !slice_present(text) || slice_is(text, "-1") || slice_u32(text, 10, id) ||
           refuse(err, VIR_ERR_XML_ERROR, what);
}

static bool read_target(const struct xml_doc *doc, struct storage_pool *pool, struct error *err)
{
    const struct xml_node *target = xml_child(doc->root, "target");
    const struct xml_node *permissions = xml_child(target, "permissions");
    struct slice path = xml_text_at(target, "path"), mode = xml_text_at(permissions, "mode");
    if (!slice_starts(path, "/"))
        return refuse(err, VIR_ERR_XML_ERROR, "missing storage pool target path");
    if (!storage_clean_path(pool->path, sizeof(pool->path), path))
        return error_set(err, VIR_FROM_STORAGE, VIR_ERR_XML_ERROR,
                         "target path is longer than %d bytes", STORAGE_PATH_SIZE - 1);
    pool->mode = STORAGE_UNSET;
    if (slice_present(mode) && (!slice_u32(mode, 8, &pool->mode) || pool->mode > 07777))
        return refuse(err, VIR_ERR_XML_ERROR, "malformed octal mode");
    return read_id(xml_text_at(permissions, "owner"), &pool->uid, "malformed owner element", err) &&
           read_id(xml_text_at(permissions, "group"), &pool->gid, "malformed group element", err);
}

bool storage_parse(struct xml_doc *doc, struct slice text, struct storage_pool *pool,
                   struct error *err)
{
    memset(pool, 0, sizeof(*pool));
    if (!xml_parse(doc, text, "storage_pool_definition", err))
        return false;
    if (!xml_named(doc->root, "pool"))
        return error_set(err, VIR_FROM_STORAGE, VIR_ERR_XML_ERROR,
                         "unexpected root element <%.*s>, "
                         "expecting <pool>",
                         SLICE_ARG(doc->root->name));
    return read_type(doc->root, err) && read_name(doc, pool, err) && read_uuid(doc, pool, err) &&
           read_target(doc, pool, err) && xml_ok(doc, err);
}

// ---- into the table

static struct storage_pool *find_place(const struct storage_pool *pool, struct error *err)
{
    char uuid[37];
    struct storage_pool *same_uuid = storage_by_uuid(pool->uuid);
    struct storage_pool *same_name = storage_by_name(slice_of(pool->name));
    struct storage_pool *same_path = storage_by_path(slice_of(pool->path));
    if (same_uuid && same_uuid != same_name) {
        domain_uuid_format(same_uuid->uuid, uuid);
        error_set(err, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED,
                  "pool '%s' is already defined with uuid %s", same_uuid->name, uuid);
    } else if (same_name && same_name != same_uuid) {
        domain_uuid_format(same_name->uuid, uuid);
        error_set(err, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED,
                  "pool '%s' already exists with uuid %s", same_name->name, uuid);
    } else if (same_path && same_path != same_uuid) {
        error_set(err, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED,
                  "Storage source conflict with pool: '%s'", same_path->name);
    } else if (same_uuid) {
        return same_uuid;
    }
    for (size_t i = 0; i < CONFIG_MAX_STORAGE_POOLS && !error_is_set(err); i++)
        if (!pools[i].used)
            return &pools[i];
    error_set(err, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED,
              "too many storage pools: limit is %d, CONFIG_MAX_STORAGE_POOLS",
              CONFIG_MAX_STORAGE_POOLS);
    return NULL;
}

struct storage_pool *storage_put(const struct storage_pool *pool, struct error *err)
{
    struct storage_pool *place = find_place(pool, err);
    if (!place)
        return NULL;
    struct storage_pool before = *place;
    *place = *pool;
    place->used = true;
    place->active = before.used && before.active;
    place->autostart = before.used && before.autostart;
    place->jobs = before.used ? before.jobs : 0;
    return place;
}

void storage_remove(struct storage_pool *pool)
{
    assert(pool->jobs == 0);
    memset(pool, 0, sizeof(*pool));
}

// ---- start-up

static void load(const char *file)
{
    static char text[DEFINITION_SIZE];
    char path[PORT_PATH_MAX];
    struct storage_pool read, *pool = NULL;
    struct port_stat stat;
    struct error err = {0};
    snprintf(path, sizeof(path), "%s/%s", directory, file);
    ptrdiff_t len = port_file_read(path, text, sizeof(text));
    if (len < 0)
        error_set(&err, VIR_FROM_STORAGE, VIR_ERR_SYSTEM_ERROR, "%s", strerror((int)-len));
    else if (storage_parse(definition_scratch(), (struct slice){text, (size_t)len}, &read, &err))
        pool = storage_put(&read, &err);
    if (!pool) {
        log_error("storage", "Error parsing storage pool config '%s': %s", path, err.message);
        return;
    }
    pool->autostart = storage_autostarts(pool);
    pool->active = port_stat(pool->path, &stat) == 0 && stat.kind == PORT_DIRECTORY;
}

void storage_load(void)
{
    struct port_dir dir;
    directory = paths_join(paths()->config, "storage");
    if (!directory || port_dir_open(&dir, directory) < 0)
        return; // nothing was ever defined
    for (const char *name = port_dir_next(&dir); name; name = port_dir_next(&dir))
        if (slice_ends(slice_of(name), ".xml"))
            load(name);
    port_dir_close(&dir);
}
