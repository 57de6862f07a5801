// The port's sockets, descriptor passing and network devices.
#include "port/linux/linux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "own_root.h"

static void write_table(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    int fd = port_open(path, PORT_OPEN_WRITE | PORT_OPEN_CREATE, 0600);
    assert_int_equal(port_write(fd, text, strlen(text)), strlen(text));
    port_close(fd);
}

static void wait_to_read(int fd)
{
    struct port_poll poll = {fd, PORT_POLL_IN, 0};
    assert_int_equal(port_poll(&poll, 1, INT64_C(10000000000)), 1);
}

static void a_unix_client_is_known_by_its_credentials(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof(path), "%s/sock", root);
    int listener = port_listen_unix(path, 0660, (uint32_t)-1);
    assert_true(listener >= 0);
    struct port_stat stat;
    assert_int_equal(port_stat(path, &stat), 0);
    assert_int_equal(stat.kind, PORT_SOCKET);
    assert_int_equal(stat.mode, 0660);
    struct port_peer peer;
    assert_int_equal(port_accept(listener, &peer), -EAGAIN);
    int client = port_connect_unix(path);
    assert_true(client >= 0);
    int server = port_accept(listener, &peer);
    assert_true(server >= 0);
    assert_int_equal(peer.family, PORT_UNIX);
    assert_string_equal(peer.address, "");
    assert_true(peer.has_credentials);
    assert_int_equal(peer.uid, port_uid());
    assert_int_equal(peer.gid, port_gid());
    assert_int_equal(peer.pid, port_pid());
    assert_int_equal(fcntl(server, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    char byte;
    assert_int_equal(port_read(server, &byte, 1), -EAGAIN);
    const struct port_span spans[] = {{"ab", 2}, {"", 0}, {"cd", 2}};
    char text[8];
    assert_int_equal(port_writev(client, spans, 3), 4);
    assert_int_equal(port_read(server, text, sizeof(text)), 4);
    assert_memory_equal(text, "abcd", 4);
    port_close(client);
    assert_int_equal(port_read(server, &byte, 1), 0);
    port_close(server);
    port_close(listener);
}

static void a_stale_socket_is_replaced_and_a_live_one_is_not(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof(path), "%s/stale", root);
    int first = port_listen_unix(path, 0600, (uint32_t)-1);
    assert_true(first >= 0);
    assert_int_equal(port_listen_unix(path, 0600, (uint32_t)-1), -EADDRINUSE);
    port_close(first); // its file stays
    assert_int_equal(port_connect_unix(path), -ECONNREFUSED);
    int second = port_listen_unix(path, 0600, (uint32_t)-1);
    assert_true(second >= 0);
    port_close(second);
    assert_int_equal(port_unlink(path), 0);
    int fd = port_open(path, PORT_OPEN_WRITE | PORT_OPEN_CREATE, 0600);
    port_close(fd);
    assert_int_equal(port_listen_unix(path, 0600, (uint32_t)-1), -EADDRINUSE);
    assert_int_equal(port_access(path, 0), 0); // somebody's file is left alone
}

static void a_socket_path_may_be_longer_than_its_address(void **state)
{
    (void)state;
    char path[512];
    int len = snprintf(path, sizeof(path), "%s/%0100d/%0100d", root, 1, 2);
    assert_int_equal(port_make_directories(path, 0700), 0);
    strcpy(path + len, "/sock");
    int listener = port_listen_unix(path, 0600, (uint32_t)-1);
    assert_true(listener >= 0);
    struct port_stat stat;
    assert_int_equal(port_stat(path, &stat), 0);
    assert_int_equal(stat.mode, 0600);
    int client = port_connect_unix(path);
    assert_true(client >= 0);
    assert_int_equal(port_listen_unix(path, 0600, (uint32_t)-1), -EADDRINUSE);
    port_close(client);
    port_close(listener);
    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(port_connect_unix(path), -ENAMETOOLONG);
}

