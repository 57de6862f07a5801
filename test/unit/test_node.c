// The node as it is shown to clients, over made-up hosts in a directory of their own.
#define _GNU_SOURCE
#include "text/xml.h"
#include "virt/node/node.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static char root[64];
static char text[1 << 20];

__attribute__((format(printf, 2, 3))) static void file(const char *content, const char *format, ...)
{
    char name[256], path[512];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    snprintf(path, sizeof(path), "%s/%s", root, name);
    *strrchr(path, '/') = '\0';
    assert_int_equal(port_make_directories(path, 0700), 0);
    path[strlen(path)] = '/';
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
}

static int clean(void **state)
{
    (void)state;
    char command[128];
    port_host_root(NULL);
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return root[0] ? system(command) : 0;
}

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/nanovirt-node-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    port_host_root(root);
    return 0;
}

static void make_cpu(unsigned cpu, int socket, unsigned core, const char *siblings)
{
    char value[16];
    snprintf(value, sizeof(value), "%d\n", socket);
    file(value, "sys/devices/system/cpu/cpu%u/topology/physical_package_id", cpu);
    file("-1\n", "sys/devices/system/cpu/cpu%u/topology/die_id", cpu);
    snprintf(value, sizeof(value), "%u\n", core);
    file(value, "sys/devices/system/cpu/cpu%u/topology/core_id", cpu);
    file(siblings, "sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", cpu);
}

static void make_cache(unsigned cpu, unsigned index, const char *id, const char *level,
                       const char *type, const char *size, const char *cpus)
{
    file(id, "sys/devices/system/cpu/cpu%u/cache/index%u/id", cpu, index);
    file(level, "sys/devices/system/cpu/cpu%u/cache/index%u/level", cpu, index);
    file(type, "sys/devices/system/cpu/cpu%u/cache/index%u/type", cpu, index);
    file(size, "sys/devices/system/cpu/cpu%u/cache/index%u/size", cpu, index);
    file(cpus, "sys/devices/system/cpu/cpu%u/cache/index%u/shared_cpu_list", cpu, index);
}

static void make_memory(void)
{
    file("MemTotal:       16000000 kB\nMemFree:         4000000 kB\nMemAvailable:    9000000 kB\n"
         "Buffers:           20000 kB\nCached:          3000000 kB\nSwapCached:            1 kB\n",
         "proc/meminfo");
}

static void make_cell(unsigned cell, const char *total, const char *distance, const char *pages)
{
    char lines[256];
    snprintf(lines, sizeof(lines),
             "\nNode %u MemTotal:        %s kB\nNode %u MemFree:         1000000 kB\n"
             "Node %u MemUsed:         7000000 kB\n",
             cell, total, cell, cell);
    file(lines, "sys/devices/system/node/node%u/meminfo", cell);
    file(distance, "sys/devices/system/node/node%u/distance", cell);
    file(pages, "sys/devices/system/node/node%u/hugepages/hugepages-2048kB/nr_hugepages", cell);
    file("1\n", "sys/devices/system/node/node%u/hugepages/hugepages-2048kB/free_hugepages", cell);
}

// Two cells (0 and 2) with a socket each, two cores of two threads; processor 7 is offline.
static void make_big_host(void)
{
    file("0-7\n", "sys/devices/system/cpu/present");
    file("0-6\n", "sys/devices/system/cpu/online");
    file("0,2\n", "sys/devices/system/node/online");
    for (unsigned cpu = 0; cpu < 8; cpu++) {
        char siblings[16];
        unsigned first = cpu & ~1U;
        snprintf(siblings, sizeof(siblings), first == 6 ? "6\n" : "%u-%u\n", first, first + 1);
        if (cpu != 7)
            make_cpu(cpu, (int)(cpu / 4), cpu / 2 % 2 * 8, siblings);
        file("", "sys/devices/system/node/node%u/cpu%u/uevent", cpu / 4 * 2, cpu);
        make_cache(cpu, 0, "0\n", "1\n", "Data\n", "32K\n", siblings);
        make_cache(cpu, 3, cpu < 4 ? "0\n" : "1\n", "3\n", "Unified\n", "33792K\n",
                   cpu < 4 ? "0-3\n" : "4-6\n");
    }
    file("x", "sys/devices/system/node/node0/cpumap");
    make_memory();
    make_cell(0, "8000000", "10 21\n", "100\n");
    make_cell(2, "8192000", "21 10\n", "0\n");
    file("100\n", "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
    file("2\n", "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    file("processor\t: 0\ncpu MHz\t\t: 1200.5\n\nprocessor\t: 1\ncpu MHz\t\t: 2100.75\n",
         "proc/cpuinfo");
    file("12345678-9ABC-4def-8123-0123456789ab\n", "sys/class/dmi/id/product_uuid");
    file("", "sys/kernel/iommu_groups/0/type");
}

// A small board: no NUMA, no caches described, four processors.
static void make_small_host(void)
{
    file("0-3\n", "sys/devices/system/cpu/present");
    file("0-3\n", "sys/devices/system/cpu/online");
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        char siblings[16];
        snprintf(siblings, sizeof(siblings), "%u\n", cpu);
        make_cpu(cpu, -1, cpu, siblings);
    }
    file("", "sys/devices/system/cpu/cpufreq/policy");
    make_memory();
}

