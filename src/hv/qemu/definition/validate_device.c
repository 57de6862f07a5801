// What libvirt's QEMU driver refuses of devices other than disks.
#include "hv/qemu/definition/machine.h"

#include "virt/xml/domain_check.h"
#include "virt/xml/xml_value.h"

#include <string.h>

static bool has(const struct xml_node *node, const char *attr)
{
    return slice_present(xml_attr(node, attr));
}

static bool has_graphics(const struct domain_xml *x, const char *type)
{
    XML_EACH (graphics, x->devices, "graphics")
        if (xml_attr_is(graphics, "type", type))
            return true;
    return false;
}

// --- addresses

static bool only_bus_zero(struct domain_xml *x, const struct xml_node *address, const char *bus)
{
    bool target = domain_number(address, "target", 0) != 0;
    if (!strcmp(bus, "ide")) {
        if (domain_number(address, "controller", 0))
            return REFUSE_QEMU(x, INTERNAL_ERROR, "Only 1 IDE controller is supported");
        return !target || REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "target must be 0 for ide controller");
    }
    if (!strcmp(bus, "fdc")) {
        if (domain_number(address, "controller", 0))
            return REFUSE_QEMU(x, INTERNAL_ERROR, "Only 1 fdc controller is supported");
        if (domain_number(address, "bus", 0))
            return REFUSE_QEMU(x, INTERNAL_ERROR, "Only 1 fdc bus is supported");
        return !target || REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "target must be 0 for controller fdc");
    }
    if (domain_number(address, "bus", 0))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "bus must be 0 for sata controller");
    return !target || REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "target must be 0 for sata controller");
}

static bool validate_drive(struct domain_xml *x, const struct xml_node *device,
                           const struct xml_node *address)
{
    static const char *const simple[] = {"ide", "fdc", "sata"};
    struct slice bus =
        xml_named(device, "disk") ? xml_attr_at(device, "target", "bus") : SLICE("scsi");
    for (int i = 0; i < 3; i++)
        if (slice_is(bus, simple[i]))
            return only_bus_zero(x, address, simple[i]);
    if (!slice_is(bus, "scsi"))
        return true;
    if (domain_number(address, "bus", 0))
        return REFUSE_QEMU(x, INTERNAL_ERROR, "SCSI controller only supports 1 bus");
    const struct xml_node *controller =
        domain_find_controller(x, "scsi", domain_number(address, "controller", 0));
    return !xml_attr_is(controller, "model", "lsilogic") || !domain_number(address, "target", 0) ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "target must be 0 for controller model 'lsilogic'");
}

static bool validate_address(struct domain_xml *x, const struct xml_node *device)
{
    const struct xml_node *address = xml_child(device, "address");
    struct slice type = xml_attr(address, "type");
    if (slice_is(type, "virtio-s390"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "'virtio-s390' addresses are no longer supported");
    if (slice_is(type, "ccw"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "cannot use CCW address type for device '<null>' using machine type "
                           "'%.*s'",
                           SLICE_ARG(domain_machine(x)));
    if (slice_is(type, "drive") && !validate_drive(x, device, address))
        return false;
    if (xml_child(device, "acpi") && slice_present(type) && !slice_is(type, "pci"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "ACPI index is only supported for PCI devices");
    return !xml_child(device, "rom") || !slice_present(type) ||
           schema_has_word("pci|unassigned", type) ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "ROM tuning is only supported for PCI devices");
}

// --- interfaces

static bool validate_user_ip(struct domain_xml *x, const struct xml_node *interface)
{
    bool seen4 = false, seen6 = false;
    XML_EACH (ip, interface, "ip") {
        unsigned prefix = domain_number(ip, "prefix", 0);
        bool v6 = slice_find(xml_attr(ip, "address"), ':') >= 0;
        if (has(ip, "peer"))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "Invalid attempt to set peer IP for guest");
        if (v6 ? seen6 : seen4)
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "Only one %s address per interface is allowed",
                               v6 ? "IPv6" : "IPv4");
        seen4 = seen4 || !v6;
        seen6 = seen6 || v6;
        if (!v6 && prefix && (prefix < 4 || prefix > 27))
            return REFUSE_QEMU(x, XML_ERROR, "invalid prefix, must be in range of 4-27");
        if (v6 && prefix && prefix != 64)
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "unsupported IPv6 address prefix='%u' - must be 64", prefix);
    }
    return !xml_child(interface, "route") ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "Invalid attempt to set network interface guest-side IP route, not "
                       "supported by QEMU");
}

