// Checks of a domain: features and the CPU.
#include "virt/xml/domain_check.h"

#include "virt/xml/xml_value.h"

// Children of <features> and its lists that libvirt does not know are refused, unlike elsewhere.
static bool only_known(struct schema_walk *walk, struct xml_node *node, const char *list,
                       const char *what)
{
    XML_EACH (child, node, NULL)
        if (!schema_has_word(list, child->name))
            return REFUSE(walk, CONFIG_UNSUPPORTED, "%s%.*s%s", what, SLICE_ARG(child->name),
                          what[0] == 'u' && what[10] == ' ' ? "'" : "");
    return true;
}

bool domain_check_features(struct schema_walk *walk, struct xml_node *node)
{
    return only_known(walk, node,
                      "acpi|apic|pae|hap|viridian|privnet|hyperv|kvm|pvspinlock|capabilities|pmu|"
                      "vmport|gic|smm|ioapic|hpt|vmcoreinfo|htm|nested-hv|msrs|ccf-assist|xen|cfpc|"
                      "sbbc|ibs|tcg",
                      "unexpected feature '");
}

bool domain_check_switch(struct schema_walk *walk, struct xml_node *node)
{
    if (!slice_present(xml_attr(node, "state")))
        xml_sets(walk->doc, node, "state", "on");
    return true;
}

bool domain_check_hyperv(struct schema_walk *walk, struct xml_node *node)
{
    if (!slice_present(xml_attr(node, "mode")))
        xml_sets(walk->doc, node, "mode", "custom");
    return only_known(walk, node,
                      "relaxed|vapic|spinlocks|vpindex|runtime|synic|stimer|reset|vendor_id|"
                      "frequencies|reenlightenment|tlbflush|ipi|evmcs|avic",
                      "unsupported HyperV Enlightenment feature: ");
}

bool domain_check_spinlocks(struct schema_walk *walk, struct xml_node *node)
{
    if (!xml_attr_is(node, "state", "on")) {
        xml_unset(node, "retries");
        return true;
    }
    if (!schema_apply_attrs(walk, node, SCHEMA_SPINLOCKS))
        return false;
    return domain_number(node, "retries", 0) >= 0xFFF ||
           REFUSE(walk, XML_ERROR, "HyperV spinlock retry count must be at least 4095");
}

bool domain_check_stimer(struct schema_walk *walk, struct xml_node *node)
{
    struct xml_node *direct = xml_child(node, "direct");
    if (!only_known(walk, node, "direct", "unsupported Hyper-V stimer feature: "))
        return false;
    if (direct && (!xml_attr_is(node, "state", "on") || !xml_attr_is(direct, "state", "on")))
        xml_remove(direct);
    return true;
}

bool domain_check_vendor_id(struct schema_walk *walk, struct xml_node *node)
{
    struct slice value = xml_attr(node, "value");
    if (!xml_attr_is(node, "state", "on")) {
        xml_unset(node, "value");
        return true;
    }
    if (!slice_present(value))
        return REFUSE(walk, XML_ERROR, "missing 'value' attribute for HyperV feature 'vendor_id'");
    if (value.len > 12)
        return REFUSE(walk, XML_ERROR,
                      "HyperV vendor_id value must not be more than 12 characters.");
    return slice_find(value, ',') < 0 ||
           REFUSE(walk, XML_ERROR, "HyperV vendor_id value is invalid");
}

bool domain_check_kvm(struct schema_walk *walk, struct xml_node *node)
{
    return only_known(walk, node, "hidden|hint-dedicated|poll-control|pv-ipi|dirty-ring",
                      "unsupported KVM feature: ");
}

bool domain_check_dirty_ring(struct schema_walk *walk, struct xml_node *node)
{
    if (!xml_attr_is(node, "state", "on")) {
        xml_unset(node, "size");
        return true;
    }
    if (!slice_present(xml_attr(node, "size")))
        return error_set(walk->err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                         "Missing required attribute 'size' in element 'dirty-ring'");
    unsigned size = domain_number(node, "size", 0);
    if ((size & (size - 1)) || size < 1024 || size > 65536)
        return REFUSE(walk, XML_ERROR, "dirty ring must be power of 2 and ranges [1024, 65536]");
    return true;
}

