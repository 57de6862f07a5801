// The forms in which a domain is shown: without what only a running guest has, without secrets, or
// as older libvirts would take it.
#include "virt/xml/domain_check.h"
#include "virt/xml/domain_complete.h"

// --- inactive (VIR_DOMAIN_DEF_FORMAT_INACTIVE)

static void hide_ports(struct xml_doc *doc, struct xml_node *graphics)
{
    if (xml_attr_is(graphics, "type", "vnc") && xml_attr_is(graphics, "autoport", "yes") &&
        slice_present(xml_attr(graphics, "port")))
        xml_sets(doc, graphics, "port", "-1");
    XML_EACH (listen, graphics, "listen")
        if (xml_attr_is(listen, "type", "network")) {
            xml_unset(listen, "address");
            if (listen == xml_child(graphics, "listen"))
                xml_unset(graphics, "listen");
        }
}

// Names of tap devices that were made up are not shown.
static void hide_target(struct xml_node *interface)
{
    struct xml_node *target = xml_child(interface, "target");
    struct slice name = xml_attr(target, "dev");
    if (xml_attr_is(target, "managed", "no") ||
        !(slice_starts(name, "vnet") || slice_starts(name, "macvtap") ||
          slice_starts(name, "macvlan")))
        return;
    xml_unset(target, "dev");
    if (!target->attrs)
        xml_remove(target);
}

static void hide_terminal(struct xml_node *device)
{
    struct xml_node *source = xml_child(device, "source");
    if (!xml_attr_is(device, "type", "pty") || !source)
        return;
    xml_unset(source, "path");
    if (!source->attrs && !source->child)
        xml_remove(source);
}

static void show_inactive(struct xml_doc *doc)
{
    schema_strip(doc->root, &schema_elements[SCHEMA_DOMAIN], SCHEMA_HIDE);
    XML_EACH (device, xml_child(doc->root, "devices"), NULL) {
        if (xml_named(device, "graphics"))
            hide_ports(doc, device);
        else if (xml_named(device, "interface"))
            hide_target(device);
        else
            hide_terminal(device);
    }
}

// --- migratable (VIR_DOMAIN_DEF_FORMAT_MIGRATABLE, qemuDomainDefFormatBufInternal)

// The one controller of that type, when it is number 0 and has no user's alias.
static struct xml_node *sole_controller(const struct xml_node *devices, const char *type)
{
    struct xml_node *found = NULL;
    XML_EACH (controller, devices, "controller") {
        if (!xml_attr_is(controller, "type", type))
            continue;
        if (found)
            return NULL;
        found = controller;
    }
    bool named = slice_starts(xml_attr_at(found, "alias", "name"), "ua-");
    return found && domain_number(found, "index", 1) == 0 && !named ? found : NULL;
}

static bool is_i440fx(const struct xml_node *root)
{
    struct slice machine = xml_attr_at(root, "os/type", "machine");
    return slice_is(machine, "pc") || slice_starts(machine, "pc-0.") ||
           slice_starts(machine, "pc-1.") || slice_starts(machine, "pc-i440fx-") ||
           slice_starts(machine, "rhel");
}

static void drop_default_controllers(struct xml_doc *doc, struct xml_node *devices)
{
    struct xml_node *usb = sole_controller(devices, "usb"), *pci = sole_controller(devices, "pci");
    bool piix3 = !slice_present(xml_attr(usb, "model")) || xml_attr_is(usb, "model", "piix3-uhci");
    if (piix3 && is_i440fx(doc->root))
        xml_remove(usb);
    if (xml_attr_is(pci, "model", "pci-root") && !xml_child(pci, "pcihole64"))
        xml_remove(pci);
}

// Serial ports that are a machine's own once had no type.
static void drop_system_serial(struct xml_node *devices)
{
    XML_EACH (serial, devices, "serial") {
        struct xml_node *target = xml_child(serial, "target");
        if (!xml_attr_is(target, "type", "system-serial"))
            continue;
        xml_unset(target, "type");
        xml_remove(xml_child(target, "model"));
    }
}

