// Linux: multicast datagrams (ip(7), ipv6(7)) and the addresses of interfaces (rtnetlink(7)).
#include "port/linux/linux.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SOCKET_FLAGS (SOCK_CLOEXEC | SOCK_NONBLOCK)
#define OPTIONS      5
#define HOPS         255 // RFC 6762, section 11

// ---- addresses of interfaces --------------------------------------------------------------------

static bool is_bridge_port(const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "/sys/class/net/%s/brport", name);
    return access(path, F_OK) == 0;
}

static bool takes_multicast(unsigned interface)
{
    struct ifreq request = {0};
    if (!if_indextoname(interface, request.ifr_name))
        return false;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool known = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    port_close(fd);
    int flags = request.ifr_flags, wanted = IFF_UP | IFF_RUNNING | IFF_MULTICAST;
    return known && (flags & wanted) == wanted && !(flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) &&
           !is_bridge_port(request.ifr_name);
}

// IFA_LOCAL is our own address where IFA_ADDRESS may be the other end's.
static bool read_address(const struct nlmsghdr *message, struct port_interface_address *to)
{
    const struct ifaddrmsg *header = NLMSG_DATA(message);
    const unsigned passing = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_TEMPORARY;
    if ((header->ifa_family != AF_INET && header->ifa_family != AF_INET6) ||
        (header->ifa_flags & passing))
        return false;
    bool is_v4 = header->ifa_family == AF_INET, found = false;
    *to = (struct port_interface_address){.interface = header->ifa_index,
                                          .family = is_v4 ? PORT_IPV4 : PORT_IPV6};
    const char *at = (const char *)IFA_RTA(header),
               *end = (const char *)message + message->nlmsg_len;
    while (at + sizeof(struct rtattr) <= end) {
        const struct rtattr *item = (const void *)at;
        if (item->rta_len < sizeof(*item) || at + item->rta_len > end)
            break;
        if (RTA_PAYLOAD(item) == (is_v4 ? 4 : 16) &&
            (item->rta_type == IFA_LOCAL || (item->rta_type == IFA_ADDRESS && !found))) {
            memcpy(to->bytes, RTA_DATA(item), RTA_PAYLOAD(item));
            found = true;
        }
        at += RTA_ALIGN(item->rta_len);
    }
    return found;
}

static int ask_for_addresses(void)
{
    struct {
        struct nlmsghdr header;
        struct ifaddrmsg body;
    } request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = RTM_GETADDR,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
    };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    if (send(fd, &request, sizeof(request), 0) == (ssize_t)sizeof(request))
        return fd;
    int result = -errno;
    port_close(fd);
    return result;
}

// Messages of an answer; false at the last one.
static bool read_answer(const char *at, size_t len, struct port_interface_address *list, size_t max,
                        size_t *count)
{
    while (len >= sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *message = (const void *)at;
        size_t step = NLMSG_ALIGN(message->nlmsg_len);
        if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
            return false;
        if (message->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifaddrmsg)) || step > len)
            return false;
        if (*count < max && message->nlmsg_type == RTM_NEWADDR &&
            read_address(message, &list[*count]) && takes_multicast(list[*count].interface))
            (*count)++;
        at += step;
        len -= step;
    }
    return true;
}

int port_interface_addresses(struct port_interface_address *list, size_t max)
{
    static _Alignas(struct nlmsghdr) char answer[8192];
    int fd = ask_for_addresses();
    if (fd < 0)
        return fd;
    size_t count = 0;
    ssize_t got;
    while ((got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT)) > 0)
        if (!read_answer(answer, (size_t)got, list, max, &count))
            break;
    port_close(fd);
    return (int)count;
}

int port_interfaces_watch(void)
{
    struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
    };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCKET_FLAGS, NETLINK_ROUTE);
    if (fd < 0 || bind(fd, (const void *)&address, sizeof(address)) == 0)
        return fd < 0 ? -errno : fd;
    int result = -errno;
    port_close(fd);
    return result;
}

// ---- sockets ------------------------------------------------------------------------------------

static void to_address(union port_address *to, enum port_family family, const uint8_t *bytes,
                       uint16_t port, unsigned interface)
{
    *to = (union port_address){0};
    if (family == PORT_IPV4) {
        to->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&to->v4.sin_addr, bytes, 4);
    } else {
        to->v6 = (struct sockaddr_in6){
            .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = interface};
        memcpy(&to->v6.sin6_addr, bytes, 16);
    }
}

