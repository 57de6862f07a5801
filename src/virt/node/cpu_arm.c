// ARM processors: the models and vendors that libvirt names.
#include "virt/node/cpu_arm.h"

#include <stddef.h>

#define CAPABILITY_CPUID (1U << 11) // HWCAP_CPUID: the register can be trusted

// clang-format off
const char *const cpu_arm_features[CPU_ARM_FEATURES] = {
    "fp", "asimd", "evtstrm", "aes", "pmull", "sha1", "sha2", "crc32",
    "atomics", "fphp", "asimdhp", "cpuid", "asimdrdm", "jscvt", "fcma", "lrcpc",
    "dcpop", "sha3", "sm3", "sm4", "asimddp", "sha512", "sve", "asimdfhm",
    "dit", "uscat", "ilrcpc", "flagm", "ssbs", "sb", "paca", "pacg",
};

static const struct {
    unsigned part;
    const char *name;
} models[] = {
    {0xd03, "cortex-a53"}, {0xd07, "cortex-a57"}, {0xd08, "cortex-a72"}, {0xd0c, "Neoverse-N1"},
    {0xd49, "Neoverse-N2"}, {0xd40, "Neoverse-V1"}, {0xc00, "Falkor"}, {0x0af, "ThunderX2 99xx"},
    {0x001, "a64fx"}, {0xd01, "Kunpeng-920"}, {0x662, "FT-2000+"}, {0x663, "Tengyun-S2500"},
};

static const struct {
    unsigned implementer;
    const char *name;
} vendors[] = {
    {0x41, "ARM"}, {0x42, "Broadcom"}, {0x43, "Cavium"}, {0x44, "DigitalEquipment"},
    {0x46, "Fujitsu"}, {0x48, "HiSilicon"}, {0x49, "Infineon"}, {0x4d, "Freescale"},
    {0x4e, "NVIDIA"}, {0x50, "APM"}, {0x51, "Qualcomm"}, {0x56, "Marvell"},
    {0x69, "Intel"}, {0x70, "Phytium"},
};
// clang-format on

bool cpu_arm_describe(uint64_t midr, uint64_t capabilities, struct cpu_arm *to)
{
    *to = (struct cpu_arm){.features = (uint32_t)capabilities};
    if (!(capabilities & CAPABILITY_CPUID))
        return false;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (models[i].part == (midr >> 4 & 0xfff))
            to->model = models[i].name;
    }
    for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
        if (vendors[i].implementer == (midr >> 24 & 0xff))
            to->vendor = vendors[i].name;
    }
    return to->model && to->vendor;
}
