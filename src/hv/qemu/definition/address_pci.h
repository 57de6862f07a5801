// The PCI buses of a QEMU domain while addresses are assigned: what is plugged in where, and which
// buses would have to be added (libvirt: virDomainPCIAddressSet).
#ifndef HV_QEMU_ADDRESS_PCI_H
#define HV_QEMU_ADDRESS_PCI_H

#include "virt/xml/domain_xml.h"

#define PCI_BUSES 256
#define PCI_SLOTS 32

// What a device needs of the slot that it is plugged into, and what a bus offers (libvirt:
// virDomainPCIConnectFlags).
enum pci_connect {
    PCI_AUTOASSIGN = 1 << 0, // may be chosen without the user's word
    PCI_HOTPLUGGABLE = 1 << 1,
    PCI_AGGREGATE_SLOT = 1 << 2, // shares a slot with its like, one function each
    PCI_INTEGRATED = 1 << 3,     // belongs onto bus 0
    PCI_DEVICE = 1 << 4,
    PCIE_DEVICE = 1 << 5,
    PCIE_ROOT_PORT = 1 << 6,
    PCIE_UPSTREAM_PORT = 1 << 7,
    PCIE_DOWNSTREAM_PORT = 1 << 8,
    DMI_TO_PCI_BRIDGE = 1 << 9,
    PCI_EXPANDER_BUS = 1 << 10,
    PCIE_EXPANDER_BUS = 1 << 11,
    PCI_BRIDGE = 1 << 12,
    PCIE_TO_PCI_BRIDGE = 1 << 13,
};
#define PCI_ENDPOINTS (PCI_DEVICE | PCIE_DEVICE)
#define PCI_TYPES                                                                                  \
    (~(unsigned)(PCI_AUTOASSIGN | PCI_HOTPLUGGABLE | PCI_AGGREGATE_SLOT | PCI_INTEGRATED))

struct pci_address {
    unsigned domain, bus, slot, function;
};

struct pci_slot {
    uint8_t functions; // a bit each
    bool aggregate;
};

struct pci_bus {
    const char *model; // of its controller; NULL while there is none
    unsigned offers;   // enum pci_connect
    unsigned min_slot, max_slot;
    struct pci_slot slots[PCI_SLOTS];
};

struct pci_set {
    struct domain_xml *x;
    unsigned bus_count;
    unsigned express; // what a device needs that is PCIe where the machine is: EXPRESS or PCI
    bool dry;         // only find out how many buses are needed: buses may be added
    bool has_pcie_to_pci_bridge; // the emulator has that device
    struct pci_bus buses[PCI_BUSES];
};

// Models of PCI controllers by what they need and offer. False with the error set for an unknown
// one.
bool pci_bus_set_model(struct pci_set *set, unsigned bus, struct slice model, bool hotplug);
// What a controller of that model needs of its own slot; 0 when it is not plugged into any.
unsigned pci_controller_needs(struct slice model);

bool pci_slot_in_use(const struct pci_set *set, const struct pci_address *address);
bool pci_bus_is_full(const struct pci_bus *bus);
// Marks an address as taken, after checking that the device may be there. `configured`: the user's
// choice, for which the rules are laxer and the errors are VIR_ERR_XML_ERROR.
bool pci_reserve(struct pci_set *set, struct pci_address *address, unsigned needs, bool configured);
// Is the address one that the device may have? Sets the error otherwise.
bool pci_validate(struct pci_set *set, const struct pci_address *address, unsigned needs,
                  bool configured);
// Finds and takes a free address; function < 0: the lowest free one.
bool pci_reserve_next(struct pci_set *set, struct pci_address *address, unsigned needs,
                      int function);

#endif
