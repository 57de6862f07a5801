// Checks of a domain: devices that are kept in definitions, and that no guest can have yet.
#include "virt/xml/domain_check.h"

#include "virt/xml/xml_value.h"

bool domain_check_filesystem_driver(struct schema_walk *walk, struct xml_node *node)
{
    bool virtiofs = xml_attr_is(node, "type", "virtiofs");
    if (!virtiofs)
        xml_unset(node, "queue");
    if (!slice_present(xml_attr(node, "type")))
        domain_keep_attrs(node, "iommu|ats|packed|page_per_vq");
    if (!node->attrs)
        xml_remove(node);
    (void)walk;
    return true;
}

bool domain_check_filesystem(struct schema_walk *walk, struct xml_node *node)
{
    static const struct {
        const char *type, *attr;
    } sources[] = {{"mount", "dir"},
                   {"bind", "dir"},
                   {"file", "file"},
                   {"block", "dev"},
                   {"template", "name"}};
    struct xml_node *source = xml_child(node, "source");
    domain_default_first(walk, node, "type", "mount");
    struct slice target = xml_attr_at(node, "target", "dir");
    if (!xml_attr_is(xml_child(node, "driver"), "type", "virtiofs"))
        xml_remove(xml_child(node, "binary"));
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        if (!xml_attr_is(node, "type", sources[i].type))
            continue;
        bool socket = slice_present(xml_attr(source, "socket"));
        if (!socket && !slice_present(xml_attr(source, sources[i].attr)))
            return slice_present(target) ? REFUSE(walk, NO_SOURCE, "%.*s", SLICE_ARG(target))
                                         : REFUSE(walk, NO_SOURCE, "%s", "");
        domain_keep_attrs(source, socket ? "socket" : sources[i].attr);
    }
    return true;
}

bool domain_check_smartcard(struct schema_walk *walk, struct xml_node *node)
{
    struct slice mode = xml_attr(node, "mode");
    if (!slice_present(mode))
        return REFUSE(walk, XML_ERROR, "missing smartcard device mode");
    if (slice_is(mode, "host-certificates")) {
        if (xml_count(node, "certificate") != 3)
            return REFUSE(walk, XML_ERROR,
                          "host-certificates mode needs exactly three certificates");
        return true;
    }
    if (!slice_is(mode, "passthrough"))
        return true;
    struct slice type = xml_attr(node, "type");
    if (!slice_present(type))
        return REFUSE(walk, XML_ERROR,
                      "passthrough mode requires a character device type attribute");
    return domain_check_char_source(walk, node, type);
}

bool domain_check_tpm(struct schema_walk *walk, struct xml_node *node)
{
    struct xml_node *backend = xml_child(node, "backend");
    if (!backend)
        return REFUSE(walk, XML_ERROR, "missing TPM device backend");
    if (!slice_present(xml_attr(backend, "type")))
        return REFUSE(walk, XML_ERROR, "missing TPM device backend type");
    struct slice type = xml_attr(backend, "type");
    if (xml_attr_is(backend, "persistent_state", "no"))
        xml_unset(backend, "persistent_state");
    if (!slice_is(type, "emulator"))
        domain_keep_attrs(backend, "type");
    if (slice_is(type, "passthrough") && !xml_child(backend, "device"))
        xml_sets(walk->doc, xml_add(walk->doc, backend, "device"), "path", "/dev/tpm0");
    return true;
}

bool domain_check_hostdev(struct schema_walk *walk, struct xml_node *node)
{
    struct slice mode = xml_attr(node, "mode");
    if (slice_present(mode) && !schema_has_word("subsystem|capabilities", mode))
        return REFUSE(walk, XML_ERROR, "unknown hostdev mode '%.*s'", SLICE_ARG(mode));
    domain_default_first(walk, node, "mode", "subsystem");
    if (!slice_present(xml_attr(node, "type")))
        return REFUSE(walk, XML_ERROR, "missing source address type");
    if (!xml_attr_is(node, "mode", "subsystem"))
        return true;
    if (!slice_present(xml_attr(node, "managed"))) {
        struct xml_attr *type = node->attrs->next, *rest = type ? type->next : NULL;
        if (type)
            type->next = NULL;
        xml_sets(walk->doc, node, "managed", "no");
        struct xml_attr *last = node->attrs;
        while (last->next)
            last = last->next;
        last->next = rest;
    }
    return true;
}

bool domain_check_shmem(struct schema_walk *walk, struct xml_node *node)
{
    struct xml_node *model = xml_child(node, "model"), *size = xml_child(node, "size");
    if (!model) {
        model = node->child ? xml_add_before(walk->doc, node->child, "model")
                            : xml_add(walk->doc, node, "model");
        xml_sets(walk->doc, model, "type", "ivshmem");
    }
    if (!slice_present(xml_attr(node, "name")))
        return REFUSE(walk, XML_ERROR, "shmem element must contain 'name' attribute");
    if (xml_child(node, "msi") && !xml_child(node, "server"))
        return REFUSE(walk, XML_ERROR, "msi option is only supported with a server");
    uint64_t bytes;
    if (size && slice_u64(xml_text(size), 10, &bytes)) {
        xml_sets(walk->doc, size, "unit", "M");
        xml_set_textf(walk->doc, size, "%llu", (unsigned long long)(bytes >> 20));
    }
    return true;
}

// --- filters of redirected USB devices

// A number in any base, or "-1" for any device; shown with `digits` hexadecimal digits.
static bool usb_code(struct schema_walk *walk, struct xml_node *node, const char *name, int digits)
{
    struct slice text = xml_attr(node, name);
    bool negative;
    uint64_t value;
    if (!slice_present(text))
        return true;
    if (!schema_number(text, 0, &negative, &value))
        return REFUSE(walk, XML_ERROR,
                      "Invalid value for attribute '%s' in element 'usbdev': '%.*s'. Expected "
                      "integer value",
                      name, SLICE_ARG(text));
    if (negative)
        xml_unset(node, name);
    else if (digits == 2 && value > 0xFF)
        return REFUSE(walk, INTERNAL_ERROR, "Invalid USB Class code 0x%llx",
                      (unsigned long long)value);
    else
        xml_setf(walk->doc, node, name, "0x%0*llX", digits, (unsigned long long)value);
    return true;
}

// "1.1" is 1.10, not 1.01.
static bool usb_version(struct schema_walk *walk, struct xml_node *node)
{
    struct slice text = xml_attr(node, "version");
    ptrdiff_t dot = slice_find(text, '.');
    uint32_t major, minor;
    if (!slice_present(text))
        return true;
    if (slice_is(text, "-1")) {
        xml_unset(node, "version");
        return true;
    }
    struct slice tail = slice_from(text, dot < 0 ? 0 : (size_t)dot + 1);
    if (dot < 0 || !slice_u32((struct slice){text.at, (size_t)dot}, 10, &major) ||
        !slice_u32(tail, 10, &minor) || major >= 100 || minor >= 100)
        return REFUSE(walk, XML_ERROR, "Cannot parse USB device version %.*s", SLICE_ARG(text));
    if (tail.len == 1)
        minor *= 10;
    xml_setf(walk->doc, node, "version", "%u.%02u", (unsigned)major, (unsigned)minor);
    return true;
}

bool domain_check_usbdev(struct schema_walk *walk, struct xml_node *node)
{
    return usb_code(walk, node, "class", 2) && usb_code(walk, node, "vendor", 4) &&
           usb_code(walk, node, "product", 4) && usb_version(walk, node);
}
