// What libvirt's validator refuses in the devices of a domain that is complete, whatever the
// hypervisor (libvirt: domain_validate.c).
#include "virt/xml/domain_check.h"
#include "virt/xml/domain_complete.h"
#include "virt/xml/xml_value.h"

#include <string.h>

static bool has(const struct xml_node *node, const char *attr)
{
    return slice_present(xml_attr(node, attr));
}

static bool printable(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < ' ' || text.at[i] > '~')
            return false;
    return true;
}

// Options of virtio devices on a device that is none.
static bool no_virtio_options(struct domain_xml *x, const struct xml_node *device)
{
    const struct xml_node *driver = xml_child(device, "driver");
    static const char *const names[] = {"iommu", "ats", "packed"};
    for (int i = 0; i < 3; i++)
        if (has(driver, names[i]))
            return REFUSE(x, CONFIG_UNSUPPORTED,
                          "%s driver option is only supported for virtio devices", names[i]);
    if (has(driver, "page_per_vq"))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "page_per_vq option is only supported for virtio devices");
    return true;
}

// --- disks

static struct slice source_path(const struct xml_node *disk)
{
    static const char *const names[] = {"file", "dev", "dir", "name"};
    for (int i = 0; i < 4; i++)
        if (xml_attr_at(disk, "source", names[i]).len)
            return xml_attr_at(disk, "source", names[i]);
    return SLICE_NONE;
}

static bool validate_target(struct domain_xml *x, const struct xml_node *disk)
{
    const struct xml_node *target = xml_child(disk, "target"), *source = xml_child(disk, "source");
    struct slice path = source_path(disk);
    if (xml_attr(target, "dev").len)
        return true;
    if (has(source, "pool"))
        return REFUSE(x, NO_TARGET, "pool = '%.*s', volume = '%.*s'",
                      SLICE_ARG(xml_attr(source, "pool")), SLICE_ARG(xml_attr(source, "volume")));
    return REFUSE(x, NO_TARGET, "%.*s", SLICE_ARG(path));
}

static bool validate_lun(struct domain_xml *x, const struct xml_node *disk)
{
    const struct xml_node *source = xml_child(disk, "source"), *driver = xml_child(disk, "driver");
    bool lun = xml_attr_is(disk, "device", "lun");
    if (xml_attr_is(disk, "sgio", "unfiltered"))
        return REFUSE(x, CONFIG_UNSUPPORTED, "unfiltered sgio is no longer supported");
    if (!lun) {
        if (xml_child(source, "reservations"))
            return REFUSE(x, CONFIG_UNSUPPORTED, "<reservations/> allowed only for lun devices");
        if (has(disk, "rawio"))
            return REFUSE(x, CONFIG_UNSUPPORTED, "rawio can be used only with device='lun'");
        return !has(disk, "sgio") ||
               REFUSE(x, CONFIG_UNSUPPORTED, "sgio can be used only with device='lun'");
    }
    if (xml_attr_is(disk, "type", "network")) {
        if (!xml_attr_is(source, "protocol", "iscsi"))
            return REFUSE(x, CONFIG_UNSUPPORTED,
                          "disk device='lun' is not supported for protocol='%.*s'",
                          SLICE_ARG(xml_attr(source, "protocol")));
    } else if (!xml_attr_is(disk, "type", "block") && !xml_attr_is(disk, "type", "volume")) {
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "disk device='lun' is only valid for block type disk source");
    }
    if (has(driver, "type") && !xml_attr_is(driver, "type", "raw"))
        return REFUSE(x, CONFIG_UNSUPPORTED, "disk device 'lun' must use 'raw' format");
    return true;
}

static bool validate_iotune(struct domain_xml *x, const struct xml_node *disk)
{
    static const char *const names[] = {"bytes_sec", "iops_sec", "bytes_sec_max", "iops_sec_max"};
    const struct xml_node *iotune = xml_child(disk, "iotune");
    for (int i = 0; i < 4; i++) {
        char total[32] = "total_", reading[32] = "read_", writing[32] = "write_";
        strcat(total, names[i]);
        strcat(reading, names[i]);
        strcat(writing, names[i]);
        if (xml_child(iotune, total) && (xml_child(iotune, reading) || xml_child(iotune, writing)))
            return REFUSE(x, XML_ERROR, "total and read/write %s cannot be set at the same time",
                          names[i]);
    }
    return true;
}

