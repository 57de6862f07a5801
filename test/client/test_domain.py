"""QEMU domains from definition to undefinition: the rules that need no booted guest.

The guests run (QEMU's firmware looks for something to boot), most of them for a second.
"""

import os
import re
import xml.etree.ElementTree as ET

import libvirt
import pytest

import peer as peers
from conftest import names, refused
from guest import domain_xml, remove_all

UUID = "33333333-0000-4000-8000-%012d"


class Shelf:
    """Makes domains and takes them away again."""

    def __init__(self, connection):
        self.connection = connection
        self.number = 0
        self.names = set()

    def xml(self, name="d", **parts):
        self.number += 1
        self.names.add(name)
        parts.setdefault("memory", 64)
        parts.setdefault("uuid", UUID % self.number)
        return domain_xml(name, **parts)

    def define(self, name="d", **parts):
        return self.connection.defineXML(self.xml(name, **parts))

    def start(self, name="d", flags=0, **parts):
        domain = self.define(name, **parts)
        domain.createWithFlags(flags)
        return domain

    def create(self, name="d", flags=0, **parts):
        return self.connection.createXML(self.xml(name, **parts), flags)


@pytest.fixture
def shelf(connection):
    shelf = Shelf(connection)
    yield shelf
    remove_all(connection)


def inactive(domain):
    return ET.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))


# Definition

def test_a_defined_domain_is_persistent_inactive_and_never_started(shelf):
    domain = shelf.define()
    assert (domain.isPersistent(), domain.isActive(), domain.isUpdated()) == (1, 0, 0)
    assert domain.ID() == -1
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_UNKNOWN]


def test_a_definition_is_a_file_named_after_the_domain(peer, shelf):
    shelf.define()
    with open(peer.path("etc/libvirt/qemu/d.xml")) as text:
        assert "<name>d</name>" in text.read()


def test_a_definition_file_warns_and_holds_the_definition(peer, shelf):
    domain = shelf.define()
    with open(peer.path("etc/libvirt/qemu/d.xml")) as text:
        content = text.read()
    assert content.startswith("<!--\nWARNING: THIS IS AN AUTO-GENERATED FILE.")
    root = ET.fromstring(content)
    assert root.findtext("uuid") == domain.UUIDString()


def test_undefining_removes_the_file(peer, shelf):
    shelf.define().undefine()
    assert not os.path.exists(peer.path("etc/libvirt/qemu/d.xml"))


def test_a_domain_without_a_uuid_is_given_one(shelf):
    first = shelf.define(uuid="")
    assert re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", first.UUIDString())


def test_lookups_by_name_uuid_and_id_find_the_same(connection, shelf):
    domain = shelf.start()
    for found in (connection.lookupByName("d"), connection.lookupByUUIDString(domain.UUIDString()),
                  connection.lookupByUUID(domain.UUID()), connection.lookupByID(domain.ID())):
        assert found.UUIDString() == domain.UUIDString()


@pytest.mark.parametrize("text,lookup", [
    ("no domain with matching name 'zz'", lambda c: c.lookupByName("zz")),
    ("no domain with matching uuid '%s'" % (UUID % 999), lambda c: c.lookupByUUIDString(UUID % 999)),
    ("no domain with matching id 77", lambda c: c.lookupByID(77))])
def test_a_lookup_of_what_is_not_there_says_so(connection, text, lookup):
    assert text in refused(libvirt.VIR_ERR_NO_DOMAIN, lookup, connection)


def test_defining_again_replaces_the_definition(shelf):
    shelf.define(uuid=UUID % 500)
    domain = shelf.define(uuid=UUID % 500, memory=128)
    assert domain.maxMemory() == 128 * 1024


def test_defining_a_taken_name_with_another_uuid_is_refused(connection, shelf):
    shelf.define(uuid=UUID % 501)
    text = refused(libvirt.VIR_ERR_OPERATION_FAILED, connection.defineXML,
                   shelf.xml(uuid=UUID % 502))
    assert "domain 'd' already exists with uuid " + UUID % 501 in text


def test_defining_a_taken_uuid_with_another_name_is_refused(connection, shelf):
    shelf.define(uuid=UUID % 503)
    text = refused(libvirt.VIR_ERR_OPERATION_FAILED, connection.defineXML,
                   shelf.xml("e", uuid=UUID % 503))
    assert "domain 'd' is already defined with uuid " + UUID % 503 in text


