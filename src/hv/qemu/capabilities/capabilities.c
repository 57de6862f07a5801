// What an emulator can do: lookups, and the text of the cache file.
#include "hv/qemu/capabilities/capabilities.h"

#include <assert.h>
#include <string.h>

#define FORMAT "nanovirt-qemu-1"

// Everything that is asked for by name: devices and object types as they are called, command line
// options with their '-', QMP commands. A name's place is its bit, in this process and no further:
// the cache file holds names.
static const char *const fact_names[] = {
    // options and commands
    "-sandbox",
    "-spice",
    "-vnc",
    "set-action",
    "query-hotpluggable-cpus",
    "query-gic-capabilities",
    "query-sev-capabilities",
    "query-sgx-capabilities",
    "object-add",
    "blockdev-reopen",
    "query-cpu-model-expansion",
    "x-query-virtio",
    "query-vnc",
    "display-egl-headless",
    "hv-relaxed",
    "hv-vapic",
    "hv-vpindex",
    "hv-runtime",
    "hv-synic",
    "hv-stimer",
    "hv-reset",
    "hv-frequencies",
    "hv-reenlightenment",
    "hv-tlbflush",
    "hv-ipi",
    "hv-evmcs",
    "hv-avic",
    // objects
    "memory-backend-file",
    "memory-backend-ram",
    "memory-backend-memfd",
    "memory-backend-epc",
    "rng-random",
    "rng-egd",
    "rng-builtin",
    "sev-guest",
    "tpm-emulator",
    "tpm-passthrough",
    "iothread",
    "cryptodev-backend-builtin",
    "cryptodev-backend-lkcf",
    "dbus-vmstate",
    "input-linux",
    "secret",
    "tls-creds-x509",
    "throttle-group",
    "kvm-pit",
    "chardev-spicevmc",
    "chardev-qemu-vdagent",
    "chardev-dbus",
    "s390-pv-guest",
    // video
    "VGA",
    "cirrus-vga",
    "vmware-svga",
    "qxl",
    "qxl-vga",
    "virtio-vga",
    "virtio-vga-gl",
    "virtio-gpu-pci",
    "virtio-gpu-gl-pci",
    "virtio-gpu-device",
    "bochs-display",
    "ramfb",
    "vhost-user-gpu",
    "vhost-user-vga",
    // buses
    "piix3-usb-uhci",
    "piix4-usb-uhci",
    "usb-ehci",
    "ich9-usb-ehci1",
    "ich9-usb-uhci1",
    "ich9-usb-uhci2",
    "ich9-usb-uhci3",
    "vt82c686b-usb-uhci",
    "pci-ohci",
    "nec-usb-xhci",
    "qemu-xhci",
    "usb-hub",
    "usb-ccid",
    "ahci",
    "ich9-ahci",
    "piix3-ide",
    "lsi",
    "megasas",
    "mptsas1068",
    "pvscsi",
    "am53c974",
    "dc-390",
    "virtio-scsi-pci",
    "virtio-scsi-device",
    "virtio-serial-pci",
    "virtio-serial-device",
    "pci-bridge",
    "i82801b11-bridge",
    "ioh3420",
    "pcie-root-port",
    "pcie-pci-bridge",
    "x3130-upstream",
    "xio3130-downstream",
    "pxb",
    "pxb-pcie",
    "i440FX-pcihost",
    "q35-pcihost",
    "gpex-pcihost",
    "intel-iommu",
    "virtio-iommu-pci",
    "isa-fdc",
    // storage
    "ide-hd",
    "ide-cd",
    "scsi-hd",
    "scsi-cd",
    "scsi-block",
    "scsi-generic",
    "virtio-blk-pci",
    "virtio-blk-device",
    "virtio-blk-pci-transitional",
    "virtio-blk-pci-non-transitional",
    "usb-storage",
    "floppy",
    "sd-card",
    "nvme",
    "vhost-scsi",
    "vhost-user-blk",
    // network
    "virtio-net-pci",
    "virtio-net-device",
    "e1000",
    "e1000e",
    "rtl8139",
    "lsi53c895a",
    "ne2k_pci",
    "pcnet",
    "i82551",
    "i82557b",
    "i82559er",
    "vmxnet3",
    "igb",
    "usb-net",
    "tulip",
    // characters, input, sound
    "isa-serial",
    "pci-serial",
    "usb-serial",
    "isa-debugcon",
    "pl011",
    "virtconsole",
    "virtserialport",
    "isa-parallel",
    "usb-kbd",
    "usb-mouse",
    "usb-tablet",
    "virtio-keyboard-pci",
    "virtio-mouse-pci",
    "virtio-tablet-pci",
    "virtio-input-host-pci",
    "intel-hda",
    "ich9-intel-hda",
    "hda-duplex",
    "hda-micro",
    "hda-output",
    "AC97",
    "ES1370",
    "sb16",
    "usb-audio",
    "usb-redir",
    "usb-host",
    "ccid-card-emulated",
    "ccid-card-passthru",
    // the rest
    "virtio-rng-pci",
    "virtio-rng-device",
    "virtio-balloon-pci",
    "virtio-balloon-device",
    "i6300esb",
    "ib700",
    "diag288",
    "pvpanic",
    "pvpanic-pci",
    "vmcoreinfo",
    "vmgenid",
    "vfio-pci",
    "vfio-ap",
    "vfio-ccw",
    "virtio-9p-pci",
    "virtio-9p-device",
    "vhost-user-fs-pci",
    "vhost-user-fs-device",
    "vhost-vsock-pci",
    "vhost-vsock-device",
    "virtio-crypto-pci",
    "virtio-mem-pci",
    "virtio-pmem-pci",
    "nvdimm",
    "pc-dimm",
    "tpm-tis",
    "tpm-crb",
    "tpm-tis-device",
    "tpm-spapr",
    "hyperv-testdev",
    "ivshmem-plain",
    "ivshmem-doorbell",
};

