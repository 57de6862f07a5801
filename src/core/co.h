// Coroutines: functions that can wait, read top to bottom, and need no stack of their own.
//
// These are protothreads (Dunkels and others, 2006): the function remembers the line it waits at in
// a `struct co` and is called again when there may be something new. Local variables do not survive
// a wait: what must is kept in the caller-provided state next to the `struct co`. Zero means "not
// started". Between CO_BEGIN and CO_END no `switch` may contain a wait.
//
//     enum co_status thing_do(struct thing *s)
//     {
//         CO_BEGIN(&s->co);
//         ...
//         CO_WAIT(&s->co, s->answer_is_there);
//         CO_CALL(&s->co, other_do(&s->other));     // `s->other` zeroed before
//         ...
//         CO_END(&s->co);
//     }
#ifndef CORE_CO_H
#define CORE_CO_H

enum co_status { CO_WAITING, CO_DONE };

struct co {
    unsigned line;
};

// clang-format off
#define CO_BEGIN(co)     \
    switch ((co)->line) { \
    case 0:

// Waits until `condition` holds; it is looked at now and at each resumption.
#define CO_WAIT(co, condition)           \
    do {                                 \
        (co)->line = __LINE__;           \
        __attribute__((fallthrough));    \
    case __LINE__:                       \
        if (!(condition))                \
            return CO_WAITING;           \
    } while (0)

// Runs another coroutine to its end.
#define CO_CALL(co, call) CO_WAIT(co, (call) == CO_DONE)

// Gives the loop one turn.
#define CO_YIELD(co, task)         \
    do {                           \
        (co)->line = __LINE__;     \
        task_wake(task);           \
        return CO_WAITING;         \
    case __LINE__:;                \
    } while (0)

// Ends the coroutine early; it starts afresh when it is called again.
#define CO_RETURN(co)      \
    do {                   \
        (co)->line = 0;    \
        return CO_DONE;    \
    } while (0)

#define CO_END(co)    \
    }                 \
    (co)->line = 0;   \
    return CO_DONE
// clang-format on

#endif
