// Disks: the guest's devices. Their block nodes are in command_block.c.
#include "hv/qemu/command/command_block.h"

static bool is_device(const struct xml_node *disk, const char *kind)
{
    struct slice device = xml_attr(disk, "device");
    return slice_present(device) ? slice_is(device, kind) : slice_is(SLICE("disk"), kind);
}

static bool on_bus(const struct xml_node *disk, const char *bus)
{
    return slice_is(xml_attr_at(disk, "target", "bus"), bus);
}

static const struct xml_node *drive_address(const struct xml_node *disk)
{
    return xml_child(disk, "address");
}

static void put_unit(struct builder *b, const char *property, const struct xml_node *disk,
                     const char *attribute)
{
    json_put_u64(&b->json, property, number_of(xml_attr(drive_address(disk), attribute)));
}

static void open_ide(struct builder *b, const struct xml_node *disk)
{
    device_open(b, is_device(disk, "cdrom") ? "ide-cd" : "ide-hd");
    json_putf(&b->json, "bus", "ide.%u", (unsigned)number_of(xml_attr(drive_address(disk), "bus")));
    put_unit(b, "unit", disk, "unit");
}

// The machine's own SATA controller of a q35 is called "ide".
static void open_sata(struct builder *b, const struct xml_node *disk)
{
    const struct xml_node *address = drive_address(disk);
    struct slice index = xml_attr(address, "controller");
    struct slice alias = device_alias(controller_find(b, "sata", index));
    if (b->q35 && number_of(index) == 0)
        alias = SLICE("ide");
    if (!slice_present(alias))
        internal_error(b,
                       "Could not find sata controller with index %u required for device at "
                       "address",
                       (unsigned)number_of(index));
    device_open(b, is_device(disk, "cdrom") ? "ide-cd" : "ide-hd");
    json_putf(&b->json, "bus", "%.*s.%u", SLICE_ARG(alias),
              (unsigned)number_of(xml_attr(address, "unit")));
}

// A parallel SCSI bus knows targets only; the others have channels and logical units too.
static bool is_parallel_scsi(struct slice model)
{
    return slice_is(model, "lsilogic") || slice_is(model, "ncr53c90") || slice_is(model, "dc390") ||
           slice_is(model, "am53c974");
}

static void put_scsi_address(struct builder *b, const struct xml_node *disk)
{
    const struct xml_node *address = drive_address(disk);
    struct slice index = xml_attr(address, "controller");
    const struct xml_node *controller = controller_find(b, "scsi", index);
    struct slice alias = device_alias(controller);
    if (!slice_present(alias))
        internal_error(b, "unable to find a SCSI controller for idx=%u",
                       (unsigned)number_of(index));
    if (is_parallel_scsi(xml_attr(controller, "model"))) {
        json_putf(&b->json, "bus", "%.*s.%u", SLICE_ARG(alias),
                  (unsigned)number_of(xml_attr(address, "bus")));
        put_unit(b, "scsi-id", disk, "unit");
        return;
    }
    json_putf(&b->json, "bus", "%.*s.0", SLICE_ARG(alias));
    put_unit(b, "channel", disk, "bus");
    put_unit(b, "scsi-id", disk, "target");
    put_unit(b, "lun", disk, "unit");
}

static void open_scsi(struct builder *b, const struct xml_node *disk)
{
    struct slice serial = xml_text_at(disk, "serial");
    if (is_device(disk, "lun")) {
        device_open(b, "scsi-block");
        put_scsi_address(b, disk);
        return;
    }
    device_open(b, is_device(disk, "cdrom") ? "scsi-cd" : "scsi-hd");
    put_scsi_address(b, disk);
    // Guests see this name in the device identification page; it must not change.
    if (slice_present(serial))
        json_put_string(&b->json, "device_id", serial);
    else
        json_putf(&b->json, "device_id", "drive-%.*s", SLICE_ARG(device_alias(disk)));
}

