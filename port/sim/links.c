// Sim: network devices: a bridge, and taps, which are there for as long as somebody has them open.
#include "port/sim/machine.h"

#include <stdio.h>
#include <string.h>

static int find_tap(const char *name)
{
    for (int i = 0; i < SIM_FILES; i++)
        if (sim->files[i].kind == SIM_TAP && strcmp(sim->files[i].what, name) == 0)
            return i;
    return -1;
}

unsigned sim_taps(void)
{
    unsigned count = 0;
    for (int i = 0; i < SIM_FILES; i++)
        count += sim->files[i].kind == SIM_TAP;
    return count;
}

bool port_link_exists(const char *name)
{
    sim_enter("look for a link");
    return strcmp(name, SIM_BRIDGE) == 0 || find_tap(name) >= 0;
}

static int change(const char *call, const char *name)
{
    sim_enter(call);
    if (strcmp(name, SIM_BRIDGE) != 0 && find_tap(name) < 0)
        return -ENODEV;
    if (sim_chance(sim->weather.link_fails))
        return sim_chance(500) ? -EBUSY : -EPERM;
    return 0;
}

// The template's number is the first that is free.
int port_tap_open(char *name, bool vnet_header)
{
    (void)vnet_header;
    sim_enter("open tap");
    if (sim_chance(sim->weather.link_fails))
        return sim_chance(500) ? -EBUSY : -EPERM;
    if (strchr(name, '%')) {
        unsigned number = 0;
        do
            snprintf(name, PORT_IFNAME_MAX, "vnet%u", number++);
        while (find_tap(name) >= 0);
    }
    if (find_tap(name) >= 0)
        return -EBUSY;
    int fd = sim_fd_new(sim_file_new(SIM_TAP, name));
    sim_trace("open tap %s: %d", name, fd);
    return fd;
}

int port_link_set_mac(const char *name, const uint8_t mac[6])
{
    (void)mac;
    return change("set a link's address", name);
}

int port_link_set_up(const char *name, bool up)
{
    (void)up;
    return change("set a link up", name);
}

int port_link_set_mtu(const char *name, unsigned mtu)
{
    (void)mtu;
    return change("set a link's MTU", name);
}

int port_link_get_mtu(const char *name, unsigned *mtu)
{
    *mtu = 1500;
    return change("get a link's MTU", name);
}

int port_bridge_add(const char *bridge, const char *name)
{
    int status = change("add to a bridge", bridge);
    return status < 0 ? status : change("add to a bridge", name);
}

int port_link_stats(const char *name, struct port_link_stats *stats)
{
    *stats = (struct port_link_stats){.rx_bytes = sim->now / 1000, .tx_packets = 7};
    return change("statistics of a link", name);
}
