// Controllers, USB hubs and IOMMUs.
#include "hv/qemu/command/command_parts.h"

struct model_name {
    const char *model, *driver;
};

static const char *driver_of(const struct model_name *table, size_t count, struct slice model)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(model, table[i].model))
            return table[i].driver;
    return NULL;
}

#define DRIVER_OF(table, model) driver_of(table, sizeof(table) / sizeof((table)[0]), model)

static void put_pci_target(struct builder *b, const struct xml_node *controller, struct slice model)
{
    const struct xml_node *target = xml_child(controller, "target");
    if (slice_is(model, "pci-bridge")) {
        put_number(b, "chassis_nr", xml_attr(target, "chassisNr"));
    } else if (slice_ends(model, "expander-bus")) {
        put_number(b, "bus_nr", xml_attr(target, "busNr"));
        put_number(b, "numa_node", xml_text_at(target, "node"));
    } else if (slice_is(model, "pcie-root-port") ||
               slice_is(model, "pcie-switch-downstream-port")) {
        put_number(b, "port", xml_attr(target, "port"));
        put_number(b, "chassis", xml_attr(target, "chassis"));
    }
    put_switch(b, "hotplug", xml_attr(target, "hotplug"));
}

static void build_pci(struct builder *b, const struct xml_node *controller)
{
    struct slice model = xml_attr(controller, "model");
    struct slice name = xml_attr_at(controller, "model", "name");
    char driver[64];
    if (slice_is(model, "pci-root") || slice_is(model, "pcie-root")) {
        struct slice hotplug = xml_attr_at(controller, "target", "hotplug");
        if (slice_present(hotplug) && b->i440fx) {
            arg(b, "-global");
            argf(b, "PIIX4_PM.acpi-root-pci-hotplug=%s", is_on(hotplug) ? "on" : "off");
        }
        const struct xml_node *hole = xml_child(controller, "pcihole64");
        if (hole) {
            arg(b, "-global");
            argf(b, "%s.pci-hole64-size=%lluK", b->q35 ? "q35-pcihost" : "i440FX-pcihost",
                 (unsigned long long)memory_bytes(hole) >> 10);
        }
        return;
    }
    if (!slice_copy(driver, sizeof(driver), name) || !*driver) {
        internal_error(b, "PCI controller model '%.*s' has no model name", SLICE_ARG(model));
        return;
    }
    device_open(b, driver);
    put_pci_target(b, controller, model);
    put_alias(b, controller);
    put_address(b, controller);
    json_arg_close(b);
}

// The companion's bus is that of the controller with its index that is not itself a companion.
static void put_master_bus(struct builder *b, const struct xml_node *companion)
{
    uint64_t index = number_of(xml_attr(companion, "index"));
    XML_EACH (controller, b->devices, "controller") {
        if (!xml_attr_is(controller, "type", "usb") || xml_child(controller, "master") ||
            number_of(xml_attr(controller, "index")) != index)
            continue;
        json_putf(&b->json, "masterbus", "%.*s.0", SLICE_ARG(device_alias(controller)));
        put_number(b, "firstport", xml_attr_at(companion, "master", "startport"));
        return;
    }
    internal_error(b, "masterbus not found");
}

static void build_usb(struct builder *b, const struct xml_node *controller)
{
    static const struct model_name drivers[] = {
        {"piix3-uhci", "piix3-usb-uhci"},
        {"piix4-uhci", "piix4-usb-uhci"},
        {"ehci", "usb-ehci"},
        {"ich9-ehci1", "ich9-usb-ehci1"},
        {"ich9-uhci1", "ich9-usb-uhci1"},
        {"ich9-uhci2", "ich9-usb-uhci2"},
        {"ich9-uhci3", "ich9-usb-uhci3"},
        {"vt82c686b-uhci", "vt82c686b-usb-uhci"},
        {"pci-ohci", "pci-ohci"},
        {"nec-xhci", "nec-usb-xhci"},
        {"qemu-xhci", "qemu-xhci"},
    };
    struct slice model = xml_attr(controller, "model"), ports = xml_attr(controller, "ports");
    if (slice_is(model, "none"))
        return;
    if (!slice_present(model) || slice_is(model, "default")) {
        arg(b, "-usb");
        return;
    }
    const char *driver = DRIVER_OF(drivers, model);
    if (!driver || !builder_has(b, driver)) {
        unsupported(b, "%.*s not supported in this QEMU binary", SLICE_ARG(model));
        return;
    }
    device_open(b, driver);
    put_number(b, "p2", ports);
    put_number(b, "p3", ports);
    if (xml_child(controller, "master"))
        put_master_bus(b, controller);
    else
        put_alias(b, controller);
    put_address(b, controller);
    json_arg_close(b);
}

static void put_scsi_driver(struct builder *b, const struct xml_node *controller)
{
    const struct xml_node *driver = xml_child(controller, "driver");
    struct slice thread = xml_attr(driver, "iothread");
    if (slice_present(thread))
        json_putf(&b->json, "iothread", "iothread%.*s", SLICE_ARG(thread));
    put_number(b, "num_queues", xml_attr(driver, "queues"));
    put_number(b, "cmd_per_lun", xml_attr(driver, "cmd_per_lun"));
    put_number(b, "max_sectors", xml_attr(driver, "max_sectors"));
    put_switch(b, "ioeventfd", xml_attr(driver, "ioeventfd"));
}

