// The SMBIOS table as sysinfo shows it.
#define _GNU_SOURCE
#include "virt/node/node.h"
#include "virt/node/smbios.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint8_t table[4096];
static size_t table_len;

static int start(void **state)
{
    (void)state;
    table_len = 0;
    return 0;
}

// Adds a structure: what is in `bytes` from offset 4 on, and strings each ended by "\n".
static void add(uint8_t type, uint8_t size, const uint8_t *bytes, const char *strings)
{
    uint8_t *at = table + table_len;
    memset(at, 0, size);
    at[0] = type;
    at[1] = size;
    memcpy(at + 4, bytes, size - 4U);
    table_len += size;
    for (const char *c = strings; *c; c++)
        table[table_len++] = *c == '\n' ? 0 : (uint8_t)*c;
    if (!*strings)
        table[table_len++] = 0;
    table[table_len++] = 0;
}

#define ADD(type, strings, ...)                                                                    \
    do {                                                                                           \
        const uint8_t bytes[] = {__VA_ARGS__};                                                     \
        add(type, (uint8_t)(sizeof(bytes) + 4), bytes, strings);                                   \
    } while (0)

static const char *sysinfo(struct error *err)
{
    static char text[65536];
    char root[] = "/tmp/nanovirt-smbios-XXXXXX", path[128], command[64];
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof(path), "%s/sys/firmware/dmi/tables", root);
    assert_int_equal(port_make_directories(path, 0700), 0);
    strcat(path, "/DMI");
    FILE *f = fopen(path, "w");
    fwrite(table, 1, table_len, f);
    fclose(f);
    struct buffer out = buffer_over(text, sizeof(text));
    port_host_root(root);
    node_sysinfo(&out, err);
    port_host_root(NULL);
    snprintf(command, sizeof(command), "rm -rf %s", root);
    assert_int_equal(system(command), 0);
    assert_true(buffer_ok(&out));
    return text;
}

static void assert_sysinfo(const char *expected)
{
    struct error err = {0};
    const char *got = sysinfo(&err);
    assert_false(error_is_set(&err));
    assert_string_equal(got, expected);
}

static void firmware_machine_board_and_chassis_are_shown(void **state)
{
    (void)state;
    ADD(0, "SeaBIOS <x>\n1.2 \n04/01/2014\n", 1, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 7,
        0, 0);
    ADD(1, "Maker & Co\nProd'uct\nS/N\nFam\tily\n", 1, 2, 0, 3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
        11, 12, 13, 14, 15, 6, 0, 4);
    ADD(2, "Maker\nBoard\nSlot 1\n", 1, 2, 0, 0, 0, 0, 3, 0, 0, 10, 0);
    ADD(3, "Maker\n  \ncsku\n", 1, 1, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 3);
    ADD(127, "", 0);
    assert_sysinfo("<sysinfo type='smbios'>\n"
                   "  <bios>\n"
                   "    <entry name='vendor'>SeaBIOS &lt;x&gt;</entry>\n"
                   "    <entry name='version'>1.2</entry>\n"
                   "    <entry name='date'>04/01/2014</entry>\n"
                   "    <entry name='release'>1.7</entry>\n"
                   "  </bios>\n"
                   "  <system>\n"
                   "    <entry name='manufacturer'>Maker &amp; Co</entry>\n"
                   "    <entry name='product'>Prod&apos;uct</entry>\n"
                   "    <entry name='version'>Not Specified</entry>\n"
                   "    <entry name='serial'>S/N</entry>\n"
                   "    <entry name='uuid'>03020100-0504-0706-0809-0a0b0c0d0e0f</entry>\n"
                   "    <entry name='sku'>Not Specified</entry>\n"
                   "    <entry name='family'>Fam.ily</entry>\n"
                   "  </system>\n"
                   "  <baseBoard>\n"
                   "    <entry name='manufacturer'>Maker</entry>\n"
                   "    <entry name='product'>Board</entry>\n"
                   "    <entry name='version'>Not Specified</entry>\n"
                   "    <entry name='serial'>Not Specified</entry>\n"
                   "    <entry name='asset'>Not Specified</entry>\n"
                   "    <entry name='location'>Slot 1</entry>\n"
                   "  </baseBoard>\n"
                   "  <chassis>\n"
                   "    <entry name='manufacturer'>Maker</entry>\n"
                   "    <entry name='sku'>csku</entry>\n"
                   "  </chassis>\n"
                   "</sysinfo>\n");
}

static void processors_are_shown_in_the_words_of_the_standard(void **state)
{
    (void)state;
    ADD(4, "CPU 0\nIntel\nXeon  \nsn\npn\n", 1, 3, 0xb3, 2, 0xf2, 0x06, 0x03, 0, 0, 0, 0, 0, 3, 0,
        100, 0, 0xa0, 0x0f, 0, 0, 0x41, 0, 0, 0, 0, 0, 0, 0, 4, 0, 5);
    ADD(4, "CPU 1\n", 1, 3, 0xfe, 0, 0x83, 0xd0, 0x0f, 0x41, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x01);
    assert_sysinfo("<sysinfo type='smbios'>\n"
                   "  <processor>\n"
                   "    <entry name='socket_destination'>CPU 0</entry>\n"
                   "    <entry name='type'>Central Processor</entry>\n"
                   "    <entry name='family'>Xeon</entry>\n"
                   "    <entry name='manufacturer'>Intel</entry>\n"
                   "    <entry name='signature'>Type 0, Family 6, Model 63, Stepping 2</entry>\n"
                   "    <entry name='version'>Xeon</entry>\n"
                   "    <entry name='external_clock'>100 MHz</entry>\n"
                   "    <entry name='max_speed'>4000 MHz</entry>\n"
                   "    <entry name='status'>Populated, Enabled</entry>\n"
                   "    <entry name='serial_number'>sn</entry>\n"
                   "    <entry name='part_number'>pn</entry>\n"
                   "  </processor>\n"
                   "  <processor>\n"
                   "    <entry name='socket_destination'>CPU 1</entry>\n"
                   "    <entry name='type'>Central Processor</entry>\n"
                   "    <entry name='family'>ARMv8</entry>\n"
                   "    <entry name='manufacturer'>Not Specified</entry>\n"
                   "    <entry name='signature'>Implementor 0x41, Variant 0x0, Architecture 15, "
                   "Part 0xd08, Revision 3</entry>\n"
                   "    <entry name='version'>Not Specified</entry>\n"
                   "    <entry name='external_clock'>Unknown</entry>\n"
                   "    <entry name='max_speed'>Unknown</entry>\n"
                   "    <entry name='status'>Unpopulated</entry>\n"
                   "    <entry name='serial_number'>Not Specified</entry>\n"
                   "    <entry name='part_number'>Not Specified</entry>\n"
                   "  </processor>\n"
                   "</sysinfo>\n");
}

