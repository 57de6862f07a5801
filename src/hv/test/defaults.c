// test:///default domains: what libvirt's test driver adds to a definition.
#include "hv/test/defaults.h"

#include "virt/xml/domain_complete.h"

// The driver's hosts are i686.
static bool complete_os(struct domain_xml *x)
{
    struct xml_node *type = xml_find(x->root, "os/type");
    if (!slice_present(xml_attr(type, "arch")))
        xml_sets(x->doc, type, "arch", "i686");
    return true;
}

static bool uses_name(const struct domain_xml *x, unsigned number)
{
    char name[32];
    struct buffer out = buffer_over(name, sizeof(name));
    buffer_printf(&out, "testnet%u", number);
    XML_EACH (interface, x->devices, "interface")
        if (xml_attr_is(xml_child(interface, "target"), "dev", name))
            return true;
    return false;
}

// Interfaces are shown with the names that their taps would have (testDomainGenerateIfnames).
static bool complete_domain(struct domain_xml *x)
{
    XML_EACH (interface, x->devices, "interface") {
        struct xml_node *target = xml_need(x->doc, interface, "target");
        unsigned number = 0;
        if (slice_present(xml_attr(target, "dev")))
            continue;
        while (uses_name(x, number))
            number++;
        xml_setf(x->doc, target, "dev", "testnet%u", number);
    }
    return true;
}

static bool complete_device(struct domain_xml *x, struct xml_node *device)
{
    struct xml_node *model = xml_child(device, "model");
    if (!xml_named(device, "video") || slice_present(xml_attr(model, "type")))
        return true;
    struct slice arch = domain_arch(x);
    if (!domain_is_hvm(x))
        xml_sets(x->doc, model, "type", "xen");
    else if (slice_is(arch, "ppc64") || slice_is(arch, "ppc64le"))
        xml_sets(x->doc, model, "type", "vga");
    else
        xml_sets(x->doc, model, "type", "cirrus");
    return true;
}

void test_domain_xml_rules(struct domain_xml_rules *rules,
                           bool (*random)(void *data, void *bytes, size_t len), void *data)
{
    *rules = (struct domain_xml_rules){
        .features = DOMAIN_XML_MEMORY_HOTPLUG | DOMAIN_XML_NET_MODEL_STRING |
                    DOMAIN_XML_INDIVIDUAL_VCPUS | DOMAIN_XML_USER_ALIAS | DOMAIN_XML_FIRMWARE_AUTO,
        .mac_prefix = {0x52, 0x54, 0x00},
        .random = random,
        .complete_os = complete_os,
        .complete_domain = complete_domain,
        .complete_device = complete_device,
        .data = data,
    };
}