static bool validate_disk_bus(struct domain_xml *x, const struct xml_node *disk)
{
    const struct xml_node *target = xml_child(disk, "target"), *driver = xml_child(disk, "driver");
    struct slice bus = xml_attr(target, "bus"), address = domain_address_type(disk);
    if (slice_present(address) && !slice_is(address, "drive") &&
        schema_has_word("ide|fdc|scsi|sata", bus))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "Invalid address type '%.*s' for the disk '%.*s' with the bus type '%.*s'",
                      SLICE_ARG(address), SLICE_ARG(xml_attr(target, "dev")), SLICE_ARG(bus));
    if (slice_is(bus, "virtio"))
        return true;
    if (has(disk, "model"))
        return REFUSE(x, CONFIG_UNSUPPORTED, "disk model '%.*s' not supported for bus '%.*s'",
                      SLICE_ARG(xml_attr(disk, "model")), SLICE_ARG(bus));
    if (has(driver, "queues"))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "queues attribute in disk driver element is only supported by virtio-blk");
    if (has(driver, "event_idx"))
        return REFUSE(x, CONFIG_UNSUPPORTED, "disk event_idx mode supported only for virtio bus");
    if (has(driver, "ioeventfd"))
        return REFUSE(x, CONFIG_UNSUPPORTED, "disk ioeventfd mode supported only for virtio bus");
    return no_virtio_options(x, disk);
}

static bool validate_disk_strings(struct domain_xml *x, const struct xml_node *disk)
{
    static const struct {
        const char *name;
        unsigned most;
    } strings[] = {{"vendor", 8}, {"product", 16}};
    for (int i = 0; i < 2; i++) {
        struct slice text = value_text(xml_child(disk, strings[i].name));
        if (!printable(text))
            return REFUSE(x, XML_ERROR, "disk %s is not printable string", strings[i].name);
        if (text.len > strings[i].most)
            return REFUSE(x, CONFIG_UNSUPPORTED, "disk %s is more than %u characters",
                          strings[i].name, strings[i].most);
    }
    struct slice wwn = value_text(xml_child(disk, "wwn"));
    struct slice digits = slice_starts(wwn, "0x") ? slice_from(wwn, 2) : wwn;
    for (size_t i = 0; i < digits.len; i++)
        if (!strchr("0123456789abcdefABCDEF", digits.at[i]))
            return REFUSE(x, INTERNAL_ERROR, "Malformed wwn: %.*s", SLICE_ARG(wwn));
    if (wwn.len && digits.len != 16)
        return REFUSE(x, INTERNAL_ERROR, "Malformed wwn: %.*s", SLICE_ARG(wwn));
    return true;
}

static bool validate_disk_device(struct domain_xml *x, const struct xml_node *disk)
{
    const struct xml_node *target = xml_child(disk, "target"), *source = xml_child(disk, "source");
    struct slice bus = xml_attr(target, "bus"), policy = xml_attr(source, "startupPolicy");
    bool floppy = xml_attr_is(disk, "device", "floppy"),
         cdrom = xml_attr_is(disk, "device", "cdrom");
    if (floppy != slice_is(bus, "fdc"))
        return REFUSE(x, INTERNAL_ERROR,
                      floppy ? "Invalid bus type '%.*s' for floppy disk"
                             : "Invalid bus type '%.*s' for disk",
                      SLICE_ARG(bus));
    if (has(target, "removable") && !slice_is(bus, "usb"))
        return REFUSE(x, XML_ERROR, "removable is only valid for usb disks");
    if (slice_present(policy) && xml_attr_is(disk, "type", "network"))
        return REFUSE(x, XML_ERROR,
                      "disk startupPolicy '%.*s' is not allowed for disk of 'network' type",
                      SLICE_ARG(policy));
    if (!cdrom && !floppy && slice_is(policy, "requisite"))
        return REFUSE(x, XML_ERROR,
                      "disk startupPolicy 'requisite' is allowed only for cdrom or floppy");
    return true;
}