static void a_host_of_equal_cells_is_counted_by_its_topology(void **state)
{
    (void)state;
    struct node_info info;
    struct error err = {0};
    make_big_host();
    file("0-7\n", "sys/devices/system/cpu/online");
    make_cpu(6, 1, 8, "6-7\n");
    make_cpu(7, 1, 8, "6-7\n");
    assert_true(node_info(&info, &err));
    assert_int_equal(info.memory_kib, 16192000); // of the cells, not of /proc/meminfo
    assert_int_equal(info.cpus, 8);
    assert_int_equal(info.mhz, 2100);
    assert_int_equal(info.nodes, 2);
    assert_int_equal(info.sockets, 1);
    assert_int_equal(info.cores, 2);
    assert_int_equal(info.threads, 2);
}

static void an_offline_processor_counts_in_the_topology_only(void **state)
{
    (void)state;
    struct node_info info;
    struct error err = {0};
    make_big_host();
    assert_true(node_info(&info, &err));
    assert_int_equal(info.cpus, 7);
    assert_int_equal(info.nodes * info.sockets * info.cores * info.threads, 8);
    struct port_cpuset online;
    assert_int_equal(node_cpu_map(&online, &err), 8);
    assert_int_equal(port_cpuset_count(&online), 7);
    assert_false(port_cpuset_has(&online, 7));
}

static void uneven_cells_are_told_as_one_socket(void **state)
{
    (void)state;
    struct node_info info;
    struct error err = {0};
    make_big_host();
    make_cpu(3, 0, 77, "3\n"); // a third core in one of the sockets
    assert_true(node_info(&info, &err));
    assert_int_equal(info.nodes, 1);
    assert_int_equal(info.sockets, 1);
    assert_int_equal(info.cores, 8);
    assert_int_equal(info.threads, 1);
}

static void a_host_without_numa_is_one_cell(void **state)
{
    (void)state;
    struct node_info info;
    struct node_stat stats[NODE_MEMORY_STATS];
    struct error err = {0};
    uint64_t bytes[4];
    make_small_host();
    assert_true(node_info(&info, &err));
    assert_int_equal(info.memory_kib, 16000000);
    assert_int_equal(info.cpus, 4);
    assert_int_equal(info.mhz, 0);
    assert_int_equal(info.nodes, 1);
    assert_int_equal(info.sockets, 1);
    assert_int_equal(info.cores, 4);
    assert_int_equal(node_memory_stats(0, stats, &err), 4);
    assert_int_equal(node_memory_stats(1, stats, &err), -1);
    error_clear(&err);
    assert_int_equal(node_cells_free_memory(0, 4, bytes, &err), 1);
    assert_int_equal(bytes[0], UINT64_C(4000000) * 1024);
    uint32_t size = 4;
    assert_int_equal(node_free_pages(&size, 1, 0, 1, bytes, &err), 1);
    assert_int_equal(bytes[0], 1000000);
}

static void processor_times_are_told_in_nanoseconds(void **state)
{
    (void)state;
    struct node_stat stats[NODE_CPU_STATS];
    struct error err = {0};
    file("cpu  10 20 30 40 50 60 70 80 90 100\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu10 1 1 1 1\nintr 1\n",
         "proc/stat");
    assert_true(node_cpu_stats(-1, stats, &err));
    assert_string_equal(stats[0].field, "kernel");
    assert_int_equal(stats[0].value, 1600000000);
    assert_string_equal(stats[1].field, "user");
    assert_int_equal(stats[1].value, 300000000);
    assert_string_equal(stats[2].field, "idle");
    assert_int_equal(stats[2].value, 400000000);
    assert_string_equal(stats[3].field, "iowait");
    assert_int_equal(stats[3].value, 500000000);
    assert_true(node_cpu_stats(0, stats, &err));
    assert_int_equal(stats[0].value, 160000000);
    assert_true(node_cpu_stats(10, stats, &err));
    assert_int_equal(stats[3].value, 0);
    assert_false(node_cpu_stats(1, stats, &err));
    assert_int_equal(err.code, VIR_ERR_INVALID_ARG);
}

