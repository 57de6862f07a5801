// QEMU domains: default models of single devices (libvirt: qemuDomainDeviceDefPostParse).
#include "hv/qemu/definition/machine.h"

#include "core/config.h"
#include "core/words.h"
#include "virt/xml/domain_check.h"
#include "virt/xml/xml_value.h"

#include <string.h>

// --- disks and interfaces

static void name_engine(struct domain_xml *x, struct xml_node *encryption)
{
    if (encryption && !slice_present(xml_attr(encryption, "engine")))
        xml_sets(x->doc, encryption, "engine", "qemu");
}

static bool complete_disk(struct domain_xml *x, struct xml_node *disk)
{
    struct xml_node *driver = xml_child(disk, "driver");
    if (!driver)
        driver = disk->child ? xml_add_before(x->doc, disk->child, "driver")
                             : xml_add(x->doc, disk, "driver");
    if (!slice_present(xml_attr(driver, "name")))
        xml_sets(x->doc, driver, "name", "qemu");
    if (!slice_present(xml_attr(driver, "type")) && !xml_attr_is(disk, "type", "volume"))
        xml_sets(x->doc, driver, "type", "raw");
    for (struct xml_node *image = disk; image; image = xml_child(image, "backingStore")) {
        name_engine(x, xml_child(image, "encryption"));
        name_engine(x, xml_find(image, "source/encryption"));
    }
    return true;
}

static const char *default_net_model(const struct domain_xml *x)
{
    if (schema_has_word("armv6l|armv7l|aarch64", domain_arch(x))) {
        if (slice_is(domain_machine(x), "versatilepb"))
            return "smc91c111";
        return machine_is_arm_virt(x) ? "virtio" : "lan9118";
    }
    if (qemu_has_device(x, "rtl8139"))
        return "rtl8139";
    if (qemu_has_device(x, "e1000"))
        return "e1000";
    return qemu_has_device(x, "virtio-net-pci") ? "virtio" : "rtl8139";
}

static bool complete_interface(struct domain_xml *x, struct xml_node *interface)
{
    if (xml_child(interface, "model") || xml_attr_is(interface, "type", "hostdev"))
        return true;
    bool vdpa = xml_attr_is(interface, "type", "vdpa");
    xml_sets(x->doc, xml_add(x->doc, interface, "model"), "type",
             vdpa ? "virtio" : default_net_model(x));
    return true;
}

// --- controllers

static bool complete_scsi_controller(struct domain_xml *x, struct xml_node *controller)
{
    struct slice model = xml_attr(controller, "model");
    if (slice_present(model) && !slice_is(model, "auto"))
        return true;
    if (qemu_has_device(x, "lsi53c895a"))
        xml_sets(x->doc, controller, "model", "lsilogic");
    else if (qemu_has_device(x, "virtio-scsi-pci"))
        xml_sets(x->doc, controller, "model", "virtio-scsi");
    else
        return REFUSE_QEMU(x, INTERNAL_ERROR,
                           "Unable to determine model for SCSI controller idx=%u",
                           domain_number(controller, "index", 0));
    return true;
}

#define XHCI_PORTS_MAX 15

static bool complete_usb_controller(struct domain_xml *x, struct xml_node *controller)
{
    if (!slice_present(xml_attr(controller, "model"))) {
        if (qemu_has_device(x, "piix3-usb-uhci"))
            xml_sets(x->doc, controller, "model", "piix3-uhci");
        if (slice_is(domain_arch(x), "aarch64")) {
            if (qemu_has_device(x, "qemu-xhci"))
                xml_sets(x->doc, controller, "model", "qemu-xhci");
            else if (qemu_has_device(x, "nec-usb-xhci"))
                xml_sets(x->doc, controller, "model", "nec-xhci");
        }
    }
    struct slice model = xml_attr(controller, "model");
    if (schema_has_word("qusb1|qusb2", model))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "USB controller model type 'qusb1' or 'qusb2' is not supported in %.*s",
                           SLICE_ARG(xml_attr(x->root, "type")));
    if (schema_has_word("nec-xhci|qemu-xhci", model) &&
        domain_number(controller, "ports", 0) > XHCI_PORTS_MAX)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "'%.*s' controller only supports up to '%u' ports", SLICE_ARG(model),
                           XHCI_PORTS_MAX);
    return true;
}

