// What a program of the simulated machine says on a connection.
#include "test/sim/speech.h"

#include "core/buffer.h"
#include "port/sim/sim.h"

#include <string.h>

void speech_vput(struct speech *speech, const char *format, va_list args)
{
    struct buffer out = buffer_over(speech->out + speech->len, sizeof(speech->out) - speech->len);
    buffer_vprintf(&out, format, args);
    if (buffer_ok(&out))
        speech->len += out.len;
}

void speech_put(struct speech *speech, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    speech_vput(speech, format, args);
    va_end(args);
}

void speech_flood(struct speech *speech, uint32_t bytes)
{
    speech->flood = bytes;
    speech->flooded = 0;
}

bool speech_has_room(const struct speech *speech)
{
    return speech->len < SPEECH_SIZE / 2;
}

// False while not all of it has been taken.
static bool send_flood(struct speech *speech, int handle)
{
    static const char start[] = "{\"return\":{\"what\":\"";
    char part[4096];
    while (speech->flooded < speech->flood) {
        uint32_t rest = speech->flood - speech->flooded;
        size_t len = rest < sizeof(part) ? rest : sizeof(part);
        memset(part, 'm', sizeof(part));
        if (speech->flooded < sizeof(start) - 1)
            memcpy(part, start + speech->flooded, sizeof(start) - 1 - speech->flooded);
        ptrdiff_t put = sim_write(handle, part, len);
        if (put <= 0)
            return false;
        speech->flooded += (uint32_t)put;
    }
    speech->flood = speech->flooded = 0;
    return true;
}

void speech_send(struct speech *speech, int handle)
{
    if (!send_flood(speech, handle) || speech->mute)
        return;
    size_t len = speech->slow && speech->len ? 1 + sim_random(speech->len) : speech->len;
    ptrdiff_t put = len ? sim_write(handle, speech->out, len) : 0;
    if (put <= 0)
        return;
    speech->len -= (size_t)put;
    memmove(speech->out, speech->out + put, speech->len);
}

void speech_clear(struct speech *speech)
{
    speech->len = 0;
    speech->flood = speech->flooded = 0;
    speech->mute = false;
}
