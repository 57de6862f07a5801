// The transports of this build, by name.
#include "net/transport.h"

#include "core/config.h"
#include "net/tls/tls.h"

#include <string.h>

static const struct transport *const transports[] = {
    &transport_unix,
    &transport_tcp,
#ifdef CONFIG_TLS
    &transport_tls,
#endif
};

enum { COUNT = sizeof(transports) / sizeof(transports[0]) };

static bool started[COUNT];

const struct transport *transport_start(const char *name, const struct settings *settings,
                                        struct error *err)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(transports[i]->name, name) != 0)
            continue;
        started[i] = !transports[i]->start || transports[i]->start(settings, err);
        return started[i] ? transports[i] : NULL;
    }
    error_set(err, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
              "the transport %s is not built into this daemon", name);
    return NULL;
}

bool transport_reload(struct error *err)
{
    for (size_t i = 0; i < COUNT; i++)
        if (started[i] && transports[i]->reload && !transports[i]->reload(err))
            return false;
    return true;
}

void transport_read_ahead(void)
{
    for (size_t i = 0; i < COUNT; i++)
        if (started[i] && transports[i]->read_ahead)
            transports[i]->read_ahead();
}
