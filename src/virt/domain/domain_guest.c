// Handlers: what the guest itself tells of its inside and is asked to do there: information, its
// processors and addresses, passwords, file systems.
#include "rpc/gather.h"
#include "rpc/xdr_params.h"
#include "virt/domain/domain_call.h"
#include "virt/handlers.h"
#include "virt/xml/xml_schema.h"

#include <stddef.h>

// ---- virDomainGetGuestInfo: several questions, whose answers are gathered in a slot

struct info_state {
    struct domain_call base;
    struct hypervisor_op op;
    struct gather params;
};

static void put_info(void *to, const struct hypervisor_param *param)
{
    struct info_state *s = to;
    switch (param->type) {
    case HYPERVISOR_I32:
        xdr_param_add_i32(&s->params.w, &s->params.list, param->name, (int32_t)param->number);
        break;
    case HYPERVISOR_U32:
        xdr_param_add_u32(&s->params.w, &s->params.list, param->name, (uint32_t)param->number);
        break;
    case HYPERVISOR_U64:
        xdr_param_add_u64(&s->params.w, &s->params.list, param->name, param->number);
        break;
    case HYPERVISOR_BOOL:
        xdr_param_add_bool(&s->params.w, &s->params.list, param->name, param->number != 0);
        break;
    case HYPERVISOR_STRING:
        xdr_param_add_string(&s->params.w, &s->params.list, param->name, param->text);
        break;
    }
}

static bool info_begin(struct call *call, struct info_state *s)
{
    const struct remote_domain_get_guest_info_args *args =
        CALL_ARGS(call, struct remote_domain_get_guest_info_args);
    const struct hypervisor *hypervisor = call_hypervisor(call);
    if (!hypervisor)
        return false;
    if (!hypervisor->guest_info) {
        call_unsupported(call);
        return false;
    }
    s->op = (struct hypervisor_op){.task = &call->task, .err = &call->error};
    s->op.guest_info.types = args->types;
    s->op.guest_info.put = put_info;
    s->op.guest_info.to = s;
    return call_driver_flags(call, hypervisor, args->flags, 0, "DomainGetGuestInfo") &&
           domain_call_open(call, &s->base, &args->dom);
}

static bool info_ready(struct call *call, struct info_state *s)
{
    if (error_is_set(&call->error))
        return false;
    s->op.domain = s->base.domain;
    return gather_begin(&s->params, call, REMOTE_DOMAIN_GUEST_INFO_PARAMS_MAX);
}

static enum co_status get_guest_info(struct call *call)
{
    struct remote_domain_get_guest_info_ret ret;
    struct info_state *s = CALL_STATE(call, struct info_state);
    CO_BEGIN(&call->co);
    if (!info_begin(call, s))
        CO_RETURN(&call->co);
    CO_CALL(&call->co,
            domain_call_job(call, &s->base, "remoteDispatchDomainGetGuestInfo", DOMAIN_JOB_AGENT));
    if (info_ready(call, s)) {
        CO_CALL(&call->co, s->base.domain->hypervisor->guest_info(&s->op));
        gather_reply(&s->params, call, XDR_TYPE(remote_domain_get_guest_info_ret), &ret);
    }
    domain_call_close(call, &s->base);
    CO_END(&call->co);
}

// ---- virDomainGetGuestVcpus, virDomainSetGuestVcpus

static bool guest_vcpus_prepare(struct call *call, struct hypervisor_op *op)
{
    op->flags = CALL_ARGS(call, struct remote_domain_get_guest_vcpus_args)->flags;
    return true;
}

static void put_set(struct xdr_writer *w, struct xdr_list_mark *list, const char *name,
                    const struct hypervisor_op *op,
                    bool (*has)(const struct hypervisor_guest_vcpu *))
{
    static struct schema_set set;
    static char text[SCHEMA_SET_BITS];
    struct buffer out = buffer_over(text, sizeof(text));
    set = (struct schema_set){0};
    for (uint32_t i = 0; i < op->guest_vcpus.count; i++)
        if (has(&op->guest_vcpus.at[i]))
            schema_set_add(&set, op->guest_vcpus.at[i].id);
    schema_set_write(&out, &set);
    xdr_param_add_string(w, list, name, buffer_slice(&out));
}

