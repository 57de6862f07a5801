// Checks of a domain: memory, processors' tuning, boot, sysinfo, clock, labels.
#include "virt/xml/domain_check.h"

#include "virt/xml/xml_value.h"

bool domain_refuse(struct error *err, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(err, VIR_FROM_DOMAIN, code, format, args);
    va_end(args);
    return false;
}

unsigned domain_number(const struct xml_node *node, const char *attr, unsigned otherwise)
{
    uint32_t value;
    return slice_u32(xml_attr(node, attr), 0, &value) ? value : otherwise;
}

unsigned domain_vcpu_max(const struct xml_node *root)
{
    bool negative;
    uint64_t count;
    if (!schema_number(value_text(xml_child(root, "vcpu")), 10, &negative, &count) || negative ||
        count > UINT32_MAX)
        return 1;
    return (unsigned)count;
}

bool domain_scale_attr(struct schema_walk *walk, struct xml_node *node, const char *attr,
                       const char *unit_attr, uint64_t *kib)
{
    struct slice text = xml_attr(node, attr);
    bool negative;
    if (text.len == 0)
        return error_set(walk->err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                         "missing element or attribute './@%s'", attr);
    if (!schema_number(text, 10, &negative, kib) || (negative && *kib))
        return error_set(walk->err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                         "Invalid value '%.*s' for element or attribute './@%s'", SLICE_ARG(text),
                         attr);
    if (!schema_scale(kib, xml_attr(node, unit_attr), 1024, INT64_MAX, walk->err))
        return false;
    *kib = *kib / 1024 + (*kib % 1024 != 0);
    xml_setf(walk->doc, node, attr, "%llu", (unsigned long long)*kib);
    xml_sets(walk->doc, node, unit_attr, "KiB");
    return true;
}

void domain_keep_attrs(struct xml_node *node, const char *list)
{
    for (struct xml_attr **at = &node->attrs; *at;) {
        if (schema_has_word(list, (*at)->name))
            at = &(*at)->next;
        else
            *at = (*at)->next;
    }
}

// --- memory

bool domain_check_blkio_device(struct schema_walk *walk, struct xml_node *node)
{
    if (!xml_child(node, "path"))
        return REFUSE(walk, XML_ERROR, "missing per-device path");
    if (!xml_next(xml_child(node, NULL), NULL))
        xml_remove(node);
    return true;
}

bool domain_check_hugepage(struct schema_walk *walk, struct xml_node *node)
{
    uint64_t kib;
    if (!domain_scale_attr(walk, node, "size", "unit", &kib))
        return false;
    return kib || REFUSE(walk, XML_DETAIL, "hugepage size can't be zero");
}

// Limits at or above VIR_DOMAIN_MEMORY_PARAM_UNLIMITED mean none.
bool domain_check_memtune(struct schema_walk *walk, struct xml_node *node)
{
    (void)walk;
    XML_EACH_SAFE (limit, node, NULL) {
        uint64_t kib;
        bool known = slice_u64(xml_text(limit), 10, &kib);
        if (known && (kib >= INT64_MAX >> 10 || (kib == 0 && xml_named(limit, "min_guarantee"))))
            xml_remove(limit);
    }
    if (!xml_child(node, NULL))
        xml_remove(node);
    return true;
}

// --- pinning and scheduling

bool domain_check_pin(struct schema_walk *walk, struct xml_node *node)
{
    if (!slice_present(xml_attr(node, "cpuset")))
        return REFUSE(walk, INTERNAL_ERROR, "missing cpuset for %.*s", SLICE_ARG(node->name));
    if (xml_attr(node, "cpuset").len == 0)
        return REFUSE(walk, CONFIG_UNSUPPORTED, "Invalid value of 'cpuset': ");
    return true;
}

bool domain_check_scheduler(struct schema_walk *walk, struct xml_node *node)
{
    const char *ids = xml_named(node, "vcpusched")       ? "vcpus"
                      : xml_named(node, "iothreadsched") ? "iothreads"
                                                         : NULL;
    if (ids && !slice_present(xml_attr(node, ids)))
        return REFUSE(walk, XML_ERROR, "Missing attribute '%s' in element '%.*s'", ids,
                      SLICE_ARG(node->name));
    bool realtime = xml_attr_is(node, "scheduler", "fifo") || xml_attr_is(node, "scheduler", "rr");
    if (!realtime)
        xml_unset(node, "priority");
    else if (!slice_present(xml_attr(node, "priority")))
        return error_set(walk->err, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                         "Missing required attribute 'priority' in element '%.*s'",
                         SLICE_ARG(node->name));
    return true;
}

