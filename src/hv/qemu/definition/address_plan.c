// PCI addresses of a QEMU domain: which device needs what, and in which order they are placed
// (libvirt: qemuDomainAssignPCIAddresses). The order is part of guests' hardware: it stays.
#include "hv/qemu/definition/address_pci.h"
#include "hv/qemu/definition/machine.h"

#include "virt/xml/domain_check.h"

#include <string.h>

// --- what a device needs (qemuDomainDeviceCalculatePCIConnectFlags)

#define PCI     (PCI_DEVICE | PCI_AUTOASSIGN)
#define EXPRESS (PCIE_DEVICE | PCI_AUTOASSIGN)

// Where transitional virtio devices live: only conventional slots have their I/O ports.
static unsigned virtio_needs(struct slice model, unsigned express)
{
    return slice_is(model, "virtio-transitional") ? PCI : express;
}

static unsigned controller_needs(const struct xml_node *node, unsigned express)
{
    struct slice type = xml_attr(node, "type"), model = xml_attr(node, "model");
    if (slice_is(type, "pci"))
        return pci_controller_needs(model);
    if (slice_is(type, "usb")) {
        if (schema_has_word("nec-xhci|qemu-xhci", model))
            return express;
        return schema_has_word("qusb1|qusb2|none", model) ? 0 : PCI;
    }
    if (slice_is(type, "scsi"))
        return schema_has_word("virtio-scsi|virtio-non-transitional|ncr53c90", model) ? express
                                                                                      : PCI;
    if (slice_is(type, "virtio-serial"))
        return virtio_needs(model, express);
    return schema_has_word("sata|ide", type) ? PCI : 0;
}

static unsigned interface_needs(const struct xml_node *node, unsigned express)
{
    struct slice model = xml_attr_at(node, "model", "type");
    if (xml_attr_is(node, "type", "hostdev") || slice_is(model, "usb-net"))
        return 0;
    if (!slice_present(model) || schema_has_word("virtio|virtio-non-transitional|e1000e", model))
        return express;
    return PCI;
}

// A host's interface is given to the guest as other host devices are.
static unsigned assigned_interface_needs(const struct xml_node *node, unsigned express)
{
    return xml_attr_is(node, "type", "hostdev") ? express : 0;
}

static unsigned video_needs(const struct xml_node *node, unsigned express)
{
    struct slice type = xml_attr_at(node, "model", "type");
    if (schema_has_word("virtio|bochs", type))
        return express;
    return schema_has_word("vga|cirrus|vmvga|xen|vbox|qxl|parallels", type) ? PCI : 0;
}

static unsigned disk_needs(const struct xml_node *node, unsigned express)
{
    bool virtio = xml_attr_is(xml_child(node, "target"), "bus", "virtio");
    return virtio ? virtio_needs(xml_attr(node, "model"), express) : 0;
}

static unsigned filesystem_needs(const struct xml_node *node, unsigned express)
{
    return virtio_needs(xml_attr(node, "model"), express);
}

static unsigned sound_needs(const struct xml_node *node, unsigned express)
{
    (void)express;
    return schema_has_word("es1370|ac97|ich6|ich9", xml_attr(node, "model")) ? PCI : 0;
}

static unsigned memballoon_needs(const struct xml_node *node, unsigned express)
{
    struct slice model = xml_attr(node, "model");
    return schema_has_word("xen|none", model) ? 0 : virtio_needs(model, express);
}

static unsigned virtio_device_needs(const struct xml_node *node, unsigned express)
{
    return virtio_needs(xml_attr(node, "model"), express);
}

static unsigned watchdog_needs(const struct xml_node *node, unsigned express)
{
    (void)express;
    return xml_attr_is(node, "model", "i6300esb") ? PCI : 0;
}

static unsigned shmem_needs(const struct xml_node *node, unsigned express)
{
    (void)node;
    (void)express;
    return PCI;
}

static unsigned input_needs(const struct xml_node *node, unsigned express)
{
    return xml_attr_is(node, "bus", "virtio") ? virtio_needs(xml_attr(node, "model"), express) : 0;
}

