// Operation: the disks of a domain: counters, sizes, errors.
#include "hv/qemu/guest/guest_ops.h"

#include "virt/domain/definition.h"
#include "virt/domain/domain_facts.h"
#include "virt/storage/storage.h"

#include <errno.h>
#include <string.h>

#define IMAGES_MAX  64 // of one guest, of which more than their paths is told
#define STOPPED_MAX 48 // likewise of one that does not run

static struct hypervisor_block found[IMAGES_MAX]; // the answer

// Block nodes are named "libvirt-N-format" and "libvirt-N-storage", N being the image's index.
static bool is_node_of(const struct xml_node *image, struct slice node)
{
    uint32_t said;
    struct slice number, rest = node;
    if (!slice_starts(rest, "libvirt-"))
        return false;
    rest = slice_from(rest, 8);
    return slice_split(&rest, '-', &number) && slice_u32(number, 10, &said) && said > 0 &&
           domain_image_index(image) == said;
}

static bool has_node(const struct xml_node *disk, struct slice node)
{
    for (const struct xml_node *image = disk; image; image = domain_image_below(image))
        if (is_node_of(image, node))
            return true;
    return false;
}

const struct xml_node *guest_find_disk(const struct xml_node *tree, struct slice device,
                                       struct slice node)
{
    XML_EACH (disk, xml_child(tree, "devices"), "disk") {
        struct slice alias = xml_attr(xml_child(disk, "alias"), "name");
        struct slice base = device;
        if (slice_starts(base, "drive-"))
            base = slice_from(base, 6);
        if (slice_starts(base, "/machine/peripheral/"))
            base = slice_from(base, 20);
        if (slice_present(alias) && base.len >= alias.len &&
            slice_equal((struct slice){base.at, alias.len}, alias) &&
            (base.len == alias.len || base.at[alias.len] == '/'))
            return disk;
        if (slice_present(node) && has_node(disk, node))
            return disk;
    }
    return NULL;
}

// ---- the images that are asked for, in the order of the definition

struct walk {
    const struct xml_node *disk, *image;
    bool all, chains;
};

static struct walk walk_begin(const struct xml_node *tree, const struct hypervisor_op *op)
{
    bool all = op->blocks.path.len == 0 || domain_active(op->domain);
    const struct xml_node *disk = all ? xml_child(xml_child(tree, "devices"), "disk")
                                      : domain_find_disk(tree, op->blocks.path);
    return (struct walk){.disk = disk, .image = disk, .all = all, .chains = op->blocks.chains};
}

static void walk_on(struct walk *walk)
{
    walk->image = walk->chains ? domain_image_below(walk->image) : NULL;
    if (walk->image)
        return;
    walk->disk = walk->all ? xml_next(walk->disk, "disk") : NULL;
    walk->image = walk->disk;
}

static void begin_block(struct hypervisor_block *block, const struct walk *walk)
{
    *block = (struct hypervisor_block){.errors = -1, .backing = walk->image != walk->disk};
    slice_copy(block->target, sizeof(block->target), xml_attr_at(walk->disk, "target", "dev"));
}

// ---- of a running guest, whose emulator is asked

struct blocks {
    struct co co;
    struct guest *guest;
    struct monitor_call call;
    struct image {
        uint64_t capacity, allocated; // bytes
        int32_t error;                // of the disk
        bool there;
    } images[IMAGES_MAX];
};

static const struct {
    const char *name;
    size_t offset;
} counters[] = {
    {"rd_operations", offsetof(struct hypervisor_block, rd_reqs)},
    {"rd_bytes", offsetof(struct hypervisor_block, rd_bytes)},
    {"rd_total_time_ns", offsetof(struct hypervisor_block, rd_ns)},
    {"wr_operations", offsetof(struct hypervisor_block, wr_reqs)},
    {"wr_bytes", offsetof(struct hypervisor_block, wr_bytes)},
    {"wr_total_time_ns", offsetof(struct hypervisor_block, wr_ns)},
    {"flush_operations", offsetof(struct hypervisor_block, fl_reqs)},
    {"flush_total_time_ns", offsetof(struct hypervisor_block, fl_ns)},
};

