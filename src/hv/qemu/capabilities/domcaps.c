// Domain capabilities: what a machine of an emulator offers to definitions.
#include "hv/qemu/capabilities/capabilities_document.h"
#include "hv/qemu/capabilities/capabilities_lookup.h"
#include "hv/qemu/capabilities/firmware.h"
#include "hv/qemu/capabilities/host_model.h"

#include <string.h>

// What the document is about.
struct subject {
    const struct qemu_capabilities *c;
    const struct qemu_machine *machine;
    struct slice arch;
    bool kvm, x86, arm_virt, i440fx;
    enum qemu_accelerator accelerator;
};

static bool has(const struct subject *s, const char *fact)
{
    return qemu_capabilities_have(s->c, fact);
}

// ---- enumerations

static void open_enum(struct buffer *out, unsigned indent, const char *name)
{
    buffer_printf(out, "%*s<enum name='%s'>\n", (int)indent, "", name);
}

static void put_value(struct buffer *out, unsigned indent, const char *value)
{
    buffer_printf(out, "%*s<value>%s</value>\n", (int)indent, "", value);
}

static void close_enum(struct buffer *out, unsigned indent)
{
    buffer_printf(out, "%*s</enum>\n", (int)indent, "");
}

// A value of an enumeration, and what the emulator must have for it; NULL: nothing.
struct choice {
    const char *value, *needs;
};

static void put_enum(struct buffer *out, const struct subject *s, unsigned indent, const char *name,
                     const struct choice *choices)
{
    bool any = false;
    for (const struct choice *choice = choices; choice->value; choice++) {
        if (choice->needs && !has(s, choice->needs))
            continue;
        if (!any)
            open_enum(out, indent, name);
        any = true;
        put_value(out, indent + 2, choice->value);
    }
    if (any)
        close_enum(out, indent);
    else
        buffer_printf(out, "%*s<enum name='%s'/>\n", (int)indent, "", name);
}

// ---- os