static unsigned serial_needs(const struct xml_node *node, unsigned express)
{
    (void)express;
    return xml_attr_is(xml_child(node, "target"), "type", "pci-serial") ? PCI : 0;
}

static unsigned iommu_needs(const struct xml_node *node, unsigned express)
{
    return xml_attr_is(node, "model", "virtio") ? express | PCI_INTEGRATED : 0;
}

static unsigned memory_needs(const struct xml_node *node, unsigned express)
{
    return schema_has_word("virtio-pmem|virtio-mem", xml_attr(node, "model")) ? express : 0;
}

static unsigned hostdev_needs(const struct xml_node *node, unsigned express)
{
    if (xml_attr_is(node, "type", "scsi_host"))
        return virtio_needs(xml_attr(node, "model"), express);
    return schema_has_word("pci|mdev", xml_attr(node, "type")) ? express : 0;
}

// In the order in which addresses are given; controllers come twice, in between, by the code below.
static const struct {
    const char *element;
    unsigned (*needs)(const struct xml_node *node, unsigned express);
} kinds[] = {
    {"filesystem", filesystem_needs},
    {"interface", interface_needs},
    {"sound", sound_needs},
    {"controller", controller_needs},
    {"disk", disk_needs},
    {"interface", assigned_interface_needs},
    {"hostdev", hostdev_needs},
    {"memballoon", memballoon_needs},
    {"rng", virtio_device_needs},
    {"watchdog", watchdog_needs},
    {"video", video_needs},
    {"shmem", shmem_needs},
    {"input", input_needs},
    {"serial", serial_needs},
    {"iommu", iommu_needs},
    {"vsock", virtio_device_needs},
    {"memory", memory_needs},
};

static unsigned device_needs(const struct pci_set *set, const struct xml_node *device)
{
    unsigned needs = 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !needs; i++)
        if (xml_named(device, kinds[i].element))
            needs = kinds[i].needs(device, set->express);
    return needs;
}

// --- addresses in the tree

static bool is_present(const struct xml_node *device)
{
    const struct xml_node *address = xml_child(device, "address");
    return xml_attr_is(address, "type", "pci") && slice_present(xml_attr(address, "slot"));
}

// Without an address, or with one that only says "PCI".
static bool is_wanted(const struct xml_node *device)
{
    const struct xml_node *address = xml_child(device, "address");
    return !address ||
           (xml_attr_is(address, "type", "pci") && !slice_present(xml_attr(address, "slot")));
}

static struct pci_address read_address(const struct xml_node *device)
{
    const struct xml_node *address = xml_child(device, "address");
    return (struct pci_address){
        domain_number(address, "domain", 0),
        domain_number(address, "bus", 0),
        domain_number(address, "slot", 0),
        domain_number(address, "function", 0),
    };
}

static void write_address(struct domain_xml *x, struct xml_node *device, struct pci_address address)
{
    struct slice multi = xml_attr_at(device, "address", "multifunction");
    struct xml_node *node = domain_new_address(x, device, "pci");
    xml_setf(x->doc, node, "domain", "0x%04x", address.domain);
    xml_setf(x->doc, node, "bus", "0x%02x", address.bus);
    xml_setf(x->doc, node, "slot", "0x%02x", address.slot);
    xml_setf(x->doc, node, "function", "0x%u", address.function);
    if (slice_present(multi))
        xml_set(x->doc, node, "multifunction", multi);
}

static bool is_at(const struct xml_node *device, unsigned slot, unsigned function)
{
    struct pci_address a = read_address(device);
    return !a.domain && !a.bus && a.slot == slot && a.function == function;
}

// --- the set

static bool is_first_piix3_usb(const struct xml_node *controller)
{
    struct slice model = xml_attr(controller, "model");
    return xml_attr_is(controller, "type", "usb") && domain_number(controller, "index", 0) == 0 &&
           (!slice_present(model) || slice_is(model, "piix3-uhci"));
}

