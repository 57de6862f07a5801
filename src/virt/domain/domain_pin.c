// Handlers: on which processors the threads of a guest may run.
#include "virt/domain/cpuset.h"
#include "virt/domain/domain_edit.h"
#include "virt/domain/domain_event.h"
#include "virt/domain/domain_facts.h"
#include "virt/domain/domain_maps.h"
#include "virt/xml/domain_xml.h"
#include "virt/handlers.h"
#include "virt/node/node.h"

#include <stdio.h>

// ---- in definitions: <cputune>, and <vcpu cpuset='...'> for all that have nothing of their own

static struct xml_node *find_vcpupin(const struct xml_node *tree, uint32_t vcpu)
{
    XML_EACH (pin, xml_child(tree, "cputune"), "vcpupin") {
        uint32_t number;
        if (slice_u32(xml_attr(pin, "vcpu"), 10, &number) && number == vcpu)
            return pin;
    }
    return NULL;
}

// The first pin of a higher vcpu: they are kept in order.
static struct xml_node *later_vcpupin(const struct xml_node *cputune, uint32_t vcpu)
{
    XML_EACH (pin, cputune, "vcpupin") {
        uint32_t number;
        if (slice_u32(xml_attr(pin, "vcpu"), 10, &number) && number > vcpu)
            return pin;
    }
    return NULL;
}

static void set_vcpupin(struct xml_doc *doc, struct xml_node *tree, uint32_t vcpu,
                        struct slice cpuset)
{
    struct xml_node *pin = find_vcpupin(tree, vcpu);
    if (!pin) {
        struct xml_node *cputune = xml_need(doc, tree, "cputune");
        struct xml_node *later = later_vcpupin(cputune, vcpu);
        pin = later ? xml_add_before(doc, later, "vcpupin") : xml_add(doc, cputune, "vcpupin");
        xml_setf(doc, pin, "vcpu", "%u", vcpu);
    }
    xml_set(doc, pin, "cpuset", cpuset);
}

static bool read_pin(const struct domain *domain, const struct xml_node *tree,
                     const struct xml_node *pin, struct port_cpuset *set, struct error *err)
{
    if (cpuset_parse(xml_attr(pin, "cpuset"), set) ||
        cpuset_parse(xml_attr_at(tree, "vcpu", "cpuset"), set))
        return true;
    return domain->hypervisor->node_cpus(set, err);
}

// ---- virDomainPinVcpu, virDomainPinVcpuFlags, virDomainPinEmulator

struct wanted {
    int vcpu; // or HYPERVISOR_EMULATOR
    int said; // the vcpu as messages have it
    struct slice map;
    uint32_t flags;
};

static struct wanted wanted(const struct call *call)
{
    if (call->header.proc == REMOTE_PROC_DOMAIN_PIN_EMULATOR) {
        const struct remote_domain_pin_emulator_args *args =
            CALL_ARGS(call, struct remote_domain_pin_emulator_args);
        return (struct wanted){HYPERVISOR_EMULATOR, HYPERVISOR_EMULATOR, args->cpumap, args->flags};
    }
    const struct remote_domain_pin_vcpu_flags_args *args =
        CALL_ARGS(call, struct remote_domain_pin_vcpu_flags_args);
    bool has_flags = call->header.proc == REMOTE_PROC_DOMAIN_PIN_VCPU_FLAGS;
    int vcpu = args->vcpu > INT32_MAX ? INT32_MAX : (int)args->vcpu;
    return (struct wanted){vcpu, (int)args->vcpu, args->cpumap,
                           has_flags ? args->flags : VIR_DOMAIN_AFFECT_LIVE};
}

static bool pin_prepare(struct call *call, struct domain_edit *edit)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    edit->flags = wanted(call).flags;
    if (!hypervisor->pin) {
        call_unsupported(call);
        return false;
    }
    // libvirt's old call is the newer one for the running guest, also where that takes no flags.
    if (call->header.proc == REMOTE_PROC_DOMAIN_PIN_VCPU)
        edit->flags &= hypervisor->allowed.pin_vcpu;
    return wanted(call).map.len > 0 ||
           call_invalid_argument(call, "maplen", "must be greater than zero");
}

static uint32_t pin_flags(const struct hypervisor *hypervisor)
{
    return hypervisor->allowed.pin_vcpu;
}

