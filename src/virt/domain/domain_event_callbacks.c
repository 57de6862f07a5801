// Who wants to be told about which events.
#include "virt/domain/domain_event_callbacks.h"

#include "core/assert.h"
#include "rpc/client.h"
#include "virt/access.h"

#include <string.h>

static struct event_callback callbacks[CONFIG_MAX_EVENT_CALLBACKS];
static size_t high; // rows from here on were never used, or are free again
static int32_t next_id;

static void forget_client(struct client *client)
{
    for (size_t i = 0; i < high; i++)
        if (callbacks[i].client == client)
            callbacks[i].client = NULL;
    while (high > 0 && !callbacks[high - 1].client)
        high--;
}

static struct event_callback *free_row(void)
{
    for (size_t i = 0; i < high; i++)
        if (!callbacks[i].client)
            return &callbacks[i];
    return high < CONFIG_MAX_EVENT_CALLBACKS ? &callbacks[high++] : NULL;
}

struct event_callback *event_callback_add(struct client *client,
                                          const struct hypervisor *hypervisor, int32_t event,
                                          struct error *err)
{
    static struct client_hook hook;
    if (!hook.gone) {
        hook.gone = forget_client;
        client_on_gone(&hook);
    }
    struct event_callback *callback = free_row();
    if (!callback) {
        error_set(err, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED,
                  "too many event callbacks: limit is %d, CONFIG_MAX_EVENT_CALLBACKS",
                  CONFIG_MAX_EVENT_CALLBACKS);
        return NULL;
    }
    *callback = (struct event_callback){
        .client = client, .hypervisor = hypervisor, .event = event, .id = next_id};
    next_id = next_id == INT32_MAX ? 0 : next_id + 1;
    return callback;
}

void event_callback_remove(struct event_callback *callback)
{
    assert(callback->client);
    callback->client = NULL;
}

struct event_callback *event_callback_of_event(const struct client *client, int32_t event)
{
    for (size_t i = 0; i < high; i++)
        if (callbacks[i].client == client && callbacks[i].event == event)
            return &callbacks[i];
    return NULL;
}

struct event_callback *event_callback_of_id(const struct client *client, int32_t id, bool monitor)
{
    for (size_t i = 0; i < high; i++)
        if (callbacks[i].client == client && callbacks[i].id == id &&
            (callbacks[i].event == EVENT_ID_MONITOR) == monitor)
            return &callbacks[i];
    return NULL;
}

struct event_callback *event_callback_next(const struct event_callback *previous,
                                           const struct domain *domain, int32_t event)
{
    for (size_t i = previous ? (size_t)(previous - callbacks) + 1 : 0; i < high; i++) {
        struct event_callback *callback = &callbacks[i];
        if (callback->client && callback->event == event &&
            callback->hypervisor == domain->hypervisor &&
            (!callback->one || memcmp(callback->uuid, domain->uuid, 16) == 0) &&
            access_hears_of(callback->client, domain))
            return callback;
    }
    return NULL;
}
