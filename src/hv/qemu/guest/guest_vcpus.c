// Operation: processors that are plugged into a running guest, and out of it.
#include "hv/qemu/guest/guest_ops.h"

#include "hv/qemu/guest/guest_agent.h"
#include "hv/qemu/guest/process_setup.h"
#include "virt/domain/definition.h"
#include "virt/xml/domain_xml.h"

#include <string.h>

#define PERIPHERAL      "/machine/peripheral/"
#define UNPLUG_LIMIT_NS (5 * NS_PER_SEC) // libvirt gives the guest as long
#define UNPLUG_POLL_NS  (200 * NS_PER_MS)

struct vcpus {
    struct guest *guest;
    struct monitor_call call;
    struct pause pause;
    struct error error;     // of the last question, whose answer may be missed
    uint32_t online, fixed; // of them there from the start
    enum step { STEP_DONE, STEP_ADD, STEP_REMOVE, STEP_IMPOSSIBLE } step;
    uint32_t removed_from; // so many were online when the guest was asked to let one go
    uint64_t give_up;      // when it has not by then
    char arguments[512];
};

static void put_add(struct vcpus *s, const struct json_value *slot)
{
    struct buffer out = buffer_over(s->arguments, sizeof(s->arguments));
    struct json_writer w = json_writer_to(&out);
    const struct json_value *props = json_get(slot, "props");
    json_open_object(&w, NULL);
    json_put_string(&w, "driver", json_get_string(slot, "type"));
    json_putf(&w, "id", "vcpu%u", s->online);
    for (const struct json_value *prop = props ? props->child : NULL; prop; prop = prop->next) {
        char key[64];
        if (slice_copy(key, sizeof(key), prop->key))
            json_put_value(&w, key, prop);
    }
    json_close_object(&w);
}

static void put_remove(struct vcpus *s, const struct json_value *slot)
{
    struct buffer out = buffer_over(s->arguments, sizeof(s->arguments));
    struct json_writer w = json_writer_to(&out);
    json_open_object(&w, NULL);
    json_put_string(&w, "id", slice_from(json_get_string(slot, "qom-path"), strlen(PERIPHERAL)));
    json_close_object(&w);
}

// QEMU lists the last processor first: the last free slot is the next one to fill, and the first
// plugged one the next one to take out.
static enum step next_step(struct vcpus *s, uint32_t wanted)
{
    const struct json_value *slots = s->call.result;
    const struct json_value *to_add = NULL, *to_remove = NULL;
    uint64_t online = 0, fixed = 0, width = 1;
    if (!slots || slots->kind != JSON_ARRAY)
        return STEP_IMPOSSIBLE;
    for (const struct json_value *slot = slots->child; slot; slot = slot->next) {
        struct slice path = json_get_string(slot, "qom-path");
        json_get_u64(slot, "vcpus-count", &width);
        if (!slice_present(path))
            to_add = slot;
        else
            online += width;
        if (slice_present(path) && !slice_starts(path, PERIPHERAL))
            fixed += width;
        if (!to_remove && slice_starts(path, PERIPHERAL))
            to_remove = slot;
    }
    s->online = (uint32_t)online;
    s->fixed = (uint32_t)fixed;
    if (online == wanted)
        return STEP_DONE;
    if (online < wanted && to_add && online + width <= wanted) {
        put_add(s, to_add);
        return STEP_ADD;
    }
    if (online > wanted && to_remove && online - width >= wanted) {
        put_remove(s, to_remove);
        return STEP_REMOVE;
    }
    return STEP_IMPOSSIBLE;
}

static bool check(const struct hypervisor_op *op)
{
    uint32_t most;
    const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    if (!tree)
        return false;
    if (!slice_u32(xml_text_at(tree, "vcpu"), 10, &most) || op->vcpus.count <= most)
        return true;
    return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                     "requested vcpus is greater than max allowable vcpus for the live domain: "
                     "%u > %u",
                     op->vcpus.count, most);
}

