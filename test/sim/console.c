// The emulator's end of a guest's console: the guest talks now and then, and whatever is typed is
// looked at.
#include "test/sim/console.h"

void console_fill(char *to, size_t len, uint32_t position, char first, char last)
{
    uint32_t count = (uint32_t)(last - first + 1);
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(first + (char)((position + i) % count));
}

bool console_follows(char byte, char previous, char first, char last)
{
    return byte == (previous == last ? first : previous + 1);
}

void console_open(struct console *console, struct sim_process *emulator)
{
    static const uint32_t much[] = {0, 100, 3000, 3000, 40000};
    console->pty = sim_pty_open(&console->number, sim_process_actor(emulator));
    console->talk = much[sim_random(sizeof(much) / sizeof(much[0]))];
    sim_process_take(emulator, console->pty);
}

static void listen_to(struct console *console)
{
    char bytes[512];
    ptrdiff_t got;
    while ((got = sim_read(console->pty, bytes, sizeof(bytes))) > 0) {
        for (ptrdiff_t i = 0; i < got; i++) {
            bool begins = bytes[i] == CONSOLE_FIRST_TYPED;
            if (!begins &&
                (!console->typed || !console_follows(bytes[i], console->typed, CONSOLE_FIRST_TYPED,
                                                     CONSOLE_LAST_TYPED)))
                sim_fail("pty %u: '%c' was typed behind '%c'", console->number, bytes[i],
                         console->typed);
            console->typed = bytes[i];
        }
    }
}

static void talk(struct console *console)
{
    char bytes[4096];
    size_t len = 1 + sim_random(sizeof(bytes));
    if (len > console->talk)
        len = console->talk;
    console_fill(bytes, len, console->said, CONSOLE_FIRST_SAID, CONSOLE_LAST_SAID);
    ptrdiff_t put = sim_write(console->pty, bytes, len);
    if (put <= 0)
        return;
    console->said += (uint32_t)put;
    console->talk -= (uint32_t)put;
}

void console_step(struct console *console)
{
    if (console->pty < 0)
        return;
    listen_to(console);
    talk(console);
}