static void empty_memory_slots_are_left_out(void **state)
{
    (void)state;
    ADD(17, "DIMM_A\nSamsung\n", 0, 0, 0, 0, 64, 0, 64, 0, 0, 0x20, 9, 0, 1, 0, 0x1a, 0x80, 0x20,
        0x60, 0x09, 2, 0, 0, 0);
    ADD(17, "DIMM_B\n", 0, 0, 0, 0, 64, 0, 64, 0, 0, 0, 9, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0);
    ADD(11, "first\na.b\n", 2);
    assert_sysinfo("<sysinfo type='smbios'>\n"
                   "  <memory_device>\n"
                   "    <entry name='size'>8 GB</entry>\n"
                   "    <entry name='form_factor'>DIMM</entry>\n"
                   "    <entry name='locator'>DIMM_A</entry>\n"
                   "    <entry name='bank_locator'>Not Specified</entry>\n"
                   "    <entry name='type'>DDR4</entry>\n"
                   "    <entry name='type_detail'>Synchronous Registered (Buffered)</entry>\n"
                   "    <entry name='speed'>2400 MT/s</entry>\n"
                   "    <entry name='manufacturer'>Samsung</entry>\n"
                   "    <entry name='serial_number'>Not Specified</entry>\n"
                   "    <entry name='part_number'>Not Specified</entry>\n"
                   "  </memory_device>\n"
                   "  <oemStrings>\n"
                   "    <entry>first</entry>\n"
                   "    <entry>a.b</entry>\n"
                   "  </oemStrings>\n"
                   "</sysinfo>\n");
}

static void memory_sizes_are_told_in_fitting_units(void **state)
{
    (void)state;
    static const struct {
        uint16_t size;
        uint32_t extended;
        const char *text;
    } cases[] = {
        {1, 0, "1 MB"},
        {1536, 0, "1536 MB"},
        {1024, 0, "1 GB"},
        {0x8200, 0, "512 kB"},
        {0x8400, 0, "1 MB"},
        {0xffff, 0, "Unknown"},
        {0, 0, "No Module Installed"},
        {0x7fff, 65536, "64 GB"},
        {0x7fff, 33000, "33000 MB"},
        {0x7fff, 1 << 20, "1 TB"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        uint8_t data[0x20] = {17, 0x20};
        memcpy(data + 0x0c, &cases[i].size, 2);
        memcpy(data + 0x1c, &cases[i].extended, 4);
        struct smbios s = {17, {(const char *)data, sizeof(data)}, {"\0", 1}};
        struct buffer out = buffer_over(text, sizeof(text));
        smbios_say_memory_size(&s, 0x0c, &out);
        assert_string_equal(text, cases[i].text);
    }
}

static void a_table_that_is_cut_or_damaged_ends_where_it_breaks(void **state)
{
    (void)state;
    ADD(2, "Maker\n", 1, 9, 0, 0, 0, 0, 0, 0, 0, 10, 0); // string 9 is not there
    ADD(3, "", 0);
    for (size_t len = table_len; len > 0; len--) {
        struct slice rest = {(const char *)table, len};
        struct smbios s;
        while (smbios_next(&rest, &s)) {
            assert_true(s.data.at >= (const char *)table);
            assert_true(s.strings.at + s.strings.len <= (const char *)table + len);
        }
    }
    struct error err = {0};
    assert_non_null(strstr(sysinfo(&err), "<entry name='product'>&lt;BAD INDEX&gt;</entry>"));
    table[1] = 3; // shorter than its header
    struct slice whole = {(const char *)table, table_len};
    struct smbios s;
    assert_false(smbios_next(&whole, &s));
}

static void without_a_table_sysinfo_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    sysinfo(&err);
    assert_int_equal(err.code, VIR_ERR_CONFIG_UNSUPPORTED);
    assert_string_equal(err.message,
                        "unsupported configuration: Host SMBIOS information is not available");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(firmware_machine_board_and_chassis_are_shown, start),
        cmocka_unit_test_setup(processors_are_shown_in_the_words_of_the_standard, start),
        cmocka_unit_test_setup(empty_memory_slots_are_left_out, start),
        cmocka_unit_test_setup(memory_sizes_are_told_in_fitting_units, start),
        cmocka_unit_test_setup(a_table_that_is_cut_or_damaged_ends_where_it_breaks, start),
        cmocka_unit_test_setup(without_a_table_sysinfo_is_refused, start),
    };
    return cmocka_run_group_tests_name("smbios", tests, NULL, NULL);
}
