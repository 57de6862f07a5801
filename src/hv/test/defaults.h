// test:///default domains: what libvirt's test driver adds to a definition.
#ifndef HV_TEST_DEFAULTS_H
#define HV_TEST_DEFAULTS_H

#include "virt/xml/domain_xml.h"

// Rules for domain_xml_parse(). `random` fills `len` bytes with random bytes.
void test_domain_xml_rules(struct domain_xml_rules *rules,
                           bool (*random)(void *data, void *bytes, size_t len), void *data);

#endif