// libvirt shows the scheduler of each thread on its own, ordered by thread.
static bool spread_schedulers(struct schema_walk *walk, struct xml_node *cputune, const char *name,
                              const char *ids)
{
    static struct schema_set seen, set;
    seen = (struct schema_set){0};
    struct xml_node *marker = NULL;
    XML_EACH (sched, cputune, name)
        marker = marker ? marker : xml_add_before(walk->doc, sched, "marker");
    if (!marker)
        return true;
    XML_EACH_SAFE (sched, cputune, name) {
        if (!schema_set_parse(xml_attr(sched, ids), &set))
            continue;
        for (int id = schema_set_next(&set, 0); id >= 0; id = schema_set_next(&set, id + 1)) {
            if (schema_set_has(&seen, (unsigned)id))
                return REFUSE(walk, XML_DETAIL, "'%s' attributes '%s' must not overlap", name, ids);
            schema_set_add(&seen, (unsigned)id);
            struct xml_node *one = xml_copy(walk->doc, cputune, sched);
            xml_setf(walk->doc, one, ids, "%d", id);
            struct xml_node *before = marker;
            while (before->prev && xml_named(before->prev, name) &&
                   domain_number(before->prev, ids, 0) > (unsigned)id)
                before = before->prev;
            xml_move_before(one, before);
        }
        xml_remove(sched);
    }
    xml_remove(marker);
    return true;
}

static bool sort_pins(struct schema_walk *walk, struct xml_node *cputune, const char *name,
                      const char *id)
{
    XML_EACH_SAFE (pin, cputune, name) {
        unsigned number = domain_number(pin, id, 0);
        struct xml_node *before = pin;
        while (before->prev && xml_named(before->prev, name) &&
               domain_number(before->prev, id, 0) > number)
            before = before->prev;
        if (before->prev && xml_named(before->prev, name) &&
            domain_number(before->prev, id, 0) == number)
            return *id == 'v'
                       ? REFUSE(walk, INTERNAL_ERROR, "duplicate vcpupin for vcpu '%u'", number)
                       : REFUSE(walk, INTERNAL_ERROR,
                                "duplicate iothreadpin for same iothread '%u'", number);
        if (before != pin)
            xml_move_before(pin, before);
    }
    return true;
}

bool domain_check_cputune(struct schema_walk *walk, struct xml_node *node)
{
    if (xml_count(node, "emulatorpin") > 1)
        return REFUSE(walk, XML_ERROR, "only one emulatorpin is supported");
    if (xml_count(node, "emulatorsched") > 1)
        return REFUSE(walk, XML_ERROR, "only one emulatorsched is supported");
    unsigned vcpus = domain_vcpu_max(node->parent);
    XML_EACH_SAFE (pin, node, "vcpupin")
        if (domain_number(pin, "vcpu", 0) >= vcpus)
            xml_remove(pin);
    return sort_pins(walk, node, "vcpupin", "vcpu") &&
           sort_pins(walk, node, "iothreadpin", "iothread") &&
           spread_schedulers(walk, node, "vcpusched", "vcpus") &&
           spread_schedulers(walk, node, "iothreadsched", "iothreads");
}

// --- NUMA

// virDomainNumatuneSet: static placement needs a node set, automatic placement has none.
bool domain_check_numatune_memory(struct schema_walk *walk, struct xml_node *node)
{
    struct xml_node *vcpu = xml_child(node->parent->parent, "vcpu");
    bool has_set = slice_present(xml_attr(node, "nodeset"));
    bool automatic = xml_attr_is(node, "placement", "auto") ||
                     (!slice_present(xml_attr(node, "placement")) && !has_set &&
                      xml_attr_is(vcpu, "placement", "auto"));
    if (has_set && xml_attr(node, "nodeset").len == 0)
        return REFUSE(walk, CONFIG_UNSUPPORTED, "Invalid value of 'nodeset': ");
    if (!automatic && !has_set)
        return REFUSE(walk, CONFIG_UNSUPPORTED,
                      "nodeset for NUMA memory tuning must be set if 'placement' is 'static'");
    struct slice mode = xml_attr(node, "mode");
    struct slice set = xml_attr(node, "nodeset");
    node->attrs = NULL;
    xml_set(walk->doc, node, "mode", slice_present(mode) ? mode : SLICE("strict"));
    if (automatic)
        xml_sets(walk->doc, node, "placement", "auto");
    else
        xml_set(walk->doc, node, "nodeset", set);
    return true;
}

bool domain_check_memnode(struct schema_walk *walk, struct xml_node *node)
{
    struct slice set = xml_attr(node, "nodeset");
    if (!slice_present(set))
        return REFUSE(walk, XML_ERROR, "Missing required nodeset attribute in memnode element");
    if (!slice_present(xml_attr(node, "mode"))) {
        xml_unset(node, "nodeset");
        xml_sets(walk->doc, node, "mode", "strict");
        xml_set(walk->doc, node, "nodeset", set);
    }
    return true;
}

