// Linux: what only x86 processors and KVM on them can tell.
#include "port/linux/linux.h"

#if defined(__x86_64__) || defined(__i386__)

#include <cpuid.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool port_x86_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t registers[4])
{
    __cpuid_count(leaf, subleaf, registers[0], registers[1], registers[2], registers[3]);
    return true;
}

static int msr_from_kvm(uint32_t index, uint64_t *value)
{
    // struct kvm_msrs ends in an array whose length its user chooses: one here.
    _Alignas(struct kvm_msrs) unsigned char
        space[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)] = {0};
    struct kvm_msrs *query = (void *)space;
    query->nmsrs = 1;
    query->entries[0].index = index;
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0)
        return -errno;
    int result = port_result(ioctl(kvm, (port_ioctl_command)KVM_GET_MSRS, query));
    port_close(kvm);
    *value = query->entries[0].data;
    return result == 1 ? 0 : result < 0 ? result : -ENOENT;
}

int port_x86_msr(uint32_t index, uint64_t *value)
{
    int fd = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t got = pread(fd, value, sizeof(*value), index);
        int failure = errno;
        port_close(fd);
        if (got == (ssize_t)sizeof(*value))
            return 0;
        if (got < 0 && failure == EIO)
            return -ENOENT; // the processor does not know it
    }
    return msr_from_kvm(index, value);
}

// KVM tells the frequency to a virtual processor only, so one is made for the question.
static int ask_kvm(uint64_t *hz, bool *scales)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int machine = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
    int cpu = machine < 0 ? -1 : ioctl(machine, KVM_CREATE_VCPU, 0);
    int khz = cpu < 0 ? -1 : ioctl(cpu, KVM_GET_TSC_KHZ);
    int control = khz < 0 ? -1 : ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_CONTROL);
    int result = control < 0 ? -errno : 0;
    port_close(cpu);
    port_close(machine);
    port_close(kvm);
    *hz = result < 0 ? 0 : (uint64_t)khz * 1000;
    *scales = control > 0;
    return result;
}

int port_x86_tsc(uint64_t *hz, bool *scales)
{
    static bool asked, known_scales;
    static uint64_t known_hz;
    static int result;
    if (!asked)
        result = ask_kvm(&known_hz, &known_scales);
    asked = true;
    *hz = known_hz;
    *scales = known_scales;
    return result;
}

#else

bool port_x86_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t registers[4])
{
    (void)leaf;
    (void)subleaf;
    (void)registers;
    return false;
}

int port_x86_msr(uint32_t index, uint64_t *value)
{
    (void)index;
    (void)value;
    return -ENOENT;
}

int port_x86_tsc(uint64_t *hz, bool *scales)
{
    (void)hz;
    (void)scales;
    return -ENOENT;
}

#endif
