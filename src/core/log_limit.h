// Limits of the log: so that nobody who can cause a message as often as he likes fills it.
#ifndef CORE_LOG_LIMIT_H
#define CORE_LOG_LIMIT_H

#include "core/loop.h"

// Of one kind of messages ten are told in ten seconds, and then how many there were besides.
struct log_limit {
    struct timer timer; // first
    const char *module;
    const char *what; // "more handshakes have failed"
    uint32_t count;   // since the timer was started
};

// Whether one more may be told; it counts.
bool log_limit_allows(struct log_limit *limit);

#endif
