// QEMU domains: what is decided when a guest starts (libvirt: qemu_firmware.c and the preparing
// part of qemu_process.c).
#include "hv/qemu/definition/defaults.h"
#include "virt/xml/domain_check.h"
#include "virt/xml/xml_value.h"

#define SHORT_NAME 20 // characters of the name that are part of paths

struct resolve {
    struct xml_doc *doc;
    struct xml_node *root, *devices;
    const struct qemu_lookup *lookup;
    struct slice id, short_name;
    struct error *err;
};

// --- firmware

static enum qemu_firmware_wish wish_of(struct slice word)
{
    if (!slice_present(word))
        return QEMU_WISH_ANY;
    return slice_is(word, "yes") ? QEMU_WISH_YES : QEMU_WISH_NO;
}

static enum qemu_firmware_wish wished_feature(const struct xml_node *os, const char *name)
{
    XML_EACH (feature, xml_child(os, "firmware"), "feature")
        if (xml_attr_is(feature, "name", name))
            return wish_of(xml_attr(feature, "enabled"));
    return QEMU_WISH_ANY;
}

static struct qemu_firmware wanted_firmware(const struct xml_node *os, struct slice type)
{
    const struct xml_node *loader = xml_child(os, "loader");
    return (struct qemu_firmware){
        .type = type,
        .arch = xml_attr_at(os, "type", "arch"),
        .machine = xml_attr_at(os, "type", "machine"),
        .secure_boot = wished_feature(os, "secure-boot"),
        .enrolled_keys = wished_feature(os, "enrolled-keys"),
        .secure_loader = wish_of(xml_attr(loader, "secure")),
        .stateless = wish_of(xml_attr(loader, "stateless")),
        .loader = xml_text(loader),
    };
}

static bool need_smm(struct resolve *r, struct xml_node *loader)
{
    struct xml_node *smm = xml_need(r->doc, xml_need(r->doc, r->root, "features"), "smm");
    if (xml_attr_is(smm, "state", "off"))
        return error_set(r->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                         "domain has SMM turned off but chosen firmware requires it");
    if (!slice_present(xml_attr(smm, "state")))
        xml_sets(r->doc, smm, "state", "on");
    if (slice_present(xml_attr(loader, "secure")) && !xml_attr_is(loader, "secure", "yes"))
        return error_set(r->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                         "domain has pflash programming restriction turned off but chosen firmware "
                         "requires it");
    xml_sets(r->doc, loader, "secure", "yes");
    return true;
}

static void use_flash(struct resolve *r, struct xml_node *os, struct xml_node *loader,
                      const struct qemu_firmware *found)
{
    xml_sets(r->doc, loader, "readonly", "yes");
    xml_sets(r->doc, loader, "type", "pflash");
    if (!slice_present(found->nvram_template))
        return;
    struct xml_node *nvram = xml_need(r->doc, os, "nvram");
    xml_set(r->doc, nvram, "template", found->nvram_template);
    if (!nvram->child)
        xml_set_textf(r->doc, nvram, "%s/%.*s_VARS.fd", r->lookup->nvram_dir,
                      SLICE_ARG(xml_text_at(r->root, "name")));
}

static bool resolve_firmware(struct resolve *r)
{
    struct xml_node *os = xml_child(r->root, "os"), *loader = xml_child(os, "loader");
    struct slice type = xml_attr(os, "firmware");
    bool chosen = !slice_present(type); // by its path; only the template may be missing
    bool flash = xml_attr_is(loader, "type", "pflash") && xml_attr_is(loader, "readonly", "yes");
    if (chosen && (!flash || xml_attr_is(loader, "stateless", "yes") ||
                   slice_present(xml_attr_at(os, "nvram", "template"))))
        return true;
    struct qemu_firmware firmware = wanted_firmware(os, chosen ? SLICE("efi") : type);
    if (!r->lookup->firmware(r->lookup->data, &firmware))
        return chosen ||
               error_set(r->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                         "Unable to find any firmware to satisfy '%.*s'", SLICE_ARG(type));
    loader = xml_need(r->doc, os, "loader");
    xml_set_text(r->doc, loader, firmware.loader);
    if (firmware.pflash)
        use_flash(r, os, loader, &firmware);
    else
        xml_sets(r->doc, loader, "type", "rom");
    xml_unset(os, "firmware");
    return !firmware.loader_secure || need_smm(r, loader);
}

// --- sockets and addresses

static void name_channel(struct resolve *r, struct xml_node *channel)
{
    struct xml_node *source = xml_child(channel, "source"), *target = xml_child(channel, "target");
    bool guest_agent = xml_attr_is(target, "type", "virtio") || xml_attr_is(target, "type", "xen");
    if (!xml_attr_is(channel, "type", "unix") || !guest_agent ||
        slice_present(xml_attr(source, "path")))
        return;
    struct slice name = xml_attr(target, "name");
    char place[64];
    if (!name.len) {
        const struct xml_node *address = xml_child(channel, "address");
        struct buffer out = buffer_over(place, sizeof(place));
        buffer_printf(&out, "vioser-%02u-%02u-%02u.sock", domain_number(address, "controller", 0),
                      domain_number(address, "bus", 0), domain_number(address, "port", 0));
        name = buffer_slice(&out);
    }
    source = xml_need(r->doc, channel, "source");
    if (!slice_present(xml_attr(source, "mode")))
        xml_sets(r->doc, source, "mode", "bind");
    xml_setf(r->doc, source, "path", "%s/domain-%.*s-%.*s/%.*s", r->lookup->channel_dir,
             SLICE_ARG(r->id), SLICE_ARG(r->short_name), SLICE_ARG(name));
}

