// -m, memory backends, NUMA cells, I/O threads, memory devices.
#include "hv/qemu/command/command_parts.h"

#define HUGE_PAGE_DEFAULT (2048ull * 1024)

// What one region of guest memory is made of.
struct backing {
    struct slice source; // "anonymous", "file", "memfd", or absent
    struct slice access; // "shared", "private", or absent
    uint64_t page;       // size of its huge pages in bytes; 0: ordinary pages
    bool discard, prealloc;
    struct slice host_nodes; // of a memory device; absent: what <numatune> says
};

// True when number is in a list such as "0-3,5".
static bool list_has(struct slice list, uint64_t number)
{
    struct slice part, first;
    while (slice_split(&list, ',', &part)) {
        struct slice rest = part;
        slice_split(&rest, '-', &first);
        uint64_t low = number_of(first);
        uint64_t high = rest.len && rest.at ? number_of(rest) : low;
        if (number >= low && number <= high)
            return true;
    }
    return false;
}

static uint64_t huge_page_size(const struct builder *b, int node)
{
    const struct xml_node *pages = xml_find(b->domain, "memoryBacking/hugepages");
    uint64_t size = 0;
    if (!pages)
        return 0;
    if (!xml_child(pages, "page"))
        return HUGE_PAGE_DEFAULT;
    XML_EACH (page, pages, "page") {
        struct slice nodes = xml_attr(page, "nodeset");
        if (slice_present(nodes) && (node < 0 || !list_has(nodes, (uint64_t)node)))
            continue;
        struct slice unit = xml_attr(page, "unit");
        uint64_t factor = slice_is(unit, "G") || slice_is(unit, "GiB")   ? 1ull << 30
                          : slice_is(unit, "M") || slice_is(unit, "MiB") ? 1ull << 20
                                                                         : 1024;
        size = number_of(xml_attr(page, "size")) * factor;
        if (slice_present(nodes))
            break;
    }
    return size;
}

static struct backing backing_of(const struct builder *b, const struct xml_node *cell, int node)
{
    const struct xml_node *all = xml_child(b->domain, "memoryBacking");
    struct slice access = xml_attr(cell, "memAccess"), discard = xml_attr(cell, "discard");
    struct backing backing = {
        .source = xml_attr_at(all, "source", "type"),
        .access = slice_present(access) ? access : xml_attr_at(all, "access", "mode"),
        .page = huge_page_size(b, node),
        .discard = slice_present(discard) ? is_on(discard) : xml_child(all, "discard") != NULL,
    };
    backing.prealloc =
        backing.page || slice_is(xml_attr_at(all, "allocation", "mode"), "immediate");
    return backing;
}

// A file below memory_backing_dir, in a directory of the guest's own; or below the latter.
static void memory_path(const struct builder *b, const char *id, char *path, size_t size)
{
    const char *directory = b->context->settings->memory_backing_dir;
    struct slice name = slice_of(b->context->state_dir), part, last = SLICE("guest");
    struct buffer text = buffer_over(path, size);
    if (!*directory) {
        buffer_printf(&text, "%.*s/%s", SLICE_ARG(name), id);
        return;
    }
    while (slice_split(&name, '/', &part))
        last = part;
    buffer_printf(&text, "%s/%.*s/%s", directory, SLICE_ARG(last), id);
}

static void put_array_of_list(struct builder *b, const char *property, struct slice list)
{
    json_open_array(&b->json, property);
    for (uint64_t i = 0; i < 128; i++)
        if (list_has(list, i))
            json_put_u64(&b->json, NULL, i);
    json_close_array(&b->json);
}

// <numatune>: the host nodes that a region may come from.
static void put_host_nodes(struct builder *b, const struct backing *backing, int node)
{
    const struct xml_node *tune = xml_child(b->domain, "numatune"),
                          *rule = xml_child(tune, "memory");
    XML_EACH (element, tune, "memnode")
        if (node >= 0 && number_of(xml_attr(element, "cellid")) == (uint64_t)node)
            rule = element;
    struct slice mode = xml_attr(rule, "mode"), nodes = xml_attr(rule, "nodeset");
    if (slice_present(backing->host_nodes))
        nodes = backing->host_nodes;
    if (!slice_present(nodes) || slice_is(mode, "restrictive"))
        return;
    put_array_of_list(b, "host-nodes", nodes);
    json_puts(&b->json, "policy",
              slice_is(mode, "preferred")    ? "preferred"
              : slice_is(mode, "interleave") ? "interleave"
                                             : "bind");
}

