// Adoption: finding the guests that ran on while the daemon was away.
#ifndef HV_QEMU_ADOPT_H
#define HV_QEMU_ADOPT_H

// Looks at every domain that has a status file: one whose emulator is gone is shut off, the others
// are connected to again, in the background. Called once at start-up, after definition_load_all().
void adopt_all(void);

#endif
