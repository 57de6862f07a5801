// A guest's NUMA cells: distances between them, and whose processors are whose.
#include "virt/domain_check.h"
#include "virt/domain_complete.h"
#include "virt/xml_value.h"

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

bool domain_complete_numa(struct domain_xml *x)
{
    const struct xml_node *numa = xml_find(x->root, "cpu/numa");
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

bool domain_validate_numa(struct domain_xml *x)
{
    static struct schema_set cpus;
    unsigned total = 0, most = domain_vcpu_max(x->root);
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
