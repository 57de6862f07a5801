"""What is left to the daemon and its guests of the machine's rights."""

import ctypes
import os

import pytest

import peer as peers
from guest import domain_xml, remove

pytestmark = [pytest.mark.nanovirtd_only(reason="libvirtd keeps every privilege of root"),
              pytest.mark.skipif(os.getuid() != 0, reason="only root has privileges to give up")]

NEEDED = {0, 1, 3, 5, 6, 7, 8, 10, 12, 23, 24}  # port/linux/confine.c, numbers of capabilities(7)
NOBODY = 65534


def status_of(pid):
    with open("/proc/%d/status" % pid) as status:
        return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)


def capabilities(pid, which):
    bits = int(status_of(pid)[which], 16)
    return {bit for bit in range(64) if bits >> bit & 1}


@pytest.fixture
def guest(peer, virsh):
    """A guest as it runs by default, and its process."""
    virsh("define", "/dev/stdin", stdin=domain_xml("confined", agent=False))
    virsh("start", "confined")
    yield peer.guest_pids()[0]
    remove(virsh, "confined")


def test_the_daemon_keeps_the_capabilities_that_it_uses_and_no_other(peer, virsh):
    virsh("uri")  # it listens before it gives up the others, and answers after
    pid = peer.daemon_pid()
    for which in ("CapPrm", "CapEff", "CapBnd"):
        assert capabilities(pid, which) <= NEEDED
    assert capabilities(pid, "CapInh") == set()


def test_no_program_of_the_daemon_can_gain_privileges(peer, guest):
    for pid in (peer.daemon_pid(), guest):
        assert status_of(pid)["NoNewPrivs"] == "1"
        assert status_of(pid)["Seccomp"] == "2"


def test_a_guest_has_no_capability_even_as_root(guest):
    for which in ("CapPrm", "CapEff", "CapBnd", "CapInh"):
        assert capabilities(guest, which) == set()


def test_guests_run_as_the_user_that_is_configured_in_a_directory_of_their_own(idle_peer):
    peer = idle_peer
    with open(peer.path("etc/libvirt/qemu.conf"), "w") as conf:
        conf.write('user = "nobody"\ngroup = "nogroup"\n')
    peer.start()
    from conftest import Virsh
    virsh = Virsh(peer.uri())
    virsh("define", "/dev/stdin", stdin=domain_xml("alone", agent=False))
    virsh("start", "alone")
    status = status_of(peer.guest_pids()[0])
    assert set(status["Uid"].split()) == {str(NOBODY)}
    assert set(status["Gid"].split()) == {str(NOBODY)}
    home = os.stat(peer.path("var/lib/libvirt/qemu/domain-1-alone"))
    assert (home.st_uid, home.st_mode & 0o777) == (NOBODY, 0o700) or home.st_mode & 0o077 == 0
    remove(virsh, "alone")
