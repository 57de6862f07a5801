// SMBIOS: walking the table, and the text of what its structures say. Names are those of DSP0134.
#include "virt/node/smbios.h"

#include <string.h>

#define END_OF_TABLE 127
#define HEADER       4
#define OUT_OF_SPEC  "<OUT OF SPEC>"

// ---- structures ---------------------------------------------------------------------------------

bool smbios_next(struct slice *table, struct smbios *to)
{
    if (table->len < HEADER)
        return false;
    const uint8_t *at = (const uint8_t *)table->at;
    size_t size = at[1];
    if (at[0] == END_OF_TABLE || size < HEADER || size + 2 > table->len)
        return false;
    size_t end = size;
    while (end + 1 < table->len && (at[end] || at[end + 1]))
        end++;
    to->type = at[0];
    to->data = (struct slice){table->at, size};
    to->strings = (struct slice){table->at + size, end + 1 - size};
    *table = slice_from(*table, end + 2 < table->len ? end + 2 : table->len);
    return true;
}

bool smbios_number(const struct smbios *s, size_t offset, size_t width, uint32_t *value)
{
    if (offset + width > s->data.len)
        return false;
    *value = 0;
    for (size_t i = 0; i < width; i++)
        *value |= (uint32_t)(uint8_t)s->data.at[offset + i] << 8 * i;
    return true;
}

struct slice smbios_string(const struct smbios *s, unsigned n)
{
    struct slice rest = s->strings, part = SLICE_NONE;
    for (unsigned i = 0; i < n; i++) {
        if (!slice_split(&rest, '\0', &part) || part.len == 0)
            return SLICE_NONE;
    }
    return part;
}

void smbios_say_string(const struct smbios *s, size_t offset, struct buffer *out)
{
    uint32_t n;
    if (!smbios_number(s, offset, 1, &n))
        return;
    if (n == 0) {
        buffer_puts(out, "Not Specified");
        return;
    }
    struct slice text = smbios_string(s, n);
    if (!slice_present(text)) {
        buffer_puts(out, "<BAD INDEX>");
        return;
    }
    while (text.len > 0 && text.at[text.len - 1] == ' ')
        text.len--;
    smbios_put_text(out, text);
}

void smbios_put_text(struct buffer *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        buffer_putc(out, text.at[i] >= ' ' && text.at[i] < 0x7f ? text.at[i] : '.');
}

// ---- lists of names -----------------------------------------------------------------------------

static void say_name(const char *const *names, size_t count, size_t first, uint32_t n,
                     struct buffer *out)
{
    buffer_puts(out, n >= first && n - first < count ? names[n - first] : OUT_OF_SPEC);
}

#define SAY_NAME(names, first, n, out)                                                             \
    say_name(names, sizeof(names) / sizeof((names)[0]), first, n, out)

void smbios_say_processor_type(const struct smbios *s, size_t offset, struct buffer *out)
{
    static const char *const names[] = {
        "Other",          "Unknown",       "Central Processor",
        "Math Processor", "DSP Processor", "Video Processor"}; // section 7.5.1
    uint32_t n;
    if (smbios_number(s, offset, 1, &n))
        SAY_NAME(names, 1, n, out);
}

void smbios_say_form_factor(const struct smbios *s, size_t offset, struct buffer *out)
{
    static const char *const names[] = {"Other",  "Unknown", "SIMM",         "SIP",
                                        "Chip",   "DIP",     "ZIP",          "Proprietary Card",
                                        "DIMM",   "TSOP",    "Row Of Chips", "RIMM",
                                        "SODIMM", "SRIMM",   "FB-DIMM",      "Die"};
    uint32_t n; // section 7.18.1
    if (smbios_number(s, offset, 1, &n))
        SAY_NAME(names, 1, n, out);
}

void smbios_say_memory_type(const struct smbios *s, size_t offset, struct buffer *out)
{
    static const char *const names[] = {"Other",
                                        "Unknown",
                                        "DRAM",
                                        "EDRAM",
                                        "VRAM",
                                        "SRAM",
                                        "RAM",
                                        "ROM",
                                        "Flash",
                                        "EEPROM",
                                        "FEPROM",
                                        "EPROM",
                                        "CDRAM",
                                        "3DRAM",
                                        "SDRAM",
                                        "SGRAM",
                                        "RDRAM",
                                        "DDR",
                                        "DDR2",
                                        "DDR2 FB-DIMM",
                                        "Reserved",
                                        "Reserved",
                                        "Reserved",
                                        "DDR3",
                                        "FBD2",
                                        "DDR4",
                                        "LPDDR",
                                        "LPDDR2",
                                        "LPDDR3",
                                        "LPDDR4",
                                        "Logical non-volatile device",
                                        "HBM",
                                        "HBM2",
                                        "DDR5",
                                        "LPDDR5"};
    uint32_t n; // section 7.18.2
    if (smbios_number(s, offset, 1, &n))
        SAY_NAME(names, 1, n, out);
}

