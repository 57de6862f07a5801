// The node: the host's processor as libvirt describes it, in the capabilities' <cpu>.
#include "virt/node/cpu_arm.h"
#include "virt/node/cpu_x86.h"
#include "virt/node/node.h"

static void put_topology(struct buffer *out, const struct node_info *info)
{
    buffer_printf(out, "      <topology sockets='%u' dies='1' cores='%u' threads='%u'/>\n",
                  info->sockets, info->cores, info->threads);
}

static void put_feature(struct buffer *out, const char *name)
{
    buffer_printf(out, "      <feature name='%s'/>\n", name);
}

static void put_model(struct buffer *out, const char *model, const char *vendor)
{
    buffer_printf(out, "      <model>%s</model>\n", model);
    if (vendor)
        buffer_printf(out, "      <vendor>%s</vendor>\n", vendor);
}

// The clock of the processor is worth telling where it runs at one rate always.
static void put_x86_counter(struct buffer *out, const struct cpu_x86 *cpu)
{
    uint64_t hz;
    bool scales;
    int invariant = cpu_x86_feature_find(SLICE("invtsc"));
    if (cpu_x86_set_has(&cpu->features, (unsigned)invariant) && port_x86_tsc(&hz, &scales) == 0)
        buffer_printf(out, "      <counter name='tsc' frequency='%llu' scaling='%s'/>\n",
                      (unsigned long long)hz, scales ? "yes" : "no");
}

static void put_x86_cpu(struct buffer *out, const struct cpu_x86 *cpu, const struct node_info *info)
{
    struct cpu_x86_description description;
    bool known = cpu_x86_describe(cpu, true, NULL, NULL, &description);
    uint32_t microcode = port_x86_microcode();
    unsigned bits = port_x86_physical_bits();
    if (known)
        put_model(out, description.model->name,
                  cpu->vendor < 0 ? NULL : cpu_x86_vendors[cpu->vendor].name);
    if (microcode)
        buffer_printf(out, "      <microcode version='%u'/>\n", microcode);
    if (known && cpu_x86_family(cpu->signature))
        buffer_printf(out, "      <signature family='%u' model='%u' stepping='%u'/>\n",
                      cpu_x86_family(cpu->signature), cpu_x86_model_number(cpu->signature),
                      cpu_x86_stepping(cpu->signature));
    put_x86_counter(out, cpu);
    put_topology(out, info);
    if (bits)
        buffer_printf(out, "      <maxphysaddr mode='emulate' bits='%u'/>\n", bits);
    for (unsigned i = 0; known && i < CPU_X86_FEATURES; i++) {
        if (cpu_x86_set_has(&description.with, i))
            put_feature(out, cpu_x86_features[i].name);
    }
}

static void put_arm_cpu(struct buffer *out, const struct node_info *info)
{
    struct cpu_arm cpu = {0};
    uint64_t midr, capabilities;
    bool known =
        port_arm_identity(&midr, &capabilities) == 0 && cpu_arm_describe(midr, capabilities, &cpu);
    if (known)
        put_model(out, cpu.model, cpu.vendor);
    put_topology(out, info);
    for (unsigned i = 0; known && i < CPU_ARM_FEATURES; i++) {
        if (cpu.features >> i & 1)
            put_feature(out, cpu_arm_features[i]);
    }
}

void node_put_processor(struct buffer *out, const struct node_info *info)
{
    struct cpu_x86 cpu;
    if (cpu_x86_read_host(&cpu))
        put_x86_cpu(out, &cpu, info);
    else
        put_arm_cpu(out, info);
}