static bool is_there(const struct hypervisor_guest_vcpu *vcpu)
{
    return vcpu != NULL;
}

static bool is_online(const struct hypervisor_guest_vcpu *vcpu)
{
    return vcpu->online;
}

static bool is_offlinable(const struct hypervisor_guest_vcpu *vcpu)
{
    return vcpu->offlinable;
}

static void guest_vcpus_reply(struct call *call, const struct hypervisor_op *op)
{
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_GUEST_VCPU_PARAMS_MAX);
    put_set(w, &list, "vcpus", op, is_there);
    put_set(w, &list, "online", op, is_online);
    put_set(w, &list, "offlinable", op, is_offlinable);
    xdr_list_end(w, &list);
}

static enum co_status get_guest_vcpus(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainGetGuestVcpus",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, guest_vcpus),
        .check = domain_any_state,
        .prepare = guest_vcpus_prepare,
        .reply = guest_vcpus_reply,
    };
    return domain_call_action(call, &action);
}

static bool set_guest_vcpus_prepare(struct call *call, struct hypervisor_op *op)
{
    static struct schema_set set;
    const struct remote_domain_set_guest_vcpus_args *args =
        CALL_ARGS(call, struct remote_domain_set_guest_vcpus_args);
    op->flags = args->flags;
    op->set_guest_vcpus.cpus = args->cpumap;
    op->set_guest_vcpus.online = args->state == 1;
    if (args->state != 0 && args->state != 1)
        return error_set_plain(&call->error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                               "state in qemuDomainSetGuestVcpus unsupported state value");
    set = (struct schema_set){0};
    return schema_set_parse(args->cpumap, &set) ||
           error_set(&call->error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                     "Failed to parse bitmap '%.*s'", SLICE_ARG(args->cpumap));
}

static enum co_status set_guest_vcpus(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainSetGuestVcpus",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, set_guest_vcpus),
        .check = domain_any_state,
        .prepare = set_guest_vcpus_prepare,
    };
    return domain_call_action(call, &action);
}

// ---- virDomainInterfaceAddresses

static bool addresses_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct remote_domain_interface_addresses_args *args =
        CALL_ARGS(call, struct remote_domain_interface_addresses_args);
    op->flags = args->flags;
    op->addresses.source = args->source;
    return true;
}

static uint32_t put_addresses(struct xdr_writer *w, const struct hypervisor_address *at,
                              uint32_t count)
{
    uint32_t i = 0;
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_IP_ADDR_MAX);
    for (; i < count && (i == 0 || !at[i].first); i++) {
        struct remote_domain_ip_addr address = {at[i].ipv6, slice_of(at[i].address), at[i].prefix};
        if (!at[i].address[0])
            continue;
        xdr_list_add(w, &list);
        xdr_encode(w, XDR_TYPE(remote_domain_ip_addr), &address);
    }
    xdr_list_end(w, &list);
    return i;
}

static void addresses_reply(struct call *call, const struct hypervisor_op *op)
{
    struct xdr_writer *w = call_reply(call);
    struct xdr_list_mark list = xdr_list_begin(w, REMOTE_DOMAIN_INTERFACE_MAX);
    for (uint32_t i = 0; i < op->addresses.count;) {
        const struct hypervisor_address *at = &op->addresses.at[i];
        xdr_list_add(w, &list);
        xdr_put_string(w, slice_of(at->interface));
        xdr_put_optional_string(w, at->hwaddr[0] ? slice_of(at->hwaddr) : SLICE_NONE);
        i += put_addresses(w, at, op->addresses.count - i);
    }
    xdr_list_end(w, &list);
}

static enum co_status interface_addresses(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainInterfaceAddresses",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, addresses),
        .prepare = addresses_prepare,
        .reply = addresses_reply,
    };
    return domain_call_action(call, &action);
}

