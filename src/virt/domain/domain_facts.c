// Numbers that many calls read from a canonical definition, in which memory is in KiB.
#include "virt/domain/domain_facts.h"

static uint64_t number(struct slice text, uint64_t otherwise)
{
    uint64_t value;
    return slice_u64(text, 10, &value) ? value : otherwise;
}

uint64_t domain_memory_kib(const struct xml_node *tree)
{
    return number(xml_text_at(tree, "memory"), 0);
}

uint64_t domain_current_memory_kib(const struct xml_node *tree)
{
    return number(xml_text_at(tree, "currentMemory"), domain_memory_kib(tree));
}

uint32_t domain_vcpus_max(const struct xml_node *tree)
{
    return (uint32_t)number(xml_text_at(tree, "vcpu"), 1);
}

uint32_t domain_vcpus(const struct xml_node *tree)
{
    return (uint32_t)number(xml_attr_at(tree, "vcpu", "current"), domain_vcpus_max(tree));
}

void domain_vcpus_set(struct xml_doc *doc, struct xml_node *tree, uint32_t count)
{
    struct xml_node *vcpu = xml_need(doc, tree, "vcpu");
    if (count == domain_vcpus_max(tree))
        xml_unset(vcpu, "current");
    else
        xml_setf(doc, vcpu, "current", "%u", count);
}

struct slice domain_disk_path(const struct xml_node *disk)
{
    const struct xml_node *source = xml_child(disk, "source");
    struct slice file = xml_attr(source, "file");
    return slice_present(file) ? file : xml_attr(source, "dev");
}

const struct xml_node *domain_image_below(const struct xml_node *image)
{
    const struct xml_node *below = xml_child(image, "backingStore");
    return xml_child(below, "source") ? below : NULL;
}

uint32_t domain_image_index(const struct xml_node *image)
{
    bool top = slice_is(image->name, "disk");
    return (uint32_t)number(xml_attr(top ? xml_child(image, "source") : image, "index"), 0);
}

struct xml_node *domain_find_disk(const struct xml_node *tree, struct slice path)
{
    XML_EACH (disk, xml_child(tree, "devices"), "disk")
        if (slice_equal(xml_attr_at(disk, "target", "dev"), path) ||
            slice_equal(domain_disk_path(disk), path))
            return disk;
    return NULL;
}
