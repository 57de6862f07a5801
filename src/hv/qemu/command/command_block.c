// Block nodes: for each image a storage node (where the bytes are) and a format node above it.
#include "hv/qemu/command/command_block.h"

// Options of <driver> that apply to every image of a disk's chain.
struct block_options {
    struct slice cache, io, discard, detect_zeroes;
};

bool cache_writes_back(struct slice cache)
{
    return !slice_is(cache, "writethrough") && !slice_is(cache, "directsync");
}

static void put_cache(struct builder *b, struct slice cache)
{
    if (!slice_present(cache) || slice_is(cache, "default"))
        return;
    json_open_object(&b->json, "cache");
    json_put_bool(&b->json, "direct", slice_is(cache, "none") || slice_is(cache, "directsync"));
    json_put_bool(&b->json, "no-flush", slice_is(cache, "unsafe"));
    json_close_object(&b->json);
}

static enum qemu_path_use use_of(const struct xml_node *disk, bool read_only)
{
    if (read_only)
        return QEMU_PATH_READ;
    return xml_child(disk, "shareable") ? QEMU_PATH_SHARED : QEMU_PATH_WRITE;
}

static void put_server(struct builder *b, const struct xml_node *host)
{
    struct slice port = xml_attr(host, "port");
    json_open_object(&b->json, "server");
    if (xml_attr_is(host, "transport", "unix")) {
        json_puts(&b->json, "type", "unix");
        put_text(b, "path", xml_attr(host, "socket"));
    } else {
        json_puts(&b->json, "type", "inet");
        put_text(b, "host", xml_attr(host, "name"));
        json_put_string(&b->json, "port", slice_present(port) ? port : SLICE("10809"));
    }
    json_close_object(&b->json);
}

static void put_url(struct builder *b, struct slice protocol, const struct xml_node *source)
{
    const struct xml_node *host = xml_child(source, "host");
    struct slice port = xml_attr(host, "port"), name = xml_attr(source, "name");
    struct slice query = xml_attr(source, "query");
    json_put_string(&b->json, "driver", protocol);
    json_putf(&b->json, "url", "%.*s://%.*s%s%.*s/%.*s%s%.*s", SLICE_ARG(protocol),
              SLICE_ARG(xml_attr(host, "name")), port.len ? ":" : "", SLICE_ARG(port),
              SLICE_ARG(name), query.len ? "?" : "", SLICE_ARG(query));
}

static void put_network_source(struct builder *b, const struct xml_node *source)
{
    struct slice protocol = xml_attr(source, "protocol");
    if (xml_child(source, "auth") || xml_child(source, "cookies") || is_on(xml_attr(source, "tls")))
        unsupported(b, "authentication and TLS of network disks are not supported");
    if (slice_is(protocol, "nbd")) {
        json_puts(&b->json, "driver", "nbd");
        put_server(b, xml_child(source, "host"));
        put_text(b, "export", xml_attr(source, "name"));
    } else if (slice_is(protocol, "http") || slice_is(protocol, "https") ||
               slice_is(protocol, "ftp") || slice_is(protocol, "ftps")) {
        put_url(b, protocol, source);
    } else {
        unsupported(b, "network disk protocol '%.*s' is not supported", SLICE_ARG(protocol));
    }
}

// Drives of the host that have a medium to eject.
static bool is_cdrom(struct slice path)
{
    return slice_starts(path, "/dev/sr") || slice_starts(path, "/dev/cdrom") ||
           slice_starts(path, "/dev/dvd");
}

// A directory that is shown as a FAT file system.
static void put_directory(struct builder *b, const struct xml_node *source,
                          const struct xml_node *disk)
{
    json_puts(&b->json, "driver", "vvfat");
    put_text(b, "dir", xml_attr(source, "dir"));
    json_put_bool(&b->json, "floppy", xml_attr_is(disk, "device", "floppy"));
    json_put_bool(&b->json, "rw", false);
    if (!xml_child(disk, "readonly"))
        unsupported(b, "virtual FAT storage can't be accessed in read-write mode");
}

