// What libvirt's validator refuses in a domain that is complete, whatever the hypervisor
// (libvirt: domain_validate.c).
#include "virt/xml/domain_complete.h"

#include "virt/xml/domain_check.h"
#include "virt/xml/xml_value.h"

#include <string.h>

static bool has(const struct xml_node *node, const char *attr)
{
    return slice_present(xml_attr(node, attr));
}

static bool validate_lifecycle(struct domain_xml *x)
{
    static const struct {
        const char *element, *event;
    } events[] = {{"on_poweroff", "poweroff"}, {"on_reboot", "reboot"}};
    for (int i = 0; i < 2; i++) {
        struct slice action = value_text(xml_child(x->root, events[i].element));
        if (slice_starts(action, "coredump-"))
            return REFUSE(x, CONFIG_UNSUPPORTED,
                          "Lifecycle event '%s' doesn't support '%.*s' action", events[i].event,
                          SLICE_ARG(action));
    }
    return true;
}

static bool validate_firmware(struct domain_xml *x)
{
    const struct xml_node *os = xml_child(x->root, "os"), *loader = xml_child(os, "loader"),
                          *nvram = xml_child(os, "nvram");
    static const char *const where = "when firmware autoselection is enabled";
    bool automatic = has(os, "firmware");
    if (automatic && !(x->rules->features & DOMAIN_XML_FIRMWARE_AUTO))
        return REFUSE(x, XML_DETAIL, "firmware auto selection not implemented for this driver");
    if (automatic) {
        if (has(loader, "readonly"))
            return REFUSE(x, XML_DETAIL, "loader attribute 'readonly' cannot be specified %s",
                          where);
        if (has(loader, "type"))
            return REFUSE(x, XML_DETAIL, "loader attribute 'type' cannot be specified %s", where);
        if (value_text(loader).len)
            return REFUSE(x, XML_DETAIL, "loader path cannot be specified %s", where);
        if (has(nvram, "template"))
            return REFUSE(x, XML_DETAIL, "nvram attribute 'template' cannot be specified %s",
                          where);
        if (xml_attr_is(loader, "secure", "no"))
            return REFUSE(x, XML_DETAIL, "loader attribute 'secure' cannot be specified %s", where);
        if (nvram && !xml_attr_is(os, "firmware", "efi"))
            return REFUSE(x, XML_DETAIL, "firmware type '%.*s' does not support nvram",
                          SLICE_ARG(xml_attr(os, "firmware")));
    } else {
        if (xml_child(os, "firmware"))
            return REFUSE(x, XML_DETAIL,
                          "cannot use feature-based firmware autoselection when firmware "
                          "autoselection is disabled");
        if ((loader || nvram) && value_text(loader).len == 0)
            return REFUSE(x, XML_DETAIL,
                          "no loader path specified and firmware auto selection disabled");
    }
    if (xml_attr_is(loader, "stateless", "yes") && has(nvram, "template"))
        return REFUSE(x, XML_DETAIL, "NVRAM template is not permitted when loader is stateless");
    if (xml_attr_is(loader, "stateless", "yes") && nvram)
        return REFUSE(x, XML_DETAIL, "NVRAM is not permitted when loader is stateless");
    if (xml_attr_is(loader, "stateless", "no") && !automatic &&
        !xml_attr_is(loader, "type", "pflash"))
        return REFUSE(x, XML_DETAIL, "Only pflash loader type permits NVRAM");
    if (xml_attr_is(loader, "stateless", "no") && automatic && !xml_attr_is(os, "firmware", "efi"))
        return REFUSE(x, XML_DETAIL, "Only EFI firmware permits NVRAM");
    return true;
}

bool domain_has_iothread(const struct domain_xml *x, unsigned id)
{
    uint32_t count = 0;
    slice_u32(xml_text(xml_child(x->root, "iothreads")), 10, &count);
    const struct xml_node *ids = xml_child(x->root, "iothreadids");
    XML_EACH (iothread, ids, "iothread")
        if (domain_number(iothread, "id", 0) == id)
            return true;
    // Without a list they are numbered from 1.
    return !xml_child(ids, "iothread") && id >= 1 && id <= count;
}

static bool validate_schedulers(struct domain_xml *x)
{
    static struct schema_set set;
    XML_EACH (scheduler, xml_child(x->root, "cputune"), "iothreadsched") {
        if (!schema_set_parse(xml_attr(scheduler, "iothreads"), &set))
            continue;
        for (int id = schema_set_next(&set, 0); id >= 0; id = schema_set_next(&set, id + 1))
            if (!domain_has_iothread(x, (unsigned)id))
                return REFUSE(x, CONFIG_UNSUPPORTED, "Cannot find 'iothread' : %d", id);
    }
    return true;
}