// --- sysinfo

// mm/dd/yyyy, or mm/dd/yy in the twentieth century.
static bool is_bios_date(struct slice text)
{
    uint32_t parts[3];
    for (int i = 0; i < 3; i++) {
        ptrdiff_t end = i < 2 ? slice_find(text, '/') : (ptrdiff_t)text.len;
        if (end < 0 || !slice_u32((struct slice){text.at, (size_t)end}, 10, &parts[i]))
            return false;
        text = slice_from(text, (size_t)end + (i < 2));
    }
    return parts[0] >= 1 && parts[0] <= 12 && parts[1] >= 1 && parts[1] <= 31 &&
           (parts[2] < 100 || parts[2] >= 1900);
}

static struct xml_node *last_entry(const struct xml_node *node)
{
    struct xml_node *last = NULL;
    XML_EACH (entry, node, "entry")
        last = entry;
    return last;
}

bool domain_check_sysinfo_entries(struct schema_walk *walk, struct xml_node *node)
{
    static const char *const order[] = {"vendor", "manufacturer", "product", "version",
                                        "date",   "release",      "serial",  "uuid",
                                        "asset",  "location",     "sku",     "family"};
    XML_EACH (entry, node, "entry")
        if (xml_named(node, "bios") && xml_attr_is(entry, "name", "date") &&
            !is_bios_date(value_text(entry)))
            return REFUSE(walk, XML_DETAIL, "Invalid BIOS 'date' format");
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const struct xml_node *last = last_entry(node); // those that move go behind it
        XML_EACH_SAFE (entry, node, "entry") {
            if (xml_attr_is(entry, "name", order[i]))
                xml_move(entry, node);
            if (entry == last)
                break;
        }
    }
    return true;
}

bool domain_check_fwcfg_entry(struct schema_walk *walk, struct xml_node *node)
{
    if (!slice_present(xml_attr(node, "name")))
        return REFUSE(walk, XML_ERROR, "Firmware entry is missing 'name' attribute");
    bool file = slice_present(xml_attr(node, "file"));
    if (!file && value_text(node).len == 0)
        return REFUSE(walk, XML_ERROR, "Firmware entry must have either value or 'file' attribute");
    while (file && node->child)
        xml_remove(node->child);
    return true;
}

// --- os

bool domain_check_firmware_features(struct schema_walk *walk, struct xml_node *node)
{
    static const char *const names[] = {"enrolled-keys", "secure-boot"};
    const struct xml_node *found[2] = {NULL, NULL};
    XML_EACH (feature, node, "feature")
        found[xml_attr_is(feature, "name", names[1])] = feature;
    bool keys = xml_attr_is(found[0], "enabled", "yes");
    if (keys && xml_attr_is(found[1], "enabled", "no"))
        return REFUSE(walk, XML_DETAIL,
                      "firmware feature 'enrolled-keys' cannot be enabled when firmware feature "
                      "'secure-boot' is disabled");
    struct slice enabled[2] = {xml_attr(found[0], "enabled"),
                               keys ? SLICE("yes") : xml_attr(found[1], "enabled")};
    while (node->child)
        xml_remove(node->child);
    for (int i = 0; i < 2; i++) {
        if (!slice_present(enabled[i]))
            continue;
        struct xml_node *feature = xml_add(walk->doc, node, "feature");
        xml_set(walk->doc, feature, "enabled", enabled[i]);
        xml_sets(walk->doc, feature, "name", names[i]);
    }
    return true;
}

// <nvram>path</nvram> or, with a type, a <source>.
bool domain_check_nvram(struct schema_walk *walk, struct xml_node *node)
{
    (void)walk;
    if (!xml_child(node, "source"))
        xml_unset(node, "type");
    if (!node->attrs && !node->child)
        xml_remove(node);
    return true;
}

bool domain_check_acpi_table(struct schema_walk *walk, struct xml_node *node)
{
    if (xml_count(node, "table") > 1)
        return REFUSE(walk, XML_ERROR, "Only one acpi table is supported");
    struct xml_node *table = xml_child(node, "table");
    struct slice type = xml_attr(table, "type");
    if (table && !slice_present(type))
        return REFUSE(walk, XML_ERROR, "Missing acpi table type");
    if (table && !slice_is(type, "slic"))
        return REFUSE(walk, XML_ERROR, "Unknown acpi table type: %.*s", SLICE_ARG(type));
    return true;
}

