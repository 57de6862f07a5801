// Running guests: the table, its files' names, and the driver's part of a status file.
#include "hv/qemu/guest/guest.h"

#include "core/assert.h"
#include "core/log.h"
#include "hv/qemu/driver.h"
#include "hv/qemu/guest/process.h"
#include "virt/domain/definition.h"

#include <stdio.h>
#include <string.h>

#define SHORT_NAME_MAX                                                                             \
    20 // characters of a name in a directory's (libvirt: VIR_DOMAIN_SHORT_NAME_MAX)
#define BALLOON_NONE "none"

static struct guest guests[CONFIG_MAX_GUESTS];

// ---- the table

static bool is_free(const struct guest *guest)
{
    return !guest->used && !guest->stop.running && !guest->flow.running;
}

struct guest *guest_add(struct domain *domain, struct error *err)
{
    for (size_t i = 0; i < CONFIG_MAX_GUESTS; i++) {
        struct guest *guest = &guests[i];
        if (!is_free(guest))
            continue;
        memset(guest, 0, sizeof(*guest));
        guest->used = true;
        guest->agent_timeout = AGENT_WAIT_BLOCK;
        guest->domain = domain;
        domain_ref(domain);
        domain->guest = (int32_t)i;
        return guest;
    }
    error_set(err, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
              "too many running domains: limit is %d, CONFIG_MAX_GUESTS", CONFIG_MAX_GUESTS);
    return NULL;
}

void guest_remove(struct guest *guest)
{
    struct domain *domain = guest->domain;
    assert(guest->used);
    monitor_close(&guest->monitor);
    agent_close(&guest->agent);
    child_forget(&guest->child);
    guest->used = false;
    guest->domain = NULL;
    domain->guest = -1;
    domain_unref(domain);
}

struct guest *guest_of(const struct domain *domain)
{
    if (domain->guest < 0 || domain->removed)
        return NULL;
    struct guest *guest = &guests[domain->guest];
    return guest->used && guest->domain == domain ? guest : NULL;
}

struct guest *guest_next(const struct guest *previous)
{
    for (size_t i = previous ? (size_t)(previous - guests) + 1 : 0; i < CONFIG_MAX_GUESTS; i++)
        if (guests[i].used)
            return &guests[i];
    return NULL;
}

struct guest *guest_need(const struct domain *domain, struct error *err)
{
    struct guest *guest = guest_of(domain);
    if (!guest)
        error_set(err, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is not running");
    return guest;
}

// ---- what is looked at often

static enum guest_action action_of(const struct xml_node *tree, const char *element,
                                   enum guest_action otherwise)
{
    static const char *const names[] = {
        [GUEST_DESTROY] = "destroy",
        [GUEST_RESTART] = "restart",
        [GUEST_PRESERVE] = "preserve",
        [GUEST_COREDUMP_DESTROY] = "coredump-destroy",
        [GUEST_COREDUMP_RESTART] = "coredump-restart",
    };
    struct slice name = xml_text_at(tree, element);
    if (slice_is(name, "rename-restart"))
        return GUEST_RESTART;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_is(name, names[i]))
            return (enum guest_action)i;
    return otherwise;
}

// libvirt (qemuFindAgentConfig): the first virtio channel with the agent's well-known name.
static const struct xml_node *agent_channel(const struct xml_node *tree)
{
    XML_EACH (channel, xml_child(tree, "devices"), "channel")
        if (xml_attr_is(xml_child(channel, "target"), "name", "org.qemu.guest_agent.0"))
            return channel;
    return NULL;
}

void guest_learn(struct guest *guest, const struct xml_node *tree)
{
    const struct xml_node *channel = agent_channel(tree);
    struct slice model = xml_attr_at(tree, "devices/memballoon", "model");
    guest->on_poweroff = (uint8_t)action_of(tree, "on_poweroff", GUEST_DESTROY);
    guest->on_reboot = (uint8_t)action_of(tree, "on_reboot", GUEST_RESTART);
    guest->on_crash = (uint8_t)action_of(tree, "on_crash", GUEST_DESTROY);
    slice_i64(xml_attr_at(tree, "clock", "adjustment"), 10, &guest->clock_adjustment);
    guest->agent_configured = channel != NULL;
    slice_copy(guest->agent_alias, sizeof(guest->agent_alias),
               xml_attr_at(channel, "alias", "name"));
    guest->balloon = slice_present(model) && !slice_is(model, BALLOON_NONE);
    if (guest->balloon_kib == 0 &&
        !slice_u64(xml_text_at(tree, "currentMemory"), 10, &guest->balloon_kib))
        slice_u64(xml_text_at(tree, "memory"), 10, &guest->balloon_kib);
}

