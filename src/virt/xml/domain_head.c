// Parsing a domain: its identity and kind, processors and threads.
#include "virt/xml/domain_complete.h"

#include "virt/xml/domain_check.h"
#include "virt/xml/domain_random.h"
#include "virt/xml/xml_value.h"

#define TYPES                                                                                      \
    "none|qemu|kqemu|kvm|xen|lxc|uml|openvz|test|vmware|hyperv|vbox|phyp|parallels|bhyve|vz|hvf"
#define OS_TYPES "hvm|xen|linux|exe|uml|xenpvh"
#define ARCHES                                                                                     \
    "alpha|armv6l|armv7l|armv7b|aarch64|cris|i686|ia64|lm32|m68k|microblaze|microblazeel|mips|"    \
    "mipsel|mips64|mips64el|openrisc|parisc|parisc64|ppc|ppc64|ppc64le|ppcemb|riscv32|riscv64|"    \
    "s390|s390x|sh4|sh4eb|sparc|sparc64|unicore32|x86_64|xtensa|xtensaeb"

static bool parse_uuid(struct domain_xml *x, struct xml_node *node, const char *what)
{
    struct schema_walk walk = {.doc = x->doc, .err = x->err};
    struct slice value = value_text(node);
    char uuid[37];
    if (value.len == 0) {
        if (!domain_random_uuid(x, uuid))
            return false;
        xml_set_text(x->doc, node, slice_of(uuid));
        return true;
    }
    if (value_normalise(&walk, node, &schema_attrs[SCHEMA_UUID], &value) != VALUE_KEEP)
        return REFUSE(x, INTERNAL_ERROR, "malformed %s element", what);
    xml_set_text(x->doc, node, value);
    return true;
}

// A uuid that only <sysinfo> tells is the domain's.
static void take_sysinfo_uuid(struct domain_xml *x)
{
    XML_EACH (sysinfo, x->root, "sysinfo")
        XML_EACH (entry, xml_child(sysinfo, "system"), "entry")
            if (xml_attr_is(entry, "name", "uuid") && value_text(entry).len)
                xml_set_text(x->doc, xml_need(x->doc, x->root, "uuid"), value_text(entry));
}

static bool parse_identity(struct domain_xml *x)
{
    if (value_text(xml_child(x->root, "name")).len == 0)
        return REFUSE(x, NO_NAME, "%s", "");
    if (value_text(xml_child(x->root, "uuid")).len == 0)
        take_sysinfo_uuid(x);
    if (!parse_uuid(x, xml_need(x->doc, x->root, "uuid"), "uuid"))
        return false;
    if (xml_count(x->root, "genid") > 1)
        return REFUSE(x, XML_ERROR, "element 'genid' can only appear once");
    struct xml_node *genid = xml_child(x->root, "genid");
    return !genid || parse_uuid(x, genid, "genid");
}

static bool parse_kind(struct domain_xml *x)
{
    struct slice type = xml_attr(x->root, "type");
    if (type.len == 0)
        return REFUSE(x, INTERNAL_ERROR, "missing domain type attribute");
    if (!schema_has_word(TYPES, type))
        return REFUSE(x, CONFIG_UNSUPPORTED, "invalid domain type %.*s", SLICE_ARG(type));
    struct xml_node *os_type = xml_find(x->root, "os/type");
    struct slice os = value_text(os_type), arch = xml_attr(os_type, "arch");
    if (os.len == 0)
        return REFUSE(x, XML_ERROR, "an os <type> must be specified");
    if (!schema_has_word(OS_TYPES, os))
        return REFUSE(x, CONFIG_UNSUPPORTED, "unknown OS type '%.*s'", SLICE_ARG(os));
    if (arch.len && !schema_has_word(ARCHES, arch))
        return REFUSE(x, CONFIG_UNSUPPORTED, "Unknown architecture %.*s", SLICE_ARG(arch));
    return true;
}

static void need_text(struct domain_xml *x, const char *name, const char *text)
{
    struct xml_node *node = xml_need(x->doc, x->root, name);
    if (value_text(node).len == 0)
        xml_set_text(x->doc, node, slice_of(text));
}

