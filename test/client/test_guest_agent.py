"""What a guest's agent tells of the inside and does there, with the real agent in a booted guest."""

import re

import libvirt
import pytest

from conftest import Virsh
from guest import agent_answers, boot, domain_xml, remove
from peer import wait_until

DEVICES = """<interface type='user'><mac address='52:54:00:aa:00:0a'/><model type='virtio'/></interface>"""


@pytest.fixture(scope="module")
def guest(peer):
    virsh = Virsh(peer.uri())
    name = boot(virsh, domain_xml("inside", kernel=True, devices=DEVICES, vcpus="<vcpu>2</vcpu>"))
    agent_answers(virsh, name)
    yield name
    remove(virsh, name)


def test_guestinfo_tells_host_name_time_zone_and_kernel(domain, console):
    info = domain.guestInfo()
    assert info["hostname"] == "inside"
    assert info["timezone.offset"] == 0
    assert info["os.kernel-release"] == console.ask("uname -r")
    assert info["user.count"] >= 0


def test_guestinfo_of_one_type_tells_only_that(domain):
    assert set(domain.guestInfo(libvirt.VIR_DOMAIN_GUEST_INFO_HOSTNAME)) == {"hostname"}


def test_guestinfo_refuses_a_type_that_there_is_not(domain):
    with pytest.raises(libvirt.libvirtError, match="unsupported guest information types '0x1000'") as error:
        domain.guestInfo(0x1000)
    assert error.value.get_error_code() == libvirt.VIR_ERR_INVALID_ARG


def test_guestinfo_lists_interfaces_with_their_addresses(virsh, guest, console):
    console.ask("ip address add 192.0.2.7/24 dev eth0; ip link set eth0 up; ip link set lo up")
    lines = virsh("guestinfo", guest, "--interface").splitlines()
    values = dict(re.split(r"\s*: ", line, maxsplit=1) for line in lines if ": " in line)
    number = next(key.split(".")[1] for key, value in values.items() if value == "eth0")
    assert values["if.%s.hwaddr" % number] == "52:54:00:aa:00:0a"
    assert "192.0.2.7" in values.values()


def test_domifaddr_by_the_agent_shows_the_address_inside(virsh, guest, console):
    console.ask("ip address add 192.0.2.7/24 dev eth0; ip link set eth0 up")
    assert re.search(r"eth0\s+52:54:00:aa:00:0a\s+ipv4\s+192\.0\.2\.7/24",
                     virsh("domifaddr", guest, "--source", "agent"))


def test_domifaddr_without_a_source_lists_nothing_for_a_guest_without_a_network(domain):
    assert domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE) == {}


@pytest.mark.nanovirtd_only(reason="libvirtd can not ask the kernel in an empty network namespace")
def test_domifaddr_by_arp_lists_nothing_that_the_host_has_not_seen(domain):
    assert domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP) == {}


def test_domifaddr_refuses_an_unknown_source(domain):
    with pytest.raises(libvirt.libvirtError, match="Unknown IP address data source 9"):
        domain.interfaceAddresses(9)


def test_the_guest_agent_counts_the_processors_that_are_online(virsh, guest):
    assert virsh("vcpucount", guest, "--guest") == "2"
    assert virsh("guestvcpus", guest).split() == ["vcpus", ":", "0-1", "online", ":", "0-1",
                                                  "offlinable", ":", "1"] or \
        "offlinable" in virsh("guestvcpus", guest)


def test_setvcpus_guest_takes_a_processor_offline_and_brings_it_back(virsh, guest, console):
    virsh("setvcpus", guest, "1", "--guest")
    assert console.ask("cat /sys/devices/system/cpu/online") == "0"
    assert virsh("vcpucount", guest, "--guest") == "1"
    assert virsh("vcpucount", guest, "--live") == "2"
    virsh("setvcpus", guest, "2", "--guest")
    assert console.ask("cat /sys/devices/system/cpu/online") == "0-1"


def test_setvcpus_guest_refuses_more_than_there_are(virsh, guest):
    assert "requested vcpu count is greater than the count of enabled vcpus in the domain: 3 > 2" in \
        virsh.fails("setvcpus", guest, "3", "--guest")


def test_guestvcpus_takes_one_processor_offline_by_name(virsh, guest, console):
    virsh("guestvcpus", guest, "--cpulist", "1", "--disable")
    assert console.ask("cat /sys/devices/system/cpu/online") == "0"
    virsh("guestvcpus", guest, "--cpulist", "1", "--enable")
    assert console.ask("cat /sys/devices/system/cpu/online") == "0-1"


def test_guestvcpus_names_the_processors_that_the_guest_does_not_have(virsh, guest):
    assert "guest is missing vCPUs '5-6'" in \
        virsh.fails("guestvcpus", guest, "--cpulist", "5-6", "--enable")


