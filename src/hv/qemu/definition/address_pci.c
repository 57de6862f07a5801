// The PCI buses of a QEMU domain: which controller takes what, and where there is room
// (libvirt: src/conf/domain_addr.c).
#include "hv/qemu/definition/address_pci.h"

#include "hv/qemu/definition/machine.h"

#include <stdio.h>

// --- models of controllers

static const struct model {
    const char *name;
    unsigned needs, offers;
    unsigned min_slot, max_slot;
    bool hotplug;
} models[] = {
    {"pci-root", 0, PCI_AUTOASSIGN | PCI_DEVICE | PCI_BRIDGE | PCI_EXPANDER_BUS, 1, 31, true},
    {"pcie-root", 0, PCIE_DEVICE | PCIE_ROOT_PORT | DMI_TO_PCI_BRIDGE | PCIE_EXPANDER_BUS, 1, 31,
     false},
    {"pci-bridge", PCI_BRIDGE, PCI_AUTOASSIGN | PCI_DEVICE | PCI_BRIDGE, 1, 31, true},
    {"pci-expander-bus", PCI_EXPANDER_BUS, PCI_AUTOASSIGN | PCI_DEVICE | PCI_BRIDGE, 0, 31, true},
    {"dmi-to-pci-bridge", DMI_TO_PCI_BRIDGE, PCI_DEVICE | PCI_BRIDGE, 0, 31, false},
    {"pcie-to-pci-bridge", PCIE_TO_PCI_BRIDGE, PCI_AUTOASSIGN | PCI_DEVICE | PCI_BRIDGE, 1, 31,
     true},
    {"pcie-root-port", PCIE_ROOT_PORT | PCI_AGGREGATE_SLOT,
     PCI_AUTOASSIGN | PCIE_DEVICE | PCIE_UPSTREAM_PORT | PCIE_TO_PCI_BRIDGE, 0, 0, true},
    {"pcie-switch-downstream-port", PCIE_DOWNSTREAM_PORT,
     PCI_AUTOASSIGN | PCIE_DEVICE | PCIE_UPSTREAM_PORT | PCIE_TO_PCI_BRIDGE, 0, 0, true},
    {"pcie-switch-upstream-port", PCIE_UPSTREAM_PORT, PCIE_DOWNSTREAM_PORT, 0, 31, false},
    {"pcie-expander-bus", PCIE_EXPANDER_BUS, PCIE_ROOT_PORT | DMI_TO_PCI_BRIDGE, 0, 31, false},
};

static const struct model *find_model(struct slice name)
{
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
        if (slice_is(name, models[i].name))
            return &models[i];
    return NULL;
}

unsigned pci_controller_needs(struct slice name)
{
    const struct model *model = find_model(name);
    return model ? model->needs : 0;
}

bool pci_bus_set_model(struct pci_set *set, unsigned bus, struct slice name, bool hotplug)
{
    const struct model *model = find_model(name);
    if (!model)
        return REFUSE_QEMU(set->x, INTERNAL_ERROR, "PCI controller model was not set correctly");
    set->buses[bus].model = model->name;
    set->buses[bus].offers = model->offers | (hotplug && model->hotplug ? PCI_HOTPLUGGABLE : 0u);
    set->buses[bus].min_slot = model->min_slot;
    set->buses[bus].max_slot = model->max_slot;
    return true;
}

// --- asking

bool pci_slot_in_use(const struct pci_set *set, const struct pci_address *address)
{
    return set->buses[address->bus].slots[address->slot].functions != 0;
}

bool pci_bus_is_full(const struct pci_bus *bus)
{
    for (unsigned slot = bus->min_slot; slot <= bus->max_slot; slot++)
        if (!bus->slots[slot].functions)
            return false;
    return true;
}

// What a user may do but the program will not choose by itself: a PCI device in a PCIe slot, and
// the other way round.
static bool is_compatible(const struct pci_address *address, unsigned offers, unsigned needs,
                          bool configured)
{
    if (needs & PCI_INTEGRATED) {
        if (address->bus != 0)
            return false;
        offers |= PCI_AUTOASSIGN;
    }
    if (configured) {
        if (offers & PCI_ENDPOINTS)
            offers |= PCI_ENDPOINTS;
        if (needs & PCI_BRIDGE)
            needs |= PCI_DEVICE;
    } else if (needs & PCI_AUTOASSIGN && !(offers & PCI_AUTOASSIGN)) {
        return false;
    }
    if (needs & PCI_HOTPLUGGABLE && !(offers & PCI_HOTPLUGGABLE))
        return false;
    return (needs & offers & PCI_TYPES) != 0;
}

