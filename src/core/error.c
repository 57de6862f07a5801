// Errors: one place that joins libvirt's wording for a code with our message.
#include "core/error.h"

#include "core/buffer.h"

#include <stdio.h>

struct wording {
    int code;
    const char *alone, *before, *after;
};

static const struct wording wordings[] = {
#define ERROR_CODE_WORDING(code, number, alone, before, after) {code, alone, before, after},
    ERROR_CODES(ERROR_CODE_WORDING)
#undef ERROR_CODE_WORDING
};

static const struct wording *wording_of(int code)
{
    for (size_t i = 0; i < sizeof(wordings) / sizeof(wordings[0]); i++)
        if (wordings[i].code == code)
            return &wordings[i];
    return &wordings[0];
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
    const struct wording *wording = wording_of(code);
    char text[2 * ERROR_MESSAGE_MAX];
    vsnprintf(text, sizeof(text), format, args);
    struct slice message = slice_of(text);
    struct buffer out = buffer_over(err->message, sizeof(err->message));
    err->code = code;
    err->domain = domain;
    if (message.len == 0) {
        put_cut(&out, slice_of(wording->alone));
        return false;
    }
    put_cut(&out, slice_of(wording->before));
    put_cut(&out, message);
    put_cut(&out, slice_of(wording->after));
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

bool error_is_set(const struct error *err)
{
    return err->code != 0;
}

void error_clear(struct error *err)
{
    err->code = 0;
    err->domain = 0;
    err->message[0] = '\0';
}
