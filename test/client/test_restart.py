"""Guests survive the daemon: its restart, by SIGTERM or kill -9, changes nothing about them."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ET

import libvirt
import pytest

import peer as peers
from conftest import Virsh, open_connection
from guest import Console, agent_answers, boot, domain_xml
from listener import Listener

ENDS = pytest.mark.parametrize("end", ["stop", "kill"])


@pytest.fixture
def daemon():
    """A daemon of the test's own, started."""
    own = peers.make_peer()
    try:
        own.start()
        yield own
    finally:
        if own.process is None:
            own.start()
        own.close()


def small(name, **parts):
    return domain_xml(name, memory=64, agent=False, **parts)


def the_only_qemu(peer):
    pids = [pid for pid in peer.guest_pids() if peers.is_running(pid)]
    assert len(pids) == 1
    return pids[0]


def taken_up(virsh, name):
    """Waits until the daemon speaks with the guest's monitor: libvirtd answers calls before that, and a
    guest that is killed or destroyed in between is one that it found dead."""
    peers.wait_until(lambda: virsh.run("qemu-monitor-command", name, "--hmp", "info status").status == 0,
                     "an answer of the monitor")


def lines_of(text):
    """The lines of an XML in no order: libvirtd sorts controllers anew when it reads its status."""
    return sorted(text.split("\n"))


@pytest.fixture(scope="module")
def linux():
    """A daemon with a booted guest named linux, shared by tests that restart the daemon."""
    own = peers.make_peer()
    try:
        own.start()
        virsh = Virsh(own.uri())
        boot(virsh, domain_xml("linux", kernel=True, devices="<graphics type='vnc' autoport='yes'/>"))
        agent_answers(virsh, "linux")
        yield own
    finally:
        if own.process is None:
            own.start()
        own.close()


@ENDS
def test_a_guest_keeps_its_process_id_state_and_xml_over_a_restart(linux, end):
    connection = open_connection(linux.uri())
    domain = connection.lookupByName("linux")
    before = domain.ID(), domain.state(), domain.XMLDesc(), domain.XMLDesc(
        libvirt.VIR_DOMAIN_XML_INACTIVE), the_only_qemu(linux)
    connection.close()
    getattr(linux, end)()
    assert the_only_qemu(linux) == before[4]
    linux.start()
    connection = open_connection(linux.uri())
    domain = connection.lookupByName("linux")
    assert domain.ID() == before[0]
    assert domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING
    peers.wait_until(lambda: "state='connected'" in domain.XMLDesc(), "the agent's connection")
    assert lines_of(domain.XMLDesc()) == lines_of(before[2])
    assert domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE) == before[3]
    assert the_only_qemu(linux) == before[4]
    connection.close()


@ENDS
def test_the_reason_of_a_running_state_is_kept_over_a_restart(linux, end):
    virsh = Virsh(linux.uri())
    virsh("suspend", "linux")
    virsh("resume", "linux")
    getattr(linux, end)()
    linux.start()
    assert virsh("domstate", "linux", "--reason") == "running (unpaused)"


@ENDS
def test_a_paused_guest_is_paused_after_a_restart(linux, end):
    virsh = Virsh(linux.uri())
    virsh("suspend", "linux")
    getattr(linux, end)()
    linux.start()
    assert virsh("domstate", "linux", "--reason") == "paused (user)"
    virsh("resume", "linux")


@ENDS
def test_console_monitor_and_agent_work_after_a_restart(linux, end):
    virsh = Virsh(linux.uri())
    getattr(linux, end)()
    linux.start()
    console = Console(virsh, "linux", "--force").connected().log_in()
    assert console.ask("uname -s") == "Linux"
    console.drop()
    assert virsh("qemu-monitor-command", "linux", "--hmp", "info status") == "VM status: running"
    agent_answers(virsh, "linux")
    assert virsh("domhostname", "linux") == "linux"


def test_events_of_a_guest_are_told_after_a_restart(linux):
    linux.restart()
    listener = Listener(linux.uri())
    virsh = Virsh(linux.uri())
    virsh("suspend", "linux")
    virsh("resume", "linux")
    listener.heard("linux", "SUSPENDED PAUSED", "RESUMED UNPAUSED")
    listener.close()


def test_changes_that_were_made_live_are_kept_over_a_restart(linux):
    virsh = Virsh(linux.uri())
    virsh("desc", "linux", "--live", "live words")
    virsh("desc", "linux", "--config", "next words")
    virsh("setmem", "linux", "200M", "--live")
    linux.restart()
    assert virsh("desc", "linux", "--live") == "live words"
    assert virsh("desc", "linux", "--config") == "next words"
    connection = open_connection(linux.uri())
    peers.wait_until(lambda: connection.lookupByName("linux").info()[2] == 200 * 1024, "the size")
    connection.close()


