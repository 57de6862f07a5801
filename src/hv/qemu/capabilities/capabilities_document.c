// The document of virConnectGetCapabilities: the host, and a <guest> for each architecture.
#include "hv/qemu/capabilities/capabilities_document.h"

#include "hv/qemu/capabilities/capabilities_cache.h"
#include "hv/qemu/driver.h"
#include "virt/node/node.h"

static void write_machine(struct buffer *out, const struct qemu_machine *machine)
{
    const char *deprecated = machine->deprecated ? " deprecated='yes'" : "";
    buffer_printf(out, "      <machine maxCpus='%u'%s>%.*s</machine>\n",
                  (unsigned)machine->max_cpus, deprecated, SLICE_ARG(machine->name));
    if (slice_present(machine->alias))
        buffer_printf(out, "      <machine canonical='%.*s' maxCpus='%u'%s>%.*s</machine>\n",
                      SLICE_ARG(machine->name), (unsigned)machine->max_cpus, deprecated,
                      SLICE_ARG(machine->alias));
}

static void write_features(struct buffer *out, struct slice arch)
{
    bool x86 = slice_is(arch, "i686") || slice_is(arch, "x86_64");
    buffer_puts(out, "    <features>\n");
    if (slice_is(arch, "i686"))
        buffer_puts(out, "      <pae/>\n      <nonpae/>\n");
    if (x86 || slice_is(arch, "aarch64"))
        buffer_puts(out, "      <acpi default='on' toggle='yes'/>\n");
    if (x86)
        buffer_puts(out, "      <apic default='on' toggle='no'/>\n");
    buffer_puts(out, "      <cpuselection/>\n"
                     "      <deviceboot/>\n"
                     "      <disksnapshot default='on' toggle='no'/>\n"
                     "    </features>\n");
}

static void write_guest(struct buffer *out, const struct qemu_emulator *emulator,
                        const struct qemu_capabilities *c)
{
    buffer_printf(out,
                  "  <guest>\n"
                  "    <os_type>hvm</os_type>\n"
                  "    <arch name='%s'>\n"
                  "      <wordsize>%u</wordsize>\n"
                  "      <emulator>%s</emulator>\n",
                  emulator->arch, emulator->word_size, emulator->path);
    const struct qemu_machine *first = qemu_capabilities_machine(c, SLICE_NONE);
    if (first)
        write_machine(out, first);
    for (size_t i = 0; i < c->machine_count; i++)
        if (&c->machines[i] != first)
            write_machine(out, &c->machines[i]);
    buffer_puts(out, "      <domain type='qemu'/>\n");
    if (c->kvm)
        buffer_puts(out, "      <domain type='kvm'/>\n");
    buffer_puts(out, "    </arch>\n");
    write_features(out, slice_of(emulator->arch));
    buffer_puts(out, "  </guest>\n\n");
}

void qemu_capabilities_document(struct buffer *out, struct error *err)
{
    struct node_security security = {
        .dac = qemu_driver.privileged,
        .uid = qemu_driver.uid,
        .gid = qemu_driver.gid,
    };
    buffer_puts(out, "<capabilities>\n\n");
    if (!node_capabilities_host(out, &security, err))
        return;
    for (const struct qemu_emulator *emulator = qemu_emulators; emulator->arch; emulator++) {
        const struct qemu_capabilities *c =
            qemu_emulator_installed(emulator) ? qemu_cache_get(emulator->path) : NULL;
        if (c)
            write_guest(out, emulator, c);
    }
    buffer_puts(out, "</capabilities>\n");
}
