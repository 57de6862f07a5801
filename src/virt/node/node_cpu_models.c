// The node: the processor models that libvirt names, for virConnectGetCPUModelNames.
#include "virt/node/node.h"

#include "virt/node/cpu_x86.h"

// How libvirt treats an architecture's models.
enum treatment {
    MODELS_X86,
    MODELS_PPC64,
    MODELS_ANY,  // passed to the hypervisor as they are
    MODELS_NONE, // libvirt knows the architecture, but no processors of it
};

// clang-format off
static const struct {
    const char *name;
    enum treatment treatment;
} architectures[] = {
    {"x86_64", MODELS_X86}, {"i686", MODELS_X86},
    {"ppc64", MODELS_PPC64}, {"ppc64le", MODELS_PPC64},
    {"aarch64", MODELS_ANY}, {"armv6l", MODELS_ANY}, {"armv7l", MODELS_ANY}, {"armv7b", MODELS_ANY},
    {"s390", MODELS_ANY}, {"s390x", MODELS_ANY},
    {"alpha", MODELS_NONE}, {"cris", MODELS_NONE}, {"ia64", MODELS_NONE}, {"lm32", MODELS_NONE},
    {"m68k", MODELS_NONE}, {"microblaze", MODELS_NONE}, {"microblazeel", MODELS_NONE},
    {"mips", MODELS_NONE}, {"mipsel", MODELS_NONE}, {"mips64", MODELS_NONE},
    {"mips64el", MODELS_NONE}, {"openrisc", MODELS_NONE}, {"parisc", MODELS_NONE},
    {"parisc64", MODELS_NONE}, {"ppc", MODELS_NONE}, {"ppcle", MODELS_NONE},
    {"ppcemb", MODELS_NONE}, {"riscv32", MODELS_NONE}, {"riscv64", MODELS_NONE},
    {"sh4", MODELS_NONE}, {"sh4eb", MODELS_NONE}, {"sparc", MODELS_NONE},
    {"sparc64", MODELS_NONE}, {"unicore32", MODELS_NONE}, {"xtensa", MODELS_NONE},
    {"xtensaeb", MODELS_NONE}, {"loongarch64", MODELS_NONE},
};
static const char *const ppc64_models[] = {
    "POWER6", "POWER7", "POWER8", "POWER9", "POWER10", "POWERPC_e5500", "POWERPC_e6500",
};
// clang-format on

#define ARCHITECTURES (sizeof(architectures) / sizeof(architectures[0]))
#define PPC64_MODELS  ((int)(sizeof(ppc64_models) / sizeof(ppc64_models[0])))

static size_t find_architecture(struct slice arch)
{
    size_t i = 0;
    while (i < ARCHITECTURES && !slice_is(arch, architectures[i].name))
        i++;
    return i;
}

int node_cpu_models(struct slice arch, int error_domain, struct error *err)
{
    size_t i = find_architecture(arch);
    if (i == ARCHITECTURES) {
        error_set(err, error_domain, VIR_ERR_INVALID_ARG, "cannot find architecture %.*s",
                  SLICE_ARG(arch));
        return -1;
    }
    switch (architectures[i].treatment) {
    case MODELS_X86:
        return CPU_X86_MODELS;
    case MODELS_PPC64:
        return PPC64_MODELS;
    case MODELS_ANY:
        return 0;
    case MODELS_NONE:
        break;
    }
    error_set(err, VIR_FROM_CPU, VIR_ERR_NO_SUPPORT,
              "'%s' architecture is not supported by CPU driver", architectures[i].name);
    return -1;
}

const char *node_cpu_model_name(struct slice arch, int index)
{
    size_t i = find_architecture(arch);
    if (i == ARCHITECTURES || index < 0)
        return NULL;
    if (architectures[i].treatment == MODELS_X86)
        return index < CPU_X86_MODELS ? cpu_x86_models[index].name : NULL;
    return architectures[i].treatment == MODELS_PPC64 && index < PPC64_MODELS ? ppc64_models[index]
                                                                              : NULL;
}
