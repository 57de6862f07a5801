// The schema of <domain>: disks, their sources, and what all devices share.
#include "virt/schema/schema_source.h"

// clang-format off

#define STORAGE_TYPES "file|block|dir|network|volume|nvme|vhostuser"

// --- shared by all devices

const struct attr_rule domain_virtio_options[] = {VIRTIO_OPTIONS, {0}};

const struct element_rule domain_device_info_schema[] = {
    {.name = "boot", .flags = SCHEMA_ONE, ATTRS(NUMBER("order", SCHEMA_REQUIRED | SCHEMA_NONZERO), ANY("loadparm"))},
    {.name = "alias", .flags = SCHEMA_ONE, ATTRS(ANY("name")), .check = "domain_check_alias"},
    {.name = "master", .flags = SCHEMA_ONE, ATTRS(UINT("startport"))},
    {.name = "rom", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(YES_NO("enabled"), ON_OFF("bar"), ANY("file")), .check = "domain_check_rom"},
    {.name = "acpi", .flags = SCHEMA_ONE, ATTRS(NUMBER("index", SCHEMA_NONZERO))},
    // Which of these an address has depends on its type.
    {.name = "address", .flags = SCHEMA_ONE, ATTRS(
        ANY("type"), ANY("domain"), ANY("controller"), ANY("cssid"), ANY("ssid"), ANY("devno"), ANY("bus"), ANY("target"),
        ANY("unit"), ANY("slot"), ANY("function"), ANY("multifunction"), ANY("port"), ANY("base"), ANY("iobase"), ANY("irq"), ANY("reg")),
     CHILDREN({.name = "zpci", ATTRS(ANY("uid"), ANY("fid"))}), .check = "domain_check_address"},
    {0}};

// --- sources of storage


#define SECRET(...) {.name = "secret", .flags = SCHEMA_ONE, ATTRS(__VA_ARGS__)}
#define AUTH {.name = "auth", .flags = SCHEMA_ONE, ATTRS(ANY("type"), ANY("username")), \
              CHILDREN(SECRET(ANY("type"), ANY("usage"), ANY("uuid")))}
#define ENCRYPTION {.name = "encryption", .flags = SCHEMA_ONE, ATTRS(ANY("format"), ANY("engine")), \
    CHILDREN({.name = "secret", ATTRS(ANY("type"), ANY("usage"), ANY("uuid"))}, \
             {.name = "cipher", ATTRS(ANY("name"), ANY("size"), ANY("mode"), ANY("hash"))}, {.name = "ivgen", ATTRS(ANY("name"), ANY("hash"))})}
#define SECLABEL {.name = "seclabel", ATTRS(ANY("model"), YES_NO("relabel"), YES_NO("labelskip")), \
    CHILDREN(TEXT("label")), .check = "domain_check_device_seclabel"}

static const struct element_rule source_children[] = {
    {.name = "host", ATTRS(NAMED("name"), COUNT("port"), WORD("transport", "tcp|unix|rdma"), ANY("socket"))},
    {.name = "identity", .flags = SCHEMA_ONE, ATTRS(ANY("user"), ANY("group"))},
    {.name = "snapshot", .flags = SCHEMA_ONE, ATTRS(ANY("name"))},
    {.name = "config", .flags = SCHEMA_ONE, ATTRS(ANY("file"))},
    {.name = "initiator", .flags = SCHEMA_ONE, CHILDREN({.name = "iqn", .flags = SCHEMA_ONE, ATTRS(ANY("name"))})},
    {.name = "ssl", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(YES_NO("verify"))},
    {.name = "cookies", .flags = SCHEMA_ONE | SCHEMA_SECRET, CHILDREN({.name = "cookie", ATTRS(ANY("name")), .text = VALUE_STRING})},
    {.name = "readahead", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(ULONG("size"))},
    {.name = "timeout", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(ULONG("seconds"))},
    {.name = "reconnect", .flags = SCHEMA_ONE, ATTRS(YES_NO("enabled"), UINT("timeout")), .check = "domain_check_reconnect"},
    {.name = "address", .flags = SCHEMA_ONE, ATTRS(ANY("type"), ANY("domain"), ANY("bus"), ANY("slot"), ANY("function")),
     .check = "domain_check_source_address"},
    {.name = "slices", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, CHILDREN({.name = "slice", ATTRS(ANY("type"), ANY("offset"), ANY("size"))})},
    SECLABEL, AUTH, ENCRYPTION,
    {.name = "reservations", .flags = SCHEMA_ONE, ATTRS(YES_NO("managed")),
     CHILDREN({.name = "source", ATTRS(ANY("type"), ANY("path"), ANY("mode"))})},
    {0}};

static const struct attr_rule source_attrs[] = {
    {"type", VALUE_STRING, 0, NULL, NULL}, NAMED("file"), ANY("fdgroup"), NAMED("dev"), NAMED("dir"), ANY("path"), ANY("protocol"), ANY("name"),
    ANY("query"), YES_NO("tls"), ANY("tlsHostname"), ANY("pool"), ANY("volume"), WORD("mode", "host|direct"), YES_NO("managed"), ANY("namespace"),
    WORD("startupPolicy", "mandatory|requisite|optional"),
    {"index", VALUE_UINT, SCHEMA_LIVE | SCHEMA_DROP_ZERO, NULL, "invalid disk index '%s'"}, {0}};

const struct element_rule domain_source_schema[] = {
    {.name = "source", .flags = SCHEMA_ONE, .attrs = source_attrs, .children = source_children, .check = "domain_check_source"},
    {0}};

