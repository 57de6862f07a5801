// Domain events: written once for each callback that wants them, in its own form.
//
// The old messages (up to VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED) are a body; the newer ones are the
// same body behind the callback's id, and for power management its reason.
#include "virt/domain/domain_event.h"

#include "proto/remote.h"
#include "rpc/client.h"
#include "rpc/xdr_params.h"
#include "virt/domain/domain_audit.h"
#include "virt/domain/domain_call.h"
#include "virt/domain/domain_event_callbacks.h"

#include <string.h>

struct event_form {
    int32_t event;       // VIR_DOMAIN_EVENT_ID_*
    uint32_t legacy;     // procedure; 0: there is no old message
    uint32_t by_id;      // procedure
    bool has_reason;     // between id and body
    bool starts_with_id; // the body's struct has the id as its first member
};

static void tell_one(const struct event_callback *callback, const struct event_form *form,
                     const struct xdr_type *type, void *body, int32_t reason)
{
    if (callback->legacy && !form->legacy)
        return;
    struct xdr_writer *w = client_event_begin(callback->client, &remote_program,
                                              callback->legacy ? form->legacy : form->by_id);
    if (form->starts_with_id)
        memcpy(body, &callback->id, sizeof(callback->id));
    else if (!callback->legacy)
        xdr_put_i32(w, callback->id);
    if (form->has_reason && !callback->legacy)
        xdr_put_i32(w, reason);
    xdr_encode(w, type, body);
    client_event_send();
}

static void tell(const struct domain *domain, const struct event_form *form,
                 const struct xdr_type *type, void *body, int32_t reason)
{
    struct event_callback *callback = NULL;
    while ((callback = event_callback_next(callback, domain, form->event)))
        tell_one(callback, form, type, body, reason);
}

