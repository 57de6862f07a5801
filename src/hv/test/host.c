// The test driver's host: two cells, sixteen processors, an i686, all of it libvirt's invention.
#include "hv/test/driver.h"

#define CELLS 2

int32_t test_max_vcpus(struct slice type, struct error *err)
{
    (void)type, (void)err;
    return 32;
}

static void put_cell(struct buffer *out, unsigned cell)
{
    const unsigned page = cell ? 8 : 4; // KiB
    const unsigned cpus = TEST_CPUS / CELLS;
    buffer_printf(out, "        <cell id='%u'>\n", cell);
    buffer_printf(out, "          <memory unit='KiB'>%u</memory>\n", (cell + 1) * 2097152);
    buffer_printf(out, "          <pages unit='KiB' size='%u'>524288</pages>\n", page);
    buffer_puts(out, "          <pages unit='KiB' size='2048'>0</pages>\n"
                     "          <pages unit='KiB' size='1048576'>0</pages>\n");
    buffer_printf(out, "          <cpus num='%u'>\n", cpus);
    for (unsigned i = 0; i < cpus; i++)
        buffer_printf(out,
                      "            <cpu id='%u' socket_id='%u' die_id='0' core_id='%u' "
                      "siblings='%u'/>\n",
                      cell * cpus + i, cell, i, cell * cpus + i);
    buffer_puts(out, "          </cpus>\n"
                     "        </cell>\n");
}

static void put_guest(struct buffer *out, const char *os_type)
{
    buffer_printf(out,
                  "  <guest>\n"
                  "    <os_type>%s</os_type>\n"
                  "    <arch name='i686'>\n"
                  "      <wordsize>32</wordsize>\n"
                  "      <emulator>/usr/bin/test-hv</emulator>\n"
                  "      <domain type='test'/>\n"
                  "    </arch>\n"
                  "    <features>\n"
                  "      <pae/>\n"
                  "      <nonpae/>\n"
                  "    </features>\n"
                  "  </guest>\n\n",
                  os_type);
}

void test_capabilities(struct buffer *out, struct error *err)
{
    (void)err;
    buffer_puts(out, "<capabilities>\n\n"
                     "  <host>\n"
                     "    <cpu>\n"
                     "      <arch>i686</arch>\n"
                     "      <features>\n"
                     "        <pae/>\n"
                     "        <nonpae/>\n"
                     "      </features>\n"
                     "      <pages unit='KiB' size='4'/>\n"
                     "      <pages unit='KiB' size='8'/>\n"
                     "      <pages unit='KiB' size='2048'/>\n"
                     "      <pages unit='KiB' size='1048576'/>\n"
                     "    </cpu>\n"
                     "    <power_management/>\n"
                     "    <iommu support='no'/>\n"
                     "    <topology>\n"
                     "      <cells num='2'>\n");
    for (unsigned cell = 0; cell < CELLS; cell++)
        put_cell(out, cell);
    buffer_puts(out, "      </cells>\n"
                     "    </topology>\n"
                     "    <secmodel>\n"
                     "      <model>testSecurity</model>\n"
                     "      <doi></doi>\n"
                     "    </secmodel>\n"
                     "  </host>\n\n");
    put_guest(out, "hvm");
    put_guest(out, "xen");
    buffer_puts(out, "</capabilities>\n");
}

// ---- the node -----------------------------------------------------------------------------------

static bool node_info_of_test(struct node_info *to, struct error *err)
{
    (void)err;
    *to = (struct node_info){.model = "i686",
                             .memory_kib = 3 * 1024 * 1024,
                             .cpus = TEST_CPUS,
                             .mhz = 1400,
                             .nodes = CELLS,
                             .sockets = 2,
                             .cores = 2,
                             .threads = 2};
    return true;
}

static int cpu_map(struct port_cpuset *online, struct error *err)
{
    (void)err;
    *online = (struct port_cpuset){{0x15}};
    return 8;
}

static bool cpu_stats(int cpu, struct node_stat stats[NODE_CPU_STATS], struct error *err)
{
    (void)cpu, (void)err;
    stats[0] = (struct node_stat){"user", UINT64_C(9797400000)};
    stats[1] = (struct node_stat){"kernel", UINT64_C(34678723400000)};
    stats[2] = (struct node_stat){"idle", UINT64_C(87264900000)};
    stats[3] = (struct node_stat){"iowait", UINT64_C(763600000)};
    return true;
}

static bool free_memory(uint64_t *bytes, struct error *err)
{
    (void)err;
    *bytes = 0;
    for (unsigned cell = 0; cell < CELLS; cell++)
        *bytes += (cell + 1) * UINT64_C(1024) * 1024;
    return true;
}

static int cells_free_memory(int first, int max, uint64_t *to, struct error *err)
{
    int count = 0;
    if (first >= CELLS) {
        error_set(err, VIR_FROM_TEST, VIR_ERR_INVALID_ARG, "Range exceeds available cells");
        return -1;
    }
    for (int cell = first; cell < CELLS && count < max; cell++)
        to[count++] = (uint64_t)(cell + 1) * 2048 * 1024;
    return count;
}

static int free_pages(const uint32_t *sizes, size_t size_count, int first, unsigned cells,
                      uint64_t *to, struct error *err)
{
    uint32_t x = 6;
    (void)sizes, (void)first, (void)err;
    for (size_t i = 0; i < cells * size_count; i++) {
        x = x * 2 + 7;
        to[i] = x;
    }
    return (int)(cells * size_count);
}

static bool sysinfo(struct buffer *out, struct error *err)
{
    (void)err;
    buffer_puts(out, "<sysinfo type='smbios'>\n"
                     "  <bios>\n"
                     "    <entry name='vendor'>LENOVO</entry>\n"
                     "    <entry name='version'>G4ETA1WW (2.61 )</entry>\n"
                     "    <entry name='date'>05/07/2014</entry>\n"
                     "    <entry name='release'>2.61</entry>\n"
                     "  </bios>\n"
                     "</sysinfo>\n");
    return true;
}

const struct node_view test_node = {
    .info = node_info_of_test,
    .cpu_map = cpu_map,
    .cpu_stats = cpu_stats,
    .free_memory = free_memory,
    .cells_free_memory = cells_free_memory,
    .free_pages = free_pages,
    .sysinfo = sysinfo,
    .security_model = "testSecurity",
    .security_doi = "",
};
