"""What virt-install and virt-manager need beside domains: directory pools, and a guest's display."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

import pytest

import guest
import peer as peers


@pytest.fixture
def pool(virsh):
    """A running pool over an empty directory, which the guest's user can reach."""
    top = tempfile.mkdtemp(prefix="nv-pool-")
    os.chmod(top, 0o711)
    directory = pathlib.Path(top, "pool")
    virsh("pool-define-as", "tools", "dir", "--target", directory)
    virsh("pool-build", "tools")
    virsh("pool-start", "tools")
    yield directory
    virsh.run("pool-destroy", "tools")
    virsh.run("pool-undefine", "tools")
    shutil.rmtree(top)


def test_a_file_that_appears_in_a_pool_is_a_volume_at_once(virsh, pool):
    (pool / "a.img").write_bytes(b"\0" * 4096)
    assert "a.img" in virsh("vol-list", "tools")
    assert virsh("vol-pool", pool / "a.img") == "tools"


def test_a_qcow2_volume_is_made_with_its_capacity_and_backing_file(virsh, pool):
    virsh("vol-create-as", "tools", "base.qcow2", "1G", "--format", "qcow2")
    virsh("vol-create-as", "tools", "top.qcow2", "2G", "--format", "qcow2",
          "--backing-vol", "base.qcow2", "--backing-vol-format", "qcow2")
    xml = virsh("vol-dumpxml", "top.qcow2", "tools")
    assert "<capacity unit='bytes'>2147483648</capacity>" in xml
    assert "<path>%s</path>" % (pool / "base.qcow2") in xml
    assert os.stat(pool / "top.qcow2").st_mode & 0o777 == 0o600


def test_a_volume_that_exists_is_not_made_again(virsh, pool):
    (pool / "a.img").write_bytes(b"mine")
    assert "storage volume 'a.img' exists already" in virsh.fails(
        "vol-create-as", "tools", "a.img", "1M")
    assert (pool / "a.img").read_bytes() == b"mine"


def test_of_those_who_make_the_same_volume_at_once_one_gets_it(virsh, pool):
    """The others must neither make it anew below the first, nor take it away when they fail."""
    with concurrent.futures.ThreadPoolExecutor(6) as clients:
        results = list(clients.map(
            lambda size: virsh.run("vol-create-as", "tools", "one.img", "%dM" % size, "--format",
                                   "qcow2"), range(1, 7)))
    made = [size for size, result in enumerate(results, 1) if result.status == 0]
    assert len(made) == 1
    assert all("exists already" in result.err for result in results if result.status != 0)
    capacity = "<capacity unit='bytes'>%d</capacity>" % (made[0] << 20)
    assert capacity in virsh("vol-dumpxml", "one.img", "tools")


def test_a_volume_can_not_be_named_out_of_its_pool(virsh, pool):
    (pool.parent / "secret").write_bytes(b"x")
    virsh.fails("vol-create-as", "tools", "../made", "1M")
    assert not (pool.parent / "made").exists()


def test_two_pools_can_not_share_a_directory(virsh, pool):
    assert "Storage source conflict with pool: 'tools'" in virsh.fails(
        "pool-define-as", "other", "dir", "--target", pool)


def test_an_inactive_pool_shows_no_volumes(virsh, pool):
    virsh("pool-destroy", "tools")
    assert "storage pool 'tools' is not active" in virsh.fails("vol-list", "tools")


def test_a_running_pool_is_not_undefined(virsh, pool):
    assert "storage pool 'tools' is still active" in virsh.fails("pool-undefine", "tools")


def test_types_of_pools_that_are_not_built_are_refused(virsh):
    assert "missing backend for pool type" in virsh.fails(
        "pool-define-as", "lvm", "logical", "--target", "/dev/lvm")


def test_the_display_of_a_guest_comes_over_a_socket(virsh, connection):
    xml = guest.domain_xml("tools-display", agent=False, devices="<graphics type='vnc' port='-1'/>")
    virsh("create", "/dev/stdin", "--paused", stdin=xml)
    try:
        display = connection.lookupByName("tools-display").openGraphicsFD(0, 0)
        with socket.socket(fileno=display) as stream:
            stream.settimeout(peers.PATIENCE)
            assert stream.recv(4) == b"RFB "
    finally:
        guest.remove(virsh, "tools-display")


@pytest.mark.skipif(not os.path.exists("/usr/bin/virt-install"), reason="virtinst is not installed")
def test_virt_install_imports_a_disk(virsh, pool):
    virsh("vol-create-as", "tools", "disk.qcow2", "64M", "--format", "qcow2")
    made = subprocess.run(
        ["virt-install", "--connect", virsh.uri, "--name", "tools-import", "--memory", "64",
         "--virt-type", "qemu", "--import", "--disk", str(pool / "disk.qcow2"), "--osinfo",
         "detect=off,require=off", "--graphics", "none", "--network", "user", "--noautoconsole"],
        capture_output=True, text=True, timeout=2 * peers.PATIENCE)
    try:
        assert made.returncode == 0, made.stdout + made.stderr
        assert str(pool / "disk.qcow2") in virsh("domblklist", "tools-import")
    finally:
        guest.remove(virsh, "tools-import")


def test_disks_are_throttled_as_the_definition_says(virsh, peer):
    disks = ""
    for bus, target in (("virtio", "vda"), ("scsi", "sda"), ("sata", "sdb"), ("usb", "sdc")):
        image = peer.path("images", "throttled-%s.raw" % bus)
        with open(image, "wb") as out:
            out.truncate(1 << 20)
        disks += ("<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
                  "<source file='%s'/><target dev='%s' bus='%s'/><iotune>"
                  "<total_bytes_sec>1000000</total_bytes_sec><read_iops_sec>77</read_iops_sec>"
                  "</iotune></disk>" % (image, target, bus))
    virsh("create", "/dev/stdin", "--paused",
          stdin=guest.domain_xml("throttled", devices=disks, agent=False))
    try:
        answer = json.loads(virsh("qemu-monitor-command", "throttled",
                                  '{"execute":"query-block"}'))["return"]
        told = [(device["inserted"]["bps"], device["inserted"]["iops_rd"])
                for device in answer if device.get("inserted")]
        assert told == [(1000000, 77)] * 4
    finally:
        virsh("destroy", "throttled")