static void memory_is_told_of_all_or_of_one_cell(void **state)
{
    (void)state;
    struct node_stat stats[NODE_MEMORY_STATS];
    struct error err = {0};
    uint64_t bytes[8];
    make_big_host();
    assert_int_equal(node_memory_stats(-1, stats, &err), 4);
    assert_string_equal(stats[3].field, "cached");
    assert_int_equal(stats[3].value, 3000000);
    assert_int_equal(node_memory_stats(2, stats, &err), 2);
    assert_string_equal(stats[0].field, "total");
    assert_int_equal(stats[0].value, 8192000);
    assert_int_equal(node_memory_stats(3, stats, &err), -1);
    assert_string_equal(err.message, "cellNum in virHostMemGetStats must be less "
                                     "than or equal to 2");
    error_clear(&err);
    assert_int_equal(node_cells_free_memory(0, 8, bytes, &err), 3);
    assert_int_equal(bytes[1], 0); // no such cell in between
    assert_int_equal(bytes[2], UINT64_C(1000000) * 1024);
    assert_int_equal(node_cells_free_memory(3, 1, bytes, &err), -1);
    assert_string_equal(err.message, "internal error: start cell 3 out of range (0-2)");
}

static void free_pages_are_told_by_cell_and_size(void **state)
{
    (void)state;
    struct error err = {0};
    const uint32_t sizes[2] = {2048, 4}, wrong = 8;
    uint64_t counts[8];
    make_big_host();
    assert_int_equal(node_free_pages(sizes, 2, 2, 100, counts, &err), 2);
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[1], 250000);
    assert_int_equal(node_free_pages(sizes, 2, -1, 1, counts, &err), 2);
    assert_int_equal(counts[0], 2);
    assert_int_equal(node_free_pages(&wrong, 1, 0, 1, counts, &err), -1);
    assert_string_equal(err.message, "operation failed: page size 8 is not available on node 0");
    error_clear(&err);
    assert_int_equal(node_free_pages(sizes, 1, 1, 1, counts, &err), -1);
    assert_string_equal(err.message, "operation failed: NUMA node 1 is not available");
}

static void huge_pages_are_allocated(void **state)
{
    (void)state;
    struct error err = {0};
    const uint32_t sizes[2] = {2048, 4};
    const uint64_t counts[2] = {7, 7};
    uint64_t free_count;
    make_big_host();
    assert_int_equal(node_allocate_pages(sizes, counts, 1, 0, 1, true, &err), 1);
    struct port_pages pages[PORT_PAGES_MAX];
    assert_int_equal(port_pages(0, pages), 2);
    assert_int_equal(pages[1].total, 107);
    assert_int_equal(pages[0].total, (8000000 - 107 * 2048) / 4);
    assert_int_equal(node_allocate_pages(sizes, counts, 1, 0, 1, false, &err), 1);
    assert_int_equal(port_pages(0, pages), 2);
    assert_int_equal(pages[1].total, 7);
    assert_int_equal(node_allocate_pages(sizes + 1, counts, 1, 0, 1, false, &err), -1);
    assert_int_equal(err.code, VIR_ERR_OPERATION_UNSUPPORTED);
    assert_int_equal(node_free_pages(sizes, 1, 0, 1, &free_count, &err), 1);
}

static const char *host_part(const struct node_security *security)
{
    struct buffer out = buffer_over(text, sizeof(text));
    struct error err = {0};
    assert_true(node_capabilities_host(&out, security, &err));
    assert_true(buffer_ok(&out));
    return text;
}

static void assert_contains(const char *whole, const char *part)
{
    if (!strstr(whole, part))
        fail_msg("not found:\n%s\nin:\n%s", part, whole);
}

