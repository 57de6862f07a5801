// Numbers that many calls read from a canonical definition.
#ifndef VIRT_DOMAIN_FACTS_H
#define VIRT_DOMAIN_FACTS_H

#include "text/xml.h"

uint64_t domain_memory_kib(const struct xml_node *tree);         // the most it can have
uint64_t domain_current_memory_kib(const struct xml_node *tree); // what it has at start
uint32_t domain_vcpus_max(const struct xml_node *tree);
uint32_t domain_vcpus(const struct xml_node *tree); // what it has at start
// Sets how many of its vcpus it has at start; all of them need no `current`.
void domain_vcpus_set(struct xml_doc *doc, struct xml_node *tree, uint32_t count);
// A disk by its target or the path of its source; NULL when there is none.
struct xml_node *domain_find_disk(const struct xml_node *tree, struct slice path);
// The path of a disk's or a <backingStore>'s <source>: a file's or a device's; absent without one.
struct slice domain_disk_path(const struct xml_node *disk);
// The image below that of a disk or a <backingStore>; NULL when there is none.
const struct xml_node *domain_image_below(const struct xml_node *image);
// Its number among a running guest's images; 0 when it has none.
uint32_t domain_image_index(const struct xml_node *image);

#endif
