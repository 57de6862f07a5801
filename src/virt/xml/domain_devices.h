// Completing single devices of a domain; see domain_complete.h.
#ifndef VIRT_DOMAIN_DEVICES_H
#define VIRT_DOMAIN_DEVICES_H

#include "virt/xml/domain_xml.h"

// What libvirt fills in for one device, whatever the hypervisor
// (virDomainDeviceDefPostParseCommon).
bool domain_complete_device(struct domain_xml *x, struct xml_node *device);

#endif
