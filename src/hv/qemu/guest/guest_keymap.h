// Key codes: one key a row, in the numberings that virDomainSendKey knows.
#ifndef HV_QEMU_GUEST_KEYMAP_H
#define HV_QEMU_GUEST_KEYMAP_H

#include <stddef.h>
#include <stdint.h>

#define GUEST_KEY_NONE 0xffff

struct guest_key {
    uint16_t linux_code, set1, set2, set3, osx, usb, win32;
};

extern const struct guest_key guest_keys[];
extern const size_t guest_key_count;

#endif
