// What a worker looks up for a start: images that others are based on, as their own heads name them
// (libvirt: qemuDomainDetermineDiskChain), and the offset of local time.
#include "hv/qemu/guest/process_look.h"

#include "hv/qemu/driver.h"
#include "virt/domain/definition.h"
#include "virt/domain/domain_facts.h"
#include "virt/storage/storage.h"
#include "virt/xml/domain_xml.h"
#include "virt/xml/xml_schema.h"

#include <stdio.h>
#include <string.h>

#define CHAIN_MAX (CONFIG_XML_DEPTH - 16) // a definition nests as deep

static bool may_have_backing(struct slice format)
{
    return schema_has_word("cow|qcow|qcow2|qed|vmdk", format);
}

// The image whose head has to be read: the last one that the definition tells of, unless it says
// that there are no more.
static struct xml_node *unknown_end(struct xml_node *disk)
{
    struct xml_node *image = disk, *backing;
    while ((backing = xml_child(image, "backingStore")) && xml_child(backing, "source"))
        image = backing;
    struct slice format =
        image == disk ? xml_attr_at(disk, "driver", "type") : xml_attr_at(image, "format", "type");
    struct slice type = xml_attr(image, "type");
    bool local = slice_is(type, "file") || slice_is(type, "block");
    return !backing && local && may_have_backing(format) && domain_disk_path(image).len ? image
                                                                                        : NULL;
}

static bool is_local_time(const struct xml_node *clock)
{
    return xml_attr_is(clock, "offset", "variable") && xml_attr_is(clock, "basis", "localtime");
}

bool process_needs_look(const struct xml_node *tree)
{
    if (is_local_time(xml_child(tree, "clock")))
        return true;
    XML_EACH (disk, xml_child(tree, "devices"), "disk")
        if (unknown_end(disk))
            return true;
    return false;
}

// ---- in the worker, whose memory is its own

static struct storage_volume volume, below;

static unsigned highest_index(const struct xml_node *devices)
{
    uint32_t highest = 0, index;
    XML_EACH (disk, devices, "disk") {
        if (slice_u32(xml_attr_at(disk, "source", "index"), 10, &index) && index > highest)
            highest = index;
        for (const struct xml_node *at = xml_child(disk, "backingStore"); at;
             at = xml_child(at, "backingStore"))
            if (slice_u32(xml_attr(at, "index"), 10, &index) && index > highest)
                highest = index;
    }
    return highest;
}

// An image without a name for the format below it has one that was found by looking, which is
// believed only if that image is based on none.
static bool probe_below(const char *path, const char *top, struct error *err)
{
    memset(&below, 0, sizeof(below));
    int status = volume_probe(volume.backing, &below);
    if (status < 0)
        return error_set(err, VIR_FROM_STORAGE, VIR_ERR_SYSTEM_ERROR,
                         "Cannot access backing file '%s' of storage file '%s' (as uid:%u, "
                         "gid:%u): %s",
                         volume.backing, top, qemu_driver.uid, qemu_driver.gid, strerror(-status));
    if (volume.backing_format[0])
        snprintf(below.format, sizeof(below.format), "%s", volume.backing_format);
    else if (below.backing[0])
        return error_set(
            err, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID,
            "format of backing image '%s' of image '%s' was not specified in the image "
            "metadata (See https://libvirt.org/kbase/backing_chains.html for "
            "troubleshooting)",
            volume.backing, path);
    return true;
}

static struct xml_node *add_backing(struct xml_doc *doc, struct xml_node *image, unsigned index)
{
    bool block = below.type == VIR_STORAGE_VOL_BLOCK;
    struct xml_node *backing = xml_add(doc, image, "backingStore");
    xml_sets(doc, backing, "type", block ? "block" : "file");
    xml_setf(doc, backing, "index", "%u", index);
    xml_sets(doc, backing, "detected", "yes"); // it goes with the run
    bool iso = strcmp(below.format, "iso") == 0;
    xml_set(doc, xml_add(doc, backing, "format"), "type",
            iso ? SLICE("raw") : slice_of(below.format));
    xml_set(doc, xml_add(doc, backing, "source"), block ? "dev" : "file", slice_of(volume.backing));
    return backing;
}

// What lies elsewhere is left to QEMU.
static bool follow(struct xml_doc *doc, struct xml_node *image, unsigned *index, struct error *err)
{
    char top[STORAGE_PATH_SIZE], path[STORAGE_PATH_SIZE];
    if (!slice_copy(top, sizeof(top), domain_disk_path(image)))
        return true;
    memcpy(path, top, sizeof(path));
    memset(&volume, 0, sizeof(volume));
    int status = volume_probe(path, &volume);
    if (status < 0)
        return true; // the start itself says what is missing
    for (int depth = 0; volume.backing[0]; depth++) {
        if (volume_is_elsewhere(slice_of(volume.backing)))
            return true;
        if (depth == CHAIN_MAX)
            return error_set(err, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR,
                             "backing store for %s is self-referential or too deeply nested", top);
        if (!probe_below(path, top, err))
            return false;
        image = add_backing(doc, image, ++*index);
        memcpy(path, volume.backing, sizeof(path));
        bool goes_on = may_have_backing(slice_of(below.format));
        volume = below;
        if (!goes_on)
            volume.backing[0] = '\0';
    }
    xml_add(doc, image, "backingStore"); // and no more
    return true;
}

static bool find_chains(struct xml_doc *doc, struct error *err)
{
    struct xml_node *devices = xml_child(doc->root, "devices");
    unsigned index = highest_index(devices);
    for (struct xml_node *disk = devices ? devices->last : NULL; disk; disk = disk->prev) {
        struct xml_node *end = xml_named(disk, "disk") ? unknown_end(disk) : NULL;
        if (end && !follow(doc, end, &index, err))
            return false;
    }
    return true;
}

// libvirt (qemuBuildClockArgStr): an adjustment of local time is one of UTC from the start on, so
// that neither a change of the clock nor one of the zone has to know.
static void settle_clock(struct xml_doc *doc)
{
    struct xml_node *clock = xml_child(doc->root, "clock");
    int64_t adjustment = 0;
    if (!is_local_time(clock))
        return;
    slice_i64(xml_attr(clock, "adjustment"), 10, &adjustment);
    adjustment += port_utc_offset(port_time_us() / 1000000);
    xml_setf(doc, clock, "adjustment", "%lld", (long long)adjustment);
    xml_sets(doc, clock, "basis", "utc");
}

static bool look(const struct domain *domain, struct error *err)
{
    struct xml_node *tree = definition_tree(domain, DEFINITION_LIVE, err);
    struct xml_doc *doc = definition_doc();
    if (!tree || !find_chains(doc, err))
        return false;
    settle_clock(doc);
    domain_xml_order(doc);
    return xml_ok(doc, err) && definition_write_live(domain, tree, err);
}

// The error, if there is one, goes to the daemon as it lies in memory.
int process_look(void *argument, int out)
{
    struct error err = {0};
    if (look(argument, &err))
        return 0;
    port_write(out, &err, sizeof(err));
    return 1;
}
