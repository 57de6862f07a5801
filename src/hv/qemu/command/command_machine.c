// -machine, -accel, -smp, power management, clock.
#include "hv/qemu/command/command_parts.h"

static const struct xml_node *feature(const struct builder *b, const char *name)
{
    return xml_child(b->features, name);
}

static const struct xml_node *timer(const struct builder *b, const char *name)
{
    XML_EACH (element, xml_child(b->domain, "clock"), "timer")
        if (xml_attr_is(element, "name", name))
            return element;
    return NULL;
}

static bool is_x86(const struct builder *b)
{
    return b->arch == GUEST_X86_64 || b->arch == GUEST_I686;
}

static void put_gic(struct builder *b)
{
    const struct xml_node *gic = feature(b, "gic");
    struct slice version = xml_attr(gic, "version");
    if (!gic)
        return;
    if (!b->arm_virt)
        unsupported(b,
                    "The 'gic' feature is not supported for architecture '%.*s' or machine type "
                    "'%.*s'",
                    SLICE_ARG(xml_attr_at(b->os, "type", "arch")),
                    SLICE_ARG(xml_attr_at(b->os, "type", "machine")));
    if (slice_present(version))
        put_option(b, "gic-version", version);
}

static void put_ioapic(struct builder *b)
{
    struct slice driver = xml_attr(feature(b, "ioapic"), "driver");
    if (slice_is(driver, "qemu"))
        buffer_puts(&b->text, ",kernel_irqchip=split");
    else if (slice_is(driver, "kvm"))
        buffer_puts(&b->text, ",kernel_irqchip=on");
}

static void put_machine_features(struct builder *b)
{
    struct slice smm = xml_attr(feature(b, "smm"), "state");
    put_option(b, "vmport", xml_attr(feature(b, "vmport"), "state"));
    put_option(b, "smm", feature(b, "smm") && !slice_present(smm) ? SLICE("on") : smm);
    put_gic(b);
    put_ioapic(b);
    if (xml_attr_is(xml_find(b->devices, "iommu"), "model", "smmuv3"))
        buffer_puts(&b->text, ",iommu=smmuv3");
}

static void put_machine_memory(struct builder *b)
{
    struct slice dump = xml_attr_at(b->domain, "memory", "dumpCore");
    if (!slice_present(dump))
        dump = b->context->settings->dump_guest_core ? SLICE("on") : SLICE("off");
    put_option(b, "dump-guest-core", dump);
    if (xml_find(b->domain, "memoryBacking/nosharepages"))
        buffer_puts(&b->text, ",mem-merge=off");
    const struct qemu_machine *machine =
        qemu_capabilities_machine(b->capabilities, xml_attr_at(b->os, "type", "machine"));
    if (machine && !xml_find(b->domain, "cpu/numa/cell"))
        put_option(b, "memory-backend", machine->ram_id);
}

// -no-acpi and -no-hpet left QEMU with 9.0; the properties of the machine have been there
// since 5.2.
static void put_machine_platform(struct builder *b)
{
    const struct xml_node *hpet = timer(b, "hpet");
    if (!feature(b, "acpi") && (is_x86(b) || b->arm_virt))
        buffer_puts(&b->text, ",acpi=off");
    if (is_x86(b) && slice_present(xml_attr(hpet, "present")))
        put_option(b, "hpet", is_on(xml_attr(hpet, "present")) ? SLICE("on") : SLICE("off"));
    if (is_on(xml_attr_at(b->os, "bios", "useserial")))
        buffer_puts(&b->text, ",graphics=off");
}

static void put_flash(struct builder *b)
{
    const struct xml_node *loader = xml_child(b->os, "loader");
    if (xml_attr_is(loader, "type", "pflash"))
        buffer_puts(&b->text, ",pflash0=libvirt-pflash0-format");
    if (xml_attr_is(loader, "type", "pflash") && xml_child(b->os, "nvram"))
        buffer_puts(&b->text, ",pflash1=libvirt-pflash1-format");
}

static void build_accelerator(struct builder *b)
{
    const struct xml_node *cache = xml_find(b->features, "tcg/tb-cache");
    const struct xml_node *ring = xml_find(b->features, "kvm/dirty-ring");
    arg(b, "-accel");
    arg_open(b);
    buffer_puts(&b->text, b->kvm ? "kvm" : "tcg");
    if (!b->kvm && cache)
        buffer_printf(&b->text, ",tb-size=%llu", (unsigned long long)(memory_bytes(cache) >> 20));
    if (b->kvm && is_on(xml_attr(ring, "state")))
        put_option(b, "dirty-ring-size", xml_attr(ring, "size"));
    arg_close(b);
}

static void build_smm_memory(struct builder *b)
{
    const struct xml_node *tseg = xml_find(b->features, "smm/tseg");
    if (!tseg)
        return;
    arg(b, "-global");
    argf(b, "mch.extended-tseg-mbytes=%llu", (unsigned long long)(memory_bytes(tseg) >> 20));
}

void build_machine(struct builder *b)
{
    arg(b, "-machine");
    arg_open(b);
    put_escaped(b, xml_attr_at(b->os, "type", "machine"));
    // A USB controller that QEMU added by itself would collide with those of the definition.
    buffer_puts(&b->text, ",usb=off");
    put_machine_features(b);
    put_machine_memory(b);
    put_flash(b);
    put_machine_platform(b);
    arg_close(b);
    build_accelerator(b);
    build_smm_memory(b);
}

