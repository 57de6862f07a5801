// Bugs that are planted into the daemon, to see that the runs notice them.
#ifndef TEST_SIM_BUGS_H
#define TEST_SIM_BUGS_H

enum bug {
    BUG_NONE,
    // For some client that connects, something is taken that nobody gives back:
    BUG_SMALL_SLOT,
    BUG_LARGE_SLOT,
    BUG_CALL,
    BUG_WATCH,
    BUG_TIMER,
    BUG_TASK,
    // Other breaches:
    BUG_EVENT, // what a guest does is not always told
    BUGS
};

void bug_plant(enum bug bug); // into every daemon from now on
const char *bug_name(enum bug bug);

#endif