static bool check_range(struct call *call, const struct domain_edit *edit, uint32_t impact,
                        const char *which)
{
    if (!(edit->flags & impact) || wanted(call).vcpu == HYPERVISOR_EMULATOR)
        return true;
    const struct xml_node *tree = domain_definition_for(edit->base.domain, impact, &call->error);
    const struct hypervisor *hypervisor = edit->base.domain->hypervisor;
    uint32_t vcpu = (uint32_t)wanted(call).vcpu;
    if (!tree)
        return false;
    if (hypervisor->pins_vcpus_that_are_there)
        return vcpu < domain_vcpus(tree) ||
               error_set(&call->error, hypervisor->error_domain, VIR_ERR_INVALID_ARG,
                         "requested vcpu '%d' is not present in the domain", wanted(call).said);
    return vcpu < domain_vcpus_max(tree) ||
           error_set(&call->error, hypervisor->error_domain, VIR_ERR_INVALID_ARG,
                     "vcpu %d is out of range of %s cpu count %d", wanted(call).said, which,
                     (int)(impact & VIR_DOMAIN_AFFECT_LIVE ? domain_vcpus_max(tree)
                                                           : domain_vcpus(tree)));
}

static bool may_be_empty(struct call *call, const struct hypervisor *hypervisor)
{
    return hypervisor->pins_vcpus_that_are_there && wanted(call).vcpu != HYPERVISOR_EMULATOR;
}

static bool pin_live(struct call *call, const struct domain_edit *edit,
                     const struct port_cpuset *cpus)
{
    const struct domain *domain = edit->base.domain;
    if (!(edit->flags & VIR_DOMAIN_AFFECT_LIVE))
        return true;
    return domain->hypervisor->pin(domain, wanted(call).vcpu, cpus, &call->error);
}

// The thread is bound here already: it does not wait, and everything has been checked.
static bool pin_check(struct call *call, struct domain_edit *edit)
{
    struct port_cpuset cpus;
    if (!check_range(call, edit, VIR_DOMAIN_AFFECT_CONFIG, "persistent"))
        return false;
    cpuset_from_map(wanted(call).map, &cpus);
    if (port_cpuset_count(&cpus) == 0 && !may_be_empty(call, edit->base.domain->hypervisor))
        return error_set(&call->error, edit->base.domain->hypervisor->error_domain,
                         VIR_ERR_INVALID_ARG, "Empty cpu list for pinning");
    return check_range(call, edit, VIR_DOMAIN_AFFECT_LIVE, "live") && pin_live(call, edit, &cpus);
}

static struct buffer set_text(const struct call *call, char *text, size_t size)
{
    struct port_cpuset cpus;
    struct buffer out = buffer_over(text, size);
    cpuset_from_map(wanted(call).map, &cpus);
    node_put_cpuset(&out, &cpus);
    return out;
}

#define CPUSET_TEXT_SIZE (CONFIG_HOST_CPUS * 5 + 1)

static bool pin_edit(struct call *call, struct xml_doc *doc, struct xml_node *tree)
{
    char text[CPUSET_TEXT_SIZE];
    struct buffer out = set_text(call, text, sizeof(text));
    int vcpu = wanted(call).vcpu;
    if (vcpu == HYPERVISOR_EMULATOR)
        xml_set(doc, xml_need(doc, xml_need(doc, tree, "cputune"), "emulatorpin"), "cpuset",
                buffer_slice(&out));
    else
        set_vcpupin(doc, tree, (uint32_t)vcpu, buffer_slice(&out));
    domain_xml_order(doc);
    return true;
}

static void pin_done(struct call *call, struct domain_edit *edit)
{
    char text[CPUSET_TEXT_SIZE], name[48];
    struct buffer out = set_text(call, text, sizeof(text));
    int vcpu = wanted(call).vcpu;
    if (!(edit->flags & VIR_DOMAIN_AFFECT_LIVE))
        return;
    if (vcpu == HYPERVISOR_EMULATOR)
        snprintf(name, sizeof(name), "cputune.emulatorpin");
    else
        snprintf(name, sizeof(name), "cputune.vcpupin%d", vcpu);
    domain_event_tunable(edit->base.domain, name, buffer_slice(&out));
}

static enum co_status pin(struct call *call)
{
    static const struct domain_edit_kind vcpu_kind = {
        .holder = "remoteDispatchDomainPinVcpuFlags",
        .allowed = pin_flags,
        .one = true,
        .prepare = pin_prepare,
        .check = pin_check,
        .edit_live = pin_edit,
        .edit_config = pin_edit,
        .done = pin_done,
    };
    static const struct domain_edit_kind emulator_kind = {
        .holder = "remoteDispatchDomainPinEmulator",
        .allowed = domain_edit_impact_flags,
        .one = true,
        .prepare = pin_prepare,
        .check = pin_check,
        .edit_live = pin_edit,
        .edit_config = pin_edit,
        .done = pin_done,
    };
    bool emulator = call->header.proc == REMOTE_PROC_DOMAIN_PIN_EMULATOR;
    return domain_edit_run(call, emulator ? &emulator_kind : &vcpu_kind);
}

