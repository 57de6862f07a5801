// Operation: the addresses of a guest's network interfaces, as its agent tells them or as the host
// has seen them (virDomainInterfaceAddresses).
#include "hv/qemu/guest/guest_ops.h"

#include "hv/qemu/guest/guest_agent.h"
#include "virt/domain/definition.h"

#include <string.h>

#define ADDRESSES_MAX  512 // of one guest
#define NEIGHBOURS_MAX 1024

static struct hypervisor_address found[ADDRESSES_MAX];

static bool refuse(struct error *err, const char *what)
{
    return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s", what);
}

// ---- by the agent

// The place behind the last entry of that interface, or behind all others.
static uint32_t place_of(struct slice interface, uint32_t count, bool *known)
{
    uint32_t place = count;
    *known = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!slice_is(interface, found[i].interface))
            continue;
        place = i + 1;
        *known = true;
    }
    return place;
}

static struct hypervisor_address *insert(uint32_t place, uint32_t *count)
{
    memmove(&found[place + 1], &found[place], (*count - place) * sizeof(found[0]));
    memset(&found[place], 0, sizeof(found[0]));
    ++*count;
    return &found[place];
}

static bool read_address(struct hypervisor_address *to, const struct json_value *told,
                         struct error *err)
{
    struct slice type = json_get_string(told, "ip-address-type");
    uint64_t prefix;
    if (!slice_is(type, "ipv4") && !slice_is(type, "ipv6"))
        return refuse(err, "unknown ip address type");
    to->ipv6 = slice_is(type, "ipv6");
    if (!slice_present(json_get_string(told, "ip-address")) ||
        !slice_copy(to->address, sizeof(to->address), json_get_string(told, "ip-address")))
        return refuse(err, "qemu agent didn't provide 'ip-address' field");
    if (!json_get_u64(told, "prefix", &prefix) || prefix > 128)
        return refuse(err, "malformed 'prefix' field");
    to->prefix = (uint32_t)prefix;
    return true;
}

// Addresses of "eth0:1" are eth0's. An entry without an address stands for an interface until it
// has one.
static bool read_interface(const struct json_value *told, uint32_t *count, struct error *err)
{
    struct slice name = json_get_string(told, "name"), before = name;
    const struct json_value *addresses = json_get(told, "ip-addresses");
    const struct json_value *address = addresses ? addresses->child : NULL;
    bool known;
    if (!slice_present(name))
        return refuse(err, "qemu agent didn't provide 'name' field");
    if (slice_find(name, ':') >= 0)
        before.len = (size_t)slice_find(name, ':');
    if (addresses && addresses->kind != JSON_ARRAY)
        return refuse(err, "Malformed ip-addresses array");
    do {
        uint32_t place = place_of(before, *count, &known);
        if (known && !address)
            return true;
        if (*count == ADDRESSES_MAX)
            return refuse(err, "too many addresses of a guest: limit is 512");
        struct hypervisor_address *to =
            known && !found[place - 1].address[0] ? &found[place - 1] : insert(place, count);
        to->first = to->first || !known;
        slice_copy(to->interface, sizeof(to->interface), before);
        slice_copy(to->hwaddr, sizeof(to->hwaddr), json_get_string(told, "hardware-address"));
        if (address && !read_address(to, address, err))
            return false;
        address = address ? address->next : NULL;
    } while (address);
    return true;
}

bool guest_read_addresses(const struct json_value *answer, const struct hypervisor_address **at,
                          uint32_t *count, struct error *err)
{
    *at = found;
    *count = 0;
    if (!answer || answer->kind != JSON_ARRAY)
        return refuse(err, "qemu agent didn't return an array of interfaces");
    for (const struct json_value *told = answer->child; told; told = told->next)
        if (!read_interface(told, count, err))
            return false;
    return true;
}

static enum co_status ask_agent(struct hypervisor_op *op)
{
    struct guest_agent_op *s = HYPERVISOR_STATE(op, struct guest_agent_op);
    if (!guest_agent_ask(op, s, SLICE("{\"execute\":\"guest-network-get-interfaces\"}"),
                         AGENT_WAIT_SET))
        return CO_WAITING;
    if (!error_is_set(op->err))
        guest_read_addresses(s->agent.result, &op->addresses.at, &op->addresses.count, op->err);
    return CO_DONE;
}

// ---- by the host's table of neighbours (virDomainNetARPInterfaces)

static void ask_host(struct hypervisor_op *op)
{
    static struct port_neighbour neighbours[NEIGHBOURS_MAX];
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    int known = port_neighbours(neighbours, NEIGHBOURS_MAX);
    if (tree && known < 0)
        error_set(op->err, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR,
                  "cannot read the table of neighbours: %s", strerror(-known));
    XML_EACH (interface, xml_child(tree, "devices"), "interface") {
        struct slice mac = xml_attr_at(interface, "mac", "address");
        for (int i = 0; i < known && op->addresses.count < ADDRESSES_MAX; i++) {
            struct hypervisor_address *to = &found[op->addresses.count];
            if (!slice_is(mac, neighbours[i].mac))
                continue;
            *to = (struct hypervisor_address){.first = true};
            slice_copy(to->interface, sizeof(to->interface),
                       xml_attr_at(interface, "target", "dev"));
            slice_copy(to->hwaddr, sizeof(to->hwaddr), mac);
            slice_copy(to->address, sizeof(to->address), slice_of(neighbours[i].address));
            op->addresses.count++;
        }
    }
}

enum co_status guest_addresses(struct hypervisor_op *op)
{
    if (op->addresses.source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
        return ask_agent(op);
    op->addresses.at = found;
    op->addresses.count = 0;
    if (op->addresses.source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP)
        ask_host(op);
    else if (op->addresses.source != VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE)
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_ARGUMENT_UNSUPPORTED,
                  "Unknown IP address data source %u", op->addresses.source);
    return CO_DONE; // leases are of virtual networks, which there are none of
}
