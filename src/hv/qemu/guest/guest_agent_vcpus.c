// Operations: the processors that a guest uses, by way of its agent.
#include "hv/qemu/guest/guest_ops.h"

#include "hv/qemu/guest/guest_agent.h"
#include "virt/domain/definition.h"
#include "virt/domain/domain_facts.h"
#include "virt/xml/xml_schema.h"

#include <string.h>

#define IDS_MAX   4096 // QEMU_GUEST_VCPU_MAX_ID
#define ID_WORDS  (CONFIG_QEMU_VCPUS / 64 + 1)
#define TRIES_MAX 8

static struct hypervisor_guest_vcpu found[CONFIG_QEMU_VCPUS];
static uint32_t found_count;

// ---- what there is

static bool read_vcpu(const struct json_value *told, struct error *err)
{
    struct hypervisor_guest_vcpu *to = &found[found_count];
    const struct json_value *online = json_get(told, "online");
    const struct json_value *offlinable = json_get(told, "can-offline");
    uint64_t id;
    if (found_count == CONFIG_QEMU_VCPUS || !json_get_u64(told, "logical-id", &id) || !online ||
        online->kind != JSON_BOOL)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "malformed data returned by guest-get-vcpus");
    if (id >= IDS_MAX)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "vcpu id '%u' reported by guest agent is out of range", (unsigned)id);
    *to = (struct hypervisor_guest_vcpu){(uint32_t)id, online->truth,
                                         offlinable && offlinable->truth};
    found_count++;
    return true;
}

static bool read_vcpus(const struct json_value *answer, struct error *err)
{
    found_count = 0;
    if (!answer || answer->kind != JSON_ARRAY)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "guest-get-vcpus reply was missing return data");
    for (const struct json_value *told = answer->child; told; told = told->next)
        if (!read_vcpu(told, err))
            return false;
    return true;
}

static bool ask_vcpus(struct hypervisor_op *op, struct guest_agent_op *s)
{
    if (!guest_agent_ask(op, s, SLICE("{\"execute\":\"guest-get-vcpus\"}"), AGENT_WAIT_SET))
        return false;
    if (!error_is_set(op->err))
        read_vcpus(s->agent.result, op->err);
    return true;
}

enum co_status guest_agent_vcpus(struct hypervisor_op *op)
{
    if (!ask_vcpus(op, HYPERVISOR_STATE(op, struct guest_agent_op)))
        return CO_WAITING;
    op->guest_vcpus.at = found;
    op->guest_vcpus.count = error_is_set(op->err) ? 0 : found_count;
    return CO_DONE;
}

// ---- changes

// By position in the guest's list.
struct change {
    struct co co;
    struct guest_agent_op ask;
    uint64_t modified[ID_WORDS], online[ID_WORDS];
    uint16_t ids[CONFIG_QEMU_VCPUS];
    uint32_t count, modified_count;
    unsigned tries;
};

static void modify(struct change *s, uint32_t at, bool online)
{
    uint64_t bit = UINT64_C(1) << (at % 64);
    s->modified[at / 64] |= bit;
    s->online[at / 64] = online ? s->online[at / 64] | bit : s->online[at / 64] & ~bit;
    s->modified_count++;
}

// libvirt (qemuDomainSetGuestVcpus)
static bool choose_named(struct hypervisor_op *op, struct change *s)
{
    static struct schema_set wanted, missing;
    char names[256];
    struct buffer out = buffer_over(names, sizeof(names));
    wanted = missing = (struct schema_set){0};
    schema_set_parse(op->set_guest_vcpus.cpus, &wanted);
    for (int id = schema_set_next(&wanted, 0); id >= 0; id = schema_set_next(&wanted, id + 1)) {
        uint32_t at = 0;
        while (at < found_count && found[at].id != (uint32_t)id)
            at++;
        if (at == found_count)
            schema_set_add(&missing, (unsigned)id);
        else if (!op->set_guest_vcpus.online && !found[at].offlinable)
            return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED,
                             "vCPU '%d' is not offlinable", id);
        else if (found[at].online != op->set_guest_vcpus.online)
            modify(s, at, op->set_guest_vcpus.online);
    }
    if (schema_set_next(&missing, 0) < 0)
        return true;
    schema_set_write(&out, &missing);
    return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "guest is missing vCPUs '%.*s'",
                     SLICE_ARG(buffer_slice(&out)));
}

