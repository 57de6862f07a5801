// The node: virConnectGetSysinfo, the firmware's description of the machine as XML.
#include "virt/node/node.h"

#include "text/xml.h"
#include "virt/node/smbios.h"

#define TABLE_MAX                                                                                  \
    65536 // of the table in SMBIOS 2; what lies behind it in a longer one is not shown
#define VALUE_MAX 512

struct entry {
    const char *name;
    smbios_say *say;
    size_t offset;
};

// One element and where its entries come from, in the order of libvirt's documents.
struct section {
    enum smbios_type type;
    const char *element;
    bool only_first; // there is one in a machine
    const struct entry *entries;
};

static const struct entry bios[] = {
    {"vendor", smbios_say_string, 0x04},
    {"version", smbios_say_string, 0x05},
    {"date", smbios_say_string, 0x08},
    {"release", smbios_say_release, 0x14},
    {NULL, NULL, 0},
};

static const struct entry machine[] = {
    {"manufacturer", smbios_say_string, 0x04}, {"product", smbios_say_string, 0x05},
    {"version", smbios_say_string, 0x06},      {"serial", smbios_say_string, 0x07},
    {"uuid", smbios_say_uuid, 0x08},           {"sku", smbios_say_string, 0x19},
    {"family", smbios_say_string, 0x1a},       {NULL, NULL, 0},
};

static const struct entry board[] = {
    {"manufacturer", smbios_say_string, 0x04},
    {"product", smbios_say_string, 0x05},
    {"version", smbios_say_string, 0x06},
    {"serial", smbios_say_string, 0x07},
    {"asset", smbios_say_string, 0x08},
    {"location", smbios_say_string, 0x0a},
    {NULL, NULL, 0},
};

static const struct entry chassis[] = {
    {"manufacturer", smbios_say_string, 0x04}, {"version", smbios_say_string, 0x06},
    {"serial", smbios_say_string, 0x07},       {"asset", smbios_say_string, 0x08},
    {"sku", smbios_say_chassis_sku, 0x13},     {NULL, NULL, 0},
};

static const struct entry processor[] = {
    {"socket_destination", smbios_say_string, 0x04}, {"type", smbios_say_processor_type, 0x05},
    {"family", smbios_say_processor_family, 0x06},   {"manufacturer", smbios_say_string, 0x07},
    {"signature", smbios_say_signature, 0x08},       {"version", smbios_say_string, 0x10},
    {"external_clock", smbios_say_mhz, 0x12},        {"max_speed", smbios_say_mhz, 0x14},
    {"status", smbios_say_processor_status, 0x18},   {"serial_number", smbios_say_string, 0x20},
    {"part_number", smbios_say_string, 0x22},        {NULL, NULL, 0},
};

static const struct entry memory[] = {
    {"size", smbios_say_memory_size, 0x0c},
    {"form_factor", smbios_say_form_factor, 0x0e},
    {"locator", smbios_say_string, 0x10},
    {"bank_locator", smbios_say_string, 0x11},
    {"type", smbios_say_memory_type, 0x12},
    {"type_detail", smbios_say_type_detail, 0x13},
    {"speed", smbios_say_transfers, 0x15},
    {"manufacturer", smbios_say_string, 0x17},
    {"serial_number", smbios_say_string, 0x18},
    {"part_number", smbios_say_string, 0x1a},
    {NULL, NULL, 0},
};

static const struct section sections[] = {
    {SMBIOS_BIOS, "bios", true, bios},
    {SMBIOS_SYSTEM, "system", true, machine},
    {SMBIOS_BOARD, "baseBoard", false, board},
    {SMBIOS_CHASSIS, "chassis", true, chassis},
    {SMBIOS_PROCESSOR, "processor", false, processor},
    {SMBIOS_MEMORY, "memory_device", false, memory},
};

