// What an emulator can do: lookups, and the text of the cache file.
#include "core/words.h"
#include "core/assert.h"
#include "hv/qemu/capabilities/capabilities.h"

#include <string.h>

#define FORMAT "nanovirt-qemu-1"

// Everything that is asked for by name: devices and object types as they are called, command line
// options with their '-', QMP commands. A name's place is its bit, in this process and no further:
// the cache file holds names.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
static const char fact_names[] =
    // options and commands
    "-sandbox\0"
    "-spice\0"
    "-vnc\0"
    "set-action\0"
    "query-hotpluggable-cpus\0"
    "query-gic-capabilities\0"
    "query-sev-capabilities\0"
    "query-sgx-capabilities\0"
    "object-add\0"
    "blockdev-reopen\0"
    "query-cpu-model-expansion\0"
    "x-query-virtio\0"
    "query-vnc\0"
    "display-egl-headless\0"
    "hv-relaxed\0"
    "hv-vapic\0"
    "hv-vpindex\0"
    "hv-runtime\0"
    "hv-synic\0"
    "hv-stimer\0"
    "hv-reset\0"
    "hv-frequencies\0"
    "hv-reenlightenment\0"
    "hv-tlbflush\0"
    "hv-ipi\0"
    "hv-evmcs\0"
    "hv-avic\0"
    // objects
    "memory-backend-file\0"
    "memory-backend-ram\0"
    "memory-backend-memfd\0"
    "memory-backend-epc\0"
    "rng-random\0"
    "rng-egd\0"
    "rng-builtin\0"
    "sev-guest\0"
    "tpm-emulator\0"
    "tpm-passthrough\0"
    "iothread\0"
    "cryptodev-backend-builtin\0"
    "cryptodev-backend-lkcf\0"
    "dbus-vmstate\0"
    "input-linux\0"
    "secret\0"
    "tls-creds-x509\0"
    "throttle-group\0"
    "kvm-pit\0"
    "chardev-spicevmc\0"
    "chardev-qemu-vdagent\0"
    "chardev-dbus\0"
    "s390-pv-guest\0"
    // video
    "VGA\0"
    "cirrus-vga\0"
    "vmware-svga\0"
    "qxl\0"
    "qxl-vga\0"
    "virtio-vga\0"
    "virtio-vga-gl\0"
    "virtio-gpu-pci\0"
    "virtio-gpu-gl-pci\0"
    "virtio-gpu-device\0"
    "bochs-display\0"
    "ramfb\0"
    "vhost-user-gpu\0"
    "vhost-user-vga\0"
    // buses
    "piix3-usb-uhci\0"
    "piix4-usb-uhci\0"
    "usb-ehci\0"
    "ich9-usb-ehci1\0"
    "ich9-usb-uhci1\0"
    "ich9-usb-uhci2\0"
    "ich9-usb-uhci3\0"
    "vt82c686b-usb-uhci\0"
    "pci-ohci\0"
    "nec-usb-xhci\0"
    "qemu-xhci\0"
    "usb-hub\0"
    "usb-ccid\0"
    "ahci\0"
    "ich9-ahci\0"
    "piix3-ide\0"
    "lsi\0"
    "megasas\0"
    "mptsas1068\0"
    "pvscsi\0"
    "am53c974\0"
    "dc-390\0"
    "virtio-scsi-pci\0"
    "virtio-scsi-device\0"
    "virtio-serial-pci\0"
    "virtio-serial-device\0"
    "pci-bridge\0"
    "i82801b11-bridge\0"
    "ioh3420\0"
    "pcie-root-port\0"
    "pcie-pci-bridge\0"
    "x3130-upstream\0"
    "xio3130-downstream\0"
    "pxb\0"
    "pxb-pcie\0"
    "i440FX-pcihost\0"
    "q35-pcihost\0"
    "gpex-pcihost\0"
    "intel-iommu\0"
    "virtio-iommu-pci\0"
    "isa-fdc\0"
    // storage
    "ide-hd\0"
    "ide-cd\0"
    "scsi-hd\0"
    "scsi-cd\0"
    "scsi-block\0"
    "scsi-generic\0"
    "virtio-blk-pci\0"
    "virtio-blk-device\0"
    "virtio-blk-pci-transitional\0"
    "virtio-blk-pci-non-transitional\0"
    "usb-storage\0"
    "floppy\0"
    "sd-card\0"
    "nvme\0"
    "vhost-scsi\0"
    "vhost-user-blk\0"
    // network
    "virtio-net-pci\0"
    "virtio-net-device\0"
    "e1000\0"
    "e1000e\0"
    "rtl8139\0"
    "lsi53c895a\0"
    "ne2k_pci\0"
    "pcnet\0"
    "i82551\0"
    "i82557b\0"
    "i82559er\0"
    "vmxnet3\0"
    "igb\0"
    "usb-net\0"
    "tulip\0"
    // characters, input, sound
    "isa-serial\0"
    "pci-serial\0"
    "usb-serial\0"
    "isa-debugcon\0"
    "pl011\0"
    "virtconsole\0"
    "virtserialport\0"
    "isa-parallel\0"
    "usb-kbd\0"
    "usb-mouse\0"
    "usb-tablet\0"
    "virtio-keyboard-pci\0"
    "virtio-mouse-pci\0"
    "virtio-tablet-pci\0"
    "virtio-input-host-pci\0"
    "intel-hda\0"
    "ich9-intel-hda\0"
    "hda-duplex\0"
    "hda-micro\0"
    "hda-output\0"
    "AC97\0"
    "ES1370\0"
    "sb16\0"
    "usb-audio\0"
    "usb-redir\0"
    "usb-host\0"
    "ccid-card-emulated\0"
    "ccid-card-passthru\0"
    // the rest
    "virtio-rng-pci\0"
    "virtio-rng-device\0"
    "virtio-balloon-pci\0"
    "virtio-balloon-device\0"
    "i6300esb\0"
    "ib700\0"
    "diag288\0"
    "pvpanic\0"
    "pvpanic-pci\0"
    "vmcoreinfo\0"
    "vmgenid\0"
    "vfio-pci\0"
    "vfio-ap\0"
    "vfio-ccw\0"
    "virtio-9p-pci\0"
    "virtio-9p-device\0"
    "vhost-user-fs-pci\0"
    "vhost-user-fs-device\0"
    "vhost-vsock-pci\0"
    "vhost-vsock-device\0"
    "virtio-crypto-pci\0"
    "virtio-mem-pci\0"
    "virtio-pmem-pci\0"
    "nvdimm\0"
    "pc-dimm\0"
    "tpm-tis\0"
    "tpm-crb\0"
    "tpm-tis-device\0"
    "tpm-spapr\0"
    "hyperv-testdev\0"
    "ivshmem-plain\0"
    "ivshmem-doorbell\0";
#pragma GCC diagnostic pop

bool qemu_capabilities_have(const struct qemu_capabilities *capabilities, const char *name)
{
    int i = words_index(fact_names, slice_of(name));
    return i >= 0 && (capabilities->facts[i / 8] >> (i % 8) & 1);
}

void qemu_capabilities_learn(struct qemu_capabilities *capabilities, struct slice name)
{
    int i = words_index(fact_names, name);
    assert(i < QEMU_FACTS_MAX);
    if (i >= 0)
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
    for (WORDS_EACH(name, fact_names))
        if (qemu_capabilities_have(c, name))
            buffer_printf(out, "have %s\n", name);
    for (size_t i = 0; i < c->machine_count; i++)
        write_machine(out, &c->machines[i]);
    for (size_t i = 0; i < c->model_count; i++)
        write_model(out, &c->models[i]);
    buffer_puts(out, "end\n");
}