def test_metadata_comes_back_verbatim(shelf):
    metadata = "<metadata><a:b xmlns:a='urn:a' c='d &amp; e'>text<a:f/><!-- note --> tail</a:b></metadata>"
    domain = shelf.define(head=metadata)
    assert re.search(r'<a:b xmlns:a="urn:a" c="d &amp; e">text<a:f/><!-- note --> tail</a:b>',
                     domain.XMLDesc())


def test_defaults_are_filled_in_and_shown(shelf):
    root = inactive(shelf.define())
    assert root.find("os/type").get("machine").startswith("pc-q35-")
    assert root.findtext("on_poweroff") == "destroy"
    assert root.findtext("on_reboot") == "restart"
    assert root.findtext("on_crash") == "destroy"
    assert root.find("clock").get("offset") == "utc"
    assert root.findtext("devices/emulator") == "/usr/bin/qemu-system-x86_64"
    assert root.find("devices/controller[@type='pci'][@index='0']").get("model") == "pcie-root"


def test_the_same_definition_always_gets_the_same_addresses(shelf):
    parts = {"uuid": UUID % 504, "devices": "<interface type='user'>"
             "<mac address='52:54:00:00:00:99'/><model type='virtio'/></interface>"
             "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"}
    first = shelf.define(**parts)
    text = first.XMLDesc()
    first.undefine()
    assert shelf.define(**parts).XMLDesc() == text


def test_what_dumpxml_says_can_be_defined_again_and_says_the_same(connection, shelf):
    """From the second time on: libvirt sorts the controllers that it added behind those it was given."""
    whole = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    domain = shelf.define(devices="<video/><graphics type='vnc'/><input type='tablet' bus='usb'/>")
    text = connection.defineXML(domain.XMLDesc(whole)).XMLDesc(whole)
    assert sorted(text.split("\n")) == sorted(domain.XMLDesc(whole).split("\n"))
    assert connection.defineXML(text).XMLDesc(whole) == text


def test_the_vnc_password_shows_only_to_who_asks_for_it(shelf):
    domain = shelf.define(devices="<graphics type='vnc' passwd='secret'/>")
    assert "secret" not in domain.XMLDesc()
    assert "passwd='secret'" in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)


def test_a_read_only_connection_may_not_see_the_password(peer, shelf):
    from conftest import open_connection
    shelf.define(devices="<graphics type='vnc' passwd='secret'/>")
    reader = open_connection(peer.uri(readonly=True), readonly=True)
    domain = reader.lookupByName("d")
    assert "secret" not in domain.XMLDesc()
    refused(libvirt.VIR_ERR_OPERATION_DENIED, domain.XMLDesc, libvirt.VIR_DOMAIN_XML_SECURE)
    reader.close()


# Starting and stopping

def test_a_started_domain_runs_with_an_id(shelf):
    domain = shelf.start()
    assert domain.isActive() == 1
    assert domain.ID() > 0
    assert domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED]


def test_every_start_takes_a_new_and_higher_id(shelf):
    domain = shelf.start()
    first = domain.ID()
    domain.destroy()
    domain.create()
    assert domain.ID() > first


def test_a_running_domain_has_one_qemu_and_none_after_destroy(peer, shelf):
    domain = shelf.start()
    assert len(peer.guest_pids()) == 1
    domain.destroy()
    peers.wait_until(lambda: not [pid for pid in peer.guest_pids() if peers.is_running(pid)],
                     "the end of QEMU")


def test_a_running_domain_can_not_be_started(shelf):
    domain = shelf.start()
    assert "domain is already running" in refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.create)


def test_start_paused_waits_for_resume(shelf):
    domain = shelf.start(flags=libvirt.VIR_DOMAIN_START_PAUSED)
    assert domain.state() == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER]
    domain.resume()
    assert domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED]


def test_destroy_leaves_a_persistent_domain_shut_off(shelf):
    domain = shelf.start()
    domain.destroy()
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED]