bool domain_parse_head(struct domain_xml *x)
{
    if (!parse_identity(x) || !parse_kind(x))
        return false;
    if (slice_find(value_text(xml_child(x->root, "title")), '\n') >= 0)
        return REFUSE(x, XML_ERROR, "Domain title can't contain newlines");
    if (xml_count(x->root, "numatune") > 1)
        return REFUSE(x, XML_ERROR, "only one numatune is supported");
    if (xml_count(x->root, "resource") > 1)
        return REFUSE(x, XML_ERROR, "only one resource element is supported");
    x->devices = xml_need(x->doc, x->root, "devices");
    xml_need(x->doc, x->root, "clock");
    need_text(x, "on_poweroff", "destroy");
    need_text(x, "on_reboot", "restart");
    need_text(x, "on_crash", "destroy");
    need_text(x, "vcpu", "1");
    return true;
}

// --- processors

static bool parse_individual_vcpus(struct domain_xml *x, unsigned most)
{
    struct xml_node *vcpus = xml_child(x->root, "vcpus");
    if (!xml_child(vcpus, "vcpu")) {
        if (vcpus)
            xml_remove(vcpus);
        return true;
    }
    unsigned online = 0;
    XML_EACH (vcpu, vcpus, "vcpu") {
        bool enabled = xml_attr_is(vcpu, "enabled", "yes");
        if (domain_number(vcpu, "id", 0) >= most)
            return REFUSE(x, XML_ERROR, "vcpu id '%u' is out of range of maximum vcpu count",
                          domain_number(vcpu, "id", 0));
        if (!enabled && xml_attr_is(vcpu, "hotpluggable", "no"))
            return REFUSE(x, CONFIG_UNSUPPORTED, "vcpu '%u' is both offline and not hotpluggable",
                          domain_number(vcpu, "id", 0));
        if (!slice_present(xml_attr(vcpu, "hotpluggable")))
            xml_sets(x->doc, vcpu, "hotpluggable", enabled ? "no" : "yes");
        online += enabled;
    }
    struct xml_node *total = xml_child(x->root, "vcpu");
    if (online < most)
        xml_setf(x->doc, total, "current", "%u", online);
    else
        xml_unset(total, "current");
    return true;
}

static bool parse_vcpu(struct domain_xml *x)
{
    struct xml_node *vcpu = xml_child(x->root, "vcpu");
    bool negative;
    uint64_t most;
    if (!schema_number(value_text(vcpu), 10, &negative, &most) || most > UINT32_MAX || negative)
        return REFUSE(x, XML_ERROR, "maximum vcpus count must be an integer");
    unsigned current = domain_number(vcpu, "current", (unsigned)most);
    if (current > most)
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "maximum vCPU count must not be less than current vCPU count");
    if (current == most)
        xml_unset(vcpu, "current");
    xml_set_textf(x->doc, vcpu, "%llu", (unsigned long long)most);
    struct slice set = xml_attr(vcpu, "cpuset");
    bool automatic = xml_attr_is(vcpu, "placement", "auto");
    if (slice_present(set) && set.len == 0 && !automatic)
        return REFUSE(x, CONFIG_UNSUPPORTED, "Invalid value of 'cpuset': ");
    if (automatic)
        xml_unset(vcpu, "cpuset");
    xml_sets(x->doc, vcpu, "placement", automatic ? "auto" : "static");
    return parse_individual_vcpus(x, (unsigned)most);
}

static bool has_pins(const struct domain_xml *x)
{
    const struct xml_node *cputune = xml_child(x->root, "cputune");
    return xml_child(cputune, "vcpupin") || xml_child(cputune, "emulatorpin") ||
           xml_child(cputune, "iothreadpin");
}

// Automatic placement of processors and of memory go together.
static void join_placements(struct domain_xml *x)
{
    struct xml_node *vcpu = xml_child(x->root, "vcpu");
    struct xml_node *memory = xml_find(x->root, "numatune/memory");
    if (xml_attr_is(vcpu, "placement", "auto") && !memory) {
        struct xml_node *numatune = xml_need(x->doc, x->root, "numatune");
        memory = xml_add(x->doc, numatune, "memory");
        xml_sets(x->doc, memory, "mode", "strict");
        xml_sets(x->doc, memory, "placement", "auto");
    }
    if (xml_attr_is(memory, "placement", "auto") && !slice_present(xml_attr(vcpu, "cpuset")) &&
        !has_pins(x))
        xml_sets(x->doc, vcpu, "placement", "auto");
}