#define FACT_COUNT (sizeof(fact_names) / sizeof(fact_names[0]))
_Static_assert(FACT_COUNT <= QEMU_FACTS_MAX, "QEMU_FACTS_MAX is too small");

static size_t fact_index(struct slice name)
{
    size_t i = 0;
    while (i < FACT_COUNT && !slice_is(name, fact_names[i]))
        i++;
    return i;
}

bool qemu_capabilities_have(const struct qemu_capabilities *capabilities, const char *name)
{
    size_t i = fact_index(slice_of(name));
    return i < FACT_COUNT && (capabilities->facts[i / 8] >> (i % 8) & 1);
}

void qemu_capabilities_learn(struct qemu_capabilities *capabilities, struct slice name)
{
    size_t i = fact_index(name);
    if (i < FACT_COUNT)
        capabilities->facts[i / 8] |= (uint8_t)(1u << (i % 8));
}

const struct qemu_machine *qemu_capabilities_machine(const struct qemu_capabilities *capabilities,
                                                     struct slice name)
{
    for (size_t i = 0; i < capabilities->machine_count; i++) {
        const struct qemu_machine *machine = &capabilities->machines[i];
        if (slice_present(name)
                ? slice_equal(machine->name, name) || slice_equal(machine->alias, name)
                : machine->is_default)
            return machine;
    }
    return NULL;
}

const struct qemu_cpu_model *qemu_capabilities_model(const struct qemu_capabilities *capabilities,
                                                     struct slice name)
{
    for (size_t i = 0; i < capabilities->model_count; i++)
        if (slice_equal(capabilities->models[i].name, name))
            return &capabilities->models[i];
    return NULL;
}

// ---- the cache file: a line for each answer, words separated by blanks, "-" for an absent one

static struct slice word(struct slice *line)
{
    struct slice part = SLICE_NONE;
    slice_split(line, ' ', &part);
    return slice_is(part, "-") ? SLICE_NONE : part;
}

static uint32_t number(struct slice *line)
{
    uint32_t value = 0;
    slice_u32(word(line), 10, &value);
    return value;
}

static void read_emulator(struct qemu_capabilities *c, struct slice line)
{
    c->emulator = word(&line);
    c->size = 0;
    c->mtime_ns = 0;
    slice_u64(word(&line), 10, &c->size);
    slice_i64(word(&line), 10, &c->mtime_ns);
    slice_u64(word(&line), 10, &c->host_key);
}

static void read_arch(struct qemu_capabilities *c, struct slice line)
{
    c->arch = word(&line);
}

static void read_version(struct qemu_capabilities *c, struct slice line)
{
    c->version = number(&line);
}

static void read_package(struct qemu_capabilities *c, struct slice line)
{
    c->package = line;
}

static void read_kvm(struct qemu_capabilities *c, struct slice line)
{
    c->kvm = number(&line) != 0;
}

static void read_migratable(struct qemu_capabilities *c, struct slice line)
{
    c->cpu_migratable = number(&line) != 0;
}

static void read_gic(struct qemu_capabilities *c, struct slice line)
{
    c->gic[QEMU_TCG] = number(&line);
    c->gic[QEMU_KVM] = number(&line);
}

static void read_cpu(struct qemu_capabilities *c, struct slice line)
{
    bool kvm = slice_is(word(&line), "kvm");
    c->cpu[kvm ? QEMU_KVM : QEMU_TCG] = line;
}

static void read_have(struct qemu_capabilities *c, struct slice line)
{
    qemu_capabilities_learn(c, line);
}