static const struct attr_rule format_attr[] = {
    {"type", VALUE_ENUM, 0, "raw|dir|bochs|cloop|dmg|iso|vpc|vdi|fat|vhd|ploop|cow|qcow|qcow2|qed|vmdk", "unknown storage source format '%s'"}, {0}};

#define METADATA_CACHE {.name = "metadata_cache", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, \
    CHILDREN({.name = "max_size", ATTRS(ANY("unit")), .text = VALUE_BYTES, .flags = SCHEMA_ONE})}

static const struct attr_rule backing_attrs[] = {
    {"type", VALUE_ENUM, 0, STORAGE_TYPES, "unknown storage source type '%s'"},
    {"index", VALUE_UINT, SCHEMA_LIVE | SCHEMA_DROP_ZERO, NULL, "invalid storage source index '%s'"}, {"detected", VALUE_STRING, SCHEMA_LIVE | SCHEMA_HIDE, NULL, NULL}, {0}};

#define FORMAT {.name = "format", .flags = SCHEMA_ONE, .attrs = format_attr, CHILDREN(METADATA_CACHE)}
// A chain of images, each with the next below it.
const struct element_rule domain_backing_children[] = {
    FORMAT,
    INCLUDE(domain_source_schema),
    {.name = "backingStore", .flags = SCHEMA_ONE, .attrs = backing_attrs, .children = domain_backing_children},
    {0}};
#define BACKING {.name = "backingStore", .flags = SCHEMA_ONE, .attrs = backing_attrs, .children = domain_backing_children}

// --- disks

#define TUNE(n) {.name = n, .text = VALUE_ULONG, .flags = SCHEMA_ONE | SCHEMA_DROP_ZERO, .message = "disk iotune field '" n "' must be an integer"}
#define TUNES(suffix) TUNE("total_bytes_sec" suffix), TUNE("read_bytes_sec" suffix), TUNE("write_bytes_sec" suffix), \
                      TUNE("total_iops_sec" suffix), TUNE("read_iops_sec" suffix), TUNE("write_iops_sec" suffix)

static const struct element_rule iotune[] = {
    TUNES(""), TUNES("_max"), TUNE("size_iops_sec"), TEXT("group_name"), TUNES("_max_length"), {0}};

static const struct attr_rule driver_attrs[] = {
    NAMED("name"),
    {"type", VALUE_ENUM, SCHEMA_UNSUPPORTED, "raw|dir|bochs|cloop|dmg|iso|vpc|vdi|fat|vhd|ploop|cow|qcow|qcow2|qed|vmdk|aio", "unknown driver format value '%s'"},
    WORD("cache", "-default|none|writethrough|writeback|directsync|unsafe"), WORD("error_policy", "stop|report|ignore|enospace"),
    WORD("rerror_policy", "stop|report|ignore|enospace"), WORD("io", "native|threads|io_uring"), ON_OFF("ioeventfd"), ON_OFF("event_idx"),
    ON_OFF("copy_on_read"), WORD("discard", "unmap|ignore"), NUMBER("iothread", SCHEMA_NONZERO), WORD("detect_zeroes", "off|on|unmap"),
    COUNT("queues"), COUNT("queue_size"), VIRTIO_OPTIONS, {0}};

static const struct element_rule disk_children[] = {
    {.name = "driver", .flags = SCHEMA_ONE, .attrs = driver_attrs, CHILDREN(METADATA_CACHE), .check = "domain_check_disk_driver"},
    AUTH,
    INCLUDE(domain_source_schema),
    BACKING,
    {.name = "backenddomain", .flags = SCHEMA_ONE, ATTRS(ANY("name"))},
    {.name = "geometry", .flags = SCHEMA_ONE, ATTRS(UINT("cyls"), UINT("heads"), UINT("secs"), WORD("trans", "none|auto|lba")), .check = "domain_check_geometry"},
    {.name = "blockio", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, ATTRS(COUNT("logical_block_size"), COUNT("physical_block_size"))},
    {.name = "mirror", .flags = SCHEMA_ONE | SCHEMA_LIVE | SCHEMA_HIDE, ATTRS(ANY("type"), ANY("file"), ANY("format"), ANY("job"), ANY("ready")),
     CHILDREN(FORMAT, INCLUDE(domain_source_schema), BACKING)},
    {.name = "target", .flags = SCHEMA_ONE, ATTRS(ANY("dev"), WORD("bus", "ide|fdc|scsi|virtio|xen|usb|uml|sata|sd"),
        WORD("tray", "closed|open"), ON_OFF("removable"), COUNT("rotation_rate"))},
    {.name = "iotune", .flags = SCHEMA_ONE | SCHEMA_DROP_BARE, .children = iotune},
    MARK("readonly"), MARK("shareable"),
    {.name = "transient", .flags = SCHEMA_ONE, ATTRS(WORD("shareBacking", "yes|-no"))},
    TEXT("serial"), TEXT("wwn"), TEXT("vendor"), TEXT("product"),
    ENCRYPTION,
    INCLUDE(domain_device_info_schema),
    {0}};

const struct element_rule domain_disk_schema[] = {
    {.name = "disk", ATTRS(
        {"type", VALUE_ENUM, 0, STORAGE_TYPES, NULL}, WORD("device", "disk|cdrom|floppy|lun"),
        WORD("model", "-default|virtio|virtio-transitional|virtio-non-transitional"), YES_NO("rawio"), WORD("sgio", "filtered|unfiltered"),
        WORD("snapshot", "no|internal|external|manual")),
    .children = disk_children, .check = "domain_check_disk"},
    {0}};
// clang-format on
