// What holds for every domain definition, whoever's rules complete it.
#ifndef TEST_FUZZ_DEFINITION_H
#define TEST_FUZZ_DEFINITION_H

#include "fuzz.h"
#include "virt/xml/domain_xml.h"

// Parses a definition as a client's, and if it is one: its canonical form stays as it is when it is
// read again, and so does the live form.
void definition_check(struct slice text, const struct domain_xml_rules *rules);

// For rules: what port_random() gives, the same in every run.
bool definition_random(void *data, void *bytes, size_t len);

#endif
