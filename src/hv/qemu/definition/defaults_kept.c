// QEMU domains: default models of devices that are kept in definitions, and that no guest can have
// yet.
#include "hv/qemu/definition/machine.h"

#include "virt/xml/domain_check.h"

bool qemu_complete_tpm(struct domain_xml *x, struct xml_node *tpm)
{
    struct xml_node *backend = xml_child(tpm, "backend");
    if (!slice_present(xml_attr(tpm, "model")))
        xml_sets(x->doc, tpm, "model", "tpm-tis");
    if (xml_attr_is(backend, "type", "emulator") && !slice_present(xml_attr(backend, "version"))) {
        bool newer = xml_attr_is(tpm, "model", "tpm-crb") || machine_is_arm_virt(x);
        xml_sets(x->doc, backend, "version", newer ? "2.0" : "1.2");
    }
    return true;
}

bool qemu_complete_shmem(struct domain_xml *x, struct xml_node *shmem)
{
    struct xml_node *size = xml_child(shmem, "size"), *server = xml_child(shmem, "server");
    struct slice model = xml_attr_at(shmem, "model", "type");
    bool doorbell = slice_is(model, "ivshmem-doorbell");
    if (!doorbell && !size) {
        size = xml_add_text(x->doc, shmem, "size", SLICE("4"));
        xml_sets(x->doc, size, "unit", "M");
    }
    if (slice_is(model, "ivshmem"))
        return true;
    if (!server && doorbell)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "shmem model '%.*s' is supported only with server option enabled",
                           SLICE_ARG(model));
    if (server && !doorbell)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "shmem model '%.*s' is supported only with server option disabled",
                           SLICE_ARG(model));
    if (server && size)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "shmem model '%.*s' does not support size setting", SLICE_ARG(model));
    if (server) {
        struct xml_node *msi = xml_need(x->doc, shmem, "msi");
        if (!slice_present(xml_attr(msi, "ioeventfd")))
            xml_sets(x->doc, msi, "ioeventfd", "on");
    }
    return true;
}
