"""What has gone wrong in libvirtd, and does not here.

One claim for each published vulnerability that a daemon of this kind can have: a read-only client
that changes something, runs a program or reads a secret; a client that stops the daemon by what it
sends, or by when it leaves; access rules that stop it, or that leak. Numbers are those of
https://cve.mitre.org; what each was about stands beside it in our words.

Left out is what belongs to parts that are not here at all: other hypervisors (lxc, libxl, xen),
virt-login-shell, SELinux labels, mediated devices, multipath, the leases file, client libraries.
"""

import contextlib
import os
import re
import socket
import stat
import subprocess

import libvirt
import pytest

import contract
import peer as peers
import wire
from conftest import Virsh, open_connection
from test_access import (ACCESS_DENIED, OPERATION_DENIED, WEB, AsUser, Rules, domain_xml, pool_xml,
                         uuid_bytes, volume_xml, wire_as)

pytestmark = [pytest.mark.nanovirtd_only(reason="claims about this daemon"),
              pytest.mark.skipif(os.geteuid() != 0, reason="other users are played by root")]

REMOTE, QEMU = contract.Contract("remote"), contract.Contract("remote", "qemu")
CALLS = {call.name: call for call in REMOTE.calls}
NO_SUPPORT = 3
OPEN = wire.optional(wire.string("qemu:///system")) + wire.uint(0)
VIEWER = 1001
RULES = """
allow user=root : all
allow user=1001 : connect.getattr connect.read connect.search_*
allow user=1001 : view : domain=web-* storage_pool=images
"""

GRAPHICS = """<graphics type='vnc' port='-1' autoport='yes' passwd='%s'/>"""
COOKIES = """<disk type='network' device='cdrom'><driver name='qemu' type='raw'/>
<source protocol='https' name='a.iso'><host name='example.org' port='443'/>
<cookies><cookie name='session'>cookie-secret</cookie></cookies></source>
<target dev='sda' bus='sata'/><readonly/></disk>"""


def with_devices(name, uuid, devices):
    return domain_xml(name, uuid).replace("</domain>", "<devices>%s</devices></domain>" % devices)


@pytest.fixture(scope="module")
def daemon():
    rules = Rules(RULES)
    try:
        path = rules.peer.path("images")
        os.makedirs(path, exist_ok=True)
        rules.root.defineXML(with_devices("web-1", WEB, GRAPHICS % "vnc-key" + COOKIES))
        rules.root.storagePoolDefineXML(pool_xml(path)).create()
        yield rules
    finally:
        rules.close()


@pytest.fixture
def viewer(daemon):
    with AsUser(VIEWER):
        connection = open_connection(daemon.peer.uri())
    yield connection
    connection.close()


@pytest.fixture(autouse=True)
def the_daemon_lives(daemon):
    """Whatever a test did, the same process still answers everybody."""
    pid = daemon.peer.daemon_pid()
    yield
    assert daemon.peer.daemon_pid() == pid and daemon.peer.process.poll() is None
    assert daemon.root.getHostname()
    assert "web-1" in daemon.root.listDefinedDomains()


def raw(daemon, uid=0, readonly=False):
    connection = wire_as(daemon.peer, uid, readonly)
    assert connection.call(wire.CONNECT_OPEN, OPEN).status == wire.OK
    return connection


def known(call, field):
    """Arguments name the one guest, the one pool."""
    web = wire.domain("web-1", uuid_bytes(WEB))
    if field["star"] or field["extent"]:
        return None
    return {"remote_nonnull_domain": web, "remote_nonnull_domain_snapshot": wire.string("s") + web,
            "remote_nonnull_domain_checkpoint": wire.string("c") + web}.get(field["type"])


def code(reply):
    return 0 if reply.status == wire.OK else reply.error()[0]


# ---- a read-only client that changes something, runs a program or reads a secret

