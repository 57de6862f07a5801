// The scripted QEMU, and its qemu-img.
#ifndef TEST_SIM_QEMU_H
#define TEST_SIM_QEMU_H

#include "port/sim/sim.h"

#define QEMU_PATH "/usr/bin/qemu-system-x86_64"

extern const struct sim_program qemu_program_x86_64, qemu_img_program;

// What an image holds while it is being made, and then.
#define IMAGE_HALF  "half of an image"
#define IMAGE_WHOLE "an image, and all of it"

// Emulators that run for a guest, or for any.
unsigned qemu_running(const char *name);
unsigned qemu_img_running(void); // it outlives the daemon that started it
// Whether the guest's emulator says that it did what it did not.
bool qemu_lies(const char *name);

#endif
