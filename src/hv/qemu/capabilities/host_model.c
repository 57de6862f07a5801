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

static void use_host_model(struct xml_doc *doc, struct xml_node *cpu,
                           const struct qemu_host_model *host)
{
    struct xml_node *old = xml_child(cpu, "model"), *first = xml_child(cpu, NULL);
    struct slice fallback = xml_attr(old, "fallback");
    bool custom = xml_attr_is(cpu, "mode", "custom");
    if (old && old == first)
        first = xml_next(old, NULL);
    if (old)
        xml_remove(old);
    struct xml_node *model =
        first ? xml_add_before(doc, first, "model") : xml_add(doc, cpu, "model");
    xml_set(doc, model, "fallback", slice_present(fallback) ? fallback : SLICE("allow"));
    xml_set_text(doc, model, slice_of(host->description.model->name));
    if (host->vendor && !custom && !xml_child(cpu, "vendor")) {
        struct xml_node *vendor =
            first ? xml_add_before(doc, first, "vendor") : xml_add(doc, cpu, "vendor");
        xml_set_text(doc, vendor, slice_of(host->vendor));
    }
    struct xml_node *own = xml_child(cpu, "feature");
    add_features(doc, cpu, own, &host->description.with, "require");
    add_features(doc, cpu, own, &host->description.without, "disable");
}

// What the definition would like to have it gets if the host has it.
static void settle_optional(struct xml_doc *doc, struct xml_node *cpu,
                            const struct qemu_host_model *host)
{
    XML_EACH (feature, cpu, "feature") {
        int index = cpu_x86_feature_find(xml_attr(feature, "name"));
        if (!xml_attr_is(feature, "policy", "optional") || index < 0)
            continue;
        const struct cpu_x86_description *d = &host->description;
        bool has = (cpu_x86_set_has(&d->model->features, (unsigned)index) ||
                    cpu_x86_set_has(&d->with, (unsigned)index)) &&
                   !cpu_x86_set_has(&d->without, (unsigned)index);
        xml_sets(doc, feature, "policy", has ? "require" : "disable");
    }
}

static void disable_removed(struct xml_doc *doc, struct xml_node *cpu)
{
    int index = cpu_x86_model_find(xml_text_at(cpu, "model"));
    if (index >= 0)
        add_features(doc, cpu, NULL, &cpu_x86_models[index].removed, "disable");
}

// libvirt (virCPUx86Update)
void qemu_cpu_update(struct xml_doc *doc, struct xml_node *domain,
                     const struct qemu_capabilities *capabilities)
{
    struct xml_node *cpu = xml_child(domain, "cpu");
    struct qemu_host_model host;
    enum qemu_accelerator accelerator = xml_attr_is(domain, "type", "kvm") ? QEMU_KVM : QEMU_TCG;
    bool custom = xml_attr_is(cpu, "mode", "custom"),
         minimum = xml_attr_is(cpu, "match", "minimum");
    if ((!custom && !xml_attr_is(cpu, "mode", "host-model")) ||
        (custom && !xml_child(cpu, "model")))
        return;
    if (!qemu_host_model_find(&host, capabilities, accelerator))
        return;
    settle_optional(doc, cpu, &host);
    if (!custom || minimum) {
        use_host_model(doc, cpu, &host);
        xml_sets(doc, cpu, "mode", "custom");
        xml_sets(doc, cpu, "match", "exact");
    }
    disable_removed(doc, cpu);
}
