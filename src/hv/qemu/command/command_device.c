// The small devices: random numbers, balloon, watchdog, panic, vsock; and what is refused.
#include "hv/qemu/command/command_parts.h"

#include <string.h>

void build_watchdogs(struct builder *b)
{
    static const char *const models[] = {"i6300esb", "ib700", "diag288"};
    struct slice action = SLICE_NONE;
    XML_EACH (watchdog, b->devices, "watchdog") {
        struct slice model = xml_attr(watchdog, "model");
        action = xml_attr(watchdog, "action");
        if (slice_is(model, "itco")) {
            // The q35's own: it only has to be let off its leash.
            arg_pair(b, "-global", "ICH9-LPC.noreboot=off");
            continue;
        }
        const char *driver = NULL;
        for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
            if (slice_is(model, models[i]) && builder_has(b, models[i]))
                driver = models[i];
        if (!driver) {
            unsupported(b, "watchdog model '%.*s' is not supported by this QEMU binary",
                        SLICE_ARG(model));
            continue;
        }
        device_open(b, driver);
        put_alias(b, watchdog);
        put_address(b, watchdog);
        json_arg_close(b);
    }
    if (!xml_child(b->devices, "watchdog"))
        return;
    arg(b, "-watchdog-action");
    // A dump is made by us, of a paused guest.
    arg_slice(b, slice_is(action, "dump") ? SLICE("pause")
                 : !slice_present(action) ? SLICE("reset")
                                          : action);
}

void build_memballoon(struct builder *b)
{
    const struct xml_node *balloon = xml_child(b->devices, "memballoon");
    struct slice model = xml_attr(balloon, "model");
    if (!balloon || slice_is(model, "none"))
        return;
    if (!slice_starts(model, "virtio")) {
        unsupported(b, "Memory balloon device type '%.*s' is not supported by this version of qemu",
                    SLICE_ARG(model));
        return;
    }
    virtio_open(b, "virtio-balloon", balloon, model);
    put_alias(b, balloon);
    put_switch(b, "deflate-on-oom", xml_attr(balloon, "autodeflate"));
    put_switch(b, "free-page-reporting", xml_attr(balloon, "freePageReporting"));
    put_address(b, balloon);
    json_arg_close(b);
}

static void open_rng_backend(struct builder *b, const char *type, const struct xml_node *rng)
{
    json_arg_open(b, "-object", "qom-type", type);
    json_putf(&b->json, "id", "obj%.*s", SLICE_ARG(device_alias(rng)));
}

static void build_rng_backend(struct builder *b, const struct xml_node *rng)
{
    const struct xml_node *backend = xml_child(rng, "backend");
    struct slice model = xml_attr(backend, "model");
    if (slice_is(model, "random")) {
        struct slice file = xml_text(backend);
        if (!slice_present(file) || file.len == 0)
            file = SLICE("/dev/urandom");
        open_rng_backend(b, "rng-random", rng);
        json_put_string(&b->json, "filename", file);
        json_arg_close(b);
        path_add(b, file, QEMU_PATH_READ, false);
    } else if (slice_is(model, "egd")) {
        build_chardev(b, backend, device_alias(rng));
        open_rng_backend(b, "rng-egd", rng);
        json_putf(&b->json, "chardev", "char%.*s", SLICE_ARG(device_alias(rng)));
        json_arg_close(b);
    } else if (slice_is(model, "builtin") && builder_has(b, "rng-builtin")) {
        open_rng_backend(b, "rng-builtin", rng);
        json_arg_close(b);
    } else {
        unsupported(b, "this qemu doesn't support the RNG device type '%.*s'", SLICE_ARG(model));
    }
}

void build_rngs(struct builder *b)
{
    XML_EACH (rng, b->devices, "rng") {
        struct slice bytes = xml_attr_at(rng, "rate", "bytes");
        struct slice period = xml_attr_at(rng, "rate", "period");
        build_rng_backend(b, rng);
        virtio_open(b, "virtio-rng", rng, xml_attr(rng, "model"));
        json_putf(&b->json, "rng", "obj%.*s", SLICE_ARG(device_alias(rng)));
        put_alias(b, rng);
        if (slice_present(bytes)) {
            put_number(b, "max-bytes", bytes);
            json_put_u64(&b->json, "period", slice_present(period) ? number_of(period) : 1000);
        }
        put_address(b, rng);
        json_arg_close(b);
    }
}

void build_vmcoreinfo(struct builder *b)
{
    if (!is_on(xml_attr_at(b->features, "vmcoreinfo", "state")))
        return;
    device_open(b, "vmcoreinfo");
    json_arg_close(b);
}

void build_vmgenid(struct builder *b)
{
    const struct xml_node *genid = xml_child(b->domain, "genid");
    if (!genid)
        return;
    device_open(b, "vmgenid");
    json_put_string(&b->json, "guid", xml_text(genid));
    json_puts(&b->json, "id", "vmgenid0");
    json_arg_close(b);
}

void build_panics(struct builder *b)
{
    XML_EACH (panic, b->devices, "panic") {
        struct slice model = xml_attr(panic, "model");
        if (slice_is(model, "hyperv"))
            continue; // a feature of the processor
        if (slice_is(model, "isa")) {
            device_open(b, "pvpanic");
            put_number(b, "ioport", xml_attr_at(panic, "address", "iobase"));
        } else if (slice_is(model, "pvpanic") && builder_has(b, "pvpanic-pci")) {
            device_open(b, "pvpanic-pci");
            put_address(b, panic);
        } else {
            unsupported(b, "the QEMU binary does not support the panic device '%.*s'",
                        SLICE_ARG(model));
            continue;
        }
        json_arg_close(b);
    }
}

void build_vsock(struct builder *b)
{
    if (xml_child(b->devices, "vsock"))
        unsupported(b, "vsock devices are not supported");
}

// Refused rather than left out: a guest must not run without what its definition promises.
void check_unsupported_devices(struct builder *b)
{
    static const struct {
        const char *path, *what;
    } refused[] = {
        {"devices/hostdev", "host device assignment"},
        {"devices/filesystem", "filesystem passthrough"},
        {"devices/tpm", "a TPM device"},
        {"devices/smartcard", "a smartcard device"},
        {"devices/redirfilter", "a filter of USB redirection"},
        {"devices/shmem", "shared memory devices"},
        {"devices/crypto", "crypto devices"},
        {"devices/nvram", "an NVRAM device"},
        {"devices/lease", "disk leases"},
        {"launchSecurity", "launch security"},
        {"keywrap", "key wrapping"},
        {"qemu:override", "overriding device properties"},
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (xml_find(b->domain, refused[i].path))
            unsupported(b, "%s is not supported by this QEMU driver", refused[i].what);
    struct slice machine = xml_attr_at(b->os, "type", "machine");
    if (b->capabilities->machine_count && !qemu_capabilities_machine(b->capabilities, machine))
        unsupported(b, "Emulator '%.*s' does not support machine type '%.*s'",
                    SLICE_ARG(xml_text_at(b->devices, "emulator")), SLICE_ARG(machine));
}