// ---- virDomainSetUserPassword

static bool password_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct remote_domain_set_user_password_args *args =
        CALL_ARGS(call, struct remote_domain_set_user_password_args);
    op->flags = args->flags;
    op->password.user = args->user;
    op->password.password = args->password;
    if (!slice_present(args->user))
        return call_invalid_argument(call, "user", "must not be NULL");
    return slice_present(args->password) ||
           call_invalid_argument(call, "password", "must not be NULL");
}

static uint32_t password_flags(const struct hypervisor *hypervisor)
{
    (void)hypervisor;
    return VIR_DOMAIN_PASSWORD_ENCRYPTED;
}

static enum co_status set_user_password(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainSetUserPassword",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, set_password),
        .allowed = password_flags,
        .prepare = password_prepare,
    };
    return domain_call_action(call, &action);
}

// ---- virDomainFSFreeze, virDomainFSThaw, virDomainFSTrim

static bool nth_mountpoint(const void *from, uint32_t n, struct slice *to)
{
    struct xdr_list list = *(const struct xdr_list *)from;
    bool found = true;
    for (uint32_t i = 0; found && i <= n; i++)
        found = xdr_next(&list, to);
    return found;
}

// The arguments of both are the same.
static bool freeze_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct remote_domain_fsfreeze_args *args =
        CALL_ARGS(call, struct remote_domain_fsfreeze_args);
    op->flags = args->flags;
    if (args->mountpoints.count)
        op->freeze.mountpoint = nth_mountpoint;
    op->freeze.from = &args->mountpoints;
    return true;
}

static void freeze_reply(struct call *call, const struct hypervisor_op *op)
{
    xdr_put_i32(call_reply(call), op->freeze.filesystems);
}

static enum co_status fs_freeze(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainFSFreeze",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, fs_freeze),
        .prepare = freeze_prepare,
        .reply = freeze_reply,
    };
    return domain_call_action(call, &action);
}

static enum co_status fs_thaw(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainFSThaw",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, fs_thaw),
        .check = domain_any_state,
        .prepare = freeze_prepare,
        .reply = freeze_reply,
    };
    return domain_call_action(call, &action);
}

static bool the_mountpoint(const void *from, uint32_t n, struct slice *to)
{
    *to = *(const struct slice *)from;
    return n == 0;
}

static bool trim_prepare(struct call *call, struct hypervisor_op *op)
{
    const struct remote_domain_fstrim_args *args =
        CALL_ARGS(call, struct remote_domain_fstrim_args);
    op->flags = args->flags;
    op->freeze.minimum = args->minimum;
    if (slice_present(args->mountPoint))
        op->freeze.mountpoint = the_mountpoint;
    op->freeze.from = &args->mountPoint;
    return true;
}

static enum co_status fs_trim(struct call *call)
{
    static const struct domain_action action = {
        .holder = "remoteDispatchDomainFSTrim",
        .job = DOMAIN_JOB_AGENT,
        .op = offsetof(struct hypervisor, fs_trim),
        .check = domain_any_state,
        .prepare = trim_prepare,
    };
    return domain_call_action(call, &action);
}

const struct call_entry domain_guest_handlers[] = {
    {REMOTE_PROC_DOMAIN_GET_GUEST_INFO, get_guest_info},
    {REMOTE_PROC_DOMAIN_GET_GUEST_VCPUS, get_guest_vcpus},
    {REMOTE_PROC_DOMAIN_SET_GUEST_VCPUS, set_guest_vcpus},
    {REMOTE_PROC_DOMAIN_INTERFACE_ADDRESSES, interface_addresses},
    {REMOTE_PROC_DOMAIN_SET_USER_PASSWORD, set_user_password},
    {REMOTE_PROC_DOMAIN_FSFREEZE, fs_freeze},
    {REMOTE_PROC_DOMAIN_FSTHAW, fs_thaw},
    {REMOTE_PROC_DOMAIN_FSTRIM, fs_trim},
    {0, NULL},
};
