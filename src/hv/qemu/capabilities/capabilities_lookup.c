// What the completion of definitions asks about this host, answered from the cached capabilities.
#include "hv/qemu/capabilities/capabilities_lookup.h"

#include "hv/qemu/capabilities/firmware.h"

static const struct qemu_capabilities *capabilities_of(struct slice emulator)
{
    char path[PORT_PATH_MAX];
    return slice_copy(path, sizeof(path), emulator) ? qemu_cache_get(path) : NULL;
}

struct slice qemu_host_arch(void)
{
    static char name[32];
    if (!*name)
        port_machine(name, sizeof(name));
    return slice_of(name);
}

static struct slice look_up_emulator(void *data, struct slice arch)
{
    (void)data;
    const struct qemu_emulator *emulator = qemu_emulator_for(arch);
    return emulator ? slice_of(emulator->path) : SLICE_NONE;
}

static bool is_x86(struct slice arch)
{
    return slice_is(arch, "x86_64") || slice_is(arch, "i686");
}

static bool is_arm(struct slice arch)
{
    return slice_starts(arch, "arm") || slice_is(arch, "aarch64");
}

// As long as an emulator was not probed, the definition gets the benefit of the doubt: it is
// checked again when the guest starts.
static bool look_up_support(void *data, struct slice emulator, struct slice arch,
                            struct slice virt_type)
{
    (void)data;
    const struct qemu_capabilities *c = capabilities_of(emulator);
    bool kvm = slice_is(virt_type, "kvm");
    if (slice_present(virt_type) && !kvm && !slice_is(virt_type, "qemu"))
        return false;
    if (!c)
        return true;
    bool family = slice_equal(c->arch, arch) || (is_x86(c->arch) && is_x86(arch)) ||
                  (is_arm(c->arch) && is_arm(arch));
    return family && (!kvm || c->kvm);
}

static bool look_up_machine(void *data, struct slice emulator, struct slice virt_type,
                            struct slice machine, struct qemu_machine_facts *facts,
                            struct error *err)
{
    (void)data;
    (void)virt_type;
    const struct qemu_capabilities *c = capabilities_of(emulator);
    *facts = (struct qemu_machine_facts){0};
    char path[PORT_PATH_MAX] = "";
    if (!c) {
        slice_copy(path, sizeof(path), emulator);
        return qemu_cache_refuse(path, err);
    }
    const struct qemu_machine *found = qemu_capabilities_machine(c, machine);
    facts->cpu_migratable = c->cpu_migratable;
    if (!found)
        return true;
    facts->machine = found->name;
    facts->default_cpu = found->default_cpu;
    facts->max_cpus = found->max_cpus;
    return true;
}

static bool look_up_device(void *data, struct slice emulator, const char *device)
{
    (void)data;
    const struct qemu_capabilities *c = capabilities_of(emulator);
    return c && qemu_capabilities_have(c, device);
}

static int look_up_gic(void *data, struct slice emulator, struct slice virt_type)
{
    (void)data;
    const struct qemu_capabilities *c = capabilities_of(emulator);
    if (!c || !slice_is(virt_type, "kvm"))
        return 0;
    return c->gic[QEMU_KVM] & 1u << 3 ? 3 : c->gic[QEMU_KVM] & 1u << 2 ? 2 : 0;
}

static bool look_up_firmware(void *data, struct qemu_firmware *firmware)
{
    (void)data;
    return qemu_firmware_resolve(firmware, "");
}

static bool random_bytes(void *data, void *bytes, size_t len)
{
    (void)data;
    port_random(bytes, len);
    return true;
}

void qemu_capabilities_lookup(struct qemu_lookup *lookup)
{
    lookup->host_arch = qemu_host_arch();
    lookup->emulator = look_up_emulator;
    lookup->supports = look_up_support;
    lookup->machine = look_up_machine;
    lookup->device = look_up_device;
    lookup->gic_version = look_up_gic;
    lookup->firmware = look_up_firmware;
    lookup->random = random_bytes;
}
