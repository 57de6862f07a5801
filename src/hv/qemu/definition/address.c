// Addresses of a QEMU domain's devices: who gets one, in libvirt's order
// (qemuDomainAssignAddresses).
#include "hv/qemu/definition/machine.h"

#include "virt/xml/domain_check.h"

#include <string.h>

// --- ports of virtio-serial controllers

#define SERIAL_CONTROLLERS   64
#define SERIAL_PORTS         512 // bits of a port map
#define SERIAL_PORTS_DEFAULT 31

struct serial_controller {
    unsigned index, ports;
    uint64_t used[SERIAL_PORTS / 64];
};

struct serial_set {
    struct serial_controller controllers[SERIAL_CONTROLLERS];
    size_t count;
};

static bool add_serial_controller(struct domain_xml *x, struct serial_set *set,
                                  const struct xml_node *node)
{
    unsigned index = domain_number(node, "index", 0);
    unsigned ports = domain_number(node, "ports", SERIAL_PORTS_DEFAULT);
    if (set->count == SERIAL_CONTROLLERS)
        return REFUSE_QEMU(x, INTERNAL_ERROR, "too many virtio-serial controllers: limit is %d",
                           SERIAL_CONTROLLERS);
    size_t at = set->count;
    while (at > 0 && set->controllers[at - 1].index > index)
        at--;
    memmove(&set->controllers[at + 1], &set->controllers[at],
            (set->count - at) * sizeof(set->controllers[0]));
    set->count++;
    set->controllers[at] = (struct serial_controller){
        .index = index, .ports = ports < SERIAL_PORTS ? ports : SERIAL_PORTS};
    return true;
}

static bool port_used(const struct serial_controller *controller, unsigned port)
{
    return controller->used[port / 64] >> (port % 64) & 1;
}

static bool reserve_port(struct domain_xml *x, struct serial_set *set, unsigned index,
                         unsigned port)
{
    for (size_t i = 0; i < set->count; i++) {
        struct serial_controller *controller = &set->controllers[i];
        if (controller->index != index)
            continue;
        if (port >= controller->ports)
            return REFUSE_QEMU(x, XML_ERROR, "virtio serial controller %u does not have port %u",
                               index, port);
        if (port_used(controller, port))
            return REFUSE_QEMU(x, XML_ERROR,
                               "virtio serial port %u on controller %u is already occupied", port,
                               index);
        controller->used[port / 64] |= (uint64_t)1 << (port % 64);
        return true;
    }
    return REFUSE_QEMU(x, XML_ERROR, "virtio serial controller %u is missing", index);
}

static int free_port(const struct serial_controller *controller, unsigned from)
{
    for (unsigned port = from; port < controller->ports; port++)
        if (!port_used(controller, port))
            return (int)port;
    return -1;
}

// Port 0 of each controller is for consoles.
static bool find_port(struct domain_xml *x, struct serial_set *set, bool only, unsigned *index,
                      unsigned *port)
{
    for (size_t i = 0; i < set->count; i++) {
        int found = free_port(&set->controllers[i], 1);
        if (found < 0 || (only && set->controllers[i].index != *index))
            continue;
        *index = set->controllers[i].index;
        *port = (unsigned)found;
        return true;
    }
    if (only)
        return REFUSE_QEMU(x, XML_ERROR,
                           "Unable to find a free port on virtio-serial controller %u", *index);
    struct xml_node *controller = domain_add_controller(x, "virtio-serial", -1, NULL);
    *index = domain_number(controller, "index", 0);
    *port = 1;
    return add_serial_controller(x, set, controller);
}

static bool assign_channel(struct domain_xml *x, struct serial_set *set, struct xml_node *channel)
{
    struct xml_node *address = xml_child(channel, "address");
    bool on_controller = xml_attr_is(address, "type", "virtio-serial");
    unsigned index = domain_number(address, "controller", 0), port;
    if (on_controller && domain_number(address, "port", 0))
        return true;
    if (!find_port(x, set, on_controller, &index, &port) || !reserve_port(x, set, index, port))
        return false;
    address = domain_new_address(x, channel, "virtio-serial");
    xml_setf(x->doc, address, "controller", "%u", index);
    xml_sets(x->doc, address, "bus", "0");
    xml_setf(x->doc, address, "port", "%u", port);
    return true;
}

