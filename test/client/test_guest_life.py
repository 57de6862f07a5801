"""A booted Linux guest: its console, its agent, and every way to stop and restart it.

One guest boots once for the tests that leave it as they found it; they run first.
"""

import re
import time

import libvirt
import libvirt_qemu
import pytest

import guest as guests
import peer as peers
from conftest import Virsh, open_connection
from guest import Console, agent_answers, boot, domain_xml, remove

DEVICES = """<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/>
<video><model type='vga'/></video><input type='keyboard' bus='ps2'/>
<interface type='user'><mac address='52:54:00:aa:00:01'/><model type='virtio'/></interface>
<channel type='unix'><target type='virtio' name='org.test.channel.0'/></channel>
<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"""


@pytest.fixture(scope="module")
def guest(peer):
    """The name of the guest that is up."""
    virsh = Virsh(peer.uri())
    name = boot(virsh, domain_xml("linux", kernel=True, devices=DEVICES))
    agent_answers(virsh, name)
    yield name
    remove(virsh, name)


def test_a_person_logs_in_on_the_console(console):
    assert console.ask("uname -s") == "Linux"


def test_ctrl_bracket_leaves_the_console_with_success(virsh, guest):
    console = Console(virsh, guest, "--force").connected()
    assert console.leave() == 0


def test_a_second_console_is_refused_while_the_first_is_open(virsh, guest, console):
    second = Console(virsh, guest).connected()
    second.expect("Active console session exists for this domain")


def test_force_takes_the_console_over(virsh, guest):
    first = Console(virsh, guest, "--force").connected().log_in()
    second = Console(virsh, guest, "--force").connected().log_in()
    assert second.ask("echo mine") == "mine"
    first.drop()
    second.drop()


def test_a_console_by_its_alias_is_the_same(virsh, guest):
    console = Console(virsh, guest, "--force", "--devname", "serial0").connected().log_in()
    assert console.ask("echo serial0") == "serial0"
    console.drop()


def test_a_console_that_is_not_there_is_named_in_the_error(virsh, guest):
    nowhere = Console(virsh, guest, "--devname", "nowhere").connected()
    nowhere.expect("cannot find character device nowhere")


def test_much_output_comes_through_the_console_whole(console):
    lines = console.ask("seq 1 3000").split("\n")
    assert lines == [str(number) for number in range(1, 3001)]


def test_ttyconsole_is_the_pty_of_the_live_xml(virsh, guest, domain):
    path = virsh("ttyconsole", guest)
    assert path.startswith("/dev/pts/")
    assert "<console type='pty' tty='%s'>" % path in domain.XMLDesc()


def test_the_live_xml_has_an_id_and_the_inactive_one_has_not(domain):
    assert "<domain type='qemu' id='%d'>" % domain.ID() in domain.XMLDesc()
    assert "<domain type='qemu'>" in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)


def test_the_live_xml_has_aliases_and_the_inactive_one_has_not(domain):
    assert "<alias name='serial0'/>" in domain.XMLDesc()
    assert "<alias" not in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)


def test_the_agent_shows_connected_in_the_live_xml(domain):
    assert re.search(r"name='org.qemu.guest_agent.0' state='connected'", domain.XMLDesc())


def test_an_unused_channel_shows_disconnected_in_the_live_xml(domain):
    assert re.search(r"name='org.test.channel.0' state='disconnected'", domain.XMLDesc())


def test_the_agent_answers_a_ping(virsh, guest):
    assert virsh("qemu-agent-command", guest, '{"execute":"guest-ping"}') == '{"return":{}}'


def test_the_agent_says_what_it_does_not_know(virsh, guest):
    error = virsh.fails("qemu-agent-command", guest, '{"execute":"guest-dance"}')
    assert "The command guest-dance has not been found" in error


def test_an_agent_command_that_is_no_json_is_refused(domain):
    with pytest.raises(libvirt.libvirtError) as caught:
        libvirt_qemu.qemuAgentCommand(domain, "{", 5, 0)
    assert caught.value.get_error_code() in (libvirt.VIR_ERR_INTERNAL_ERROR,)


