// -cpu: the model, its features, and what goes with the processor though it is written elsewhere in
// the definition (paravirtual timers, Hyper-V and KVM features).
#include "hv/qemu/capabilities/capabilities_lookup.h"
#include "hv/qemu/command/command_parts.h"
#include "hv/qemu/capabilities/cpu_features.h"

static void put_features(struct builder *b, const struct xml_node *cpu)
{
    XML_EACH (feature, cpu, "feature") {
        struct slice policy = xml_attr(feature, "policy");
        if (slice_is(policy, "optional"))
            continue;
        bool on = !slice_is(policy, "disable") && !slice_is(policy, "forbid");
        buffer_putc(&b->text, ',');
        struct slice name = xml_attr(feature, "name");
        bool x86 = b->arch == GUEST_X86_64 || b->arch == GUEST_I686;
        put_escaped(b, x86 ? qemu_cpu_feature_to(name) : name);
        buffer_puts(&b->text, on ? "=on" : "=off");
    }
}

static void put_timers(struct builder *b)
{
    XML_EACH (timer, xml_child(b->domain, "clock"), "timer") {
        struct slice name = xml_attr(timer, "name"), present = xml_attr(timer, "present");
        struct slice policy = xml_attr(timer, "tickpolicy");
        if (slice_is(name, "kvmclock") && slice_present(present))
            buffer_printf(&b->text, ",kvmclock=%s", is_on(present) ? "on" : "off");
        else if (slice_is(name, "hypervclock") && is_on(present))
            buffer_puts(&b->text, ",hv-time=on");
        else if (slice_is(name, "tsc"))
            put_option(b, "tsc-frequency", xml_attr(timer, "frequency"));
        else if (slice_is(name, "armvtimer") && slice_present(policy))
            buffer_printf(&b->text, ",kvm-no-adjvtime=%s",
                          slice_is(policy, "discard") ? "on" : "off");
    }
}

static void put_hyperv(struct builder *b)
{
    static const char *const switches[] = {
        "relaxed",     "vapic",           "vpindex",  "runtime", "synic", "stimer", "reset",
        "frequencies", "reenlightenment", "tlbflush", "ipi",     "evmcs", "avic"};
    const struct xml_node *hyperv = xml_child(b->features, "hyperv");
    if (!hyperv)
        return;
    if (xml_attr_is(hyperv, "mode", "passthrough"))
        buffer_puts(&b->text, ",hv-passthrough=on");
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        const struct xml_node *element = xml_child(hyperv, switches[i]);
        if (!is_on(xml_attr(element, "state")))
            continue;
        buffer_printf(&b->text, ",hv-%s=on", switches[i]);
        if (is_on(xml_attr_at(element, "direct", "state")))
            buffer_puts(&b->text, ",hv-stimer-direct=on");
    }
    const struct xml_node *spinlocks = xml_child(hyperv, "spinlocks");
    const struct xml_node *vendor = xml_child(hyperv, "vendor_id");
    if (is_on(xml_attr(spinlocks, "state")))
        buffer_printf(&b->text, ",hv-spinlocks=0x%x",
                      (unsigned)number_of(xml_attr(spinlocks, "retries")));
    if (is_on(xml_attr(vendor, "state")))
        put_option(b, "hv-vendor-id", xml_attr(vendor, "value"));
}

static void put_kvm(struct builder *b)
{
    const struct xml_node *kvm = xml_child(b->features, "kvm");
    if (is_on(xml_attr_at(kvm, "hidden", "state")))
        buffer_puts(&b->text, ",kvm=off");
    if (is_on(xml_attr_at(kvm, "hint-dedicated", "state")))
        buffer_puts(&b->text, ",kvm-hint-dedicated=on");
    if (is_on(xml_attr_at(kvm, "poll-control", "state")))
        buffer_puts(&b->text, ",kvm-poll-control=on");
    if (slice_is(xml_attr_at(kvm, "pv-ipi", "state"), "off"))
        buffer_puts(&b->text, ",kvm-pv-ipi=off");
}

