// Operation: the disks of a domain: counters, sizes, errors.
#include "hv/qemu/guest/guest_ops.h"

#include "virt/domain/definition.h"
#include "virt/domain/domain_facts.h"
#include "virt/storage/storage.h"

#include <errno.h>
#include <string.h>

#define DISKS_MAX 64 // of one guest, whose counters are told

static struct hypervisor_block found[DISKS_MAX]; // the answer

// Block nodes are named "libvirt-N-format" and "libvirt-N-storage", N being the source's index.
static bool is_node_of(const struct xml_node *source, struct slice node)
{
    uint32_t index, said;
    struct slice number, rest = node;
    if (!slice_starts(rest, "libvirt-"))
        return false;
    rest = slice_from(rest, 8);
    return slice_split(&rest, '-', &number) && slice_u32(number, 10, &said) &&
           slice_u32(xml_attr(source, "index"), 10, &index) && index == said;
}

static bool has_node(const struct xml_node *disk, struct slice node)
{
    for (const struct xml_node *at = disk; at; at = xml_child(at, "backingStore"))
        if (is_node_of(xml_child(at, "source"), node))
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

// ---- of a running guest, whose emulator is asked

struct blocks {
    struct co co;
    struct guest *guest;
    struct monitor_call call;
    struct image {
        uint64_t capacity, allocated; // bytes
        int32_t error;
        bool there;
    } images[DISKS_MAX]; // in the order of the definition
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

static void take_images(struct hypervisor_op *op, struct blocks *s)
{
    size_t i = 0;
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    XML_EACH (disk, xml_child(tree, "devices"), "disk") {
        if (i == DISKS_MAX)
            return;
        struct image *image = &s->images[i++];
        const struct json_value *entry = entry_of(s->call.result, tree, disk);
        const struct json_value *told = json_find(entry, "inserted/image");
        image->there = told != NULL;
        image->error = error_of(json_get_string(entry, "io-status"));
        json_get_u64(told, "virtual-size", &image->capacity);
        json_get_u64(told, "actual-size", &image->allocated);
    }
}

static uint64_t file_size(const struct xml_node *disk)
{
    char path[PORT_PATH_MAX];
    struct port_stat stat;
    if (!slice_copy(path, sizeof(path), xml_attr(xml_child(disk, "source"), "file")) || !path[0] ||
        port_stat(path, &stat) < 0)
        return 0;
    return stat.size;
}

// libvirt (qemuDomainGetBlockInfo): an image that nobody has written to yet counts as allocated as
// far as its file has blocks; one that is written densely, or not at all, is as large as its file.
static void take_info(struct hypervisor_block *block, const struct xml_node *disk)
{
    uint64_t size = file_size(disk);
    bool qcow2 = xml_attr_is(xml_child(disk, "driver"), "type", "qcow2");
    block->info_allocation = qcow2 || !block->allocation ? block->physical : block->allocation;
    bool sparse = block->physical == 0 || block->info_allocation == block->physical;
    block->info_physical = sparse && size ? size : block->physical;
    if (block->physical == 0)
        block->physical = size;
}

static void take_block(struct hypervisor_block *block, const struct xml_node *disk,
                       const struct json_value *stats, const struct image *image)
{
    *block = (struct hypervisor_block){
        .errors = -1,
        .capacity = image->capacity,
        .physical = image->allocated,
        .error = image->error,
        .medium = image->there,
    };
    slice_copy(block->target, sizeof(block->target), xml_attr(xml_child(disk, "target"), "dev"));
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        uint64_t value;
        if (json_get_u64(stats, counters[i].name, &value))
            memcpy((char *)block + counters[i].offset, &value, sizeof(value));
    }
    take_info(block, disk);
}

static void take_blocks(struct hypervisor_op *op, const struct blocks *s)
{
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    op->blocks.blocks = found;
    op->blocks.count = 0;
    XML_EACH (disk, xml_child(tree, "devices"), "disk") {
        uint32_t i = op->blocks.count;
        if (i == DISKS_MAX)
            return;
        take_block(&found[i], disk, json_get(entry_of(s->call.result, tree, disk), "stats"),
                   &s->images[i]);
        op->blocks.count++;
    }
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

struct look {
    struct co co;
    struct worker worker;
    struct buffer out;
    char answer[sizeof(struct hypervisor_block) + 1]; // and a NUL
};

static struct {
    char path[PORT_PATH_MAX];
    struct hypervisor_block block;
    bool raw;
} order; // the worker has a copy

static int look(void *argument, int out)
{
    static struct storage_volume volume;
    (void)argument;
    int status = volume_probe(order.path, &volume);
    if (status < 0)
        return -status;
    order.block.capacity = order.raw ? volume.physical : volume.capacity;
    order.block.allocation = order.block.info_allocation = volume.allocation;
    order.block.physical = order.block.info_physical = volume.physical;
    order.block.medium = true;
    return port_write(out, &order.block, sizeof(order.block)) == sizeof(order.block) ? 0 : EIO;
}

static bool begin_look(struct hypervisor_op *op, struct look *s)
{
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_PERSISTENT, op->err);
    const struct xml_node *disk = domain_find_disk(tree, op->blocks.path);
    op->blocks.blocks = found;
    op->blocks.count = 0;
    memset(&order, 0, sizeof(order));
    if (!disk || !slice_copy(order.path, sizeof(order.path), domain_disk_path(disk)) ||
        !order.path[0])
        return false;
    slice_copy(order.block.target, sizeof(order.block.target), xml_attr_at(disk, "target", "dev"));
    order.raw = xml_attr_is(xml_child(disk, "driver"), "type", "raw");
    s->out = buffer_over(s->answer, sizeof(s->answer));
    return worker_start(&s->worker, look, NULL, &s->out, op->task, op->err);
}

static void end_look(struct hypervisor_op *op, const struct look *s)
{
    char path[PORT_PATH_MAX] = "";
    if (s->worker.result == 0 && s->out.len == sizeof(found[0])) {
        memcpy(&found[0], s->answer, sizeof(found[0]));
        op->blocks.count = 1;
        return;
    }
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_PERSISTENT, op->err);
    slice_copy(path, sizeof(path), domain_disk_path(domain_find_disk(tree, op->blocks.path)));
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
