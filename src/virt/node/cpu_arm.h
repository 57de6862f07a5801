// ARM processors: the models and vendors that libvirt names, by their main identification register.
#ifndef VIRT_CPU_ARM_H
#define VIRT_CPU_ARM_H

#include <stdbool.h>
#include <stdint.h>

struct cpu_arm {
    const char *model, *vendor;
    uint32_t features; // bits of cpu_arm_features
};

#define CPU_ARM_FEATURES 32
extern const char *const cpu_arm_features[CPU_ARM_FEATURES]; // the names of the bits of AT_HWCAP

// False when the register is of no named model or vendor.
bool cpu_arm_describe(uint64_t midr, uint64_t capabilities, struct cpu_arm *to);

#endif