static const char *needed_name(unsigned needs)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {
        {PCI_DEVICE, "standard PCI device"},
        {PCIE_DEVICE, "PCI Express device"},
        {PCIE_ROOT_PORT, "pcie-root-port"},
        {PCIE_UPSTREAM_PORT, "pcie-switch-upstream-port"},
        {PCIE_DOWNSTREAM_PORT, "pcie-switch-downstream-port"},
        {DMI_TO_PCI_BRIDGE, "dmi-to-pci-bridge"},
        {PCIE_TO_PCI_BRIDGE, "pcie-to-pci-bridge"},
        {PCI_EXPANDER_BUS, "pci-expander-bus"},
        {PCIE_EXPANDER_BUS, "pcie-expander-bus"},
        {PCI_BRIDGE, "pci-bridge"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (needs & names[i].bit)
            return names[i].name;
    return "device";
}

static bool refuse_incompatible(struct pci_set *set, const struct pci_address *address,
                                unsigned needs, int code, const char *text)
{
    unsigned offers = set->buses[address->bus].offers;
    if (needs & PCI_INTEGRATED && address->bus != 0)
        return error_set(set->x->err, VIR_FROM_DOMAIN, code,
                         "The device at PCI address %s needs to be an integrated device (bus=0)",
                         text);
    if (code != VIR_ERR_XML_ERROR && needs & PCI_AUTOASSIGN && !(offers & PCI_AUTOASSIGN))
        return error_set(set->x->err, VIR_FROM_DOMAIN, code,
                         "The device at PCI address %s was auto-assigned this address, but the PCI "
                         "controller with index='%u' doesn't allow auto-assignment",
                         text, address->bus);
    return error_set(set->x->err, VIR_FROM_DOMAIN, code,
                     "The device at PCI address %s cannot be plugged into the PCI controller with "
                     "index='%u'. It requires a controller that accepts a %s.",
                     text, address->bus, needed_name(needs));
}

static void write_address(char text[32], const struct pci_address *address)
{
    snprintf(text, 32, "%04x:%02x:%02x.%u", address->domain, address->bus, address->slot,
             address->function);
}

bool pci_validate(struct pci_set *set, const struct pci_address *address, unsigned needs,
                  bool configured)
{
    int code = configured ? VIR_ERR_XML_ERROR : VIR_ERR_INTERNAL_ERROR;
    struct error *err = set->x->err;
    char text[32];
    write_address(text, address);
    if (set->bus_count == 0)
        return error_set(err, VIR_FROM_DOMAIN, code, "No PCI buses available");
    if (address->domain != 0)
        return error_set(err, VIR_FROM_DOMAIN, code,
                         "Invalid PCI address %s. Only PCI domain 0 is available", text);
    if (address->bus >= set->bus_count)
        return error_set(err, VIR_FROM_DOMAIN, code,
                         "Invalid PCI address %s. Only PCI buses up to %u are available", text,
                         set->bus_count - 1);
    const struct pci_bus *bus = &set->buses[address->bus];
    if (!is_compatible(address, bus->offers, needs, configured))
        return refuse_incompatible(set, address, needs, code, text);
    if (address->slot < bus->min_slot)
        return error_set(err, VIR_FROM_DOMAIN, code, "Invalid PCI address %s. slot must be >= %u",
                         text, bus->min_slot);
    if (address->slot > bus->max_slot)
        return error_set(err, VIR_FROM_DOMAIN, code, "Invalid PCI address %s. slot must be <= %u",
                         text, bus->max_slot);
    return true;
}

// --- adding buses, in a dry run

static bool accepts_bridges(const struct pci_set *set)
{
    for (unsigned bus = 0; bus < set->bus_count; bus++)
        if (set->buses[bus].offers & PCI_BRIDGE)
            return true;
    return false;
}

static bool refuse_growth(struct pci_set *set, unsigned needs)
{
    const unsigned named = PCI_TYPES & ~(unsigned)PCIE_TO_PCI_BRIDGE; // shown as its flag, there
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
        if (models[i].needs & needs & named)
            return REFUSE_QEMU(
                set->x, INTERNAL_ERROR,
                "a PCI slot is needed to connect a PCI controller model='%s', but none is "
                "available, and it cannot be automatically added",
                models[i].name);
    return REFUSE_QEMU(
        set->x, INTERNAL_ERROR,
        "Cannot automatically add a new PCI bus for a device with connect flags %.2x", needs);
}

// A PCI device in a PCIe guest needs a whole path: a root port and a bridge in it, or an older kind
// of bridge with a bridge behind. Such a root port is kept for the bridge.
static bool add_pci_path(struct pci_set *set, unsigned *next)
{
    if (!set->has_pcie_to_pci_bridge)
        return pci_bus_set_model(set, (*next)++, SLICE("dmi-to-pci-bridge"), false);
    if (!pci_bus_set_model(set, *next, SLICE("pcie-root-port"), true))
        return false;
    set->buses[(*next)++].offers = PCIE_TO_PCI_BRIDGE;
    return pci_bus_set_model(set, (*next)++, SLICE("pcie-to-pci-bridge"), true);
}

// Makes sure that the bus of `address` exists; it may become another one.
static bool grow(struct pci_set *set, struct pci_address *address, unsigned needs)
{
    if (address->bus < set->bus_count)
        return true;
    bool conventional = needs & PCI_DEVICE;
    if (!conventional && !(needs & (PCIE_DEVICE | PCIE_UPSTREAM_PORT)))
        return refuse_growth(set, needs);
    bool path = conventional && !accepts_bridges(set);
    unsigned next = set->bus_count;
    if (path && address->bus == set->bus_count)
        address->bus++;
    if (address->bus >= PCI_BUSES)
        return REFUSE_QEMU(set->x, INTERNAL_ERROR, "too many PCI buses: limit is %d", PCI_BUSES);
    set->bus_count = address->bus + 1;
    if (path && !add_pci_path(set, &next))
        return false;
    for (; next < set->bus_count; next++)
        if (!pci_bus_set_model(set, next,
                               conventional ? SLICE("pci-bridge") : SLICE("pcie-root-port"), true))
            return false;
    return true;
}

// --- taking

bool pci_reserve(struct pci_set *set, struct pci_address *address, unsigned needs, bool configured)
{
    char text[32];
    if (set->dry && !grow(set, address, needs))
        return false;
    if (!pci_validate(set, address, needs, configured))
        return false;
    struct pci_slot *slot = &set->buses[address->bus].slots[address->slot];
    write_address(text, address);
    if (slot->functions >> address->function & 1)
        return error_set(set->x->err, VIR_FROM_DOMAIN,
                         configured ? VIR_ERR_XML_ERROR : VIR_ERR_INTERNAL_ERROR,
                         "Attempted double use of PCI Address %s", text);
    if (!slot->functions && needs & PCI_AGGREGATE_SLOT)
        slot->aggregate = true;
    slot->functions = (uint8_t)(slot->functions | 1u << address->function);
    return true;
}

static bool find_function(const struct pci_slot *slot, unsigned needs, int wanted,
                          unsigned *function)
{
    *function = wanted < 0 ? 0 : (unsigned)wanted;
    if (!slot->functions)
        return true;
    if (!(needs & PCI_AGGREGATE_SLOT && slot->aggregate))
        return false;
    for (; *function < 8; (*function)++) {
        if (!(slot->functions >> *function & 1))
            return true;
        if (wanted >= 0)
            return false;
    }
    return false;
}

static bool find_on_bus(const struct pci_set *set, struct pci_address *address, unsigned needs,
                        int function)
{
    const struct pci_bus *bus = &set->buses[address->bus];
    if (!is_compatible(address, bus->offers, needs, false))
        return false;
    for (address->slot = bus->min_slot; address->slot <= bus->max_slot; address->slot++)
        if (find_function(&bus->slots[address->slot], needs, function, &address->function))
            return true;
    return false;
}

bool pci_reserve_next(struct pci_set *set, struct pci_address *address, unsigned needs,
                      int function)
{
    *address = (struct pci_address){0};
    if (set->bus_count == 0)
        return REFUSE_QEMU(set->x, XML_ERROR, "No PCI buses available");
    for (; address->bus < set->bus_count; address->bus++)
        if (find_on_bus(set, address, needs, function))
            return pci_reserve(set, address, needs, false);
    if (!set->dry)
        return REFUSE_QEMU(set->x, INTERNAL_ERROR, "No more available PCI slots");
    address->function = function < 0 ? 0 : (unsigned)function;
    if (!grow(set, address, needs))
        return false;
    address->slot = set->buses[address->bus].min_slot;
    return pci_reserve(set, address, needs, false);
}