static void open_virtio(struct builder *b, const struct xml_node *disk)
{
    const struct xml_node *driver = xml_child(disk, "driver");
    struct slice thread = xml_attr(driver, "iothread");
    if (is_device(disk, "lun") || is_device(disk, "cdrom") || is_device(disk, "floppy"))
        unsupported(b, "disk type '%.*s' is not supported on bus 'virtio'",
                    SLICE_ARG(xml_attr(disk, "device")));
    virtio_open(b, "virtio-blk", disk, xml_attr(disk, "model"));
    if (slice_present(thread))
        json_putf(&b->json, "iothread", "iothread%.*s", SLICE_ARG(thread));
    put_switch(b, "ioeventfd", xml_attr(driver, "ioeventfd"));
    put_switch(b, "event_idx", xml_attr(driver, "event_idx"));
    put_number(b, "num-queues", xml_attr(driver, "queues"));
    put_number(b, "queue-size", xml_attr(driver, "queue_size"));
    put_address(b, disk);
}

static void open_usb(struct builder *b, const struct xml_node *disk)
{
    device_open(b, "usb-storage");
    put_address(b, disk);
    json_put_bool(&b->json, "removable", is_on(xml_attr_at(disk, "target", "removable")));
}

static void open_floppy(struct builder *b, const struct xml_node *disk)
{
    device_open(b, "floppy");
    put_unit(b, "unit", disk, "unit");
}

static const struct {
    const char *bus;
    void (*open)(struct builder *b, const struct xml_node *disk);
} buses[] = {
    {"virtio", open_virtio}, {"scsi", open_scsi}, {"sata", open_sata},
    {"ide", open_ide},       {"usb", open_usb},   {"fdc", open_floppy},
};

static void put_geometry(struct builder *b, const struct xml_node *disk)
{
    const struct xml_node *geometry = xml_child(disk, "geometry");
    put_number(b, "cyls", xml_attr(geometry, "cyls"));
    put_number(b, "heads", xml_attr(geometry, "heads"));
    put_number(b, "secs", xml_attr(geometry, "secs"));
    put_text(b, "bios-chs-trans", xml_attr(geometry, "trans"));
}

// Blanks get a backslash: guests have seen them so ever since, and name their disks by serial
// number.
static void put_serial(struct builder *b, struct slice serial)
{
    char text[512];
    struct buffer escaped = buffer_over(text, sizeof(text));
    if (!slice_present(serial))
        return;
    for (size_t i = 0; i < serial.len; i++) {
        if (serial.at[i] == ' ')
            buffer_putc(&escaped, '\\');
        buffer_putc(&escaped, serial.at[i]);
    }
    if (!buffer_ok(&escaped))
        unsupported(b, "disk serial number is too long");
    json_put_string(&b->json, "serial", buffer_slice(&escaped));
}

static void put_identity(struct builder *b, const struct xml_node *disk)
{
    const struct xml_node *block = xml_child(disk, "blockio");
    struct slice wwn = xml_text_at(disk, "wwn");
    uint64_t number;
    put_number(b, "logical_block_size", xml_attr(block, "logical_block_size"));
    put_number(b, "physical_block_size", xml_attr(block, "physical_block_size"));
    put_number(b, "discard_granularity", xml_attr(block, "discard_granularity"));
    if (slice_present(wwn) && !slice_u64(wwn, 16, &number))
        error_set(b->err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                  "Failed to parse wwn '%.*s' as number", SLICE_ARG(wwn));
    else if (slice_present(wwn))
        json_put_u64(&b->json, "wwn", number);
    put_number(b, "rotation_rate", xml_attr_at(disk, "target", "rotation_rate"));
    put_text(b, "vendor", xml_text_at(disk, "vendor"));
    put_text(b, "product", xml_text_at(disk, "product"));
    put_serial(b, xml_text_at(disk, "serial"));
}

static void put_error_policy(struct builder *b, const struct xml_node *driver)
{
    struct slice write = xml_attr(driver, "error_policy");
    struct slice read = xml_attr(driver, "rerror_policy");
    bool no_space = slice_is(write, "enospace"); // QEMU's word for it, and only for writing
    if (!slice_present(read) && !no_space)
        read = write;
    put_text(b, "werror", no_space ? SLICE("enospc") : write);
    put_text(b, "rerror", read);
}