static bool is_first(const struct xml_node *controller, const char *type)
{
    return xml_attr_is(controller, "type", type) && domain_number(controller, "index", 0) == 0;
}

static bool collect(struct domain_xml *x, struct xml_node *device, void *data)
{
    struct pci_set *set = data;
    if (!is_present(device))
        return true;
    // The functions of the PIIX3 are taken later on, with the rest of that chip.
    bool piix3 =
        xml_named(device, "controller") && ((is_first(device, "ide") && is_at(device, 1, 1)) ||
                                            (is_first_piix3_usb(device) && is_at(device, 1, 2)));
    if (piix3)
        return set->bus_count == 0 || set->buses[0].offers & PCI_DEVICE ||
               REFUSE_QEMU(x, INTERNAL_ERROR,
                           "Bus 0 must be PCI for integrated PIIX3 USB or IDE controllers");
    struct pci_address address = read_address(device);
    unsigned needs = device_needs(set, device);
    return pci_reserve(set, &address, needs ? needs : PCI_DEVICE, true);
}

static bool create_set(struct pci_set *set, struct domain_xml *x, unsigned bus_count, bool dry)
{
    memset(set, 0, sizeof(*set));
    set->x = x;
    set->bus_count = bus_count;
    set->dry = dry;
    set->express = machine_has_pcie_root(x) ? EXPRESS : PCI;
    set->has_pcie_to_pci_bridge = qemu_has_device(x, "pcie-pci-bridge");
    bool express = false;
    XML_EACH (controller, x->devices, "controller") {
        unsigned index = domain_number(controller, "index", 0);
        if (!xml_attr_is(controller, "type", "pci"))
            continue;
        bool hotplug = !xml_attr_is(xml_child(controller, "target"), "hotplug", "off");
        if (!pci_bus_set_model(set, index, xml_attr(controller, "model"), hotplug))
            return false;
        express = express || xml_attr_is(controller, "model", "pcie-root");
    }
    for (unsigned bus = 0; bus < bus_count; bus++) {
        struct slice model = bus == 0  ? SLICE("pci-root")
                             : express ? SLICE("pcie-root-port")
                                       : SLICE("pci-bridge");
        if (!set->buses[bus].model && !pci_bus_set_model(set, bus, model, true))
            return false;
    }
    return domain_each_device(x, false, collect, set);
}

// Gives a device the next address that fits; in a dry run only the bus space is taken.
static bool place_at(struct pci_set *set, struct xml_node *device, int function)
{
    struct pci_address address;
    if (!pci_reserve_next(set, &address, device_needs(set, device), function))
        return false;
    if (!set->dry)
        write_address(set->x, device, address);
    return true;
}

static bool place(struct pci_set *set, struct xml_node *device)
{
    return place_at(set, device, -1);
}

// --- what a chipset has where

static bool place_fixed(struct pci_set *set, struct xml_node *device, unsigned slot,
                        unsigned function, const char *message)
{
    if (is_present(device))
        return is_at(device, slot, function) || REFUSE_QEMU(set->x, INTERNAL_ERROR, "%s", message);
    write_address(set->x, device, (struct pci_address){0, 0, slot, function});
    return true;
}

// The primary display gets the slot where QEMU puts it, unless that is taken.
static bool place_primary_video(struct pci_set *set, unsigned slot, unsigned needs)
{
    struct xml_node *video = xml_child(set->x->devices, "video");
    struct pci_address address = {0, 0, slot, 0};
    if (!video || schema_has_word("none|ramfb", xml_attr_at(video, "model", "type")) ||
        !is_wanted(video))
        return true;
    if (!pci_validate(set, &address, needs, true))
        return false;
    if (pci_slot_in_use(set, &address))
        return place(set, video);
    if (!pci_reserve(set, &address, needs, true))
        return false;
    write_address(set->x, video, address);
    return true;
}