static void capabilities_show_cells_caches_and_labels(void **state)
{
    (void)state;
    const struct node_security security = {true, 107, 108};
    make_big_host();
    const char *host = host_part(&security);
    assert_contains(host, "    <iommu support='yes'/>\n");
    assert_contains(host, "      <pages unit='KiB' size='4'/>\n"
                          "      <pages unit='KiB' size='2048'/>\n"
                          "    </cpu>\n");
    assert_contains(
        host, "    <topology>\n"
              "      <cells num='2'>\n"
              "        <cell id='0'>\n"
              "          <memory unit='KiB'>8000000</memory>\n"
              "          <pages unit='KiB' size='4'>1948800</pages>\n"
              "          <pages unit='KiB' size='2048'>100</pages>\n"
              "          <distances>\n"
              "            <sibling id='0' value='10'/>\n"
              "            <sibling id='2' value='21'/>\n"
              "          </distances>\n"
              "          <cpus num='4'>\n"
              "            <cpu id='0' socket_id='0' die_id='0' core_id='0' siblings='0-1'/>\n");
    assert_contains(
        host, "          <cpus num='3'>\n"
              "            <cpu id='4' socket_id='1' die_id='0' core_id='0' siblings='4-5'/>\n"
              "            <cpu id='5' socket_id='1' die_id='0' core_id='0' siblings='4-5'/>\n"
              "            <cpu id='6' socket_id='1' die_id='0' core_id='8' siblings='6'/>\n"
              "          </cpus>\n"
              "        </cell>\n"
              "      </cells>\n"
              "    </topology>\n"
              "    <cache>\n"
              "      <bank id='0' level='3' type='both' size='33' unit='MiB' cpus='0-3'/>\n"
              "      <bank id='1' level='3' type='both' size='33' unit='MiB' cpus='4-6'/>\n"
              "    </cache>\n");
    assert_contains(host, "      <baselabel type='kvm'>+107:+108</baselabel>\n"
                          "      <baselabel type='qemu'>+107:+108</baselabel>\n"
                          "    </secmodel>\n"
                          "  </host>\n\n");
    static struct xml_doc doc;
    struct error err = {0};
    assert_true(xml_parse(&doc, slice_of(host), "(capabilities)", &err));
}

static void capabilities_of_a_small_board_have_one_cell(void **state)
{
    (void)state;
    const struct node_security security = {false, 0, 0};
    make_small_host();
    const char *host = host_part(&security);
    assert_contains(
        host, "      <cells num='1'>\n"
              "        <cell id='0'>\n"
              "          <memory unit='KiB'>16000000</memory>\n"
              "          <cpus num='4'>\n"
              "            <cpu id='0' socket_id='0' die_id='0' core_id='0' siblings='0'/>\n");
    assert_contains(host, "    </topology>\n    <secmodel>\n"); // no caches
    assert_contains(host, "    <iommu support='no'/>\n");
    assert_null(strstr(host, "dac"));
}

static void a_board_without_firmware_tables_shows_its_processors(void **state)
{
    (void)state;
    struct buffer out = buffer_over(text, sizeof(text));
    make_small_host();
    node_sysinfo_of_processors(&out); // it says nothing about its processors
    assert_string_equal(text, "<sysinfo type='smbios'/>\n");
    file("processor\t: 0\nmodel name\t: ARMv7 <rev> 4 (v7l)\n\nprocessor\t: 2\n", "proc/cpuinfo");
    file("0,2\n", "sys/devices/system/cpu/online");
    out = buffer_over(text, sizeof(text));
    node_sysinfo_of_processors(&out);
    assert_string_equal(text, "<sysinfo type='smbios'>\n"
                              "  <processor>\n"
                              "    <entry name='socket_destination'>0</entry>\n"
                              "    <entry name='type'>ARMv7 &lt;rev&gt; 4 (v7l)</entry>\n"
                              "  </processor>\n"
                              "  <processor>\n"
                              "    <entry name='socket_destination'>2</entry>\n"
                              "    <entry name='type'>ARMv7 &lt;rev&gt; 4 (v7l)</entry>\n"
                              "  </processor>\n"
                              "</sysinfo>\n");
}

static void sets_are_written_as_ranges(void **state)
{
    (void)state;
    struct port_cpuset set = {{0}};
    struct buffer out = buffer_over(text, sizeof(text));
    node_put_cpuset(&out, &set);
    assert_string_equal(text, "");
    const unsigned members[] = {0, 1, 2, 4, 7, 8, CONFIG_HOST_CPUS - 1};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        port_cpuset_add(&set, members[i]);
    port_cpuset_add(&set, CONFIG_HOST_CPUS); // beyond what is seen
    node_put_cpuset(&out, &set);
    char expected[64];
    snprintf(expected, sizeof(expected), "0-2,4,7-8,%d", CONFIG_HOST_CPUS - 1);
    assert_string_equal(text, expected);
    assert_int_equal(port_cpuset_count(&set), 7);
}

