// The row that a document from a client is for.
#include "virt/domain/domain_claim.h"

#include "virt/access.h"

// VIR_ERR_OPERATION_FAILED when name or uuid belong to another domain (virDomainObjListAdd).
static bool check_identity(const struct domain *same_uuid, const struct domain *same_name,
                           struct slice name, struct error *err)
{
    char uuid[37];
    if (same_uuid && !slice_is(name, same_uuid->name)) {
        domain_uuid_format(same_uuid->uuid, uuid);
        return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED,
                         "domain '%s' is already defined with uuid %s", same_uuid->name, uuid);
    }
    if (!same_uuid && same_name) {
        domain_uuid_format(same_name->uuid, uuid);
        return error_set(err, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED,
                         "domain '%.*s' already exists with uuid %s", SLICE_ARG(name), uuid);
    }
    return true;
}

struct domain *domain_claim(struct call *call, const struct hypervisor *hypervisor,
                            const struct xml_node *tree, bool *added)
{
    struct error *err = &call->error;
    uint8_t uuid[16];
    struct slice name = xml_text_at(tree, "name");
    *added = false;
    if (!domain_uuid_parse(xml_text_at(tree, "uuid"), uuid)) {
        error_set(err, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "malformed uuid element");
        return NULL;
    }
    const struct access_object object = {.kind = ACCESS_DOMAIN, .name = name, .uuid = uuid};
    if (!access_check_object(call, &object))
        return NULL;
    struct domain *same_uuid = domain_taken_uuid(hypervisor, uuid);
    struct domain *same_name = domain_taken_name(hypervisor, name);
    // A name that is another's behind this uuid is told only to who may do the same to that one.
    if (same_uuid && !slice_is(name, same_uuid->name) && !access_check_domain(call, same_uuid))
        return NULL;
    if (!check_identity(same_uuid, same_name, name, err))
        return NULL;
    if (same_uuid) {
        domain_ref(same_uuid);
        return same_uuid;
    }
    *added = true;
    return domain_add(hypervisor, uuid, name, err);
}
