"""What a connection says about itself, the daemon and the host."""

import glob
import os
import platform
import re
import socket
import time
import xml.etree.ElementTree as ET

import libvirt
import pytest

from conftest import Virsh, open_connection
from listener import Loop

BOTH = pytest.mark.parametrize("driver", ["qemu", "test"])


def test_the_uri_is_the_one_that_was_opened_without_the_transport(peer):
    connection = open_connection(peer.uri())
    assert connection.getURI() == peer.uri()
    connection.close()


def test_the_type_of_a_qemu_connection_is_qemu(connection):
    assert connection.getType() == "QEMU"


def test_the_type_of_a_test_connection_is_test(test_connection):
    assert test_connection.getType() == "TEST"


def test_the_hostname_is_the_machines(connection):
    assert connection.getHostname() == socket.gethostname()


def test_the_library_version_is_a_libvirt_version(connection):
    assert connection.getLibVersion() >= 9000000


def test_the_hypervisor_version_is_qemus(connection):
    qemu = os.popen("qemu-system-%s --version" % platform.machine()).read()
    major, minor, micro = map(int, re.search(r"version (\d+)\.(\d+)\.(\d+)", qemu).groups())
    assert connection.getVersion() == major * 1000000 + minor * 1000 + micro


def test_the_test_hypervisors_version_is_2(test_connection):
    assert test_connection.getVersion() == 2


def test_virsh_version_shows_library_and_hypervisor(virsh):
    out = virsh("version")
    assert re.search(r"^Using API: QEMU \d+\.\d+\.\d+$", out, re.M)
    assert re.search(r"^Running hypervisor: QEMU \d+\.\d+\.\d+$", out, re.M)


def test_virsh_version_shows_the_daemons_own(virsh):
    assert re.search(r"^Running against daemon: \d+\.\d+\.\d+$", virsh("version", "--daemon"), re.M)


@BOTH
def test_a_unix_connection_is_alive_secure_and_not_encrypted(peer, driver):
    connection = open_connection(peer.uri(driver))
    assert connection.isAlive() == 1
    assert connection.isSecure() == 1
    assert connection.isEncrypted() == 0
    connection.close()


@BOTH
def test_a_read_only_connection_can_look(peer, driver):
    connection = open_connection(peer.uri(driver, readonly=True), readonly=True)
    assert connection.listAllDomains() is not None
    connection.close()


@BOTH
def test_a_read_only_connection_can_not_change(peer, driver):
    connection = open_connection(peer.uri(driver, readonly=True), readonly=True)
    with pytest.raises(libvirt.libvirtError) as caught:
        connection.defineXML("<domain type='test'><name>x</name></domain>")
    assert caught.value.get_error_code() == libvirt.VIR_ERR_OPERATION_DENIED
    connection.close()


def test_the_read_only_socket_refuses_a_writing_connection(peer):
    writer = "qemu+unix:///system?socket=%s" % peer.socket_path(readonly=True)
    connection = open_connection(writer)
    with pytest.raises(libvirt.libvirtError) as caught:
        connection.defineXML("<domain type='test'><name>x</name></domain>")
    assert caught.value.get_error_code() == libvirt.VIR_ERR_OPERATION_DENIED
    connection.close()


def test_an_unknown_driver_is_refused_and_named(peer):
    error = Virsh("xyz+unix:///system?socket=%s" % peer.socket_path()).fails("uri")
    assert "xyz" in error


def test_an_unknown_test_path_is_refused(peer):
    error = Virsh("test+unix:///nowhere/x.xml?socket=%s" % peer.socket_path()).fails("list")
    assert "/nowhere/x.xml" in error


def test_an_unknown_qemu_path_is_refused(peer):
    error = Virsh("qemu+unix:///nowhere?socket=%s" % peer.socket_path()).fails("list")
    assert "unexpected qemu URI path '/nowhere', try qemu:///system" in error