static void put_disk_properties(struct builder *b, const struct xml_node *disk)
{
    const struct xml_node *driver = xml_child(disk, "driver");
    struct slice cache = xml_attr(driver, "cache");
    if (xml_child(disk, "shareable"))
        json_put_bool(&b->json, "share-rw", true);
    put_drive(b, disk);
    put_alias(b, disk);
    if (!is_device(disk, "floppy"))
        put_boot_index(b, disk);
    put_identity(b, disk);
    if (slice_present(cache) && !slice_is(cache, "default") && !is_device(disk, "lun"))
        json_puts(&b->json, "write-cache", cache_writes_back(cache) ? "on" : "off");
    put_geometry(b, disk);
    put_error_policy(b, driver);
}

// An SD card can not be plugged in with -device; the machine takes it from a drive.
static void build_sd(struct builder *b, const struct xml_node *disk, unsigned index)
{
    struct slice format = xml_attr_at(disk, "driver", "type");
    struct slice file = xml_attr_at(disk, "source", "file");
    if (!slice_present(file))
        unsupported(b, "an SD card needs a file");
    arg(b, "-drive");
    arg_open(b);
    buffer_puts(&b->text, "file=");
    put_escaped(b, file);
    put_option(b, "format", slice_present(format) ? format : SLICE("raw"));
    buffer_printf(&b->text, ",if=sd,index=%u", index);
    if (xml_child(disk, "readonly"))
        buffer_puts(&b->text, ",readonly=on");
    arg_close(b);
    path_add(b, file, QEMU_PATH_WRITE, true);
}

static void check_disk(struct builder *b, const struct xml_node *disk)
{
    struct slice driver = xml_attr_at(disk, "driver", "name");
    if (slice_present(driver) && !slice_is(driver, "qemu"))
        unsupported(b, "unsupported driver name '%.*s' for disk '%.*s'", SLICE_ARG(driver),
                    SLICE_ARG(xml_attr_at(disk, "target", "dev")));
    if (xml_child(disk, "transient"))
        unsupported(b, "transient disks not supported yet");
    if (xml_child(disk, "mirror"))
        unsupported(b, "a disk that is being mirrored can not be started");
}

static void build_disk(struct builder *b, const struct xml_node *disk)
{
    check_disk(b, disk);
    for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++) {
        if (!on_bus(disk, buses[i].bus))
            continue;
        build_block_nodes(b, disk);
        buses[i].open(b, disk);
        put_disk_properties(b, disk);
        json_arg_close(b);
        return;
    }
    unsupported(b, "unsupported disk bus '%.*s' with device setup",
                SLICE_ARG(xml_attr_at(disk, "target", "bus")));
}

// The floppy controller carries its drives' places in the boot order. A q35 has none of its own.
static void build_floppy_controller(struct builder *b)
{
    unsigned order[2] = {0, 0};
    bool found = false;
    XML_EACH (disk, b->devices, "disk") {
        if (!on_bus(disk, "fdc"))
            continue;
        found = true;
        order[number_of(xml_attr(drive_address(disk), "unit")) & 1] = boot_index(b, disk);
    }
    if (!found)
        return;
    if (b->q35) {
        device_open(b, "isa-fdc");
        if (order[0])
            json_put_u64(&b->json, "bootindexA", order[0]);
        if (order[1])
            json_put_u64(&b->json, "bootindexB", order[1]);
        json_arg_close(b);
        return;
    }
    for (unsigned unit = 0; unit < 2; unit++) {
        if (!order[unit])
            continue;
        arg(b, "-global");
        argf(b, "isa-fdc.bootindex%c=%u", (int)('A' + unit), order[unit]);
    }
}

void build_disks(struct builder *b)
{
    unsigned cards = 0;
    build_floppy_controller(b);
    XML_EACH (disk, b->devices, "disk") {
        if (on_bus(disk, "sd"))
            build_sd(b, disk, cards++);
        else
            build_disk(b, disk);
    }
}