static bool power_of_two(unsigned n)
{
    return (n & (n - 1)) == 0;
}

static bool validate_interface_kind(struct domain_xml *x, const struct xml_node *interface)
{
    struct slice type = xml_attr(interface, "type"),
                 model = xml_attr_at(interface, "model", "type");
    if (slice_is(type, "user"))
        return validate_user_ip(x, interface);
    if (slice_is(type, "vdpa"))
        return slice_is(model, "virtio") ||
               REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "invalid model for interface of type 'vdpa': '%.*s'", SLICE_ARG(model));
    return (!xml_child(interface, "ip") && !xml_child(interface, "route")) ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "Invalid attempt to set network interface guest-side IP route and/or "
                       "address info, not supported by QEMU");
}

static bool validate_interface(struct domain_xml *x, const struct xml_node *interface)
{
    const struct xml_node *driver = xml_child(interface, "driver"),
                          *teaming = xml_child(interface, "teaming");
    struct slice type = xml_attr(interface, "type"),
                 model = xml_attr_at(interface, "model", "type");
    if (!validate_interface_kind(x, interface))
        return false;
    if (domain_is_virtio_net(model)) {
        if (!power_of_two(domain_number(driver, "rx_queue_size", 0)))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "rx_queue_size has to be a power of two");
        if (!power_of_two(domain_number(driver, "tx_queue_size", 0)))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "tx_queue_size has to be a power of two");
    }
    if (xml_child(interface, "mtu") &&
        !schema_has_word("network|bridge|ethernet|vhostuser|user", type))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "setting MTU on interface type %.*s is not supported yet",
                           SLICE_ARG(type));
    if (xml_attr_is(teaming, "type", "persistent") && !domain_is_virtio_net(model))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "virtio-net teaming persistent interface must be <model "
                           "type='virtio'/>, not '%.*s'",
                           SLICE_ARG(model));
    if (xml_attr_is(teaming, "type", "transient") && !schema_has_word("hostdev|network", type))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "virtio-net teaming transient interface must be type='hostdev', not "
                           "'%.*s'",
                           SLICE_ARG(type));
    return !xml_child(interface, "coalesce") || schema_has_word("network|bridge", type) ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "coalesce settings on interface type %.*s are not supported",
                       SLICE_ARG(type));
}

// --- character devices

static bool validate_char_source(struct domain_xml *x, const struct xml_node *device,
                                 struct slice type)
{
    XML_EACH (source, device, "source") {
        const struct xml_node *reconnect = xml_child(source, "reconnect");
        if (schema_has_word("tcp|unix", type) && xml_attr_is(reconnect, "enabled", "yes") &&
            !domain_number(reconnect, "timeout", 0))
            return REFUSE_QEMU(x, INVALID_ARG, "chardev reconnect source timeout cannot be '0'");
    }
    return !schema_has_word("spicevmc|spiceport", type) || has_graphics(x, "spice") ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "chardev '%.*s' not supported without spice graphics",
                       SLICE_ARG(type));
}

static const struct {
    const char *target, *models, *address; // no address: it has none
} serial_targets[] = {
    {"isa-serial", "isa-serial", "isa"},
    {"isa-debug", "isa-debugcon", "isa"},
    {"usb-serial", "usb-serial", "usb"},
    {"pci-serial", "pci-serial", "pci"},
    {"spapr-vio-serial", "spapr-vty", "spapr-vio"},
    {"system-serial", "pl011|16550a", NULL},
    {"sclp-serial", "sclpconsole|sclplmconsole", NULL},
};
#define SERIAL_TARGETS (sizeof(serial_targets) / sizeof(serial_targets[0]))