static bool reserve_function(struct pci_set *set, unsigned slot, unsigned function, unsigned needs)
{
    struct pci_address address = {0, 0, slot, function};
    return set->bus_count == 0 || pci_reserve(set, &address, needs, true);
}

// Slot 1 is the PIIX3: ISA bridge, IDE, USB, power management; slot 2 is the display.
static bool place_i440fx(struct pci_set *set)
{
    XML_EACH (controller, set->x->devices, "controller") {
        bool ide = is_first(controller, "ide"), usb = is_first_piix3_usb(controller);
        if (ide && !place_fixed(set, controller, 1, 1,
                                "Primary IDE controller must have PCI address 0:0:1.1"))
            return false;
        if (usb && !place_fixed(set, controller, 1, 2,
                                "PIIX3 USB controller at index 0 must have PCI address 0:0:1.2"))
            return false;
        if ((ide || usb) && !reserve_function(set, 1, ide ? 1 : 2, PCI))
            return false;
    }
    return reserve_function(set, 1, 0, PCI) && reserve_function(set, 1, 3, PCI) &&
           place_primary_video(set, 2, PCI);
}

// USB 2 controllers stand at 1d.0 and 1a.0 in real machines.
static bool place_usb2(struct pci_set *set, struct xml_node *controller)
{
    static const unsigned slots[] = {0x1D, 0x1A};
    for (int i = 0; i < 2; i++) {
        struct pci_address address = {0, 0, slots[i], 0};
        if (pci_slot_in_use(set, &address))
            continue;
        if (!pci_reserve(set, &address, PCIE_DEVICE, true))
            return false;
        write_address(set->x, controller, address);
        xml_sets(set->x->doc, xml_child(controller, "address"), "multifunction", "on");
        return true;
    }
    return true;
}

static bool place_q35_controllers(struct pci_set *set)
{
    XML_EACH (controller, set->x->devices, "controller") {
        struct pci_address bridge = {0, 0, 0x1E, 0};
        bool placed = xml_child(controller, "address") != NULL;
        if (is_first(controller, "sata")) {
            if (!place_fixed(set, controller, 0x1F, 2,
                             "Primary SATA controller must have PCI address 0:0:1f.2"))
                return false;
            struct pci_address sata = {0, 0, 0x1F, 2};
            if (!placed && !pci_reserve(set, &sata, PCIE_DEVICE, true))
                return false;
        } else if (xml_attr_is(controller, "model", "ich9-uhci1") && !placed) {
            if (!place_usb2(set, controller))
                return false;
        } else if (xml_attr_is(controller, "model", "dmi-to-pci-bridge") && !placed &&
                   !pci_slot_in_use(set, &bridge)) {
            if (!pci_reserve(set, &bridge, PCIE_DEVICE, true))
                return false;
            write_address(set->x, controller, bridge);
        }
    }
    return true;
}

// Slot 1f is the ICH9: ISA bridge, SATA, SMBus; the display is at slot 1, ICH9 sound at 1b.
static bool place_q35(struct pci_set *set)
{
    struct pci_address audio = {0, 0, 0x1B, 0};
    if (!place_q35_controllers(set) || !reserve_function(set, 0x1F, 0, PCIE_DEVICE) ||
        !reserve_function(set, 0x1F, 3, PCIE_DEVICE) || !place_primary_video(set, 1, PCIE_DEVICE))
        return false;
    if (pci_slot_in_use(set, &audio))
        return true;
    XML_EACH (sound, set->x->devices, "sound")
        if (xml_attr_is(sound, "model", "ich9") && is_wanted(sound)) {
            if (!pci_reserve(set, &audio, PCIE_DEVICE, true))
                return false;
            write_address(set->x, sound, audio);
            return true;
        }
    return true;
}

static bool place_chipset(struct pci_set *set)
{
    if (machine_is_i440fx(set->x) && !place_i440fx(set))
        return false;
    return !machine_is_q35(set->x) || place_q35(set);
}

// --- the devices