static bool assign_serial_addresses(struct domain_xml *x)
{
    static struct serial_set set;
    memset(&set, 0, sizeof(set));
    XML_EACH (controller, x->devices, "controller")
        if (xml_attr_is(controller, "type", "virtio-serial") &&
            !add_serial_controller(x, &set, controller))
            return false;
    XML_EACH (device, x->devices, NULL) {
        struct xml_node *address = xml_child(device, "address");
        if (xml_attr_is(address, "type", "virtio-serial") && domain_number(address, "port", 0) &&
            !reserve_port(x, &set, domain_number(address, "controller", 0),
                          domain_number(address, "port", 0)))
            return false;
    }
    // Consoles take a port, too, but libvirt does not tell which.
    XML_EACH (channel, x->devices, "channel")
        if (xml_attr_is(xml_child(channel, "target"), "type", "virtio") &&
            !assign_channel(x, &set, channel))
            return false;
    return true;
}

// --- virtio-mmio

static bool is_virtio_device(const struct xml_node *device)
{
    if (xml_named(device, "disk"))
        return xml_attr_is(xml_child(device, "target"), "bus", "virtio");
    if (xml_named(device, "interface"))
        return domain_is_virtio_net(xml_attr_at(device, "model", "type"));
    if (xml_named(device, "video"))
        return xml_attr_is(xml_child(device, "model"), "type", "virtio");
    if (xml_named(device, "input"))
        return xml_attr_is(device, "bus", "virtio");
    if (xml_named(device, "controller"))
        return schema_has_word("virtio-serial|scsi", xml_attr(device, "type"));
    if (xml_named(device, "memballoon"))
        return !xml_attr_is(device, "model", "none");
    return xml_named(device, "rng");
}

// Guests of the machine "virt" that have a virtio-mmio device get all others there, too.
static void assign_mmio_addresses(struct domain_xml *x)
{
    bool mmio = !machine_has_pcie_root(x) || !qemu_has_device(x, "pcie-root-port");
    bool board = machine_is_arm_virt(x) || slice_starts(domain_machine(x), "vexpress-");
    if (!board || !schema_has_word("armv6l|armv7l|aarch64", domain_arch(x)))
        return;
    XML_EACH (device, x->devices, NULL)
        mmio = mmio || slice_is(domain_address_type(device), "virtio-mmio");
    XML_EACH (device, x->devices, NULL)
        if (mmio && is_virtio_device(device) && !xml_child(device, "address"))
            domain_new_address(x, device, "virtio-mmio");
}

// --- slots of memory devices

static bool slot_taken(const struct domain_xml *x, unsigned slot)
{
    XML_EACH (memory, x->devices, "memory") {
        const struct xml_node *address = xml_child(memory, "address");
        if (xml_attr_is(address, "type", "dimm") && domain_number(address, "slot", 0) == slot)
            return true;
    }
    return false;
}

static bool assign_memory_slots(struct domain_xml *x)
{
    unsigned slots = domain_number(xml_child(x->root, "maxMemory"), "slots", 0);
    if (!xml_child(x->root, "maxMemory"))
        return true;
    XML_EACH (memory, x->devices, "memory") {
        unsigned slot = 0;
        if (!schema_has_word("dimm|nvdimm", xml_attr(memory, "model")) ||
            xml_child(memory, "address"))
            continue;
        while (slot < slots && slot_taken(x, slot))
            slot++;
        if (slot == slots)
            return REFUSE_QEMU(x, INTERNAL_ERROR, "failed to find an empty memory slot");
        xml_setf(x->doc, domain_new_address(x, memory, "dimm"), "slot", "%u", slot);
    }
    return true;
}

bool qemu_assign_addresses(struct domain_xml *x)
{
    if (!assign_serial_addresses(x))
        return false;
    assign_mmio_addresses(x);
    return qemu_assign_pci_addresses(x) && qemu_assign_usb_addresses(x) && assign_memory_slots(x);
}