READ_ONLY = {
    # Changed the host's and the guests' state, and read disks and memory.
    "CVE-2008-5086": ["DOMAIN_MIGRATE_PERFORM", "DOMAIN_MIGRATE_PREPARE", "DOMAIN_MIGRATE_FINISH",
                      "DOMAIN_BLOCK_PEEK", "DOMAIN_MEMORY_PEEK", "DOMAIN_SET_AUTOSTART",
                      "NETWORK_SET_AUTOSTART", "STORAGE_POOL_SET_AUTOSTART",
                      "CONNECT_FIND_STORAGE_POOL_SOURCES"],
    # Took devices from the host and snapshots from the guests.
    "CVE-2011-1146": ["NODE_DEVICE_DETTACH", "NODE_DEVICE_RE_ATTACH", "NODE_DEVICE_RESET",
                      "DOMAIN_REVERT_TO_SNAPSHOT", "DOMAIN_SNAPSHOT_DELETE",
                      "CONNECT_DOMAIN_XML_TO_NATIVE"],
    # Ran the emulator that the document names.
    "CVE-2013-4401": ["CONNECT_DOMAIN_XML_TO_NATIVE"],
    # Asked the guest's agent.
    "CVE-2019-3886": ["DOMAIN_GET_TIME", "DOMAIN_GET_HOSTNAME"],
    # Opened any file of the host as a saved image.
    "CVE-2019-10161": ["DOMAIN_SAVE_IMAGE_GET_XML_DESC"],
    # Changed the definition that a saved guest is resumed with.
    "CVE-2019-10166": ["DOMAIN_MANAGED_SAVE_DEFINE_XML"],
    # Ran any program of the host as an emulator.
    "CVE-2019-10167": ["CONNECT_GET_DOMAIN_CAPABILITIES"],
    "CVE-2019-10168": ["CONNECT_BASELINE_HYPERVISOR_CPU", "CONNECT_COMPARE_HYPERVISOR_CPU"],
    # Set how long everybody waits for the guest's agent.
    "CVE-2020-10701": ["DOMAIN_AGENT_SET_RESPONSE_TIMEOUT"],
}


@pytest.mark.parametrize("advisory, name", [(a, n) for a, names in READ_ONLY.items() for n in names])
def test_a_read_only_client_may_not(daemon, advisory, name):
    connection = raw(daemon, readonly=True)
    reply = connection.call(CALLS[name].number, REMOTE.encode(CALLS[name], known, {}))
    assert reply.error()[0] == OPERATION_DENIED
    connection.close()


def test_cve_2019_10167_no_program_runs_for_who_may_only_look(daemon, viewer):
    """Nor for a client of the other socket that has no permission to."""
    mark = daemon.peer.path("ran")
    program = daemon.peer.path("program")
    with open(program, "w") as stream:
        stream.write("#!/bin/sh\ntouch %s\n" % mark)
    os.chmod(program, 0o755)
    readonly = open_connection(daemon.peer.uri(readonly=True), readonly=True)
    for connection in (viewer, readonly):
        for action in (lambda: connection.getDomainCapabilities(program, "x86_64", "pc", "qemu", 0),
                       lambda: connection.baselineHypervisorCPU(program, "x86_64", "pc", "qemu",
                                                                ["<cpu/>"], 0),
                       lambda: connection.compareHypervisorCPU(program, "x86_64", "pc", "qemu",
                                                               "<cpu/>", 0),
                       lambda: connection.createXML(
                           with_devices("web-2", WEB, "<emulator>%s</emulator>" % program))):
            with pytest.raises(libvirt.libvirtError) as caught:
                action()
            assert caught.value.get_error_code() in (ACCESS_DENIED, OPERATION_DENIED)
    readonly.close()
    assert not os.path.exists(mark)