// virFormatIntPretty: the largest unit that leaves no remainder.
bool domain_check_smm(struct schema_walk *walk, struct xml_node *node)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (!slice_present(xml_attr(node, "state")))
        xml_sets(walk->doc, node, "state", "on");
    struct xml_node *tseg = xml_child(node, "tseg");
    if (!tseg)
        return true;
    if (!xml_attr_is(node, "state", "on")) {
        xml_remove(tseg);
        return true;
    }
    struct slice text = value_text(tseg);
    bool negative;
    uint64_t size;
    if (!schema_number(text, 10, &negative, &size) || (negative && size))
        return error_set(walk->err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                         "Invalid value '%.*s' for element or attribute "
                         "'string(./features/smm/tseg)'",
                         SLICE_ARG(text));
    if (!schema_scale(&size, xml_attr(tseg, "unit"), 1024 * 1024, UINT64_MAX, walk->err))
        return false;
    size_t unit = 0;
    for (; size && size % 1024 == 0 && unit < 6; unit++)
        size /= 1024;
    xml_sets(walk->doc, tseg, "unit", units[unit]);
    xml_set_textf(walk->doc, tseg, "%llu", (unsigned long long)size);
    return true;
}

// --- CPU

bool domain_check_topology(struct schema_walk *walk, struct xml_node *node)
{
    struct slice sockets = xml_attr(node, "sockets"), dies = xml_attr(node, "dies"),
                 cores = xml_attr(node, "cores"), threads = xml_attr(node, "threads");
    node->attrs = NULL;
    xml_set(walk->doc, node, "sockets", sockets);
    xml_set(walk->doc, node, "dies", slice_present(dies) ? dies : SLICE("1"));
    xml_set(walk->doc, node, "cores", cores);
    xml_set(walk->doc, node, "threads", threads);
    return true;
}

bool domain_check_cpu_cache(struct schema_walk *walk, struct xml_node *node)
{
    struct slice level = xml_attr(node, "level");
    if (slice_present(level) && !schema_has_word("1|2|3", level))
        return error_set(walk->err, VIR_FROM_CPU, VIR_ERR_XML_ERROR,
                         "invalid CPU cache level, must be in range [1,3]");
    return true;
}

bool domain_check_cpu_feature(struct schema_walk *walk, struct xml_node *node)
{
    struct slice name = xml_attr(node, "name"), policy = xml_attr(node, "policy");
    if (name.len == 0)
        return error_set(walk->err, VIR_FROM_CPU, VIR_ERR_XML_ERROR, "Invalid CPU feature name");
    for (const struct xml_node *other = node->prev; other; other = other->prev)
        if (xml_named(other, "feature") && slice_equal(xml_attr(other, "name"), name))
            return error_set(walk->err, VIR_FROM_CPU, VIR_ERR_XML_ERROR,
                             "CPU feature '%.*s' specified more than once", SLICE_ARG(name));
    node->attrs = NULL;
    xml_set(walk->doc, node, "policy", slice_present(policy) ? policy : SLICE("require"));
    xml_set(walk->doc, node, "name", name);
    return true;
}

static bool check_cpu_model(struct schema_walk *walk, struct xml_node *cpu, bool custom)
{
    struct xml_node *model = xml_child(cpu, "model");
    struct slice vendor_id = xml_attr(model, "vendor_id");
    bool named = value_text(model).len > 0;
    if (vendor_id.len && vendor_id.len != 12)
        return error_set(walk->err, VIR_FROM_CPU, VIR_ERR_XML_ERROR,
                         "vendor_id must be exactly 12 characters long");
    if (slice_find(vendor_id, ',') >= 0)
        return error_set(walk->err, VIR_FROM_CPU, VIR_ERR_XML_ERROR, "vendor id is invalid");
    if (xml_child(cpu, "vendor") && !named)
        return error_set(walk->err, VIR_FROM_CPU, VIR_ERR_XML_ERROR,
                         "CPU vendor specified without CPU model");
    if (custom && !named && xml_child(cpu, "feature"))
        return error_set(walk->err, VIR_FROM_CPU, VIR_ERR_XML_ERROR,
                         "Non-empty feature list specified without CPU model");
    if (!named && !vendor_id.len) {
        xml_remove(model);
    } else if (named && !slice_present(xml_attr(model, "fallback"))) {
        model->attrs = NULL;
        xml_sets(walk->doc, model, "fallback", "allow");
        if (vendor_id.len)
            xml_set(walk->doc, model, "vendor_id", vendor_id);
    }
    return true;
}

