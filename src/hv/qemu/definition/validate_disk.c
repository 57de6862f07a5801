// What libvirt's QEMU driver refuses of disks.
#include "hv/qemu/definition/machine.h"

#include "virt/xml/domain_check.h"
#include "virt/xml/xml_value.h"

#include <string.h>

static bool has(const struct xml_node *node, const char *attr)
{
    return slice_present(xml_attr(node, attr));
}

static bool bus_is(const struct xml_node *disk, const char *list)
{
    return schema_has_word(list, xml_attr_at(disk, "target", "bus"));
}

static struct slice target_of(const struct xml_node *disk)
{
    return xml_attr_at(disk, "target", "dev");
}

// --- the drive, as the guest sees it

static bool validate_geometry(struct domain_xml *x, const struct xml_node *disk)
{
    const struct xml_node *geometry = xml_child(disk, "geometry");
    struct slice bus = xml_attr_at(disk, "target", "bus"), trans = xml_attr(geometry, "trans");
    bool chs = domain_number(geometry, "cyls", 0) && domain_number(geometry, "heads", 0) &&
               domain_number(geometry, "secs", 0);
    if (!chs)
        return true;
    if (bus_is(disk, "usb|sd"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "CHS geometry can not be set for '%.*s' bus",
                           SLICE_ARG(bus));
    if (slice_present(trans) && !slice_is(trans, "none") && !bus_is(disk, "ide"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "CHS translation mode can only be set for 'ide' bus not '%.*s'",
                           SLICE_ARG(bus));
    return true;
}

static bool validate_medium(struct domain_xml *x, const struct xml_node *disk)
{
    bool cdrom = xml_attr_is(disk, "device", "cdrom");
    if (xml_child(disk, "serial") && bus_is(disk, "sd"))
        return REFUSE_QEMU(x, INTERNAL_ERROR, "Serial property not supported for drive bus 'sd'");
    if (cdrom && bus_is(disk, "virtio|sd"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "disk type of '%.*s' does not support ejectable media",
                           SLICE_ARG(target_of(disk)));
    if (!xml_attr_is(xml_child(disk, "driver"), "copy_on_read", "on"))
        return true;
    if (xml_child(disk, "readonly"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "copy_on_read is not compatible with read-only disk '%.*s'",
                           SLICE_ARG(target_of(disk)));
    if (cdrom || xml_attr_is(disk, "device", "floppy"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "copy_on_read is not supported with removable disk '%.*s'",
                           SLICE_ARG(target_of(disk)));
    return true;
}

static bool validate_identity(struct domain_xml *x, const struct xml_node *disk)
{
    bool wwn = xml_child(disk, "wwn"),
         vpd = xml_child(disk, "vendor") || xml_child(disk, "product");
    if (wwn && !bus_is(disk, "ide|scsi"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "Only ide and scsi disk support wwn");
    if (vpd && !bus_is(disk, "scsi"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "Only scsi disk supports vendor and product");
    if (!xml_attr_is(disk, "device", "lun"))
        return true;
    if (!bus_is(disk, "virtio|scsi"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "disk device='lun' is not supported for bus='%.*s'",
                           SLICE_ARG(xml_attr_at(disk, "target", "bus")));
    if (xml_attr_is(xml_child(disk, "driver"), "copy_on_read", "on"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "copy_on_read is not compatible with 'lun' disk '%.*s'",
                           SLICE_ARG(target_of(disk)));
    if (wwn)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "Setting wwn is not supported for lun device");
    if (vpd)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "Setting vendor or product is not supported for lun device");
    return true;
}

static bool validate_rotation(struct domain_xml *x, const struct xml_node *disk)
{
    if (!has(xml_child(disk, "target"), "rotation_rate"))
        return true;
    if (!bus_is(disk, "scsi|ide|sata"))
        return REFUSE_QEMU(x, INTERNAL_ERROR, "rotation rate is only valid for SCSI/IDE/SATA bus");
    if (!xml_attr_is(disk, "device", "disk"))
        return REFUSE_QEMU(x, INTERNAL_ERROR, "rotation rate is only valid for disk device");
    return true;
}

static bool validate_address_type(struct domain_xml *x, const struct xml_node *disk)
{
    struct slice type = domain_address_type(disk), bus = xml_attr_at(disk, "target", "bus");
    bool drive = bus_is(disk, "scsi|ide|fdc|sata") && !slice_is(type, "drive");
    bool usb = bus_is(disk, "usb") && slice_present(type) && !slice_is(type, "usb");
    return (!drive && !usb) ||
           REFUSE_QEMU(x, INTERNAL_ERROR, "unexpected address type for %.*s disk", SLICE_ARG(bus));
}

#define SERIAL_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ .+"

static bool validate_serial(struct domain_xml *x, const struct xml_node *disk)
{
    struct slice serial = value_text(xml_child(disk, "serial"));
    if (serial.len && bus_is(disk, "scsi") && xml_attr_is(disk, "device", "lun"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "scsi-block 'lun' devices do not support the serial property");
    for (size_t i = 0; i < serial.len; i++)
        if (!memchr(SERIAL_CHARACTERS, serial.at[i], sizeof(SERIAL_CHARACTERS) - 1))
            return REFUSE_QEMU(x, INTERNAL_ERROR, "driver serial '%.*s' contains unsafe characters",
                               SLICE_ARG(serial));
    return true;
}

static bool validate_io(struct domain_xml *x, const struct xml_node *disk)
{
    const struct xml_node *driver = xml_child(disk, "driver");
    unsigned thread = domain_number(driver, "iothread", 0);
    if (xml_child(disk, "readonly") && xml_attr_is(disk, "device", "disk") &&
        bus_is(disk, "ide|sata"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "readonly %.*s disks are not supported",
                           SLICE_ARG(xml_attr_at(disk, "target", "bus")));
    if (xml_attr_is(driver, "io", "native") &&
        !schema_has_word("none|directsync", xml_attr(driver, "cache")))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "io='native' needs either no disk cache or directsync cache mode");
    if (!validate_serial(x, disk))
        return false;
    if (!thread)
        return true;
    if (!bus_is(disk, "virtio"))
        return REFUSE_QEMU(
            x, CONFIG_UNSUPPORTED, "IOThreads not available for bus %.*s target %.*s",
            SLICE_ARG(xml_attr_at(disk, "target", "bus")), SLICE_ARG(target_of(disk)));
    return domain_has_iothread(x, thread) ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "Disk iothread '%u' not defined in iothreadid",
                       thread);
}

// --- throttling

#define IOTUNE_MAX 1000000000000000ULL

static const char *const limits[] = {
    "total_bytes_sec",     "read_bytes_sec",     "write_bytes_sec",     "total_iops_sec",
    "read_iops_sec",       "write_iops_sec",     "total_bytes_sec_max", "read_bytes_sec_max",
    "write_bytes_sec_max", "total_iops_sec_max", "read_iops_sec_max",   "write_iops_sec_max",
    "size_iops_sec"};
#define LIMITS (sizeof(limits) / sizeof(limits[0]))

static bool same_limits(const struct xml_node *a, const struct xml_node *b)
{
    for (size_t i = 0; i < LIMITS; i++)
        if (!slice_equal(value_text(xml_child(a, limits[i])), value_text(xml_child(b, limits[i]))))
            return false;
    return true;
}

static bool validate_iotune(struct domain_xml *x, const struct xml_node *disk)
{
    const struct xml_node *iotune = xml_child(disk, "iotune");
    struct slice group = value_text(xml_child(iotune, "group_name"));
    bool any = false;
    uint64_t value, most = 0;
    for (size_t i = 0; i < LIMITS; i++)
        if (slice_u64(xml_text(xml_child(iotune, limits[i])), 10, &value)) {
            any = any || value;
            most = value > most ? value : most;
        }
    if (group.len && !any)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "group_name can be configured only together with settings");
    XML_EACH (other, x->devices, "disk") {
        const struct xml_node *theirs = xml_child(other, "iotune");
        if (group.len && other != disk &&
            slice_equal(value_text(xml_child(theirs, "group_name")), group) &&
            !same_limits(iotune, theirs))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "different iotunes for disks %.*s and %.*s",
                               SLICE_ARG(target_of(disk)), SLICE_ARG(target_of(other)));
    }
    return most <= IOTUNE_MAX ||
           REFUSE_QEMU(x, ARGUMENT_UNSUPPORTED,
                       "block I/O throttle limit must be no more than %llu using QEMU", IOTUNE_MAX);
}

static bool validate_transient(struct domain_xml *x, const struct xml_node *disk)
{
    const struct xml_node *transient = xml_child(disk, "transient");
    if (!transient)
        return true;
    if (!xml_child(disk, "source"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "transient disk '%.*s' must not be empty",
                           SLICE_ARG(target_of(disk)));
    if (xml_child(disk, "readonly"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "transient disk '%.*s' must not be read-only",
                           SLICE_ARG(target_of(disk)));
    if (!xml_attr_is(disk, "type", "file"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "transient disk supported only with 'file' type (%.*s)",
                           SLICE_ARG(target_of(disk)));
    if (!xml_attr_is(disk, "device", "disk"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "transient disk supported only with 'disk' device (%.*s)",
                           SLICE_ARG(target_of(disk)));
    if (xml_attr_is(transient, "shareBacking", "yes") && !bus_is(disk, "usb|virtio|scsi"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "disk bus '%.*s' doesn't support transiend disk backing image sharing",
                           SLICE_ARG(xml_attr_at(disk, "target", "bus")));
    return true;
}

// --- images

static bool validate_format(struct domain_xml *x, struct slice format, const struct xml_node *disk,
                            struct slice type)
{
    if (slice_is(format, "cow"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "'cow' storage format is not supported");
    if (slice_is(format, "dir"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "'directory' storage format is not directly supported by QEMU, use "
                           "'dir' disk type instead");
    if (slice_is(format, "iso"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "storage format 'iso' is not directly supported by QEMU, use 'raw' "
                           "instead");
    if (slice_is(format, "fat") && !schema_has_word("volume|dir", type))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "storage format 'fat' is supported only with 'dir' storage type");
    if (!slice_is(type, "dir"))
        return true;
    if (slice_present(format) && !slice_is(format, "fat"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "storage type 'dir' requires use of storage format 'fat'");
    return xml_child(disk, "readonly") ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "virtual FAT storage can't be accessed in read-write mode");
}

// Properties of a source that only some network protocols have.
static const struct {
    const char *name; // of an element, or of an attribute of <source>
    bool attribute;
    const char *protocols, *message;
} network_options[] = {
    {"ssl", false, "https|ftps", "ssl verification is supported only with HTTPS/FTPS protocol"},
    {"cookies", false, "https|http", "http cookies are supported only with HTTP(S) protocol"},
    {"readahead", false, "https|http|ftp|ftps",
     "readahead is supported only with HTTP(S)/FTP(s) protocols"},
    {"timeout", false, "https|http|ftp|ftps",
     "timeout is supported only with HTTP(S)/FTP(s) protocols"},
    {"query", true, "https|http", "query is supported only with HTTP(S) protocols"},
};

static bool validate_network(struct domain_xml *x, const struct xml_node *source, struct slice type)
{
    struct slice protocol = xml_attr(source, "protocol");
    bool network = slice_is(type, "network");
    for (size_t i = 0; i < sizeof(network_options) / sizeof(network_options[0]); i++) {
        const char *name = network_options[i].name;
        bool there =
            network_options[i].attribute ? has(source, name) : xml_child(source, name) != NULL;
        if (there && (!network || !schema_has_word(network_options[i].protocols, protocol)))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "%s", network_options[i].message);
    }
    if (network && slice_is(protocol, "tftp"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "'tftp' protocol is not supported with this QEMU binary");
    if (!network || !slice_is(protocol, "nfs"))
        return true;
    const struct xml_node *host = xml_child(source, "host");
    if (xml_count(source, "host") != 1)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "'nfs' protocol requires the usage of exactly one host");
    if (has(host, "transport") && !xml_attr_is(host, "transport", "tcp"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "'nfs' host must use TCP protocol");
    return domain_number(host, "port", 0) == 0 ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "port cannot be specified in 'nfs' protocol host");
}

static bool validate_encryption(struct domain_xml *x, const struct xml_node *encryption,
                                struct slice format)
{
    struct slice kind = xml_attr(encryption, "format");
    if (!encryption)
        return true;
    if (schema_has_word("default|qcow", kind))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "old qcow/qcow2 encryption is not supported");
    if (!xml_attr_is(encryption, "engine", "qemu"))
        return true;
    if (slice_is(kind, "luks2"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "luks2 is currently not supported by the qemu encryption engine");
    return schema_has_word("qcow2|raw", format) ||
           REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                       "encryption is supported only with 'raw' and 'qcow2' image format");
}

static bool validate_images(struct domain_xml *x, const struct xml_node *disk)
{
    for (const struct xml_node *image = disk; xml_child(image, "source");
         image = xml_child(image, "backingStore")) {
        const struct xml_node *source = xml_child(image, "source"),
                              *encryption = xml_child(source, "encryption");
        const char *place = image == disk ? "driver" : "format";
        struct slice format = xml_attr_at(image, place, "type"), type = xml_attr(image, "type");
        if (!encryption)
            encryption = xml_child(image, "encryption");
        if (!validate_format(x, format, disk, type) || !validate_network(x, source, type))
            return false;
        const struct xml_node *cache = xml_find(image, "driver/metadata_cache/max_size");
        if (cache && !slice_is(format, "qcow2"))
            return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                               "metadata cache max size control is supported only with qcow2 "
                               "images");
        if (!validate_encryption(x, encryption, format))
            return false;
    }
    return true;
}

static bool validate_name(struct domain_xml *x, const struct xml_node *disk)
{
    struct slice name = target_of(disk);
    bool digit = name.len && name.at[name.len - 1] >= '0' && name.at[name.len - 1] <= '9';
    if (domain_disk_index(name) < 0)
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "invalid disk target '%.*s'", SLICE_ARG(name));
    return !digit || REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                                 "invalid disk target '%.*s', partitions can't appear in disk "
                                 "targets",
                                 SLICE_ARG(name));
}

bool qemu_validate_disk(struct domain_xml *x, const struct xml_node *disk)
{
    const struct xml_node *driver = xml_child(disk, "driver");
    struct slice name = xml_attr(driver, "name");
    if (!validate_geometry(x, disk) || !validate_medium(x, disk) || !validate_identity(x, disk) ||
        !validate_rotation(x, disk) || !validate_address_type(x, disk) || !validate_io(x, disk) ||
        !validate_iotune(x, disk) || !validate_transient(x, disk))
        return false;
    if (xml_child(disk, "shareable") && !xml_child(disk, "readonly") &&
        !xml_attr_is(driver, "type", "raw"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED,
                           "shared access for disk '%.*s' requires use of supported storage format",
                           SLICE_ARG(target_of(disk)));
    if (slice_present(name) && !slice_is(name, "qemu"))
        return REFUSE_QEMU(x, CONFIG_UNSUPPORTED, "unsupported driver name '%.*s' for disk '%.*s'",
                           SLICE_ARG(name), SLICE_ARG(target_of(disk)));
    if (!validate_name(x, disk) || !validate_images(x, disk))
        return false;
    return !xml_attr_is(disk, "type", "vhostuser") || qemu_need_shared_memory(x, "vhostuser");
}