// Huge pages and shared memory come from memfd, which needs no mounted file system and leaves no
// file behind; only <source type='file'/> asks for a file.
static void build_backend(struct builder *b, const char *id, const struct backing *backing,
                          uint64_t size, int node)
{
    bool file = slice_is(backing->source, "file") && !backing->page;
    bool memfd = !file && (slice_is(backing->source, "memfd") || backing->page ||
                           slice_present(backing->access));
    if (memfd && !builder_has(b, "memory-backend-memfd"))
        unsupported(b, "this qemu doesn't support the memory-backend-memfd object");
    char path[1024];
    memory_path(b, id, path, sizeof(path));
    object_open(b,
                file    ? "memory-backend-file"
                : memfd ? "memory-backend-memfd"
                        : "memory-backend-ram",
                id);
    if (backing->page) {
        json_put_bool(&b->json, "hugetlb", true);
        json_put_u64(&b->json, "hugetlbsize", backing->page);
    }
    if (file)
        json_puts(&b->json, "mem-path", path);
    if (file && backing->discard)
        json_put_bool(&b->json, "discard-data", true);
    if (slice_present(backing->access))
        json_put_bool(&b->json, "share", slice_is(backing->access, "shared"));
    // Keeps the name of the RAM block that a guest without a backend of its own has, for migration.
    if ((file || memfd) && node < 0)
        json_put_bool(&b->json, "x-use-canonical-path-for-ramblock-id", false);
    if (backing->prealloc) {
        json_put_bool(&b->json, "prealloc", true);
        put_number(b, "prealloc-threads",
                   xml_attr_at(b->domain, "memoryBacking/allocation", "threads"));
    }
    json_put_u64(&b->json, "size", size);
    put_host_nodes(b, backing, node);
    json_arg_close(b);
    if (file)
        path_add(b, slice_of(path), QEMU_PATH_CREATE, false);
}

// QEMU takes whole MiB.
static uint64_t round_up(uint64_t bytes)
{
    const uint64_t mib = 1ull << 20;
    return (bytes + mib - 1) / mib * mib;
}

static uint64_t cell_memory(const struct xml_node *cell)
{
    struct slice unit = xml_attr(cell, "unit");
    uint64_t factor = slice_is(unit, "MiB")   ? 1ull << 20
                      : slice_is(unit, "GiB") ? 1ull << 30
                                              : 1024;
    return round_up(number_of(xml_attr(cell, "memory")) * factor);
}

static uint64_t initial_memory(const struct builder *b)
{
    const struct xml_node *numa = xml_find(b->domain, "cpu/numa");
    uint64_t size = memory_bytes(xml_child(b->domain, "memory")), cells = 0;
    XML_EACH (cell, numa, "cell")
        cells += cell_memory(cell);
    if (cells)
        return cells;
    XML_EACH (device, b->devices, "memory") {
        uint64_t part = memory_bytes(xml_find(device, "target/size"));
        size = part < size ? size - part : 0;
    }
    return round_up(size);
}

static void build_io_threads(struct builder *b)
{
    const struct xml_node *ids = xml_child(b->domain, "iothreadids");
    uint64_t count = number_of(xml_text_at(b->domain, "iothreads"));
    for (uint64_t i = 1; !ids && i <= count; i++) {
        char id[32];
        struct buffer name = buffer_over(id, sizeof(id));
        buffer_printf(&name, "iothread%llu", (unsigned long long)i);
        object_open(b, "iothread", id);
        json_arg_close(b);
    }
    XML_EACH (thread, ids, "iothread") {
        char id[32];
        struct buffer name = buffer_over(id, sizeof(id));
        buffer_printf(&name, "iothread%.*s", SLICE_ARG(xml_attr(thread, "id")));
        object_open(b, "iothread", id);
        put_number(b, "thread-pool-min", xml_attr(thread, "thread_pool_min"));
        put_number(b, "thread-pool-max", xml_attr(thread, "thread_pool_max"));
        json_arg_close(b);
    }
    const struct xml_node *main_loop = xml_child(b->domain, "defaultiothread");
    if (!main_loop)
        return;
    object_open(b, "main-loop", "main-loop");
    put_number(b, "thread-pool-min", xml_attr(main_loop, "thread_pool_min"));
    put_number(b, "thread-pool-max", xml_attr(main_loop, "thread_pool_max"));
    json_arg_close(b);
}