SECRETS = [
    # Passwords by the flag for migration (8), which implies that for secrets (1).
    ("CVE-2014-7823", "DOMAIN_GET_XML_DESC", (1, 8, 9)),
    # By the flags of snapshots and of saved images.
    ("CVE-2015-0236", "DOMAIN_SNAPSHOT_GET_XML_DESC", (1,)),
    ("CVE-2015-0236", "DOMAIN_SAVE_IMAGE_GET_XML_DESC", (1,)),
]


@pytest.mark.parametrize("advisory, name, flags", SECRETS)
def test_a_read_only_client_does_not_get_secrets(daemon, advisory, name, flags):
    connection = raw(daemon, readonly=True)
    for value in flags:
        reply = connection.call(CALLS[name].number,
                                REMOTE.encode(CALLS[name], known, {"flags": value}))
        assert reply.error()[0] == OPERATION_DENIED
    connection.close()


def test_cve_2014_7823_and_2020_14301_definitions_show_secrets_to_who_may_read_them(daemon, viewer):
    """Passwords of graphics; cookies of disks that come over HTTP."""
    readonly = open_connection(daemon.peer.uri(readonly=True), readonly=True)
    for connection in (readonly, viewer, daemon.root):
        shown = connection.lookupByName("web-1").XMLDesc(0)
        assert "vnc-key" not in shown and "cookie-secret" not in shown
    for flags in (libvirt.VIR_DOMAIN_XML_SECURE, libvirt.VIR_DOMAIN_XML_MIGRATABLE):
        with pytest.raises(libvirt.libvirtError) as caught:
            viewer.lookupByName("web-1").XMLDesc(flags)
        assert caught.value.get_error_code() == ACCESS_DENIED
    secure = daemon.root.lookupByName("web-1").XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)
    assert "vnc-key" in secure and "cookie-secret" in secure
    readonly.close()


# ---- documents that name files, or grow

ENTITIES = """<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file://%s">]>"""
LAUGHS = '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">' + "".join(
    '<!ENTITY %s "%s">' % (chr(98 + i), ("&%s;" % chr(97 + i)) * 10) for i in range(9)) + "]>"


@pytest.mark.parametrize("head", ["file", "laughs"])
def test_cve_2014_0179_and_2014_5177_documents_do_not_bring_files_in(daemon, head):
    """Entities of a document were replaced by files of the host, or without end."""
    secret = daemon.peer.path("secret")
    with open(secret, "w") as stream:
        stream.write("file-secret")
    before, word = (ENTITIES % secret, "&x;") if head == "file" else (LAUGHS, "&j;")
    root = daemon.root
    pool = root.storagePoolLookupByName("images")
    for action in (
            lambda: root.defineXML(before + domain_xml("web-3", WEB).replace(
                "<memory>", "<title>%s</title><memory>" % word)).XMLDesc(0),
            lambda: root.createXML(before + domain_xml(word, WEB)),
            lambda: root.storagePoolDefineXML(before + pool_xml("/" + word, "p", WEB)).XMLDesc(0),
            lambda: pool.createXML(before + volume_xml(word)).name(),
            lambda: root.compareCPU(before + "<cpu><model>%s</model></cpu>" % word),
            lambda: root.baselineCPU([before + "<cpu><model>%s</model></cpu>" % word])):
        with pytest.raises(libvirt.libvirtError) as caught:
            action()
        assert "file-secret" not in str(caught.value) and "a" * 20 not in str(caught.value)


def test_cve_2025_12748_no_document_is_read_for_who_may_define_nothing(daemon, viewer):
    """Documents were parsed before the permission was looked at."""
    for action in (viewer.defineXML, viewer.createXML, viewer.storagePoolDefineXML):
        with pytest.raises(libvirt.libvirtError) as caught:
            action("<not" + "x" * 60000)
        assert caught.value.get_error_code() == ACCESS_DENIED