static bool validate_disk_name(struct domain_xml *x, const struct xml_node *disk)
{
    static const char *const prefixes[] = {"hd", "sd", "vd", "xvd", "ubd"};
    struct slice name = xml_attr_at(disk, "target", "dev");
    bool known = false;
    for (int i = 0; i < 5; i++)
        known = known || slice_starts(name, prefixes[i]);
    bool floppy = xml_attr_is(disk, "device", "floppy"),
         cdrom = xml_attr_is(disk, "device", "cdrom");
    if (!floppy && !cdrom && !known)
        return REFUSE(x, INTERNAL_ERROR, "Invalid harddisk device name: %.*s", SLICE_ARG(name));
    if (floppy && !slice_starts(name, "fd"))
        return REFUSE(x, INTERNAL_ERROR, "Invalid floppy device name: %.*s", SLICE_ARG(name));
    bool local = schema_has_word("file|block|dir", xml_attr(disk, "type"));
    bool empty = !xml_child(disk, "source") || (local && !source_path(disk).len);
    if (empty && xml_attr_is(disk, "device", "disk"))
        return REFUSE(x, NO_SOURCE, "%.*s", SLICE_ARG(name));
    return true;
}

// Of one image of a disk's chain.
static bool validate_image(struct domain_xml *x, const struct xml_node *image)
{
    const struct xml_node *source = xml_child(image, "source"), *auth = xml_child(source, "auth"),
                          *encryption = xml_child(source, "encryption");
    struct slice protocol = xml_attr(source, "protocol"),
                 secret = xml_attr_at(auth, "secret", "type");
    if (!auth)
        auth = xml_child(image, "auth");
    if (!encryption)
        encryption = xml_child(image, "encryption");
    if (auth) {
        secret = xml_attr_at(auth, "secret", "type");
        if (schema_has_word("nbd|sheepdog|gluster|tftp|vxhs|nfs", protocol))
            return REFUSE(x, CONFIG_UNSUPPORTED,
                          "authentication is not supported for protocol '%.*s'",
                          SLICE_ARG(protocol));
        if (!schema_has_word("none|volume|ceph|iscsi|tls|vtpm", secret))
            return REFUSE(x, CONFIG_UNSUPPORTED, "unknown secret type '%.*s'",
                          SLICE_ARG(slice_present(secret) ? secret : SLICE("<null>")));
        if ((slice_is(protocol, "iscsi") && !slice_is(secret, "iscsi")) ||
            (slice_is(protocol, "rbd") && !slice_is(secret, "ceph")))
            return REFUSE(x, CONFIG_UNSUPPORTED, "invalid secret type '%.*s'", SLICE_ARG(secret));
    }
    return !xml_attr_is(encryption, "format", "luks") ||
           !xml_attr(xml_child(encryption, "cipher"), "name").len ||
           REFUSE(x, CONFIG_UNSUPPORTED,
                  "supplying <cipher> for domain disk definition is unnecessary");
}

static bool validate_disk(struct domain_xml *x, const struct xml_node *disk)
{
    for (const struct xml_node *image = disk; xml_child(image, "source");
         image = xml_child(image, "backingStore"))
        if (!validate_image(x, image))
            return false;
    return validate_target(x, disk) && validate_lun(x, disk) && validate_iotune(x, disk) &&
           validate_disk_bus(x, disk) && validate_disk_strings(x, disk) &&
           validate_disk_device(x, disk) && validate_disk_name(x, disk);
}

// --- interfaces

