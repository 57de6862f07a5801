// Handlers: what a domain is and how it is.
#include "virt/domain/domain_call.h"
#include "virt/domain/domain_facts.h"
#include "virt/domain/domain_taint.h"
#include "virt/handlers.h"

#include <stdio.h>
#include <string.h>

// CPU time and current memory of a running guest; the definition's numbers where the driver has
// none.
static void running_info(const struct domain *domain, uint64_t *memory_kib, uint64_t *cpu_ns)
{
    *cpu_ns = 0;
    if (domain->hypervisor->info)
        domain->hypervisor->info(domain, memory_kib, cpu_ns);
}

static enum co_status get_info(struct call *call)
{
    struct domain *domain = call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain));
    if (!domain)
        return CO_DONE;
    const struct xml_node *tree = definition_current(domain, &call->error);
    if (!tree)
        return CO_DONE;
    uint32_t vcpus = domain_vcpus(tree);
    struct remote_domain_get_info_ret ret = {
        .state = domain->state,
        .maxMem = domain_memory_kib(tree),
        .memory = domain_current_memory_kib(tree),
        .nrVirtCpu = (uint16_t)(vcpus > UINT16_MAX ? UINT16_MAX : vcpus),
    };
    running_info(domain, &ret.memory, &ret.cpuTime);
    xdr_encode(call_reply(call), XDR_TYPE(remote_domain_get_info_ret), &ret);
    return CO_DONE;
}

static enum co_status get_state(struct call *call)
{
    const struct remote_domain_get_state_args *args =
        CALL_ARGS(call, struct remote_domain_get_state_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor || !call_driver_flags(call, hypervisor, args->flags, 0, "DomainGetState"))
        return CO_DONE;
    struct domain *domain = call_find_domain(call, &args->dom);
    if (!domain)
        return CO_DONE;
    struct remote_domain_get_state_ret ret = {.state = domain->state, .reason = domain->reason};
    xdr_encode(call_reply(call), XDR_TYPE(remote_domain_get_state_ret), &ret);
    return CO_DONE;
}

static enum co_status get_control_info(struct call *call)
{
    const struct remote_domain_get_control_info_args *args =
        CALL_ARGS(call, struct remote_domain_get_control_info_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor || !call_driver_flags(call, hypervisor, args->flags, 0, "DomainGetControlInfo"))
        return CO_DONE;
    struct domain *domain = call_find_domain(call, &args->dom);
    if (!domain || !domain_check_active(domain, &call->error))
        return CO_DONE;
    struct remote_domain_get_control_info_ret ret = {.state = VIR_DOMAIN_CONTROL_OK};
    if (domain->job.holder) {
        ret.state = VIR_DOMAIN_CONTROL_OCCUPIED;
        ret.stateTime = (loop_now() - domain->job.since) / NS_PER_MS;
    }
    xdr_encode(call_reply(call), XDR_TYPE(remote_domain_get_control_info_ret), &ret);
    return CO_DONE;
}

static enum co_status reply_truth(struct call *call, bool truth)
{
    xdr_put_i32(call_reply(call), truth);
    return CO_DONE;
}

static enum co_status is_active(struct call *call)
{
    struct domain *domain = call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain));
    return domain ? reply_truth(call, domain_active(domain)) : CO_DONE;
}

static enum co_status is_persistent(struct call *call)
{
    struct domain *domain = call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain));
    return domain ? reply_truth(call, domain->persistent) : CO_DONE;
}

// libvirt 9.0's drivers never mark a domain as updated.
static enum co_status is_updated(struct call *call)
{
    struct domain *domain = call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain));
    return domain ? reply_truth(call, false) : CO_DONE;
}

static enum co_status get_os_type(struct call *call)
{
    struct domain *domain = call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain));
    if (!domain)
        return CO_DONE;
    struct slice type = slice_of(domain->hypervisor->os_type);
    if (!slice_present(type)) {
        const struct xml_node *tree = definition_current(domain, &call->error);
        if (!tree)
            return CO_DONE;
        type = xml_text_at(tree, "os/type");
    }
    xdr_put_string(call_reply(call), type);
    return CO_DONE;
}

static enum co_status get_max_memory(struct call *call)
{
    struct domain *domain = call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain));
    const struct xml_node *tree = domain ? definition_current(domain, &call->error) : NULL;
    if (tree)
        xdr_put_u64(call_reply(call), domain_memory_kib(tree));
    return CO_DONE;
}

static enum co_status get_max_vcpus(struct call *call)
{
    struct domain *domain = call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain));
    uint32_t flags = VIR_DOMAIN_AFFECT_LIVE;
    if (!domain || !domain_check_impact(domain, &flags, &call->error))
        return CO_DONE;
    const struct xml_node *tree = definition_current(domain, &call->error);
    if (tree)
        xdr_put_i32(call_reply(call), (int32_t)domain_vcpus_max(tree));
    return CO_DONE;
}

// ---- what this build never has: managed save images, snapshots, checkpoints, messages

static enum co_status reply_none(struct call *call, const char *function, uint32_t flags,
                                 uint32_t allowed)
{
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor || !call_driver_flags(call, hypervisor, flags, allowed, function) ||
        !call_find_domain(call, CALL_ARGS(call, struct remote_nonnull_domain)))
        return CO_DONE;
    xdr_put_i32(call_reply(call), 0);
    return CO_DONE;
}

