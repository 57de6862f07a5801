// A guest's NUMA cells: distances between them, and whose processors are whose.
#include "virt/xml/domain_check.h"
#include "virt/xml/domain_complete.h"
#include "virt/xml/xml_value.h"

#include <string.h>

#define CELLS          128 // that have distances
#define DISTANCE_LOCAL 10
#define DISTANCE_NEVER 255

static struct {
    unsigned cells;
    bool given[CELLS]; // the cell has distances
    unsigned char value[CELLS][CELLS];
} distances;

static void set_distance(unsigned from, unsigned to, unsigned value)
{
    if (!distances.given[from])
        distances.value[from][from] = DISTANCE_LOCAL;
    distances.given[from] = true;
    if (!distances.value[from][to] || from == to)
        distances.value[from][to] = (unsigned char)value;
}

static bool read_distances(struct domain_xml *x, const struct xml_node *cell, unsigned id)
{
    const struct xml_node *list = xml_child(cell, "distances");
    if (list && !xml_child(list, "sibling"))
        return REFUSE(x, XML_ERROR, "NUMA distances defined without siblings");
    XML_EACH (sibling, list, "sibling") {
        unsigned other = domain_number(sibling, "id", 0);
        unsigned value = domain_number(sibling, "value", 0);
        if (other >= distances.cells)
            return REFUSE(x, XML_ERROR,
                          "'sibling_id %u' does not refer to a valid cell within NUMA 'cell id %u'",
                          other, id);
        if (value < DISTANCE_LOCAL || value > DISTANCE_NEVER ||
            (other == id) != (value == DISTANCE_LOCAL))
            return REFUSE(x, XML_ERROR,
                          "'value %u' is invalid for 'sibling id %u' under NUMA 'cell id %u'",
                          value, other, id);
        distances.value[id][other] = 0;
        set_distance(id, other, value);
        set_distance(other, id, value);
    }
    return true;
}

static void write_distances(struct domain_xml *x, struct xml_node *cell, unsigned id)
{
    xml_remove(xml_child(cell, "distances"));
    struct xml_node *list = xml_add(x->doc, cell, "distances");
    for (unsigned other = 0; other < distances.cells; other++) {
        if (!distances.value[id][other])
            continue;
        struct xml_node *sibling = xml_add(x->doc, list, "sibling");
        xml_setf(x->doc, sibling, "id", "%u", other);
        xml_setf(x->doc, sibling, "value", "%u", distances.value[id][other]);
    }
}

static bool check_overlap(struct domain_xml *x, const struct xml_node *cell)
{
    static struct schema_set mine, others;
    if (!schema_set_parse(xml_attr(cell, "cpus"), &mine))
        return true;
    XML_EACH (other, cell->parent, "cell") {
        if (other == cell || !schema_set_parse(xml_attr(other, "cpus"), &others))
            continue;
        for (int cpu = schema_set_next(&mine, 0); cpu >= 0; cpu = schema_set_next(&mine, cpu + 1))
            if (schema_set_has(&others, (unsigned)cpu))
                return REFUSE(x, CONFIG_UNSUPPORTED,
                              "NUMA cells %u and %u have overlapping vCPU ids",
                              domain_number(other, "id", 0), domain_number(cell, "id", 0));
    }
    return true;
}

// --- tuning

static bool check_memnode(struct domain_xml *x, const struct xml_node *memnode, unsigned cells)
{
    const struct xml_node *memory = xml_child(memnode->parent, "memory");
    unsigned cell = domain_number(memnode, "cellid", 0);
    if (xml_attr_is(memory, "placement", "auto"))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "Per-node binding is not compatible with automatic NUMA placement.");
    if (!cells)
        return REFUSE(x, XML_ERROR, "Element 'memnode' is invalid without any guest NUMA cells");
    if (cell >= cells)
        return REFUSE(x, XML_ERROR,
                      "Argument 'cellid' in memnode element must correspond to existing guest's "
                      "NUMA cell");
    for (const struct xml_node *other = xml_next(memnode, "memnode"); other;
         other = xml_next(other, "memnode"))
        if (domain_number(other, "cellid", 0) == cell)
            return REFUSE(x, XML_ERROR, "Multiple memnode elements with cellid %u", cell);
    return !xml_attr_is(memory, "mode", "restrictive") ||
           xml_attr_is(memnode, "mode", "restrictive") ||
           REFUSE(x, XML_ERROR,
                  "'restrictive' mode is required in memnode element when mode is 'restrictive' in "
                  "memory element");
}