static void put_old_loaders(struct buffer *out)
{
    static const char *const paths[] = {
        "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_CODE.secboot.fd",
        "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF32_CODE.fd",
        "/usr/share/OVMF/OVMF_CODE.ms.fd"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (port_access(paths[i], PORT_OPEN_READ) == 0)
            put_value(out, 6, paths[i]);
}

struct loaders {
    bool uefi, bios, secure;
    unsigned count;
    char text[4096]; // the <value> elements
};

static bool is_listed(const struct buffer *list, struct slice path)
{
    char value[PORT_PATH_MAX + 32];
    struct buffer text = buffer_over(value, sizeof(value));
    buffer_printf(&text, "<value>%.*s</value>", SLICE_ARG(path));
    return slice_contains(buffer_slice(list), value);
}

static void find_loaders(const struct subject *s, struct loaders *to)
{
    static struct qemu_firmware_walk walk;
    struct qemu_firmware_description firmware;
    struct buffer list = buffer_over(to->text, sizeof(to->text));
    to->uefi = to->bios = to->secure = false;
    to->count = 0;
    qemu_firmware_begin(&walk, "");
    while (qemu_firmware_next(&walk, &firmware)) {
        char path[PORT_PATH_MAX];
        if (!qemu_firmware_fits(&firmware, s->arch, s->machine->name))
            continue;
        to->uefi = to->uefi || firmware.uefi;
        to->bios = to->bios || firmware.bios;
        to->secure = to->secure || firmware.requires_smm;
        to->count++;
        if (slice_copy(path, sizeof(path), firmware.loader) &&
            port_access(path, PORT_OPEN_READ) == 0 && !is_listed(&list, firmware.loader))
            put_value(&list, 6, path);
    }
}

static void put_os(struct buffer *out, const struct subject *s)
{
    static struct loaders loaders;
    find_loaders(s, &loaders);
    const struct choice firmware[] = {{loaders.bios   ? "bios"
                                       : loaders.uefi ? "efi"
                                                      : NULL,
                                       NULL},
                                      {loaders.bios && loaders.uefi ? "efi" : NULL, NULL},
                                      {NULL, NULL}};
    static const struct choice types[] = {{"rom", NULL}, {"pflash", NULL}, {NULL, NULL}};
    static const struct choice read_only[] = {{"yes", NULL}, {"no", NULL}, {NULL, NULL}};
    buffer_puts(out, "  <os supported='yes'>\n");
    put_enum(out, s, 4, "firmware", firmware);
    buffer_puts(out, "    <loader supported='yes'>\n");
    if (loaders.count)
        buffer_puts(out, loaders.text);
    else
        put_old_loaders(out);
    put_enum(out, s, 6, "type", types);
    put_enum(out, s, 6, "readonly", read_only);
    put_enum(out, s, 6, "secure", loaders.secure ? read_only : read_only + 1);
    buffer_puts(out, "    </loader>\n  </os>\n");
}

// ---- cpu

static void put_migratable(struct buffer *out, const char *name, bool can)
{
    open_enum(out, 6, name);
    if (can)
        put_value(out, 8, "on");
    put_value(out, 8, "off");
    close_enum(out, 6);
}

static void put_mode(struct buffer *out, const char *name, bool supported)
{
    buffer_printf(out, "    <mode name='%s' supported='%s'%s>\n", name, supported ? "yes" : "no",
                  supported ? "" : "/");
}

static void put_policies(struct buffer *out, const struct cpu_x86_set *set, const char *policy)
{
    for (unsigned i = 0; i < CPU_X86_FEATURES; i++)
        if (cpu_x86_set_has(set, i))
            buffer_printf(out, "      <feature policy='%s' name='%s'/>\n", policy,
                          cpu_x86_features[i].name);
}

static void put_host_model(struct buffer *out, const struct subject *s)
{
    struct qemu_host_model host;
    if (!s->x86 || !qemu_host_model_find(&host, s->c, s->accelerator)) {
        put_mode(out, "host-model", false);
        return;
    }
    put_mode(out, "host-model", true);
    buffer_printf(out, "      <model fallback='forbid'>%s</model>\n", host.description.model->name);
    if (host.vendor)
        buffer_printf(out, "      <vendor>%s</vendor>\n", host.vendor);
    put_policies(out, &host.description.with, "require");
    put_policies(out, &host.description.without, "disable");
    buffer_puts(out, "    </mode>\n");
}

static void put_model(struct buffer *out, const struct subject *s,
                      const struct qemu_cpu_model *model)
{
    static const char *const usable[] = {"unknown", "yes", "no"};
    const char *vendor = "unknown";
    int known = s->x86 ? cpu_x86_model_find(model->name) : -1;
    if (slice_is(model->name, "host") || (s->x86 && known < 0))
        return;
    if (known >= 0 && cpu_x86_models[known].vendor >= 0)
        vendor = cpu_x86_vendors[cpu_x86_models[known].vendor].name;
    buffer_printf(out, "      <model usable='%s' vendor='%s'%s>%.*s</model>\n",
                  usable[model->usable[s->accelerator]], vendor,
                  model->deprecated ? " deprecated='yes'" : "", SLICE_ARG(model->name));
}

static void put_cpu(struct buffer *out, const struct subject *s)
{
    bool native = s->kvm && (slice_equal(s->arch, qemu_host_arch()) || s->x86);
    buffer_puts(out, "  <cpu>\n");
    put_mode(out, "host-passthrough", native);
    if (native) {
        put_migratable(out, "hostPassthroughMigratable", s->c->cpu_migratable);
        buffer_puts(out, "    </mode>\n");
    }
    put_mode(out, "maximum", true);
    put_migratable(out, "maximumMigratable", true);
    buffer_puts(out, "    </mode>\n");
    put_host_model(out, s);
    put_mode(out, "custom", true);
    for (size_t i = 0; i < s->c->model_count; i++)
        put_model(out, s, &s->c->models[i]);
    buffer_puts(out, "    </mode>\n  </cpu>\n");
}

// ---- devices: an element with its enumerations

#define TRANSITIONAL "virtio-blk-pci-transitional"

static const struct choice memory_sources[] = {
    {"file", NULL}, {"anonymous", NULL}, {"memfd", "memory-backend-memfd"}, {NULL, NULL}};
static const struct choice disk_devices[] = {
    {"disk", NULL}, {"cdrom", NULL}, {"floppy", NULL}, {"lun", NULL}, {NULL, NULL}};
static const struct choice disk_buses[] = {
    {"ide", NULL},          {"fdc", NULL},         {"scsi", NULL}, {"virtio", NULL},
    {"usb", "usb-storage"}, {"sata", "ich9-ahci"}, {NULL, NULL}};
static const struct choice virtio_models[] = {{"virtio", NULL},
                                              {"virtio-transitional", TRANSITIONAL},
                                              {"virtio-non-transitional", TRANSITIONAL},
                                              {NULL, NULL}};
static const struct choice redirdev_buses[] = {{"usb", NULL}, {NULL, NULL}};
static const struct choice graphics_types[] = {{"vnc", "query-vnc"},
                                               {"spice", "-spice"},
                                               {"egl-headless", "display-egl-headless"},
                                               {NULL, NULL}};
static const struct choice video_models[] = {{"vga", "VGA"},
                                             {"cirrus", "cirrus-vga"},
                                             {"vmvga", "vmware-svga"},
                                             {"qxl", "qxl"},
                                             {"virtio", "virtio-gpu-pci"},
                                             {"none", NULL},
                                             {"bochs", "bochs-display"},
                                             {"ramfb", "ramfb"},
                                             {NULL, NULL}};
static const struct choice rng_backends[] = {
    {"random", "rng-random"}, {"egd", "rng-egd"}, {"builtin", "rng-builtin"}, {NULL, NULL}};
static const struct choice channel_types[] = {
    {"pty", NULL}, {"unix", NULL}, {"spicevmc", "-spice"}, {NULL, NULL}};
static const struct choice gic_2[] = {{"2", NULL}, {NULL, NULL}};
static const struct choice gic_3[] = {{"3", NULL}, {NULL, NULL}};
static const struct choice gic_both[] = {{"2", NULL}, {"3", NULL}, {NULL, NULL}};

static void open_device(struct buffer *out, const char *name)
{
    buffer_printf(out, "    <%s supported='yes'>\n", name);
}

static void close_device(struct buffer *out, const char *name)
{
    buffer_printf(out, "    </%s>\n", name);
}

static void put_devices(struct buffer *out, const struct subject *s)
{
    buffer_puts(out, "  <memoryBacking supported='yes'>\n");
    put_enum(out, s, 4, "sourceType", memory_sources);
    buffer_puts(out, "  </memoryBacking>\n  <devices>\n");
    open_device(out, "disk");
    put_enum(out, s, 6, "diskDevice", disk_devices);
    put_enum(out, s, 6, "bus", s->i440fx ? disk_buses : disk_buses + 1);
    put_enum(out, s, 6, "model", virtio_models);
    close_device(out, "disk");
    open_device(out, "graphics");
    put_enum(out, s, 6, "type", graphics_types);
    close_device(out, "graphics");
    open_device(out, "video");
    put_enum(out, s, 6, "modelType", video_models);
    close_device(out, "video");
    // What the command line refuses is not promised here: devices of the host, shared directories
    // and TPMs.
    buffer_puts(out, "    <hostdev supported='no'/>\n");
    open_device(out, "rng");
    put_enum(out, s, 6, "model", virtio_models);
    put_enum(out, s, 6, "backendModel", rng_backends);
    close_device(out, "rng");
    buffer_puts(out, "    <filesystem supported='no'/>\n"
                     "    <tpm supported='no'/>\n");
    if (has(s, "usb-redir")) {
        open_device(out, "redirdev");
        put_enum(out, s, 6, "bus", redirdev_buses);
        close_device(out, "redirdev");
    } else {
        buffer_puts(out, "    <redirdev supported='no'/>\n");
    }
    open_device(out, "channel");
    put_enum(out, s, 6, "type", channel_types);
    close_device(out, "channel");
    buffer_puts(out, "  </devices>\n");
}

// ---- features

static void put_gic(struct buffer *out, const struct subject *s)
{
    unsigned versions = s->arm_virt ? s->c->gic[s->accelerator] >> 2 & 3 : 0;
    if (!versions) {
        buffer_puts(out, "    <gic supported='no'/>\n");
        return;
    }
    buffer_puts(out, "    <gic supported='yes'>\n");
    put_enum(out, s, 6, "version", versions == 3 ? gic_both : versions == 1 ? gic_2 : gic_3);
    buffer_puts(out, "    </gic>\n");
}

static void put_hyperv(struct buffer *out, const struct subject *s)
{
    static const struct choice features[] = {
        {"relaxed", "hv-relaxed"},
        {"vapic", "hv-vapic"},
        {"spinlocks", NULL},
        {"vpindex", "hv-vpindex"},
        {"runtime", "hv-runtime"},
        {"synic", "hv-synic"},
        {"stimer", "hv-stimer"},
        {"reset", "hv-reset"},
        {"vendor_id", NULL},
        {"frequencies", "hv-frequencies"},
        {"reenlightenment", "hv-reenlightenment"},
        {"tlbflush", "hv-tlbflush"},
        {"ipi", "hv-ipi"},
        {"evmcs", "hv-evmcs"},
        {"avic", "hv-avic"},
        {NULL, NULL},
    };
    if (!s->x86 || !s->c->kvm)
        return;
    buffer_puts(out, "    <hyperv supported='yes'>\n");
    put_enum(out, s, 6, "features", features);
    buffer_puts(out, "    </hyperv>\n");
}

static void put_features(struct buffer *out, const struct subject *s)
{
    buffer_puts(out, "  <features>\n");
    put_gic(out, s);
    buffer_printf(out, "    <vmcoreinfo supported='%s'/>\n", has(s, "vmcoreinfo") ? "yes" : "no");
    buffer_printf(out, "    <genid supported='%s'/>\n", has(s, "vmgenid") ? "yes" : "no");
    buffer_puts(out, "    <backingStoreInput supported='yes'/>\n"
                     "    <backup supported='yes'/>\n"
                     "    <sev supported='no'/>\n"
                     "    <sgx supported='no'/>\n");
    put_hyperv(out, s);
    buffer_puts(out, "  </features>\n");
}

// ---- which document

static bool is_one_of(struct slice name, const char *const *names)
{
    for (; *names; names++)
        if (slice_is(name, *names))
            return true;
    return false;
}

static bool check_words(struct slice arch, struct slice virt_type, struct error *err)
{
    static const char *const types[] = {"qemu",      "kqemu", "kvm",    "xen",    "lxc",  "uml",
                                        "openvz",    "test",  "vmware", "hyperv", "vbox", "phyp",
                                        "parallels", "bhyve", "vz",     "hvf",    NULL};
    static const char *const arches[] = {
        "alpha",    "armv6l",   "armv7l",   "armv7b",     "aarch64",      "cris",   "i686",
        "ia64",     "lm32",     "m68k",     "microblaze", "microblazeel", "mips",   "mipsel",
        "mips64",   "mips64el", "openrisc", "parisc",     "parisc64",     "ppc",    "ppcle",
        "ppc64",    "ppc64le",  "ppcemb",   "riscv32",    "riscv64",      "s390",   "s390x",
        "sh4",      "sh4eb",    "sparc",    "sparc64",    "unicore32",    "x86_64", "xtensa",
        "xtensaeb", NULL};
    if (slice_present(virt_type) && !is_one_of(virt_type, types))
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "unknown virttype: %.*s",
                         SLICE_ARG(virt_type));
    if (slice_present(arch) && !is_one_of(arch, arches))
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "unknown architecture: %.*s",
                         SLICE_ARG(arch));
    return true;
}