static void read_machine(struct qemu_capabilities *c, struct slice line)
{
    if (c->machine_count == CONFIG_QEMU_MACHINES)
        return;
    struct qemu_machine *machine = &c->machines[c->machine_count++];
    *machine = (struct qemu_machine){.name = word(&line)};
    machine->alias = word(&line);
    machine->ram_id = word(&line);
    machine->default_cpu = word(&line);
    machine->max_cpus = number(&line);
    machine->is_default = number(&line) != 0;
    machine->hotplug_cpus = number(&line) != 0;
    machine->deprecated = number(&line) != 0;
    machine->numa_memory = number(&line) != 0;
}

static void read_model(struct qemu_capabilities *c, struct slice line)
{
    if (c->model_count == CONFIG_QEMU_CPU_MODELS)
        return;
    struct qemu_cpu_model *model = &c->models[c->model_count++];
    *model = (struct qemu_cpu_model){.name = word(&line)};
    model->usable[QEMU_TCG] = (enum qemu_usable)(number(&line) % 3);
    model->usable[QEMU_KVM] = (enum qemu_usable)(number(&line) % 3);
    model->deprecated = number(&line) != 0;
    model->blockers[QEMU_TCG] = word(&line);
    model->blockers[QEMU_KVM] = word(&line);
}

static const struct {
    const char *key;
    void (*read)(struct qemu_capabilities *c, struct slice line);
} lines[] = {
    {"emulator", read_emulator}, {"arch", read_arch},   {"version", read_version},
    {"package", read_package},   {"kvm", read_kvm},     {"migratable", read_migratable},
    {"gic", read_gic},           {"cpu", read_cpu},     {"have", read_have},
    {"machine", read_machine},   {"model", read_model},
};

bool qemu_capabilities_parse(struct qemu_capabilities *capabilities, struct slice text)
{
    struct qemu_capabilities *c = capabilities;
    memset(c, 0, offsetof(struct qemu_capabilities, text));
    if (text.len > sizeof(c->text))
        return false;
    memcpy(c->text, text.at, text.len);
    struct slice rest = {c->text, text.len}, line;
    if (!slice_split(&rest, '\n', &line) || !slice_is(line, FORMAT))
        return false;
    bool complete = false;
    while (slice_split(&rest, '\n', &line)) {
        complete = complete || slice_is(line, "end");
        struct slice key = word(&line);
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
            if (slice_is(key, lines[i].key))
                lines[i].read(c, line);
    }
    return complete;
}

static void put_word(struct buffer *out, struct slice value)
{
    buffer_printf(out, " %.*s", SLICE_ARG(slice_present(value) && value.len ? value : SLICE("-")));
}

static void write_machine(struct buffer *out, const struct qemu_machine *machine)
{
    buffer_puts(out, "machine");
    put_word(out, machine->name);
    put_word(out, machine->alias);
    put_word(out, machine->ram_id);
    put_word(out, machine->default_cpu);
    buffer_printf(out, " %u %d %d %d %d\n", (unsigned)machine->max_cpus, machine->is_default,
                  machine->hotplug_cpus, machine->deprecated, machine->numa_memory);
}

static void write_model(struct buffer *out, const struct qemu_cpu_model *model)
{
    buffer_puts(out, "model");
    put_word(out, model->name);
    buffer_printf(out, " %d %d %d", (int)model->usable[QEMU_TCG], (int)model->usable[QEMU_KVM],
                  model->deprecated);
    put_word(out, model->blockers[QEMU_TCG]);
    put_word(out, model->blockers[QEMU_KVM]);
    buffer_putc(out, '\n');
}

void qemu_capabilities_write(struct buffer *out, const struct qemu_capabilities *capabilities)
{
    const struct qemu_capabilities *c = capabilities;
    buffer_puts(out, FORMAT "\nemulator");
    put_word(out, c->emulator);
    buffer_printf(out, " %llu %lld %llu\narch", (unsigned long long)c->size, (long long)c->mtime_ns,
                  (unsigned long long)c->host_key);
    put_word(out, c->arch);
    buffer_printf(out, "\nversion %u\npackage %.*s\nkvm %d\nmigratable %d\ngic %u %u\n",
                  (unsigned)c->version, SLICE_ARG(c->package), c->kvm, c->cpu_migratable,
                  (unsigned)c->gic[QEMU_TCG], (unsigned)c->gic[QEMU_KVM]);
    for (unsigned i = 0; i < QEMU_ACCELERATORS; i++)
        if (slice_present(c->cpu[i]))
            buffer_printf(out, "cpu %s %.*s\n", i == QEMU_KVM ? "kvm" : "tcg",
                          SLICE_ARG(c->cpu[i]));
    for (size_t i = 0; i < FACT_COUNT; i++)
        if (qemu_capabilities_have(c, fact_names[i]))
            buffer_printf(out, "have %s\n", fact_names[i]);
    for (size_t i = 0; i < c->machine_count; i++)
        write_machine(out, &c->machines[i]);
    for (size_t i = 0; i < c->model_count; i++)
        write_model(out, &c->models[i]);
    buffer_puts(out, "end\n");
}
