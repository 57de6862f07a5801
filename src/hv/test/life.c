// The test driver's life cycle: a state in the row, a live definition in a file.
#include "hv/test/driver.h"

#include "virt/domain/definition.h"
#include "virt/domain/domain_event.h"

// ---- what the states allow

static bool refuse(const struct domain *domain, struct error *err, const char *format)
    __attribute__((format(printf, 3, 0)));
static bool refuse(const struct domain *domain, struct error *err, const char *format)
{
    char message[DOMAIN_NAME_SIZE + 64];
    struct buffer out = buffer_over(message, sizeof(message));
    buffer_printf(&out, format, domain->name);
    return error_set(err, VIR_FROM_TEST, VIR_ERR_INTERNAL_ERROR, "%s", message);
}

bool test_may_start(const struct domain *domain, struct error *err)
{
    return domain->state == VIR_DOMAIN_SHUTOFF ||
           refuse(domain, err, "Domain '%s' is already running");
}

bool test_may_shutdown(const struct domain *domain, struct error *err)
{
    return domain->state != VIR_DOMAIN_SHUTOFF || refuse(domain, err, "domain '%s' not running");
}

bool test_may_suspend(const struct domain *domain, struct error *err)
{
    return (domain->state != VIR_DOMAIN_SHUTOFF && domain->state != VIR_DOMAIN_PAUSED) ||
           refuse(domain, err, "domain '%s' not running");
}

bool test_may_resume(const struct domain *domain, struct error *err)
{
    return domain->state == VIR_DOMAIN_PAUSED || refuse(domain, err, "domain '%s' not paused");
}

bool test_may_undefine(const struct domain *domain, struct error *err)
{
    (void)domain, (void)err;
    return true;
}

// ---- starting

static bool write_live(struct domain *domain, bool document, struct error *err)
{
    struct xml_node *tree =
        document ? definition_scratch()->root : definition_tree(domain, DEFINITION_PERSISTENT, err);
    if (!tree)
        return false;
    struct xml_doc *doc = document ? definition_scratch() : definition_doc();
    xml_setf(doc, tree, "id", "%d", domain->id);
    return xml_ok(doc, err) && definition_write_live(domain, tree, err);
}

enum co_status test_start(struct hypervisor_op *op)
{
    struct domain *domain = op->domain;
    domain->id = domain_new_id(domain->hypervisor);
    domain_set_state(domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
    if (!write_live(domain, op->document, op->err)) {
        domain->id = -1;
        domain_set_state(domain, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED);
        return CO_DONE;
    }
    domain_event_lifecycle(domain, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED);
    return CO_DONE;
}

// ---- stopping

static void stop(struct domain *domain, int reason, int detail)
{
    definition_remove_live(domain);
    domain->id = -1;
    domain_set_state(domain, VIR_DOMAIN_SHUTOFF, reason);
    domain_event_lifecycle(domain, VIR_DOMAIN_EVENT_STOPPED, detail);
    if (!domain->persistent)
        domain_remove(domain);
}

enum co_status test_destroy(struct hypervisor_op *op)
{
    stop(op->domain, VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
    return CO_DONE;
}

// Follows <on_poweroff> or <on_reboot>: whatever does not restart the guest stops it.
static enum co_status act(struct hypervisor_op *op, const char *element)
{
    struct domain *domain = op->domain;
    struct xml_node *tree = definition_current(domain, op->err);
    if (!tree)
        return CO_DONE;
    struct slice action = xml_text_at(tree, element);
    if (slice_is(action, "restart") || slice_is(action, "rename-restart"))
        domain_set_state(domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
    else
        stop(domain, VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN);
    return CO_DONE;
}

enum co_status test_shutdown(struct hypervisor_op *op)
{
    return act(op, "on_poweroff");
}

enum co_status test_reboot(struct hypervisor_op *op)
{
    return act(op, "on_reboot");
}

enum co_status test_reset(struct hypervisor_op *op)
{
    (void)op;
    return CO_DONE;
}

// The definition is all there is.
enum co_status test_set_lifecycle(struct hypervisor_op *op)
{
    (void)op;
    return CO_DONE;
}

// ---- pausing

enum co_status test_suspend(struct hypervisor_op *op)
{
    domain_set_state(op->domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
    domain_event_lifecycle(op->domain, VIR_DOMAIN_EVENT_SUSPENDED,
                           VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    return CO_DONE;
}

enum co_status test_resume(struct hypervisor_op *op)
{
    domain_set_state(op->domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
    domain_event_lifecycle(op->domain, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
    return CO_DONE;
}