def test_guestvcpus_refuses_what_is_no_list(virsh, guest):
    assert "Failed to parse bitmap 'x'" in \
        virsh.fails("guestvcpus", guest, "--cpulist", "x", "--enable")


def test_a_password_set_from_outside_arrives_at_the_program_that_sets_it(virsh, guest, console):
    console.ask("rm -f /bin/chpasswd /sbin/chpasswd; "
                "printf '#!/bin/sh\\n(printf \"%%s \" \"$@\"; cat) > /tmp/asked\\n' > /sbin/chpasswd; "
                "chmod 755 /sbin/chpasswd")
    virsh("set-user-password", guest, "root", "$6$salt$hash", "--encrypted")
    assert console.ask("cat /tmp/asked").split() == ["-e", "root:$6$salt$hash"]
    virsh("set-user-password", guest, "someone", "plain words")
    assert console.ask("cat /tmp/asked") == "someone:plain words"


def test_freezing_reports_what_the_agent_says(domain):
    """The guest's file systems are all in memory: its agent freezes none, and says so or refuses."""
    try:
        frozen = domain.fsFreeze()
        assert frozen == domain.fsThaw()
    except libvirt.libvirtError as error:
        assert "unable to execute QEMU agent command 'guest-fsfreeze-freeze'" in str(error)


def test_thawing_of_single_mount_points_is_refused(domain):
    with pytest.raises(libvirt.libvirtError, match="specifying mountpoints is not supported"):
        domain.fsThaw(["/"])


def test_trimming_of_one_mount_point_is_refused(domain):
    with pytest.raises(libvirt.libvirtError, match="Specifying mount point is not supported for now"):
        domain.fSTrim("/", 0)


def test_trimming_reaches_the_agent(virsh, guest):
    result = virsh.run("domfstrim", guest)
    assert result.status == 0 or "QEMU agent command 'guest-fstrim'" in result.err


def test_keys_of_a_user_are_set_added_removed_and_read(domain, console):
    console.ask("mkdir -p /root; rm -rf /root/.ssh")
    one, two = "ssh-ed25519 AAAAone a@b", "ssh-ed25519 AAAAtwo c@d"
    domain.authorizedSSHKeysSet("root", [one])
    domain.authorizedSSHKeysSet("root", [two], libvirt.VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND)
    assert sorted(domain.authorizedSSHKeysGet("root")) == [one, two]
    assert sorted(console.ask("cat /root/.ssh/authorized_keys").splitlines()) == [one, two]
    domain.authorizedSSHKeysSet("root", [one], libvirt.VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE)
    assert domain.authorizedSSHKeysGet("root") == [two]
    domain.authorizedSSHKeysSet("root", None)
    assert domain.authorizedSSHKeysGet("root") == []


def test_keys_of_nobody_are_an_error(domain):
    with pytest.raises(libvirt.libvirtError, match="guest-ssh-get-authorized-keys") as error:
        domain.authorizedSSHKeysGet("nobody-there")
    assert error.value.get_error_code() == libvirt.VIR_ERR_INTERNAL_ERROR


def test_a_time_out_for_the_agent_of_no_time_lets_nothing_be_asked(domain):
    domain.agentSetResponseTimeout(libvirt.VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_NOWAIT)
    try:
        with pytest.raises(libvirt.libvirtError) as error:
            domain.authorizedSSHKeysGet("root")
        assert error.value.get_error_code() == libvirt.VIR_ERR_AGENT_UNRESPONSIVE
    finally:
        domain.agentSetResponseTimeout(libvirt.VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK)
    assert domain.hostname(libvirt.VIR_DOMAIN_GET_HOSTNAME_AGENT) == "inside"


def test_a_host_name_that_the_agent_does_not_tell_is_none(domain):
    domain.agentSetResponseTimeout(libvirt.VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_NOWAIT)
    try:
        with pytest.raises(libvirt.libvirtError, match="no hostname found for domain inside") as error:
            domain.hostname(libvirt.VIR_DOMAIN_GET_HOSTNAME_AGENT)
        assert error.value.get_error_code() == libvirt.VIR_ERR_NO_HOSTNAME
    finally:
        domain.agentSetResponseTimeout(libvirt.VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK)


def test_a_guest_put_to_sleep_is_suspended_until_it_is_woken(virsh, guest, domain, console):
    if "mem" not in console.ask("cat /sys/power/state"):
        pytest.skip("this kernel does not sleep")
    domain.pMSuspendForDuration(libvirt.VIR_NODE_SUSPEND_TARGET_MEM, 0)
    wait_until(lambda: domain.state()[0] == libvirt.VIR_DOMAIN_PMSUSPENDED, "the guest asleep")
    with pytest.raises(libvirt.libvirtError, match="domain is pmsuspended"):
        domain.resume()
    domain.pMWakeup()
    wait_until(lambda: domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING, "the guest awake")
    console.type("\r")  # the serial line may lose what comes first
    agent_answers(virsh, guest)
