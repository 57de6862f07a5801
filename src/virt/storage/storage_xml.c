// Storage: pools and volumes as XML, laid out as libvirt does.
#include "virt/domain/domain.h"
#include "virt/storage/storage.h"

#include <inttypes.h>
#include <string.h>

static void put_text(struct buffer *out, const char *indent, const char *name, const char *text)
{
    buffer_printf(out, "%s<%s>", indent, name);
    xml_write_escaped(out, slice_of(text));
    buffer_printf(out, "</%s>\n", name);
}

static void put_bytes(struct buffer *out, const char *name, uint64_t bytes)
{
    buffer_printf(out, "  <%s unit='bytes'>%" PRIu64 "</%s>\n", name, bytes, name);
}

static void put_permissions(struct buffer *out, uint32_t mode, uint32_t uid, uint32_t gid)
{
    if (mode == STORAGE_UNSET && uid == STORAGE_UNSET && gid == STORAGE_UNSET)
        return;
    buffer_puts(out, "    <permissions>\n");
    if (mode != STORAGE_UNSET)
        buffer_printf(out, "      <mode>0%o</mode>\n", mode);
    if (uid != STORAGE_UNSET)
        buffer_printf(out, "      <owner>%" PRId32 "</owner>\n", (int32_t)uid);
    if (gid != STORAGE_UNSET)
        buffer_printf(out, "      <group>%" PRId32 "</group>\n", (int32_t)gid);
    buffer_puts(out, "    </permissions>\n");
}

void storage_write(struct buffer *out, const struct storage_pool *pool,
                   const struct storage_space *space)
{
    static const struct storage_space nothing;
    const struct storage_space *has = space ? space : &nothing;
    char uuid[37];
    domain_uuid_format(pool->uuid, uuid);
    buffer_puts(out, "<pool type='dir'>\n");
    put_text(out, "  ", "name", pool->name);
    put_text(out, "  ", "uuid", uuid);
    put_bytes(out, "capacity", has->capacity);
    put_bytes(out, "allocation", has->capacity - has->available);
    put_bytes(out, "available", has->available);
    buffer_puts(out, "  <source>\n  </source>\n  <target>\n");
    put_text(out, "    ", "path", pool->path);
    if (space)
        put_permissions(out, space->mode, space->uid, space->gid);
    else
        put_permissions(out, pool->mode, pool->uid, pool->gid);
    buffer_puts(out, "  </target>\n</pool>\n");
}

// ---- volumes

static const char *type_name(int32_t type)
{
    return type == VIR_STORAGE_VOL_DIR ? "dir" : type == VIR_STORAGE_VOL_BLOCK ? "block" : "file";
}

static void put_features(struct buffer *out, const struct storage_volume *volume)
{
    if (!volume->lazy_refcounts && !volume->extended_l2) {
        buffer_puts(out, "    <features/>\n");
        return;
    }
    buffer_puts(out, "    <features>\n");
    if (volume->lazy_refcounts)
        buffer_puts(out, "      <lazy_refcounts/>\n");
    if (volume->extended_l2)
        buffer_puts(out, "      <extended_l2/>\n");
    buffer_puts(out, "    </features>\n");
}

static void put_target(struct buffer *out, const struct storage_pool *pool,
                       const struct storage_volume *volume)
{
    buffer_puts(out, "  <target>\n    <path>");
    xml_write_escaped(out, slice_of(pool->path));
    buffer_putc(out, '/');
    xml_write_escaped(out, slice_of(volume->name));
    buffer_printf(out, "</path>\n    <format type='%s'/>\n", volume->format);
    put_permissions(out, volume->mode, volume->uid, volume->gid);
    buffer_printf(out,
                  "    <timestamps>\n      <mtime>%" PRId64 ".%09" PRId64 "</mtime>\n"
                  "    </timestamps>\n",
                  volume->mtime_ns / 1000000000, volume->mtime_ns % 1000000000);
    if (volume->qcow_version)
        put_text(out, "    ", "compat", volume->qcow_version > 2 ? "1.1" : "0.10");
    if (volume->cluster_size)
        buffer_printf(out, "    <clusterSize unit='B'>%" PRIu64 "</clusterSize>\n",
                      volume->cluster_size);
    if (volume->qcow_version > 2)
        put_features(out, volume);
    buffer_puts(out, "  </target>\n");
}

void volume_write(struct buffer *out, const struct storage_pool *pool,
                  const struct storage_volume *volume)
{
    buffer_printf(out, "<volume type='%s'>\n", type_name(volume->type));
    put_text(out, "  ", "name", volume->name);
    buffer_puts(out, "  <key>");
    xml_write_escaped(out, slice_of(pool->path));
    buffer_putc(out, '/');
    xml_write_escaped(out, slice_of(volume->name));
    buffer_puts(out, "</key>\n");
    put_bytes(out, "capacity", volume->capacity);
    put_bytes(out, "allocation", volume->allocation);
    if (volume->physical)
        put_bytes(out, "physical", volume->physical);
    put_target(out, pool, volume);
    if (volume->backing[0]) {
        buffer_puts(out, "  <backingStore>\n");
        put_text(out, "    ", "path", volume->backing);
        buffer_printf(out, "    <format type='%s'/>\n",
                      volume->backing_format[0] ? volume->backing_format : "raw");
        buffer_puts(out, "  </backingStore>\n");
    }
    buffer_puts(out, "</volume>\n");
}