def memory_of_the_nodes():
    """MiB in all NUMA nodes, which is what libvirt calls the memory of the machine."""
    kib = 0
    for meminfo in glob.glob("/sys/devices/system/node/node*/meminfo"):
        with open(meminfo) as text:
            kib += int(re.search(r"MemTotal:\s+(\d+)", text.read()).group(1))
    return kib // 1024


def test_nodeinfo_is_the_machines(connection):
    model, megabytes, cpus, mhz, nodes, sockets, cores, threads = connection.getInfo()
    assert model == platform.machine()
    assert cpus == os.cpu_count()
    assert megabytes == memory_of_the_nodes()
    assert nodes * sockets * cores * threads >= cpus


def test_the_test_hypervisors_node_is_an_i686_of_3_gib(test_connection):
    assert test_connection.getInfo() == ["i686", 3072, 16, 1400, 2, 2, 2, 2]


def test_capabilities_name_the_hosts_architecture(connection):
    capabilities = ET.fromstring(connection.getCapabilities())
    assert capabilities.findtext("host/cpu/arch") == platform.machine()


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_capabilities_offer_guests_of_both_architectures(connection, arch):
    capabilities = ET.fromstring(connection.getCapabilities())
    guest = [g for g in capabilities.findall("guest") if g.find("arch").get("name") == arch][0]
    assert guest.findtext("os_type") == "hvm"
    assert guest.findtext("arch/emulator") == "/usr/bin/qemu-system-" + arch
    assert guest.find("arch/domain[@type='qemu']") is not None


def test_the_host_uuid_of_the_capabilities_stays_the_same(connection):
    first = ET.fromstring(connection.getCapabilities()).findtext("host/uuid")
    assert first == ET.fromstring(connection.getCapabilities()).findtext("host/uuid")
    assert len(first) == 36


def test_the_machines_of_x86_64_have_pc_and_q35(connection):
    capabilities = ET.fromstring(connection.getCapabilities())
    arch = capabilities.find("guest/arch[@name='x86_64']")
    machines = [machine.text for machine in arch.findall("machine")]
    assert "pc" in machines and "q35" in machines


def test_the_test_hypervisors_capabilities_offer_hvm_on_i686(test_connection):
    capabilities = ET.fromstring(test_connection.getCapabilities())
    assert capabilities.findtext("host/cpu/arch") == "i686"
    assert capabilities.find("guest/arch[@name='i686']") is not None


@pytest.mark.parametrize("arch,machine,emulator", [
    ("x86_64", "q35", "/usr/bin/qemu-system-x86_64"),
    ("x86_64", "pc", "/usr/bin/qemu-system-x86_64"),
    ("aarch64", "virt", "/usr/bin/qemu-system-aarch64")])
def test_domain_capabilities_resolve_the_machine(connection, arch, machine, emulator):
    found = ET.fromstring(connection.getDomainCapabilities(None, arch, machine, "qemu", 0))
    assert found.findtext("path") == emulator
    assert found.findtext("domain") == "qemu"
    assert found.findtext("arch") == arch
    assert found.findtext("machine").startswith({"pc": "pc-i440fx-", "q35": "pc-q35-",
                                                 "virt": "virt-"}[machine])


def test_domain_capabilities_list_disk_buses(connection):
    found = ET.fromstring(connection.getDomainCapabilities(None, "x86_64", "q35", "qemu", 0))
    buses = [value.text for value in found.findall("devices/disk/enum[@name='bus']/value")]
    assert {"virtio", "scsi", "sata", "usb", "fdc"} <= set(buses)


def test_domain_capabilities_of_an_unknown_architecture_are_refused(connection):
    with pytest.raises(libvirt.libvirtError) as caught:
        connection.getDomainCapabilities(None, "vax", None, "qemu", 0)
    assert caught.value.get_error_code() == libvirt.VIR_ERR_INVALID_ARG
    assert "unknown architecture: vax" in str(caught.value)


def test_domain_capabilities_of_an_unknown_machine_are_refused(connection):
    with pytest.raises(libvirt.libvirtError) as caught:
        connection.getDomainCapabilities(None, "x86_64", "abacus", "qemu", 0)
    assert caught.value.get_error_code() == libvirt.VIR_ERR_INVALID_ARG
    assert "the machine 'abacus' is not supported by emulator" in str(caught.value)


