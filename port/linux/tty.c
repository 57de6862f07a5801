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