def test_graceful_destroy_ends_a_qemu_that_answers(shelf):
    domain = shelf.start()
    domain.destroyFlags(libvirt.VIR_DOMAIN_DESTROY_GRACEFUL)
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED]


def test_a_killed_qemu_is_seen_as_crashed_or_failed_shutoff(peer, shelf):
    domain = shelf.start()
    os.kill(peer.guest_pids()[0], 9)
    peers.wait_until(lambda: not domain.isActive(), "the death of QEMU being noticed")
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED]


@pytest.mark.parametrize("call", [
    lambda d: d.destroy(), lambda d: d.suspend(), lambda d: d.resume(), lambda d: d.shutdown(),
    lambda d: d.reboot(), lambda d: d.reset(), lambda d: d.injectNMI(),
    lambda d: d.sendKey(0, 0, [30], 1, 0), lambda d: d.getTime(), lambda d: d.hostname(),
    lambda d: d.openConsole(None, d.connect().newStream(), 0), lambda d: d.memoryStats()])
def test_what_needs_a_running_domain_says_it_is_not_running(shelf, call):
    domain = shelf.define()
    assert "domain is not running" in refused(libvirt.VIR_ERR_OPERATION_INVALID, call, domain)


def test_a_domain_that_can_not_start_says_why_and_stays_defined(connection, shelf):
    domain = shelf.define(devices="<disk type='file'><source file='/nonexistent/disk.img'/>"
                                  "<target dev='vda'/></disk>")
    text = refused(libvirt.VIR_ERR_SYSTEM_ERROR, domain.create)
    assert "Cannot access storage file '/nonexistent/disk.img'" in text
    assert "No such file or directory" in text
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_FAILED]
    assert names(connection.listAllDomains()) == ["d"]


def test_what_qemu_complains_about_is_in_the_error(shelf):
    xml_head = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
    text = shelf.xml().replace("<domain ", "<domain %s " % xml_head).replace(
        "</domain>", "<qemu:commandline><qemu:arg value='-warp'/></qemu:commandline></domain>")
    domain = shelf.connection.defineXML(text)
    message = refused(libvirt.VIR_ERR_INTERNAL_ERROR, domain.create)
    assert "invalid option" in message


def test_the_log_of_a_guest_holds_its_command_line(peer, shelf):
    shelf.start()
    with open(peer.path("var/log/libvirt/qemu/d.log")) as log:
        assert "qemu-system-x86_64" in log.read()


# Transient and persistent

def test_a_created_domain_is_transient_and_gone_after_its_end(connection, shelf):
    domain = shelf.create()
    assert (domain.isPersistent(), domain.isActive()) == (0, 1)
    domain.destroy()
    refused(libvirt.VIR_ERR_NO_DOMAIN, connection.lookupByName, "d")


def test_defining_a_transient_domain_makes_it_persistent(connection, shelf):
    text = shelf.xml()
    domain = connection.createXML(text)
    connection.defineXML(text)
    assert domain.isPersistent() == 1
    domain.destroy()
    assert names(connection.listAllDomains()) == ["d"]


def test_undefining_a_running_domain_makes_it_transient(connection, shelf):
    domain = shelf.start()
    domain.undefine()
    assert (domain.isPersistent(), domain.isActive()) == (0, 1)
    domain.destroy()
    assert connection.listAllDomains() == []


def test_a_definition_changed_while_running_is_the_next_one(shelf):
    domain = shelf.start(uuid=UUID % 600)
    shelf.define(uuid=UUID % 600, memory=96)
    assert ET.fromstring(domain.XMLDesc()).findtext("memory") == str(64 * 1024)
    assert inactive(domain).findtext("memory") == str(96 * 1024)
    assert domain.isUpdated() == 0
    domain.destroy()
    assert domain.maxMemory() == 96 * 1024


def test_a_transient_domain_has_no_autostart(shelf):
    domain = shelf.create()
    refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.setAutostart, 1)


def test_a_running_name_can_not_be_created_again(connection, shelf):
    text = shelf.xml()
    connection.createXML(text)
    assert "domain 'd' is already active" in refused(
        libvirt.VIR_ERR_OPERATION_INVALID, connection.createXML, text)


