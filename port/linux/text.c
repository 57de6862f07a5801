// Linux: reading the system's text tables (/etc/passwd, /proc/net/dev) with no limit on their
// length.
#include "port/linux/linux.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int port_text_open(struct port_text *text, const char *path)
{
    text->at = text->end = 0;
    text->fd = open(path, O_RDONLY | O_CLOEXEC);
    return text->fd < 0 ? -errno : 0;
}

int port_text_open_etc(struct port_text *text, const char *name)
{
    char path[PORT_PATH_MAX];
    port_host_path(path, "/etc/%s", name);
    return port_text_open(text, path);
}

void port_text_close(struct port_text *text)
{
    port_close(text->fd);
    text->fd = -1;
}

static int next_character(struct port_text *text)
{
    if (text->at == text->end) {
        ssize_t got = read(text->fd, text->buffer, sizeof(text->buffer));
        if (got <= 0)
            return EOF;
        text->at = 0;
        text->end = (size_t)got;
    }
    return (unsigned char)text->buffer[text->at++];
}

int port_text_field(struct port_text *text, const char *stops, char *to, size_t size)
{
    size_t len = 0;
    int c;
    while ((c = next_character(text)) != EOF && c != '\n' && (c == '\0' || !strchr(stops, c))) {
        if (len < size)
            to[len] = (char)c;
        len++;
    }
    to[len < size ? len : 0] = '\0';
    return c == EOF && len > 0 ? '\n' : c;
}

size_t port_text_numbers(struct port_text *text, uint64_t *numbers, size_t most)
{
    size_t count = 0;
    char number[24];
    int stop = ' ';
    while (count < most && stop == ' ') {
        stop = port_text_field(text, " ", number, sizeof(number));
        if (number[0])
            numbers[count++] = strtoull(number, NULL, 10);
    }
    return count;
}

bool port_text_skip(struct port_text *text)
{
    int c;
    while ((c = next_character(text)) != EOF && c != '\n')
        continue;
    return c == '\n';
}