void smbios_say_type_detail(const struct smbios *s, size_t offset, struct buffer *out)
{
    static const char *const names[] = {"Other",
                                        "Unknown",
                                        "Fast-paged",
                                        "Static Column",
                                        "Pseudo-static",
                                        "RAMBus",
                                        "Synchronous",
                                        "CMOS",
                                        "EDO",
                                        "Window DRAM",
                                        "Cache DRAM",
                                        "Non-Volatile",
                                        "Registered (Buffered)",
                                        "Unbuffered (Unregistered)",
                                        "LRDIMM"};
    uint32_t bits; // section 7.18.3
    const char *separator = "";
    if (!smbios_number(s, offset, 2, &bits))
        return;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!(bits >> (i + 1) & 1))
            continue;
        buffer_printf(out, "%s%s", separator, names[i]);
        separator = " ";
    }
    if (!separator[0])
        buffer_puts(out, "None");
}

void smbios_say_processor_status(const struct smbios *s, size_t offset, struct buffer *out)
{
    static const char *const names[] = {"Unknown",          "Enabled", "Disabled By User",
                                        "Disabled By BIOS", "Idle",    OUT_OF_SPEC,
                                        OUT_OF_SPEC,        "Other"};
    uint32_t bits;
    if (!smbios_number(s, offset, 1, &bits))
        return;
    if (bits & 1 << 6)
        buffer_printf(out, "Populated, %s", names[bits & 7]);
    else
        buffer_puts(out, "Unpopulated");
}

// ---- numbers ------------------------------------------------------------------------------------

void smbios_say_release(const struct smbios *s, size_t offset, struct buffer *out)
{
    uint32_t major, minor;
    if (smbios_number(s, offset, 1, &major) && smbios_number(s, offset + 1, 1, &minor) &&
        major != 0xff && minor != 0xff)
        buffer_printf(out, "%u.%u", major, minor);
}

// The first three fields are little-endian since version 2.6 (section 7.2.1).
void smbios_say_uuid(const struct smbios *s, size_t offset, struct buffer *out)
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    uint32_t byte, all = 0xff, any = 0;
    for (size_t i = 0; i < 16; i++) {
        if (!smbios_number(s, offset + i, 1, &byte))
            return;
        all &= byte;
        any |= byte;
    }
    if (all == 0xff || any == 0) {
        buffer_puts(out, any ? "Not Present" : "Not Settable");
        return;
    }
    for (size_t i = 0; i < 16; i++) {
        smbios_number(s, offset + order[i], 1, &byte);
        buffer_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", byte);
    }
}

// Its place depends on the number and the size of the contained elements (section 7.4).
void smbios_say_chassis_sku(const struct smbios *s, size_t offset, struct buffer *out)
{
    uint32_t count, size;
    if (smbios_number(s, offset, 1, &count) && smbios_number(s, offset + 1, 1, &size))
        smbios_say_string(s, offset + 2 + count * size, out);
}

void smbios_say_mhz(const struct smbios *s, size_t offset, struct buffer *out)
{
    uint32_t mhz;
    if (!smbios_number(s, offset, 2, &mhz))
        return;
    if (mhz)
        buffer_printf(out, "%u MHz", mhz);
    else
        buffer_puts(out, "Unknown");
}

void smbios_say_transfers(const struct smbios *s, size_t offset, struct buffer *out)
{
    uint32_t rate;
    if (!smbios_number(s, offset, 2, &rate))
        return;
    // 0xffff: too many for the field, see the one added in version 3.3 (section 7.18).
    if (rate == 0xffff && !smbios_number(s, 0x54, 4, &rate))
        rate = 0;
    if (rate)
        buffer_printf(out, "%u MT/s", rate);
    else
        buffer_puts(out, "Unknown");
}

// In the largest unit that leaves at most one part of 1024 unsaid: 1536 MB, 2 GB.
static void say_kilobytes(uint32_t kilobytes, struct buffer *out)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    size_t unit = 0;
    while (unit < 3 && kilobytes >= 1024 && kilobytes % 1024 == 0) {
        kilobytes /= 1024;
        unit++;
    }
    buffer_printf(out, "%u %s", kilobytes, units[unit]);
}

