"""test:///default: the driver that needs nothing, which every client library is tried out on."""

import libvirt
import pytest

from conftest import Virsh, names, open_connection, refused
from listener import Listener

UUID = "66666666-0000-4000-8000-%012d"
PREDEFINED = "6695eb01-f6a4-8304-79aa-97f2502e193f"
XML = """<domain type='test'><name>%s</name><uuid>%s</uuid>%s<memory unit='KiB'>65536</memory>%s
<os><type arch='i686'>hvm</type></os></domain>"""


@pytest.fixture
def test(test_connection):
    """A connection to a test hypervisor as new: it forgets when its last connection closes."""
    return test_connection


def xml(name="d", number=1, head="", vcpus="<vcpu current='1'>2</vcpu>"):
    return XML % (name, UUID % number, head, vcpus)


def test_a_domain_named_test_runs_from_the_beginning(test):
    domain = test.lookupByName("test")
    assert domain.UUIDString() == PREDEFINED
    assert domain.ID() == 1
    assert domain.state() == [libvirt.VIR_DOMAIN_RUNNING, 0]
    assert (domain.isActive(), domain.isPersistent()) == (1, 1)
    assert domain.info()[:4] == [libvirt.VIR_DOMAIN_RUNNING, 8388608, 2097152, 2]


def test_the_last_connection_takes_all_changes_with_it(peer):
    first = open_connection(peer.uri("test"))
    first.defineXML(xml("kept"))
    second = open_connection(peer.uri("test"))
    first.close()
    assert names(second.listAllDomains()) == ["kept", "test"]
    second.close()
    third = open_connection(peer.uri("test"))
    assert names(third.listAllDomains()) == ["test"]
    third.close()


def test_connections_share_the_domains(peer, test):
    test.defineXML(xml("shared"))
    other = open_connection(peer.uri("test"))
    assert names(other.listAllDomains()) == ["shared", "test"]
    other.close()


def test_domains_of_the_test_driver_are_none_of_qemus(connection, test):
    test.defineXML(xml("hidden"))
    assert connection.listAllDomains() == []


def test_a_definition_is_persistent_and_off(test):
    domain = test.defineXML(xml())
    assert (domain.isPersistent(), domain.isActive(), domain.ID()) == (1, 0, -1)
    assert domain.state()[0] == libvirt.VIR_DOMAIN_SHUTOFF


def test_start_suspend_resume_shutdown_have_their_states_and_reasons(test):
    domain = test.defineXML(xml())
    domain.create()
    assert domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED]
    domain.suspend()
    assert domain.state() == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER]
    domain.resume()
    assert domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED]
    domain.shutdown()
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN]
    domain.create()
    domain.destroy()
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED]


def test_ids_count_up(test):
    first, second = test.defineXML(xml("a", 1)), test.defineXML(xml("b", 2))
    first.create()
    second.create()
    assert (first.ID(), second.ID()) == (2, 3)
    first.destroy()
    first.create()
    assert first.ID() == 4


@pytest.mark.parametrize("action,expected", [("restart", libvirt.VIR_DOMAIN_RUNNING),
                                             ("destroy", libvirt.VIR_DOMAIN_SHUTOFF),
                                             ("preserve", libvirt.VIR_DOMAIN_SHUTOFF)])
def test_reboot_does_what_on_reboot_says(test, action, expected):
    text = xml().replace("</domain>", "<on_reboot>%s</on_reboot></domain>" % action)
    domain = test.defineXML(text)
    domain.create()
    domain.reboot()
    assert domain.state()[0] == expected


def test_a_created_domain_is_gone_after_its_end(test):
    domain = test.createXML(xml())
    assert (domain.isPersistent(), domain.isActive()) == (0, 1)
    domain.destroy()
    refused(libvirt.VIR_ERR_NO_DOMAIN, test.lookupByName, "d")


