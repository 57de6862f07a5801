// The scripted QEMU.
#ifndef TEST_SIM_QEMU_H
#define TEST_SIM_QEMU_H

#include "port/sim/sim.h"

#define QEMU_PATH "/usr/bin/qemu-system-x86_64"

extern const struct sim_program qemu_program_x86_64;

// Emulators that run for a guest, or for any.
unsigned qemu_running(const char *name);
// Whether the guest's emulator says that it did what it did not.
bool qemu_lies(const char *name);

#endif