def test_an_undefined_running_guest_is_transient_after_a_restart(linux):
    virsh = Virsh(linux.uri())
    virsh("undefine", "linux")
    linux.restart()
    assert re.search(r"^Persistent:\s+no$", virsh("dominfo", "linux"), re.M)
    virsh("shutdown", "linux", "--mode", "acpi")
    peers.wait_until(lambda: virsh("list", "--all", "--name") == "", "the end of the guest")


@ENDS
def test_a_guest_that_died_meanwhile_is_seen_dead(daemon, end):
    virsh = Virsh(daemon.uri())
    virsh("define", "/dev/stdin", stdin=small("victim"))
    virsh("start", "victim")
    virsh("create", "/dev/stdin", stdin=small("brief"))
    getattr(daemon, end)()
    for pid in daemon.guest_pids():
        os.kill(pid, signal.SIGKILL)
    peers.wait_until(lambda: not any(map(peers.is_running, daemon.guest_pids())), "the deaths")
    daemon.start()
    peers.wait_until(lambda: virsh("list", "--name") == "", "the deaths being noticed")
    assert virsh("list", "--all", "--name") == "victim"
    assert virsh("domstate", "victim").startswith("shut off")
    virsh("start", "victim")
    assert virsh("domstate", "victim") == "running"


@pytest.mark.nanovirtd_only(reason="the first process of libvirtd's world reaps")
def test_a_guest_that_is_a_zombie_is_seen_dead(daemon):
    """This process is the reaper of orphans here, and does not reap."""
    virsh = Virsh(daemon.uri())
    virsh("define", "/dev/stdin", stdin=small("zombie"))
    virsh("start", "zombie")
    pid = the_only_qemu(daemon)
    daemon.kill()
    os.kill(pid, signal.SIGKILL)
    peers.wait_until(lambda: peers.process_table()[pid][1] == "Z", "the zombie")
    daemon.start()
    peers.wait_until(lambda: virsh("domstate", "zombie").startswith("shut off"),
                     "the death being noticed")
    assert peers.process_table()[pid][1] == "Z"
    daemon.reap()


def test_a_guest_that_dies_after_a_restart_is_noticed_and_told(daemon):
    virsh = Virsh(daemon.uri())
    virsh("define", "/dev/stdin", stdin=small("late"))
    virsh("start", "late")
    daemon.restart()
    taken_up(virsh, "late")
    listener = Listener(daemon.uri())
    os.kill(the_only_qemu(daemon), signal.SIGKILL)
    peers.wait_until(lambda: virsh("domstate", "late", "--reason") == "shut off (crashed)",
                     "the death being noticed")
    peers.wait_until(lambda: listener.of("late")[-1:] == ["STOPPED FAILED"], "the event")
    listener.close()


def test_a_guest_is_destroyed_and_started_after_a_restart(daemon):
    virsh = Virsh(daemon.uri())
    virsh("define", "/dev/stdin", stdin=small("again"))
    virsh("start", "again")
    first = int(virsh("domid", "again"))
    daemon.kill()
    daemon.start()
    taken_up(virsh, "again")
    virsh("destroy", "again")
    virsh("start", "again")
    assert int(virsh("domid", "again")) > first


def test_definitions_autostart_and_uuids_are_kept_over_a_kill(daemon):
    virsh = Virsh(daemon.uri())
    for name in ("one", "two", "three"):
        virsh("define", "/dev/stdin", stdin=small(name))
    virsh("desc", "two", "kept words")
    uuids = virsh("list", "--all", "--uuid", "--name")
    daemon.kill()
    daemon.start()
    assert virsh("list", "--all", "--uuid", "--name") == uuids
    assert virsh("desc", "two") == "kept words"


def test_autostarted_domains_are_started_once_with_the_daemon(daemon):
    virsh = Virsh(daemon.uri())
    for name in ("auto", "manual"):
        virsh("define", "/dev/stdin", stdin=small(name))
    virsh("autostart", "auto")
    assert virsh("list", "--name") == ""
    daemon.stop()
    for directory in ("run/libvirt/qemu/autostarted", "run/libvirt/qemu/driver.autostarted"):
        if os.path.exists(daemon.path(directory)):
            os.unlink(daemon.path(directory))
    daemon.start()
    peers.wait_until(lambda: virsh("list", "--name") == "auto", "the start of the domain")
    number = virsh("domid", "auto")
    daemon.restart()
    assert virsh("domid", "auto") == number


def test_an_autostart_that_fails_does_not_stop_the_daemon_or_the_others(daemon):
    virsh = Virsh(daemon.uri())
    virsh("define", "/dev/stdin", stdin=small(
        "broken", devices="<disk type='file'><source file='/nonexistent'/><target dev='vda'/></disk>"))
    virsh("define", "/dev/stdin", stdin=small("sound"))
    virsh("autostart", "broken")
    virsh("autostart", "sound")
    daemon.stop()
    if os.path.exists(daemon.path("run/libvirt/qemu/autostarted")):
        os.unlink(daemon.path("run/libvirt/qemu/autostarted"))
    daemon.start()
    peers.wait_until(lambda: virsh("list", "--name") == "sound", "the start of the sound one")


