// The connection to a guest's agent, and operations by way of it.
#include "hv/qemu/guest/guest_ops.h"

#include "core/log.h"
#include "hv/qemu/guest/guest_agent.h"
#include "virt/domain/definition.h"

#include <string.h>

static struct slice agent_path(struct domain *domain, struct error *err)
{
    const struct xml_node *tree = definition_tree(domain, DEFINITION_LIVE, err);
    XML_EACH (channel, xml_child(tree, "devices"), "channel")
        if (xml_attr_is(xml_child(channel, "target"), "name", "org.qemu.guest_agent.0") &&
            xml_attr_is(channel, "type", "unix"))
            return xml_attr(xml_child(channel, "source"), "path");
    return SLICE_NONE;
}

void guest_agent_connect(struct guest *guest)
{
    struct error err = {0};
    char path[PORT_PATH_MAX];
    if (!guest->agent_configured || guest->agent.open || !guest->agent_connected)
        return;
    guest->agent_error = true;
    if (!slice_copy(path, sizeof(path), agent_path(guest->domain, &err)) || !path[0])
        return;
    int fd = port_connect_unix(path);
    if (fd < 0) {
        log_warning("qemu", "Cannot connect to QEMU guest agent for %s: %s", guest->domain->name,
                    strerror(-fd));
        return;
    }
    guest->agent_error = !agent_start(&guest->agent, fd, &err);
    if (guest->agent_error)
        port_close(fd);
}

bool guest_agent_available(const struct guest *guest, struct error *err)
{
    if (guest->domain->state != VIR_DOMAIN_RUNNING)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is not running");
    if (guest->agent_error || guest->agent.failed)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_AGENT_UNRESPONSIVE,
                         "QEMU guest agent is not available due to an error");
    if (guest->agent.open)
        return true;
    if (guest->agent_configured)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_AGENT_UNRESPONSIVE,
                         "QEMU guest agent is not connected");
    return error_set(err, VIR_FROM_QEMU, VIR_ERR_ARGUMENT_UNSUPPORTED,
                     "QEMU guest agent is not configured");
}

bool guest_agent_ask(struct hypervisor_op *op, struct guest_agent_op *s, struct slice command,
                     int timeout)
{
    if (!s->guest) {
        s->guest = guest_need(op->domain, op->err);
        if (!s->guest || !guest_agent_available(s->guest, op->err))
            return true;
    }
    if (timeout == AGENT_WAIT_SET)
        timeout =
            s->guest->agent_timeout == AGENT_WAIT_BLOCK ? AGENT_WAIT_LONG : s->guest->agent_timeout;
    return agent_command(&s->agent, &s->guest->agent, op->task, command, timeout, op->err) ==
           CO_DONE;
}

// A domain that does not run has nothing to keep it in; libvirt's memory of it ends with the
// daemon.
bool guest_set_agent_timeout(struct domain *domain, int32_t timeout, struct error *err)
{
    struct guest *guest = guest_of(domain);
    (void)err;
    if (!guest)
        return true;
    guest->agent_timeout = timeout;
    guest_save(guest, NULL);
    return true;
}

// ---- virDomainQemuAgentCommand

static char result[SLOT_LARGE_SIZE];

static bool is_command(struct slice text, struct error *err)
{
    if (!json_parse(monitor_json(), text, err))
        return false;
    if (monitor_json()->root->kind == JSON_OBJECT)
        return true;
    return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                     "cannot parse json: the command is no object");
}

enum co_status guest_agent_command(struct hypervisor_op *op)
{
    struct guest_agent_op *s = HYPERVISOR_STATE(op, struct guest_agent_op);
    if (op->command.timeout < AGENT_WAIT_BLOCK) {
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                  "guest agent timeout '%d' is less than the minimum '%d'", op->command.timeout,
                  AGENT_WAIT_BLOCK);
        return CO_DONE;
    }
    if (!s->guest && !is_command(op->command.command, op->err))
        return CO_DONE;
    if (!s->guest) {
        struct guest *guest = guest_need(op->domain, op->err);
        if (!guest || !guest_agent_available(guest, op->err))
            return CO_DONE;
        guest_taint(guest, DOMAIN_TAINT_CUSTOM_GA_COMMAND);
    }
    if (!guest_agent_ask(op, s, op->command.command, op->command.timeout))
        return CO_WAITING;
    if (error_is_set(op->err))
        return CO_DONE;
    struct buffer out = buffer_over(result, sizeof(result));
    struct json_writer w = json_writer_to(&out);
    json_put_value(&w, NULL, s->agent.message);
    op->command.result = buffer_slice(&out);
    return CO_DONE;
}