static bool validate_interface(struct domain_xml *x, const struct xml_node *node)
{
    struct slice type = xml_attr(node, "type"), mac = xml_attr_at(node, "mac", "address");
    const struct xml_node *source = xml_child(node, "source"),
                          *teaming = xml_child(node, "teaming");
    bool addressed = xml_child(source, "ip") || xml_child(source, "route");
    if (addressed && !slice_is(type, "ethernet"))
        return REFUSE(
            x, CONFIG_UNSUPPORTED,
            "Invalid attempt to set network interface host-side IP route and/or address info on "
            "interface of type '%.*s'. This is only supported on interfaces of type 'ethernet'",
            SLICE_ARG(type));
    if (xml_attr_is(xml_child(node, "target"), "managed", "no") && !slice_is(type, "ethernet"))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "unmanaged target dev is not supported on interfaces of type '%.*s'",
                      SLICE_ARG(type));
    if (teaming && xml_attr_is(teaming, "type", "transient") != has(teaming, "persistent"))
        return has(teaming, "persistent")
                   ? REFUSE(x, CONFIG_UNSUPPORTED,
                            "teaming persistent attribute not allowed if teaming type is '%.*s'",
                            SLICE_ARG(xml_attr(teaming, "type")))
                   : REFUSE(
                         x, CONFIG_UNSUPPORTED,
                         "teaming persistent attribute must be set if teaming type is 'transient'");
    if (xml_attr_is(xml_child(node, "port"), "isolated", "yes") &&
        !schema_has_word("network|bridge", type))
        return REFUSE(
            x, CONFIG_UNSUPPORTED,
            "interface %.*s - <port isolated='yes'/> is not supported for network interfaces with "
            "type='%.*s'",
            SLICE_ARG(mac), SLICE_ARG(type));
    bool virtio = domain_is_virtio_net(xml_attr_at(node, "model", "type"));
    if (!virtio && !no_virtio_options(x, node))
        return false;
    if (!slice_is(type, "user") && xml_attr_is(xml_child(node, "backend"), "type", "passt"))
        return REFUSE(x, INTERNAL_ERROR,
                      "The 'passt' backend can only be used with interface type='user'");
    if (slice_is(type, "vhostuser") && !virtio)
        return REFUSE(x, INTERNAL_ERROR,
                      "Wrong or no <model> 'type' attribute specified with <interface "
                      "type='vhostuser'/>. vhostuser requires the virtio-net* frontend");
    return true;
}

// --- controllers

static bool in_range(struct domain_xml *x, const struct xml_node *target, const char *attr,
                     unsigned least, unsigned most)
{
    unsigned value = domain_number(target, attr, least);
    return (value >= least && value <= most) ||
           REFUSE(x, CONFIG_UNSUPPORTED, "PCI controller %s '%u' out of range - must be %u-%u",
                  attr, value, least, most);
}

static bool validate_controller(struct domain_xml *x, const struct xml_node *node)
{
    struct slice model = xml_attr(node, "model");
    const struct xml_node *target = xml_child(node, "target");
    unsigned index = domain_number(node, "index", 0);
    if (!xml_attr_is(node, "type", "pci"))
        return true;
    if ((slice_is(model, "pci-root") || slice_is(model, "pcie-root")) && xml_child(node, "address"))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "pci-root and pcie-root controllers should not have an address");
    if (index > 255)
        return REFUSE(x, CONFIG_UNSUPPORTED, "PCI controller index %u too high, maximum is 255",
                      index);
    if (xml_child(target, "node") && index == 0)
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "The PCI controller with index=0 can't be associated with a NUMA node");
    return in_range(x, target, "chassisNr", 1, 255) && in_range(x, target, "chassis", 0, 255) &&
           in_range(x, target, "port", 0, 255) && in_range(x, target, "busNr", 1, 254);
}

// --- character devices

static bool valid_channel(struct domain_xml *x, struct slice name)
{
    if (!slice_present(name))
        return REFUSE(x, CONFIG_UNSUPPORTED, "Missing source channel attribute for char device");
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '.'))
            return REFUSE(x, INVALID_ARG, "Invalid character in source channel for char device");
    }
    return true;
}

