// A definition as it is shown for another host (VIR_DOMAIN_XML_MIGRATABLE) or with its processor
// settled (VIR_DOMAIN_XML_UPDATE_CPU): as libvirt, a copy that was written and parsed again.
#include "hv/qemu/guest/guest_ops.h"

#include "hv/qemu/capabilities/capabilities_cache.h"
#include "hv/qemu/capabilities/host_model.h"
#include "hv/qemu/driver.h"
#include "virt/domain/definition.h"
#include "virt/xml/domain_xml.h"

// The processor that the guest was started with, in place of what its emulator made of it.
static void put_first_cpu(struct xml_node *root)
{
    struct xml_node *first = xml_child(definition_wrapper(), "cpu"), *now = xml_child(root, "cpu");
    if (!first || !now)
        return;
    xml_move_before(first, now);
    xml_remove(now);
}

static bool update_cpu(struct xml_doc *doc, struct error *err)
{
    char emulator[PORT_PATH_MAX];
    slice_copy(emulator, sizeof(emulator), xml_text_at(doc->root, "devices/emulator"));
    const struct qemu_capabilities *capabilities = qemu_cache_get(emulator);
    if (!capabilities)
        return qemu_cache_refuse(emulator, err);
    qemu_cpu_update(doc, doc->root, capabilities);
    domain_xml_order(doc);
    return true;
}

bool guest_copy_definition(const struct domain *domain, uint32_t flags, struct error *err)
{
    struct xml_doc *from = definition_doc(), *to = definition_scratch();
    struct slice text;
    (void)domain;
    if (flags & VIR_DOMAIN_XML_MIGRATABLE) {
        if (!(flags & VIR_DOMAIN_XML_INACTIVE))
            put_first_cpu(from->root);
        domain_xml_show(from, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE |
                                  VIR_DOMAIN_XML_MIGRATABLE);
    }
    if (!xml_ok(from, err) || !definition_copy(from->root, &text, err) ||
        !domain_xml_parse(to, text, driver_rules(), DOMAIN_XML_PARSE_SKIP_VALIDATE, err))
        return false;
    return !(flags & VIR_DOMAIN_XML_UPDATE_CPU) || !xml_child(to->root, "cpu") ||
           update_cpu(to, err);
}
