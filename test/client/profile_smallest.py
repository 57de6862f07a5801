"""configs/smallest.config: what the smallest daemon does, and what it says of the rest."""

import re

import libvirt
import pytest

import peer as peers
from conftest import Virsh
from guest import Console, boot, domain_xml, remove

# Of a procedure that is known and has no handler, and of one that is left out of the contract.
UNSUPPORTED = re.compile("this function is not supported by the connection driver|unknown procedure")


@pytest.fixture(scope="module")
def guest(peer):
    virsh = Virsh(peer.uri())
    name = boot(virsh, domain_xml("small", kernel=True, agent=False))
    yield name
    remove(virsh, name)


def test_a_guest_is_listed_shown_and_paused(virsh, guest):
    assert guest in virsh("list", "--name").split()
    assert virsh("domstate", guest) == "running"
    assert "<name>%s</name>" % guest in virsh("dumpxml", guest)
    virsh("suspend", guest)
    assert virsh("domstate", guest) == "paused"
    virsh("resume", guest)


def test_a_person_logs_in_on_the_console(virsh, guest):
    console = Console(virsh, guest, "--force").connected().log_in()
    assert console.ask("uname -s") == "Linux"
    console.drop()


def test_a_guest_outlives_the_daemon(peer, virsh, guest):
    number = virsh("domid", guest)
    peer.kill()
    peer.start()
    assert virsh("domid", guest) == number


def test_a_guest_shuts_down_in_order(virsh, guest):
    virsh("shutdown", guest, "--mode", "acpi")
    peers.wait_until(lambda: virsh("domstate", guest) == "shut off", "the guest's end")
    virsh("start", guest)


def test_a_guest_is_not_asked_through_its_agent(virsh, guest):
    assert "the guest agent is left out of this build" in virsh.fails("shutdown", guest, "--mode",
                                                                      "agent")


def test_the_host_model_is_left_to_qemu(virsh):
    virsh("define", "/dev/stdin", stdin=domain_xml("modelled", agent=False,
                                                   cpu="<cpu mode='host-model'/>"))
    virsh("start", "modelled", "--paused")
    assert "mode='host-model'" in virsh("dumpxml", "modelled")
    remove(virsh, "modelled")


def test_a_definition_is_kept_until_it_is_undefined(virsh):
    virsh("define", "/dev/stdin", stdin=domain_xml("kept", agent=False))
    virsh("autostart", "kept")
    assert "kept" in virsh("list", "--all", "--autostart", "--name").split()
    virsh("undefine", "kept")
    assert "kept" not in virsh("list", "--all", "--name").split()


@pytest.mark.parametrize("device", ["<graphics type='vnc'/>", "<video><model type='vga'/></video>",
                                    "<sound model='ich9'/>",
                                    "<tpm><backend type='passthrough'/></tpm>",
                                    "<filesystem><source dir='/srv'/><target dir='srv'/></filesystem>"])
def test_devices_that_are_left_out_are_refused(virsh, device):
    xml = domain_xml("shown", agent=False, devices=device)
    assert "devices are left out of this build" in virsh.fails("define", "/dev/stdin", stdin=xml)
    assert "shown" not in virsh("list", "--all", "--name").split()


@pytest.mark.parametrize("command", [["pool-list"], ["domcapabilities"], ["sysinfo"],
                                     ["domblkstat", "small", "vda"], ["vcpupin", "small", "0", "0"],
                                     ["send-key", "small", "KEY_A"], ["guestinfo", "small"],
                                     ["qemu-monitor-command", "small", "--hmp", "info name"],
                                     ["metadata", "small", "urn:x"], ["domrename", "small", "tiny"],
                                     ["domhostname", "small"], ["domifaddr", "small"],
                                     ["capabilities"], ["nodeinfo"], ["cpu-models", "x86_64"]])
def test_calls_that_are_left_out_say_that_they_are_not_supported(virsh, guest, command):
    assert UNSUPPORTED.search(virsh.fails(*command))


def test_a_program_reads_it_off_the_code(connection):
    with pytest.raises(libvirt.libvirtError) as caught:
        connection.listAllStoragePools()
    assert caught.value.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT


def test_there_is_no_other_driver(peer):
    assert "no connection driver available" in Virsh(peer.uri("test")).fails("list")
