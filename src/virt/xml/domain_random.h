// What libvirt makes up when a definition leaves it out.
#ifndef VIRT_DOMAIN_RANDOM_H
#define VIRT_DOMAIN_RANDOM_H

#include "virt/xml/domain_xml.h"

// A random (version 4) uuid as text, 36 characters and a NUL.
bool domain_random_uuid(const struct domain_xml *x, char uuid[37]);
// An address with the hypervisor's prefix.
bool domain_random_mac(const struct domain_xml *x, uint8_t mac[6]);

#endif