def test_the_hostname_comes_from_the_agent(virsh, guest):
    assert virsh("domhostname", guest) == guest


def test_the_time_of_the_guest_is_about_now(domain):
    assert abs(domain.getTime()["seconds"] - time.time()) < 600


def test_the_time_can_be_set(domain, console):
    domain.setTime({"seconds": 1000000000, "nseconds": 0})
    assert console.ask("date -u +%Y") == "2001"
    domain.setTime({"seconds": int(time.time()), "nseconds": 0})


def test_the_guest_agent_lists_file_systems_or_says_why_not(virsh, guest):
    result = virsh.run("domfsinfo", guest)
    assert result.status == 0


def test_the_monitor_answers_qmp(virsh, guest):
    assert '"status":"running"' in virsh("qemu-monitor-command", guest,
                                         '{"execute":"query-status"}').replace(" ", "")


def test_the_monitor_answers_hmp(virsh, guest):
    assert virsh("qemu-monitor-command", guest, "--hmp", "info status") == "VM status: running"


def test_the_monitor_returns_qmps_own_errors(virsh, guest):
    answer = virsh("qemu-monitor-command", guest, '{"execute":"no-such"}')
    assert '"class":"CommandNotFound"' in answer


def test_a_monitor_command_taints_the_guest_in_its_messages(virsh, guest):
    virsh("qemu-monitor-command", guest, "--hmp", "info status")
    assert "custom monitor control commands issued" in virsh("dominfo", guest)


def test_the_state_is_running_booted(domain):
    assert domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED]


def test_dominfo_shows_cpu_time(virsh, guest):
    out = virsh("dominfo", guest)
    assert re.search(r"^CPU time:\s+[1-9]", out, re.M)
    assert re.search(r"^Max memory:\s+262144 KiB$", out, re.M)


def test_memory_statistics_of_the_balloon(domain):
    stats = domain.memoryStats()
    assert stats["actual"] == 256 * 1024
    assert stats["rss"] > 0


def test_the_period_of_the_balloon_statistics_can_be_set(virsh, guest, domain):
    virsh("dommemstat", guest, "--period", "1", "--live")
    peers.wait_until(lambda: "unused" in domain.memoryStats(), "statistics of the guest")
    assert "<stats period='1'/>" in domain.XMLDesc()


def test_the_memory_of_the_guest_shrinks_and_grows(virsh, guest, domain):
    virsh("setmem", guest, "200M", "--live")
    peers.wait_until(lambda: domain.info()[2] == 200 * 1024, "a smaller guest")
    virsh("setmem", guest, "256M", "--live")
    peers.wait_until(lambda: domain.info()[2] == 256 * 1024, "a guest of its old size")


def test_cpu_statistics_name_total_time(virsh, guest):
    stats = virsh("domstats", guest, "--cpu-total", "--state", "--vcpu", "--balloon")
    assert "state.state=1" in stats
    assert "vcpu.current=1" in stats
    assert "balloon.maximum=262144" in stats


def test_interface_statistics_are_those_of_a_tap_or_refused(virsh, guest):
    assert "52:54:00:aa:00:01" in virsh("domiflist", guest)


def test_a_screenshot_is_a_picture(virsh, guest, tmp_path):
    out = virsh("screenshot", guest, "--file", tmp_path / "shot")
    assert "with type of image/" in out
    assert (tmp_path / "shot").read_bytes()[:8] in (b"\x89PNG\r\n\x1a\n",) or \
        (tmp_path / "shot").read_bytes()[:2] == b"P6"


def test_a_screenshot_of_a_screen_that_is_not_there_is_refused(virsh, guest, tmp_path):
    error = virsh.fails("screenshot", guest, "--screen", "7", "--file", tmp_path / "shot")
    assert "screen" in error


def test_keys_sent_arrive_in_the_guest(virsh, guest, console):
    console.ask("cat /dev/input/event0 /dev/input/event1 > /tmp/keys & sleep 1")

    def arrives():  # what comes before the guest listens is lost
        virsh("send-key", guest, "KEY_A", "KEY_B")
        return console.ask("wc -c < /tmp/keys") not in ("0", "")
    peers.wait_until(arrives, "a key in the guest")
    console.ask("kill %1")