def test_cve_2015_5313_a_volume_stays_in_its_pool(daemon):
    """A volume's name led out of the pool's directory."""
    pool = daemon.root.storagePoolLookupByName("images")
    for name in ("../escaped", "/tmp/escaped", "..", "."):
        with pytest.raises(libvirt.libvirtError):
            pool.createXML(volume_xml(name))
        with pytest.raises(libvirt.libvirtError):
            pool.storageVolLookupByName(name)
    assert not os.path.exists(daemon.peer.path("escaped"))


def test_cve_2013_5651_sets_of_numbers_are_bounded(daemon):
    """Numbers beyond the map were written to, and read from."""
    for place in ("<vcpu cpuset='%s'>1</vcpu>",
                  "<vcpu>1</vcpu><numatune><memory mode='strict' nodeset='%s'/></numatune>"):
        for text in ("4294967295", "0-4294967295", "1-0", "^4294967295", "-1", "99999999999999999999"):
            with pytest.raises(libvirt.libvirtError):
                daemon.root.defineXML(domain_xml("web-3", "0a0b0c0d-1111-2222-3333-444455556667")
                                      .replace("<os>", place % text + "<os>"))


# ---- lengths and numbers

COUNTS = ("maxnames", "maxids", "maxinfo", "maplen", "nparams", "maxerrors", "maxmodels", "maxuuids")


def test_cve_2024_2494_and_2024_4418_negative_counts_are_no_lengths(daemon):
    """Negative counts of arguments became sizes of memory. Every count of every call is tried."""
    for program in (REMOTE, QEMU):
        for call in program.calls:
            fields = [field for field in program.structs.get(call.args, [])
                      if field["type"] == "int" and not field["star"] and not field["extent"]]
            for value in (-1, -2 ** 31, 2 ** 31 - 1) if fields else ():
                connection = raw(daemon)
                arguments = {field["name"]: value for field in fields}
                reply = connection.call(call.number, program.encode(call, known, arguments),
                                        program=program.number_of_program)
                assert reply is not None, (call, value)
                if value < 0 and any(field["name"] in COUNTS for field in fields):
                    assert reply.status == wire.ERROR, (call, value)
                connection.close()


def test_cve_2011_2511_a_product_of_counts_is_no_small_number(daemon):
    """The number of processors times the size of a map overflowed."""
    connection = raw(daemon)
    for counts in ((0x10000, 0x10000), (16384, 0x40000), (0x7FFFFFFF, 2)):
        arguments = dict(zip(("maxinfo", "maplen"), counts))
        reply = connection.call(CALLS["DOMAIN_GET_VCPUS"].number,
                                REMOTE.encode(CALLS["DOMAIN_GET_VCPUS"], known, arguments))
        assert reply.status == wire.ERROR
    connection.close()


def test_cve_2013_4292_lists_of_parameters_are_bounded(daemon):
    """Parameters of migrations were allocated as many as the message said."""
    name = [n for n in CALLS if n.startswith("DOMAIN_MIGRATE_BEGIN3_PARAMS")][0]
    connection = raw(daemon)
    for count in (65, 0x10000000, 0xFFFFFFFF):
        payload = (wire.domain("web-1", uuid_bytes(WEB)) + wire.uint(count) +
                   (wire.string("p") + wire.uint(1) + wire.uint(0)) * 65 + wire.uint(0))
        assert connection.call(CALLS[name].number, payload).error()[0] == 39  # VIR_ERR_RPC
    connection.close()


def test_cve_2013_4296_too_many_memory_statistics_are_refused(daemon):
    """What had not been allocated was given back."""
    connection = raw(daemon)
    call = CALLS["DOMAIN_MEMORY_STATS"]
    reply = connection.call(call.number, REMOTE.encode(call, known, {"maxStats": 1025}))
    assert reply.status == wire.ERROR
    connection.close()