static bool validate_serial_target(struct domain_xml *x, const struct xml_node *serial)
{
    const struct xml_node *target = xml_child(serial, "target");
    struct slice type = xml_attr(target, "type"), model = xml_attr_at(target, "model", "name"),
                 address = domain_address_type(serial);
    for (size_t i = 0; i < SERIAL_TARGETS; i++) {
        const char *wanted = serial_targets[i].address;
        if (!slice_is(type, serial_targets[i].target) || !slice_present(address))
            continue;
        if (!wanted)
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "Target type '%.*s' cannot have an associated address",
                               SLICE_ARG(type));
        if (!slice_is(address, wanted))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "Target type '%.*s' requires address type '%s'", SLICE_ARG(type),
                               wanted);
    }
    for (size_t i = 0; i < SERIAL_TARGETS; i++)
        if (model.len && schema_has_word(serial_targets[i].models, model) &&
            !slice_is(type, serial_targets[i].target))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "Target model '%.*s' requires target type '%s'", SLICE_ARG(model),
                               serial_targets[i].target);
    bool fits = !schema_has_word("spapr-vio-serial|sclp-serial", type) &&
                !slice_is(model, "16550a") && (!slice_is(model, "pl011") || machine_is_arm_virt(x));
    return fits || REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "Serial device with target type '%.*s' and target model '%.*s' not "
                               "compatible with guest architecture or machine type",
                               SLICE_ARG(type), SLICE_ARG(model));
}

static bool validate_chardev(struct domain_xml *x, const struct xml_node *device)
{
    if (!validate_char_source(x, device, xml_attr(device, "type")))
        return false;
    return !xml_named(device, "serial") || validate_serial_target(x, device);
}

static bool validate_smartcard(struct domain_xml *x, const struct xml_node *card)
{
    const struct xml_node *address = xml_child(card, "address");
    if (xml_count(x->devices, "smartcard") > 1 || !xml_attr_is(address, "type", "ccid") ||
        domain_number(address, "controller", 0) || domain_number(address, "slot", 0))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "this QEMU binary lacks multiple smartcard support");
    return !xml_attr_is(card, "mode", "passthrough") ||
           validate_char_source(x, card, xml_attr(card, "type"));
}

static bool validate_rng(struct domain_xml *x, const struct xml_node *rng)
{
    const struct xml_node *backend = xml_child(rng, "backend");
    return !xml_attr_is(backend, "model", "egd") ||
           validate_char_source(x, backend, xml_attr(backend, "type"));
}

static bool validate_redirdev(struct domain_xml *x, const struct xml_node *device)
{
    return validate_char_source(x, device, xml_attr(device, "type"));
}

// --- displays and sound

static bool validate_video_memory(struct domain_xml *x, const struct xml_node *model)
{
    struct slice type = xml_attr(model, "type");
    unsigned vgamem = domain_number(model, "vgamem", 0), vram = domain_number(model, "vram", 0);
    static const char *const sizes[] = {"vram", "ram"};
    for (int i = 0; i < 2; i++)
        if (slice_is(type, "qxl") && domain_number(model, sizes[i], 0) > UINT32_MAX / 1024)
            return REFUSE_QEMU(x, OVERFLOW, "value for '%s' must be less than '%u'", sizes[i],
                               UINT32_MAX / 1024);
    if (slice_is(type, "qxl") && vgamem && vgamem < 1024)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "value for 'vgamem' must be at least 1 MiB (1024 KiB)");
    if (slice_is(type, "qxl") && !power_of_two(vgamem))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "value for 'vgamem' must be power of two");
    return !schema_has_word("vga|vmvga", type) || !vram || vram >= 1024 ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "value for 'vram' must be at least 1 MiB (1024 KiB)");
}

