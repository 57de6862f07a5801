// Security labels: whom a guest runs as, as its live definition shows it (libvirt's DAC model).
#ifndef HV_QEMU_SECURITY_H
#define HV_QEMU_SECURITY_H

#include "text/xml.h"

// Puts <seclabel model='dac'> with the user that this guest will run as into a definition that is
// about to become live. A definition that chose its own label, or none, keeps it. Only for
// qemu:///system.
void qemu_security_label(struct xml_doc *doc);

#endif