// Which attributes are shown depends on the mode and on whether there is a model (virCPUDefFormat).
static void shape_cpu(struct schema_walk *walk, struct xml_node *cpu, bool custom)
{
    struct slice mode = xml_attr(cpu, "mode"), match = xml_attr(cpu, "match"),
                 check = xml_attr(cpu, "check"), migratable = xml_attr(cpu, "migratable");
    cpu->attrs = NULL;
    if (custom && !xml_child(cpu, "model")) {
        if (slice_present(check))
            xml_set(walk->doc, cpu, "check", check); // refused later, see domain_complete_cpu
        return;
    }
    xml_set(walk->doc, cpu, "mode", slice_present(mode) ? mode : SLICE("custom"));
    if (custom)
        xml_set(walk->doc, cpu, "match", slice_present(match) ? match : SLICE("exact"));
    if (slice_present(check))
        xml_set(walk->doc, cpu, "check", check);
    if (slice_present(migratable))
        xml_set(walk->doc, cpu, "migratable", migratable);
}

bool domain_check_cpu(struct schema_walk *walk, struct xml_node *node)
{
    struct slice mode = xml_attr(node, "mode");
    bool custom = !slice_present(mode) || slice_is(mode, "custom");
    bool passed = slice_is(mode, "host-passthrough") || slice_is(mode, "maximum");
    if (slice_present(xml_attr(node, "migratable")) && !passed)
        return error_set(
            walk->err, VIR_FROM_CPU, VIR_ERR_CONFIG_UNSUPPORTED,
            "Attribute migratable is only allowed for 'host-passthrough' / 'maximum' CPU "
            "mode");
    if (xml_count(node, "cache") > 1)
        return error_set(walk->err, VIR_FROM_CPU, VIR_ERR_XML_ERROR,
                         "at most one CPU cache element may be specified");
    if (passed) {
        xml_remove(xml_child(node, "model"));
        xml_remove(xml_child(node, "vendor"));
    } else if (!check_cpu_model(walk, node, custom)) {
        return false;
    }
    shape_cpu(walk, node, custom);
    return true;
}

// --- guest NUMA

// A size in KiB, which is its unit when it has none; the line in bytes, likewise.
static bool scale_cache_size(struct schema_walk *walk, struct xml_node *cache, const char *name)
{
    struct xml_node *size = xml_child(cache, name);
    struct slice text = xml_attr(size, "value");
    bool negative, line = name[0] == 'l';
    uint64_t bytes;
    if (text.len == 0)
        return REFUSE(walk, XML_ERROR, "missing element or attribute './%s/@value'", name);
    if (!schema_number(text, 10, &negative, &bytes) || (negative && bytes))
        return REFUSE(walk, XML_ERROR,
                      "Invalid value '%.*s' for element or attribute './%s/@value'",
                      SLICE_ARG(text), name);
    if (!schema_scale(&bytes, xml_attr(size, "unit"), line ? 1 : 1024, UINT64_MAX, walk->err))
        return false;
    xml_setf(walk->doc, size, "value", "%llu",
             (unsigned long long)(line ? bytes : bytes / 1024 + (bytes % 1024 != 0)));
    xml_sets(walk->doc, size, "unit", line ? "B" : "KiB");
    return true;
}

// Cells are numbered in the order in which they come unless they say otherwise, and shown by
// number.
bool domain_check_numa_cell(struct schema_walk *walk, struct xml_node *node)
{
    unsigned position = 0;
    for (const struct xml_node *cell = node->prev; cell; cell = cell->prev)
        position += xml_named(cell, "cell");
    unsigned id = domain_number(node, "id", position);
    if (id >= xml_count(node->parent, "cell"))
        return REFUSE(
            walk, XML_ERROR,
            "Exactly one 'cell' element per guest NUMA cell allowed, non-contiguous ranges or "
            "ranges not starting from 0 are not allowed");
    uint64_t kib;
    if (!domain_scale_attr(walk, node, "memory", "unit", &kib))
        return false;
    static const char *const order[] = {"cpus", "memory", "unit", "memAccess", "discard"};
    struct slice values[5];
    for (int i = 0; i < 5; i++)
        values[i] = xml_attr(node, order[i]);
    node->attrs = NULL;
    xml_setf(walk->doc, node, "id", "%u", id);
    for (int i = 0; i < 5; i++)
        if (slice_present(values[i]))
            xml_set(walk->doc, node, order[i], values[i]);
    XML_EACH (cache, node, "cache") {
        if (!scale_cache_size(walk, cache, "size") || !scale_cache_size(walk, cache, "line"))
            return false;
    }
    struct xml_node *before = node;
    while (before->prev && xml_named(before->prev, "cell") &&
           domain_number(before->prev, "id", 0) > id)
        before = before->prev;
    if (before->prev && xml_named(before->prev, "cell") &&
        domain_number(before->prev, "id", 0) == id)
        return REFUSE(walk, XML_ERROR, "Duplicate NUMA cell info for cell id '%u'", id);
    if (before != node)
        xml_move_before(node, before);
    return true;
}
