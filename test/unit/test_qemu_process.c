// Guests over scripted monitors: what QEMU's events and its end do to the rows, the status file and
// the process. The emulator's process is a sleep(1).
#include "core/child.h"
#include "core/paths.h"
#include "hv/qemu/driver.h"
#include "hv/qemu/guest/events.h"
#include "hv/qemu/guest/process.h"
#include "virt/domain/definition.h"
#include "virt/xml/domain_xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIVE                                                                                       \
    "<domain type='qemu' id='7'><name>demo</name>"                                                 \
    "<uuid>11111111-2222-3333-4444-555555555555</uuid>"                                            \
    "<memory unit='KiB'>65536</memory><currentMemory unit='KiB'>65536</currentMemory>"             \
    "<vcpu>1</vcpu><on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>"               \
    "<on_crash>%s</on_crash><devices>"                                                             \
    "<disk type='file' device='disk'><source file='/a.img' index='1'/><target dev='vda'/>"         \
    "<alias name='virtio-disk0'/></disk>"                                                          \
    "<channel type='unix'><source mode='bind' path='/nowhere/agent.sock'/>"                        \
    "<target type='virtio' name='org.qemu.guest_agent.0'/><alias name='channel0'/></channel>"      \
    "<memballoon model='virtio'><alias name='balloon0'/></memballoon></devices></domain>"

static char root[64];
static struct domain *domain;
static struct guest *guest;
static int emulator; // the emulator's end of the monitor
static int sleeper;  // its pid

static const uint8_t uuid[16] = {0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33,
                                 0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55};

static void turns(unsigned count)
{
    while (count--) {
        child_reap();
        loop_turn((int64_t)NS_PER_MS);
    }
}

static void say(const char *text)
{
    assert_int_equal(port_write(emulator, text, strlen(text)), strlen(text));
    turns(3);
}

static const char *heard(void)
{
    static char text[4096];
    ptrdiff_t got = port_read(emulator, text, sizeof(text) - 1);
    text[got > 0 ? got : 0] = '\0';
    return text;
}

// Waits for a command and answers it with an empty object.
static void expect(const char *command)
{
    const char *text = "";
    for (unsigned i = 0; i < 1000 && !text[0]; i++) {
        turns(1);
        text = heard();
    }
    if (!strstr(text, command))
        fail_msg("'%s' was wanted, '%s' came", command, text);
    const char *id = strstr(text, "\"id\":\"");
    assert_non_null(id);
    char answer[128];
    snprintf(answer, sizeof(answer), "{\"return\": {}, %.*s}\r\n", (int)strcspn(id, "}"), id);
    say(answer);
}

static bool file_exists(const char *name)
{
    char path[256];
    struct port_stat stat;
    snprintf(path, sizeof(path), "%s/%s", root, name);
    return port_stat(path, &stat) == 0;
}

static void start_sleeper(void)
{
    const char *const argv[] = {"/bin/sleep", "1000", NULL};
    struct port_spawn how = {.argv = argv, .in = -1, .out = -1, .err = -1, .session = true};
    struct error err = {0};
    assert_true(child_start(&guest->child, &how, NULL, &err));
    sleeper = guest->pid = guest->child.pid;
    assert_int_equal(port_process_start(guest->pid, &guest->start), 0);
}