def test_a_definition_that_can_not_be_read_does_not_hide_the_others(daemon):
    virsh = Virsh(daemon.uri())
    virsh("define", "/dev/stdin", stdin=small("sound"))
    daemon.stop()
    with open(daemon.path("etc/libvirt/qemu/broken.xml"), "w") as text:
        text.write("<domain type='qemu'><name>broken</name>")
    with open(daemon.path("etc/libvirt/qemu/empty.xml"), "w"):
        pass
    daemon.start()
    assert virsh("list", "--all", "--name") == "sound"


@pytest.fixture
def full_run():
    """A daemon whose /run is a disk of its own, and a function that leaves no room there."""
    own = peers.make_peer()
    run = own.path("run/libvirt")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "full", run], check=True)

    def fill():
        for size in (4096, 1):
            with open(os.path.join(run, "fill%d" % size), "wb", 0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    try:
        yield own.start(), fill
    finally:
        own.close()
        subprocess.run(["umount", "-l", run], check=True)
        shutil.rmtree(own.root)


@ENDS
@pytest.mark.nanovirtd_only(reason="libvirtd ends such guests")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_guest_is_taken_up_where_there_is_no_room_for_its_status(full_run, end):
    daemon, fill = full_run
    virsh = Virsh(daemon.uri())
    virsh("define", "/dev/stdin", stdin=small("kept"))
    virsh("start", "kept")
    number, process = virsh("domid", "kept"), the_only_qemu(daemon)
    fill()
    for _ in range(2):
        getattr(daemon, end)()
        daemon.start()
        taken_up(virsh, "kept")
        assert virsh("domid", "kept") == number and the_only_qemu(daemon) == process
    virsh("suspend", "kept")
    assert virsh("domstate", "kept") == "paused"


def test_sigterm_removes_the_sockets_and_leaves_with_success(daemon):
    daemon.stop()
    assert not os.path.exists(daemon.socket_path())
    daemon.start()


@pytest.mark.nanovirtd_only(reason="libvirtd would restore it")
def test_a_guest_that_libvirtd_has_saved_starts_afresh_only_when_told_to(daemon):
    saved = daemon.path("var/lib/libvirt/qemu/save/saved.save")
    os.makedirs(os.path.dirname(saved))
    with open(saved, "w") as image:
        image.write("LibvirtQemudSave")
    virsh = Virsh(daemon.uri())
    virsh("define", "/dev/stdin", stdin=small("saved"))
    assert "saved.save', which can not be restored here" in virsh.fails("start", "saved")
    assert os.path.exists(saved) and virsh("domstate", "saved") == "shut off"
    virsh("start", "saved", "--force-boot")
    assert not os.path.exists(saved) and virsh("domstate", "saved") == "running"
    virsh("destroy", "saved")


@pytest.mark.nanovirtd_only(reason="it reads what libvirtd wrote")
@pytest.mark.skipif(os.geteuid() != 0, reason="libvirtd needs root")
def test_a_directory_written_by_libvirtd_is_opened_and_its_guests_work(daemon):
    theirs = peers.Libvirtd()
    try:
        theirs.start()
        virsh = Virsh(theirs.uri())
        virsh("define", "/dev/stdin", stdin=small("plain", devices="<video/><graphics type='vnc'/>"))
        virsh("define", "/dev/stdin", stdin=domain_xml("linux", kernel=True, memory=160))
        virsh("define", "/dev/stdin", stdin=domain_xml("arm", arch="aarch64", features=""))
        virsh("metadata", "plain", "urn:x", "--key", "x", "--set", "<kept/>")
        virsh("autostart", "plain")
        expected = {name: virsh("dumpxml", name, "--inactive") for name in ("plain", "linux", "arm")}
        daemon.stop()
        shutil.copytree(theirs.path("etc/libvirt/qemu"), daemon.path("etc/libvirt/qemu"),
                        symlinks=True, dirs_exist_ok=True)
    finally:
        theirs.close()
    link = daemon.path("etc/libvirt/qemu/autostart/plain.xml")
    os.unlink(link)
    os.symlink(daemon.path("etc/libvirt/qemu/plain.xml"), link)
    daemon.start()
    virsh = Virsh(daemon.uri())
    assert sorted(virsh("list", "--all", "--name").split()) == ["arm", "linux", "plain"]
    for name, text in expected.items():
        assert virsh("dumpxml", name, "--inactive") == text
    assert re.search(r"^Autostart:\s+enable$", virsh("dominfo", "plain"), re.M)
    assert ET.fromstring(virsh("metadata", "plain", "urn:x")).tag.endswith("kept")
    virsh("start", "linux")
    console = Console(virsh, "linux", "--force").connected()
    console.expect("login: ")
    console.drop()