def test_cve_2012_3445_no_parameters_are_a_question_for_their_number(daemon):
    """An array of no parameters was cleared."""
    connection = raw(daemon)
    for name in ("DOMAIN_GET_MEMORY_PARAMETERS", "DOMAIN_GET_BLKIO_PARAMETERS",
                 "DOMAIN_GET_SCHEDULER_PARAMETERS", "NODE_GET_MEMORY_PARAMETERS",
                 "DOMAIN_GET_NUMA_PARAMETERS", "DOMAIN_GET_CPU_STATS"):
        reply = connection.call(CALLS[name].number, REMOTE.encode(CALLS[name], known, {"nparams": 0}))
        assert reply is not None
    connection.close()


def test_cve_2012_4423_numbers_that_are_no_calls_are_refused(daemon):
    """Events, and numbers without a procedure, were called through a null pointer."""
    numbers = {call.number for call in REMOTE.calls}
    connection = raw(daemon)
    for number in [n for n in range(-2, max(numbers) + 3) if n not in numbers]:
        assert "unknown procedure" in connection.call(number).error()[2]
    connection.close()


# ---- leaving, and not having come in yet

def test_cve_2014_1447_keepalive_before_anything_else(daemon):
    """The connection was closed while the answer to its ping was begun."""
    for _ in range(100):
        connection = wire.Wire(daemon.peer.socket_path())
        connection.send(wire.message(1, program=wire.KEEPALIVE, kind=wire.EVENT, serial=0) +
                        wire.message(2, program=wire.KEEPALIVE, kind=wire.EVENT, serial=0))
        connection.close()


def test_cve_2013_0170_who_leaves_before_the_answer_leaves_nothing_behind(daemon):
    """A message was given back twice."""
    for _ in range(100):
        connection = raw(daemon)
        connection.send(b"".join(wire.message(wire.CONNECT_LIST_ALL_DOMAINS,
                                              wire.uint(1) + wire.uint(0), serial=i)
                                 for i in range(5)) + wire.message(9999)[:10])
        connection.close()


def test_cve_2013_4399_who_leaves_with_events_registered_under_rules(daemon):
    """The permission for the events of who had gone was looked up."""
    register = CALLS["CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY"]
    for _ in range(20):
        connection = raw(daemon, VIEWER)
        assert connection.call(register.number, wire.uint(0) + wire.uint(0)).status == wire.OK
        daemon.root.defineXML(with_devices("web-1", WEB, GRAPHICS % "vnc-key" + COOKIES))
        connection.close()


def test_cve_2013_4311_nobody_is_known_by_polkit(daemon):
    """Who asked was looked up by a process number that could be another's by then."""
    connection = wire.Wire(daemon.peer.socket_path())
    reader = connection.call(wire.AUTH_LIST).reader()
    assert [reader.uint() for _ in range(reader.uint())] == [0]
    assert connection.call(CALLS["AUTH_POLKIT"].number).status == wire.ERROR
    connection.close()


def test_nobody_says_who_he_is_but_by_proving_it(daemon):
    """virConnectSetIdentity is for proxies that are trusted; there are none here."""
    call = CALLS["CONNECT_SET_IDENTITY"]
    connection = raw(daemon)
    assert code(connection.call(call.number, REMOTE.encode(call, known, {}))) == NO_SUPPORT
    connection.close()


def test_cve_2019_10132_and_2020_15708_sockets_are_for_who_they_are_meant_for():
    """Sockets that change things were open to every user."""
    daemon = peers.make_peer()
    try:
        daemon.start()
        for name, mode in (("libvirt-sock", 0o700), ("libvirt-sock-ro", 0o777),
                           ("libvirt-admin-sock", 0o700)):
            path = daemon.path("run/libvirt", name)
            assert stat.S_IMODE(os.stat(path).st_mode) == mode, name
            if mode == 0o700:
                with AsUser(VIEWER), pytest.raises(PermissionError):
                    wire.Wire(path)
    finally:
        daemon.close()


# ---- access rules that leak, or stop the daemon