// Both forms have the same name in the protocol.
#define FORM(name, id)                                                                             \
    ((const struct event_form){.event = VIR_DOMAIN_EVENT_ID_##id,                                  \
                               .legacy = REMOTE_PROC_DOMAIN_EVENT_##name,                          \
                               .by_id = REMOTE_PROC_DOMAIN_EVENT_CALLBACK_##name})
// Only by id, and the struct includes it.
#define NEW_FORM(name)                                                                             \
    ((const struct event_form){.event = VIR_DOMAIN_EVENT_ID_##name,                                \
                               .by_id = REMOTE_PROC_DOMAIN_EVENT_CALLBACK_##name,                  \
                               .starts_with_id = true})

void domain_event_lifecycle(const struct domain *domain, int event, int detail)
{
    struct remote_domain_event_lifecycle_msg body = {.event = event, .detail = detail};
    domain_to_wire(domain, &body.dom);
    domain_audit(domain, event, detail);
    tell(domain, &FORM(LIFECYCLE, LIFECYCLE), XDR_TYPE(remote_domain_event_lifecycle_msg), &body,
         0);
}

void domain_event_reboot(const struct domain *domain)
{
    struct remote_domain_event_reboot_msg body;
    domain_to_wire(domain, &body.dom);
    tell(domain, &FORM(REBOOT, REBOOT), XDR_TYPE(remote_domain_event_reboot_msg), &body, 0);
}

void domain_event_rtc_change(const struct domain *domain, int64_t offset_seconds)
{
    struct remote_domain_event_rtc_change_msg body = {.offset = offset_seconds};
    domain_to_wire(domain, &body.dom);
    tell(domain, &FORM(RTC_CHANGE, RTC_CHANGE), XDR_TYPE(remote_domain_event_rtc_change_msg), &body,
         0);
}

void domain_event_watchdog(const struct domain *domain, int action)
{
    struct remote_domain_event_watchdog_msg body = {.action = action};
    domain_to_wire(domain, &body.dom);
    tell(domain, &FORM(WATCHDOG, WATCHDOG), XDR_TYPE(remote_domain_event_watchdog_msg), &body, 0);
}

// Two events of libvirt's, one without and one with the reason.
void domain_event_io_error(const struct domain *domain, struct slice path, struct slice alias,
                           int action, struct slice reason)
{
    struct remote_domain_event_io_error_msg body = {
        .srcPath = path, .devAlias = alias, .action = action};
    struct remote_domain_event_io_error_reason_msg with_reason = {
        .srcPath = path, .devAlias = alias, .action = action, .reason = reason};
    domain_to_wire(domain, &body.dom);
    domain_to_wire(domain, &with_reason.dom);
    tell(domain, &FORM(IO_ERROR, IO_ERROR), XDR_TYPE(remote_domain_event_io_error_msg), &body, 0);
    tell(domain, &FORM(IO_ERROR_REASON, IO_ERROR_REASON),
         XDR_TYPE(remote_domain_event_io_error_reason_msg), &with_reason, 0);
}

void domain_event_graphics(const struct domain *domain, int phase, int local_family,
                           struct slice local_node, struct slice local_service, int remote_family,
                           struct slice remote_node, struct slice remote_service,
                           struct slice auth_scheme)
{
    struct remote_domain_event_graphics_msg body = {
        .phase = phase,
        .local = {.family = local_family, .node = local_node, .service = local_service},
        .remote = {.family = remote_family, .node = remote_node, .service = remote_service},
        .authScheme = auth_scheme,
    };
    domain_to_wire(domain, &body.dom);
    tell(domain, &FORM(GRAPHICS, GRAPHICS), XDR_TYPE(remote_domain_event_graphics_msg), &body, 0);
}

void domain_event_control_error(const struct domain *domain)
{
    struct remote_domain_event_control_error_msg body;
    domain_to_wire(domain, &body.dom);
    tell(domain, &FORM(CONTROL_ERROR, CONTROL_ERROR),
         XDR_TYPE(remote_domain_event_control_error_msg), &body, 0);
}

void domain_event_balloon_change(const struct domain *domain, uint64_t actual_kib)
{
    struct remote_domain_event_balloon_change_msg body = {.actual = actual_kib};
    domain_to_wire(domain, &body.dom);
    tell(domain, &FORM(BALLOON_CHANGE, BALLOON_CHANGE),
         XDR_TYPE(remote_domain_event_balloon_change_msg), &body, 0);
}

void domain_event_tray_change(const struct domain *domain, struct slice alias, int reason)
{
    struct remote_domain_event_tray_change_msg body = {.devAlias = alias, .reason = reason};
    domain_to_wire(domain, &body.dom);
    tell(domain, &FORM(TRAY_CHANGE, TRAY_CHANGE), XDR_TYPE(remote_domain_event_tray_change_msg),
         &body, 0);
}

void domain_event_pmsuspend(const struct domain *domain, int id, int reason)
{
    static const struct event_form forms[] = {
        {.event = VIR_DOMAIN_EVENT_ID_PMWAKEUP,
         .legacy = REMOTE_PROC_DOMAIN_EVENT_PMWAKEUP,
         .by_id = REMOTE_PROC_DOMAIN_EVENT_CALLBACK_PMWAKEUP,
         .has_reason = true},
        {.event = VIR_DOMAIN_EVENT_ID_PMSUSPEND,
         .legacy = REMOTE_PROC_DOMAIN_EVENT_PMSUSPEND,
         .by_id = REMOTE_PROC_DOMAIN_EVENT_CALLBACK_PMSUSPEND,
         .has_reason = true},
        {.event = VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK,
         .legacy = REMOTE_PROC_DOMAIN_EVENT_PMSUSPEND_DISK,
         .by_id = REMOTE_PROC_DOMAIN_EVENT_CALLBACK_PMSUSPEND_DISK,
         .has_reason = true},
    };
    struct remote_domain_event_pmsuspend_msg body; // the three bodies are alike
    domain_to_wire(domain, &body.dom);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (forms[i].event == id)
            tell(domain, &forms[i], XDR_TYPE(remote_domain_event_pmsuspend_msg), &body, reason);
}

void domain_event_agent_lifecycle(const struct domain *domain, int state, int reason)
{
    struct remote_domain_event_callback_agent_lifecycle_msg body = {.state = state,
                                                                    .reason = reason};
    domain_to_wire(domain, &body.dom);
    tell(domain, &NEW_FORM(AGENT_LIFECYCLE),
         XDR_TYPE(remote_domain_event_callback_agent_lifecycle_msg), &body, 0);
}

void domain_event_device(const struct domain *domain, int id, struct slice alias)
{
    if (id == VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED) {
        struct remote_domain_event_device_removed_msg body = {.devAlias = alias};
        domain_to_wire(domain, &body.dom);
        tell(domain, &FORM(DEVICE_REMOVED, DEVICE_REMOVED),
             XDR_TYPE(remote_domain_event_device_removed_msg), &body, 0);
        return;
    }
    struct remote_domain_event_callback_device_added_msg body = {.devAlias = alias};
    domain_to_wire(domain, &body.dom);
    if (id == VIR_DOMAIN_EVENT_ID_DEVICE_ADDED)
        tell(domain, &NEW_FORM(DEVICE_ADDED),
             XDR_TYPE(remote_domain_event_callback_device_added_msg), &body, 0);
    else if (id == VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED)
        tell(domain, &NEW_FORM(DEVICE_REMOVAL_FAILED),
             XDR_TYPE(remote_domain_event_callback_device_removal_failed_msg), &body, 0);
}

void domain_event_tunable(const struct domain *domain, const char *name, struct slice value)
{
    struct event_callback *callback = NULL;
    while ((callback = event_callback_next(callback, domain, VIR_DOMAIN_EVENT_ID_TUNABLE))) {
        struct xdr_writer *w = client_event_begin(callback->client, &remote_program,
                                                  REMOTE_PROC_DOMAIN_EVENT_CALLBACK_TUNABLE);
        xdr_put_i32(w, callback->id);
        domain_put(w, domain);
        struct xdr_list_mark params = xdr_list_begin(w, REMOTE_DOMAIN_EVENT_TUNABLE_MAX);
        xdr_param_add_string(w, &params, name, value);
        xdr_list_end(w, &params);
        client_event_send();
    }
}

void domain_event_metadata_change(const struct domain *domain, int type, struct slice uri)
{
    struct remote_domain_event_callback_metadata_change_msg body = {.type = type, .nsuri = uri};
    domain_to_wire(domain, &body.dom);
    tell(domain, &NEW_FORM(METADATA_CHANGE),
         XDR_TYPE(remote_domain_event_callback_metadata_change_msg), &body, 0);
}