// Processors that are there at the start; those marked hotpluggable are plugged in later over QMP.
static unsigned boot_vcpus(const struct builder *b, unsigned maximum)
{
    const struct xml_node *list = xml_child(b->domain, "vcpus");
    struct slice current = xml_attr_at(b->domain, "vcpu", "current");
    if (!list)
        return slice_present(current) ? (unsigned)number_of(current) : maximum;
    unsigned count = 0;
    XML_EACH (vcpu, list, "vcpu")
        if (is_on(xml_attr(vcpu, "enabled")) && !is_on(xml_attr(vcpu, "hotpluggable")))
            count++;
    return count;
}

void build_smp(struct builder *b)
{
    const struct xml_node *topology = xml_find(b->domain, "cpu/topology");
    unsigned maximum = (unsigned)number_of(xml_text_at(b->domain, "vcpu"));
    unsigned current = boot_vcpus(b, maximum);
    const struct qemu_machine *machine =
        qemu_capabilities_machine(b->capabilities, xml_attr_at(b->os, "type", "machine"));
    if (machine && machine->max_cpus && maximum > machine->max_cpus)
        unsupported(b, "Maximum CPUs greater than specified machine type limit %u",
                    machine->max_cpus);
    arg(b, "-smp");
    arg_open(b);
    buffer_printf(&b->text, "%u", current);
    if (current != maximum)
        buffer_printf(&b->text, ",maxcpus=%u", maximum);
    if (topology) {
        put_option(b, "sockets", xml_attr(topology, "sockets"));
        put_option(b, "dies", xml_attr(topology, "dies"));
        if (number_of(xml_attr(topology, "clusters")) > 1)
            put_option(b, "clusters", xml_attr(topology, "clusters"));
        put_option(b, "cores", xml_attr(topology, "cores"));
        put_option(b, "threads", xml_attr(topology, "threads"));
    } else {
        buffer_printf(&b->text, ",sockets=%u,cores=1,threads=1", maximum);
    }
    arg_close(b);
}

// The date of a time given in seconds since 1970 (Howard Hinnant's days-to-civil algorithm).
static void put_date(struct builder *b, int64_t seconds)
{
    int64_t days = seconds / 86400, rest = seconds % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_index = (5 * day_of_year + 2) / 153;
    int64_t month = month_index < 10 ? month_index + 3 : month_index - 9;
    buffer_printf(&b->text, "%04d-%02d-%02dT%02d:%02d:%02d",
                  (int)(year_of_era + era * 400 + (month <= 2)), (int)month,
                  (int)(day_of_year - (153 * month_index + 2) / 5 + 1), (int)(rest / 3600),
                  (int)(rest / 60 % 60), (int)(rest % 60));
}

static void put_clock_base(struct builder *b, const struct xml_node *clock)
{
    struct slice offset = xml_attr(clock, "offset");
    int64_t seconds = 0;
    buffer_puts(&b->text, "base=");
    if (!clock || slice_is(offset, "utc")) {
        buffer_puts(&b->text, "utc");
    } else if (slice_is(offset, "localtime") || slice_is(offset, "timezone")) {
        buffer_puts(&b->text, "localtime");
    } else if (slice_is(offset, "variable")) {
        slice_i64(xml_attr(clock, "adjustment"), 10, &seconds);
        put_date(b, b->context->now + seconds);
    } else if (slice_is(offset, "absolute")) {
        slice_i64(xml_attr(clock, "start"), 10, &seconds);
        put_date(b, seconds);
    } else {
        unsupported(b, "unsupported clock offset '%.*s'", SLICE_ARG(offset));
    }
}

static void put_rtc_timer(struct builder *b)
{
    const struct xml_node *rtc = timer(b, "rtc");
    struct slice policy = xml_attr(rtc, "tickpolicy"), track = xml_attr(rtc, "track");
    if (slice_is(track, "guest"))
        buffer_puts(&b->text, ",clock=vm");
    else if (slice_is(track, "wall"))
        buffer_puts(&b->text, ",clock=host");
    else if (slice_is(track, "realtime"))
        buffer_puts(&b->text, ",clock=rt");
    else if (slice_is(track, "boot"))
        unsupported(b, "unsupported rtc timer track 'boot'");
    if (slice_is(policy, "catchup"))
        buffer_puts(&b->text, ",driftfix=slew");
    else if (slice_is(policy, "merge") || slice_is(policy, "discard"))
        unsupported(b, "unsupported rtc timer tickpolicy '%.*s'", SLICE_ARG(policy));
}

static void build_pit(struct builder *b)
{
    const struct xml_node *pit = timer(b, "pit");
    struct slice policy = xml_attr(pit, "tickpolicy");
    if (!pit || !is_x86(b))
        return;
    if (slice_is(policy, "merge"))
        unsupported(b, "unsupported pit tickpolicy '%.*s'", SLICE_ARG(policy));
    if (slice_is(policy, "catchup") || !builder_has(b, "kvm-pit"))
        return;
    arg(b, "-global");
    argf(b, "kvm-pit.lost_tick_policy=%s", slice_is(policy, "discard") ? "discard" : "delay");
}

void build_clock(struct builder *b)
{
    const struct xml_node *clock = xml_child(b->domain, "clock");
    arg(b, "-rtc");
    arg_open(b);
    put_clock_base(b, clock);
    put_rtc_timer(b);
    arg_close(b);
    if (xml_attr_is(clock, "offset", "timezone"))
        environment(b, SLICE("TZ"), "=", xml_attr(clock, "timezone"));
    build_pit(b);
    if (timer(b, "platform"))
        unsupported(b, "unsupported timer type (name) 'platform'");
}