static bool is_usb2(const struct xml_node *controller)
{
    return xml_attr_is(controller, "type", "usb") &&
           schema_has_word("ich9-ehci1|ich9-uhci1|ich9-uhci2|ich9-uhci3",
                           xml_attr(controller, "model"));
}

// All parts of a USB 2 controller share a slot, each with its own function.
static bool place_usb2_part(struct pci_set *set, struct xml_node *controller)
{
    static const char parts[] = "ich9-uhci1|ich9-uhci2|ich9-uhci3|ich9-ehci1";
    int part = schema_word_index(parts, xml_attr(controller, "model"));
    unsigned function = part == 3 ? 7 : (unsigned)part;
    const struct xml_node *sibling = NULL;
    XML_EACH (other, set->x->devices, "controller")
        if (!sibling && is_usb2(other) && is_present(other) &&
            domain_number(other, "index", 0) == domain_number(controller, "index", 0))
            sibling = other;
    if (sibling) {
        struct pci_address address = read_address(sibling);
        address.function = function;
        if (!pci_reserve(set, &address, device_needs(set, controller), true))
            return false;
        write_address(set->x, controller, address);
    } else if (!place_at(set, controller, (int)function)) {
        return false;
    }
    if (part == 0 && is_present(controller))
        xml_sets(set->x->doc, xml_child(controller, "address"), "multifunction", "on");
    return true;
}

static bool place_controller(struct pci_set *set, struct xml_node *controller)
{
    struct slice type = xml_attr(controller, "type"), model = xml_attr(controller, "model");
    if (schema_has_word("pci|fdc|ccid", type) || is_first(controller, "ide") ||
        (slice_is(type, "usb") && slice_is(model, "none")) || slice_is(model, "ncr53c90") ||
        !is_wanted(controller))
        return true;
    return is_usb2(controller) ? place_usb2_part(set, controller) : place(set, controller);
}

static bool place_disk(struct pci_set *set, struct xml_node *disk)
{
    struct slice type = domain_address_type(disk);
    if (!xml_attr_is(xml_child(disk, "target"), "bus", "virtio") || is_present(disk) ||
        schema_has_word("ccw|virtio-mmio", type))
        return true;
    if (!is_wanted(disk))
        return REFUSE_QEMU(set->x, CONFIG_UNSUPPORTED,
                           "virtio disk cannot have an address of type '%.*s'", SLICE_ARG(type));
    return place(set, disk);
}

// Devices of these kinds are not on PCI even when they have no address.
static bool is_elsewhere(const struct xml_node *device)
{
    if (xml_named(device, "sound"))
        return schema_has_word("sb16|pcspk|usb", xml_attr(device, "model"));
    if (xml_named(device, "memballoon"))
        return xml_attr_is(device, "model", "none");
    if (xml_named(device, "watchdog"))
        return !xml_attr_is(device, "model", "i6300esb");
    if (xml_named(device, "video"))
        return schema_has_word("none|ramfb", xml_attr_at(device, "model", "type"));
    if (xml_named(device, "input"))
        return !xml_attr_is(device, "bus", "virtio");
    if (xml_named(device, "serial"))
        return !xml_attr_is(xml_child(device, "target"), "type", "pci-serial");
    if (xml_named(device, "iommu"))
        return !xml_attr_is(device, "model", "virtio");
    if (xml_named(device, "memory"))
        return !schema_has_word("virtio-pmem|virtio-mem", xml_attr(device, "model"));
    if (xml_named(device, "hostdev"))
        return !schema_has_word("pci|mdev|scsi_host", xml_attr(device, "type"));
    return false;
}

static bool place_devices(struct pci_set *set)
{
    XML_EACH (controller, set->x->devices, "controller")
        if (xml_attr_is(controller, "type", "pci") && is_wanted(controller) &&
            !schema_has_word("pci-root|pcie-root", xml_attr(controller, "model")) &&
            !place(set, controller))
            return false;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        XML_EACH (device, set->x->devices, kinds[i].element) {
            bool placed = true;
            if (xml_named(device, "controller"))
                placed = place_controller(set, device);
            else if (xml_named(device, "disk"))
                placed = place_disk(set, device);
            else if (!is_elsewhere(device) && is_wanted(device) && kinds[i].needs(device, EXPRESS))
                placed = place(set, device);
            if (!placed)
                return false;
        }
    return true;
}