// libvirt (qemuAgentUpdateCPUInfo): the first processor stays if all could go, because kernels do
// not cope well without it.
static uint32_t count_needed(void)
{
    uint32_t online = 0, offlinable = 0;
    struct hypervisor_guest_vcpu *first = NULL;
    for (uint32_t i = 0; i < found_count; i++) {
        online += found[i].online;
        offlinable += found[i].online && found[i].offlinable;
        if (found[i].id == 0 && found[i].online)
            first = &found[i];
    }
    if (offlinable == online && first) {
        first->offlinable = false;
        offlinable--;
    }
    return online - offlinable;
}

static bool choose_count(struct hypervisor_op *op, struct change *s)
{
    uint32_t wanted = op->vcpus.count, online = 0;
    if (wanted > found_count)
        return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "guest agent reports less cpu than requested");
    if (wanted < count_needed())
        return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "Cannot offline enough CPUs");
    for (uint32_t i = 0; i < found_count; i++)
        online += found[i].online;
    for (uint32_t i = 0; i < found_count && online != wanted; i++) {
        bool plug = wanted > online;
        if (found[i].online == plug || (!plug && !found[i].offlinable))
            continue;
        modify(s, i, plug);
        online += plug ? 1u : UINT32_MAX;
    }
    return true;
}

static void choose(struct hypervisor_op *op, struct change *s, bool named)
{
    if (error_is_set(op->err))
        return;
    memset(s->modified, 0, sizeof(s->modified));
    s->modified_count = 0;
    s->count = found_count;
    for (uint32_t i = 0; i < found_count; i++)
        s->ids[i] = (uint16_t)found[i].id;
    if (named)
        choose_named(op, s);
    else
        choose_count(op, s);
}

static struct slice set_command(const struct change *s)
{
    static char text[CONFIG_QEMU_VCPUS * 40 + 64];
    struct buffer out = buffer_over(text, sizeof(text));
    struct json_writer w = json_writer_to(&out);
    json_open_object(&w, NULL);
    json_puts(&w, "execute", "guest-set-vcpus");
    json_open_object(&w, "arguments");
    json_open_array(&w, "vcpus");
    for (uint32_t i = 0; i < s->count; i++) {
        if (!(s->modified[i / 64] >> (i % 64) & 1))
            continue;
        json_open_object(&w, NULL);
        json_put_u64(&w, "logical-id", s->ids[i]);
        json_put_bool(&w, "online", s->online[i / 64] >> (i % 64) & 1);
        json_close_object(&w);
    }
    json_close_array(&w);
    json_close_object(&w);
    json_close_object(&w);
    return buffer_slice(&out);
}

static bool all_done(struct hypervisor_op *op, const struct change *s)
{
    uint64_t done;
    if (error_is_set(op->err))
        return true;
    if (!json_u64(s->ask.agent.result, &done) || done == 0 || done > s->modified_count) {
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "guest agent returned malformed or invalid return value");
        return true;
    }
    return done == s->modified_count;
}

// An agent may do a part: then it is asked again what there is.
static enum co_status change(struct hypervisor_op *op, struct change *s, bool named)
{
    CO_BEGIN(&s->co);
    do {
        memset(&s->ask, 0, sizeof(s->ask));
        CO_WAIT(&s->co, ask_vcpus(op, &s->ask));
        choose(op, s, named);
        if (error_is_set(op->err) || s->modified_count == 0)
            CO_RETURN(&s->co);
        memset(&s->ask, 0, sizeof(s->ask));
        CO_WAIT(&s->co, guest_agent_ask(op, &s->ask, set_command(s), AGENT_WAIT_SET));
    } while (!all_done(op, s) && ++s->tries < TRIES_MAX);
    CO_END(&s->co);
}

enum co_status guest_agent_set_vcpus(struct hypervisor_op *op)
{
    return change(op, HYPERVISOR_STATE(op, struct change), true);
}

enum co_status guest_agent_set_vcpu_count(struct hypervisor_op *op)
{
    struct change *s = HYPERVISOR_STATE(op, struct change);
    if (s->co.line == 0) {
        const struct guest *guest = guest_need(op->domain, op->err);
        if (!guest || !guest_agent_available(guest, op->err))
            return CO_DONE;
        const struct xml_node *tree = definition_tree(op->domain, DEFINITION_LIVE, op->err);
        if (tree && op->vcpus.count > domain_vcpus(tree))
            error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                      "requested vcpu count is greater than the count of enabled vcpus in the "
                      "domain: %u > %u",
                      op->vcpus.count, domain_vcpus(tree));
        if (error_is_set(op->err))
            return CO_DONE;
    }
    return change(op, s, false);
}
