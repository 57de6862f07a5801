"""What is told of a QEMU domain's disks: sizes, chains of images, block devices."""

import os
import subprocess

import libvirt
import pytest

from guest import domain_xml

DISK = """<disk type='%s' device='disk'><driver name='qemu' type='%s'/><source %s='%s'/>
<target dev='vda' bus='virtio'/></disk>"""
MIB = 1024 * 1024


@pytest.fixture
def define(connection):
    domains = []

    def make(devices):
        domains.append(connection.defineXML(domain_xml("disks", memory=64, devices=devices)))
        return domains[-1]
    yield make
    for domain in domains:
        if domain.isActive():
            domain.destroy()
        domain.undefine()


@pytest.fixture
def chain(peer, define):
    """A domain whose disk has three images, with the paths of these from the top."""
    paths = [peer.path("images", name) for name in ("top.qcow2", "middle.qcow2", "base.raw")]
    subprocess.check_call(["qemu-img", "create", "-q", "-f", "raw", paths[2], "4M"])
    for image, below, form in ((paths[1], paths[2], "raw"), (paths[0], paths[1], "qcow2")):
        subprocess.check_call(["qemu-img", "create", "-q", "-f", "qcow2", "-b", below, "-F", form, image])
    return define(DISK % ("file", "qcow2", "file", paths[0])), paths


@pytest.fixture
def device(peer):
    """A block device of 4 MiB."""
    path = peer.path("images", "device.raw")
    with open(path, "w") as image:
        image.truncate(4 * MIB)
    made = subprocess.run(["losetup", "-f", "--show", path], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) if os.geteuid() == 0 else None
    if not made or made.returncode != 0:
        pytest.skip("no block device can be made here")
    yield made.stdout.strip()
    subprocess.check_call(["losetup", "-d", made.stdout.strip()])


def block_stats(domain, flags=0):
    return domain.connect().domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_BLOCK, flags)[0][1]


def test_statistics_of_a_running_guest_show_every_image_of_a_chain_on_demand(chain):
    domain, paths = chain
    domain.create()
    assert block_stats(domain)["block.count"] == 1
    stats = block_stats(domain, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING)
    assert stats["block.count"] == 3
    assert [stats["block.%d.path" % i] for i in range(3)] == paths
    assert [stats["block.%d.capacity" % i] for i in range(3)] == [4 * MIB] * 3
    assert "block.0.rd.reqs" in stats and "block.1.rd.reqs" not in stats
    assert len({stats["block.%d.backingIndex" % i] for i in range(3)}) == 3


def test_statistics_of_a_domain_that_is_off_come_from_its_image(chain):
    domain, paths = chain
    stats = block_stats(domain)
    assert stats["block.0.capacity"] == 4 * MIB
    assert stats["block.0.physical"] == os.path.getsize(paths[0])
    assert "block.0.rd.reqs" not in stats


def test_an_image_that_is_missing_has_no_sizes_and_hides_nothing_else(define, peer):
    other = (DISK % ("file", "raw", "file", peer.path("images", "other.raw"))).replace("vda", "vdb")
    with open(peer.path("images", "other.raw"), "w") as image:
        image.truncate(MIB)
    domain = define(DISK % ("file", "raw", "file", peer.path("images", "nowhere.raw")) + other)
    stats = block_stats(domain)
    assert stats["block.count"] == 2
    assert "block.0.capacity" not in stats and stats["block.1.capacity"] == MIB


@pytest.mark.parametrize("is_running", [False, True])
def test_a_block_device_is_as_large_as_it_is(define, device, is_running):
    domain = define(DISK % ("block", "raw", "dev", device))
    if is_running:
        domain.create()
    capacity, _, physical = domain.blockInfo("vda")
    assert capacity == physical == 4 * MIB
    assert block_stats(domain)["block.0.physical"] == 4 * MIB
