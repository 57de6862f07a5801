// Linux: the system's log. syslog(3) waits when the log daemon is slow; here such a message is
// lost.
#include "port/linux/linux.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FACILITY_DAEMON 3 // RFC 3164 section 4.1.1
#define TEXT_MAX        1024

static char program[32] = "nanovirtd";
static int log_fd = -1;

static int connect_datagram(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int result = -errno;
    close(fd);
    return result;
}

void port_syslog_open(const char *name)
{
    snprintf(program, sizeof(program), "%s", name);
    port_close(log_fd);
    log_fd = connect_datagram("/dev/log");
}

void port_syslog(int level, const char *text)
{
    static const int severities[] = {7, 7, 6, 4,
                                     3}; // RFC 3164: debug, informational, warning, error
    if (level < 1 || level > 4)
        level = 4;
    char line[TEXT_MAX];
    // The time stamp is left to the log daemon, as RFC 3164 section 4.3.2 has it.
    int len = snprintf(line, sizeof(line), "<%d>%s[%d]: %s",
                       FACILITY_DAEMON * 8 + severities[level], program, (int)getpid(), text);
    size_t size = len < (int)sizeof(line) ? (size_t)len : sizeof(line) - 1;
    if (log_fd >= 0 && send(log_fd, line, size, MSG_NOSIGNAL) >= 0)
        return;
    if (log_fd >= 0 && errno != ECONNREFUSED && errno != ENOTCONN && errno != EPIPE)
        return;
    // The log daemon was started again, or only now.
    port_close(log_fd);
    log_fd = connect_datagram("/dev/log");
    if (log_fd >= 0)
        (void)!send(log_fd, line, size, MSG_NOSIGNAL);
}

int port_journal_open(void)
{
    return connect_datagram("/run/systemd/journal/socket");
}