static bool check_memory_device(struct domain_xml *x, const struct xml_node *memory, unsigned cells)
{
    uint32_t node;
    if (!slice_u32(xml_text(xml_find(memory, "target/node")), 10, &node))
        return true;
    if (!cells)
        return REFUSE(x, XML_DETAIL,
                      "can't add memory backend as guest has no NUMA nodes configured");
    return node < cells ||
           REFUSE(x, XML_DETAIL,
                  "can't add memory backend for guest node '%u' as the guest has only '%u' NUMA "
                  "nodes configured",
                  (unsigned)node, cells);
}

bool domain_complete_numa(struct domain_xml *x)
{
    const struct xml_node *numa = xml_find(x->root, "cpu/numa");
    XML_EACH (memnode, xml_child(x->root, "numatune"), "memnode")
        if (!check_memnode(x, memnode, xml_count(numa, "cell")))
            return false;
    if (!numa)
        return true;
    memset(&distances, 0, sizeof(distances));
    distances.cells = xml_count(numa, "cell");
    if (!distances.cells)
        return REFUSE(x, XML_ERROR, "NUMA topology defined without NUMA cells");
    if (distances.cells > CELLS)
        return REFUSE(x, XML_ERROR, "NUMA topology has %u cells, CELLS is %d", distances.cells,
                      CELLS);
    XML_EACH (cell, numa, "cell")
        if (!check_overlap(x, cell) || !read_distances(x, cell, domain_number(cell, "id", 0)))
            return false;
    XML_EACH (cell, numa, "cell")
        if (distances.given[domain_number(cell, "id", 0)])
            write_distances(x, cell, domain_number(cell, "id", 0));
    return true;
}

// Each cell takes its pages from one size at most; one size is for all that no other is for.
static bool check_page(struct domain_xml *x, const struct xml_node *page, unsigned cells)
{
    static struct schema_set mine, theirs;
    bool some = schema_set_parse(xml_attr(page, "nodeset"), &mine);
    struct slice size = xml_attr(page, "size");
    for (const struct xml_node *before = page->prev; before; before = before->prev) {
        struct slice other = xml_attr(before, "size");
        if (!xml_named(before, "page") ||
            some != schema_set_parse(xml_attr(before, "nodeset"), &theirs))
            continue;
        if (!some)
            return REFUSE(x, XML_DETAIL, "two master hugepages detected: %.*s and %.*s",
                          SLICE_ARG(size), SLICE_ARG(other));
        for (int cell = schema_set_next(&mine, 0); cell >= 0;
             cell = schema_set_next(&mine, cell + 1))
            if (schema_set_has(&theirs, (unsigned)cell))
                return REFUSE(x, XML_DETAIL,
                              "nodeset attribute of hugepages of sizes %.*s and %.*s intersect",
                              SLICE_ARG(size), SLICE_ARG(other));
    }
    int missing = some ? schema_set_next(&mine, (int)cells) : -1;
    return missing < 0 || REFUSE(x, XML_DETAIL, "hugepages: node %d not found", missing);
}

bool domain_validate_numa(struct domain_xml *x)
{
    XML_EACH (page, xml_find(x->root, "memoryBacking/hugepages"), "page")
        if (!check_page(x, page, xml_count(xml_find(x->root, "cpu/numa"), "cell")))
            return false;
    static struct schema_set cpus;
    unsigned total = 0, most = domain_vcpu_max(x->root);
    XML_EACH (memory, x->devices, "memory")
        if (!check_memory_device(x, memory, xml_count(xml_find(x->root, "cpu/numa"), "cell")))
            return false;
    XML_EACH (cell, xml_find(x->root, "cpu/numa"), "cell") {
        if (!schema_set_parse(xml_attr(cell, "cpus"), &cpus))
            continue;
        for (int bit = schema_set_next(&cpus, 0); bit >= 0; bit = schema_set_next(&cpus, bit + 1)) {
            if ((unsigned)bit >= most)
                return REFUSE(x, INTERNAL_ERROR, "CPU IDs in <numa> exceed the <vcpu> count");
            total++;
        }
    }
    return total <= most ||
           REFUSE(x, INTERNAL_ERROR, "Number of CPUs in <numa> exceeds the <vcpu> count");
}
