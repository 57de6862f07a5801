// x86 processors: their features by name, the models that libvirt knows, and which of them
// describes a processor best.
//
// A processor is a set of features, each of them one bit of a cpuid or MSR register. The tables of
// cpu_x86_map.c have libvirt's names in libvirt's order, which clients see in capabilities.
#ifndef VIRT_CPU_X86_H
#define VIRT_CPU_X86_H

#include "core/config.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define CPU_X86_FEATURES  212
#define CPU_X86_REGISTERS 20
#define CPU_X86_VENDORS   3
#define CPU_X86_MODELS    58
#define CPU_X86_WORDS     ((CPU_X86_FEATURES + 63) / 64)

struct cpu_x86_set {
    uint64_t words[CPU_X86_WORDS];
};

struct cpu_x86_register {
    uint32_t leaf; // of cpuid, or the number of an MSR
    uint8_t subleaf;
    uint8_t which; // eax, ebx, ecx, edx
    bool msr;
};

struct cpu_x86_feature {
    char name[20];
    uint8_t in; // index of its register
    uint8_t bit;
    bool migratable;
};

struct cpu_x86_vendor {
    char name[8];    // "Intel"
    char string[13]; // as cpuid spells it: "GenuineIntel"
};

struct cpu_x86_signature {
    uint8_t family, model;
    uint16_t steppings; // bit 0: stepping 0
};

struct cpu_x86_model {
    char name[26];
    int8_t vendor;                     // -1: any
    bool for_host, for_guest;          // may describe a host, a guest
    uint8_t signatures, signature_len; // where in cpu_x86_signatures, and how many
    struct cpu_x86_set features;
    struct cpu_x86_set removed; // were in the model once: a guest's description names them
};

extern const struct cpu_x86_register cpu_x86_registers[CPU_X86_REGISTERS];
extern const struct cpu_x86_feature cpu_x86_features[CPU_X86_FEATURES];
extern const struct cpu_x86_vendor cpu_x86_vendors[CPU_X86_VENDORS];
extern const struct cpu_x86_signature cpu_x86_signatures[];
extern const struct cpu_x86_model cpu_x86_models[CPU_X86_MODELS];

// A processor, or what several have in common.
struct cpu_x86 {
    int vendor;         // index, -1: unknown
    uint32_t signature; // eax of cpuid leaf 1; 0: none
    struct cpu_x86_set features;
};

bool cpu_x86_set_has(const struct cpu_x86_set *set, unsigned feature);
void cpu_x86_set_add(struct cpu_x86_set *set, unsigned feature);
void cpu_x86_set_remove(struct cpu_x86_set *set, unsigned feature);
unsigned cpu_x86_set_count(const struct cpu_x86_set *set);

#ifdef CONFIG_CPU_MODELS

// Index by libvirt's name; -1 when there is none.
int cpu_x86_feature_find(struct slice name);
int cpu_x86_model_find(struct slice name);
int cpu_x86_vendor_find(struct slice name);

#else // no processor has a name

static inline int cpu_x86_feature_find(struct slice name)
{
    (void)name;
    return -1;
}

static inline int cpu_x86_model_find(struct slice name)
{
    (void)name;
    return -1;
}

#endif

unsigned cpu_x86_family(uint32_t signature);
unsigned cpu_x86_model_number(uint32_t signature);
unsigned cpu_x86_stepping(uint32_t signature);

// Where cpuid and MSRs are read. NULL functions of a source read nothing.
struct cpu_x86_source {
    bool (*cpuid)(void *context, uint32_t leaf, uint32_t subleaf, uint32_t registers[4]);
    bool (*msr)(void *context, uint32_t index, uint64_t *value);
    void *context;
};

void cpu_x86_read(struct cpu_x86 *cpu, const struct cpu_x86_source *source);
// The processor we run on; false when it is no x86 one.
bool cpu_x86_read_host(struct cpu_x86 *cpu);

// A processor as a model and the features that it has beyond (and, a guest's, without) it.
struct cpu_x86_description {
    const struct cpu_x86_model *model;
    struct cpu_x86_set with, without;
};

// Describes a processor by the model that libvirt would choose: one with the processor's family and
// model number before others, then the one with the fewest differences, a later one of the table
// before an earlier one. A host's model must not have a feature that the processor lacks. `usable`
// (NULL: all) tells which models may be used, and may add features to `blocked` that the
// hypervisor's version of the model has and the processor lacks: they are named as missing. False
// when none fits.
bool cpu_x86_describe(const struct cpu_x86 *cpu, bool host,
                      bool (*usable)(const struct cpu_x86_model *model, struct cpu_x86_set *blocked,
                                     void *context),
                      void *context, struct cpu_x86_description *to);

#endif
