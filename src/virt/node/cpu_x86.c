// x86 processors: reading them, and finding the model that describes one.
#include "virt/node/cpu_x86.h"

#include "port/port.h"

#include <string.h>

// ---- sets and names -----------------------------------------------------------------------------

bool cpu_x86_set_has(const struct cpu_x86_set *set, unsigned feature)
{
    return set->words[feature / 64] >> feature % 64 & 1;
}

void cpu_x86_set_add(struct cpu_x86_set *set, unsigned feature)
{
    set->words[feature / 64] |= UINT64_C(1) << feature % 64;
}

void cpu_x86_set_remove(struct cpu_x86_set *set, unsigned feature)
{
    set->words[feature / 64] &= ~(UINT64_C(1) << feature % 64);
}

unsigned cpu_x86_set_count(const struct cpu_x86_set *set)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CPU_X86_FEATURES; i++)
        count += cpu_x86_set_has(set, i);
    return count;
}

static struct cpu_x86_set minus(const struct cpu_x86_set *a, const struct cpu_x86_set *b)
{
    struct cpu_x86_set difference;
    for (unsigned i = 0; i < CPU_X86_WORDS; i++)
        difference.words[i] = a->words[i] & ~b->words[i];
    return difference;
}

int cpu_x86_feature_find(struct slice name)
{
    for (int i = 0; i < CPU_X86_FEATURES; i++) {
        if (slice_is(name, cpu_x86_features[i].name))
            return i;
    }
    return -1;
}

int cpu_x86_model_find(struct slice name)
{
    for (int i = 0; i < CPU_X86_MODELS; i++) {
        if (slice_is(name, cpu_x86_models[i].name))
            return i;
    }
    return -1;
}

int cpu_x86_vendor_find(struct slice name)
{
    for (int i = 0; i < CPU_X86_VENDORS; i++) {
        if (slice_is(name, cpu_x86_vendors[i].name))
            return i;
    }
    return -1;
}

// Family and model are spread over basic and extended fields of leaf 1's eax.
unsigned cpu_x86_family(uint32_t signature)
{
    return (signature >> 20 & 0xff) + (signature >> 8 & 0xf);
}

unsigned cpu_x86_model_number(uint32_t signature)
{
    return (signature >> 12 & 0xf0) + (signature >> 4 & 0xf);
}

unsigned cpu_x86_stepping(uint32_t signature)
{
    return signature & 0xf;
}

// ---- reading ------------------------------------------------------------------------------------

enum { EAX, EBX, ECX, EDX };

#define EXTENDED          0x80000000 // the first leaf of the extended range
#define SIGNATURE_MASK    0x0fff3fff // without the reserved bits
#define SGX_BIT           0x4        // leaf 7 ebx
#define ARCH_CAPABILITIES 0x10a      // the MSR

static bool read_leaf(const struct cpu_x86_source *source, uint32_t leaf, uint32_t subleaf,
                      uint32_t registers[4])
{
    return source->cpuid && source->cpuid(source->context, leaf, subleaf, registers);
}

// What a leaf beyond the processor's range, or a subleaf that another leaf does not announce,
// returns is not its own.
static bool leaf_is_valid(const struct cpu_x86_source *source, uint32_t leaf, uint32_t subleaf)
{
    uint32_t regs[4];
    if (!read_leaf(source, leaf & EXTENDED, 0, regs) || leaf > regs[EAX])
        return false;
    switch (leaf) {
    case 0x7:
        return subleaf == 0 || (read_leaf(source, leaf, 0, regs) && subleaf <= regs[EAX]);
    case 0xf:
        return subleaf == 0 || (read_leaf(source, leaf, 0, regs) && regs[EDX] >> subleaf & 1);
    case 0x12:
        return read_leaf(source, 7, 0, regs) && (regs[EBX] & SGX_BIT);
    default:
        return true;
    }
}

static uint32_t read_register(const struct cpu_x86_source *source,
                              const struct cpu_x86_register *what)
{
    uint32_t regs[4];
    uint64_t value;
    if (what->msr)
        return source->msr && source->msr(source->context, what->leaf, &value) ? (uint32_t)value
                                                                               : 0;
    if (!leaf_is_valid(source, what->leaf, what->subleaf) ||
        !read_leaf(source, what->leaf, what->subleaf, regs))
        return 0;
    return regs[what->which];
}

static int read_vendor(const struct cpu_x86_source *source)
{
    uint32_t regs[4];
    char string[12];
    if (!read_leaf(source, 0, 0, regs))
        return -1;
    memcpy(string, &regs[EBX], 4);
    memcpy(string + 4, &regs[EDX], 4);
    memcpy(string + 8, &regs[ECX], 4);
    for (int i = 0; i < CPU_X86_VENDORS; i++) {
        if (memcmp(cpu_x86_vendors[i].string, string, sizeof(string)) == 0)
            return i;
    }
    return -1;
}

// Haswells whose transactional memory is broken (Intel's erratum HSD136): it counts as missing.
static void drop_broken_tsx(struct cpu_x86 *cpu)
{
    unsigned model = cpu_x86_model_number(cpu->signature);
    bool broken = model == 60 || model == 69 || model == 70 ||
                  (model == 63 && cpu_x86_stepping(cpu->signature) < 4);
    if (cpu->vendor != cpu_x86_vendor_find(SLICE("Intel")) || cpu_x86_family(cpu->signature) != 6 ||
        !broken)
        return;
    cpu_x86_set_remove(&cpu->features, (unsigned)cpu_x86_feature_find(SLICE("hle")));
    cpu_x86_set_remove(&cpu->features, (unsigned)cpu_x86_feature_find(SLICE("rtm")));
}

