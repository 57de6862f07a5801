// Security labels: the one that a start makes up.
#include "hv/qemu/guest/security.h"

#include "hv/qemu/driver.h"

static struct xml_node *dac_label(const struct xml_doc *doc)
{
    XML_EACH (label, doc->root, "seclabel")
        if (xml_attr_is(label, "model", "dac"))
            return label;
    return NULL;
}

void qemu_security_label(struct xml_doc *doc)
{
    if (!qemu_driver.privileged || dac_label(doc))
        return;
    struct xml_node *label = xml_add(doc, doc->root, "seclabel");
    bool relabel = qemu_driver.settings.dynamic_ownership;
    xml_sets(doc, label, "type", "dynamic");
    xml_sets(doc, label, "model", "dac");
    xml_sets(doc, label, "relabel", relabel ? "yes" : "no");
    xml_add_textf(doc, label, "label", "+%u:+%u", qemu_driver.uid, qemu_driver.gid);
    if (relabel)
        xml_add_textf(doc, label, "imagelabel", "+%u:+%u", qemu_driver.uid, qemu_driver.gid);
}