// The entry of a disk in an answer that lists them by device.
static const struct json_value *entry_of(const struct json_value *list, const struct xml_node *tree,
                                         const struct xml_node *disk)
{
    if (!list || list->kind != JSON_ARRAY)
        return NULL;
    for (const struct json_value *entry = list->child; entry; entry = entry->next) {
        struct slice device = json_get_string(entry, "qdev");
        if (slice_present(device) && guest_find_disk(tree, device, SLICE_NONE) == disk)
            return entry;
    }
    return NULL;
}

static int32_t error_of(struct slice io_status)
{
    if (slice_is(io_status, "nospace"))
        return VIR_DOMAIN_DISK_ERROR_NO_SPACE;
    return slice_is(io_status, "failed") ? VIR_DOMAIN_DISK_ERROR_UNSPEC
                                         : VIR_DOMAIN_DISK_ERROR_NONE;
}

static void take_image(struct image *image, const struct json_value *told)
{
    image->there = told != NULL;
    json_get_u64(told, "virtual-size", &image->capacity);
    if (!json_get_u64(told, "actual-size", &image->allocated))
        image->allocated = image->capacity; // it can not be sparse
}

static void take_images(struct hypervisor_op *op, struct blocks *s)
{
    const struct json_value *entry = NULL, *told = NULL;
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    struct walk walk = walk_begin(tree, op);
    for (size_t i = 0; walk.disk && i < IMAGES_MAX; i++, walk_on(&walk)) {
        bool top = walk.image == walk.disk;
        if (top)
            entry = entry_of(s->call.result, tree, walk.disk);
        told = top ? json_find(entry, "inserted/image") : json_get(told, "backing-image");
        take_image(&s->images[i], told);
        s->images[i].error = top ? error_of(json_get_string(entry, "io-status")) : 0;
    }
}

static uint64_t file_size(const struct xml_node *image)
{
    char path[PORT_PATH_MAX];
    struct port_stat stat;
    if (!slice_copy(path, sizeof(path), domain_disk_path(image)) || !path[0] ||
        port_stat(path, &stat) < 0)
        return 0;
    return stat.size;
}

// libvirt (qemuDomainGetBlockInfo): an image that nobody has written to yet counts as allocated as
// far as its file has blocks; one that is written densely, or not at all, is as large as its file.
static void take_info(struct hypervisor_block *block, const struct xml_node *image)
{
    uint64_t size = file_size(image);
    bool qcow2 = xml_attr_is(image, "type", "file") &&
                 xml_attr_is(xml_child(image, "driver"), "type", "qcow2");
    block->info_allocation = qcow2 || !block->allocation ? block->physical : block->allocation;
    bool sparse = block->physical == 0 || block->info_allocation == block->physical;
    block->info_physical = sparse && size ? size : block->physical;
    if (block->physical == 0)
        block->physical = size;
}

static void take_block(struct hypervisor_block *block, const struct walk *walk,
                       const struct json_value *told, const struct image *image)
{
    begin_block(block, walk);
    block->capacity = image->capacity;
    block->physical = image->allocated;
    block->error = image->error;
    block->medium = image->there;
    json_get_u64(json_find(told, "parent/stats"), "wr_highest_offset", &block->allocation);
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        uint64_t value;
        if (json_get_u64(json_get(told, "stats"), counters[i].name, &value))
            memcpy((char *)block + counters[i].offset, &value, sizeof(value));
    }
    take_info(block, walk->image);
}

static void take_blocks(struct hypervisor_op *op, const struct blocks *s)
{
    uint32_t i = 0;
    const struct json_value *told = NULL;
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    struct walk walk = walk_begin(tree, op);
    for (; walk.disk && i < IMAGES_MAX; i++, walk_on(&walk)) {
        told = walk.image == walk.disk ? entry_of(s->call.result, tree, walk.disk)
                                       : json_get(told, "backing");
        take_block(&found[i], &walk, told, &s->images[i]);
    }
    op->blocks.blocks = found;
    op->blocks.count = i;
}

static enum co_status ask_running(struct hypervisor_op *op, struct blocks *s)
{
    CO_BEGIN(&s->co);
    s->guest = guest_need(op->domain, op->err);
    if (!s->guest)
        CO_RETURN(&s->co);
    CO_CALL(&s->co, monitor_command(&s->call, &s->guest->monitor, op->task, "query-block",
                                    SLICE_NONE, op->err));
    if (error_is_set(op->err))
        CO_RETURN(&s->co);
    take_images(op, s);
    memset(&s->call, 0, sizeof(s->call));
    CO_CALL(&s->co, monitor_command(&s->call, &s->guest->monitor, op->task, "query-blockstats",
                                    SLICE_NONE, op->err));
    if (!error_is_set(op->err))
        take_blocks(op, s);
    CO_END(&s->co);
}

