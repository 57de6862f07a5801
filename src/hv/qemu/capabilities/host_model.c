// The processor model that <cpu mode='host-model'/> stands for.
#include "hv/qemu/capabilities/host_model.h"

#include <string.h>

struct question {
    const struct qemu_capabilities *capabilities;
    enum qemu_accelerator accelerator;
};

// eax of cpuid leaf 1, whose fields for larger families and models are split in two.
static uint32_t signature_of(uint32_t family, uint32_t model, uint32_t stepping)
{
    uint32_t base = family < 15 ? family : 15;
    return (family - base) << 20 | (model >> 4 & 15) << 16 | base << 8 | (model & 15) << 4 |
           (stepping & 15);
}

// "AuthenticAMD 15 107 1 cmov aes ...", as the probe wrote it.
static bool read_processor(struct slice text, struct cpu_x86 *cpu)
{
    struct slice vendor, part;
    uint32_t numbers[3];
    memset(cpu, 0, sizeof(*cpu));
    cpu->vendor = -1;
    if (!slice_present(text) || !slice_split(&text, ' ', &vendor))
        return false;
    for (unsigned i = 0; i < CPU_X86_VENDORS; i++)
        if (slice_is(vendor, cpu_x86_vendors[i].string))
            cpu->vendor = (int)i;
    for (size_t i = 0; i < 3; i++)
        if (!slice_split(&text, ' ', &part) || !slice_u32(part, 10, &numbers[i]))
            return false;
    cpu->signature = signature_of(numbers[0], numbers[1], numbers[2]);
    while (slice_split(&text, ' ', &part)) {
        int feature = cpu_x86_feature_find(part);
        if (feature >= 0)
            cpu_x86_set_add(&cpu->features, (unsigned)feature);
    }
    return true;
}

// The models that the emulator has; what it can not give them counts as missing.
static bool is_offered(const struct cpu_x86_model *model, struct cpu_x86_set *blocked, void *data)
{
    const struct question *q = data;
    const struct qemu_cpu_model *offered =
        qemu_capabilities_model(q->capabilities, slice_of(model->name));
    if (!offered)
        return false;
    struct slice names = offered->blockers[q->accelerator], name;
    while (slice_present(names) && slice_split(&names, ',', &name)) {
        int feature = cpu_x86_feature_find(name);
        if (feature >= 0)
            cpu_x86_set_add(blocked, (unsigned)feature);
    }
    return true;
}

bool qemu_host_model_find(struct qemu_host_model *to, const struct qemu_capabilities *capabilities,
                          enum qemu_accelerator accelerator)
{
    struct question question = {capabilities, accelerator};
    struct cpu_x86 cpu;
    if (!read_processor(capabilities->cpu[accelerator], &cpu) ||
        !cpu_x86_describe(&cpu, false, is_offered, &question, &to->description))
        return false;
    to->vendor = cpu.vendor >= 0 ? cpu_x86_vendors[cpu.vendor].name : NULL;
    return true;
}

static bool names_feature(const struct xml_node *cpu, const char *name)
{
    XML_EACH (feature, cpu, "feature")
        if (xml_attr_is(feature, "name", name))
            return true;
    return false;
}

static void add_features(struct xml_doc *doc, struct xml_node *cpu, struct xml_node *own,
                         const struct cpu_x86_set *set, const char *policy)
{
    for (unsigned i = 0; i < CPU_X86_FEATURES; i++) {
        const struct cpu_x86_feature *feature = &cpu_x86_features[i];
        if (!cpu_x86_set_has(set, i) || !feature->migratable || names_feature(cpu, feature->name))
            continue;
        struct xml_node *element =
            own ? xml_add_before(doc, own, "feature") : xml_add(doc, cpu, "feature");
        xml_sets(doc, element, "policy", policy);
        xml_sets(doc, element, "name", feature->name);
    }
}

void qemu_host_model_resolve(struct xml_doc *doc, struct xml_node *domain,
                             const struct qemu_capabilities *capabilities)
{
    struct xml_node *cpu = xml_child(domain, "cpu");
    struct qemu_host_model host;
    enum qemu_accelerator accelerator = xml_attr_is(domain, "type", "kvm") ? QEMU_KVM : QEMU_TCG;
    if (!xml_attr_is(cpu, "mode", "host-model") ||
        !qemu_host_model_find(&host, capabilities, accelerator))
        return;
    xml_sets(doc, cpu, "mode", "custom");
    xml_sets(doc, cpu, "match", "exact");
    xml_unset(cpu, "check");
    xml_sets(doc, cpu, "check", "partial");
    struct xml_node *old = xml_child(cpu, "model"), *first = xml_child(cpu, NULL);
    if (old && old == first)
        first = xml_next(old, NULL);
    if (old)
        xml_remove(old);
    struct xml_node *model =
        first ? xml_add_before(doc, first, "model") : xml_add(doc, cpu, "model");
    xml_sets(doc, model, "fallback", "forbid");
    xml_set_text(doc, model, slice_of(host.description.model->name));
    if (host.vendor && !xml_child(cpu, "vendor")) {
        struct xml_node *vendor =
            first ? xml_add_before(doc, first, "vendor") : xml_add(doc, cpu, "vendor");
        xml_set_text(doc, vendor, slice_of(host.vendor));
    }
    struct xml_node *own = xml_child(cpu, "feature");
    add_features(doc, cpu, own, &host.description.with, "require");
    add_features(doc, cpu, own, &host.description.without, "disable");
}
