// The emulator's end of a guest's console.
#ifndef TEST_SIM_CONSOLE_H
#define TEST_SIM_CONSOLE_H

#include "port/sim/sim.h"

// Of what a guest says each byte is the next letter of the alphabet, and of what is typed each is
// the next digit, from 0 on in each session: so a gap, a repetition and another's bytes show.
#define CONSOLE_FIRST_SAID  'a'
#define CONSOLE_LAST_SAID   'z'
#define CONSOLE_FIRST_TYPED '0'
#define CONSOLE_LAST_TYPED  '9'

struct console {
    int pty; // -1: the guest has none
    unsigned number;
    uint32_t talk; // bytes that it still says
    uint32_t said;
    char typed; // the last byte; 0: none
};

void console_open(struct console *console, struct sim_process *emulator);
void console_step(struct console *console);

// So many bytes of what a guest says or is typed, from that position on.
void console_fill(char *to, size_t len, uint32_t position, char first, char last);
bool console_follows(char byte, char previous, char first, char last);

#endif