static void the_host_is_known_by_the_uuid_that_was_set(void **state)
{
    (void)state;
    uint8_t uuid[16] = {1, 2, 3}, got[16];
    node_choose_host_uuid("01020300-0000-0000-0000-000000000000", false);
    node_host_uuid(got);
    assert_memory_equal(uuid, got, 16);
}

static void model_names_depend_on_the_architecture(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(node_cpu_models(SLICE("x86_64"), VIR_FROM_QEMU, &err), 58);
    assert_string_equal(node_cpu_model_name(SLICE("x86_64"), 0), "486");
    assert_string_equal(node_cpu_model_name(SLICE("i686"), 57), "Dhyana");
    assert_null(node_cpu_model_name(SLICE("x86_64"), 58));
    assert_int_equal(node_cpu_models(SLICE("ppc64le"), VIR_FROM_QEMU, &err), 7);
    assert_string_equal(node_cpu_model_name(SLICE("ppc64"), 4), "POWER10");
    assert_int_equal(node_cpu_models(SLICE("aarch64"), VIR_FROM_QEMU, &err), 0); // any
    assert_false(error_is_set(&err));
    assert_int_equal(node_cpu_models(SLICE("riscv64"), VIR_FROM_QEMU, &err), -1);
    assert_string_equal(err.message, "this function is not supported by the connection driver: "
                                     "'riscv64' architecture is not supported by CPU driver");
    error_clear(&err);
    assert_int_equal(node_cpu_models(SLICE("pdp11"), VIR_FROM_QEMU, &err), -1);
    assert_string_equal(err.message, "invalid argument: cannot find architecture pdp11");
}

#define MOUNT_NAMED   "cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n"
#define MOUNT_UNIFIED "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"

static void only_control_groups_that_limit_count(void **state)
{
    (void)state;
    assert_false(port_has_cgroups());
    file("proc /proc proc rw 0 0\n" MOUNT_NAMED, "proc/mounts");
    assert_false(port_has_cgroups());
    file(MOUNT_NAMED "none /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n", "proc/mounts");
    assert_true(port_has_cgroups());
    file("proc /proc proc rw 0 0\n" MOUNT_UNIFIED, "proc/mounts");
    assert_false(port_has_cgroups());
    file("\n", "sys/fs/cgroup/cgroup.controllers");
    assert_false(port_has_cgroups());
    file("cpuset cpu io memory pids\n", "sys/fs/cgroup/cgroup.controllers");
    assert_true(port_has_cgroups());
}

static void this_host_is_described_consistently(void **state)
{
    (void)state;
    struct node_info info;
    struct error err = {0};
    struct node_stat stats[NODE_CPU_STATS];
    port_host_root(NULL);
    assert_true(node_info(&info, &err));
    assert_true(info.cpus > 0 && info.memory_kib > 0);
    assert_true(info.nodes * info.sockets * info.cores * info.threads >= info.cpus);
    assert_true(node_cpu_stats(-1, stats, &err));
    assert_true(stats[2].value > 0);
    const struct node_security security = {false, 0, 0};
    assert_contains(host_part(&security), info.model);
}

#define NODE_TEST(name) cmocka_unit_test_setup_teardown(name, make_root, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(only_control_groups_that_limit_count),
        NODE_TEST(a_host_of_equal_cells_is_counted_by_its_topology),
        NODE_TEST(an_offline_processor_counts_in_the_topology_only),
        NODE_TEST(uneven_cells_are_told_as_one_socket),
        NODE_TEST(a_host_without_numa_is_one_cell),
        NODE_TEST(processor_times_are_told_in_nanoseconds),
        NODE_TEST(memory_is_told_of_all_or_of_one_cell),
        NODE_TEST(free_pages_are_told_by_cell_and_size),
        NODE_TEST(huge_pages_are_allocated),
        NODE_TEST(capabilities_show_cells_caches_and_labels),
        NODE_TEST(capabilities_of_a_small_board_have_one_cell),
        NODE_TEST(a_board_without_firmware_tables_shows_its_processors),
        NODE_TEST(sets_are_written_as_ranges),
        NODE_TEST(the_host_is_known_by_the_uuid_that_was_set),
        NODE_TEST(model_names_depend_on_the_architecture),
        NODE_TEST(this_host_is_described_consistently),
    };
    return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