void smbios_say_memory_size(const struct smbios *s, size_t offset, struct buffer *out)
{
    uint32_t size;
    if (!smbios_number(s, offset, 2, &size))
        return;
    uint32_t megabytes;
    if (size == 0)
        buffer_puts(out, "No Module Installed");
    else if (size == 0xffff)
        buffer_puts(out, "Unknown");
    else if (size == 0x7fff && smbios_number(s, 0x1c, 4, &megabytes)) // 32 GiB and more
        buffer_printf(out, "%u %s",
                      megabytes & 0x3ff     ? megabytes
                      : megabytes & 0xffc00 ? megabytes >> 10
                                            : megabytes >> 20,
                      megabytes & 0x3ff     ? "MB"
                      : megabytes & 0xffc00 ? "GB"
                                            : "TB");
    else
        say_kilobytes(size & 0x8000 ? size & 0x7fff : size << 10, out);
}

// ---- processors ---------------------------------------------------------------------------------

#define FAMILY_IN_NEXT_FIELD 0xfe
#define FAMILY_OFFSET        0x06
#define FAMILY_2_OFFSET      0x28

static unsigned family_of(const struct smbios *s)
{
    uint32_t family = 0, wide;
    smbios_number(s, FAMILY_OFFSET, 1, &family);
    if (family == FAMILY_IN_NEXT_FIELD && smbios_number(s, FAMILY_2_OFFSET, 2, &wide))
        family = wide;
    return family;
}

void smbios_say_processor_family(const struct smbios *s, size_t offset, struct buffer *out)
{
    uint32_t unused;
    if (!smbios_number(s, offset, 1, &unused))
        return;
    const char *name = smbios_family_name(family_of(s));
    buffer_puts(out, name ? name : OUT_OF_SPEC);
}

enum signature_form { SIGNATURE_NONE, SIGNATURE_INTEL, SIGNATURE_AMD, SIGNATURE_ARM };

// Which families identify themselves in which form.
static const struct {
    uint16_t first, last;
    enum signature_form form;
} forms[] = {
    {0x0b, 0x15, SIGNATURE_INTEL}, {0x18, 0x1d, SIGNATURE_AMD},   {0x1f, 0x1f, SIGNATURE_AMD},
    {0x28, 0x2f, SIGNATURE_INTEL}, {0x38, 0x3f, SIGNATURE_AMD},   {0x46, 0x4f, SIGNATURE_AMD},
    {0x66, 0x6b, SIGNATURE_AMD},   {0x83, 0x8f, SIGNATURE_AMD},   {0xa1, 0xb3, SIGNATURE_INTEL},
    {0xb5, 0xb5, SIGNATURE_INTEL}, {0xb6, 0xb7, SIGNATURE_AMD},   {0xb9, 0xc7, SIGNATURE_INTEL},
    {0xcd, 0xcf, SIGNATURE_INTEL}, {0xd2, 0xdb, SIGNATURE_INTEL}, {0xdd, 0xe0, SIGNATURE_INTEL},
    {0xe4, 0xef, SIGNATURE_AMD},   {0x100, 0x101, SIGNATURE_ARM}, {0x118, 0x119, SIGNATURE_ARM},
};

static enum signature_form form_of(const struct smbios *s)
{
    unsigned family = family_of(s);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (family >= forms[i].first && family <= forms[i].last)
            return forms[i].form;
    }
    return SIGNATURE_NONE;
}

void smbios_say_signature(const struct smbios *s, size_t offset, struct buffer *out)
{
    uint32_t id;
    if (!smbios_number(s, offset, 4, &id))
        return;
    unsigned family = id >> 8 & 0xf, extended = id >> 20 & 0xff, stepping = id & 0xf;
    unsigned model = (id >> 4 & 0xf) | (id >> 12 & 0xf0);
    switch (form_of(s)) {
    case SIGNATURE_INTEL:
        buffer_printf(out, "Type %u, Family %u, Model %u, Stepping %u", id >> 12 & 3,
                      family + extended, model, stepping);
        break;
    case SIGNATURE_AMD: // the extended fields count with family 15 only
        buffer_printf(out, "Family %u, Model %u, Stepping %u",
                      family == 0xf ? family + extended : family,
                      family == 0xf ? model : model & 0xf, stepping);
        break;
    case SIGNATURE_ARM: // the main identification register
        buffer_printf(out,
                      "Implementor 0x%02x, Variant 0x%x, Architecture %u, Part 0x%03x, Revision %u",
                      id >> 24, id >> 20 & 0xf, id >> 16 & 0xf, id >> 4 & 0xfff, stepping);
        break;
    case SIGNATURE_NONE:
        break;
    }
}