def test_a_started_domain_can_not_be_started_again(test):
    domain = test.createXML(xml())
    refused(libvirt.VIR_ERR_INTERNAL_ERROR, domain.create)


@pytest.mark.parametrize("call", ["suspend", "resume", "shutdown"])
def test_what_needs_a_running_domain_is_refused_when_it_is_off(test, call):
    domain = test.defineXML(xml())
    with pytest.raises(libvirt.libvirtError):
        getattr(domain, call)()
    assert domain.isActive() == 0


def test_a_taken_name_with_another_uuid_is_refused(test):
    test.defineXML(xml("d", 1))
    assert "domain 'd' already exists with uuid " + UUID % 1 in refused(
        libvirt.VIR_ERR_OPERATION_FAILED, test.defineXML, xml("d", 2))


def test_a_taken_uuid_with_another_name_is_refused(test):
    test.defineXML(xml("d", 1))
    assert "domain 'd' is already defined with uuid " + UUID % 1 in refused(
        libvirt.VIR_ERR_OPERATION_FAILED, test.defineXML, xml("e", 1))


@pytest.mark.parametrize("flags,expected", [
    (0, ["off", "paused", "test", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE, ["paused", "test", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_INACTIVE, ["off"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT, ["off", "paused", "test"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_TRANSIENT, ["transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING, ["test", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_PAUSED, ["paused"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_SHUTOFF, ["off"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_OTHER, []),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, []),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE, ["off", "paused", "test", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART, ["off"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART, ["paused", "test", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, []),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT, ["off", "paused", "test", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT, []),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT, ["off", "paused", "test", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE | libvirt.VIR_CONNECT_LIST_DOMAINS_TRANSIENT |
     libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING, ["transient"])])
def test_a_list_filter_finds_what_it_names(test, flags, expected):
    test.defineXML(xml("off", 1)).setAutostart(1)
    paused = test.defineXML(xml("paused", 2))
    paused.create()
    paused.suspend()
    test.createXML(xml("transient", 3))
    assert names(test.listAllDomains(flags)) == expected


def test_numbers_and_old_lists_agree_with_the_new_one(test):
    test.defineXML(xml("off", 1))
    test.createXML(xml("on", 2))
    assert test.numOfDomains() == 2
    assert sorted(test.listDomainsID()) == [1, 2]
    assert test.numOfDefinedDomains() == 1
    assert test.listDefinedDomains() == ["off"]


def test_lookups_find_what_is_there_and_name_what_is_not(test):
    domain = test.lookupByName("test")
    assert test.lookupByID(1).name() == "test"
    assert test.lookupByUUID(domain.UUID()).name() == "test"
    refused(libvirt.VIR_ERR_NO_DOMAIN, test.lookupByName, "zz")
    refused(libvirt.VIR_ERR_NO_DOMAIN, test.lookupByID, 999)
    refused(libvirt.VIR_ERR_NO_DOMAIN, test.lookupByUUIDString, UUID % 99)


def test_autostart_is_kept(test):
    domain = test.defineXML(xml())
    assert domain.autostart() == 0
    domain.setAutostart(1)
    assert domain.autostart() == 1


def test_rename_keeps_the_uuid(test):
    test.defineXML(xml()).rename("e")
    assert test.lookupByName("e").UUIDString() == UUID % 1
    refused(libvirt.VIR_ERR_NO_DOMAIN, test.lookupByName, "d")


def test_a_running_domain_can_not_be_renamed(test):
    refused(libvirt.VIR_ERR_OPERATION_INVALID, test.lookupByName("test").rename, "e")


def test_a_rename_to_a_taken_name_is_refused(test):
    refused(libvirt.VIR_ERR_OPERATION_INVALID, test.defineXML(xml()).rename, "test")


def test_title_description_and_elements_of_metadata_are_set_and_removed(test):
    domain = test.defineXML(xml())
    title, element = libvirt.VIR_DOMAIN_METADATA_TITLE, libvirt.VIR_DOMAIN_METADATA_ELEMENT
    domain.setMetadata(title, "a title", None, None)
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, "words", None, None)
    domain.setMetadata(element, "<x a='1'/>", "k", "urn:k")
    assert domain.metadata(title, None) == "a title"
    assert domain.metadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, None) == "words"
    assert domain.metadata(element, "urn:k") == '<x a="1"/>'
    domain.setMetadata(element, None, "k", "urn:k")
    refused(libvirt.VIR_ERR_NO_DOMAIN_METADATA, domain.metadata, element, "urn:k")


def test_the_inactive_definition_has_no_id(test):
    domain = test.lookupByName("test")
    assert "<domain type='test' id='1'>" in domain.XMLDesc()
    assert "<domain type='test'>" in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)


def test_what_is_defined_comes_back_as_given(test):
    domain = test.defineXML(xml(head="<title>t</title><description>d &lt; e</description>"))
    text = domain.XMLDesc()
    assert "<title>t</title>" in text
    assert "<description>d &lt; e</description>" in text
    assert test.defineXML(text).XMLDesc() == text


def test_memory_and_vcpus_have_limits(test):
    domain = test.defineXML(xml())
    config = libvirt.VIR_DOMAIN_AFFECT_CONFIG
    domain.setMemoryFlags(32768, config)
    assert domain.info()[2] == 32768
    refused(libvirt.VIR_ERR_INVALID_ARG, domain.setMemoryFlags, 65537, config)
    domain.setVcpusFlags(2, config)
    assert domain.vcpusFlags(config) == 2
    refused(libvirt.VIR_ERR_INVALID_ARG, domain.setVcpusFlags, 3, config)
    refused(libvirt.VIR_ERR_INVALID_ARG, domain.setVcpusFlags, 33,
            config | libvirt.VIR_DOMAIN_VCPU_MAXIMUM)


def test_a_screenshot_is_the_test_picture(test):
    stream = test.newStream()
    assert test.lookupByName("test").screenshot(stream, 0) == "image/png"
    data = b""
    while True:
        piece = stream.recv(65536)
        if not piece:
            break
        data += piece
    stream.finish()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert data[-8:-4] == b"IEND"


def test_hostname_and_time_of_a_guest_are_made_up(test):
    domain = test.lookupByName("test")
    assert domain.hostname() == domain.name() + "host"
    assert domain.getTime() == {"seconds": 627319920, "nseconds": 0}


def test_keys_are_accepted_by_a_running_domain_only(test):
    test.lookupByName("test").sendKey(0, 0, [30], 1, 0)
    refused(libvirt.VIR_ERR_OPERATION_INVALID, test.defineXML(xml()).sendKey, 0, 0, [30], 1, 0)


def test_unknown_flags_are_refused_by_name_of_the_function(test):
    domain = test.lookupByName("test")
    assert "unsupported flags (0x80000000) in function testDomain" in refused(
        libvirt.VIR_ERR_INVALID_ARG, domain.destroyFlags, 1 << 31)


def test_undefining_the_running_domain_makes_it_transient(test):
    domain = test.lookupByName("test")
    domain.undefine()
    assert (domain.isActive(), domain.isPersistent()) == (1, 0)
    domain.destroy()
    assert test.listAllDomains() == []


def test_virsh_works_with_it_end_to_end(peer, test):
    virsh = Virsh(peer.uri("test"))
    virsh("define", "/dev/stdin", stdin=xml("v"))
    virsh("start", "v")
    assert virsh("domstate", "v") == "running"
    virsh("destroy", "v")
    virsh("undefine", "v")
    assert "failed to get domain 'v'" in virsh.fails("domstate", "v")


def test_two_registrations_are_told_of_the_same_event(peer, test):
    one, two = Listener(peer.uri("test")), Listener(peer.uri("test"), old=True)
    test.defineXML(xml("told"))
    one.heard("told", "DEFINED ADDED")
    two.heard("told", "DEFINED ADDED")
    one.close()
    two.close()
