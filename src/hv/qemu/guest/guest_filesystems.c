// Operation: the file systems that a guest has mounted, as its agent tells them.
#include "hv/qemu/guest/guest_ops.h"

#include "hv/qemu/guest/guest_agent.h"
#include "virt/domain/definition.h"

#include <string.h>

#define FILESYSTEMS_MAX 256 // REMOTE_DOMAIN_FSINFO_MAX

static struct hypervisor_filesystem found[FILESYSTEMS_MAX];

// ---- which disk the guest means: it knows where the disk is plugged in

static bool same_number(const struct xml_node *address, const char *name,
                        const struct json_value *from, const char *key)
{
    uint64_t defined, told;
    return slice_u64(xml_attr(address, name), 0, &defined) && json_get_u64(from, key, &told) &&
           defined == told;
}

static bool same_pci(const struct xml_node *device, const struct json_value *pci)
{
    const struct xml_node *address = xml_child(device, "address");
    return xml_attr_is(address, "type", "pci") && same_number(address, "domain", pci, "domain") &&
           same_number(address, "bus", pci, "bus") && same_number(address, "slot", pci, "slot") &&
           same_number(address, "function", pci, "function");
}

// The index of the controller at that place; absent without one.
static struct slice controller_at(const struct xml_node *devices, const struct json_value *pci)
{
    XML_EACH (controller, devices, "controller")
        if (same_pci(controller, pci))
            return xml_attr(controller, "index");
    return SLICE_NONE;
}

static bool is_disk(const struct xml_node *disk, struct slice controller,
                    const struct json_value *told)
{
    const struct xml_node *address = xml_child(disk, "address");
    if (same_pci(disk, json_get(told, "pci-controller")))
        return true;
    return xml_attr_is(address, "type", "drive") && slice_present(controller) &&
           slice_equal(xml_attr(address, "controller"), controller) &&
           same_number(address, "bus", told, "bus") &&
           same_number(address, "target", told, "target") &&
           same_number(address, "unit", told, "unit");
}

struct slice guest_disk_target(const struct xml_node *devices, const struct json_value *told)
{
    struct slice controller = controller_at(devices, json_get(told, "pci-controller"));
    XML_EACH (disk, devices, "disk")
        if (told && is_disk(disk, controller, told))
            return xml_attr_at(disk, "target", "dev");
    return SLICE_NONE;
}

static void add_target(struct hypervisor_filesystem *to, const struct xml_node *devices,
                       const struct json_value *told)
{
    struct slice target = guest_disk_target(devices, told);
    if (slice_present(target) && to->target_count < HYPERVISOR_FILESYSTEM_DISKS &&
        slice_copy(to->targets[to->target_count], sizeof(to->targets[0]), target))
        to->target_count++;
}

// ---- the answer

static bool read_one(struct hypervisor_filesystem *to, const struct json_value *told,
                     const struct xml_node *devices)
{
    const struct json_value *disks = json_get(told, "disk");
    memset(to, 0, sizeof(*to));
    if (!slice_copy(to->mountpoint, sizeof(to->mountpoint), json_get_string(told, "mountpoint")) ||
        !slice_copy(to->name, sizeof(to->name), json_get_string(told, "name")) ||
        !slice_copy(to->type, sizeof(to->type), json_get_string(told, "type")) ||
        !to->mountpoint[0])
        return false;
    for (const struct json_value *disk = disks ? disks->child : NULL; disk; disk = disk->next)
        add_target(to, devices, disk);
    return true;
}

static bool read_answer(struct hypervisor_op *op, const struct json_value *answer)
{
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    if (!tree)
        return false;
    if (!answer || answer->kind != JSON_ARRAY || answer->count > FILESYSTEMS_MAX)
        return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "malformed data returned by guest-get-fsinfo");
    for (const struct json_value *told = answer->child; told; told = told->next) {
        if (!read_one(&found[op->filesystems.count], told, xml_child(tree, "devices")))
            return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                             "malformed data returned by guest-get-fsinfo");
        op->filesystems.count++;
    }
    return true;
}

enum co_status guest_filesystems(struct hypervisor_op *op)
{
    struct guest_agent_op *s = HYPERVISOR_STATE(op, struct guest_agent_op);
    if (!guest_agent_ask(op, s, SLICE("{\"execute\":\"guest-get-fsinfo\"}"), AGENT_WAIT_SET))
        return CO_WAITING;
    op->filesystems.at = found;
    op->filesystems.count = 0;
    if (!error_is_set(op->err))
        read_answer(op, s->agent.result);
    return CO_DONE;
}
