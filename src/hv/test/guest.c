// The test driver's guests: the fixed and the made-up numbers that libvirt's test driver gives.
#include "hv/test/driver.h"

#include "virt/domain/definition.h"
#include "virt/domain/domain_facts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool test_info(const struct domain *domain, uint64_t *memory_kib, uint64_t *cpu_ns)
{
    (void)domain, (void)memory_kib; // the definition's is right
    *cpu_ns = (uint64_t)port_time_us() * 1000;
    return true;
}

// ---- changes of the live definition

static bool write_changed(const struct domain *domain, struct error *err)
{
    return xml_ok(definition_doc(), err) &&
           definition_write_live(domain, definition_doc()->root, err);
}

enum co_status test_set_memory(struct hypervisor_op *op)
{
    struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    if (tree) {
        struct xml_doc *doc = definition_doc();
        xml_set_textf(doc, xml_need(doc, tree, "currentMemory"), "%llu",
                      (unsigned long long)op->memory.kib);
        write_changed(op->domain, op->err);
    }
    return CO_DONE;
}

enum co_status test_set_vcpus(struct hypervisor_op *op)
{
    struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    if (tree) {
        domain_vcpus_set(definition_doc(), tree, op->vcpus.count);
        write_changed(op->domain, op->err);
    }
    return CO_DONE;
}

// The period itself is the caller's to write down.
enum co_status test_set_memory_stats_period(struct hypervisor_op *op)
{
    (void)op;
    return CO_DONE;
}

// ---- statistics

enum co_status test_memory_stats(struct hypervisor_op *op)
{
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    if (!tree)
        return CO_DONE;
    uint64_t memory = domain_current_memory_kib(tree);
    const struct xml_node *balloon = xml_find(tree, "devices/memballoon");
    const struct {
        int32_t tag;
        uint64_t value;
    } stats[] = {
        {VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, memory},
        {VIR_DOMAIN_MEMORY_STAT_SWAP_IN, 0},
        {VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, 0},
        {VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, 0},
        {VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, 0},
        {VIR_DOMAIN_MEMORY_STAT_UNUSED, memory / 2},
        {VIR_DOMAIN_MEMORY_STAT_AVAILABLE, memory},
        {VIR_DOMAIN_MEMORY_STAT_USABLE, memory / 2},
        {VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, 627319920},
        {VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, memory / 8},
        {VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, 0},
        {VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, 0},
        {VIR_DOMAIN_MEMORY_STAT_RSS, memory / 2},
    };
    if (!balloon || xml_attr_is(balloon, "model", "none"))
        return CO_DONE;
    for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++) {
        op->memory_stats.stats[i].tag = stats[i].tag;
        op->memory_stats.stats[i].value = stats[i].value;
        op->memory_stats.count++;
    }
    return CO_DONE;
}

// Numbers without a meaning, that go up.
bool test_interface_stats(const struct domain *domain, const char *device,
                          struct port_link_stats *to, struct error *err)
{
    uint64_t now = (uint64_t)port_time_us();
    (void)domain, (void)device, (void)err;
    *to = (struct port_link_stats){
        .rx_bytes = now / 10,
        .rx_packets = now / 100,
        .rx_errors = now / 1000000,
        .rx_dropped = now / 2000000,
        .tx_bytes = now / 20,
        .tx_packets = now / 110,
        .tx_errors = now / 3000000,
        .tx_dropped = now / 4000000,
    };
    return true;
}

#define BLOCKS_MAX 64

enum co_status test_blocks(struct hypervisor_op *op)
{
    static struct hypervisor_block blocks[BLOCKS_MAX];
    const struct xml_node *tree = definition_current(op->domain, op->err);
    uint64_t now = (uint64_t)port_time_us();
    op->blocks.blocks = blocks;
    op->blocks.count = 0;
    XML_EACH (disk, xml_child(tree, "devices"), "disk") {
        struct hypervisor_block *block = &blocks[op->blocks.count];
        if (op->blocks.count == BLOCKS_MAX)
            break;
        *block = (struct hypervisor_block){
            .rd_reqs = now / 10,
            .rd_bytes = now / 20,
            .wr_reqs = now / 30,
            .wr_bytes = now / 40,
            .errors = (int64_t)(now / 2000000),
            .capacity = UINT64_C(1099506450432),
            .info_allocation = UINT64_C(1099511627776),
            .info_physical = UINT64_C(1099511627776),
            .error = (int32_t)(op->blocks.count % VIR_DOMAIN_DISK_ERROR_NO_SPACE) + 1,
        };
        if (slice_copy(block->target, sizeof(block->target), xml_attr_at(disk, "target", "dev")))
            op->blocks.count++;
    }
    return CO_DONE;
}

// ---- keys, interrupts, the screen

enum co_status test_send_key(struct hypervisor_op *op)
{
    (void)op;
    return CO_DONE;
}

enum co_status test_inject_nmi(struct hypervisor_op *op)
{
    (void)op;
    return CO_DONE;
}

#define SCREENSHOT "/usr/share/libvirt/test-screenshot.png"

enum co_status test_screenshot(struct hypervisor_op *op)
{
    snprintf(op->screenshot.mime, sizeof(op->screenshot.mime), "image/png");
    op->screenshot.fd = port_open(SCREENSHOT, PORT_OPEN_READ, 0);
    if (op->screenshot.fd < 0)
        error_set(op->err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                  "Unable to open stream for '%s': %s", SCREENSHOT, strerror(-op->screenshot.fd));
    return CO_DONE;
}