static socklen_t address_size(enum port_family family)
{
    return family == PORT_IPV4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static int set_options(int fd, enum port_family family)
{
    static const struct option {
        int level, name, value;
    } options[][OPTIONS] = {
        {{IPPROTO_IP, IP_PKTINFO, 1},
         {IPPROTO_IP, IP_MULTICAST_TTL, HOPS},
         {IPPROTO_IP, IP_TTL, HOPS},
         {IPPROTO_IP, IP_MULTICAST_LOOP, 1},
         {IPPROTO_IP, IP_MULTICAST_ALL, 0}},
        {{IPPROTO_IPV6, IPV6_RECVPKTINFO, 1},
         {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, HOPS},
         {IPPROTO_IPV6, IPV6_UNICAST_HOPS, HOPS},
         {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1},
         {IPPROTO_IPV6, IPV6_V6ONLY, 1}},
    };
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)); // others may ask for it
    const struct option *option = options[family == PORT_IPV6];
    for (size_t i = 0; i < OPTIONS; i++)
        if (setsockopt(fd, option[i].level, option[i].name, &option[i].value, sizeof(int)) < 0)
            return -errno;
    return 0;
}

int port_multicast_open(enum port_family family, uint16_t port)
{
    static const uint8_t any[16];
    union port_address address;
    to_address(&address, family, any, port, 0);
    int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCKET_FLAGS, 0);
    if (fd < 0)
        return -errno;
    int result = set_options(fd, family);
    if (result == 0 && bind(fd, &address.any, address_size(family)) < 0)
        result = -errno;
    if (result == 0)
        return fd;
    port_close(fd);
    return result;
}

int port_multicast_join(int fd, enum port_family family, const uint8_t *group, unsigned interface)
{
    struct group_req request = {.gr_interface = interface};
    union port_address address;
    to_address(&address, family, group, 0, 0);
    memcpy(&request.gr_group, &address, address_size(family));
    int level = family == PORT_IPV4 ? IPPROTO_IP : IPPROTO_IPV6;
    if (setsockopt(fd, level, MCAST_JOIN_GROUP, &request, sizeof(request)) < 0 &&
        errno != EADDRINUSE)
        return -errno;
    return 0;
}

// ---- datagrams ----------------------------------------------------------------------------------

union control {
    struct cmsghdr align;
    char v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
    char v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

// There is room for one item, and only one kind has been asked for.
static void read_control(struct msghdr *message, struct port_datagram *from)
{
    const struct cmsghdr *item = CMSG_FIRSTHDR(message);
    if (item && item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(item), sizeof(info));
        from->interface = (unsigned)info.ipi_ifindex;
        from->multicast = IN_MULTICAST(ntohl(info.ipi_addr.s_addr));
    } else if (item && item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(item), sizeof(info));
        from->interface = info.ipi6_ifindex;
        from->multicast = IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
    }
}

ptrdiff_t port_datagram_receive(int fd, void *to, size_t len, struct port_datagram *from)
{
    union port_address address = {0};
    union control control;
    struct iovec part = {to, len};
    struct msghdr message = {.msg_name = &address,
                             .msg_namelen = sizeof(address),
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t got = recvmsg(fd, &message, 0);
    if (got < 0)
        return -errno;
    *from = (struct port_datagram){0};
    if (address.any.sa_family == AF_INET6) {
        from->family = PORT_IPV6;
        from->port = ntohs(address.v6.sin6_port);
        memcpy(from->address, &address.v6.sin6_addr, 16);
    } else {
        from->family = PORT_IPV4;
        from->port = ntohs(address.v4.sin_port);
        memcpy(from->address, &address.v4.sin_addr, 4);
    }
    read_control(&message, from);
    return got;
}

ptrdiff_t port_datagram_send(int fd, const void *from, size_t len, const struct port_datagram *to)
{
    union port_address address;
    union control control = {0};
    to_address(&address, to->family, to->address, to->port, to->interface);
    struct iovec part = {(void *)(uintptr_t)from, len};
    struct msghdr message = {.msg_name = &address,
                             .msg_namelen = address_size(to->family),
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control};
    struct in_pktinfo v4 = {.ipi_ifindex = (int)to->interface};
    struct in6_pktinfo v6 = {.ipi6_ifindex = to->interface};
    bool is_v4 = to->family == PORT_IPV4;
    size_t size = is_v4 ? sizeof(v4) : sizeof(v6);
    message.msg_controllen = is_v4 ? sizeof(control.v4) : sizeof(control.v6);
    struct cmsghdr *item = CMSG_FIRSTHDR(&message);
    item->cmsg_level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
    item->cmsg_type = is_v4 ? IP_PKTINFO : IPV6_PKTINFO;
    item->cmsg_len = (__typeof__(item->cmsg_len))CMSG_LEN(size);
    memcpy(CMSG_DATA(item), is_v4 ? (const void *)&v4 : (const void *)&v6, size);
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}
