"""What the README says is not built: each command of it says so, and leaves the daemon as it was."""

import os
import re

import pytest

import peer as peers
from guest import domain_xml, remove

pytestmark = pytest.mark.nanovirtd_only(reason="libvirtd has built it")

DOMAIN, FILE, POOL = "unbuilt", "@FILE@", "unbuilt-pool"
MAC = "52:54:00:00:00:01"
ARGUMENTS = {
    "attach-device": [DOMAIN, FILE, "--config"], "attach-disk": [DOMAIN, "/x", "vdz", "--config"],
    "detach-device": [DOMAIN, FILE, "--config"], "detach-device-alias": [DOMAIN, "x", "--config"],
    "detach-disk": [DOMAIN, "vda", "--config"], "update-device": [DOMAIN, FILE, "--config"],
    "attach-interface": [DOMAIN, "bridge", "br0", "--config"],
    "detach-interface": [DOMAIN, "user", "--config"],
    "change-media": [DOMAIN, "sda", "--eject", "--config"],
    "domif-setlink": [DOMAIN, MAC, "down", "--config"],
    "managedsave-edit": [DOMAIN], "save-image-edit": ["/x"], "migrate": [DOMAIN, "@URI@"],
    "save": [DOMAIN, "/x"], "restore": ["/x"], "save-image-dumpxml": ["/x"],
    "save-image-define": ["/x", FILE], "managedsave": [DOMAIN], "managedsave-dumpxml": [DOMAIN],
    "managedsave-define": [DOMAIN, FILE],
    "migrate-setmaxdowntime": [DOMAIN, "5"], "migrate-setspeed": [DOMAIN, "5"],
    "snapshot-create-as": [DOMAIN, "s"], "checkpoint-create-as": [DOMAIN, "s"],
    **{kind + what: [DOMAIN, "s"] for kind in ("snapshot-", "checkpoint-")
       for what in ("info", "dumpxml", "edit", "parent", "delete")}, "snapshot-revert": [DOMAIN, "s"],
    "blockcommit": [DOMAIN, "vda"], "blockcopy": [DOMAIN, "vda", "/x"], "blockjob": [DOMAIN, "vda"],
    "blockpull": [DOMAIN, "vda"], "blockresize": [DOMAIN, "vda", "1M"],
    "blkdeviotune": [DOMAIN, "vda"], "domblkthreshold": [DOMAIN, "vda", "5"],
    "domiftune": [DOMAIN, "x"], "memtune": [DOMAIN, "--hard-limit", "100000", "--config"],
    "blkiotune": [DOMAIN, "--weight", "500", "--config"],
    "numatune": [DOMAIN, "--mode", "0", "--nodeset", "0", "--config"],
    "schedinfo": [DOMAIN, "--set", "cpu_shares=5", "--config"],
    "iothreadset": [DOMAIN, "1", "--poll-max-ns", "5"], "iothreadadd": [DOMAIN, "1"], "iothreadpin": [DOMAIN, "1", "0"],
    "iothreaddel": [DOMAIN, "1"], "setvcpu": [DOMAIN, "1", "--enable", "--config"],
    "send-process-signal": [DOMAIN, "1", "9"],
    "domxml-to-native": ["qemu-argv", "--domain", DOMAIN], "domxml-from-native": ["qemu-argv", FILE],
    "dom-fd-associate": [DOMAIN, "x", "0"], "qemu-attach": ["1"],
    "cpu-compare": [FILE], "cpu-baseline": [FILE], "hypervisor-cpu-compare": [FILE],
    "hypervisor-cpu-baseline": [FILE], "node-memory-tune": [], "nodesuspend": ["mem", "60"],
    "nodesevinfo": [], "find-storage-pool-sources": ["dir"], "pool-capabilities": [],
    "find-storage-pool-sources-as": ["dir"], "pool-create": [FILE],
    "pool-create-as": ["p", "dir", "--target", "/x"],
    "pool-event": ["--event", "lifecycle", "--timeout", "1"],
    "vol-create-from": [POOL, FILE, "a", "--inputpool", POOL], "vol-clone": ["a", "b", "--pool", POOL],
    "vol-wipe": ["a", "--pool", POOL], "vol-upload": ["a", FILE, "--pool", POOL],
    "vol-download": ["a", "/dev/null", "--pool", POOL], "vol-resize": ["a", "2M", "--pool", POOL],
}


def named_in_readme():
    with open(os.path.join(peers.TOP, "README.md")) as readme:
        table = readme.read().split("| not supported |")[1].split("\n\n")[0]
    return re.findall(r"`([\w-]+)`", table)


@pytest.fixture(scope="module")
def things(peer):
    """A domain and a volume for the commands to name."""
    from conftest import Virsh
    virsh = Virsh(peer.uri())
    devices = ("<disk type='file'><source file='/x'/><target dev='vda' bus='virtio'/></disk>"
               "<disk type='file' device='cdrom'><source file='/x'/><target dev='sda' bus='sata'/>"
               "</disk><interface type='user'><mac address='%s'/></interface>" % MAC)
    xml = domain_xml(DOMAIN, cpu="<cpu mode='custom'><model>qemu64</model></cpu>", devices=devices)
    with open(peer.path("unbuilt.xml"), "w") as file:
        file.write(xml)
    virsh("define", peer.path("unbuilt.xml"))
    os.mkdir(peer.path("pool"))
    virsh("pool-define-as", POOL, "dir", "--target", peer.path("pool"))
    virsh("pool-start", POOL)
    virsh("vol-create-as", POOL, "a", "1M")
    yield peer.path("unbuilt.xml")
    remove(virsh, DOMAIN)


@pytest.mark.parametrize("command", named_in_readme())
def test_a_command_that_the_readme_lists_says_that_it_is_not_supported(virsh, peer, things, command):
    places = {FILE: things, "@URI@": peer.uri()}
    arguments = [places.get(part, part) for part in ARGUMENTS.get(command, [DOMAIN])]
    assert "this function is not supported by the connection driver" in \
        virsh.fails(command, *arguments)