static const char *family_of(struct slice arch)
{
    return slice_is(arch, "x86_64") || slice_is(arch, "i686")       ? "x86"
           : slice_starts(arch, "arm") || slice_is(arch, "aarch64") ? "arm"
                                                                    : "other";
}

static bool find_emulator(struct subject *s, struct slice binary, struct error *err)
{
    char path[PORT_PATH_MAX];
    const struct qemu_emulator *emulator = qemu_emulator_for(s->arch);
    if (!slice_present(binary) && !emulator)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "unable to find any emulator to serve '%.*s' architecture",
                         SLICE_ARG(s->arch));
    if (!slice_copy(path, sizeof(path), slice_present(binary) ? binary : slice_of(emulator->path)))
        path[0] = '\0';
    s->c = qemu_cache_get(path);
    if (!s->c)
        return qemu_cache_refuse(path, err);
    if (!slice_equal(s->c->arch, s->arch) && strcmp(family_of(s->c->arch), family_of(s->arch)) != 0)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                         "architecture from emulator '%.*s' doesn't match given architecture "
                         "'%.*s'",
                         SLICE_ARG(s->c->arch), SLICE_ARG(s->arch));
    return true;
}

static bool find_virt_type(struct subject *s, struct slice virt_type, struct error *err)
{
    s->kvm = slice_present(virt_type) ? slice_is(virt_type, "kvm") : s->c->kvm;
    s->accelerator = s->kvm ? QEMU_KVM : QEMU_TCG;
    if (s->kvm && !s->c->kvm)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                         "the accel 'kvm' is not supported by '%.*s' on this host",
                         SLICE_ARG(s->c->emulator));
    if (slice_present(virt_type) && !slice_is(virt_type, "kvm") && !slice_is(virt_type, "qemu"))
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                         "Emulator '%.*s' does not support virt type '%.*s'",
                         SLICE_ARG(s->c->emulator), SLICE_ARG(virt_type));
    return true;
}