static bool validate_video(struct domain_xml *x, const struct xml_node *video)
{
    const struct xml_node *model = xml_child(video, "model"),
                          *acceleration = xml_child(model, "acceleration");
    struct slice type = xml_attr(model, "type");
    if (slice_is(type, "none"))
        return true;
    if (!schema_has_word("vga|cirrus|vmvga|qxl|virtio|bochs|ramfb", type))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "domain configuration does not support video model '%.*s'",
                           SLICE_ARG(type));
    bool several = schema_has_word("qxl|virtio", type);
    if (!several && !xml_attr_is(model, "primary", "yes"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "video type '%.*s' is only valid as primary video device",
                           SLICE_ARG(type));
    if (!several && domain_number(model, "heads", 1) != 1)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "video type '%.*s' doesn't support multiple 'heads'", SLICE_ARG(type));
    if (xml_attr_is(acceleration, "accel2d", "yes"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "qemu does not support the accel2d setting");
    if (!validate_video_memory(x, model))
        return false;
    if (xml_child(model, "resolution") && !schema_has_word("vga|qxl|virtio|bochs", type))
        return REFUSE_QEMU(x, XML_ERROR, "model resolution is not supported");
    if (xml_attr_is(acceleration, "accel3d", "yes") && !slice_is(type, "virtio"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "3d acceleration is supported only with 'virtio' video device");
    return !slice_is(type, "ramfb") || !xml_child(video, "address") ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "'address' is not supported for 'ramfb' video devices");
}

#define VNC_PASSWORD 8

static bool validate_graphics(struct domain_xml *x, const struct xml_node *graphics)
{
    struct slice type = xml_attr(graphics, "type"), password = xml_attr(graphics, "passwd");
    const struct xml_node *listen = xml_child(graphics, "listen");
    int64_t tls = 0;
    if (schema_has_word("rdp|desktop", type))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "%.*s graphics are not supported with this QEMU",
                           SLICE_ARG(type));
    if (has_graphics(x, "egl-headless")) {
        if (!schema_has_word("egl-headless|vnc|spice", type))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "graphics type 'egl-headless' is only supported with one of: "
                               "'vnc', 'spice' graphics types");
        if (slice_is(type, "spice") && xml_attr_is(xml_child(graphics, "gl"), "enable", "yes"))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "multiple OpenGL displays are not supported by QEMU");
    }
    if (slice_is(type, "spice") && schema_has_word("address|network", xml_attr(listen, "type")) &&
        slice_i64(xml_attr(graphics, "tlsPort"), 10, &tls) && tls > 0 &&
        !qemu_lookup_of(x)->spice_tls)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "spice TLS port set in XML configuration, but TLS is disabled in "
                           "qemu.conf");
    return !slice_is(type, "vnc") || password.len <= VNC_PASSWORD ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "VNC password is %zu characters long, only 8 permitted", password.len);
}

static bool validate_audio(struct domain_xml *x, const struct xml_node *audio)
{
    return !xml_attr_is(audio, "type", "spice") || has_graphics(x, "spice") ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "Spice audio is not supported without spice graphics");
}

static bool validate_sound(struct domain_xml *x, const struct xml_node *sound)
{
    struct slice model = xml_attr(sound, "model");
    return !slice_is(model, "ich7") ||
           REFUSE_QEMU(x, INTERNAL_ERROR, "sound card model '%.*s' is not supported by qemu",
                       SLICE_ARG(model));
}

// --- controllers

static const char *const virtio_scsi_options[] = {"queues", "cmd_per_lun", "max_sectors",
                                                  "ioeventfd", "iothread"};

static bool validate_scsi_options(struct domain_xml *x, const struct xml_node *controller)
{
    const struct xml_node *driver = xml_child(controller, "driver");
    bool virtio = xml_attr_is(controller, "type", "scsi") &&
                  slice_starts(xml_attr(controller, "model"), "virtio");
    for (size_t i = 0; i < 5; i++)
        if (!virtio && has(driver, virtio_scsi_options[i]))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "'%s' is only supported %s virtio-scsi "
                               "controller",
                               virtio_scsi_options[i], i == 4 ? "for" : "by");
    return true;
}