static bool validate_char_source(struct domain_xml *x, const struct xml_node *node, bool path_made)
{
    struct slice type = xml_attr(node, "type");
    const struct xml_node *source = xml_child(node, "source");
    static const char *const missing = "Missing source %s attribute for char device";
    if (schema_has_word("file|dev|pipe", type) && !has(source, "path"))
        return REFUSE(x, INTERNAL_ERROR, missing, "path");
    if (slice_is(type, "nmdm") && has(source, "master") != has(source, "slave"))
        return REFUSE(x, INTERNAL_ERROR,
                      "Should define both master and slave path attributes for nmdm device");
    if (slice_is(type, "tcp") && !has(source, "host"))
        return REFUSE(x, INTERNAL_ERROR, missing, "host");
    if (slice_is(type, "tcp") && !has(source, "service"))
        return REFUSE(x, INTERNAL_ERROR, missing, "service");
    if (slice_is(type, "udp")) {
        const struct xml_node *connect = NULL;
        XML_EACH (half, node, "source")
            if (xml_attr_is(half, "mode", "connect"))
                connect = half;
        if (!has(connect, "service"))
            return REFUSE(x, INTERNAL_ERROR, missing, "service");
    }
    if (slice_is(type, "unix") && !has(source, "path") && !path_made)
        return REFUSE(x, INTERNAL_ERROR, missing, "path");
    if (schema_has_word("tcp|unix", type) && xml_attr_is(source, "mode", "bind") &&
        xml_child(source, "reconnect"))
        return REFUSE(x, INTERNAL_ERROR, "chardev reconnect is possible only for connect mode");
    if (schema_has_word("spiceport|dbus", type))
        return valid_channel(x, xml_attr(source, "channel"));
    return true;
}

static bool validate_chardev(struct domain_xml *x, const struct xml_node *node)
{
    struct slice target = xml_attr_at(node, "target", "type");
    bool path_made = xml_named(node, "channel") && schema_has_word("xen|virtio", target);
    return validate_char_source(x, node, path_made);
}

static bool validate_smartcard(struct domain_xml *x, const struct xml_node *node)
{
    struct slice address = domain_address_type(node);
    if (slice_present(address) && !slice_is(address, "ccid"))
        return REFUSE(x, CONFIG_UNSUPPORTED, "Controllers must use the 'ccid' address type");
    return !xml_attr_is(node, "mode", "passthrough") || validate_char_source(x, node, false);
}

static bool validate_rng(struct domain_xml *x, const struct xml_node *node)
{
    const struct xml_node *backend = xml_child(node, "backend");
    return !xml_attr_is(backend, "model", "egd") || validate_char_source(x, backend, false);
}

static bool validate_redirdev(struct domain_xml *x, const struct xml_node *node)
{
    const struct xml_node *usb = domain_find_controller(x, "usb", 0);
    if (!usb || xml_attr_is(usb, "model", "none"))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "cannot add redirected USB device: USB is disabled for this domain");
    return validate_char_source(x, node, false);
}

// --- video, input, audio

static bool validate_video(struct domain_xml *x, const struct xml_node *node)
{
    static const char *const qxl_only[] = {"ram", "vram64", "vgamem"};
    const struct xml_node *model = xml_child(node, "model"),
                          *resolution = xml_child(model, "resolution");
    struct slice type = xml_attr(model, "type");
    bool vhostuser = xml_attr_is(xml_child(node, "driver"), "name", "vhostuser");
    if (!slice_present(type))
        return REFUSE(x, INTERNAL_ERROR, "missing video model and cannot determine default");
    XML_EACH (other, x->devices, "video")
        if (xml_attr_is(xml_child(other, "model"), "type", "none") &&
            xml_count(x->devices, "video") > 1)
            return REFUSE(x, CONFIG_UNSUPPORTED,
                          "a 'none' video type must be the only video device "
                          "defined for the domain");
    if (vhostuser && !slice_is(type, "virtio"))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "'vhostuser' driver is only supported with 'virtio' device");
    if (!vhostuser && has(xml_child(model, "acceleration"), "rendernode"))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "unsupported rendernode accel attribute without 'vhostuser'");
    if (resolution && !(domain_number(resolution, "x", 0) && domain_number(resolution, "y", 0)))
        return REFUSE(x, CONFIG_UNSUPPORTED, "video resolution values must be greater than 0");
    for (int i = 0; i < 3; i++)
        if (has(model, qxl_only[i]) && !slice_is(type, "qxl"))
            return REFUSE(x, CONFIG_UNSUPPORTED, "%s attribute only supported for video type qxl",
                          qxl_only[i]);
    if (slice_is(type, "ramfb") && xml_child(node, "address"))
        return REFUSE(x, CONFIG_UNSUPPORTED, "address not supported for video type ramfb");
    return slice_is(type, "virtio") || no_virtio_options(x, node);
}