static void build_scsi(struct builder *b, const struct xml_node *controller)
{
    static const struct model_name drivers[] = {
        {"lsilogic", "lsi"},    {"lsisas1068", "mptsas1068"}, {"lsisas1078", "megasas"},
        {"vmpvscsi", "pvscsi"}, {"am53c974", "am53c974"},     {"dc390", "dc-390"},
    };
    struct slice model = xml_attr(controller, "model");
    if (slice_starts(model, "virtio-")) {
        virtio_open(b, "virtio-scsi", controller, model);
        put_scsi_driver(b, controller);
    } else {
        const char *driver = DRIVER_OF(drivers, model);
        if (!driver) {
            unsupported(b, "Unsupported controller model: %.*s", SLICE_ARG(model));
            return;
        }
        device_open(b, driver);
    }
    put_alias(b, controller);
    put_address(b, controller);
    json_arg_close(b);
}

static void build_ide(struct builder *b, const struct xml_node *controller)
{
    if (!b->i440fx)
        unsupported(b, "IDE controllers are unsupported for this QEMU binary or machine type");
    else if (number_of(xml_attr(controller, "index")) != 0)
        unsupported(b, "Only a single IDE controller is supported for this machine type");
}

static void build_sata(struct builder *b, const struct xml_node *controller)
{
    if (b->q35 && number_of(xml_attr(controller, "index")) == 0)
        return; // the machine's own
    device_open(b, "ahci");
    put_alias(b, controller);
    put_address(b, controller);
    json_arg_close(b);
}

static void build_virtio_serial(struct builder *b, const struct xml_node *controller)
{
    virtio_open(b, "virtio-serial", controller, xml_attr(controller, "model"));
    put_alias(b, controller);
    put_number(b, "max_ports", xml_attr(controller, "ports"));
    put_number(b, "vectors", xml_attr(controller, "vectors"));
    put_address(b, controller);
    json_arg_close(b);
}

// In this order: buses before what sits on them. "fdc" is made with the disks, and "ccid" sits on
// USB hubs, so it comes after those.
static const struct {
    const char *type;
    void (*build)(struct builder *b, const struct xml_node *controller);
} kinds[] = {
    {"pci", build_pci}, {"usb", build_usb},   {"scsi", build_scsi},
    {"ide", build_ide}, {"sata", build_sata}, {"virtio-serial", build_virtio_serial},
};

static bool is_built_elsewhere(struct slice type)
{
    return slice_is(type, "fdc") || slice_is(type, "ccid") || slice_is(type, "isa");
}

void build_controllers(struct builder *b)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        XML_EACH (controller, b->devices, "controller")
            if (xml_attr_is(controller, "type", kinds[i].type))
                kinds[i].build(b, controller);
    XML_EACH (controller, b->devices, "controller") {
        struct slice type = xml_attr(controller, "type");
        bool known = is_built_elsewhere(type);
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
            known = known || slice_is(type, kinds[i].type);
        if (!known)
            unsupported(b, "Unsupported controller type: %.*s", SLICE_ARG(type));
    }
}

static void build_plain(struct builder *b, const char *driver, const struct xml_node *device)
{
    device_open(b, driver);
    put_alias(b, device);
    put_address(b, device);
    json_arg_close(b);
}

void build_ccid(struct builder *b)
{
    XML_EACH (controller, b->devices, "controller")
        if (xml_attr_is(controller, "type", "ccid"))
            build_plain(b, "usb-ccid", controller);
}

void build_hubs(struct builder *b)
{
    XML_EACH (hub, b->devices, "hub") {
        if (!xml_attr_is(hub, "type", "usb"))
            unsupported(b, "hub type %.*s not supported", SLICE_ARG(xml_attr(hub, "type")));
        build_plain(b, "usb-hub", hub);
    }
}

void build_iommu(struct builder *b)
{
    const struct xml_node *iommu = xml_child(b->devices, "iommu");
    const struct xml_node *driver = xml_child(iommu, "driver");
    if (!iommu || xml_attr_is(iommu, "model", "smmuv3"))
        return; // smmuv3 is a property of the machine
    if (xml_attr_is(iommu, "model", "virtio")) {
        build_plain(b, "virtio-iommu", iommu);
        return;
    }
    if (!xml_attr_is(iommu, "model", "intel")) {
        unsupported(b, "IOMMU device: '%.*s' is not supported with this QEMU binary",
                    SLICE_ARG(xml_attr(iommu, "model")));
        return;
    }
    device_open(b, "intel-iommu");
    put_alias(b, iommu);
    put_text(b, "intremap", xml_attr(driver, "intremap"));
    put_switch(b, "caching-mode", xml_attr(driver, "caching_mode"));
    put_text(b, "eim", xml_attr(driver, "eim"));
    put_switch(b, "device-iotlb", xml_attr(driver, "iotlb"));
    put_number(b, "aw-bits", xml_attr(driver, "aw_bits"));
    json_arg_close(b);
}
