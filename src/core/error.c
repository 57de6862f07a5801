// Errors: one place that joins libvirt's wording for a code with our message.
#include "core/error.h"

#include "core/buffer.h"

#include <stdio.h>
#include <string.h>

struct wording {
    const char *alone, *before, *after;
};

// Codes in the order of their wordings: three strings a code, one behind the other.
static const uint8_t codes[] = {
#define ERROR_CODE_NUMBER(code, number, alone, before, after) code,
    ERROR_CODES(ERROR_CODE_NUMBER)
#undef ERROR_CODE_NUMBER
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
static const char wordings[] =
#define ERROR_CODE_WORDING(code, number, alone, before, after) alone "\0" before "\0" after "\0"
    ERROR_CODES(ERROR_CODE_WORDING)
#undef ERROR_CODE_WORDING
        "";
#pragma GCC diagnostic pop

static struct wording wording_at(const char *text)
{
    const char *before = text + strlen(text) + 1;
    return (struct wording){text, before, before + strlen(before) + 1};
}

// The first code's for one that is not known.
static struct wording wording_of(int code)
{
    struct wording wording = wording_at(wordings);
    for (size_t i = 0; i < sizeof(codes); i++) {
        if (codes[i] == code)
            return wording;
        wording = wording_at(wording.after + strlen(wording.after) + 1);
    }
    return wording_at(wordings);
}

// A message that is too long is cut, at the end of a character.
static void put_cut(struct buffer *b, struct slice s)
{
    size_t room = b->size - 1 - b->len;
    if (s.len > room) {
        s.len = room;
        while (s.len && ((unsigned char)s.at[s.len] & 0xC0) == 0x80)
            s.len--;
    }
    buffer_put(b, s);
}

bool error_vset(struct error *err, int domain, int code, const char *format, va_list args)
{
    if (err->code)
        return false;
    struct wording wording = wording_of(code);
    char text[2 * ERROR_MESSAGE_MAX];
    vsnprintf(text, sizeof(text), format, args);
    struct slice message = slice_of(text);
    struct buffer out = buffer_over(err->message, sizeof(err->message));
    err->code = code;
    err->domain = domain;
    if (message.len == 0) {
        put_cut(&out, slice_of(wording.alone));
        return false;
    }
    if (wording.before[0] == ERROR_ALONE[0]) {
        put_cut(&out, slice_of(wording.alone));
        wording.before++;
    }
    put_cut(&out, slice_of(wording.before));
    put_cut(&out, message);
    put_cut(&out, slice_of(wording.after));
    return false;
}

bool error_set(struct error *err, int domain, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(err, domain, code, format, args);
    va_end(args);
    return false;
}

bool error_set_plain(struct error *err, int domain, int code, const char *format, ...)
{
    if (err->code)
        return false;
    char text[2 * ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct buffer out = buffer_over(err->message, sizeof(err->message));
    err->code = code;
    err->domain = domain;
    put_cut(&out, slice_of(text));
    return false;
}

void error_clear(struct error *err)
{
    err->code = 0;
    err->domain = 0;
    err->message[0] = '\0';
}

// libvirt has a file for each kind of object, and a domain for each such file; what is left is
// libvirt-domain.c's and libvirt-host.c's, which have the same.
int error_domain_of_api(const char *api)
{
    static const struct {
        const char *part;
        int domain;
    } kinds[] = {
        {"virDomainSnapshot", VIR_FROM_DOMAIN_SNAPSHOT},
        {"virDomainCheckpoint", VIR_FROM_DOMAIN_CHECKPOINT},
        {"virDomain", VIR_FROM_DOMAIN},
        {"NWFilter", VIR_FROM_NWFILTER},
        {"Network", VIR_FROM_NETWORK},
        {"Device", VIR_FROM_NODEDEV},
        {"Interface", VIR_FROM_INTERFACE},
        {"Storage", VIR_FROM_STORAGE},
        {"Secret", VIR_FROM_SECRET},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strstr(api, kinds[i].part))
            return kinds[i].domain;
    return VIR_FROM_DOMAIN;
}