static bool validate_input(struct domain_xml *x, const struct xml_node *node)
{
    struct slice type = xml_attr(node, "type"), bus = xml_attr(node, "bus");
    if (!domain_is_hvm(x))
        return true;
    if (slice_is(bus, "ps2") && !schema_has_word("mouse|keyboard", type))
        return REFUSE(x, INTERNAL_ERROR, "ps2 bus does not support %.*s input device",
                      SLICE_ARG(type));
    if (slice_is(bus, "xen"))
        return REFUSE(x, INTERNAL_ERROR, "unsupported input bus xen");
    if (slice_is(type, "passthrough") && !slice_is(bus, "virtio"))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "only bus 'virtio' is supported for 'passthrough' input devices");
    if (slice_is(type, "evdev") && slice_present(bus))
        return REFUSE(x, CONFIG_UNSUPPORTED, "input evdev doesn't support bus element");
    if (has(node, "model") && !slice_is(bus, "virtio"))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "only bus 'virtio' is supported for input model '%.*s'",
                      SLICE_ARG(xml_attr(node, "model")));
    return true;
}

static bool audio_exists(struct domain_xml *x, const struct xml_node *device)
{
    unsigned id = domain_number(xml_child(device, "audio"), "id", 0);
    if (!id)
        return true;
    XML_EACH (audio, x->devices, "audio")
        if (domain_number(audio, "id", 0) == id)
            return true;
    return REFUSE(x, XML_ERROR, "no audio device with ID %u", id);
}

static bool validate_graphics(struct domain_xml *x, const struct xml_node *node)
{
    XML_EACH (listen, node, "listen")
        if (xml_attr_is(listen, "type", "network") && !has(listen, "network"))
            return REFUSE(x, XML_ERROR,
                          "'network' attribute is required for listen type 'network'");
    return !xml_attr_is(node, "type", "vnc") || audio_exists(x, node);
}

static bool validate_audio(struct domain_xml *x, const struct xml_node *node)
{
    XML_EACH (other, x->devices, "audio")
        if (other != node && domain_number(other, "id", 0) == domain_number(node, "id", 0))
            return REFUSE(x, XML_ERROR, "audio ID %u is used multiple times",
                          domain_number(node, "id", 0));
    return true;
}

// --- the smaller ones

static bool validate_shmem(struct domain_xml *x, const struct xml_node *node)
{
    struct slice name = xml_attr(node, "name");
    if (slice_find(name, '/') >= 0)
        return REFUSE(x, CONFIG_UNSUPPORTED, "shmem name cannot include '/' character");
    if (slice_is(name, ".") || slice_is(name, ".."))
        return REFUSE(x, CONFIG_UNSUPPORTED, "shmem name cannot be equal to '%.*s'",
                      SLICE_ARG(name));
    return true;
}

static bool validate_filesystem(struct domain_xml *x, const struct xml_node *node)
{
    if (!has(xml_child(node, "target"), "dir"))
        return REFUSE(x, NO_TARGET, "%.*s", SLICE_ARG(xml_attr_at(node, "source", "dir")));
    if (xml_child(node, "boot") && !xml_attr_is(xml_child(node, "driver"), "type", "virtiofs"))
        return REFUSE(x, CONFIG_UNSUPPORTED, "boot order is only supported for virtiofs");
    return true;
}

static bool validate_vsock(struct domain_xml *x, const struct xml_node *node)
{
    unsigned cid = domain_number(xml_child(node, "cid"), "address", 0);
    if (cid > 0 && cid <= 2)
        return REFUSE(x, CONFIG_UNSUPPORTED, "guest CIDs must be >= 3");
    return true;
}