static bool complete_pci_controller(struct domain_xml *x, struct xml_node *controller)
{
    struct slice model = xml_attr(controller, "model");
    unsigned index = domain_number(controller, "index", 0);
    struct xml_node *node = xml_find(controller, "target/node");
    unsigned cells = xml_count(xml_find(x->root, "cpu/numa"), "cell");
    uint32_t cell;
    if (schema_has_word("pci-root|pcie-root", model) && index != 0)
        return REFUSE_QEMU(x, XML_ERROR, "pci-root and pcie-root controllers should have index 0");
    if (slice_is(model, "pci-expander-bus") && !machine_is_i440fx(x))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "pci-expander-bus controllers are only supported on "
                           "440fx-based machinetypes");
    if (slice_is(model, "pcie-expander-bus") && !machine_is_q35(x) && !machine_is_arm_virt(x))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "pcie-expander-bus controllers are not supported with "
                           "this machine type");
    if (slice_u32(xml_text(node), 10, &cell) && cell >= cells)
        return REFUSE_QEMU(
            x, XML_ERROR,
            "%.*s with index %u is configured for a NUMA node (%u) not present in the "
            "domain's <cpu><numa> array (%u)",
            SLICE_ARG(model), index, (unsigned)cell, cells);
    return true;
}

static bool complete_controller(struct domain_xml *x, struct xml_node *controller)
{
    struct slice type = xml_attr(controller, "type");
    if (slice_is(type, "scsi"))
        return complete_scsi_controller(x, controller);
    if (slice_is(type, "usb"))
        return complete_usb_controller(x, controller);
    return !slice_is(type, "pci") || complete_pci_controller(x, controller);
}

// --- character devices

static const struct {
    const char *type, *model;
} serial_models[] = {
    {"isa-serial", "isa-serial"},   {"usb-serial", "usb-serial"},
    {"pci-serial", "pci-serial"},   {"spapr-vio-serial", "spapr-vty"},
    {"sclp-serial", "sclpconsole"}, {"isa-debug", "isa-debugcon"},
};

static void complete_serial(struct domain_xml *x, struct xml_node *serial)
{
    struct xml_node *target = xml_need(x->doc, serial, "target");
    struct slice type = xml_attr(target, "type");
    // "isa-serial" was the default in all definitions once, and reads as "the default" still.
    if (!slice_present(type) || slice_is(type, "isa-serial")) {
        if (domain_is_x86(x))
            xml_sets(x->doc, target, "type", "isa-serial");
        else if (machine_is_arm_virt(x))
            xml_sets(x->doc, target, "type", "system-serial");
        else
            xml_unset(target, "type");
    }
    struct xml_node *model = xml_child(target, "model");
    if (slice_present(xml_attr(model, "name")))
        return;
    type = xml_attr(target, "type");
    const char *name = slice_is(type, "system-serial") && machine_is_arm_virt(x) ? "pl011" : NULL;
    for (size_t i = 0; i < sizeof(serial_models) / sizeof(serial_models[0]); i++)
        if (slice_is(type, serial_models[i].type))
            name = serial_models[i].model;
    if (name)
        xml_sets(x->doc, xml_need(x->doc, target, "model"), "name", name);
}

// Libvirt's regular expression: ^DIR/([^/]+\\.)|(domain-[^/]+/)NAME$
static bool is_generated(struct slice path, const char *dir, struct slice name)
{
    if (slice_starts(path, dir)) {
        struct slice rest = slice_from(path, strlen(dir));
        ptrdiff_t end = rest.len ? slice_find(slice_from(rest, 1), '/') : 0;
        if (end >= 0)
            rest.len = (size_t)end + 1;
        if (slice_starts(rest, "/") && rest.len > 2 && slice_find(slice_from(rest, 2), '.') >= 0)
            return true;
    }
    if (path.len <= name.len || !slice_equal(slice_from(path, path.len - name.len), name))
        return false;
    struct slice before = {path.at, path.len - name.len};
    if (!slice_ends(before, "/"))
        return false;
    size_t start = --before.len;
    while (start && before.at[start - 1] != '/')
        start--;
    for (struct slice last = slice_from(before, start); last.len > strlen("domain-");
         last = slice_from(last, 1))
        if (slice_starts(last, "domain-"))
            return true;
    return false;
}