// ---- virDomainGetVcpuPinInfo, virDomainGetEmulatorPinInfo

// The definition that the flags mean; NULL with the error set.
static const struct xml_node *info_tree(struct call *call, const struct domain *domain,
                                        uint32_t flags, uint32_t allowed, const char *function)
{
    if (!call_exclusive_flags(call, flags, VIR_DOMAIN_AFFECT_LIVE, "VIR_DOMAIN_AFFECT_LIVE",
                              VIR_DOMAIN_AFFECT_CONFIG, "VIR_DOMAIN_AFFECT_CONFIG") ||
        !call_driver_flags(call, domain->hypervisor, flags, allowed, function) ||
        !domain_check_impact(domain, &flags, &call->error))
        return NULL;
    if (!domain->hypervisor->node_cpus) {
        call_unsupported(call);
        return NULL;
    }
    return domain_definition_for(domain, flags, &call->error);
}

static bool info_check(struct call *call, int32_t count, int32_t len)
{
    if (count > REMOTE_VCPUINFO_MAX)
        return error_set(&call->error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                         "ncpumaps > REMOTE_VCPUINFO_MAX");
    if (!domain_maps_check(call, "maxinfo", count, len))
        return false;
    if (count <= 0)
        return call_invalid_argument(call, "ncpumaps", "must be greater than zero");
    return len > 0 || call_invalid_argument(call, "maplen", "must be greater than zero");
}

static enum co_status get_vcpu_pin_info(struct call *call)
{
    const struct remote_domain_get_vcpu_pin_info_args *args =
        CALL_ARGS(call, struct remote_domain_get_vcpu_pin_info_args);
    const struct domain *domain = call_find_domain(call, &args->dom);
    if (!domain || !info_check(call, args->ncpumaps, args->maplen))
        return CO_DONE;
    const struct xml_node *tree = info_tree(
        call, domain, args->flags, domain->hypervisor->allowed.pin_info, "DomainGetVcpuPinInfo");
    if (!tree)
        return CO_DONE;
    uint32_t count = domain_vcpus_max(tree);
    if (count > (uint32_t)args->ncpumaps)
        count = (uint32_t)args->ncpumaps;
    struct domain_maps maps = domain_maps_begin(args->ncpumaps, args->maplen);
    for (uint32_t i = 0; i < count; i++) {
        struct port_cpuset set;
        if (!read_pin(domain, tree, find_vcpupin(tree, i), &set, &call->error))
            return CO_DONE;
        domain_maps_set(&maps, i, &set);
    }
    struct xdr_writer *w = call_reply(call);
    domain_maps_put(w, &maps);
    xdr_put_i32(w, (int32_t)count);
    return CO_DONE;
}

static enum co_status get_emulator_pin_info(struct call *call)
{
    const struct remote_domain_get_emulator_pin_info_args *args =
        CALL_ARGS(call, struct remote_domain_get_emulator_pin_info_args);
    const struct domain *domain = call_find_domain(call, &args->dom);
    struct port_cpuset set;
    if (!domain || !info_check(call, 1, args->maplen))
        return CO_DONE;
    const struct xml_node *tree =
        info_tree(call, domain, args->flags, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG,
                  "DomainGetEmulatorPinInfo");
    if (!tree || !read_pin(domain, tree, xml_find(tree, "cputune/emulatorpin"), &set, &call->error))
        return CO_DONE;
    struct domain_maps maps = domain_maps_begin(1, args->maplen);
    domain_maps_set(&maps, 0, &set);
    struct xdr_writer *w = call_reply(call);
    domain_maps_put(w, &maps);
    xdr_put_i32(w, 1);
    return CO_DONE;
}

const struct call_entry domain_pin_handlers[] = {
    {REMOTE_PROC_DOMAIN_PIN_VCPU, pin},
    {REMOTE_PROC_DOMAIN_PIN_VCPU_FLAGS, pin},
    {REMOTE_PROC_DOMAIN_PIN_EMULATOR, pin},
    {REMOTE_PROC_DOMAIN_GET_VCPU_PIN_INFO, get_vcpu_pin_info},
    {REMOTE_PROC_DOMAIN_GET_EMULATOR_PIN_INFO, get_emulator_pin_info},
    {0, NULL},
};