static const struct {
    const char *name;
    bool (*validate)(struct domain_xml *x, const struct xml_node *device);
} validators[] = {
    {"disk", validate_disk},
    {"interface", validate_interface},
    {"controller", validate_controller},
    {"serial", validate_chardev},
    {"parallel", validate_chardev},
    {"channel", validate_chardev},
    {"console", validate_chardev},
    {"smartcard", validate_smartcard},
    {"rng", validate_rng},
    {"redirdev", validate_redirdev},
    {"video", validate_video},
    {"input", validate_input},
    {"graphics", validate_graphics},
    {"sound", audio_exists},
    {"audio", validate_audio},
    {"shmem", validate_shmem},
    {"filesystem", validate_filesystem},
    {"vsock", validate_vsock},
};

static bool validate_device(struct domain_xml *x, struct xml_node *device, void *data)
{
    (void)data;
    for (size_t i = 0; i < sizeof(validators) / sizeof(validators[0]); i++)
        if (xml_named(device, validators[i].name) && !validators[i].validate(x, device))
            return false;
    if (slice_is(domain_address_type(device), "unassigned") && !xml_named(device, "hostdev"))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "address of type 'unassigned' is supported only for hostdevs");
    return !x->rules->validate_device || x->rules->validate_device(x, device);
}

// --- the whole

static bool validate_duplicate_disks(struct domain_xml *x)
{
    XML_EACH (disk, x->devices, "disk") {
        const struct xml_node *target = xml_child(disk, "target");
        for (const struct xml_node *other = xml_next(disk, "disk"); other;
             other = xml_next(other, "disk")) {
            const struct xml_node *other_target = xml_child(other, "target");
            struct slice path = source_path(disk), other_path = source_path(other);
            if (slice_equal(xml_attr(target, "dev"), xml_attr(other_target, "dev")))
                return REFUSE(x, XML_ERROR,
                              "target '%.*s' duplicated for disk sources '%.*s' and '%.*s'",
                              SLICE_ARG(xml_attr(target, "dev")),
                              SLICE_ARG(path.len ? path : SLICE("<null>")),
                              SLICE_ARG(other_path.len ? other_path : SLICE("<null>")));
        }
    }
    return true;
}

static bool same_drive(const struct xml_node *a, const struct xml_node *b)
{
    static const char *const parts[] = {"controller", "bus", "target", "unit"};
    for (int i = 0; i < 4; i++)
        if (!slice_equal(xml_attr(a, parts[i]), xml_attr(b, parts[i])))
            return false;
    return true;
}

static bool validate_drive_addresses(struct domain_xml *x)
{
    XML_EACH (disk, x->devices, "disk") {
        const struct xml_node *target = xml_child(disk, "target"),
                              *address = xml_child(disk, "address");
        if (!xml_attr_is(address, "type", "drive"))
            continue;
        for (const struct xml_node *other = xml_next(disk, "disk"); other;
             other = xml_next(other, "disk"))
            if (slice_equal(xml_attr(target, "bus"), xml_attr_at(other, "target", "bus")) &&
                slice_is(domain_address_type(other), "drive") &&
                same_drive(address, xml_child(other, "address")))
                return REFUSE(x, CONFIG_UNSUPPORTED,
                              "Found duplicate drive address for disk with target name '%.*s' "
                              "controller='%u' bus='%u' target='%u' unit='%u'",
                              SLICE_ARG(xml_attr(target, "dev")),
                              domain_number(address, "controller", 0),
                              domain_number(address, "bus", 0), domain_number(address, "target", 0),
                              domain_number(address, "unit", 0));
    }
    return true;
}

bool domain_validate_devices(struct domain_xml *x)
{
    static const char *const placeless[] = {"graphics", "audio"};
    if (!domain_each_device(x, true, validate_device, NULL))
        return false;
    for (int i = 0; i < 2; i++)
        XML_EACH (device, x->devices, placeless[i])
            if (!validate_device(x, device, NULL))
                return false;
    return validate_duplicate_disks(x) && validate_drive_addresses(x);
}