def test_autodestroy_ends_the_domain_with_its_connection(peer, connection, shelf):
    from conftest import open_connection
    other = open_connection(peer.uri())
    other.createXML(shelf.xml(), libvirt.VIR_DOMAIN_START_AUTODESTROY)
    assert connection.numOfDomains() == 1
    other.close()
    peers.wait_until(lambda: connection.numOfDomains() == 0, "the end of the domain")


# Lists

LIST_CASES = [
    (libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE, ["paused", "running", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_INACTIVE, ["auto", "off"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT, ["auto", "off", "paused", "running"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_TRANSIENT, ["transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING, ["running", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_PAUSED, ["paused"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_SHUTOFF, ["auto", "off"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_OTHER, []),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, []),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE,
     ["auto", "off", "paused", "running", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART, ["auto"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART, ["off", "paused", "running", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, []),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT,
     ["auto", "off", "paused", "running", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT, []),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT,
     ["auto", "off", "paused", "running", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE | libvirt.VIR_CONNECT_LIST_DOMAINS_INACTIVE,
     ["auto", "off", "paused", "running", "transient"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE | libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT,
     ["paused", "running"]),
    (libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING | libvirt.VIR_CONNECT_LIST_DOMAINS_PAUSED |
     libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT, ["paused", "running"]),
]


def test_every_filter_of_the_list_finds_what_it_names(connection, shelf):
    shelf.define("off")
    shelf.define("auto").setAutostart(1)
    shelf.start("running")
    shelf.start("paused", flags=libvirt.VIR_DOMAIN_START_PAUSED)
    shelf.create("transient")
    for flags, expected in LIST_CASES:
        assert names(connection.listAllDomains(flags)) == expected, "flags 0x%x" % flags
    assert connection.numOfDomains() == 3
    assert connection.numOfDefinedDomains() == 2
    assert sorted(connection.listDefinedDomains()) == ["auto", "off"]
    assert len(connection.listDomainsID()) == 3


# Changes of a definition

def test_autostart_is_a_link_to_the_definition(peer, shelf):
    domain = shelf.define()
    domain.setAutostart(1)
    assert domain.autostart() == 1
    link = peer.path("etc/libvirt/qemu/autostart/d.xml")
    assert os.path.islink(link)
    domain.setAutostart(0)
    assert domain.autostart() == 0
    assert not os.path.lexists(link)


def test_rename_moves_the_definition_file(peer, connection, shelf):
    domain = shelf.define(uuid=UUID % 700)
    domain.rename("e")
    assert names(connection.listAllDomains()) == ["e"]
    assert sorted(name for name in os.listdir(peer.path("etc/libvirt/qemu"))
                  if name.endswith(".xml")) == ["e.xml"]
    assert connection.lookupByName("e").UUIDString() == UUID % 700


@pytest.mark.parametrize("name,code,text", [
    ("taken", libvirt.VIR_ERR_OPERATION_INVALID, "domain with name 'taken' already exists"),
    ("", libvirt.VIR_ERR_INVALID_ARG, ""), ("a/b", libvirt.VIR_ERR_XML_ERROR, "cannot contain '/'")])
def test_a_rename_to_a_bad_name_is_refused(shelf, name, code, text):
    shelf.define("taken")
    domain = shelf.define()
    assert text in refused(code, domain.rename, name)


def test_a_running_domain_can_not_be_renamed(shelf):
    assert "cannot rename active domain" in refused(libvirt.VIR_ERR_OPERATION_INVALID,
                                                    shelf.start().rename, "e")


@pytest.mark.parametrize("kind", [libvirt.VIR_DOMAIN_METADATA_TITLE,
                                  libvirt.VIR_DOMAIN_METADATA_DESCRIPTION])
def test_title_and_description_are_set_read_and_removed(shelf, kind):
    domain = shelf.define()
    assert "Requested metadata element is not present" in refused(
        libvirt.VIR_ERR_NO_DOMAIN_METADATA, domain.metadata, kind, None)
    domain.setMetadata(kind, "words < & >", None, None)
    assert domain.metadata(kind, None) == "words < & >"
    domain.setMetadata(kind, None, None, None)
    refused(libvirt.VIR_ERR_NO_DOMAIN_METADATA, domain.metadata, kind, None)


def test_a_title_of_two_lines_is_refused(shelf):
    refused(libvirt.VIR_ERR_INVALID_ARG, shelf.define().setMetadata,
            libvirt.VIR_DOMAIN_METADATA_TITLE, "two\nlines", None, None)


def test_an_element_of_metadata_is_set_replaced_read_and_removed(shelf):
    domain, kind = shelf.define(), libvirt.VIR_DOMAIN_METADATA_ELEMENT
    domain.setMetadata(kind, "<one a='1'><two/></one>", "key", "urn:here")
    assert "<two/>" in domain.metadata(kind, "urn:here")
    domain.setMetadata(kind, "<three/>", "key", "urn:here")
    assert "three" in domain.metadata(kind, "urn:here")
    assert "<two/>" not in domain.XMLDesc()
    domain.setMetadata(kind, None, "key", "urn:here")
    refused(libvirt.VIR_ERR_NO_DOMAIN_METADATA, domain.metadata, kind, "urn:here")


def test_metadata_that_is_no_xml_is_refused(shelf):
    refused(libvirt.VIR_ERR_XML_DETAIL, shelf.define().setMetadata,
            libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<one", "key", "urn:here")


def test_metadata_of_the_live_and_the_next_definition_are_apart(shelf):
    domain, kind = shelf.start(), libvirt.VIR_DOMAIN_METADATA_TITLE
    domain.setMetadata(kind, "now", None, None, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    domain.setMetadata(kind, "next", None, None, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    assert domain.metadata(kind, None, libvirt.VIR_DOMAIN_AFFECT_LIVE) == "now"
    assert domain.metadata(kind, None, libvirt.VIR_DOMAIN_AFFECT_CONFIG) == "next"


def test_memory_of_the_next_definition_is_limited_by_the_maximum(shelf):
    domain = shelf.define()
    domain.setMemoryFlags(32 * 1024, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    assert domain.info()[1:3] == [64 * 1024, 32 * 1024]
    assert "cannot set memory higher than max memory" in refused(
        libvirt.VIR_ERR_INVALID_ARG, domain.setMemoryFlags, 65 * 1024,
        libvirt.VIR_DOMAIN_AFFECT_CONFIG)


def test_the_maximum_of_memory_changes_while_the_domain_is_off(shelf):
    domain = shelf.define()
    domain.setMaxMemory(128 * 1024)
    assert domain.maxMemory() == 128 * 1024
    domain.create()
    refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.setMaxMemory, 256 * 1024)


def test_vcpus_of_the_next_definition_are_limited_by_the_maximum(shelf):
    domain = shelf.define(vcpus="<vcpu current='1'>2</vcpu>")
    config = libvirt.VIR_DOMAIN_AFFECT_CONFIG
    domain.setVcpusFlags(2, config)
    assert domain.vcpusFlags(config) == 2
    refused(libvirt.VIR_ERR_INVALID_ARG, domain.setVcpusFlags, 3, config)
    domain.setVcpusFlags(4, config | libvirt.VIR_DOMAIN_VCPU_MAXIMUM)
    assert domain.vcpusFlags(config | libvirt.VIR_DOMAIN_VCPU_MAXIMUM) == 4


def test_a_vcpu_is_plugged_in_while_the_domain_runs(shelf):
    domain = shelf.start(vcpus="<vcpu current='1'>2</vcpu>")
    domain.setVcpusFlags(2, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    assert domain.vcpusFlags(libvirt.VIR_DOMAIN_AFFECT_LIVE) == 2
    assert domain.vcpusFlags(libvirt.VIR_DOMAIN_AFFECT_CONFIG) == 1


def test_more_vcpus_than_the_live_maximum_are_refused(shelf):
    domain = shelf.start(vcpus="<vcpu current='1'>2</vcpu>")
    assert "greater than max allowable vcpus for the live domain: 3 > 2" in refused(
        libvirt.VIR_ERR_INVALID_ARG, domain.setVcpusFlags, 3, libvirt.VIR_DOMAIN_AFFECT_LIVE)


def test_live_changes_of_a_domain_that_is_off_are_refused(shelf):
    domain = shelf.define()
    for call in (lambda: domain.setMemoryFlags(32 * 1024, libvirt.VIR_DOMAIN_AFFECT_LIVE),
                 lambda: domain.setVcpusFlags(1, libvirt.VIR_DOMAIN_AFFECT_LIVE),
                 lambda: domain.setMetadata(0, "x", None, None, libvirt.VIR_DOMAIN_AFFECT_LIVE)):
        refused(libvirt.VIR_ERR_OPERATION_INVALID, call)


# Machines and their devices

@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
@pytest.mark.parametrize("kind", ["minimal", "kernel"])
def test_a_machine_of_each_architecture_starts(shelf, arch, kind):
    domain = shelf.start(arch=arch, kernel=kind == "kernel", memory=128, features="")
    assert domain.isActive() == 1


def test_a_firmware_guest_gets_its_own_nvram_file(peer, shelf):
    domain = shelf.connection.defineXML(shelf.xml(memory=128).replace("<os>", "<os firmware='efi'>"))
    domain.create()
    path = ET.fromstring(domain.XMLDesc()).findtext("os/nvram")
    assert path.endswith("/qemu/nvram/d_VARS.fd")
    real = path if path.startswith(peer.root) else peer.root + path
    assert os.path.getsize(real) > 0
    domain.destroy()
    assert "cannot undefine domain with nvram" in refused(libvirt.VIR_ERR_OPERATION_INVALID,
                                                          domain.undefine)
    domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
    assert not os.path.exists(real)


def test_a_vnc_screen_listens_where_the_live_xml_says(shelf):
    import socket
    domain = shelf.start(devices="<graphics type='vnc' port='-1' listen='127.0.0.1'/><video/>")
    port = int(ET.fromstring(domain.XMLDesc()).find("devices/graphics").get("port"))
    assert port >= 5900
    if not peers.IS_LIBVIRTD:  # whose network is its own
        with socket.create_connection(("127.0.0.1", port), timeout=peers.PATIENCE) as viewer:
            assert viewer.recv(4) == b"RFB "


def test_a_serial_port_to_a_file_writes_it(peer, shelf):
    path = peer.path("images/serial.log")
    text = shelf.xml( kernel=True, memory=160, agent=False).replace(
        "<serial type='pty'/><console type='pty'/>",
        "<serial type='file'><source path='%s'/></serial>" % path)
    shelf.connection.createXML(text)
    peers.wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 0, "serial output")


# Definitions that are refused

OS = "<os><type arch='x86_64' machine='q35'>hvm</type></os>"
BAD = [
    ("no os at all", "", libvirt.VIR_ERR_XML_ERROR, "an os <type> must be specified"),
    ("an unknown os type", "<os><type>abacus</type></os>", libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
     "unknown OS type 'abacus'"),
    ("an unknown architecture", "<os><type arch='vax'>hvm</type></os>",
     libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "Unknown architecture vax"),
    ("no vcpus", OS + "<vcpu>0</vcpu>", None, ""),
    ("too many vcpus", OS + "<vcpu>100000</vcpu>", libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
     "Maximum CPUs greater than specified machine type limit 288"),
    ("more current vcpus than the maximum", OS + "<vcpu current='3'>2</vcpu>",
     libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
     "maximum vCPU count must not be less than current vCPU count"),
    ("an unknown event action", OS + "<on_reboot>dance</on_reboot>",
     libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "unknown on_reboot action: dance"),
    ("a topology of other size", OS + "<vcpu>3</vcpu><cpu><topology sockets='1' cores='2' "
     "threads='1'/></cpu>", libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
     "CPU topology doesn't match maximum vcpu count"),
    ("an emulator that is not there", OS + "<devices><emulator>/usr/bin/nothing</emulator></devices>",
     None, "/usr/bin/nothing"),
    ("an unknown disk bus", OS + "<devices><disk type='file'><source file='/x'/><target dev='vda' "
     "bus='warp'/></disk></devices>", libvirt.VIR_ERR_XML_ERROR,
     "Invalid value for attribute 'bus' in element 'target': 'warp'"),
    ("one target twice", OS + "<devices><disk type='file'><source file='/x'/><target dev='vda'/>"
     "</disk><disk type='file'><source file='/y'/><target dev='vda'/></disk></devices>",
     libvirt.VIR_ERR_XML_ERROR, "target 'vda' duplicated for disk sources '/x' and '/y'"),
    ("a mac that is none", OS + "<devices><interface type='user'><mac address='zz'/></interface>"
     "</devices>", libvirt.VIR_ERR_XML_ERROR, "unable to parse mac address 'zz'"),
    ("a pci slot that is none", OS + "<devices><memballoon model='virtio'><address type='pci' "
     "domain='0' bus='0' slot='0x40' function='0'/></memballoon></devices>",
     libvirt.VIR_ERR_XML_ERROR, "Invalid PCI address slot='0x40', must be <= 0x1F"),
]


@pytest.mark.parametrize("what,inside,code,text", BAD, ids=[case[0] for case in BAD])
def test_a_bad_definition_is_refused_with_its_reason(connection, what, inside, code, text):
    xml = "<domain type='qemu'><name>bad</name><memory>65536</memory>%s</domain>" % inside
    with pytest.raises(libvirt.libvirtError) as caught:
        connection.defineXML(xml)
    assert text in str(caught.value)
    assert code is None or caught.value.get_error_code() == code
    assert connection.listAllDomains() == []


@pytest.mark.parametrize("xml,code", [
    ("", libvirt.VIR_ERR_XML_DETAIL), ("words", libvirt.VIR_ERR_XML_DETAIL),
    ("<domain", libvirt.VIR_ERR_XML_DETAIL), ("<domain type='qemu'>", libvirt.VIR_ERR_XML_DETAIL),
    ("<domain><a></b></domain>", libvirt.VIR_ERR_XML_DETAIL),
    ("<domain a='1' a='2'/>", libvirt.VIR_ERR_XML_DETAIL),
    ("<domain>&nothing;</domain>", libvirt.VIR_ERR_XML_DETAIL),
    ("<domain type='qemu'><name>\x01</name></domain>", libvirt.VIR_ERR_XML_DETAIL),
    ("<network/>", libvirt.VIR_ERR_XML_ERROR)])
def test_xml_that_is_malformed_is_refused_and_the_connection_lives(connection, xml, code):
    with pytest.raises(libvirt.libvirtError) as caught:
        connection.defineXML(xml)
    assert caught.value.get_error_code() == code
    assert connection.isAlive() == 1
    assert connection.listAllDomains() == []


def test_xml_that_is_too_deep_is_refused(connection):
    deep = "<metadata><d:d xmlns:d='urn:d'>%s%s</d:d></metadata>" % ("<x>" * 4000, "</x>" * 4000)
    xml = "<domain type='qemu'><name>deep</name><memory>65536</memory>%s%s</domain>" % (OS, deep)
    with pytest.raises(libvirt.libvirtError) as caught:
        connection.defineXML(xml)
    assert caught.value.get_error_code() in (libvirt.VIR_ERR_XML_DETAIL, libvirt.VIR_ERR_XML_ERROR)
    assert connection.isAlive() == 1
    assert connection.listAllDomains() == []


def test_an_unknown_machine_is_refused(connection):
    xml = "<domain type='qemu'><name>m</name><memory>65536</memory>" \
          "<os><type arch='x86_64' machine='abacus'>hvm</type></os></domain>"
    with pytest.raises(libvirt.libvirtError):
        connection.defineXML(xml)
    assert connection.listAllDomains() == []


@pytest.mark.nanovirtd_only(reason="libvirtd drops what it does not know")
def test_unknown_elements_are_preserved(shelf):
    text = shelf.xml().replace("<devices>", "<warp factor='9'/><devices>")
    assert "<warp factor='9'/>" in shelf.connection.defineXML(text).XMLDesc()


@pytest.mark.libvirtd_only(reason="nanovirtd has no schema beside what it checks anyway")
def test_validation_by_schema_refuses_unknown_elements(connection, shelf):
    text = shelf.xml().replace("<devices>", "<warp/><devices>")
    with pytest.raises(libvirt.libvirtError):
        connection.defineXMLFlags(text, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)


def test_sixty_domains_are_defined_listed_and_gone(connection, shelf):
    for number in range(60):
        shelf.define("many%03d" % number)
    assert len(connection.listAllDomains()) == 60
    for domain in connection.listAllDomains():
        domain.undefine()
    assert connection.listAllDomains() == []