// Paths that were generated for a guest are made anew at each start
// (qemuDomainChrDefDropDefaultPath).
static void drop_generated_path(struct domain_xml *x, struct xml_node *channel)
{
    struct xml_node *source = xml_child(channel, "source");
    struct slice path = xml_attr(source, "path");
    if (!xml_attr_is(channel, "type", "unix") ||
        !xml_attr_is(xml_child(channel, "target"), "type", "virtio"))
        return;
    if (path.len &&
        is_generated(path, qemu_lookup_of(x)->channel_dir, xml_attr_at(channel, "target", "name")))
        xml_remove(source);
}

static bool complete_chardev(struct domain_xml *x, struct xml_node *device)
{
    if (xml_named(device, "serial"))
        complete_serial(x, device);
    if (xml_named(device, "channel") && !(x->flags & DOMAIN_XML_PARSE_LIVE))
        drop_generated_path(x, device);
    return true;
}

// --- the rest

static bool complete_video(struct domain_xml *x, struct xml_node *video)
{
    struct xml_node *model = xml_child(video, "model");
    if (!slice_present(xml_attr(model, "type"))) {
        if (machine_is_arm_virt(x))
            xml_sets(x->doc, model, "type", "virtio");
        else if (qemu_has_device(x, "cirrus-vga"))
            xml_sets(x->doc, model, "type", "cirrus");
        else if (qemu_has_device(x, "VGA"))
            xml_sets(x->doc, model, "type", "vga");
    }
    if (xml_attr_is(model, "type", "qxl") && !slice_present(xml_attr(model, "vgamem")))
        xml_sets(x->doc, model, "vgamem", "16384");
    return true;
}

static bool complete_panic(struct domain_xml *x, struct xml_node *panic)
{
    if (!slice_present(xml_attr(panic, "model")))
        xml_sets(x->doc, panic, "model", "isa");
    return true;
}

static bool complete_vsock(struct domain_xml *x, struct xml_node *vsock)
{
    if (!slice_present(xml_attr(vsock, "model")))
        xml_sets(x->doc, vsock, "model", "virtio");
    return true;
}

static const struct {
    const char *name;
    bool (*complete)(struct domain_xml *x, struct xml_node *device);
} completers[] = {
    {"disk", complete_disk},
    {"interface", complete_interface},
    {"controller", complete_controller},
    {"serial", complete_chardev},
    {"parallel", complete_chardev},
    {"channel", complete_chardev},
    {"console", complete_chardev},
    {"video", complete_video},
    {"panic", complete_panic},
    {"vsock", complete_vsock},
#ifdef CONFIG_DEVICES_KEPT
    {"tpm", qemu_complete_tpm},
    {"shmem", qemu_complete_shmem},
#endif
};

// Devices that this build can not give to a guest.
static const char left_out[] =
#ifndef CONFIG_GRAPHICS
    "graphics\0video\0sound\0audio\0"
#endif
#ifndef CONFIG_DEVICES_KEPT
    "filesystem\0hostdev\0lease\0nvram\0redirfilter\0shmem\0smartcard\0tpm\0"
#endif
    "";

bool qemu_complete_device(struct domain_xml *x, struct xml_node *device)
{
    if (words_index(left_out, device->name) >= 0)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "<%.*s> devices are left out of this build",
                           SLICE_ARG(device->name));
    for (size_t i = 0; i < sizeof(completers) / sizeof(completers[0]); i++)
        if (xml_named(device, completers[i].name))
            return completers[i].complete(x, device);
    return true;
}