static bool validate_scsi(struct domain_xml *x, const struct xml_node *controller)
{
    struct slice model = xml_attr(controller, "model");
    unsigned thread = domain_number(xml_child(controller, "driver"), "iothread", 0);
    if (slice_is(model, "buslogic"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "Unsupported controller model: %.*s",
                           SLICE_ARG(model));
    if (!validate_scsi_options(x, controller))
        return false;
    if (slice_is(model, "ncr53c90"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "%s",
                           domain_number(controller, "index", 0)
                               ? "ncr53c90 can only be used as first SCSI controller"
                               : "ncr53c90 SCSI controller is not a built-in for this machine");
    return !thread || domain_has_iothread(x, thread) ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "controller iothread '%u' not defined in iothreadid",
                       thread);
}

static bool validate_ide(struct domain_xml *x, const struct xml_node *controller)
{
    bool built_in = machine_is_i440fx(x);
    if (built_in && !domain_number(controller, "index", 0))
        return true;
    return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "%s",
                       built_in ? "Only a single IDE controller is supported for this machine type"
                                : "IDE controllers are unsupported for this QEMU binary or machine "
                                  "type");
}

static bool validate_controller(struct domain_xml *x, const struct xml_node *controller)
{
    struct slice type = xml_attr(controller, "type");
    if (slice_is(type, "scsi"))
        return validate_scsi(x, controller);
    if (!validate_scsi_options(x, controller))
        return false;
    return !slice_is(type, "ide") || validate_ide(x, controller);
}

// --- the rest

static bool validate_watchdog(struct domain_xml *x, const struct xml_node *watchdog)
{
    struct slice model = xml_attr(watchdog, "model"), address = domain_address_type(watchdog);
    if (slice_is(model, "i6300esb") && slice_present(address) && !slice_is(address, "pci"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "%.*s model of watchdog can go only on PCI bus",
                           SLICE_ARG(model));
    if (slice_is(model, "ib700") && slice_present(address))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "%.*s model of watchdog does not support configuring the address",
                           SLICE_ARG(model));
    return !slice_is(model, "diag288") ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "%.*s model of watchdog is allowed for s390 and s390x only",
                       SLICE_ARG(model));
}

static bool validate_filesystem(struct domain_xml *x, const struct xml_node *fs)
{
    const struct xml_node *driver = xml_child(fs, "driver");
    bool modes = has(fs, "fmode") || has(fs, "dmode");
    bool passthrough = schema_has_word("passthrough", xml_attr(fs, "accessmode"));
    if (!xml_attr_is(fs, "type", "mount"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "only supports mount filesystem type");
    if (modes && !xml_attr_is(fs, "accessmode", "mapped"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "fmode and dmode must be used with accessmode=mapped");
    if (schema_has_word("loop|nbd|ploop", xml_attr(driver, "type")))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "Filesystem driver type not supported");
    if (slice_is(xml_attr(driver, "type"), "handle") && !passthrough)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "only supports passthrough accessmode");
    if (!xml_attr_is(driver, "type", "virtiofs"))
        return true;
    static const struct {
        const char *attr, *message;
        bool of_driver;
    } refused[] = {
        {"wrpolicy", "virtiofs does not support wrpolicy", true},
        {"model", "virtiofs does not support model", false},
        {"format", "virtiofs does not support format", true},
        {"multidevs", "virtiofs does not support multidevs", false},
    };
    if (has(xml_child(fs, "source"), "socket"))
        return qemu_need_shared_memory(x, "virtiofs");
    if (xml_child(fs, "readonly"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "virtiofs does not yet support read-only mode");
    if (!passthrough)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "virtiofs only supports passthrough accessmode");
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (has(refused[i].of_driver ? driver : fs, refused[i].attr))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "%s", refused[i].message);
    return qemu_need_shared_memory(x, "virtiofs");
}

