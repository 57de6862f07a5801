// Operations: counters of disks and interfaces.
#include "hv/qemu/guest/guest_ops.h"

#include "virt/domain/definition.h"

#include <errno.h>
#include <string.h>

#define DISKS_MAX 64 // of one guest, whose counters are told

// ---- disks

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

struct blocks {
    struct guest *guest;
    struct monitor_call call;
    uint64_t capacities[DISKS_MAX]; // in the order of the definition
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

static void take_capacities(struct hypervisor_op *op, struct blocks *s)
{
    size_t i = 0;
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    XML_EACH (disk, xml_child(tree, "devices"), "disk") {
        if (i == DISKS_MAX)
            return;
        json_get_u64(json_find(entry_of(s->call.result, tree, disk), "inserted/image"),
                     "virtual-size", &s->capacities[i++]);
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

// An image that nobody has written to yet counts as allocated whole (libvirt:
// qemuDomainGetBlockInfo).
static void take_block(struct hypervisor_block *block, const struct xml_node *disk,
                       const struct json_value *stats, uint64_t capacity)
{
    *block = (struct hypervisor_block){.errors = -1, .capacity = capacity};
    slice_copy(block->target, sizeof(block->target), xml_attr(xml_child(disk, "target"), "dev"));
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        uint64_t value;
        if (json_get_u64(stats, counters[i].name, &value))
            memcpy((char *)block + counters[i].offset, &value, sizeof(value));
    }
    block->physical = file_size(disk);
    if (block->physical == 0)
        block->physical = capacity;
    if (!json_get_u64(stats, "wr_highest_offset", &block->allocation) || block->allocation == 0)
        block->allocation = block->physical;
}

static void take_blocks(struct hypervisor_op *op, const struct blocks *s)
{
    static struct hypervisor_block list[DISKS_MAX];
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    op->blocks.blocks = list;
    op->blocks.count = 0;
    XML_EACH (disk, xml_child(tree, "devices"), "disk") {
        uint32_t i = op->blocks.count;
        if (i == DISKS_MAX)
            return;
        take_block(&list[i], disk, json_get(entry_of(s->call.result, tree, disk), "stats"),
                   s->capacities[i]);
        op->blocks.count++;
    }
}

enum co_status guest_blocks(struct hypervisor_op *op)
{
    struct blocks *s = HYPERVISOR_STATE(op, struct blocks);
    CO_BEGIN(&op->co);
    s->guest = guest_need(op->domain, op->err);
    if (!s->guest)
        CO_RETURN(&op->co);
    CO_CALL(&op->co, monitor_command(&s->call, &s->guest->monitor, op->task, "query-block",
                                     SLICE_NONE, op->err));
    if (error_is_set(op->err))
        CO_RETURN(&op->co);
    take_capacities(op, s);
    memset(&s->call, 0, sizeof(s->call));
    CO_CALL(&op->co, monitor_command(&s->call, &s->guest->monitor, op->task, "query-blockstats",
                                     SLICE_NONE, op->err));
    if (!error_is_set(op->err))
        take_blocks(op, s);
    CO_END(&op->co);
}

// ---- interfaces

// What the host receives on a tap, the guest has sent.
bool guest_interface_stats(const struct domain *domain, const char *device,
                           struct port_link_stats *to, struct error *err)
{
    struct port_link_stats host;
    (void)domain;
    int result = device[0] ? port_link_stats(device, &host) : -ENODEV;
    if (result < 0)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "/proc/net/dev: Interface not found");
    *to = (struct port_link_stats){
        .rx_bytes = host.tx_bytes,
        .rx_packets = host.tx_packets,
        .rx_errors = host.tx_errors,
        .rx_dropped = host.tx_dropped,
        .tx_bytes = host.rx_bytes,
        .tx_packets = host.rx_packets,
        .tx_errors = host.rx_errors,
        .tx_dropped = host.rx_dropped,
    };
    return true;
}