void cpu_x86_read(struct cpu_x86 *cpu, const struct cpu_x86_source *source)
{
    uint32_t values[CPU_X86_REGISTERS], regs[4] = {0};
    *cpu = (struct cpu_x86){.vendor = read_vendor(source)};
    if (read_leaf(source, 1, 0, regs))
        cpu->signature = regs[EAX] & SIGNATURE_MASK;
    for (unsigned i = 0; i < CPU_X86_REGISTERS; i++)
        values[i] = read_register(source, &cpu_x86_registers[i]);
    for (unsigned i = 0; i < CPU_X86_FEATURES; i++) {
        const struct cpu_x86_feature *feature = &cpu_x86_features[i];
        if (values[feature->in] >> feature->bit & 1)
            cpu_x86_set_add(&cpu->features, i);
    }
    drop_broken_tsx(cpu);
}

static bool host_cpuid(void *context, uint32_t leaf, uint32_t subleaf, uint32_t registers[4])
{
    (void)context;
    return port_x86_cpuid(leaf, subleaf, registers);
}

// Only this MSR is read from a host, and only one that announces it (leaf 7 edx bit 29) has it.
static bool host_msr(void *context, uint32_t index, uint64_t *value)
{
    uint32_t regs[4];
    (void)context;
    return index == ARCH_CAPABILITIES && port_x86_cpuid(0, 0, regs) && regs[EAX] >= 7 &&
           port_x86_cpuid(7, 0, regs) && regs[EDX] >> 29 & 1 && port_x86_msr(index, value) == 0;
}

bool cpu_x86_read_host(struct cpu_x86 *cpu)
{
    static const struct cpu_x86_source host = {host_cpuid, host_msr, NULL};
    uint32_t regs[4];
    if (!port_x86_cpuid(0, 0, regs))
        return false;
    cpu_x86_read(cpu, &host);
    return true;
}

// ---- finding the model --------------------------------------------------------------------------

static bool signature_matches(const struct cpu_x86_model *model, uint32_t signature)
{
    for (unsigned i = 0; i < model->signature_len; i++) {
        const struct cpu_x86_signature *own = &cpu_x86_signatures[model->signatures + i];
        if (own->family == cpu_x86_family(signature) &&
            own->model == cpu_x86_model_number(signature) &&
            own->steppings >> cpu_x86_stepping(signature) & 1)
            return true;
    }
    return false;
}

struct candidate {
    struct cpu_x86_description description;
    bool matches;      // in family and model number
    unsigned cost;     // of all differences
    unsigned disabled; // the part of it for missing features
};

static void add_all(struct cpu_x86_set *set, const struct cpu_x86_set *more)
{
    for (unsigned i = 0; i < CPU_X86_WORDS; i++)
        set->words[i] |= more->words[i];
}

static void describe_by(const struct cpu_x86 *cpu, bool host, const struct cpu_x86_model *model,
                        const struct cpu_x86_set *blocked, struct candidate *to)
{
    struct cpu_x86_description *description = &to->description;
    description->model = model;
    description->with = minus(&cpu->features, &model->features);
    description->without = minus(&model->features, &cpu->features);
    struct cpu_x86_set unnamed = minus(blocked, &description->with);
    add_all(&description->without, &unnamed);
    unnamed = minus(&model->removed, &description->with);
    if (!host)
        add_all(&description->without, &unnamed);
    to->matches = cpu->signature && signature_matches(model, cpu->signature);
    to->cost = cpu_x86_set_count(&description->with);
    to->disabled = 0;
    // A missing feature costs more than a further one: 2 the first, 3 the second and so on; but
    // only one in two of them is charged that way. That is how libvirt has always counted, and
    // which models users see depends on it.
    unsigned missing = cpu_x86_set_count(&description->without), charged = (missing + 1) / 2;
    for (unsigned i = 0; i < charged; i++)
        to->disabled += 2 + i;
    to->cost += missing - charged + to->disabled;
}

static bool is_better(const struct candidate *candidate, const struct candidate *best)
{
    if (!best->description.model)
        return true;
    if (candidate->matches != best->matches)
        return candidate->matches;
    return candidate->cost < best->cost ||
           (candidate->cost == best->cost && candidate->disabled < best->disabled);
}

bool cpu_x86_describe(const struct cpu_x86 *cpu, bool host,
                      bool (*usable)(const struct cpu_x86_model *model, struct cpu_x86_set *blocked,
                                     void *context),
                      void *context, struct cpu_x86_description *to)
{
    struct candidate best = {0}, candidate;
    for (int i = CPU_X86_MODELS - 1; i >= 0; i--) { // newer ones stand further behind
        const struct cpu_x86_model *model = &cpu_x86_models[i];
        struct cpu_x86_set blocked = {0};
        if (!(host ? model->for_host : model->for_guest) ||
            (usable && !usable(model, &blocked, context)))
            continue;
        if (model->vendor >= 0 && cpu->vendor >= 0 && model->vendor != cpu->vendor)
            continue;
        describe_by(cpu, host, model, &blocked, &candidate);
        if (host && cpu_x86_set_count(&candidate.description.without) > 0)
            continue;
        if (is_better(&candidate, &best))
            best = candidate;
    }
    *to = best.description;
    return to->model != NULL;
}
