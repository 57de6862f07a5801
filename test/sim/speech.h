// What a program of the simulated machine says on a connection, with the vices of a bad speaker.
#ifndef TEST_SIM_SPEECH_H
#define TEST_SIM_SPEECH_H

#include "core/slice.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#define SPEECH_SIZE 32768

struct speech {
    char out[SPEECH_SIZE];
    size_t len;
    uint32_t flood, flooded; // bytes to be sent before the rest, and sent of these
    bool slow;               // it goes out in small pieces
    bool mute;               // it never goes out
};

// Queues a text; what does not fit is lost, as nobody reads it.
void speech_put(struct speech *speech, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void speech_vput(struct speech *speech, const char *format, va_list args);
// So many bytes, the first part of an answer, before all that is queued.
void speech_flood(struct speech *speech, uint32_t bytes);
void speech_send(struct speech *speech, int handle); // as much as goes
void speech_clear(struct speech *speech);
// Whether there is room for another answer.
bool speech_has_room(const struct speech *speech);

#endif
