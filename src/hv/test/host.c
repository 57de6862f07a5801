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