static void resolve_listen(struct resolve *r, struct xml_node *graphics)
{
    bool vnc = xml_attr_is(graphics, "type", "vnc");
    const char *standard = vnc ? r->lookup->vnc_listen : r->lookup->spice_listen;
    struct xml_node *first = xml_child(graphics, "listen");
    XML_EACH (listen, graphics, "listen") {
        if (xml_attr_is(listen, "type", "address") && !slice_present(xml_attr(listen, "address")))
            xml_sets(r->doc, listen, "address", standard ? standard : "127.0.0.1");
        else if (xml_attr_is(listen, "type", "socket") &&
                 !slice_present(xml_attr(listen, "socket")))
            xml_setf(r->doc, listen, "socket", "%s/domain-%.*s-%.*s/%s.sock",
                     r->lookup->lib_dir ? r->lookup->lib_dir : "/var/lib/libvirt/qemu",
                     SLICE_ARG(r->id), SLICE_ARG(r->short_name), vnc ? "vnc" : "spice");
    }
    if (slice_present(xml_attr(first, "address")))
        xml_set(r->doc, graphics, "listen", xml_attr(first, "address"));
    else if (vnc && slice_present(xml_attr(first, "socket")))
        xml_set(r->doc, graphics, "socket", xml_attr(first, "socket"));
}

// --- TLS of character devices

// qemu.conf can not switch it on here; what it says is marked, as it goes with the run.
static void settle_tls(struct resolve *r, struct xml_node *chardev)
{
    struct xml_node *source = xml_child(chardev, "source");
    if (!xml_attr_is(chardev, "type", "tcp") || !source || slice_present(xml_attr(source, "tls")))
        return;
    xml_sets(r->doc, source, "tls", "no");
    xml_sets(r->doc, source, "tlsFromConfig", "1");
}

static void settle_chardevs(struct resolve *r)
{
    static const char chardevs[] = "serial|parallel|channel|console|redirdev|smartcard";
    XML_EACH (device, r->devices, NULL) {
        if (schema_has_word(chardevs, device->name))
            settle_tls(r, device);
        else if (xml_named(device, "rng"))
            settle_tls(r, xml_child(device, "backend"));
    }
}

// --- disks

#define WITHOUT_BACKING "raw|dir|bochs|cloop|dmg|iso|vpc|vdi|vhd|ploop|luks"

// The whole chain of images of one disk; a drive without a medium takes a number all the same.
static void number_sources(struct resolve *r, struct xml_node *disk, unsigned *last)
{
    struct xml_node *image = disk;
    do {
        struct xml_node *source = xml_child(image, "source");
        ++*last;
        if (source)
            xml_setf(r->doc, image == disk ? source : image, "index", "%u", *last);
        if (source && schema_has_word(WITHOUT_BACKING, xml_attr_at(image, "driver", "type")))
            xml_need(r->doc, image, "backingStore"); // such an image is based on none
        image = xml_child(image, "backingStore");
    } while (xml_child(image, "source"));
}

// Guests that share an image must not each have a cache of it.
static void resolve_cache(struct resolve *r, struct xml_node *disk)
{
    struct xml_node *driver = xml_child(disk, "driver");
    if (driver && xml_child(disk, "shareable") && !xml_child(disk, "readonly") &&
        !slice_present(xml_attr(driver, "cache")))
        xml_sets(r->doc, driver, "cache", "none");
}

static void resolve_disks(struct resolve *r)
{
    unsigned last = 0;
    for (struct xml_node *disk = r->devices->last; disk; disk = disk->prev) {
        if (!xml_named(disk, "disk"))
            continue;
        bool empty = !xml_child(disk, "source");
        if (empty)
            xml_unset(xml_child(disk, "driver"), "type");
        number_sources(r, disk, &last);
        resolve_cache(r, disk);
    }
}

// --- the whole

static struct slice shorten(struct slice name)
{
    size_t at = 0;
    for (unsigned count = 0; at < name.len; at++) {
        bool starts = ((unsigned char)name.at[at] & 0xC0) != 0x80;
        if (starts && ++count > SHORT_NAME)
            break;
    }
    name.len = at;
    return name;
}

bool qemu_domain_xml_resolve(struct xml_doc *doc, const struct qemu_lookup *lookup,
                             struct error *err)
{
    struct resolve r = {
        .doc = doc,
        .root = doc->root,
        .devices = xml_child(doc->root, "devices"),
        .lookup = lookup,
        .id = xml_attr(doc->root, "id"),
        .short_name = shorten(xml_text_at(doc->root, "name")),
        .err = err,
    };
    if (!resolve_firmware(&r))
        return false;
    XML_EACH (channel, r.devices, "channel")
        name_channel(&r, channel);
    settle_chardevs(&r);
    XML_EACH (graphics, r.devices, "graphics")
        resolve_listen(&r, graphics);
    resolve_disks(&r);
    domain_xml_order(doc);
    return xml_ok(doc, err);
}
