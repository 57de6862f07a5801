// Who wants to be told about which events: one row for each registered callback of each client.
#ifndef VIRT_DOMAIN_EVENT_CALLBACKS_H
#define VIRT_DOMAIN_EVENT_CALLBACKS_H

#include "core/error.h"
#include "core/slice.h"
#include "virt/domain/domain.h"

struct client;

#define EVENT_NAME_SIZE 64

// VIR_DOMAIN_EVENT_ID_* and, apart from them, the events of a QEMU monitor.
#define EVENT_ID_MONITOR (-1)

struct event_callback {
    struct client *client; // NULL: the row is free
    const struct hypervisor *hypervisor;
    int32_t event; // VIR_DOMAIN_EVENT_ID_* or EVENT_ID_MONITOR
    int32_t id;    // what the client knows it by
    bool legacy;   // told by the old messages, without the id
    bool one;      // only about the domain of `uuid`
    bool any_case; // of `name`
    uint8_t uuid[16];
    char name[EVENT_NAME_SIZE]; // of a monitor event; "": all
};

// A row for `client`, with its id given; fill in the rest. VIR_ERR_OPERATION_FAILED at the limit
// CONFIG_MAX_EVENT_CALLBACKS.
struct event_callback *event_callback_add(struct client *client,
                                          const struct hypervisor *hypervisor, int32_t event,
                                          struct error *err);
void event_callback_remove(struct event_callback *callback);
// The client's first callback for that event; the one of that id for that kind of event.
struct event_callback *event_callback_of_event(const struct client *client, int32_t event);
struct event_callback *event_callback_of_id(const struct client *client, int32_t id, bool monitor);
// Walks the callbacks that want to hear of an event of this domain: start with NULL.
struct event_callback *event_callback_next(const struct event_callback *previous,
                                           const struct domain *domain, int32_t event);

#endif