// --- the dry run: how many buses are needed

// A PCI guest keeps one slot free for a bridge, so that it can grow.
static bool reserve_spare_slot(struct pci_set *set)
{
    struct pci_address spare;
    for (unsigned bus = 0; bus < set->bus_count; bus++)
        if (!pci_bus_is_full(&set->buses[bus]))
            return pci_reserve_next(set, &spare, PCI, -1);
    return true;
}

// The buses that the dry run has added become controllers, which need places themselves.
static bool add_controllers(struct pci_set *set)
{
    struct domain_xml *x = set->x;
    for (unsigned bus = 1; bus < set->bus_count; bus++) {
        if (domain_find_controller(x, "pci", bus))
            continue;
        struct xml_node *controller =
            domain_add_controller(x, "pci", (int)bus, set->buses[bus].model);
        if (!place(set, controller))
            return false;
    }
    return true;
}

// A new PCIe guest that leaves its ports to us gets one more, for hotplug.
static bool reserve_spare_port(struct pci_set *set, int highest)
{
    struct pci_address spare;
    bool grown = highest <= 0 && (int)set->bus_count > highest + 1;
    return !grown || !machine_has_pcie_root(set->x) || pci_reserve_next(set, &spare, EXPRESS, -1);
}

static bool plan(struct pci_set *set, struct domain_xml *x, int highest)
{
    return create_set(set, x, (unsigned)highest + 1, true) && place_chipset(set) &&
           (!machine_has_pci_root(x) || reserve_spare_slot(set)) && place_devices(set) &&
           reserve_spare_port(set, highest) && add_controllers(set);
}

// --- afterwards

// A slot whose devices have several functions says so at function 0. There is only domain 0.
static void set_multifunction(struct domain_xml *x)
{
    uint32_t shared[PCI_BUSES] = {0}; // slots of each bus with another function than 0
    XML_EACH (device, x->devices, NULL) {
        struct pci_address a = read_address(device);
        if (is_present(device) && a.function && a.bus < PCI_BUSES)
            shared[a.bus] |= 1u << (a.slot & 31);
    }
    XML_EACH (device, x->devices, NULL) {
        struct xml_node *address = xml_child(device, "address");
        struct pci_address a = read_address(device);
        if (is_present(device) && !a.function && a.bus < PCI_BUSES &&
            (shared[a.bus] >> (a.slot & 31) & 1) &&
            !slice_present(xml_attr(address, "multifunction")))
            xml_sets(x->doc, address, "multifunction", "on");
    }
}

static const struct {
    const char *model, *name;
} device_names[] = {
    {"pci-bridge", "pci-bridge"},
    {"dmi-to-pci-bridge", "i82801b11-bridge"},
    {"pcie-to-pci-bridge", "pcie-pci-bridge"},
    {"pcie-switch-upstream-port", "x3130-upstream"},
    {"pcie-switch-downstream-port", "xio3130-downstream"},
    {"pci-expander-bus", "pxb"},
    {"pcie-expander-bus", "pxb-pcie"},
};

static void name_controller(struct domain_xml *x, struct xml_node *controller)
{
    struct slice model = xml_attr(controller, "model");
    const char *name = NULL;
    if (slice_present(xml_attr_at(controller, "model", "name")))
        return;
    if (slice_is(model, "pcie-root-port"))
        name = qemu_has_device(x, "pcie-root-port") ? "pcie-root-port" : "ioh3420";
    for (size_t i = 0; i < sizeof(device_names) / sizeof(device_names[0]); i++)
        if (slice_is(model, device_names[i].model))
            name = device_names[i].name;
    if (name)
        xml_sets(x->doc, xml_need(x->doc, controller, "model"), "name", name);
}