static void put_storage(struct builder *b, const struct xml_node *disk,
                        const struct xml_node *source, struct slice type, struct slice io)
{
    bool block = slice_is(type, "block");
    struct slice path = xml_attr(source, block ? "dev" : "file");
    if (slice_is(type, "network")) {
        put_network_source(b, source);
        return;
    }
    if (slice_is(type, "dir")) {
        put_directory(b, source, disk);
        return;
    }
    if (!block && slice_present(type) && !slice_is(type, "file"))
        unsupported(b, "storage source type '%.*s' is not supported", SLICE_ARG(type));
    json_puts(&b->json, "driver", !block ? "file" : is_cdrom(path) ? "host_cdrom" : "host_device");
    json_put_string(&b->json, "filename", path);
    put_text(b, "aio", io);
}

static void build_storage_node(struct builder *b, const struct xml_node *disk,
                               const struct xml_node *source, struct slice type, struct slice index,
                               const struct block_options *options)
{
    json_arg_open(b, "-blockdev", NULL, NULL);
    put_storage(b, disk, source, type, options->io);
    json_putf(&b->json, "node-name", "libvirt-%.*s-storage", SLICE_ARG(index));
    put_cache(b, options->cache);
    json_put_bool(&b->json, "auto-read-only", true);
    json_puts(&b->json, "discard", "unmap");
    json_arg_close(b);
}

static void put_format(struct builder *b, struct slice format, const struct xml_node *source)
{
    static const struct {
        const char *format, *driver;
    } names[] = {{"ploop", "parallels"}, {"vhd", "vhdx"}, {"fat", "raw"}, {"iso", "raw"}};
    const struct xml_node *slice = xml_find(source, "slices/slice");
    struct slice driver = format;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_is(format, names[i].format))
            driver = slice_of(names[i].driver);
    if (!slice_present(driver))
        driver = SLICE("raw");
    json_put_string(&b->json, "driver", driver);
    if (slice && !slice_is(driver, "raw"))
        unsupported(b, "storage slices of format '%.*s' are not supported", SLICE_ARG(format));
    put_number(b, "offset", xml_attr(slice, "offset"));
    put_number(b, "size", xml_attr(slice, "size"));
}

static bool format_has_backing(struct slice format)
{
    return slice_is(format, "qcow2") || slice_is(format, "qcow") || slice_is(format, "qed") ||
           slice_is(format, "vmdk");
}

// Without <backingStore> QEMU opens what the image's own header names; an empty one ends the chain.
static void put_backing(struct builder *b, const struct xml_node *backing)
{
    if (!backing)
        return;
    if (xml_child(backing, "source"))
        json_putf(&b->json, "backing", "libvirt-%.*s-format",
                  SLICE_ARG(xml_attr(backing, "index")));
    else
        json_put_null(&b->json, "backing");
}

struct image {
    const struct xml_node *source, *backing, *cache_size;
    struct slice type, index, format;
    bool read_only;
};

static void build_format_node(struct builder *b, const struct image *image,
                              const struct block_options *options)
{
    json_arg_open(b, "-blockdev", NULL, NULL);
    json_putf(&b->json, "node-name", "libvirt-%.*s-format", SLICE_ARG(image->index));
    json_put_bool(&b->json, "read-only", image->read_only);
    put_text(b, "discard", options->discard);
    // Zeroes can only be unmapped where discarding is allowed.
    if (slice_is(options->detect_zeroes, "unmap") && !slice_is(options->discard, "unmap"))
        json_puts(&b->json, "detect-zeroes", "on");
    else
        put_text(b, "detect-zeroes", options->detect_zeroes);
    put_cache(b, options->cache);
    put_format(b, image->format, image->source);
    if (image->cache_size)
        json_put_u64(&b->json, "cache-size", memory_bytes(image->cache_size));
    json_putf(&b->json, "file", "libvirt-%.*s-storage", SLICE_ARG(image->index));
    if (format_has_backing(image->format))
        put_backing(b, image->backing);
    json_arg_close(b);
}

