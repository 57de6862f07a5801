// Disk throttling: <iotune> in the words of QMP (libvirt: qemuMonitorJSONSetBlockIoThrottle).
#include "hv/qemu/guest/process_throttle.h"

#include "text/json.h"

#define ARGUMENTS_SIZE 2048

static const struct {
    const char *element, *member;
    bool always; // QEMU wants it, 0 for no limit
} limits[] = {
    {"total_bytes_sec", "bps", true},
    {"read_bytes_sec", "bps_rd", true},
    {"write_bytes_sec", "bps_wr", true},
    {"total_iops_sec", "iops", true},
    {"read_iops_sec", "iops_rd", true},
    {"write_iops_sec", "iops_wr", true},
    {"total_bytes_sec_max", "bps_max", false},
    {"read_bytes_sec_max", "bps_rd_max", false},
    {"write_bytes_sec_max", "bps_wr_max", false},
    {"total_iops_sec_max", "iops_max", false},
    {"read_iops_sec_max", "iops_rd_max", false},
    {"write_iops_sec_max", "iops_wr_max", false},
    {"size_iops_sec", "iops_size", false},
    {"total_bytes_sec_max_length", "bps_max_length", false},
    {"read_bytes_sec_max_length", "bps_rd_max_length", false},
    {"write_bytes_sec_max_length", "bps_wr_max_length", false},
    {"total_iops_sec_max_length", "iops_max_length", false},
    {"read_iops_sec_max_length", "iops_rd_max_length", false},
    {"write_iops_sec_max_length", "iops_wr_max_length", false},
};

// Where the block backend hangs: not always at the device itself.
static void put_device(struct json_writer *w, const struct xml_node *disk)
{
    struct slice bus = xml_attr_at(disk, "target", "bus");
    struct slice alias = xml_attr_at(disk, "alias", "name");
    if (slice_is(bus, "virtio"))
        json_putf(w, "id", "/machine/peripheral/%.*s/virtio-backend", SLICE_ARG(alias));
    else if (slice_is(bus, "usb"))
        json_putf(w, "id", "/machine/peripheral/%.*s/%.*s.0/legacy[0]", SLICE_ARG(alias),
                  SLICE_ARG(alias));
    else
        json_put_string(w, "id", alias);
}

static struct slice arguments_for(const struct xml_node *disk)
{
    static char text[ARGUMENTS_SIZE];
    const struct xml_node *tune = xml_child(disk, "iotune");
    struct buffer out = buffer_over(text, sizeof(text));
    struct json_writer w = json_writer_to(&out);
    struct slice group = xml_text_at(tune, "group_name");
    json_open_object(&w, NULL);
    put_device(&w, disk);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        uint64_t value = 0;
        slice_u64(xml_text_at(tune, limits[i].element), 10, &value);
        if (value || limits[i].always)
            json_put_u64(&w, limits[i].member, value);
    }
    if (slice_present(group))
        json_put_string(&w, "group", group);
    json_close_object(&w);
    return buffer_slice(&out);
}

struct slice process_throttle_arguments(const struct xml_node *tree, unsigned nth)
{
    unsigned at = 0;
    XML_EACH (disk, xml_child(tree, "devices"), "disk")
        if (xml_child(disk, "iotune") && xml_child(disk, "source") && at++ == nth)
            return arguments_for(disk);
    return SLICE_NONE;
}