static bool is_default_audio(const struct xml_node *devices, const struct xml_node *audio)
{
    const struct xml_node *graphics = xml_child(devices, "graphics");
    const char *type = xml_attr_is(graphics, "type", "spice") ? "spice" : "none";
    return !xml_next(audio, "audio") && xml_attr_is(audio, "type", type) &&
           xml_attr_is(audio, "id", "1") && !xml_child(audio, NULL);
}

// Labels that a start makes up by itself are not spoken of.
static void drop_implicit_label(struct xml_node *seclabel)
{
    if (xml_attr_is(seclabel, "model", "dac") && xml_attr_is(seclabel, "type", "dynamic") &&
        !xml_child(seclabel, "baselabel"))
        xml_remove(seclabel);
}

static void show_migratable(struct xml_doc *doc)
{
    XML_EACH_SAFE (seclabel, doc->root, "seclabel")
        drop_implicit_label(seclabel);
    struct xml_node *devices = xml_child(doc->root, "devices");
    struct xml_node *audio = xml_child(devices, "audio");
    XML_EACH_SAFE (input, devices, "input")
        if (xml_attr_is(input, "type", "keyboard") && xml_attr_is(input, "bus", "ps2"))
            xml_remove(input);
    drop_default_controllers(doc, devices);
    drop_system_serial(devices);
    if (audio && is_default_audio(devices, audio))
        xml_remove(audio);
    XML_EACH (graphics, devices, "graphics")
        XML_EACH_SAFE (listen, graphics, "listen") {
            bool vnc_socket = xml_attr_is(graphics, "type", "vnc") &&
                              xml_attr_is(listen, "type", "socket") &&
                              slice_present(xml_attr(listen, "socket"));
            bool nowhere =
                xml_attr_is(graphics, "type", "spice") && xml_attr_is(listen, "type", "none");
            if (nowhere)
                xml_sets(doc, graphics, "autoport", "no");
            if (vnc_socket || nowhere)
                xml_remove(listen);
        }
}

// A setting of TLS that came from the driver's configuration is shown, and that it did is not.
static void hide_tls_origin(struct xml_node *chardev, unsigned flags)
{
    struct xml_node *source = xml_child(chardev, "source");
    if (!slice_present(xml_attr(source, "tlsFromConfig")))
        return;
    xml_unset(source, "tlsFromConfig");
    if (flags & VIR_DOMAIN_XML_MIGRATABLE)
        xml_unset(source, "tls");
}

// Images that were found when the guest started are its own.
static void hide_detected(struct xml_node *disk, bool inactive)
{
    struct xml_node *image = xml_child(disk, "backingStore");
    while (image && !(inactive && slice_present(xml_attr(image, "detected")))) {
        xml_unset(image, "detected");
        image = xml_child(image, "backingStore");
    }
    xml_remove(image);
}

// What the status file notes of where settings came from is nobody else's.
static void hide_origins(struct xml_doc *doc, unsigned flags, bool inactive)
{
    XML_EACH (device, xml_child(doc->root, "devices"), NULL) {
        hide_tls_origin(xml_named(device, "rng") ? xml_child(device, "backend") : device, flags);
        if (xml_named(device, "disk"))
            hide_detected(device, inactive);
    }
}

void domain_xml_show(struct xml_doc *doc, unsigned flags)
{
    bool inactive = !slice_present(xml_attr(doc->root, "id")) || flags & VIR_DOMAIN_XML_INACTIVE;
    hide_origins(doc, flags, inactive);
    if (inactive)
        show_inactive(doc);
    if (!(flags & VIR_DOMAIN_XML_SECURE))
        schema_strip(doc->root, &schema_elements[SCHEMA_DOMAIN], SCHEMA_SECRET);
    if (flags & VIR_DOMAIN_XML_MIGRATABLE)
        show_migratable(doc);
}
