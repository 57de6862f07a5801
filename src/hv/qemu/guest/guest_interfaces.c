// What the host counts of a guest's network interfaces.
#include "hv/qemu/guest/guest_ops.h"

#include <errno.h>

// What the host receives on a tap, the guest has sent.
bool guest_interface_stats(const struct domain *domain, const char *device,
                           struct port_link_stats *to, struct error *err)
{
    struct port_link_stats host;
    (void)domain;
    int result = device[0] ? port_link_stats(device, &host) : -ENODEV;
    if (result < 0)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "/proc/net/dev: Interface not found");
    *to = (struct port_link_stats){
        .rx_bytes = host.tx_bytes,
        .rx_packets = host.tx_packets,
        .rx_errors = host.tx_errors,
        .rx_dropped = host.tx_dropped,
        .tx_bytes = host.rx_bytes,
        .tx_packets = host.rx_packets,
        .tx_errors = host.rx_errors,
        .tx_dropped = host.rx_dropped,
    };
    return true;
}