static int begin_with(const char *on_crash)
{
    static char text[4096];
    struct error err = {0};
    int ends[2];
    snprintf(text, sizeof(text), LIVE, on_crash);
    domain = domain_add(&qemu_hypervisor, uuid, SLICE("demo"), &err);
    assert_non_null(domain);
    domain_show(domain);
    domain->persistent = true;
    domain->id = 7;
    domain_set_state(domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
    guest = guest_add(domain, &err);
    assert_non_null(guest);
    assert_true(xml_parse(definition_scratch(), slice_of(text), "test", &err));
    guest_learn(guest, definition_scratch()->root);
    start_sleeper();
    assert_true(definition_write_live(domain, definition_scratch()->root, &err));
    assert_int_equal(port_socket_pair(ends), 0);
    emulator = ends[1];
    monitor_start(&guest->monitor, ends[0], &process_monitor_owner, domain->name);
    say("{\"QMP\": {}}\r\n");
    return 0;
}

static int begin(void **state)
{
    (void)state;
    return begin_with("destroy");
}

static int end(void **state)
{
    (void)state;
    if (guest_of(domain)) {
        port_kill(sleeper, PORT_KILL_KILL);
        guest->pid = 0;
        process_stop(guest, VIR_DOMAIN_SHUTOFF_DESTROYED);
    }
    turns(20);
    port_close(emulator);
    domain_remove(domain);
    domain_unref(domain);
    return 0;
}

static void assert_state(int state, int reason)
{
    assert_int_equal(domain->state, state);
    assert_int_equal(domain->reason, reason);
}

static void wait_for_shutoff(void)
{
    for (unsigned i = 0; i < 3000 && domain->state != VIR_DOMAIN_SHUTOFF; i++)
        turns(1);
    assert_int_equal(domain->state, VIR_DOMAIN_SHUTOFF);
    assert_int_equal(domain->id, -1);
    assert_null(guest_of(domain));
    assert_false(file_exists("state/demo.xml"));
}

// ---- claims

static void stop_and_resume_change_the_state_with_the_reason_of_who_asked(void **state)
{
    (void)state;
    guest->paused_reason = VIR_DOMAIN_PAUSED_USER;
    say("{\"event\": \"STOP\"}\r\n");
    assert_state(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
    say("{\"event\": \"RESUME\"}\r\n");
    assert_state(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
    say("{\"event\": \"STOP\"}\r\n");
    assert_state(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN);
}

static void a_shutdown_ends_the_emulator_and_is_no_crash(void **state)
{
    (void)state;
    say("{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true}}\r\n");
    assert_state(VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_UNKNOWN);
    for (unsigned i = 0; i < 1000 && !guest->child.ended; i++)
        turns(1);
    assert_true(guest->child.ended); // by our SIGTERM
    port_close(emulator);
    emulator = -1;
    wait_for_shutoff();
    assert_int_equal(domain->reason, VIR_DOMAIN_SHUTOFF_SHUTDOWN);
}

static void an_end_without_a_shutdown_is_a_crash(void **state)
{
    (void)state;
    port_kill(sleeper, PORT_KILL_KILL);
    port_close(emulator);
    emulator = -1;
    wait_for_shutoff();
    assert_int_equal(domain->reason, VIR_DOMAIN_SHUTOFF_CRASHED);
}

static void a_transient_domain_is_gone_after_its_end(void **state)
{
    (void)state;
    domain->persistent = false;
    port_kill(sleeper, PORT_KILL_KILL);
    port_close(emulator);
    emulator = -1;
    wait_for_shutoff();
    assert_true(domain->removed);
    assert_null(domain_by_name(&qemu_hypervisor, SLICE("demo")));
}

static void a_fake_reboot_resets_and_goes_on_and_nobody_sees_a_shutdown(void **state)
{
    (void)state;
    guest->fake_reboot = true;
    say("{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true}}\r\n{\"event\": \"STOP\"}\r\n");
    assert_state(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
    expect("system_reset");
    expect("cont");
    say("{\"event\": \"RESUME\"}\r\n");
    turns(5);
    assert_state(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
    assert_false(guest->fake_reboot);
    assert_false(guest->paused_shutdown);
    assert_true(port_process_alive(sleeper, 0));
}

static unsigned flow_runs;

// As a command does that finds the monitor's socket closed: it wakes its task, and fails at once.
static void wake_and_end(struct task *task)
{
    flow_runs++;
    task_wake(task);
    guest_flow_end(GUEST_FLOW_OF(task));
}

static void a_flow_that_was_woken_before_its_end_does_not_begin_anew(void **state)
{
    (void)state;
    flow_runs = 0;
    guest_flow_begin(guest, &guest->flow, wake_and_end);
    turns(3);
    assert_int_equal(flow_runs, 1);
}

static void a_panic_destroys_when_the_definition_says_so(void **state)
{
    (void)state;
    say("{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"pause\"}}\r\n");
    wait_for_shutoff();
    assert_int_equal(domain->reason, VIR_DOMAIN_SHUTOFF_CRASHED);
}

static void a_panicked_guest_is_preserved_when_the_definition_says_so(void **state)
{
    (void)state;
    end(state);
    begin_with("preserve");
    say("{\"event\": \"GUEST_PANICKED\"}\r\n{\"event\": \"STOP\"}\r\n");
    turns(10);
    assert_state(VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
    assert_true(port_process_alive(sleeper, 0));
}

static void a_panicked_guest_is_reset_when_the_definition_says_so(void **state)
{
    (void)state;
    end(state);
    begin_with("restart");
    say("{\"event\": \"GUEST_PANICKED\"}\r\n");
    expect("system_reset");
    expect("cont");
    say("{\"event\": \"RESUME\"}\r\n");
    turns(5);
    assert_state(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_CRASHED);
}

static void the_agents_port_is_followed(void **state)
{
    struct error err = {0};
    (void)state;
    say("{\"event\": \"VSERPORT_CHANGE\", \"data\": {\"id\": \"channel0\", \"open\": true}}\r\n");
    assert_true(guest->agent_connected);
    assert_true(guest->agent_error); // nobody listens at that path
    const struct xml_node *tree = definition_tree(domain, DEFINITION_LIVE, &err);
    assert_true(slice_is(xml_attr_at(tree, "devices/channel/target", "state"), "connected"));
    say("{\"event\": \"VSERPORT_CHANGE\", \"data\": {\"id\": \"channel0\", \"open\": false}}\r\n");
    assert_false(guest->agent_connected);
    assert_false(guest->agent_error);
}

static void the_balloon_is_the_current_memory(void **state)
{
    struct error err = {0};
    (void)state;
    say("{\"event\": \"BALLOON_CHANGE\", \"data\": {\"actual\": 33554432}}\r\n");
    const struct xml_node *tree = definition_tree(domain, DEFINITION_LIVE, &err);
    assert_true(slice_is(xml_text_at(tree, "currentMemory"), "32768"));
}

static void an_io_error_that_stops_the_guest_is_its_reason(void **state)
{
    (void)state;
    say("{\"event\": \"BLOCK_IO_ERROR\", \"data\": {\"device\": \"\", \"node-name\": "
        "\"libvirt-1-format\", \"action\": \"stop\", \"nospace\": true}}\r\n");
    assert_state(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
}

static void events_without_or_with_wrong_data_do_no_harm(void **state)
{
    static const char *const names[] = {"BALLOON_CHANGE",
                                        "BLOCK_IO_ERROR",
                                        "DEVICE_DELETED",
                                        "DEVICE_TRAY_MOVED",
                                        "DEVICE_UNPLUG_GUEST_ERROR",
                                        "GUEST_CRASHLOADED",
                                        "RESET",
                                        "RTC_CHANGE",
                                        "SPICE_CONNECTED",
                                        "VNC_CONNECTED",
                                        "VNC_INITIALIZED",
                                        "VNC_DISCONNECTED",
                                        "VSERPORT_CHANGE",
                                        "WAKEUP",
                                        "WATCHDOG",
                                        "UNHEARD_OF",
                                        ""};
    static const char *const data[] = {
        "",
        ", \"data\": null",
        ", \"data\": []",
        ", \"data\": {}",
        ", \"data\": 7",
        (", \"data\": {\"id\": 3, \"open\": \"x\", \"actual\": -1, \"offset\": 1e99, \"device\": "
         "{},"
         " \"server\": [], \"client\": 1, \"action\": \"\\u0000\", \"node-name\": \"libvirt-\"}"),
        ", \"timestamp\": {\"seconds\": \"x\", \"microseconds\": -9}"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (size_t j = 0; j < sizeof(data) / sizeof(data[0]); j++) {
            char line[512];
            snprintf(line, sizeof(line), "{\"event\": \"%s\"%s}\r\n", names[i], data[j]);
            say(line);
        }
    }
    assert_int_equal(guest->monitor.phase, MONITOR_READY);
    assert_state(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
}

static void a_status_file_tells_a_new_daemon_who_the_emulator_is(void **state)
{
    struct error err = {0};
    struct guest other;
    (void)state;
    memset(&other, 0, sizeof(other));
    guest->fake_reboot = true;
    guest->balloon_kib = 40000;
    guest_save(guest, NULL);
    const struct xml_node *tree = definition_tree(domain, DEFINITION_LIVE, &err);
    assert_true(guest_read_status(&other, definition_wrapper(), tree));
    assert_int_equal(other.pid, guest->pid);
    assert_int_equal(other.start, guest->start);
    assert_int_equal(other.balloon_kib, 40000);
    assert_true(other.fake_reboot);
    assert_true(other.agent_configured);
}

static void the_log_tells_of_the_end(void **state)
{
    char text[4096], path[256];
    (void)state;
    port_kill(sleeper, PORT_KILL_KILL);
    port_close(emulator);
    emulator = -1;
    wait_for_shutoff();
    snprintf(path, sizeof(path), "%s/log/demo.log", root);
    assert_true(port_file_read(path, text, sizeof(text)) > 0);
    assert_non_null(strstr(text, "+0000: shutting down, reason=crashed\n"));
}

static void the_tail_of_a_log_begins_with_a_whole_line(void **state)
{
    char tail[64];
    (void)state;
    uint64_t offset = process_log_size(domain);
    process_log_write(domain, SLICE("char device redirected to /dev/pts/1 (label x)\n"));
    process_log_write(domain, SLICE("an early line that does not fit into the tail any more\n"));
    process_log_write(domain, SLICE("qemu: first\nqemu: last\n"));
    struct slice text = process_log_tail(domain, offset, tail, sizeof(tail));
    assert_true(slice_is(text, "qemu: first\nqemu: last"));
}

static int make_root(void **state)
{
    static char config[80], live[80], lib[80], log[80], channels[96];
    (void)state;
    snprintf(root, sizeof(root), "/tmp/test_qemu_process.%d", port_pid());
    snprintf(config, sizeof(config), "%s/config", root);
    snprintf(live, sizeof(live), "%s/state", root);
    snprintf(lib, sizeof(lib), "%s/lib", root);
    snprintf(log, sizeof(log), "%s/log", root);
    snprintf(channels, sizeof(channels), "%s/channel/target", lib);
    const char *const all[] = {config, live, log, channels};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        assert_int_equal(port_make_directories(all[i], 0700), 0);
    qemu_driver.lib = lib;
    qemu_driver.log = log;
    qemu_driver.state = qemu_hypervisor.state_dir = live;
    qemu_driver.config = qemu_hypervisor.config_dir = config;
    return 0;
}

static int remove_root(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command);
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(stop_and_resume_change_the_state_with_the_reason_of_who_asked),
        CLAIM(a_shutdown_ends_the_emulator_and_is_no_crash),
        CLAIM(an_end_without_a_shutdown_is_a_crash),
        CLAIM(a_transient_domain_is_gone_after_its_end),
        CLAIM(a_fake_reboot_resets_and_goes_on_and_nobody_sees_a_shutdown),
        CLAIM(a_flow_that_was_woken_before_its_end_does_not_begin_anew),
        CLAIM(a_panic_destroys_when_the_definition_says_so),
        CLAIM(a_panicked_guest_is_preserved_when_the_definition_says_so),
        CLAIM(a_panicked_guest_is_reset_when_the_definition_says_so),
        CLAIM(the_agents_port_is_followed),
        CLAIM(the_balloon_is_the_current_memory),
        CLAIM(an_io_error_that_stops_the_guest_is_its_reason),
        CLAIM(events_without_or_with_wrong_data_do_no_harm),
        CLAIM(a_status_file_tells_a_new_daemon_who_the_emulator_is),
        CLAIM(the_log_tells_of_the_end),
        CLAIM(the_tail_of_a_log_begins_with_a_whole_line),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