def test_cve_2014_0028_events_need_the_permission_to_search(daemon):
    """Whoever could register for events learnt of every guest."""
    daemon.reload(RULES.replace("connect.search_*", ""))
    connection = raw(daemon, VIEWER)
    for name in ("CONNECT_DOMAIN_EVENT_REGISTER", "CONNECT_DOMAIN_EVENT_REGISTER_ANY",
                 "CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY"):
        reply = connection.call(CALLS[name].number, REMOTE.encode(CALLS[name], known, {}))
        assert reply.error()[0] == ACCESS_DENIED
    connection.close()
    daemon.reload(RULES)


@pytest.mark.parametrize("advisory, ask", [
    # Guests that the caller may not see stayed locked.
    ("CVE-2014-3657", lambda connection: connection.listAllDomains()),
    ("CVE-2014-8131", lambda connection: connection.getAllDomainStats()),
    # So did the pool that a path led to.
    ("CVE-2021-3667", lambda connection: connection.storagePoolLookupByTargetPath("/images/hidden")),
])
def test_what_is_passed_over_is_not_held(daemon, viewer, advisory, ask):
    hidden = daemon.root.defineXML(domain_xml("hidden", "0a0b0c0d-1111-2222-3333-444455556668"))
    for _ in range(20):
        try:
            ask(viewer)
        except libvirt.libvirtError as error:
            assert error.get_error_code() == ACCESS_DENIED
    hidden.undefine()
    daemon.root.storagePoolLookupByName("images").refresh()


def test_cve_2020_10703_and_2023_3750_paths_that_no_pool_has_are_not_found(daemon):
    """Pools without a path were compared with one; the pool found was let go of twice."""
    readonly = open_connection(daemon.peer.uri(readonly=True), readonly=True)
    for path in ("", "/", "//", "relative", "/nonexistent", "/" + "x" * 5000, "/.."):
        for _ in range(5):
            with pytest.raises(libvirt.libvirtError):
                readonly.storagePoolLookupByTargetPath(path)
    readonly.close()


# ---- guests and devices that are not there

def test_cve_2013_4153_and_2020_25637_the_agent_of_a_guest_that_has_none(daemon):
    """The agent of a guest without one was asked, and memory given back twice."""
    domain = daemon.root.lookupByName("web-1")
    for action in (lambda: domain.setVcpusFlags(1, libvirt.VIR_DOMAIN_VCPU_GUEST),
                   lambda: domain.vcpusFlags(libvirt.VIR_DOMAIN_VCPU_GUEST),
                   lambda: domain.interfaceAddresses(1), lambda: domain.fsInfo(),
                   lambda: domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)):
        with pytest.raises(libvirt.libvirtError):
            action()


def test_cve_2014_3633_and_2013_6458_devices_that_are_not_there(daemon):
    """A device was looked for in one definition and used in the other."""
    domain = daemon.root.lookupByName("web-1")
    for flags in (libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_AFFECT_LIVE, 0):
        with pytest.raises(libvirt.libvirtError):
            domain.blockIoTune("vdz", flags)
    for action in (lambda: domain.blockStats("vdz"), lambda: domain.blockInfo("vdz"),
                   lambda: domain.interfaceStats("vnet77"), lambda: domain.blockPeek("vdz", 0, 1)):
        with pytest.raises(libvirt.libvirtError):
            action()


def test_cve_2017_2635_an_empty_drive_has_statistics(daemon):
    """What is not in the drive was asked for its size."""
    with running(daemon, "<disk type='file' device='cdrom'><target dev='sda' bus='ide'/>"
                         "<readonly/></disk>") as domain:
        (_, statistics), = daemon.root.domainListGetStats([domain])
        assert statistics["block.count"] == 1


