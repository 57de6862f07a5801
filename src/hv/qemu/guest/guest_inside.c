// Operation: what a guest's agent tells of the system inside (virDomainGetGuestInfo).
#include "hv/qemu/guest/guest_ops.h"

#include "hv/qemu/guest/guest_agent.h"
#include "virt/domain/definition.h"

#include <stdio.h>
#include <string.h>

#define INFO_ALL 0x7fu // VIR_DOMAIN_GUEST_INFO_*

// ---- parameters

static const char *field(const char *format, unsigned i, unsigned k)
    __attribute__((format(printf, 1, 0)));
static const char *field(const char *format, unsigned i, unsigned k)
{
    static char name[80]; // VIR_TYPED_PARAM_FIELD_LENGTH
    snprintf(name, sizeof(name), format, i, k);
    return name;
}

static void put_text(struct hypervisor_op *op, const char *name, struct slice text)
{
    struct hypervisor_param param = {.name = name, .type = HYPERVISOR_STRING, .text = text};
    if (slice_present(text))
        op->guest_info.put(op->guest_info.to, &param);
}

static void put_count(struct hypervisor_op *op, const char *name, uint32_t count)
{
    struct hypervisor_param param = {.name = name, .type = HYPERVISOR_U32, .number = count};
    op->guest_info.put(op->guest_info.to, &param);
}

static void put_u64(struct hypervisor_op *op, const char *name, const struct json_value *from,
                    const char *key)
{
    struct hypervisor_param param = {.name = name, .type = HYPERVISOR_U64};
    if (json_get_u64(from, key, &param.number))
        op->guest_info.put(op->guest_info.to, &param);
}

static bool malformed(struct hypervisor_op *op, const char *command)
{
    return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                     "malformed data returned by %s", command);
}

// ---- the answers

static bool put_users(struct hypervisor_op *op, const struct json_value *users)
{
    unsigned i = 0;
    put_count(op, "user.count", users->count);
    for (const struct json_value *user = users->child; user; user = user->next, i++) {
        double seconds;
        struct slice name = json_get_string(user, "user");
        if (!slice_present(name) || !json_f64(json_get(user, "login-time"), &seconds) ||
            !(seconds >= 0 && seconds < 1e15))
            return malformed(op, "guest-get-users");
        put_text(op, field("user.%u.name", i, 0), name);
        put_text(op, field("user.%u.domain", i, 0), json_get_string(user, "domain"));
        struct hypervisor_param param = {.name = field("user.%u.login-time", i, 0),
                                         .type = HYPERVISOR_U64,
                                         .number = (uint64_t)(seconds * 1000)};
        op->guest_info.put(op->guest_info.to, &param);
    }
    return true;
}

static bool put_os(struct hypervisor_op *op, const struct json_value *os)
{
    static const char *const names[] = {
        "id",      "name",    "pretty-name", "version",        "version-id",
        "machine", "variant", "variant-id",  "kernel-release", "kernel-version"};
    char name[80];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(name, sizeof(name), "os.%s", names[i]);
        put_text(op, name, json_get_string(os, names[i]));
    }
    return true;
}

static bool put_timezone(struct hypervisor_op *op, const struct json_value *zone)
{
    int64_t offset;
    put_text(op, "timezone.name", json_get_string(zone, "zone"));
    if (!json_get_i64(zone, "offset", &offset))
        return malformed(op, "guest-get-timezone");
    struct hypervisor_param param = {
        .name = "timezone.offset", .type = HYPERVISOR_I32, .number = (uint64_t)offset};
    op->guest_info.put(op->guest_info.to, &param);
    return true;
}

static bool put_hostname(struct hypervisor_op *op, const struct json_value *answer)
{
    put_text(op, "hostname", json_get_string(answer, "host-name"));
    return true;
}

static void put_fs_disk(struct hypervisor_op *op, const struct xml_node *devices,
                        const struct json_value *disk, unsigned i, unsigned k)
{
    put_text(op, field("fs.%u.disk.%u.alias", i, k), guest_disk_target(devices, disk));
    put_text(op, field("fs.%u.disk.%u.serial", i, k), json_get_string(disk, "serial"));
    put_text(op, field("fs.%u.disk.%u.device", i, k), json_get_string(disk, "dev"));
}

static bool put_filesystems(struct hypervisor_op *op, const struct json_value *systems)
{
    unsigned i = 0;
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    if (!tree)
        return false;
    if (systems->count)
        put_count(op, "fs.count", systems->count);
    for (const struct json_value *fs = systems->child; fs; fs = fs->next, i++) {
        const struct json_value *disks = json_get(fs, "disk");
        unsigned k = 0;
        put_text(op, field("fs.%u.name", i, 0), json_get_string(fs, "name"));
        put_text(op, field("fs.%u.mountpoint", i, 0), json_get_string(fs, "mountpoint"));
        put_text(op, field("fs.%u.fstype", i, 0), json_get_string(fs, "type"));
        put_u64(op, field("fs.%u.total-bytes", i, 0), fs, "total-bytes");
        put_u64(op, field("fs.%u.used-bytes", i, 0), fs, "used-bytes");
        put_count(op, field("fs.%u.disk.count", i, 0), disks ? disks->count : 0);
        for (const struct json_value *disk = disks ? disks->child : NULL; disk; disk = disk->next)
            put_fs_disk(op, xml_child(tree, "devices"), disk, i, k++);
    }
    return true;
}

static void put_dependencies(struct hypervisor_op *op, const struct json_value *list, unsigned i)
{
    unsigned k = 0;
    if (!list || !list->count)
        return;
    put_count(op, field("disk.%u.dependency.count", i, 0), list->count);
    for (const struct json_value *name = list->child; name; name = name->next)
        put_text(op, field("disk.%u.dependency.%u.name", i, k++), json_string(name));
}

