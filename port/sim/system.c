// Sim: what else a system has: signals, accounts, a log, network devices.
#include "port/sim/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A turn of the loop may make this many calls before it counts as one that holds the loop up.
#define NS_OF_CPU_A_CALL 2000

// Processor time is counted in calls, so that it is the same in every run.
uint64_t port_cpu_ns(void)
{
    return sim->calls * NS_OF_CPU_A_CALL;
}

// ---- signals ------------------------------------------------------------------------------------

int port_signals_open(void)
{
    sim_enter("signals");
    return sim_fd_new(sim_file_new(SIM_SIGNALS, "signals"));
}

enum port_signal port_signals_take(int fd)
{
    sim_enter("take signal");
    if (sim_fd_file(fd)->kind != SIM_SIGNALS)
        sim_fail("signals are read from descriptor %d, which has none", fd);
    for (int kind = PORT_SIGNAL_NONE + 1; kind <= PORT_SIGNAL_USER; kind++) {
        if (!(sim->signals >> kind & 1))
            continue;
        sim->signals &= ~(1U << kind);
        sim_progress();
        return (enum port_signal)kind;
    }
    return PORT_SIGNAL_NONE;
}

// ---- the process and its user -------------------------------------------------------------------

int port_pid(void)
{
    return sim_self->pid;
}

uint32_t port_uid(void)
{
    return 0;
}

uint32_t port_gid(void)
{
    return 0;
}

unsigned port_confine(void)
{
    return PORT_CONFINE_PRIVILEGES | PORT_CONFINE_CALLS;
}

int port_daemonize(void)
{
    return 0;
}

void port_daemon_ready(int status)
{
    sim->daemon_ready = status == 0;
    sim_trace("the daemon is ready: %d", status);
}

static const struct {
    const char *name;
    uint32_t id;
} accounts[] = {{"root", 0}, {"libvirt-qemu", 64055}, {"kvm", 64055}, {"user", 1000}};

static int find_account(const char *name, uint32_t *id)
{
    for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
        if (strcmp(accounts[i].name, name) == 0) {
            *id = accounts[i].id;
            return 0;
        }
    }
    char *end;
    if (name[0] == '+')
        name++;
    *id = (uint32_t)strtoul(name, &end, 10);
    return end == name || *end ? -ENOENT : 0;
}

int port_user_lookup(const char *name, uint32_t *uid, uint32_t *gid)
{
    *gid = 0;
    int status = find_account(name, uid);
    if (status == 0)
        *gid = *uid;
    return status;
}

int port_group_lookup(const char *name, uint32_t *gid)
{
    return find_account(name, gid);
}

size_t port_user_groups(uint32_t uid, uint32_t *gids, size_t max)
{
    (void)uid;
    (void)gids;
    (void)max;
    return 0;
}

static int account_name(uint32_t id, char *to, size_t size)
{
    for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
        if (accounts[i].id != id)
            continue;
        int len = snprintf(to, size, "%s", accounts[i].name);
        return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
    }
    return -ENOENT;
}

int port_user_name(uint32_t uid, char *to, size_t size)
{
    return account_name(uid, to, size);
}

int port_group_name(uint32_t gid, char *to, size_t size)
{
    return account_name(gid, to, size);
}

// ---- the system's log ---------------------------------------------------------------------------

void port_syslog_open(const char *name)
{
    (void)name;
}

void port_syslog(int level, const char *text)
{
    sim_trace("syslog %d: %s", level, text);
}

int port_journal_open(void)
{
    return -ENOENT;
}

// ---- the local networks: there are none
// ----------------------------------------------------------

int port_neighbours(struct port_neighbour *to, size_t max)
{
    (void)to, (void)max;
    return 0;
}

// There is no service manager.
int port_sockets_passed(const char **names)
{
    *names = NULL;
    return 0;
}

int port_socket_listens(int fd, bool *is_unix)
{
    (void)fd, (void)is_unix;
    return -ENOTSOCK;
}

int port_notify(const char *state)
{
    (void)state;
    return 0;
}

// The simulated machine has no network: its clients' sockets are pairs.
int port_interface_addresses(struct port_interface_address *list, size_t max)
{
    (void)list, (void)max;
    return 0;
}

int port_interfaces_watch(void)
{
    return -EAFNOSUPPORT;
}

int port_multicast_open(enum port_family family, uint16_t port)
{
    (void)family, (void)port;
    return -EAFNOSUPPORT;
}

int port_multicast_join(int fd, enum port_family family, const uint8_t *group, unsigned interface)
{
    (void)fd, (void)family, (void)group, (void)interface;
    return -EBADF;
}

ptrdiff_t port_datagram_receive(int fd, void *to, size_t len, struct port_datagram *from)
{
    (void)fd, (void)to, (void)len, (void)from;
    return -EBADF;
}

ptrdiff_t port_datagram_send(int fd, const void *from, size_t len, const struct port_datagram *to)
{
    (void)fd, (void)from, (void)len, (void)to;
    return -EBADF;
}
