// Linux: what the names of addresses and services mean, from /etc/hosts and /etc/services.
//
// The C library's getaddrinfo() would allocate, may wait for a name server, and needs plug-ins that
// a static program can not load. A daemon listens on its own addresses, which it can know without
// help.
#include "port/linux/linux.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 256

bool port_address_parse(const char *text, union port_address *to)
{
    char address[PORT_ADDRESS_MAX];
    const char *scope = strchr(text, '%');
    size_t len = scope ? (size_t)(scope - text) : strlen(text);
    *to = (union port_address){.any = {.sa_family = AF_INET}};
    if (len >= sizeof(address))
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    if (!scope && inet_pton(AF_INET, address, &to->v4.sin_addr) == 1)
        return true;
    *to = (union port_address){.any = {.sa_family = AF_INET6}};
    if (inet_pton(AF_INET6, address, &to->v6.sin6_addr) != 1)
        return false;
    if (scope)
        to->v6.sin6_scope_id = if_nametoindex(scope + 1);
    return !scope || to->v6.sin6_scope_id != 0;
}

void port_address_set_port(union port_address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET)
        address->v4.sin_port = htons(port);
    else
        address->v6.sin6_port = htons(port);
}

// Reads the next word of a line that is separated by blanks; *stop is what ended it. False at the
// end of the line, where a comment begins too.
static bool next_word(struct port_text *text, int *stop, char *word)
{
    word[0] = '\0';
    while (!word[0] && (*stop == ' ' || *stop == '\t'))
        *stop = port_text_field(text, " \t", word, NAME_SIZE);
    if (word[0] != '#')
        return word[0] != '\0';
    if (*stop != '\n' && *stop != EOF && port_text_skip(text))
        *stop = '\n';
    return false;
}

// Reads the next line of a table: its first two words, and whether `name` is one of its words.
// False at the end of the table.
static bool next_line(struct port_text *text, const char *name, char *first, char *second,
                      bool *named)
{
    char word[NAME_SIZE];
    int stop = ' ';
    *named = false;
    first[0] = second[0] = '\0';
    for (int i = 0; next_word(text, &stop, word); i++) {
        if (i < 2)
            strcpy(i == 0 ? first : second, word);
        *named = *named || strcmp(word, name) == 0;
    }
    return stop != EOF;
}

static int find_host(const char *name, union port_address *to, size_t max)
{
    struct port_text text;
    char address[NAME_SIZE], canonical[NAME_SIZE];
    size_t count = 0;
    bool named;
    if (port_text_open_etc(&text, "hosts") < 0)
        return 0;
    while (count < max && next_line(&text, name, address, canonical, &named)) {
        if (named && port_address_parse(address, &to[count]))
            count++;
    }
    port_text_close(&text);
    return (int)count;
}

// Lines are "NAME PORT/PROTOCOL ALIAS...".
static int find_service(const char *name)
{
    struct port_text text;
    char canonical[NAME_SIZE], number[NAME_SIZE];
    int port = -EPROTONOSUPPORT;
    bool named;
    if (port_text_open_etc(&text, "services") < 0)
        return port;
    while (port < 0 && next_line(&text, name, canonical, number, &named)) {
        char *protocol;
        unsigned long value = strtoul(number, &protocol, 10);
        if (named && value <= UINT16_MAX && strcmp(protocol, "/tcp") == 0)
            port = (int)value;
    }
    port_text_close(&text);
    return port;
}

static int parse_service(const char *service)
{
    char *end;
    if (*service < '0' || *service > '9')
        return find_service(service);
    unsigned long value = strtoul(service, &end, 10);
    return *end || value > UINT16_MAX ? -EPROTONOSUPPORT : (int)value;
}

int port_resolve(const char *name, const char *service, union port_address *to, size_t max)
{
    static const char *const any[] = {"0.0.0.0", "::"}, *const loopback[] = {"127.0.0.1", "::1"};
    int port = parse_service(service), count = 0;
    if (port < 0)
        return port;
    const char *const *fixed = !name ? any : strcmp(name, "localhost") == 0 ? loopback : NULL;
    if (fixed)
        for (; count < 2 && (size_t)count < max; count++)
            port_address_parse(fixed[count], &to[count]);
    else if (max > 0 && port_address_parse(name, &to[0]))
        count = 1;
    else
        count = find_host(name, to, max);
    for (int i = 0; i < count; i++)
        port_address_set_port(&to[i], (uint16_t)port);
    return count ? count : -EADDRNOTAVAIL;
}