bool domain_check_bootmenu(struct schema_walk *walk, struct xml_node *node)
{
    bool enabled = xml_attr_is(node, "enable", "yes");
    if (enabled && domain_number(node, "timeout", 0) > 65535)
        return REFUSE(walk, CONFIG_UNSUPPORTED,
                      "invalid value for boot menu timeout, must be in range [0,65535]");
    if (!slice_present(xml_attr(node, "enable")))
        xml_remove(node);
    else if (!enabled)
        xml_unset(node, "timeout");
    return true;
}

// --- labels

bool domain_check_seclabel(struct schema_walk *walk, struct xml_node *node)
{
    bool dynamic = !slice_present(xml_attr(node, "type")) || xml_attr_is(node, "type", "dynamic");
    bool none = xml_attr_is(node, "type", "none");
    struct slice relabel = xml_attr(node, "relabel"), model = xml_attr(node, "model");
    if (dynamic && slice_is(relabel, "no"))
        return REFUSE(walk, CONFIG_UNSUPPORTED, "dynamic label type must use resource relabeling");
    if (none && slice_is(relabel, "yes"))
        return REFUSE(walk, CONFIG_UNSUPPORTED,
                      "resource relabeling is not compatible with 'none' label type");
    struct slice type = dynamic ? SLICE("dynamic") : xml_attr(node, "type");
    if (!slice_present(relabel))
        relabel = dynamic ? SLICE("yes") : SLICE("no");
    node->attrs = NULL;
    xml_set(walk->doc, node, "type", type);
    if (slice_present(model))
        xml_set(walk->doc, node, "model", model);
    if (!none)
        xml_set(walk->doc, node, "relabel", relabel);
    if (!walk->live && dynamic)
        xml_remove(xml_child(node, "label"));
    if (!walk->live)
        xml_remove(xml_child(node, "imagelabel"));
    return true;
}

// --- clock

static bool clock_adjusted(struct schema_walk *walk, struct xml_node *node, const char *basis)
{
    struct slice text = xml_attr(node, "adjustment");
    bool negative;
    uint64_t value = 0;
    if (slice_present(text) && (!schema_number(text, 10, &negative, &value) || value > INT64_MAX)) {
        if (!xml_attr_is(node, "offset", "variable"))
            return REFUSE(walk, XML_ERROR, "unknown clock adjustment '%.*s'", SLICE_ARG(text));
        value = 0;
    }
    if (!slice_present(text))
        negative = false;
    struct slice adjustment0 = xml_attr(node, "adjustment0");
    node->attrs = NULL;
    xml_sets(walk->doc, node, "offset", "variable");
    xml_setf(walk->doc, node, "adjustment", "%s%llu", negative && value ? "-" : "",
             (unsigned long long)value);
    xml_sets(walk->doc, node, "basis", basis);
    if (walk->live && slice_present(adjustment0))
        xml_set(walk->doc, node, "adjustment0", adjustment0);
    return true;
}

static bool clock_plain(struct schema_walk *walk, struct xml_node *node)
{
    bool local = xml_attr_is(node, "offset", "localtime");
    if (xml_attr_is(node, "adjustment", "reset")) {
        domain_keep_attrs(node, "offset|adjustment");
        return true;
    }
    if (slice_present(xml_attr(node, "adjustment")))
        return clock_adjusted(walk, node, local ? "localtime" : "utc");
    domain_keep_attrs(node, "offset");
    return true;
}

bool domain_check_clock(struct schema_walk *walk, struct xml_node *node)
{
    if (!slice_present(xml_attr(node, "offset"))) {
        struct xml_attr *rest = node->attrs;
        node->attrs = NULL;
        xml_sets(walk->doc, node, "offset", "utc");
        node->attrs->next = rest;
    }
    struct slice offset = xml_attr(node, "offset");
    if (slice_is(offset, "utc") || slice_is(offset, "localtime"))
        return clock_plain(walk, node);
    if (slice_is(offset, "variable")) {
        struct slice basis = xml_attr(node, "basis");
        if (basis.len && !schema_has_word("utc|localtime", basis))
            return REFUSE(walk, CONFIG_UNSUPPORTED, "unknown clock basis '%.*s'", SLICE_ARG(basis));
        return clock_adjusted(walk, node, slice_is(basis, "localtime") ? "localtime" : "utc");
    }
    if (slice_is(offset, "timezone")) {
        if (xml_attr(node, "timezone").len == 0)
            return REFUSE(walk, INTERNAL_ERROR,
                          "missing 'timezone' attribute for clock with offset='timezone'");
        domain_keep_attrs(node, "offset|timezone");
        return true;
    }
    uint64_t start;
    bool negative;
    if (!schema_number(xml_attr(node, "start"), 10, &negative, &start))
        return REFUSE(walk, INTERNAL_ERROR,
                      "missing 'start' attribute for clock with offset='absolute'");
    domain_keep_attrs(node, "offset|start");
    return true;
}