static bool find_machine(struct subject *s, struct slice name, struct error *err)
{
    s->machine = qemu_capabilities_machine(s->c, name);
    if (!s->machine)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                         "the machine '%.*s' is not supported by emulator '%.*s'", SLICE_ARG(name),
                         SLICE_ARG(s->c->emulator));
    s->x86 = strcmp(family_of(s->arch), "x86") == 0;
    s->arm_virt = strcmp(family_of(s->arch), "arm") == 0 && slice_starts(s->machine->name, "virt");
    s->i440fx = s->x86 && slice_starts(s->machine->name, "pc-i440fx");
    return true;
}

bool qemu_domain_capabilities_write(struct buffer *out, struct slice emulator, struct slice arch,
                                    struct slice machine, struct slice virt_type, struct error *err)
{
    struct subject s = {.arch = slice_present(arch) ? arch : qemu_host_arch()};
    if (!check_words(arch, virt_type, err) || !find_emulator(&s, emulator, err) ||
        !find_virt_type(&s, virt_type, err) || !find_machine(&s, machine, err))
        return false;
    buffer_printf(out,
                  "<domainCapabilities>\n"
                  "  <path>%.*s</path>\n"
                  "  <domain>%s</domain>\n"
                  "  <machine>%.*s</machine>\n"
                  "  <arch>%.*s</arch>\n"
                  "  <vcpu max='%u'/>\n"
                  "  <iothreads supported='%s'/>\n",
                  SLICE_ARG(s.c->emulator), s.kvm ? "kvm" : "qemu", SLICE_ARG(s.machine->name),
                  SLICE_ARG(s.arch), (unsigned)s.machine->max_cpus,
                  has(&s, "iothread") ? "yes" : "no");
    put_os(out, &s);
    put_cpu(out, &s);
    put_devices(out, &s);
    put_features(out, &s);
    buffer_puts(out, "</domainCapabilities>\n");
    return true;
}