static enum co_status has_managed_save_image(struct call *call)
{
    uint32_t flags = CALL_ARGS(call, struct remote_domain_has_managed_save_image_args)->flags;
    return reply_none(call, "DomainHasManagedSaveImage", flags, 0);
}

#define SNAPSHOT_LIST_FLAGS 0x7ffu // virDomainSnapshotListFlags
static enum co_status snapshot_num(struct call *call)
{
    uint32_t flags = CALL_ARGS(call, struct remote_domain_snapshot_num_args)->flags;
    return reply_none(call, "DomainSnapshotNum", flags, SNAPSHOT_LIST_FLAGS);
}

static enum co_status has_current_snapshot(struct call *call)
{
    uint32_t flags = CALL_ARGS(call, struct remote_domain_has_current_snapshot_args)->flags;
    return reply_none(call, "DomainHasCurrentSnapshot", flags, 0);
}

static enum co_status list_all_snapshots(struct call *call)
{
    const struct remote_domain_list_all_snapshots_args *args =
        CALL_ARGS(call, struct remote_domain_list_all_snapshots_args);
    if (!call_find_domain(call, &args->dom) ||
        !call_driver_flags(call, call_hypervisor(call), args->flags, SNAPSHOT_LIST_FLAGS,
                           "DomainListAllSnapshots"))
        return CO_DONE;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_SNAPSHOT_LIST_MAX);
    xdr_list_end(w, &list);
    xdr_put_i32(w, 0);
    return CO_DONE;
}

#define CHECKPOINT_LIST_FLAGS 0xfu // virDomainCheckpointListFlags
static enum co_status list_all_checkpoints(struct call *call)
{
    const struct remote_domain_list_all_checkpoints_args *args =
        CALL_ARGS(call, struct remote_domain_list_all_checkpoints_args);
    if (!call_find_domain(call, &args->dom) ||
        !call_driver_flags(call, call_hypervisor(call), args->flags, CHECKPOINT_LIST_FLAGS,
                           "DomainListAllCheckpoints"))
        return CO_DONE;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_CHECKPOINT_LIST_MAX);
    xdr_list_end(w, &list);
    xdr_put_i32(w, 0);
    return CO_DONE;
}

// virDomainMessageType
#define MESSAGE_DEPRECATION 1u
#define MESSAGE_TAINTING    2u

static void put_taints(struct xdr_writer *w, struct xdr_list_mark *list,
                       const struct domain *domain)
{
    uint32_t taints = domain->hypervisor->taints ? domain->hypervisor->taints(domain) : 0;
    for (int taint = 0; taint < DOMAIN_TAINTS; taint++) {
        char text[128];
        if (!(taints & (1u << taint)))
            continue;
        snprintf(text, sizeof(text), "tainted: %s", domain_taint_message((enum domain_taint)taint));
        xdr_list_add(w, list);
        xdr_put_string(w, slice_of(text));
    }
}

static enum co_status get_messages(struct call *call)
{
    const struct remote_domain_get_messages_args *args =
        CALL_ARGS(call, struct remote_domain_get_messages_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor ||
        !call_driver_flags(call, hypervisor, args->flags, MESSAGE_DEPRECATION | MESSAGE_TAINTING,
                           "DomainGetMessages"))
        return CO_DONE;
    const struct domain *domain = call_find_domain(call, &args->dom);
    if (!domain)
        return CO_DONE;
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_MESSAGES_MAX);
    if (args->flags == 0 || (args->flags & MESSAGE_TAINTING))
        put_taints(w, &list, domain);
    xdr_list_end(w, &list);
    return CO_DONE;
}

const struct call_entry domain_state_handlers[] = {
    {REMOTE_PROC_DOMAIN_GET_INFO, get_info},
    {REMOTE_PROC_DOMAIN_GET_STATE, get_state},
    {REMOTE_PROC_DOMAIN_GET_CONTROL_INFO, get_control_info},
    {REMOTE_PROC_DOMAIN_IS_ACTIVE, is_active},
    {REMOTE_PROC_DOMAIN_IS_PERSISTENT, is_persistent},
    {REMOTE_PROC_DOMAIN_IS_UPDATED, is_updated},
    {REMOTE_PROC_DOMAIN_GET_OS_TYPE, get_os_type},
    {REMOTE_PROC_DOMAIN_GET_MAX_MEMORY, get_max_memory},
    {REMOTE_PROC_DOMAIN_GET_MAX_VCPUS, get_max_vcpus},
    {REMOTE_PROC_DOMAIN_HAS_MANAGED_SAVE_IMAGE, has_managed_save_image},
    {REMOTE_PROC_DOMAIN_SNAPSHOT_NUM, snapshot_num},
    {REMOTE_PROC_DOMAIN_HAS_CURRENT_SNAPSHOT, has_current_snapshot},
    {REMOTE_PROC_DOMAIN_LIST_ALL_SNAPSHOTS, list_all_snapshots},
    {REMOTE_PROC_DOMAIN_LIST_ALL_CHECKPOINTS, list_all_checkpoints},
    {REMOTE_PROC_DOMAIN_GET_MESSAGES, get_messages},
    {0, NULL},
};