// --- I/O threads

static bool parse_iothreads(struct domain_xml *x)
{
    struct xml_node *total = xml_child(x->root, "iothreads"),
                    *ids = xml_child(x->root, "iothreadids");
    uint32_t count = 0;
    slice_u32(xml_text(total), 10, &count);
    unsigned listed = xml_count(ids, "iothread");
    if (!ids)
        return true;
    XML_EACH (thread, ids, "iothread")
        for (struct xml_node *other = thread->prev; other; other = other->prev)
            if (domain_number(other, "id", 0) == domain_number(thread, "id", 0))
                return REFUSE(x, XML_ERROR, "duplicate iothread id '%u' found",
                              domain_number(thread, "id", 0));
    if (listed > count) {
        total = xml_need(x->doc, x->root, "iothreads");
        xml_set_textf(x->doc, total, "%u", listed);
        count = listed;
    }
    for (uint32_t id = 1; listed < count; id++) {
        bool used = false;
        XML_EACH (thread, ids, "iothread")
            used = used || domain_number(thread, "id", 0) == id;
        if (used)
            continue;
        xml_setf(x->doc, xml_add(x->doc, ids, "iothread"), "id", "%u", id);
        listed++;
    }
    return true;
}

bool domain_parse_vcpus(struct domain_xml *x)
{
    if (!parse_vcpu(x) || !parse_iothreads(x))
        return false;
    join_placements(x);
    struct slice uuid = value_text(xml_child(x->root, "uuid"));
    XML_EACH (sysinfo, x->root, "sysinfo") {
        XML_EACH (entry, xml_child(sysinfo, "system"), "entry") {
            struct slice text = value_text(entry);
            struct schema_walk walk = {.doc = x->doc, .err = x->err};
            if (!xml_attr_is(entry, "name", "uuid"))
                continue;
            if (value_normalise(&walk, entry, &schema_attrs[SCHEMA_UUID], &text) != VALUE_KEEP)
                return REFUSE(x, XML_DETAIL, "malformed <sysinfo> uuid element");
            if (!slice_equal(text, uuid))
                return REFUSE(x, XML_DETAIL, "UUID mismatch between <uuid> and <sysinfo>");
            xml_set_text(x->doc, entry, text);
        }
    }
    return true;
}

// --- labels

bool domain_complete_seclabel(struct domain_xml *x)
{
    struct xml_node *label = xml_child(x->root, "seclabel");
    bool several = xml_count(x->root, "seclabel") > 1;
    if (!several && label && !slice_present(xml_attr(label, "model")) && x->rules->security_model) {
        bool dynamic = xml_attr_is(label, "type", "dynamic");
        if (!xml_attr_is(label, "type", "none") && (!dynamic || xml_child(label, "baselabel")))
            return REFUSE(x, XML_ERROR, "missing security model in domain seclabel");
        xml_sets(x->doc, label, "model", x->rules->security_model);
    }
    XML_EACH (each, x->root, "seclabel") {
        struct slice model = xml_attr(each, "model");
        for (const struct xml_node *other = xml_next(each, "seclabel"); other;
             other = xml_next(other, "seclabel"))
            if (slice_equal(xml_attr(other, "model"), model))
                return REFUSE(x, XML_DETAIL, "seclabel for model %.*s is already provided",
                              SLICE_ARG(slice_present(model) ? model : SLICE("(null)")));
        if (slice_is(model, "none")) {
            xml_sets(x->doc, each, "type", "none");
            xml_unset(each, "relabel");
        }
    }
    XML_EACH (each, x->root, "seclabel")
        if (several && !slice_present(xml_attr(each, "model")))
            return REFUSE(x, XML_ERROR, "missing security model when using multiple labels");
    return true;
}