static void put_platform(struct builder *b)
{
    put_timers(b);
    put_option(b, "kvm-pv-eoi", xml_attr_at(b->features, "apic", "eoi"));
    put_option(b, "kvm-pv-unhalt", xml_attr_at(b->features, "pvspinlock", "state"));
    put_hyperv(b);
    XML_EACH (panic, b->devices, "panic")
        if (xml_attr_is(panic, "model", "hyperv"))
            buffer_puts(&b->text, ",hv-crash");
    put_kvm(b);
    put_option(b, "pmu", xml_attr_at(b->features, "pmu", "state"));
}

static void put_cache(struct builder *b, const struct xml_node *cpu, bool host)
{
    const struct xml_node *cache = xml_child(cpu, "cache");
    struct slice mode = xml_attr(cache, "mode");
    if (!cache)
        return;
    if (slice_is(mode, "emulate"))
        buffer_puts(&b->text, ",l3-cache=on");
    if (slice_is(mode, "passthrough"))
        buffer_puts(&b->text, ",host-cache-info=on");
    else if (host)
        buffer_puts(&b->text, ",host-cache-info=off");
    if (!slice_is(mode, "emulate"))
        buffer_puts(&b->text, ",l3-cache=off");
}

static void put_address_size(struct builder *b, const struct xml_node *cpu)
{
    const struct xml_node *size = xml_child(cpu, "maxphysaddr");
    if (xml_attr_is(size, "mode", "passthrough"))
        buffer_puts(&b->text, ",host-phys-bits=on");
    else if (xml_attr_is(size, "mode", "emulate"))
        put_option(b, "phys-bits", xml_attr(size, "bits"));
}

// host-model asks for a named model close to the host's. QEMU itself knows the closest one that
// stays the same while the guest runs: "host" without what can not be migrated, and for TCG "max".
static void put_model(struct builder *b, const struct xml_node *cpu, struct slice mode)
{
    bool host = slice_is(mode, "host-passthrough") || slice_is(mode, "host-model");
    if (slice_is(mode, "maximum") || (host && !b->kvm && slice_is(mode, "host-model"))) {
        buffer_puts(&b->text, "max");
    } else if (host) {
        if (!b->kvm)
            unsupported(b,
                        "CPU mode '%.*s' for %.*s qemu domain on %.*s host is not supported by "
                        "hypervisor",
                        SLICE_ARG(mode), SLICE_ARG(xml_attr_at(b->os, "type", "arch")),
                        SLICE_ARG(qemu_host_arch()));
        buffer_puts(&b->text, "host");
    } else {
        put_escaped(b, xml_text_at(cpu, "model"));
    }
    if (!slice_is(mode, "custom") && b->capabilities->cpu_migratable)
        put_option(b, "migratable", xml_attr(cpu, "migratable"));
}

static void check_model(struct builder *b, struct slice name)
{
    const struct qemu_cpu_model *model = qemu_capabilities_model(b->capabilities, name);
    if (b->capabilities->model_count && !model)
        unsupported(b, "the CPU is incompatible with host CPU: Unknown CPU model %.*s",
                    SLICE_ARG(name));
}

void build_cpu(struct builder *b)
{
    const struct xml_node *cpu = xml_child(b->domain, "cpu");
    struct slice mode = xml_attr(cpu, "mode"), model = xml_text_at(cpu, "model");
    if (slice_present(model) && !slice_present(mode))
        mode = SLICE("custom");
    arg(b, "-cpu");
    arg_open(b);
    size_t start = b->text.len;
    if (slice_present(mode) && (!slice_is(mode, "custom") || slice_present(model))) {
        if (slice_is(mode, "custom"))
            check_model(b, model);
        put_model(b, cpu, mode);
        put_option(b, "vendor", xml_attr_at(cpu, "model", "vendor_id"));
        put_features(b, cpu);
    } else if (b->arch == GUEST_I686) {
        buffer_puts(&b->text, "qemu32");
    } else if (b->arch == GUEST_X86_64) {
        buffer_puts(&b->text, "qemu64");
    }
    bool named = b->text.len > start;
    size_t flags = b->text.len;
    put_platform(b);
    put_cache(b, cpu, slice_is(mode, "host-passthrough") || slice_is(mode, "maximum"));
    put_address_size(b, cpu);
    if (!named && b->text.len > flags)
        unsupported(b, "CPU flags requested but can't determine default CPU for arch %.*s",
                    SLICE_ARG(xml_attr_at(b->os, "type", "arch")));
    arg_close(b);
    if (!named)
        b->out->arg_count -= 2; // the machine's own default
}
