"""What on_poweroff, on_reboot and on_crash say is done when the guest itself ends."""

import pytest

import peer as peers
from conftest import Virsh
from guest import Console, boot, domain_xml, remove
from listener import Listener

PANIC = "<panic model='isa'/>"
CRASH = "echo c > /proc/sysrq-trigger\r"


@pytest.fixture
def booted(peer, virsh):
    """Boots a guest with the given actions and gives its console."""
    consoles = []

    def boot_one(name, actions, devices=""):
        boot(virsh, domain_xml(name, kernel=True, memory=160, lifecycle=actions, devices=devices))
        consoles.append((name, Console(virsh, name, "--force").connected().log_in()))
        return consoles[-1][1]

    yield boot_one
    for name, console in consoles:
        console.drop()
        remove(virsh, name)


def is_in_state(virsh, name, state):
    return virsh("domstate", name, "--reason") == state


def test_a_poweroff_inside_the_guest_shuts_it_off_and_is_told(peer, virsh, booted):
    console = booted("ends", "")
    listener = Listener(peer.uri())
    console.type("poweroff\r")
    peers.wait_until(lambda: is_in_state(virsh, "ends", "shut off (shutdown)"), "the end")
    listener.heard("ends", "SHUTDOWN GUEST", "STOPPED SHUTDOWN")
    listener.close()


def test_on_poweroff_restart_boots_again_under_the_same_id(virsh, booted):
    console = booted("again", "<on_poweroff>restart</on_poweroff>")
    before = virsh("domid", "again")
    console.type("poweroff\r")
    console.expect("Power down|SeaBIOS")
    console.expect("login: ")
    assert virsh("domid", "again") == before


def test_a_reboot_inside_the_guest_keeps_the_id(virsh, booted):
    console = booted("reboots", "")
    before = virsh("domid", "reboots")
    console.type("reboot\r")
    console.expect("Restarting system|SeaBIOS")
    console.expect("login: ")
    assert virsh("domid", "reboots") == before


def test_on_reboot_destroy_ends_the_guest_at_its_reboot(peer, virsh, booted):
    console = booted("once", "<on_reboot>destroy</on_reboot>")
    listener = Listener(peer.uri())
    console.type("reboot\r")
    peers.wait_until(lambda: virsh("domstate", "once").startswith("shut off"), "the end")
    peers.wait_until(lambda: listener.of("once")[-1:] == ["STOPPED SHUTDOWN"], "the event")
    listener.close()


def test_on_crash_destroy_ends_the_guest_as_crashed(peer, virsh, booted):
    console = booted("crash", "<on_crash>destroy</on_crash>", PANIC)
    listener = Listener(peer.uri())
    console.type(CRASH)
    peers.wait_until(lambda: is_in_state(virsh, "crash", "shut off (crashed)"), "the end")
    listener.heard("crash", "CRASHED PANICKED", "STOPPED CRASHED")
    listener.close()


def test_on_crash_preserve_keeps_the_crashed_guest(peer, virsh, booted):
    console = booted("kept", "<on_crash>preserve</on_crash>", PANIC)
    console.type(CRASH)
    peers.wait_until(lambda: is_in_state(virsh, "kept", "crashed (panicked)"), "the crash")
    assert virsh("list", "--name", "--state-other") == "kept"
    virsh("destroy", "kept")


def test_on_crash_restart_boots_again(virsh, booted):
    console = booted("retry", "<on_crash>restart</on_crash>", PANIC)
    console.type(CRASH)
    console.expect("sysrq: Trigger a crash|Kernel panic|SeaBIOS")
    console.expect("login: ")
    assert virsh("domstate", "retry") == "running"
