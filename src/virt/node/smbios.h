// SMBIOS: the firmware's description of a machine (DMTF DSP0134), as the text that dmidecode shows
// for it, which is what sysinfo documents have always held.
#ifndef VIRT_SMBIOS_H
#define VIRT_SMBIOS_H

#include "core/buffer.h"

enum smbios_type { // section 7: structure types
    SMBIOS_BIOS = 0,
    SMBIOS_SYSTEM = 1,
    SMBIOS_BOARD = 2,
    SMBIOS_CHASSIS = 3,
    SMBIOS_PROCESSOR = 4,
    SMBIOS_OEM_STRINGS = 11,
    SMBIOS_MEMORY = 17,
};

// One structure within the table; `data` starts with its header.
struct smbios {
    uint8_t type;
    struct slice data;    // the formatted part
    struct slice strings; // each ended by a NUL
};

// Takes the next structure off the front of *table; false at the end or where the table is damaged.
bool smbios_next(struct slice *table, struct smbios *to);
// The number of bytes 1, 2, 4 wide at an offset; false when the structure is too short for it.
bool smbios_number(const struct smbios *s, size_t offset, size_t width, uint32_t *value);
// The n-th string (from 1), absent when there is none.
struct slice smbios_string(const struct smbios *s, unsigned n);
// Text of a string; what is no printable ASCII becomes a dot, as dmidecode shows it.
void smbios_put_text(struct buffer *out, struct slice text);

// What is said about one thing of a structure; nothing is written when the structure does not say.
typedef void smbios_say(const struct smbios *s, size_t offset, struct buffer *out);

smbios_say smbios_say_string;
smbios_say smbios_say_release;     // BIOS: major and minor version
smbios_say smbios_say_uuid;        // system
smbios_say smbios_say_chassis_sku; // behind a list of variable length
smbios_say smbios_say_processor_type;
smbios_say smbios_say_processor_family;
smbios_say smbios_say_signature; // processor
smbios_say smbios_say_mhz;       // 0: unknown
smbios_say smbios_say_processor_status;
smbios_say smbios_say_memory_size;
smbios_say smbios_say_form_factor;
smbios_say smbios_say_memory_type;
smbios_say smbios_say_type_detail; // memory
smbios_say smbios_say_transfers;   // memory: speed

// The name of a processor family (section 7.5.2), NULL for one that is not known.
const char *smbios_family_name(unsigned family);

#endif