// The live definition tells each processor, since they are individuals now.
static void note_vcpus(struct hypervisor_op *op, const struct vcpus *s)
{
    uint32_t most;
    struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
    struct xml_doc *doc = definition_doc();
    struct xml_node *vcpu = xml_child(tree, "vcpu");
    if (!slice_u32(xml_text(vcpu), 10, &most))
        return;
    if (s->online < most)
        xml_setf(doc, vcpu, "current", "%u", s->online);
    else
        xml_unset(vcpu, "current");
    struct xml_node *old = xml_child(tree, "vcpus");
    if (old)
        xml_remove(old);
    struct xml_node *list = xml_add(doc, tree, "vcpus");
    for (uint32_t i = 0; i < most; i++) {
        struct xml_node *node = xml_add(doc, list, "vcpu");
        xml_setf(doc, node, "id", "%u", i);
        xml_sets(doc, node, "enabled", i < s->online ? "yes" : "no");
        xml_sets(doc, node, "hotpluggable", i < s->fixed ? "no" : "yes");
        if (i < s->online)
            xml_setf(doc, node, "order", "%u", i + 1);
    }
    domain_xml_order(doc);
    if (xml_ok(doc, op->err))
        guest_save(s->guest, tree);
}

static void fail_impossible(struct hypervisor_op *op)
{
    if (!error_is_set(op->err))
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                  "failed to find appropriate hotpluggable vcpus to reach the desired target "
                  "vcpu count");
}

static enum co_status query(struct hypervisor_op *op, struct vcpus *s)
{
    if (monitor_command(&s->call, &s->guest->monitor, op->task, "query-hotpluggable-cpus",
                        SLICE_NONE, op->err) != CO_DONE)
        return CO_WAITING;
    s->step = error_is_set(op->err) ? STEP_IMPOSSIBLE : next_step(s, op->vcpus.count);
    memset(&s->call, 0, sizeof(s->call));
    return CO_DONE;
}

static enum co_status change(struct hypervisor_op *op, struct vcpus *s)
{
    const char *command = s->step == STEP_ADD ? "device_add" : "device_del";
    if (monitor_command(&s->call, &s->guest->monitor, op->task, command, slice_of(s->arguments),
                        op->err) != CO_DONE)
        return CO_WAITING;
    memset(&s->call, 0, sizeof(s->call));
    s->removed_from = s->online;
    s->give_up = port_clock_ns() + UNPLUG_LIMIT_NS;
    return CO_DONE;
}

// Whether the guest has yet to let a processor go that it was asked for.
static bool lets_not_go(struct hypervisor_op *op, const struct vcpus *s)
{
    if (s->step != STEP_REMOVE || s->online != s->removed_from || error_is_set(op->err))
        return false;
    if (port_clock_ns() < s->give_up)
        return true;
    error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT,
              "vcpu unplug request timed out. Unplug result must be manually inspected in the "
              "domain");
    return false;
}

static bool begin(struct hypervisor_op *op, struct vcpus *s)
{
    s->guest = guest_need(op->domain, op->err);
    return s->guest && check(op);
}

static enum co_status plug_vcpus(struct hypervisor_op *op)
{
    struct vcpus *s = HYPERVISOR_STATE(op, struct vcpus);
    CO_BEGIN(&op->co);
    if (!begin(op, s))
        CO_RETURN(&op->co);
    CO_CALL(&op->co, query(op, s));
    while (s->step == STEP_ADD || s->step == STEP_REMOVE) {
        CO_CALL(&op->co, change(op, s));
        if (error_is_set(op->err))
            break;
        CO_CALL(&op->co, query(op, s));
        while (lets_not_go(op, s)) {
            pause_start(&s->pause, op->task, UNPLUG_POLL_NS);
            CO_WAIT(&op->co, s->pause.over);
            CO_CALL(&op->co, query(op, s));
        }
        if (error_is_set(op->err))
            break;
    }
    if (s->step == STEP_IMPOSSIBLE)
        fail_impossible(op);
    if (guest_of(op->domain) != s->guest)
        CO_RETURN(&op->co);
    memset(&s->call, 0, sizeof(s->call));
    CO_CALL(&op->co, monitor_command(&s->call, &s->guest->monitor, op->task, "query-cpus-fast",
                                     SLICE_NONE, &s->error));
    if (!error_is_set(&s->error))
        process_take_cpus(s->guest, s->call.result);
    if (guest_of(op->domain) == s->guest)
        note_vcpus(op, s);
    CO_END(&op->co);
}

enum co_status guest_set_vcpus(struct hypervisor_op *op)
{
    return op->flags & VIR_DOMAIN_VCPU_GUEST ? guest_agent_set_vcpu_count(op) : plug_vcpus(op);
}
