// Values in libvirt's documents: reading them as libvirt's parsers do, and the form they are
// printed in.
#ifndef VIRT_XML_VALUE_H
#define VIRT_XML_VALUE_H

#include "virt/xml/xml_schema.h"

enum value_result { VALUE_BAD, VALUE_AS_IS, VALUE_KEEP, VALUE_DROP };

// Checks *value by `rule` (an attribute of `node`, or its text). VALUE_KEEP: *value is the form to
// keep, held by the document. VALUE_BAD: the error is set.
enum value_result value_normalise(struct schema_walk *walk, const struct xml_node *node,
                                  const struct schema_attr *rule, struct slice *value);
// The text of an element, blanks included, as XPath's string() gives it; empty when there is none.
struct slice value_text(const struct xml_node *node);
// Rewrites <x unit='GiB'>1</x> in KiB (or bytes), with the attribute unit first among its kind.
bool value_memory(struct schema_walk *walk, struct xml_node *node, bool kib);

#endif
