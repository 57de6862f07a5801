// Firmware descriptors: the JSON files in which a distribution describes its firmware images
// (QEMU's docs/interop/firmware.json), in their order of preference.
#ifndef HV_QEMU_FIRMWARE_H
#define HV_QEMU_FIRMWARE_H

#include "hv/qemu/definition/defaults.h"
#include "text/json.h"

#define QEMU_FIRMWARE_FILES 64 // descriptors looked at
#define QEMU_FIRMWARE_NAME  128

// One descriptor. Slices are valid until the next step of the walk.
struct qemu_firmware_description {
    struct slice loader, nvram_template; // the latter absent for most kinds but split flash
    bool flash;                          // mapped as flash; else read into memory, as a BIOS
    bool split, stateless;               // of flash: with a template, without any variables
    bool uefi, bios;                     // what it offers to the guest
    bool secure_boot, enrolled_keys, requires_smm, acpi_s3, acpi_s4;
    const struct json_value *targets;
};

// A walk over all descriptors below `root` (normally ""): those in /etc replace those of the same
// name in /usr/share, an empty one hides it, and names are taken in alphabetical order.
struct qemu_firmware_walk {
    const char *root;
    size_t count, next;
    char names[QEMU_FIRMWARE_FILES][QEMU_FIRMWARE_NAME];
    char text[16384];
};

void qemu_firmware_begin(struct qemu_firmware_walk *walk, const char *root);
// The next descriptor that can be read; false at the end. It is parsed into monitor_json().
bool qemu_firmware_next(struct qemu_firmware_walk *walk, struct qemu_firmware_description *to);

// Whether the firmware is for that machine ("pc-q35-7.2") of that architecture.
bool qemu_firmware_fits(const struct qemu_firmware_description *firmware, struct slice arch,
                        struct slice machine);

// Fills in the answers of the first descriptor that satisfies what is asked for; false when there
// is none. The strings stay valid until the next call.
bool qemu_firmware_resolve(struct qemu_firmware *wish, const char *root);

#endif
