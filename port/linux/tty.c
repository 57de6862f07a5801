// Linux: ttys.
#include "port/linux/linux.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

int port_tty_open(const char *path)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios settings;
    if (fd < 0)
        return -errno;
    if (tcgetattr(fd, &settings) == 0) {
        cfmakeraw(&settings);
        settings.c_cflag |= CLOCAL | CREAD;
        if (tcsetattr(fd, TCSANOW, &settings) == 0)
            return fd;
    }
    int result = -errno;
    close(fd);
    return result;
}

int port_tty_echo(int fd, bool shown)
{
    struct termios settings;
    if (tcgetattr(fd, &settings) < 0)
        return -ENOTTY;
    settings.c_lflag &= ~(tcflag_t)ECHO;
    if (shown)
        settings.c_lflag |= ECHO;
    return port_result(tcsetattr(fd, TCSAFLUSH, &settings));
}
