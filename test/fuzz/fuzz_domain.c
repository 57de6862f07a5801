// Domain definitions by the test driver's rules.
#include "definition.h"
#include "hv/test/defaults.h"
#include "xml_mutate.h"

void fuzz_one(struct slice input)
{
    struct domain_xml_rules rules;
    test_domain_xml_rules(&rules, definition_random, NULL);
    definition_check(input, &rules);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return xml_mutate(data, size, max_size, seed);
}
