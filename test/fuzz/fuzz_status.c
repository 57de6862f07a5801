// The daemon's own files as a disk may give them back: a definition and the status file of a
// running domain, read at start-up and written again.
//
// An input is one file. It is read as both.
#include "xml_mutate.h"

#include "core/log.h"
#include "core/paths.h"
#include "hv/test/driver.h"
#include "virt/domain/definition.h"
#include "virt/xml/domain_xml.h"

#include <stdio.h>

#define NAME "guest" // a file is read only under the name that it says

const struct hypervisor *const hypervisors[] = {&test_hypervisor, NULL};

static char config_file[256], state_file[256];

void fuzz_start(void)
{
    struct error err = {0};
    if (!paths_choose(fuzz_directory(), false, &err) || !test_hypervisor.initialize(&err))
        FUZZ_FAIL("%s", err.message);
    snprintf(config_file, sizeof(config_file), "%s/" NAME ".xml", test_hypervisor.config_dir);
    snprintf(state_file, sizeof(state_file), "%s/" NAME ".xml", test_hypervisor.state_dir);
    FUZZ_CHECK(log_set_outputs(SLICE("1:file:/dev/null"), &err));
}

static void show(const struct domain *domain)
{
    struct error err = {0};
    struct xml_node *tree = definition_current(domain, &err);
    FUZZ_TOLD(tree != NULL, &err);
    if (!tree)
        return;
    bool good = definition_write_live(domain, tree, &err);
    FUZZ_TOLD(good, &err);
    if (good && !definition_tree(domain, DEFINITION_LIVE, &err))
        FUZZ_FAIL("its own status file is refused: %s", err.message);
    domain_xml_show(definition_doc(), 0);
}

void fuzz_one(struct slice input)
{
    fuzz_file_write(config_file, input);
    fuzz_file_write(state_file, input);
    definition_load_all(&test_hypervisor);
    struct domain *domain = domain_next(&test_hypervisor, NULL);
    if (domain) {
        FUZZ_CHECK(slice_is(slice_of(domain->name), NAME));
        FUZZ_CHECK(domain_by_uuid(&test_hypervisor, domain->uuid) == domain);
        FUZZ_CHECK(domain_next(&test_hypervisor, domain) == NULL);
        show(domain);
    }
    domain_remove_all(&test_hypervisor);
    FUZZ_CHECK(domain_next(&test_hypervisor, NULL) == NULL);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return xml_mutate(data, size, max_size, seed);
}
