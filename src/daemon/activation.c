// Activation: sockets that a service manager has opened for us (systemd.socket(5)), and telling it
// how we are.
#include "daemon/activation.h"

#include "core/log.h"
#include "core/slice.h"
#include "net/listener.h"

#include <string.h>

static struct slice names[PORT_SOCKETS_PASSED_MAX]; // absent: in use
static int count;

bool activation_start(struct error *err)
{
    const char *list;
    int given = port_sockets_passed(&list);
    if (given < 0)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                         "too many sockets were passed: limit is %d", PORT_SOCKETS_PASSED_MAX);
    if (given == 0)
        return true;
    if (!list)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                         "Missing LISTEN_FDNAMES env from systemd socket activation");
    struct slice rest = slice_of(list), name;
    int named = 0;
    for (; slice_split(&rest, ':', &name); named++)
        if (named < given)
            names[named] = name;
    if (named != given)
        return error_set(err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                         "Expecting %d FD names but got %d", given, named);
    count = given;
    return true;
}

bool activation_given(void)
{
    return count > 0;
}

bool activation_has(const char *name)
{
    for (int i = 0; i < count; i++)
        if (slice_is(names[i], name))
            return true;
    return false;
}

bool activation_listen(const char *name, const struct admission *admission, struct error *err)
{
    for (int i = 0; i < count; i++) {
        bool is_unix;
        int fd = PORT_SOCKETS_PASSED_FIRST + i;
        if (!slice_is(names[i], name))
            continue;
        names[i] = SLICE_NONE;
        if (port_socket_listens(fd, &is_unix) < 0 ||
            is_unix != (admission->transport == &transport_unix))
            return error_set(err, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                             "descriptor %d, passed as %s, is no listening socket of that kind", fd,
                             name);
        if (!listener_add_fd(fd, admission, err))
            return false;
    }
    return true;
}

bool activation_complete(struct error *err)
{
    for (int i = 0; i < count; i++)
        if (slice_present(names[i]))
            return error_set(err, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                             "Some activation file descriptors are unclaimed: '%.*s'",
                             SLICE_ARG(names[i]));
    return true;
}

void activation_tell(const char *state)
{
    int result = port_notify(state);
    if (result < 0)
        log_warning("daemon", "the service manager can not be told %s: %s", state,
                    strerror(-result));
}
