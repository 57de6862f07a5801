// Mutations of an XML document as a tree: elements and attributes come, go, change places, are
// repeated; and sometimes just bytes change.
#ifndef TEST_FUZZ_XML_MUTATE_H
#define TEST_FUZZ_XML_MUTATE_H

#include "fuzz.h"

size_t xml_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed);

#endif
