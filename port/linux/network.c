// Linux: network devices, by the ioctls that every kernel has (netdevice(7), tuntap.rst).
#include "port/linux/linux.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int name_request(struct ifreq *request, const char *name)
{
    *request = (struct ifreq){0};
    size_t len = strlen(name);
    if (len == 0 || len >= sizeof(request->ifr_name))
        return -EINVAL;
    memcpy(request->ifr_name, name, len);
    return 0;
}

static int device_ioctl(port_ioctl_command command, struct ifreq *request)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) // a kernel without IPv4
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int result = ioctl(fd, command, request) < 0 ? -errno : 0;
    close(fd);
    return result;
}

int port_tap_open(char *name, bool vnet_header)
{
    struct ifreq request;
    int result = name_request(&request, name);
    if (result < 0)
        return result;
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (vnet_header)
        request.ifr_flags = (short)(request.ifr_flags | IFF_VNET_HDR);
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    if (ioctl(fd, TUNSETIFF, &request) < 0) {
        result = -errno;
        close(fd);
        return result;
    }
    memcpy(name, request.ifr_name, PORT_IFNAME_MAX);
    return fd;
}

int port_link_set_mac(const char *name, const uint8_t mac[6])
{
    struct ifreq request;
    int result = name_request(&request, name);
    if (result < 0)
        return result;
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(request.ifr_hwaddr.sa_data, mac, 6);
    return device_ioctl(SIOCSIFHWADDR, &request);
}

int port_link_set_up(const char *name, bool up)
{
    struct ifreq request;
    int result = name_request(&request, name);
    if (result == 0)
        result = device_ioctl(SIOCGIFFLAGS, &request);
    if (result < 0)
        return result;
    request.ifr_flags = (short)(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
    return device_ioctl(SIOCSIFFLAGS, &request);
}

int port_link_set_mtu(const char *name, unsigned mtu)
{
    struct ifreq request;
    int result = name_request(&request, name);
    if (result < 0)
        return result;
    request.ifr_mtu = (int)mtu;
    return device_ioctl(SIOCSIFMTU, &request);
}

int port_link_get_mtu(const char *name, unsigned *mtu)
{
    struct ifreq request;
    int result = name_request(&request, name);
    if (result == 0)
        result = device_ioctl(SIOCGIFMTU, &request);
    if (result == 0)
        *mtu = (unsigned)request.ifr_mtu;
    return result;
}

static int link_index(const char *name, int *index)
{
    struct ifreq request;
    int result = name_request(&request, name);
    if (result == 0)
        result = device_ioctl(SIOCGIFINDEX, &request);
    if (result == 0)
        *index = request.ifr_ifindex;
    return result;
}

bool port_link_exists(const char *name)
{
    int index;
    return link_index(name, &index) == 0;
}

int port_bridge_add(const char *bridge, const char *name)
{
    struct ifreq request;
    int index;
    int result = link_index(name, &index);
    if (result == 0)
        result = name_request(&request, bridge);
    if (result < 0)
        return result;
    request.ifr_ifindex = index;
    result = device_ioctl(SIOCBRADDIF, &request);
    // A device that is no bridge does not know the command.
    return result == -EOPNOTSUPP ? -ENODEV : result;
}

// ---- statistics ---------------------------------------------------------------------------------

#define COLUMNS 12 // of /proc/net/dev, up to the last one that is asked for

// The line of one device: "  NAME: " and its columns, filled up with blanks.
static int find_columns(struct port_text *text, const char *name, uint64_t *columns)
{
    char field[64];
    int stop;
    while ((stop = port_text_field(text, " :", field, sizeof(field))) != EOF) {
        if (stop == ' ' && !field[0])
            continue; // leading blanks
        if (stop == ':' && strcmp(field, name) == 0)
            return port_text_numbers(text, columns, COLUMNS) == COLUMNS ? 0 : -EIO;
        if (stop != '\n')
            port_text_skip(text);
    }
    return -ENODEV;
}

int port_link_stats(const char *name, struct port_link_stats *stats)
{
    struct port_text text;
    uint64_t columns[COLUMNS];
    int result = port_text_open(&text, "/proc/net/dev");
    if (result < 0)
        return result;
    result = find_columns(&text, name, columns);
    port_text_close(&text);
    if (result < 0)
        return result;
    *stats = (struct port_link_stats){
        .rx_bytes = columns[0],
        .rx_packets = columns[1],
        .rx_errors = columns[2],
        .rx_dropped = columns[3],
        .tx_bytes = columns[8],
        .tx_packets = columns[9],
        .tx_errors = columns[10],
        .tx_dropped = columns[11],
    };
    return 0;
}

// ---- neighbours ---------------------------------------------------------------------------------

#define NEIGHBOUR_COLUMNS 6 // of /proc/net/arp: address, type, flags, MAC address, mask, device

static int neighbour_line(struct port_text *text, char columns[NEIGHBOUR_COLUMNS][64])
{
    size_t count = 0;
    char field[64];
    int stop = ' ';
    while (stop != EOF && stop != '\n') {
        stop = port_text_field(text, " ", field, sizeof(field));
        if (field[0] && count < NEIGHBOUR_COLUMNS)
            memcpy(columns[count++], field, sizeof(field));
    }
    return count == NEIGHBOUR_COLUMNS ? 1 : stop == EOF ? EOF : 0;
}

// An entry without the flag "complete" has no MAC address yet. Permanent ones are not heard of.
int port_neighbours(struct port_neighbour *to, size_t max)
{
    struct port_text text;
    char columns[NEIGHBOUR_COLUMNS][64];
    size_t count = 0;
    int line, result = port_text_open(&text, "/proc/net/arp");
    if (result < 0)
        return result;
    while (count < max && (line = neighbour_line(&text, columns)) != EOF) {
        if (line == 0 || (strtoul(columns[2], NULL, 16) & (ATF_COM | ATF_PERM)) != ATF_COM)
            continue;
        snprintf(to[count].address, sizeof(to[count].address), "%.45s", columns[0]);
        snprintf(to[count++].mac, sizeof(to[0].mac), "%.17s", columns[3]);
    }
    port_text_close(&text);
    return (int)count;
}