def test_domain_capabilities_of_an_unknown_type_are_refused(connection):
    with pytest.raises(libvirt.libvirtError) as caught:
        connection.getDomainCapabilities(None, "x86_64", "q35", "abacus", 0)
    assert caught.value.get_error_code() == libvirt.VIR_ERR_INVALID_ARG
    assert "unknown virttype: abacus" in str(caught.value)


def test_sysinfo_is_xml_of_the_smbios_tables_or_said_to_be_missing(connection):
    try:
        assert ET.fromstring(connection.getSysinfo()).get("type") == "smbios"
    except libvirt.libvirtError as error:
        assert error.get_error_code() == libvirt.VIR_ERR_CONFIG_UNSUPPORTED
        assert "Host SMBIOS information is not available" in str(error)


def test_the_cpu_map_of_the_host_covers_every_cpu(connection):
    count, present, online = connection.getCPUMap()
    assert count == os.cpu_count()
    assert online == sum(1 for cpu in present if cpu) == os.cpu_count()


def test_virsh_nodecpumap_prints_present_and_online(virsh):
    out = virsh("nodecpumap")
    assert re.search(r"^CPUs present:\s+%d$" % os.cpu_count(), out, re.M)
    assert re.search(r"^CPU map:\s+y+$", out, re.M)


def test_node_cpu_statistics_count_time(connection):
    stats = connection.getCPUStats(libvirt.VIR_NODE_CPU_STATS_ALL_CPUS)
    assert set(stats) == {"kernel", "user", "idle", "iowait"}
    assert stats["idle"] > 0


def test_node_cpu_statistics_of_a_missing_cpu_are_refused(connection):
    with pytest.raises(libvirt.libvirtError) as caught:
        connection.getCPUStats(4000)
    assert caught.value.get_error_code() == libvirt.VIR_ERR_INVALID_ARG


def test_node_memory_statistics_add_up(connection):
    stats = connection.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)
    assert set(stats) == {"total", "free", "buffers", "cached"}
    assert stats["free"] < stats["total"]


def test_free_memory_is_less_than_all(connection):
    assert 0 < connection.getFreeMemory() < connection.getInfo()[1] * 1024 * 1024 * 1.01


def test_the_cpu_models_of_x86_64_have_qemu64_and_newer_ones(connection):
    models = connection.getCPUModelNames("x86_64", 0)
    assert {"qemu64", "Nehalem", "Skylake-Client", "EPYC"} <= set(models)


def test_the_cpu_models_of_an_unknown_architecture_are_refused(connection):
    with pytest.raises(libvirt.libvirtError):
        connection.getCPUModelNames("vax", 0)


def test_max_vcpus_of_qemu_tcg_is_positive(connection):
    assert connection.getMaxVcpus("qemu") >= 1


def test_max_vcpus_of_the_test_hypervisor_is_32(test_connection):
    assert test_connection.getMaxVcpus(None) == 32


def test_numbers_of_domains_of_an_empty_daemon_are_0(connection):
    assert connection.numOfDomains() == 0
    assert connection.numOfDefinedDomains() == 0
    assert connection.listDomainsID() == []
    assert connection.listDefinedDomains() == []


def test_two_clients_at_once_are_served(peer):
    one, other = open_connection(peer.uri()), open_connection(peer.uri())
    assert one.getHostname() == other.getHostname()
    one.close()
    assert other.isAlive() == 1
    other.close()


def test_keepalive_of_the_client_is_answered(peer):
    Loop.start()
    connection = open_connection(peer.uri())
    connection.setKeepAlive(1, 2)
    time.sleep(4)
    assert connection.isAlive() == 1
    connection.close()


def test_unknown_flags_are_refused_with_their_value(connection):
    with pytest.raises(libvirt.libvirtError) as caught:
        connection.listAllDomains(1 << 30)
    assert "unsupported flags (0x40000000)" in str(caught.value)
    assert caught.value.get_error_code() == libvirt.VIR_ERR_INVALID_ARG