static void build_size(struct builder *b)
{
    const struct xml_node *maximum = xml_child(b->domain, "maxMemory");
    unsigned long long size = initial_memory(b);
    arg(b, "-m");
    if (maximum)
        argf(b, "size=%lluk,slots=%u,maxmem=%lluk", size >> 10,
             (unsigned)number_of(xml_attr(maximum, "slots")),
             (unsigned long long)memory_bytes(maximum) >> 10);
    else
        argf(b, "%llu", size >> 20);
}

static void build_default_backend(struct builder *b)
{
    const struct qemu_machine *machine =
        qemu_capabilities_machine(b->capabilities, xml_attr_at(b->os, "type", "machine"));
    char id[64];
    if (!machine || !slice_copy(id, sizeof(id), machine->ram_id) || !*id ||
        xml_find(b->domain, "cpu/numa/cell"))
        return;
    struct backing backing = backing_of(b, NULL, -1);
    build_backend(b, id, &backing, initial_memory(b), -1);
}

void build_memory(struct builder *b)
{
    build_size(b);
    build_default_backend(b);
    arg(b, "-overcommit");
    arg(b, xml_find(b->domain, "memoryBacking/locked") ? "mem-lock=on" : "mem-lock=off");
}

static void build_cell(struct builder *b, const struct xml_node *cell, unsigned node)
{
    char id[32];
    struct buffer name = buffer_over(id, sizeof(id));
    struct backing backing = backing_of(b, cell, (int)node);
    struct slice cpus = xml_attr(cell, "cpus"), part;
    buffer_printf(&name, "ram-node%u", node);
    build_backend(b, id, &backing, cell_memory(cell), (int)node);
    arg(b, "-numa");
    arg_open(b);
    buffer_printf(&b->text, "node,nodeid=%u", node);
    while (slice_split(&cpus, ',', &part))
        put_option(b, "cpus", part);
    buffer_printf(&b->text, ",memdev=%s", id);
    arg_close(b);
}

static void build_distances(struct builder *b, const struct xml_node *cell, unsigned node)
{
    XML_EACH (sibling, xml_child(cell, "distances"), "sibling") {
        arg(b, "-numa");
        argf(b, "dist,src=%u,dst=%u,val=%u", node, (unsigned)number_of(xml_attr(sibling, "id")),
             (unsigned)number_of(xml_attr(sibling, "value")));
    }
}

void build_numa(struct builder *b)
{
    const struct xml_node *numa = xml_find(b->domain, "cpu/numa");
    build_io_threads(b);
    unsigned node = 0;
    XML_EACH (cell, numa, "cell") {
        if (xml_child(cell, "cache"))
            unsupported(b, "memory side caches of NUMA cells are not supported");
        build_cell(b, cell, node++);
    }
    node = 0;
    XML_EACH (cell, numa, "cell")
        build_distances(b, cell, node++);
    if (xml_child(numa, "interconnects"))
        unsupported(b, "NUMA interconnects are not supported");
}

static const struct xml_node *cell_at(const struct builder *b, unsigned node)
{
    XML_EACH (cell, xml_find(b->domain, "cpu/numa"), "cell")
        if (node-- == 0)
            return cell;
    return NULL;
}

void build_memory_devices(struct builder *b)
{
    XML_EACH (device, b->devices, "memory") {
        char id[64];
        struct buffer name = buffer_over(id, sizeof(id));
        struct slice node = xml_text_at(device, "target/node");
        if (!xml_attr_is(device, "model", "dimm")) {
            unsupported(b, "memory device model '%.*s' isn't supported by this QEMU driver",
                        SLICE_ARG(xml_attr(device, "model")));
            return;
        }
        struct backing backing =
            backing_of(b, cell_at(b, (unsigned)number_of(node)), (int)number_of(node));
        struct slice access = xml_attr(device, "access"), discard = xml_attr(device, "discard");
        const struct xml_node *page = xml_find(device, "source/pagesize");
        if (page)
            backing.page = memory_bytes(page);
        backing.prealloc = backing.prealloc || page;
        backing.host_nodes = xml_text_at(device, "source/nodemask");
        if (slice_present(access))
            backing.access = access;
        if (slice_present(discard))
            backing.discard = is_on(discard);
        buffer_printf(&name, "mem%.*s", SLICE_ARG(device_alias(device)));
        build_backend(b, id, &backing, round_up(memory_bytes(xml_find(device, "target/size"))),
                      (int)number_of(node));
        device_open(b, "pc-dimm");
        put_number(b, "node", node);
        json_puts(&b->json, "memdev", id);
        put_alias(b, device);
        put_address(b, device);
        json_arg_close(b);
    }
}