// ---- files

static size_t short_name_length(const char *name)
{
    size_t len = 0;
    for (unsigned characters = 0; name[len]; len++) {
        if (((unsigned char)name[len] & 0xC0) != 0x80 && characters++ == SHORT_NAME_MAX)
            break;
    }
    return len;
}

static void own_directory(const struct domain *domain, const char *below, char to[PORT_PATH_MAX])
{
    int len = snprintf(to, PORT_PATH_MAX, "%s%s/domain-%d-%.*s", qemu_driver.lib, below, domain->id,
                       (int)short_name_length(domain->name), domain->name);
    assert(len > 0 && len < PORT_PATH_MAX);
    (void)len;
}

void guest_directory(const struct domain *domain, char to[PORT_PATH_MAX])
{
    own_directory(domain, "", to);
}

void guest_channel_directory(const struct domain *domain, char to[PORT_PATH_MAX])
{
    own_directory(domain, "/channel/target", to);
}

void guest_file(const struct domain *domain, const char *name, char to[PORT_PATH_MAX])
{
    char directory[PORT_PATH_MAX];
    guest_directory(domain, directory);
    int len = snprintf(to, PORT_PATH_MAX, "%s/%s", directory, name);
    assert(len > 0 && len < PORT_PATH_MAX);
    (void)len;
}

// ---- the status file

static void write_path(struct buffer *out, const char *before, const char *path, const char *after)
{
    buffer_puts(out, before);
    xml_write_escaped(out, slice_of(path));
    buffer_puts(out, after);
}

// libvirt's elements (qemuDomainObjPrivateXMLFormat) as far as there is something to tell, and one
// of ours: a pid alone does not tell a process.
void guest_write_status(const struct domain *domain, const struct xml_node *before,
                        struct buffer *out)
{
    char path[PORT_PATH_MAX];
    const struct guest *guest = guest_of(domain);
    if (!guest)
        return;
    guest_file(domain, "monitor.sock", path);
    for (int i = 0; i < DOMAIN_TAINTS; i++)
        if (guest->taints & (1u << i))
            buffer_printf(out, "  <taint flag='%s'/>\n", domain_taint_name((enum domain_taint)i));
    write_path(out, "  <monitor path='", path, "' type='unix'/>\n");
    if (guest->vcpu_count) {
        buffer_puts(out, "  <vcpus>\n");
        for (uint32_t i = 0; i < guest->vcpu_count; i++)
            if (guest->vcpu_threads[i])
                buffer_printf(out, "    <vcpu id='%u' pid='%d'/>\n", i, guest->vcpu_threads[i]);
        buffer_puts(out, "  </vcpus>\n");
    }
    if (guest->fake_reboot)
        buffer_puts(out, "  <fakereboot/>\n");
    if (guest->agent_timeout != AGENT_WAIT_BLOCK)
        buffer_printf(out, "  <agentTimeout>%d</agentTimeout>\n", guest->agent_timeout);
    if (xml_child(before, "cpu"))
        xml_write(out, xml_child(before, "cpu"), 2);
    guest_directory(domain, path);
    write_path(out, "  <libDir path='", path, "'/>\n");
    guest_channel_directory(domain, path);
    write_path(out, "  <channelTargetDir path='", path, "'/>\n");
    buffer_printf(out, "  <process pid='%d' start='%llu'/>\n", guest->pid,
                  (unsigned long long)guest->start);
    if (guest->clock_adjustment)
        buffer_printf(out, "  <clock adjustment='%lld'/>\n", (long long)guest->clock_adjustment);
    if (guest->balloon_kib)
        buffer_printf(out, "  <balloon current='%llu'/>\n", (unsigned long long)guest->balloon_kib);
}