static bool put_disks(struct hypervisor_op *op, const struct json_value *disks)
{
    unsigned i = 0;
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    if (!tree)
        return false;
    if (disks->count)
        put_count(op, "disk.count", disks->count);
    for (const struct json_value *disk = disks->child; disk; disk = disk->next, i++) {
        const struct json_value *address = json_get(disk, "address");
        put_text(op, field("disk.%u.name", i, 0), json_get_string(disk, "name"));
        struct hypervisor_param partition = {.name = field("disk.%u.partition", i, 0),
                                             .type = HYPERVISOR_BOOL,
                                             .number = json_get_bool(disk, "partition", false)};
        op->guest_info.put(op->guest_info.to, &partition);
        put_dependencies(op, json_get(disk, "dependencies"), i);
        put_text(op, field("disk.%u.serial", i, 0), json_get_string(address, "serial"));
        put_text(op, field("disk.%u.alias", i, 0),
                 guest_disk_target(xml_child(tree, "devices"), address));
        put_text(op, field("disk.%u.guest_alias", i, 0), json_get_string(disk, "alias"));
    }
    return true;
}

static uint32_t addresses_of(const struct hypervisor_address *at, uint32_t count)
{
    uint32_t i = 0, addresses = 0;
    for (; i < count && (i == 0 || !at[i].first); i++)
        addresses += at[i].address[0] != '\0';
    return addresses;
}

static bool put_interfaces(struct hypervisor_op *op, const struct json_value *answer)
{
    const struct hypervisor_address *at;
    uint32_t count, interfaces = 0;
    unsigned i = 0, k = 0;
    if (!guest_read_addresses(answer, &at, &count, op->err))
        return false;
    for (uint32_t n = 0; n < count; n++)
        interfaces += at[n].first;
    if (interfaces)
        put_count(op, "if.count", interfaces);
    for (uint32_t n = 0; n < count; n++) {
        i += at[n].first && n > 0;
        if (at[n].first) {
            k = 0;
            put_text(op, field("if.%u.name", i, 0), slice_of(at[n].interface));
            put_text(op, field("if.%u.hwaddr", i, 0), slice_of(at[n].hwaddr));
            put_count(op, field("if.%u.addr.count", i, 0), addresses_of(&at[n], count - n));
        }
        if (!at[n].address[0])
            continue;
        put_text(op, field("if.%u.addr.%u.type", i, k), at[n].ipv6 ? SLICE("ipv6") : SLICE("ipv4"));
        put_text(op, field("if.%u.addr.%u.addr", i, k), slice_of(at[n].address));
        put_count(op, field("if.%u.addr.%u.prefix", i, k++), at[n].prefix);
    }
    return true;
}

// ---- the questions, in libvirt's order

static const struct part {
    uint32_t type;
    const char *command;
    enum json_kind kind; // of the answer
    bool (*put)(struct hypervisor_op *op, const struct json_value *answer);
} parts[] = {
    {VIR_DOMAIN_GUEST_INFO_USERS, "guest-get-users", JSON_ARRAY, put_users},
    {VIR_DOMAIN_GUEST_INFO_OS, "guest-get-osinfo", JSON_OBJECT, put_os},
    {VIR_DOMAIN_GUEST_INFO_TIMEZONE, "guest-get-timezone", JSON_OBJECT, put_timezone},
    {VIR_DOMAIN_GUEST_INFO_HOSTNAME, "guest-get-host-name", JSON_OBJECT, put_hostname},
    {VIR_DOMAIN_GUEST_INFO_FILESYSTEM, "guest-get-fsinfo", JSON_ARRAY, put_filesystems},
    {VIR_DOMAIN_GUEST_INFO_DISKS, "guest-get-disks", JSON_ARRAY, put_disks},
    {VIR_DOMAIN_GUEST_INFO_INTERFACES, "guest-network-get-interfaces", JSON_ARRAY, put_interfaces},
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

struct inside {
    struct co co;
    unsigned at;
    struct guest_agent_op ask;
};

static bool is_wanted(const struct hypervisor_op *op, const struct part *part)
{
    return !op->guest_info.types || op->guest_info.types & part->type;
}

static void take_part(struct hypervisor_op *op, struct inside *s)
{
    const struct part *part = &parts[s->at];
    const char *class = s->ask.agent.error_class;
    const struct json_value *answer = s->ask.agent.result;
    // Who asks for everything is told what there is.
    if (!op->guest_info.types &&
        (strcmp(class, "CommandNotFound") == 0 || strcmp(class, "CommandDisabled") == 0))
        error_clear(op->err);
    else if (!error_is_set(op->err) && (!answer || answer->kind != part->kind))
        malformed(op, part->command);
    else if (!error_is_set(op->err))
        part->put(op, answer);
}

static struct slice command_of(const struct part *part)
{
    return monitor_args("{\"execute\":\"%s\"}", part->command);
}

enum co_status guest_tell_inside(struct hypervisor_op *op)
{
    struct inside *s = HYPERVISOR_STATE(op, struct inside);
    CO_BEGIN(&s->co);
    if (op->guest_info.types & ~INFO_ALL) {
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                  "unsupported guest information types '0x%x'", op->guest_info.types & ~INFO_ALL);
        CO_RETURN(&s->co);
    }
    for (s->at = 0; s->at < PARTS && !error_is_set(op->err); s->at++) {
        if (!is_wanted(op, &parts[s->at]))
            continue;
        memset(&s->ask, 0, sizeof(s->ask));
        CO_WAIT(&s->co, guest_agent_ask(op, &s->ask, command_of(&parts[s->at]), AGENT_WAIT_SET));
        take_part(op, s);
    }
    CO_END(&s->co);
}