static bool validate_tpm(struct domain_xml *x, const struct xml_node *tpm)
{
    const struct xml_node *backend = xml_child(tpm, "backend");
    if (!xml_attr_is(backend, "type", "emulator") || !xml_attr_is(backend, "version", "1.2"))
        return true;
    if (xml_attr_is(tpm, "model", "tpm-crb"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "Unsupported interface 'tpm-crb' for TPM 1.2");
    return !machine_is_arm_virt(x) ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "TPM 1.2 is not supported on ARM");
}

static bool validate_input(struct domain_xml *x, const struct xml_node *input)
{
    return !xml_attr_is(input, "bus", "virtio") ||
           !schema_has_word("virtio-transitional|virtio-non-transitional",
                            xml_attr(input, "model")) ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "virtio (non-)transitional models are not supported for input type=%.*s",
                       SLICE_ARG(xml_attr(input, "type")));
}

static bool validate_memballoon(struct domain_xml *x, const struct xml_node *balloon)
{
    struct slice model = xml_attr(balloon, "model");
    return slice_is(model, "none") || slice_starts(model, "virtio") ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "Memory balloon device type '%.*s' is not supported by this version of qemu",
                       SLICE_ARG(model));
}

static bool validate_iommu(struct domain_xml *x, const struct xml_node *iommu)
{
    struct slice model = xml_attr(iommu, "model"), address = domain_address_type(iommu);
    bool q35 = machine_is_q35(x), arm = machine_is_arm_virt(x);
    const char *wants = slice_is(model, "intel") && !q35            ? "Q35"
                        : slice_is(model, "smmuv3") && !arm         ? "ARM Virt"
                        : slice_is(model, "virtio") && !q35 && !arm ? "Q35 and ARM Virt"
                                                                    : NULL;
    if (wants)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "IOMMU device: '%.*s' is only supported with %s machines",
                           SLICE_ARG(model), wants);
    if (!slice_is(model, "virtio"))
        return true;
    if (!xml_find(x->root, "features/acpi"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "IOMMU device: 'virtio' requires ACPI");
    return !slice_present(address) || slice_is(address, "pci") ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "IOMMU device: 'virtio' needs a PCI address");
}

static bool validate_shmem(struct domain_xml *x, const struct xml_node *shmem)
{
    // The only device without a type, "ivshmem", is gone since QEMU 6.
    return !xml_attr_is(xml_child(shmem, "model"), "type", "ivshmem") ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "ivshmem device is not supported with this QEMU binary");
}

static bool validate_memory_device(struct domain_xml *x, const struct xml_node *memory)
{
    return !xml_attr_is(memory, "model", "sgx-epc") ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "sgx epc isn't supported by this QEMU binary");
}

static const struct {
    const char *name;
    bool (*validate)(struct domain_xml *x, const struct xml_node *device);
} validators[] = {
    {"disk", qemu_validate_disk},
    {"interface", validate_interface},
    {"controller", validate_controller},
    {"serial", validate_chardev},
    {"parallel", validate_chardev},
    {"channel", validate_chardev},
    {"console", validate_chardev},
    {"smartcard", validate_smartcard},
    {"rng", validate_rng},
    {"redirdev", validate_redirdev},
    {"video", validate_video},
    {"graphics", validate_graphics},
    {"audio", validate_audio},
    {"sound", validate_sound},
    {"watchdog", validate_watchdog},
    {"filesystem", validate_filesystem},
    {"tpm", validate_tpm},
    {"input", validate_input},
    {"memballoon", validate_memballoon},
    {"iommu", validate_iommu},
    {"shmem", validate_shmem},
    {"memory", validate_memory_device},
};

bool qemu_validate_device(struct domain_xml *x, const struct xml_node *device)
{
    if (!validate_address(x, device))
        return false;
    for (size_t i = 0; i < sizeof(validators) / sizeof(validators[0]); i++)
        if (xml_named(device, validators[i].name))
            return validators[i].validate(x, device);
    return true;
}