static bool validate_cputune(struct domain_xml *x)
{
    static const struct {
        const char *name;
        uint64_t least, most;
    } ranges[] = {
        {"shares", 2, 262144},
        {"period", 1000, 1000000},
        {"global_period", 1000, 1000000},
        {"emulator_period", 1000, 1000000},
        {"iothread_period", 1000, 1000000},
        {"quota", 1000, 17592186044415},
        {"global_quota", 1000, 17592186044415},
        {"emulator_quota", 1000, 17592186044415},
        {"iothread_quota", 1000, 17592186044415},
    };
    const struct xml_node *cputune = xml_child(x->root, "cputune");
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        int64_t value;
        if (!slice_i64(xml_text(xml_child(cputune, ranges[i].name)), 10, &value) || value <= 0)
            continue;
        if ((uint64_t)value < ranges[i].least || (uint64_t)value > ranges[i].most)
            return REFUSE(x, CONFIG_UNSUPPORTED,
                          "Value of cputune '%s' must be in range [%llu, %llu]", ranges[i].name,
                          (unsigned long long)ranges[i].least, (unsigned long long)ranges[i].most);
    }
    return true;
}

static bool validate_boot(struct domain_xml *x)
{
    int64_t timeout;
    if (slice_i64(xml_attr_at(x->root, "os/bios", "rebootTimeout"), 10, &timeout) &&
        (timeout < -1 || timeout > 65535))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "invalid value for rebootTimeout, must be in range [-1,65535]");
    unsigned primary = 0;
    XML_EACH (video, x->devices, "video")
        primary += xml_attr_is(xml_child(video, "model"), "primary", "yes");
    return primary <= 1 ||
           REFUSE(x, CONFIG_UNSUPPORTED, "Only one primary video device is supported");
}

static bool validate_aliases(struct domain_xml *x)
{
    XML_EACH (device, x->devices, NULL) {
        struct slice alias = xml_attr_at(device, "alias", "name");
        if (!slice_starts(alias, "ua-") || xml_named(device, "console"))
            continue;
        for (const struct xml_node *other = xml_next(device, NULL); other;
             other = xml_next(other, NULL))
            if (!xml_named(other, "console") &&
                slice_equal(xml_attr_at(other, "alias", "name"), alias))
                return REFUSE(x, CONFIG_UNSUPPORTED, "non unique alias detected: %.*s",
                              SLICE_ARG(alias));
    }
    return true;
}

static const struct {
    const char *name, *message;
    int code;
} singles[] = {
    {"watchdog", "only a single watchdog device is supported", VIR_ERR_INTERNAL_ERROR},
    {"memballoon", "only a single memory balloon device is supported", VIR_ERR_INTERNAL_ERROR},
    {"iommu", "only a single IOMMU device is supported", VIR_ERR_XML_ERROR},
    {"vsock", "only a single vsock device is supported", VIR_ERR_XML_ERROR},
    {"redirfilter", "only one set of redirection filter rule is supported", VIR_ERR_INTERNAL_ERROR},
};

bool domain_check_singles(struct domain_xml *x)
{
    for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++)
        if (xml_count(x->devices, singles[i].name) > 1)
            return domain_refuse(x->err, singles[i].code, "%s", singles[i].message);
    bool none = false, other = false, master = false;
    XML_EACH (usb, x->devices, "controller") {
        if (!xml_attr_is(usb, "type", "usb"))
            continue;
        bool disabled = xml_attr_is(usb, "model", "none");
        if (none || (disabled && other))
            return REFUSE(x, XML_DETAIL,
                          "Can't add another USB controller: USB is disabled for this domain");
        none = none || disabled;
        other = other || !disabled;
        master = master || !xml_child(usb, "master");
    }
    if (other && !master)
        return REFUSE(x, XML_DETAIL, "No master USB controller specified");
    XML_EACH (input, x->devices, "input")
        if (none && xml_attr_is(input, "bus", "usb"))
            return REFUSE(x, CONFIG_UNSUPPORTED, "Can't add USB input device. USB bus is disabled");
    if (none && xml_child(x->devices, "hub"))
        return REFUSE(x, CONFIG_UNSUPPORTED, "Can't add USB hub: USB is disabled for this domain");
    return true;
}

bool domain_validate(struct domain_xml *x)
{
    if (x->rules->validate && !x->rules->validate(x))
        return false;
    return domain_validate_devices(x) && validate_aliases(x) && validate_lifecycle(x) &&
           validate_firmware(x) && validate_cputune(x) && validate_schedulers(x) &&
           validate_boot(x) && domain_validate_numa(x);
}