// ---- the guest's own view

enum co_status test_hostname(struct hypervisor_op *op)
{
    snprintf(op->hostname.name, sizeof(op->hostname.name), "%.250shost", op->domain->name);
    return CO_DONE;
}

// Two, on the first disk, if there is one.
enum co_status test_filesystems(struct hypervisor_op *op)
{
    static struct hypervisor_filesystem found[2];
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    op->filesystems.at = found;
    op->filesystems.count = 0;
    XML_EACH (disk, xml_child(tree, "devices"), "disk") {
        struct slice target = xml_attr_at(disk, "target", "dev");
        if (!xml_attr_is(disk, "device", "disk"))
            continue;
        for (int i = 0; i < 2; i++) {
            found[i] = (struct hypervisor_filesystem){.type = "ext4", .target_count = 1};
            snprintf(found[i].mountpoint, sizeof(found[i].mountpoint), i ? "/boot" : "/");
            snprintf(found[i].name, sizeof(found[i].name), "%.*s%d", SLICE_ARG(target), i + 1);
            slice_copy(found[i].targets[0], sizeof(found[i].targets[0]), target);
        }
        op->filesystems.count = 2;
        break;
    }
    return CO_DONE;
}

#define FIRST_TIME 627319920 // of every guest: 1989-11-17

// What clients have set of a guest's inside, by uuid.
static struct inside {
    bool used;
    bool frozen[2]; // its file systems, / and /boot
    uint8_t uuid[16];
    int64_t seconds;
    uint32_t nseconds;
} insides[CONFIG_MAX_DOMAINS];

static struct inside *inside_of(const struct domain *domain, bool add)
{
    for (size_t i = 0; i < CONFIG_MAX_DOMAINS; i++) {
        if (insides[i].used && memcmp(insides[i].uuid, domain->uuid, 16) == 0)
            return &insides[i];
        if (!insides[i].used && !add)
            return NULL;
        if (!insides[i].used) {
            insides[i] = (struct inside){.used = true, .seconds = FIRST_TIME};
            memcpy(insides[i].uuid, domain->uuid, 16);
            return &insides[i];
        }
    }
    return NULL;
}

static struct inside *need_inside(struct hypervisor_op *op)
{
    struct inside *inside = inside_of(op->domain, true);
    if (!inside)
        error_set(op->err, VIR_FROM_TEST, VIR_ERR_OPERATION_FAILED,
                  "too many guests were changed inside: limit is %d, CONFIG_MAX_DOMAINS",
                  CONFIG_MAX_DOMAINS);
    return inside;
}

enum co_status test_get_time(struct hypervisor_op *op)
{
    const struct inside *time = inside_of(op->domain, false);
    op->time.seconds = time ? time->seconds : FIRST_TIME;
    op->time.nseconds = time ? time->nseconds : 0;
    return CO_DONE;
}

enum co_status test_set_time(struct hypervisor_op *op)
{
    struct inside *time = need_inside(op);
    if (!time)
        return CO_DONE;
    time->seconds = op->time.seconds;
    time->nseconds = op->time.nseconds;
    return CO_DONE;
}

// Its two file systems, or those of them that are named.
static bool choose_systems(struct hypervisor_op *op, bool chosen[2])
{
    struct slice mountpoint;
    chosen[0] = chosen[1] = !op->freeze.mountpoint;
    for (uint32_t i = 0;
         op->freeze.mountpoint && op->freeze.mountpoint(op->freeze.from, i, &mountpoint); i++) {
        if (!slice_is(mountpoint, "/") && !slice_is(mountpoint, "/boot"))
            return error_set(op->err, VIR_FROM_TEST, VIR_ERR_OPERATION_INVALID,
                             "mount point not found: %.*s", SLICE_ARG(mountpoint));
        chosen[mountpoint.len > 1] = true;
    }
    return true;
}

static enum co_status freeze(struct hypervisor_op *op, bool freeze)
{
    bool chosen[2];
    struct inside *inside = need_inside(op);
    if (!inside || !choose_systems(op, chosen))
        return CO_DONE;
    for (int i = 0; i < 2; i++) {
        if (!chosen[i] || inside->frozen[i] == freeze)
            continue;
        inside->frozen[i] = freeze;
        op->freeze.filesystems++;
    }
    return CO_DONE;
}

static bool is_running(struct hypervisor_op *op)
{
    return domain_active(op->domain) ||
           error_set(op->err, VIR_FROM_NONE, VIR_ERR_OPERATION_INVALID, "domain is not running");
}

enum co_status test_fs_freeze(struct hypervisor_op *op)
{
    return freeze(op, true);
}

enum co_status test_fs_thaw(struct hypervisor_op *op)
{
    return is_running(op) ? freeze(op, false) : CO_DONE;
}

enum co_status test_fs_trim(struct hypervisor_op *op)
{
    bool chosen[2];
    if (is_running(op))
        choose_systems(op, chosen);
    return CO_DONE;
}

enum co_status test_set_password(struct hypervisor_op *op)
{
    (void)op;
    return CO_DONE;
}

void test_forget_insides(void)
{
    memset(insides, 0, sizeof(insides));
}