static void build_image(struct builder *b, const struct xml_node *disk, const struct image *image,
                        const struct block_options *options)
{
    struct slice path = xml_attr(image->source, slice_is(image->type, "block") ? "dev" : "file");
    if (!slice_present(image->index))
        internal_error(b, "disk '%.*s' has an image without index",
                       SLICE_ARG(xml_attr_at(disk, "target", "dev")));
    if (xml_child(image->source, "encryption") || xml_child(disk, "encryption"))
        unsupported(b, "encrypted disks are not supported");
    if (xml_child(image->source, "reservations"))
        unsupported(b, "persistent reservations are not supported");
    build_storage_node(b, disk, image->source, image->type, image->index, options);
    build_format_node(b, image, options);
    if (slice_present(path))
        path_add(b, path, use_of(disk, image->read_only), true);
}

// The chain below an image, deepest first.
static void build_chain(struct builder *b, const struct xml_node *disk,
                        const struct xml_node *backing, const struct block_options *options)
{
    if (!backing || !xml_child(backing, "source"))
        return;
    build_chain(b, disk, xml_child(backing, "backingStore"), options);
    struct image image = {
        .source = xml_child(backing, "source"),
        .backing = xml_child(backing, "backingStore"),
        .cache_size = xml_find(backing, "format/metadata_cache/max_size"),
        .type = xml_attr(backing, "type"),
        .index = xml_attr(backing, "index"),
        .format = xml_attr_at(backing, "format", "type"),
        .read_only = true,
    };
    build_image(b, disk, &image, options);
}

static bool is_empty(const struct xml_node *disk)
{
    const struct xml_node *source = xml_child(disk, "source");
    struct slice type = xml_attr(disk, "type");
    return !source ||
           (!slice_present(xml_attr(source, "file")) && !slice_present(xml_attr(source, "dev")) &&
            (!slice_present(type) || slice_is(type, "file") || slice_is(type, "block")));
}

static bool copies_on_read(const struct xml_node *disk)
{
    return is_on(xml_attr_at(disk, "driver", "copy_on_read"));
}

void build_block_nodes(struct builder *b, const struct xml_node *disk)
{
    const struct xml_node *driver = xml_child(disk, "driver");
    if (xml_attr_is(disk, "type", "volume"))
        unsupported(b, "the disk's storage volume was not looked up");
    if (is_empty(disk))
        return;
    struct block_options options = {
        .cache = xml_attr(driver, "cache"),
        .io = xml_attr(driver, "io"),
        .discard = xml_attr(driver, "discard"),
    };
    build_chain(b, disk, xml_child(disk, "backingStore"), &options);
    options.detect_zeroes = xml_attr(driver, "detect_zeroes");
    struct image image = {
        .source = xml_child(disk, "source"),
        .backing = xml_child(disk, "backingStore"),
        .cache_size = xml_find(driver, "metadata_cache/max_size"),
        .type = xml_attr(disk, "type"),
        .index = xml_attr_at(disk, "source", "index"),
        .format = xml_attr(driver, "type"),
        .read_only = xml_child(disk, "readonly") || xml_attr_is(disk, "device", "cdrom"),
    };
    build_image(b, disk, &image, &options);
    if (!copies_on_read(disk))
        return;
    json_arg_open(b, "-blockdev", "driver", "copy-on-read");
    json_putf(&b->json, "node-name", "libvirt-CoR-%.*s",
              SLICE_ARG(xml_attr_at(disk, "target", "dev")));
    json_putf(&b->json, "file", "libvirt-%.*s-format", SLICE_ARG(image.index));
    json_puts(&b->json, "discard", "unmap");
    json_arg_close(b);
}

void put_drive(struct builder *b, const struct xml_node *disk)
{
    if (is_empty(disk))
        return;
    if (copies_on_read(disk))
        json_putf(&b->json, "drive", "libvirt-CoR-%.*s",
                  SLICE_ARG(xml_attr_at(disk, "target", "dev")));
    else
        json_putf(&b->json, "drive", "libvirt-%.*s-format",
                  SLICE_ARG(xml_attr_at(disk, "source", "index")));
}