@pytest.mark.parametrize("codeset,key", [
    ("linux", "30"), ("win32", "65"), ("usb", "4"), ("xt", "30"), ("atset1", "30"), ("atset2", "28"),
    ("atset3", "28"), ("qnum", "30"), ("os_x", "2"), ("xt_kbd", "30"), ("rfb", "30")])
def test_keys_of_every_codeset_are_accepted(virsh, guest, codeset, key):
    virsh("send-key", guest, "--codeset", codeset, key)


def test_a_key_that_has_no_qnum_is_refused(virsh, guest):
    assert "cannot translate keycode 30 of win32 codeset to qnum keycode" in \
        virsh.fails("send-key", guest, "--codeset", "win32", "30")


def test_a_key_beyond_the_codeset_is_refused(domain):
    with pytest.raises(libvirt.libvirtError):
        domain.sendKey(libvirt.VIR_KEYCODE_SET_LINUX, 0, [60000], 1, 0)


def test_an_nmi_is_injected(virsh, guest, console):
    virsh("inject-nmi", guest)
    peers.wait_until(lambda: "NMI" in console.ask("dmesg | grep -i nmi | tail -n 1"), "an NMI")


def test_the_channel_carries_bytes_both_ways(domain, connection, console):
    stream = connection.newStream()
    domain.openChannel("org.test.channel.0", stream, 0)
    port = console.ask("grep -l org.test.channel.0 /sys/class/virtio-ports/*/name").split("/")[4]
    console.ask("(read line; echo got $line) < /dev/%s > /tmp/answer & sleep 0" % port)
    stream.send(b"hello guest\n")
    peers.wait_until(lambda: "hello" in console.ask("cat /tmp/answer"), "the line in the guest")
    console.ask("echo hello host > /dev/%s" % port)
    assert stream.recv(100).startswith(b"hello host")
    stream.finish()


def test_suspend_stops_the_guest_and_resume_lets_it_go_on(virsh, guest, domain):
    virsh("suspend", guest)
    assert domain.state() == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER]
    assert virsh("domstate", guest, "--reason") == "paused (user)"
    virsh("resume", guest)
    assert domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED]
    console = Console(virsh, guest, "--force").connected().log_in()
    assert console.ask("echo alive") == "alive"
    console.drop()


def test_reset_boots_the_same_domain_anew(virsh, guest, domain):
    before = domain.ID()
    console = Console(virsh, guest, "--force").connected()
    virsh("reset", guest)
    console.expect("login: ")
    console.drop()
    assert domain.ID() == before


def test_reboot_by_the_agent_keeps_the_id(virsh, guest, domain):
    agent_answers(virsh, guest)
    before = domain.ID()
    console = Console(virsh, guest, "--force").connected()
    virsh("reboot", guest, "--mode", "agent")
    console.expect("reboot: Restarting system|SeaBIOS")
    console.expect("login: ")
    console.drop()
    assert domain.ID() == before


def test_reboot_by_acpi_resets_after_the_guest_has_shut_down(virsh, guest, domain):
    before = domain.ID()
    console = Console(virsh, guest, "--force").connected()
    virsh("reboot", guest, "--mode", "acpi")
    console.expect("login: ")
    console.drop()
    assert domain.ID() == before
    assert domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING


def test_shutdown_by_acpi_powers_the_guest_off(virsh, guest, domain):
    virsh("shutdown", guest, "--mode", "acpi")
    peers.wait_until(lambda: not domain.isActive(), "the end of the guest")
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN]
    assert virsh("domstate", guest, "--reason") == "shut off (shutdown)"


def test_shutdown_by_the_agent_powers_the_guest_off(virsh, guest, domain):
    if not domain.isActive():
        virsh("start", guest)
    agent_answers(virsh, guest)
    virsh("shutdown", guest, "--mode", "agent")
    peers.wait_until(lambda: not domain.isActive(), "the end of the guest")
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN]