static void descriptors_travel_over_a_unix_socket(void **state)
{
    (void)state;
    int pair[2], pipes[2], got[4];
    size_t count;
    char text[8];
    assert_int_equal(port_socket_pair(pair), 0);
    assert_int_equal(port_pipe(pipes), 0);
    assert_int_equal(port_send_fds(pair[0], "two", 3, pipes, 2), 3);
    assert_int_equal(port_receive_fds(pair[1], text, sizeof(text), got, 4, &count), 3);
    assert_int_equal(count, 2);
    assert_int_equal(fcntl(got[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(port_write(got[1], "x", 1), 1);
    assert_int_equal(port_read(pipes[0], text, 1), 1);
    port_close(got[0]);
    port_close(got[1]);
    // More than there is room for: what is left over is closed.
    assert_int_equal(port_send_fds(pair[0], "two", 3, pipes, 2), 3);
    port_close(pipes[1]);
    assert_int_equal(port_receive_fds(pair[1], text, sizeof(text), got, 1, &count), 3);
    assert_int_equal(count, 1);
    assert_int_equal(port_read(pipes[0], text, 1), 0);
    int many[33] = {0};
    assert_int_equal(port_send_fds(pair[0], "x", 1, many, 33), -E2BIG);
    assert_int_equal(port_receive_fds(pair[1], text, sizeof(text), got, 4, &count), -EAGAIN);
    port_close(pair[0]);
    assert_int_equal(port_receive_fds(pair[1], text, sizeof(text), got, 4, &count), 0);
    port_close(pair[1]);
    port_close(pipes[0]);
    port_close(got[0]);
}

static uint16_t port_of(int fd)
{
    struct port_peer local;
    assert_int_equal(port_local_address(fd, &local), 0);
    return local.port;
}

static void tcp_clients_come_over_ipv4_and_ipv6(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        enum port_family family;
    } ways[] = {{"127.0.0.1", PORT_IPV4}, {"::1", PORT_IPV6}};
    for (size_t i = 0; i < 2; i++) {
        int fd;
        if (port_listen_tcp(ways[i].address, "0", &fd, 1) != 1)
            continue; // a machine without IPv6
        int client = port_connect_tcp(ways[i].address, port_of(fd));
        assert_true(client >= 0);
        wait_to_read(fd);
        struct port_peer peer;
        int server = port_accept(fd, &peer);
        assert_true(server >= 0);
        assert_int_equal(peer.family, ways[i].family);
        assert_string_equal(peer.address, ways[i].address);
        assert_int_equal(peer.port, port_of(client));
        assert_false(peer.has_credentials);
        assert_int_equal(port_socket_error(client), 0);
        port_close(server);
        port_close(client);
        port_close(fd);
    }
}

static void a_tcp_port_in_use_is_refused(void **state)
{
    (void)state;
    int fds[4], more[4];
    char service[8];
    assert_int_equal(port_listen_tcp("127.0.0.1", "0", fds, 4), 1);
    snprintf(service, sizeof(service), "%u", port_of(fds[0]));
    assert_int_equal(port_listen_tcp("127.0.0.1", service, more, 4), -EADDRINUSE);
    assert_int_equal(port_listen_tcp(NULL, service, more, 4), -EADDRINUSE);
    assert_false(port_tcp_is_free(port_of(fds[0])));
    port_close(fds[0]);
    assert_true(port_listen_tcp("127.0.0.1", "no-such-service", more, 4) < 0);
    assert_int_equal(port_connect_tcp("not an address", 1), -EINVAL);
}

static void names_of_addresses_and_services_are_looked_up(void **state)
{
    (void)state;
    int fds[8];
    char name[256];
    assert_int_equal(port_listen_tcp("no.such.host.invalid", "0", fds, 8), -EADDRNOTAVAIL);
    assert_int_equal(port_listen_tcp("127.0.0.1", "no-such-service", fds, 8), -EPROTONOSUPPORT);
    assert_int_equal(port_listen_tcp("127.0.0.1", "65536", fds, 8), -EPROTONOSUPPORT);
    assert_int_equal(port_listen_tcp("127.0.0.1", "12x", fds, 8), -EPROTONOSUPPORT);
    assert_int_equal(port_listen_tcp("127.0.0.1%lo", "0", fds, 8), -EADDRNOTAVAIL);
    int count = port_listen_tcp("localhost", "0", fds, 8);
    assert_true(count == 1 || count == 2);
    while (count > 0)
        port_close(fds[--count]);
    // Only where /etc/hosts names this machine.
    assert_int_equal(port_hostname(name, sizeof(name)), 0);
    count = port_listen_tcp(name, "0", fds, 8);
    assert_true(count > 0 || count == -EADDRNOTAVAIL);
    while (count > 0)
        port_close(fds[--count]);
}

static void the_tables_of_names_may_hold_comments_and_aliases(void **state)
{
    (void)state;
    char path[128];
    union port_address found[8];
    snprintf(path, sizeof(path), "%s/etc", root);
    assert_int_equal(port_make_directories(path, 0700), 0);
    write_table("etc/hosts", "# comment here\n\n192.0.2.1\tfirst.example  first # not this\n"
                             "nonsense first\n2001:db8::1 other first\n192.0.2.9 last");
    write_table("etc/services", "libvirt-udp 16509/udp virtd\nlibvirt\t\t16509/tcp  virtd # it\n");
    port_host_root(root);
    assert_int_equal(port_resolve("first", "virtd", found, 8), 2);
    assert_int_equal(found[0].any.sa_family, AF_INET);
    assert_int_equal(ntohl(found[0].v4.sin_addr.s_addr), 0xc0000201);
    assert_int_equal(ntohs(found[0].v4.sin_port), 16509);
    assert_int_equal(found[1].any.sa_family, AF_INET6);
    assert_int_equal(ntohs(found[1].v6.sin6_port), 16509);
    assert_int_equal(port_resolve("first", "libvirt", found, 1), 1);
    assert_int_equal(port_resolve("last", "1", found, 8), 1);
    assert_int_equal(port_resolve("not", "1", found, 8), -EADDRNOTAVAIL);
    assert_int_equal(port_resolve("first", "libvirt-udp", found, 8), -EPROTONOSUPPORT);
    assert_int_equal(port_resolve("first", "it", found, 8), -EPROTONOSUPPORT);
    assert_int_equal(port_resolve(NULL, "2", found, 8), 2);
    port_host_root(NULL);
}

static void a_refused_tcp_connection_is_told(void **state)
{
    (void)state;
    int listener;
    assert_int_equal(port_listen_tcp("127.0.0.1", "0", &listener, 1), 1);
    uint16_t port = port_of(listener);
    port_close(listener);
    int fd = port_connect_tcp("127.0.0.1", port);
    if (fd == -ECONNREFUSED)
        return;
    assert_true(fd >= 0);
    struct port_poll poll = {fd, PORT_POLL_OUT, 0};
    assert_int_equal(port_poll(&poll, 1, -1), 1);
    assert_int_equal(port_socket_error(fd), -ECONNREFUSED);
    port_close(fd);
}

// ---- network devices, in a network namespace of their own ---------------------------------------

static int use_devices(void)
{
    const uint8_t mac[6] = {0xfe, 0x54, 0, 1, 2, 3};
    struct port_link_stats stats;
    unsigned mtu = 0;
    char name[PORT_IFNAME_MAX] = "vnet%d", second[PORT_IFNAME_MAX] = "named0";
    int tap = port_tap_open(name, true), other = port_tap_open(second, false);
    if (tap < 0 || other < 0)
        return 77;
    if (strcmp(name, "vnet0") != 0 || strcmp(second, "named0") != 0 || !port_link_exists("vnet0"))
        return 1;
    if (port_link_set_mac(name, mac) != 0 || port_link_set_mtu(name, 1400) != 0 ||
        port_link_get_mtu(name, &mtu) != 0 || mtu != 1400 || port_link_set_up(name, true) != 0)
        return 2;
    if (port_link_stats(name, &stats) != 0 || stats.rx_packets != 0)
        return 3;
    char frame[10 + 60] = {0}; // a virtio header and a frame, as a guest sends them
    memcpy(frame + 10, mac, 6);
    if (port_write(tap, frame, sizeof(frame)) != (ptrdiff_t)sizeof(frame) ||
        port_link_stats(name, &stats) != 0 || stats.rx_packets != 1 || stats.rx_bytes == 0)
        return 4;
    if (port_bridge_add("nobridge", name) != -ENODEV || port_bridge_add("lo", name) != -ENODEV ||
        port_bridge_add("lo", "nodevice") != -ENODEV)
        return 5;
    if (port_link_set_up("nodevice", true) != -ENODEV || port_link_exists("nodevice") ||
        port_link_stats("nodevice", &stats) != -ENODEV || port_link_exists("") ||
        port_link_set_mtu("a-name-much-too-long", 1) != -EINVAL)
        return 6;
    port_close(tap);
    return port_link_exists("vnet0") ? 7 : 0;
}

static void network_devices_are_made_and_counted(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0)
        _exit(unshare(CLONE_NEWNET) < 0 ? 77 : use_devices());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_unix_client_is_known_by_its_credentials),
        cmocka_unit_test(a_stale_socket_is_replaced_and_a_live_one_is_not),
        cmocka_unit_test(a_socket_path_may_be_longer_than_its_address),
        cmocka_unit_test(descriptors_travel_over_a_unix_socket),
        cmocka_unit_test(tcp_clients_come_over_ipv4_and_ipv6),
        cmocka_unit_test(a_tcp_port_in_use_is_refused),
        cmocka_unit_test(names_of_addresses_and_services_are_looked_up),
        cmocka_unit_test(the_tables_of_names_may_hold_comments_and_aliases),
        cmocka_unit_test(a_refused_tcp_connection_is_told),
        cmocka_unit_test(network_devices_are_made_and_counted),
    };
    return cmocka_run_group_tests_name("port_sockets", tests, make_root, remove_root);
}
