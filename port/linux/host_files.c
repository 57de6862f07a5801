// Linux: the small files of /proc and /sys that describe the host.
#include "port/linux/linux.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *root = "";

void port_host_root(const char *path)
{
    root = path ? path : "";
}

static void make_path(char path[PORT_PATH_MAX], const char *format, va_list args)
{
    int len = snprintf(path, PORT_PATH_MAX, "%s", root);
    if (len >= 0 && len < PORT_PATH_MAX)
        vsnprintf(path + len, PORT_PATH_MAX - (size_t)len, format, args);
}

void port_host_path(char path[PORT_PATH_MAX], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    make_path(path, format, args);
    va_end(args);
}

static ptrdiff_t read_line(char *to, size_t size, const char *format, va_list args)
{
    char path[PORT_PATH_MAX];
    make_path(path, format, args);
    ptrdiff_t len = port_file_read(path, to, size);
    if (len < 0)
        return len;
    to[strcspn(to, "\n")] = '\0';
    return (ptrdiff_t)strlen(to);
}

ptrdiff_t port_host_text(char *to, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ptrdiff_t len = read_line(to, size, format, args);
    va_end(args);
    return len;
}

static int64_t scale_of(const char *unit)
{
    switch (*unit) {
    case 'K':
        return 1 << 10;
    case 'M':
        return 1 << 20;
    case 'G':
        return 1 << 30;
    default:
        return 1;
    }
}

int port_host_number(int64_t *value, const char *format, ...)
{
    char text[64], *end;
    va_list args;
    va_start(args, format);
    ptrdiff_t len = read_line(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0)
        return (int)len;
    int base = strncmp(text, "0x", 2) == 0 ? 16 : 10;
    // Registers use all 64 bits.
    uint64_t number =
        text[0] == '-' ? (uint64_t)strtoll(text, &end, base) : strtoull(text, &end, base);
    if (end == text)
        return -EINVAL;
    *value = (int64_t)number * scale_of(end);
    return 0;
}

// Takes "3" or "0-7" and the comma behind it.
static bool take_range(const char **at, unsigned long *first, unsigned long *last)
{
    char *end;
    *first = *last = strtoul(*at, &end, 10);
    if (end == *at)
        return false;
    if (*end == '-') {
        const char *from = end + 1;
        *last = strtoul(from, &end, 10);
        if (end == from)
            return false;
    }
    *at = *end == ',' ? end + 1 : end;
    return true;
}

int port_host_list(uint8_t *bits, size_t count, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    ptrdiff_t len = read_line(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0)
        return (int)len;
    memset(bits, 0, (count + 7) / 8);
    const char *at = text;
    while (*at) {
        unsigned long first, last;
        if (!take_range(&at, &first, &last))
            return -EINVAL;
        for (unsigned long i = first; i <= last && i < count; i++)
            bits[i / 8] = (uint8_t)(bits[i / 8] | 1U << i % 8);
    }
    return 0;
}
