// Domain definitions by QEMU's rules, on a host with Debian 12's emulators.
#include "definition.h"
#include "test/unit/qemu_lookup.h"
#include "xml_mutate.h"

void fuzz_one(struct slice input)
{
    struct qemu_lookup lookup = debian_lookup;
    struct domain_xml_rules rules;
    lookup.random = definition_random;
    qemu_domain_xml_rules(&rules, &lookup);
    definition_check(input, &rules);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return xml_mutate(data, size, max_size, seed);
}