static void set_missing(struct domain_xml *x, struct xml_node *controller, const char *attr,
                        const char *format, unsigned value) __attribute__((format(printf, 4, 0)));
static void set_missing(struct domain_xml *x, struct xml_node *controller, const char *attr,
                        const char *format, unsigned value)
{
    struct xml_node *target = xml_need(x->doc, controller, "target");
    if (slice_present(xml_attr(target, attr)))
        return;
    if (format[0] == '0')
        xml_setf(x->doc, target, attr, "0x%x", value);
    else
        xml_setf(x->doc, target, attr, "%u", value);
}

// Two below the lowest bus number in use: one for the expander, one for the bridge in it.
static bool number_expander(struct domain_xml *x, struct xml_node *controller)
{
    unsigned lowest = 256;
    XML_EACH (other, x->devices, "controller") {
        unsigned number = domain_number(xml_child(other, "target"), "busNr", 256);
        if (xml_attr_is(other, "type", "pci") && number < lowest)
            lowest = number;
    }
    if (slice_present(xml_attr_at(controller, "target", "busNr")))
        return true;
    if (lowest <= 2)
        return REFUSE_QEMU(
            x, CONFIG_UNSUPPORTED,
            "No free busNr lower than current lowest busNr is available to auto-assign to "
            "bus %u. Must be manually assigned",
            read_address(controller).bus);
    set_missing(x, controller, "busNr", "%u", lowest - 2);
    return true;
}

static bool finish_controller(struct domain_xml *x, struct xml_node *controller)
{
    struct slice model = xml_attr(controller, "model");
    struct pci_address address = read_address(controller);
    unsigned index = domain_number(controller, "index", 0);
    name_controller(x, controller);
    if (slice_is(model, "pci-bridge")) {
        set_missing(x, controller, "chassisNr", "%u", index);
        return index > address.bus ||
               REFUSE_QEMU(
                   x, CONFIG_UNSUPPORTED,
                   "PCI controller at index %u (0x%02x) has bus='0x%02x', but index must be larger "
                   "than bus",
                   index, index, address.bus);
    }
    if (slice_is(model, "pcie-root-port")) {
        set_missing(x, controller, "chassis", "%u", index);
        set_missing(x, controller, "port", "0x%x", (address.slot << 3) + address.function);
    } else if (slice_is(model, "pcie-switch-downstream-port")) {
        set_missing(x, controller, "chassis", "%u", index);
        set_missing(x, controller, "port", "0x%x", address.slot);
    } else if (schema_has_word("pci-expander-bus|pcie-expander-bus", model)) {
        return number_expander(x, controller);
    }
    return true;
}

static bool supports_pci(const struct domain_xml *x)
{
    if (!schema_has_word("armv6l|armv7l|aarch64", domain_arch(x)))
        return true;
    return slice_is(domain_machine(x), "versatilepb") ||
           (machine_is_arm_virt(x) && qemu_has_device(x, "gpex-pcihost"));
}

bool qemu_assign_pci_addresses(struct domain_xml *x)
{
    static struct pci_set set;
    int highest = -1;
    XML_EACH (controller, x->devices, "controller") {
        int index = (int)domain_number(controller, "index", 0);
        if (xml_attr_is(controller, "type", "pci") && index > highest)
            highest = index;
    }
    if (highest >= PCI_BUSES)
        return REFUSE_QEMU(x, INTERNAL_ERROR,
                           "Inappropriate new pci controller index %d exceeds addrs array length",
                           highest);
    unsigned bus_count = 0;
    if (highest >= 0) {
        if (!plan(&set, x, highest))
            return false;
        bus_count = set.bus_count;
    }
    if (!create_set(&set, x, bus_count, false))
        return false;
    if (!supports_pci(x))
        return true;
    if (!place_chipset(&set) || !place_devices(&set))
        return false;
    set_multifunction(x);
    XML_EACH (controller, x->devices, "controller")
        if (xml_attr_is(controller, "type", "pci") && !finish_controller(x, controller))
            return false;
    return true;
}
