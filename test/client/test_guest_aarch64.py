"""A booted aarch64 guest: the same life on the other architecture."""

import libvirt
import pytest

import peer as peers
from conftest import Virsh
from guest import Console, agent_answers, boot, domain_xml, remove


@pytest.fixture(scope="module")
def guest(peer):
    virsh = Virsh(peer.uri())
    name = boot(virsh, domain_xml("arm", arch="aarch64", kernel=True, features="<gic version='2'/>",
                                  devices="<interface type='user'><model type='virtio'/></interface>"))
    agent_answers(virsh, name)
    yield name
    remove(virsh, name)


def test_a_person_logs_in_on_the_console(virsh, guest):
    console = Console(virsh, guest, "--force").connected().log_in()
    assert console.ask("uname -m") == "aarch64"
    assert "eth0" in console.ask("ls /sys/class/net")
    console.drop()


def test_the_agent_knows_the_hostname(virsh, guest):
    assert virsh("domhostname", guest) == guest


def test_suspend_and_resume_change_the_state(connection, guest):
    domain = connection.lookupByName(guest)
    domain.suspend()
    assert domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED
    domain.resume()
    assert domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING


def test_the_guest_survives_a_restart_of_the_daemon(peer, virsh, guest):
    number = virsh("domid", guest)
    peer.restart()
    assert virsh("domid", guest) == number
    agent_answers(virsh, guest)


def test_shutdown_by_the_agent_powers_the_guest_off(virsh, guest):
    virsh("shutdown", guest, "--mode", "agent")
    peers.wait_until(lambda: virsh("domstate", guest, "--reason") == "shut off (shutdown)",
                     "the end of the guest")