static void read_ports(struct guest *guest, const struct xml_node *tree)
{
    static const char *const names[] = {"port", "tlsPort", "websocket"};
    size_t count = 0;
    XML_EACH (graphics, xml_child(tree, "devices"), "graphics") {
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            uint32_t port;
            if (slice_u32(xml_attr(graphics, names[i]), 10, &port) && port < 65536 &&
                count < GUEST_PORTS)
                guest->ports[count++] = (uint16_t)port;
        }
    }
}

static uint32_t read_taints(const struct xml_node *status)
{
    uint32_t taints = 0;
    XML_EACH (taint, status, "taint")
        for (int i = 0; i < DOMAIN_TAINTS; i++)
            if (xml_attr_is(taint, "flag", domain_taint_name((enum domain_taint)i)))
                taints |= 1u << i;
    return taints;
}

bool guest_read_status(struct guest *guest, const struct xml_node *status,
                       const struct xml_node *tree)
{
    const struct xml_node *process = xml_child(status, "process");
    struct slice pid = xml_attr(process, "pid");
    uint32_t number;
    int64_t timeout;
    if (!slice_present(pid))
        pid = xml_attr(status, "pid"); // of a guest that libvirtd started
    if (!slice_u32(pid, 10, &number) || number < 2 || number > INT32_MAX)
        return false;
    guest->pid = (int)number;
    slice_u64(xml_attr(process, "start"), 10, &guest->start);
    slice_u64(xml_attr_at(status, "balloon", "current"), 10, &guest->balloon_kib);
    guest->taints = read_taints(status);
    guest->fake_reboot = xml_child(status, "fakereboot") != NULL;
    if (slice_i64(xml_text_at(status, "agentTimeout"), 10, &timeout) &&
        timeout >= AGENT_WAIT_BLOCK && timeout <= INT32_MAX)
        guest->agent_timeout = (int32_t)timeout;
    read_ports(guest, tree);
    guest_learn(guest, tree);
    if (!slice_i64(xml_attr_at(status, "clock", "adjustment"), 10, &guest->clock_adjustment))
        guest->clock_adjustment = 0;
    return true;
}

// The balloon's size is <currentMemory> to those who look at the definition.
static void put_balloon(const struct guest *guest, struct xml_node *tree)
{
    struct xml_node *memory = xml_child(tree, "currentMemory");
    uint64_t said;
    if (memory && guest->balloon_kib && slice_u64(xml_text(memory), 10, &said) &&
        said != guest->balloon_kib)
        xml_set_textf(definition_doc(), memory, "%llu", (unsigned long long)guest->balloon_kib);
}

void guest_save(struct guest *guest, struct xml_node *tree)
{
    struct error err = {0};
    if (!tree)
        tree = definition_tree(guest->domain, DEFINITION_LIVE, &err);
    put_balloon(guest, tree);
    if (!tree || !definition_write_live(guest->domain, tree, &err))
        log_warning("qemu", "Unable to save status on vm %s: %s", guest->domain->name, err.message);
}

void guest_taint(struct guest *guest, enum domain_taint taint)
{
    if (guest->taints & (1u << taint))
        return;
    guest->taints |= 1u << taint;
    process_log_line(guest->domain, "Domain id=%d is tainted: %s", guest->domain->id,
                     domain_taint_name(taint));
    if (!guest->starting)
        guest_save(guest, NULL);
}

// ---- flows

void guest_flow_begin(struct guest *guest, struct guest_flow *flow, void (*run)(struct task *task))
{
    if (flow->running)
        return;
    flow->running = true;
    flow->has_job = false;
    flow->co = flow->part = (struct co){0};
    flow->domain = guest->domain;
    error_clear(&flow->error);
    memset(&flow->job, 0, sizeof(flow->job));
    memset(&flow->kill, 0, sizeof(flow->kill));
    memset(&flow->open, 0, sizeof(flow->open));
    memset(&flow->call, 0, sizeof(flow->call));
    domain_ref(flow->domain);
    flow->task.run = run;
    task_wake(&flow->task);
}

// Whoever waits may be woken for nothing, also when the waiting is over.
static void run_nothing(struct task *task)
{
    (void)task;
}

void guest_flow_end(struct guest_flow *flow)
{
    struct domain *domain = flow->domain;
    flow->task.run = run_nothing;
    if (flow->has_job)
        domain_job_end(domain, &flow->task);
    flow->has_job = false;
    flow->running = false;
    flow->domain = NULL;
    domain_unref(domain);
}