// ---- the guest's name and time

static enum co_status no_hostname(struct hypervisor_op *op)
{
    error_clear(op->err);
    error_set(op->err, VIR_FROM_QEMU, VIR_ERR_NO_HOSTNAME, "no hostname found for domain %s",
              op->domain->name);
    return CO_DONE;
}

// libvirt tells why an agent can not be asked, and not what it has answered. Leases are of virtual
// networks, which there are none of.
enum co_status guest_hostname(struct hypervisor_op *op)
{
    struct guest_agent_op *s = HYPERVISOR_STATE(op, struct guest_agent_op);
    if (op->flags & VIR_DOMAIN_GET_HOSTNAME_LEASE)
        return no_hostname(op);
    struct guest *guest = s->guest ? s->guest : guest_need(op->domain, op->err);
    if (!s->guest && (!guest || !guest_agent_available(guest, op->err)))
        return CO_DONE;
    if (!guest_agent_ask(op, s, SLICE("{\"execute\":\"guest-get-host-name\"}"), AGENT_WAIT_SET))
        return CO_WAITING;
    struct slice name = json_get_string(s->agent.result, "host-name");
    if (error_is_set(op->err) || !slice_present(name) ||
        !slice_copy(op->hostname.name, sizeof(op->hostname.name), name))
        return no_hostname(op);
    return CO_DONE;
}

enum co_status guest_get_time(struct hypervisor_op *op)
{
    struct guest_agent_op *s = HYPERVISOR_STATE(op, struct guest_agent_op);
    uint64_t nanoseconds;
    if (!guest_agent_ask(op, s, SLICE("{\"execute\":\"guest-get-time\"}"), AGENT_WAIT_SET))
        return CO_WAITING;
    if (error_is_set(op->err))
        return CO_DONE;
    if (!json_u64(s->agent.result, &nanoseconds)) {
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "malformed return value");
        return CO_DONE;
    }
    op->time.seconds = (int64_t)(nanoseconds / 1000000000u);
    op->time.nseconds = (uint32_t)(nanoseconds % 1000000000u);
    return CO_DONE;
}

static bool fits_agent(const struct hypervisor_op *op)
{
    if ((op->flags & VIR_DOMAIN_TIME_SYNC) || op->time.seconds < INT64_MAX / 1000000000)
        return true;
    return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                     "Time '%lld' is too big for guest agent", (long long)op->time.seconds);
}

static struct slice set_time_command(const struct hypervisor_op *op)
{
    if (op->flags & VIR_DOMAIN_TIME_SYNC)
        return SLICE("{\"execute\":\"guest-set-time\"}");
    return monitor_args("{\"execute\":\"guest-set-time\",\"arguments\":{\"time\":%lld}}",
                        (long long)op->time.seconds * 1000000000 + op->time.nseconds);
}

static bool is_x86(const struct domain *domain)
{
    struct error err = {0};
    const struct xml_node *tree = definition_tree(domain, DEFINITION_LIVE, &err);
    struct slice arch = xml_attr_at(tree, "os/type", "arch");
    return slice_is(arch, "x86_64") || slice_is(arch, "i686");
}

// Interrupts of the old time must not be made up for (libvirt: qemuDomainSetTime).
enum co_status guest_set_time(struct hypervisor_op *op)
{
    struct guest_agent_op *s = HYPERVISOR_STATE(op, struct guest_agent_op);
    CO_BEGIN(&op->co);
    if (!fits_agent(op))
        CO_RETURN(&op->co);
    CO_WAIT(&op->co, guest_agent_ask(op, s, set_time_command(op), AGENT_WAIT_SET));
    if (error_is_set(op->err) || guest_of(op->domain) != s->guest || !is_x86(op->domain))
        CO_RETURN(&op->co);
    memset(&s->call, 0, sizeof(s->call));
    CO_CALL(&op->co, monitor_command(&s->call, &s->guest->monitor, op->task,
                                     "rtc-reset-reinjection", SLICE_NONE, op->err));
    CO_END(&op->co);
}