static void put_entry(struct buffer *out, const struct entry *entry, const struct smbios *s)
{
    char text[VALUE_MAX];
    struct buffer value = buffer_over(text, sizeof(text));
    entry->say(s, entry->offset, &value);
    if (value.len == 0)
        return;
    buffer_printf(out, "    <entry name='%s'>", entry->name);
    xml_write_escaped(out, buffer_slice(&value));
    buffer_puts(out, "</entry>\n");
}

static bool is_empty_slot(const struct smbios *s)
{
    uint32_t size;
    return s->type == SMBIOS_MEMORY && smbios_number(s, memory[0].offset, 2, &size) && size == 0;
}

static void put_section(struct buffer *out, const struct section *section, struct slice table)
{
    struct smbios s;
    while (smbios_next(&table, &s)) {
        if (s.type != section->type || is_empty_slot(&s))
            continue;
        struct buffer before = *out;
        buffer_printf(out, "  <%s>\n", section->element);
        size_t opened = out->len;
        for (const struct entry *entry = section->entries; entry->name; entry++)
            put_entry(out, entry, &s);
        if (out->len > opened || !buffer_ok(out)) {
            buffer_printf(out, "  </%s>\n", section->element);
        } else { // the structure says nothing
            *out = before;
            out->at[out->len] = '\0';
        }
        if (section->only_first)
            return;
    }
}

static void put_oem_string(struct buffer *out, struct slice string)
{
    char text[VALUE_MAX];
    struct buffer value = buffer_over(text, sizeof(text));
    smbios_put_text(&value, string);
    buffer_puts(out, "    <entry>");
    xml_write_escaped(out, buffer_slice(&value));
    buffer_puts(out, "</entry>\n");
}

static void put_oem_strings(struct buffer *out, struct slice table)
{
    struct smbios s;
    struct slice string;
    do {
        if (!smbios_next(&table, &s))
            return;
    } while (s.type != SMBIOS_OEM_STRINGS);
    buffer_puts(out, "  <oemStrings>\n");
    while (slice_split(&s.strings, '\0', &string) && string.len > 0)
        put_oem_string(out, string);
    buffer_puts(out, "  </oemStrings>\n");
}

void node_sysinfo_of_processors(struct buffer *out)
{
    char name[VALUE_MAX];
    struct port_cpuset online;
    if (port_cpu_name(name, sizeof(name)) < 0 || port_cpus_online(&online) < 0) {
        buffer_puts(out, "<sysinfo type='smbios'/>\n");
        return;
    }
    buffer_puts(out, "<sysinfo type='smbios'>\n");
    for (unsigned cpu = 0; cpu < port_cpuset_end(&online); cpu++) {
        if (!port_cpuset_has(&online, cpu))
            continue;
        buffer_printf(out,
                      "  <processor>\n"
                      "    <entry name='socket_destination'>%u</entry>\n"
                      "    <entry name='type'>",
                      cpu);
        xml_write_escaped(out, slice_of(name));
        buffer_puts(out, "</entry>\n  </processor>\n");
    }
    buffer_puts(out, "</sysinfo>\n");
}

static bool is_arm(void)
{
    char name[32] = "";
    port_machine(name, sizeof(name));
    return slice_starts(slice_of(name), "arm") || slice_starts(slice_of(name), "aarch64");
}

bool node_sysinfo(struct buffer *out, struct error *err)
{
    static char bytes[TABLE_MAX];
    ptrdiff_t len = port_smbios(bytes, sizeof(bytes));
    if (len <= 0 && is_arm()) {
        node_sysinfo_of_processors(out);
        return true;
    }
    if (len <= 0)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "Host SMBIOS information is not available");
    struct slice table = {bytes, (size_t)len};
    buffer_puts(out, "<sysinfo type='smbios'>\n");
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
        put_section(out, &sections[i], table);
    put_oem_strings(out, table);
    buffer_puts(out, "</sysinfo>\n");
    return true;
}
