// Completing single devices of a domain: what does not depend on the hypervisor.
#include "virt/xml/domain_devices.h"

#include "virt/xml/domain_check.h"
#include "virt/xml/domain_complete.h"
#include "virt/xml/xml_value.h"

// --- disks

static const char *bus_by_name(struct slice name)
{
    static const struct {
        const char *prefix, *bus;
    } names[] = {{"hd", "ide"}, {"sd", "scsi"}, {"vd", "virtio"}, {"xvd", "xen"}, {"ubd", "uml"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_starts(name, names[i].prefix))
            return names[i].bus;
    return "ide";
}

// The widest SCSI bus of a hypervisor decides how units are numbered; libvirt's default is a narrow
// one, seven units without the controller itself.
#define SCSI_UNITS 7

static bool assign_drive(struct domain_xml *x, struct xml_node *disk)
{
    struct xml_node *target = xml_child(disk, "target");
    struct slice bus = xml_attr(target, "bus"), name = xml_attr(target, "dev");
    int index = domain_disk_index(name);
    if (index < 0)
        return REFUSE(x, XML_ERROR, "Unknown disk name '%.*s' and no address specified",
                      SLICE_ARG(name));
    unsigned i = (unsigned)index;
    if (slice_is(bus, "scsi"))
        domain_set_drive_address(x, disk, i / SCSI_UNITS, 0, i % SCSI_UNITS);
    else if (slice_is(bus, "ide"))
        domain_set_drive_address(x, disk, i / 4, i % 4 / 2, i % 2);
    else if (slice_is(bus, "sata"))
        domain_set_drive_address(x, disk, i / 6, 0, i % 6);
    else if (slice_is(bus, "fdc"))
        domain_set_drive_address(x, disk, i / 2, 0, i % 2);
    return true;
}

static bool has_limits(const struct xml_node *iotune)
{
    XML_EACH (limit, iotune, NULL)
        if (!xml_named(limit, "group_name"))
            return true;
    return false;
}

// A disk of a throttling group has the limits of the first of the group that tells them.
static void expand_group(struct domain_xml *x, struct xml_node *disk)
{
    struct xml_node *iotune = xml_child(disk, "iotune");
    struct slice group = value_text(xml_child(iotune, "group_name"));
    if (group.len == 0 || has_limits(iotune))
        return;
    XML_EACH (other, x->devices, "disk") {
        struct xml_node *limits = xml_child(other, "iotune");
        if (!has_limits(limits) || !slice_equal(value_text(xml_child(limits, "group_name")), group))
            continue;
        xml_remove(iotune);
        xml_copy(x->doc, disk, limits);
        return;
    }
}

static bool complete_disk(struct domain_xml *x, struct xml_node *disk)
{
    struct xml_node *target = xml_child(disk, "target");
    bool floppy = xml_attr_is(disk, "device", "floppy");
    if (xml_attr_is(disk, "device", "cdrom"))
        xml_need(x->doc, disk, "readonly");
    if (target && !slice_present(xml_attr(target, "bus")))
        xml_sets(x->doc, target, "bus", floppy ? "fdc" : bus_by_name(xml_attr(target, "dev")));
    bool read_only = xml_child(disk, "readonly") != NULL;
    if (read_only && xml_attr_is(disk, "snapshot", "no"))
        xml_unset(disk, "snapshot"); // libvirt's default for it, and not shown
    struct xml_node *source = xml_child(disk, "source");
    if (xml_attr_is(source, "protocol", "iscsi") && slice_find(xml_attr(source, "name"), '/') < 0)
        xml_setf(x->doc, source, "name", "%.*s/0", SLICE_ARG(xml_attr(source, "name")));
    if (xml_attr_is(disk, "type", "nvme") && source && !slice_present(xml_attr(source, "managed")))
        xml_sets(x->doc, source, "managed", "yes");
    if (xml_attr_is(disk, "type", "vhostuser") && !slice_present(xml_attr(disk, "snapshot")))
        xml_sets(x->doc, disk, "snapshot", "no");
    if (!xml_child(disk, "address") && slice_present(xml_attr(target, "dev")) &&
        !assign_drive(x, disk))
        return false;
    expand_group(x, disk);
    return true;
}

// --- character devices

static bool complete_chardev(struct domain_xml *x, struct xml_node *device)
{
    struct xml_node *target = xml_need(x->doc, device, "target");
    bool console = xml_named(device, "console");
    if (console && !slice_present(xml_attr(target, "type")))
        xml_sets(x->doc, target, "type", "serial");
    if (xml_named(device, "serial") && xml_attr_is(target, "type", "isa-debug") &&
        !domain_is_x86(x))
        return REFUSE(x, CONFIG_UNSUPPORTED,
                      "isa-debug serial type only valid on x86 architecture");
    if (console) { // consoles are numbered as they come
        unsigned port = 0;
        for (const struct xml_node *other = device->prev; other; other = other->prev)
            port += xml_named(other, "console");
        xml_setf(x->doc, target, "port", "%u", port);
        return true;
    }
    if (slice_present(xml_attr(target, "port")))
        return true;
    int most = -1;
    for (const struct xml_node *other = x->devices->child; other; other = other->next) {
        int port = (int)domain_number(xml_child(other, "target"), "port", UINT32_MAX);
        if (slice_equal(other->name, device->name) && port > most)
            most = port;
    }
    xml_setf(x->doc, target, "port", "%d", most + 1);
    return true;
}

// --- video

static unsigned default_video_memory(struct slice type)
{
    static const struct {
        const char *types;
        unsigned kib;
    } sizes[] = {{"vga|cirrus|vmvga|bochs", 16 * 1024}, {"xen", 4 * 1024}, {"qxl", 64 * 1024}};
    for (size_t i = 0; i < 3; i++)
        if (schema_has_word(sizes[i].types, type))
            return sizes[i].kib;
    return 0;
}

static void round_memory(struct domain_xml *x, struct xml_node *model, const char *name,
                         unsigned otherwise)
{
    unsigned kib = domain_number(model, name, 0), power = 1;
    if (!kib)
        kib = otherwise;
    if (!kib)
        return;
    while (power < kib && power < 1u << 31)
        power *= 2;
    xml_setf(x->doc, model, name, "%u", power);
}

static void complete_video(struct domain_xml *x, struct xml_node *video)
{
    struct xml_node *model = xml_child(video, "model");
    struct slice type = xml_attr(model, "type");
    unsigned otherwise = default_video_memory(type);
    round_memory(x, model, "ram", slice_is(type, "qxl") ? otherwise : 0);
    round_memory(x, model, "vram", otherwise);
}

// --- the rest

static bool complete_controller(struct domain_xml *x, struct xml_node *controller)
{
    bool thread = slice_present(xml_attr_at(controller, "driver", "iothread"));
    bool virtio_scsi = xml_attr_is(controller, "type", "scsi") &&
                       slice_starts(xml_attr(controller, "model"), "virtio");
    if (thread && !virtio_scsi)
        return REFUSE(x, XML_ERROR,
                      "'iothread' attribute only supported for virtio scsi controllers");
    return true;
}

static void complete_rng(struct domain_xml *x, struct xml_node *rng)
{
    struct xml_node *backend = xml_child(rng, "backend");
    if (xml_attr_is(backend, "model", "random") && value_text(backend).len == 0)
        xml_set_text(x->doc, backend, SLICE("/dev/random"));
}

static void complete_vsock(struct domain_xml *x, struct xml_node *vsock)
{
    struct xml_node *cid = xml_need(x->doc, vsock, "cid");
    if (!slice_present(xml_attr(cid, "auto")))
        xml_sets(x->doc, cid, "auto", domain_number(cid, "address", 0) ? "no" : "yes");
}

bool domain_complete_device(struct domain_xml *x, struct xml_node *device)
{
    struct slice name = device->name;
    if (slice_is(name, "disk"))
        return complete_disk(x, device);
    if (schema_has_word("serial|parallel|console", name))
        return complete_chardev(x, device);
    if (slice_is(name, "controller"))
        return complete_controller(x, device);
    if (slice_is(name, "video"))
        complete_video(x, device);
    else if (slice_is(name, "rng"))
        complete_rng(x, device);
    else if (slice_is(name, "vsock"))
        complete_vsock(x, device);
    else if (slice_is(name, "memory") && xml_attr_is(device, "model", "virtio-pmem") &&
             !slice_present(xml_attr(device, "access")))
        xml_sets(x->doc, device, "access", "shared");
    else if (slice_is(name, "filesystem") && !slice_present(xml_attr(device, "accessmode")) &&
             !slice_present(xml_attr_at(device, "source", "socket")))
        xml_sets(x->doc, device, "accessmode", "passthrough");
    return true;
}
