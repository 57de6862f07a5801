// A scripted guest agent: what a guest says and is told on its virtio channel.
#ifndef TEST_SIM_AGENT_H
#define TEST_SIM_AGENT_H

#include "test/sim/speech.h"

#include "port/sim/sim.h"

enum agent_vice {
    AGENT_NONE,
    AGENT_DEAF,     // answers nothing but what synchronizes
    AGENT_ABSENT,   // answers nothing at all
    AGENT_LATE,     // answers when nobody waits any more
    AGENT_LIAR,     // answers with what was not asked for
    AGENT_RUBBISH,  // answers with what is no JSON
    AGENT_FLOOD,    // with a megabyte
    AGENT_HALF,     // with the first part of an answer
    AGENT_HANGS_UP, // instead of an answer
    AGENT_TALKS,    // says what nobody has asked for
    AGENT_VICES
};

struct agent {
    int listener, peer; // -1
    bool there;         // the guest has the port open
    enum agent_vice vice;
    uint64_t changes_at, speaks_at; // SIM_NEVER
    struct speech speech;
    char in[4096];
    size_t in_len;
    bool powers_off; // it was told to
};

void agent_begin(struct agent *agent, struct sim_process *emulator, int listener);
// True when the guest has opened its port, or closed it.
bool agent_changes(struct agent *agent);
void agent_step(struct agent *agent, struct sim_process *emulator);
uint64_t agent_next(const struct agent *agent); // when it wants to be called

#endif