def test_cve_2016_5008_an_empty_password_lets_nobody_in(daemon):
    """It let everybody in."""
    with running(daemon, GRAPHICS % "key") as domain:
        assert vnc_lets_in(domain, b"key") and not vnc_lets_in(domain, b"")
    with running(daemon, GRAPHICS % "") as domain:
        assert not vnc_lets_in(domain, b"")


@contextlib.contextmanager
def running(daemon, devices):
    domain = daemon.root.createXML(with_devices("web-4", "0a0b0c0d-1111-2222-3333-444455556669",
                                                devices))
    try:
        yield domain
    finally:
        domain.destroy()


def vnc_lets_in(domain, password):
    """VNC's own authentication (RFC 6143, 7.2.2)."""
    port = int(re.search(r"graphics type='vnc' port='(\d+)'", domain.XMLDesc(0))[1])
    with socket.create_connection(("127.0.0.1", port), peers.PATIENCE) as server:
        stream = server.makefile("rwb", buffering=0)
        assert stream.read(12).startswith(b"RFB 003.")
        stream.write(b"RFB 003.008\n")
        assert stream.read(stream.read(1)[0]) == b"\x02"  # a password is asked for
        stream.write(b"\x02")
        stream.write(encrypted(stream.read(16), password))
        return stream.read(4) == bytes(4)


def encrypted(challenge, password):
    """By DES, with the password for the key, the bits of each byte backwards."""
    key = bytes(int("{:08b}".format(byte)[::-1], 2) for byte in password[:8].ljust(8, b"\0"))
    return subprocess.run(["openssl", "enc", "-des-ede3-ecb", "-nopad", "-K", (key * 3).hex()],
                          input=challenge, capture_output=True, check=True).stdout


# ---- what is not built answers so

@pytest.mark.parametrize("advisory, names", [
    # Lists of interfaces: one name too many; no list at all; given back twice.
    ("CVE-2024-1441", ["CONNECT_LIST_INTERFACES", "CONNECT_LIST_DEFINED_INTERFACES"]),
    ("CVE-2024-2496", ["CONNECT_LIST_ALL_INTERFACES"]),
    ("CVE-2024-8235", ["CONNECT_LIST_ALL_INTERFACES"]),
    ("CVE-2013-2218", ["CONNECT_LIST_ALL_INTERFACES"]),
    # Filters were counted while they changed.
    ("CVE-2022-0897", ["CONNECT_NUM_OF_NWFILTERS", "CONNECT_LIST_NWFILTERS"]),
    # Guests that the caller may not see stayed locked.
    ("CVE-2014-8136", ["DOMAIN_MIGRATE_PERFORM", "DOMAIN_MIGRATE_FINISH2"]),
])
def test_lists_and_migrations_that_crashed(daemon, advisory, names):
    connection = raw(daemon, readonly=advisory != "CVE-2014-8136")
    for name in names:
        for arguments in ({}, {"maxnames": 0}, {"maxnames": 1}, {"need_results": 1}):
            for _ in range(5):
                reply = connection.call(CALLS[name].number,
                                        REMOTE.encode(CALLS[name], known, arguments))
                assert code(reply) in (0, NO_SUPPORT)
    connection.close()


def test_cve_2013_1962_lists_of_volumes_leave_no_descriptor_open(daemon):
    """Each list kept a directory open."""
    directory = "/proc/%d/fd" % daemon.peer.daemon_pid()
    pool = daemon.root.storagePoolLookupByName("images")
    pool.listAllVolumes()
    before = len(os.listdir(directory))
    for _ in range(50):
        pool.listAllVolumes()
        pool.listVolumes()
    assert len(os.listdir(directory)) <= before


def test_virsh_of_a_read_only_client_may_look(daemon):
    """All this refuses nothing that a read-only client is for."""
    virsh = Virsh(daemon.peer.uri(readonly=True), readonly=True)
    assert "web-1" in virsh("list", "--all")
    assert "web-1" in virsh("dumpxml", "web-1")
    assert "images" in virsh("pool-list")