// ---- of a domain that is off: what lies there, looked at by a worker

struct size {
    uint64_t capacity, allocation, physical; // bytes
    uint64_t there;
};

struct look {
    struct co co;
    struct worker worker;
    struct buffer out;
    char answer[sizeof(struct size) * STOPPED_MAX + 1]; // and a NUL
};

static struct {
    struct walk walk;
    struct size sizes[STOPPED_MAX];
} order; // the worker has a copy, and of the definition too

// libvirt (qemuStorageLimitsRefresh): how much of a device is used, only a raw image's format
// tells.
static int measure(const struct xml_node *image, struct size *to)
{
    static struct storage_volume volume;
    char path[PORT_PATH_MAX];
    if (!slice_copy(path, sizeof(path), domain_disk_path(image)) || !path[0])
        return -ENOENT;
    int status = volume_probe(path, &volume);
    if (status < 0)
        return status;
    const struct xml_node *format =
        xml_child(image, slice_is(image->name, "disk") ? "driver" : "format");
    bool raw = xml_attr_is(format, "type", "raw");
    bool unknown = volume.type == VIR_STORAGE_VOL_BLOCK && !raw;
    *to = (struct size){.capacity = raw ? volume.physical : volume.capacity,
                        .allocation = unknown ? 0 : volume.allocation,
                        .physical = volume.physical,
                        .there = 1};
    return 0;
}

static int look(void *argument, int out)
{
    (void)argument;
    size_t count = 0, size;
    struct walk walk = order.walk;
    for (; walk.disk && count < STOPPED_MAX; walk_on(&walk)) {
        int status = measure(walk.image, &order.sizes[count++]);
        if (status < 0 && !walk.all)
            return -status;
    }
    size = count * sizeof(order.sizes[0]);
    return port_write(out, order.sizes, size) == (ptrdiff_t)size ? 0 : EIO;
}

static bool begin_look(struct hypervisor_op *op, struct look *s)
{
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_PERSISTENT, op->err);
    op->blocks.blocks = found;
    op->blocks.count = 0;
    order.walk = walk_begin(tree, op);
    if (!order.walk.disk || (!order.walk.all && !slice_present(domain_disk_path(order.walk.disk))))
        return false;
    s->out = buffer_over(s->answer, sizeof(s->answer));
    return worker_start(&s->worker, look, NULL, &s->out, op->task, op->err);
}

static void take_size(struct hypervisor_block *block, const struct size *size)
{
    block->medium = size->there;
    block->capacity = size->capacity;
    block->allocation = block->info_allocation = size->allocation;
    block->physical = block->info_physical = size->physical;
}

static void end_look(struct hypervisor_op *op, const struct look *s)
{
    char path[PORT_PATH_MAX] = "";
    struct size size;
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_PERSISTENT, op->err);
    struct walk walk = walk_begin(tree, op);
    for (size_t at = 0; walk.disk && at + sizeof(size) <= s->out.len && !s->worker.result;
         at += sizeof(size), walk_on(&walk)) {
        memcpy(&size, s->answer + at, sizeof(size));
        begin_block(&found[op->blocks.count], &walk);
        take_size(&found[op->blocks.count++], &size);
    }
    if (s->worker.result == 0)
        return;
    slice_copy(path, sizeof(path), domain_disk_path(walk.disk));
    error_set(op->err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR, "Failed to open file '%s': %s", path,
              strerror(s->worker.result));
}

static enum co_status ask_stopped(struct hypervisor_op *op, struct look *s)
{
    CO_BEGIN(&s->co);
    if (!begin_look(op, s))
        CO_RETURN(&s->co);
    CO_WAIT(&s->co, worker_done(&s->worker));
    end_look(op, s);
    CO_END(&s->co);
}

enum co_status guest_blocks(struct hypervisor_op *op)
{
    struct ask {
        bool begun, running;
        union {
            struct blocks blocks;
            struct look look;
        };
    } *s = HYPERVISOR_STATE(op, struct ask);
    if (!s->begun)
        s->running = domain_active(op->domain);
    s->begun = true;
    return s->running ? ask_running(op, &s->blocks) : ask_stopped(op, &s->look);
}
