"""Access rules: who may do what, on which objects, and what of it is on record.

The table of procedures comes from proto/*.x, read by a reader of its own (contract.py). Who asks is
told by the user that a socket was connected as.
"""

import os
import re
import signal
import subprocess

import libvirt
import pytest

import contract
import peer as peers
import wire
from conftest import Virsh, open_connection
from listener import Loop

pytestmark = [pytest.mark.nanovirtd_only(reason="the rules are this daemon's"),
              pytest.mark.skipif(os.geteuid() != 0, reason="other users are played by root")]

ACCESS_DENIED, OPERATION_DENIED = 88, 29
WEB = "0a0b0c0d-1111-2222-3333-444455556661"
DB = "0a0b0c0d-1111-2222-3333-444455556662"
TALKER = "0a0b0c0d-1111-2222-3333-444455556664"
POOL = "0a0b0c0d-1111-2222-3333-444455556663"
OPEN = wire.optional(wire.string("qemu:///system")) + wire.uint(0)
LACKING, HAVING = 20000, 30000  # the first of the users that the table is tried with


def uuid_bytes(text):
    return bytes.fromhex(text.replace("-", ""))


def domain_xml(name, uuid):
    return ("<domain type='qemu'><name>%s</name><uuid>%s</uuid><memory>16384</memory><os>"
            "<type arch='x86_64' machine='pc'>hvm</type></os></domain>" % (name, uuid))


def pool_xml(path, name="images", uuid=POOL):
    return ("<pool type='dir'><name>%s</name><uuid>%s</uuid><target><path>%s</path></target></pool>"
            % (name, uuid, path))


def volume_xml(name):
    return "<volume><name>%s</name><capacity>1024</capacity></volume>" % name


class AsUser:
    """For a while, what connects is another user's."""

    def __init__(self, uid, gid=None, groups=()):
        self.uid, self.gid, self.groups = uid, uid if gid is None else gid, list(groups)

    def __enter__(self):
        os.setgroups(self.groups)
        os.setegid(self.gid)
        os.seteuid(self.uid)

    def __exit__(self, *ignored):
        os.seteuid(0)
        os.setegid(0)
        os.setgroups([])


def wire_as(peer, uid, readonly=False, **parts):
    with AsUser(uid, **parts):
        return wire.Wire(peer.socket_path(readonly))


class Rules:
    """A daemon with rules."""

    def __init__(self, text):
        self.peer = peers.make_peer()
        self.peer.configuration = {"unix_sock_rw_perms": '"0777"', "log_filters": '"2:access"',
                                   "log_outputs": '"2:stderr"'}
        self.write(text)
        self.peer.start()
        self.root = open_connection(self.peer.uri())

    def path(self):
        return self.peer.path("etc/libvirt/access.conf")

    def write(self, text):
        with open(self.path(), "w") as stream:
            stream.write(text)

    def reload(self, text=None):
        """SIGHUP, and until the daemon has said what came of it."""
        if text is not None:
            self.write(text)
        before = self.said()
        os.kill(self.peer.daemon_pid(), signal.SIGHUP)
        peers.wait_until(lambda: self.said() > before, "the reload")

    def said(self):
        return len(re.findall(r"access : .*(rules are in force|there are no rules|still are)",
                              self.peer.log_text()))

    def denials(self):
        return [line for line in self.peer.log_text().splitlines()
                if "access : denied:" in line]

    def close(self):
        self.root.close()
        self.peer.close()

    def virsh(self, uid, *arguments, readonly=False, groups=()):
        """virsh as that user: what it printed, or how it failed."""
        command = Virsh(self.peer.uri(readonly=readonly)).command(*arguments)
        return subprocess.run(command, capture_output=True, text=True, user=uid, group=uid,
                              extra_groups=list(groups), timeout=peers.PATIENCE * 2,
                              env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent",
                                   "LC_ALL": "C.UTF-8"})


# ---- the whole table

REMOTE, QEMU = contract.Contract("remote"), contract.Contract("remote", "qemu")
TABLE = [(program, call) for program in (REMOTE, QEMU) for call in program.calls]
IDS = [call.name for _, call in TABLE]
WITHOUT_CONNECTION = ("CONNECT_OPEN", "CONNECT_SUPPORTS_FEATURE")
PERMISSIONS = sorted({p for program, call in TABLE for arguments in program.variants(call)
                      for p in program.needs(call, arguments)})
NEEDS = sorted({tuple(program.needs(call, arguments)) for program, call in TABLE
                for arguments in program.variants(call)} - {()})


def lacking(permission):
    return LACKING + PERMISSIONS.index(permission)


def having(needs):
    return HAVING + NEEDS.index(tuple(needs))


def table_rules():
    """A user who lacks each permission, and one for each set that has nothing else."""
    lines = ["allow user=root : all"]
    lines += ["deny user=%d : %s" % (lacking(p), p) for p in PERMISSIONS]
    lines += ["allow user=%d : connect.getattr %s" % (having(n), " ".join(n)) for n in NEEDS]
    lines += ["allow group=%d : all" % LACKING]
    return "\n".join(lines) + "\n"


class Table:
    """Every procedure, called with objects that are there."""

    def __init__(self):
        self.daemon = Rules(table_rules())
        self.pool_path = self.daemon.peer.path("images")
        self.volume = os.path.join(self.pool_path, "web-1.img")
        self.prepare()

    def prepare(self):
        """What calls may have taken away is there again."""
        root = self.daemon.root
        self.daemon.peer.reap()
        try:
            domain = root.lookupByUUIDString(WEB)
            if domain.isActive():
                domain.destroy()
        except libvirt.libvirtError:
            root.defineXML(domain_xml("web-1", WEB))
        try:
            pool = root.storagePoolLookupByUUIDString(POOL)
        except libvirt.libvirtError:
            pool = root.storagePoolDefineXML(pool_xml(self.pool_path))
        os.makedirs(self.pool_path, exist_ok=True)
        if not pool.isActive():
            pool.create()
        with open(self.volume, "w") as stream:
            stream.truncate(4096)

    def known(self, call, field):
        kind, name = field["type"], field["name"]
        web = wire.domain("web-1", uuid_bytes(WEB))
        objects = {
            "remote_nonnull_domain": web,
            "remote_nonnull_domain_snapshot": wire.string("s") + web,
            "remote_nonnull_domain_checkpoint": wire.string("c") + web,
            "remote_nonnull_storage_pool": wire.string("images") + uuid_bytes(POOL),
            "remote_nonnull_storage_vol": wire.string("images") + wire.string("web-1.img") +
                                          wire.string(self.volume),
        }
        texts = {
            ("DOMAIN_LOOKUP_BY_NAME", "name"): "web-1",
            ("STORAGE_POOL_LOOKUP_BY_NAME", "name"): "images",
            ("STORAGE_POOL_LOOKUP_BY_TARGET_PATH", "path"): self.pool_path,
            ("STORAGE_VOL_LOOKUP_BY_NAME", "name"): "web-1.img",
            ("STORAGE_VOL_LOOKUP_BY_KEY", "key"): self.volume,
            ("STORAGE_VOL_LOOKUP_BY_PATH", "path"): self.volume,
        }
        if field["star"] or field["extent"]:
            return None
        if (call.name, name) == ("DOMAIN_RENAME", "new_name"):
            return wire.optional(wire.string("web-2"))
        if kind in objects:
            return objects[kind]
        if (call.name, name) in texts:
            return wire.string(texts[call.name, name])
        if kind == "remote_uuid":
            return uuid_bytes(POOL if "POOL" in call.name else WEB)
        if "xml" in name and kind == "remote_nonnull_string":
            return wire.string(volume_xml("web-2.img") if "STORAGE_VOL" in call.name else
                               pool_xml(self.pool_path) if "STORAGE_POOL" in call.name else
                               domain_xml("web-1", WEB))
        return None

    def reply(self, uid, program, call, arguments, readonly=False, gid=None):
        """What the call is answered with; when no connection can be opened, the answer to that."""
        connection = wire_as(self.daemon.peer, uid, readonly, gid=gid)
        try:
            if call.name not in WITHOUT_CONNECTION:
                opened = connection.call(wire.CONNECT_OPEN, OPEN)
                if opened.status != wire.OK:
                    return opened
            payload = program.encode(call, self.known, arguments)
            if call.name == "CONNECT_OPEN":
                payload = OPEN
            return connection.call(call.number, payload, program=program.number_of_program)
        finally:
            connection.close()

    def call(self, *arguments, **parts):
        """The code of the error that the call is answered with, 0 for none."""
        reply = self.reply(*arguments, **parts)
        return 0 if reply.status != wire.ERROR else reply.error()[0]


@pytest.fixture(scope="module")
def table():
    daemon = Table()
    try:
        yield daemon
    finally:
        daemon.daemon.close()


@pytest.mark.parametrize("program, call", TABLE, ids=IDS)
def test_a_call_without_one_of_its_permissions_is_denied(table, program, call):
    for arguments in program.variants(call):
        for permission in program.needs(call, arguments):
            code = table.call(lacking(permission), program, call, arguments, gid=LACKING)
            assert code == ACCESS_DENIED, (permission, arguments)


@pytest.mark.parametrize("program, call", TABLE, ids=IDS)
def test_a_call_with_its_permissions_alone_passes_the_rules(table, program, call):
    table.prepare()
    for arguments in program.variants(call):
        needs = program.needs(call, arguments)
        if needs:
            assert table.call(having(needs), program, call, arguments) != ACCESS_DENIED, arguments


@pytest.mark.parametrize("program, call", TABLE, ids=IDS)
def test_a_read_only_connection_reaches_what_the_contract_marks(table, program, call):
    for arguments in program.variants(call):
        code = table.call(0, program, call, arguments, readonly=True)
        if call.has("preauth"):
            assert code != ACCESS_DENIED
        elif program.is_for_reading(call, arguments):
            assert code not in (OPERATION_DENIED, ACCESS_DENIED), arguments
        else:
            assert code == OPERATION_DENIED, arguments


@pytest.mark.parametrize("program, call", TABLE, ids=IDS)
def test_whom_the_file_does_not_name_reaches_nothing(table, program, call):
    code = table.call(40000, program, call, {})
    assert code == ACCESS_DENIED or not list(call.rules("acl"))


LISTS = [(program, call) for program, call in TABLE
         if list(call.rules("filter")) and "EVENT" not in call.name]


@pytest.mark.parametrize("program, call", LISTS, ids=[call.name for _, call in LISTS])
def test_a_list_is_empty_for_who_may_only_ask_for_it(table, program, call):
    """Every such answer begins with a count."""
    table.prepare()
    asked = {"maxnames": 16, "maxids": 16, "need_results": 1}
    seen = {}
    for uid in (0, having(program.needs(call, {}))):
        reply = table.reply(uid, program, call, asked)
        seen[uid] = reply.reader().uint() if reply.status == wire.OK else 0
        if uid == 0 and call.name in SHOWN:
            assert seen[uid] > 0
    assert seen.popitem()[1] == 0


SHOWN = ("CONNECT_LIST_ALL_DOMAINS", "CONNECT_LIST_DEFINED_DOMAINS", "CONNECT_NUM_OF_DEFINED_DOMAINS",
         "CONNECT_GET_ALL_DOMAIN_STATS", "CONNECT_LIST_ALL_STORAGE_POOLS",
         "CONNECT_LIST_STORAGE_POOLS", "CONNECT_NUM_OF_STORAGE_POOLS",
         "STORAGE_POOL_LIST_ALL_VOLUMES", "STORAGE_POOL_LIST_VOLUMES", "STORAGE_POOL_NUM_OF_VOLUMES")


def test_each_permission_of_libvirt_is_in_the_table():
    assert len(PERMISSIONS) == 105
    assert {p.split(".")[0] for p in PERMISSIONS} == {
        "connect", "domain", "interface", "network", "network_port", "node_device", "nwfilter",
        "nwfilter_binding", "secret", "storage_pool", "storage_vol"}


# ---- objects

OPERATORS = """
allow user=root : all
# operators
allow user=1001 : connect.getattr connect.read connect.search_*
deny  user=1001 : domain.stop : domain=web-9
allow user=1001 : view operate : domain=web-*
allow user=1001 : view : storage_pool=images
"""


@pytest.fixture(scope="module")
def operators():
    daemon = Rules(OPERATORS)
    try:
        daemon.root.defineXML(domain_xml("web-1", WEB))
        daemon.root.defineXML(domain_xml("db-1", DB))
        path = daemon.peer.path("images")
        os.makedirs(path + "-secret", exist_ok=True)
        for name in ("a.img", "b.img"):
            with open(os.path.join(path, name), "w") as stream:
                stream.truncate(4096)
        daemon.root.storagePoolDefineXML(pool_xml(path)).create()
        daemon.root.storagePoolDefineXML(
            pool_xml(path + "-secret", "secret", DB)).create()
        yield daemon
    finally:
        daemon.close()


@pytest.fixture
def operator(operators):
    operators.reload(OPERATORS)
    with AsUser(1001):
        connection = open_connection(operators.peer.uri())
    yield connection
    connection.close()


def denied(action, *arguments):
    with pytest.raises(libvirt.libvirtError) as caught:
        action(*arguments)
    assert caught.value.get_error_code() == libvirt.VIR_ERR_ACCESS_DENIED, caught.value
    assert str(caught.value) == "access denied: 'QEMU' denied access"


def test_lists_show_only_what_the_caller_may_see(operator, operators):
    assert [d.name() for d in operator.listAllDomains()] == ["web-1"]
    assert operator.listDefinedDomains() == ["web-1"]
    assert operator.numOfDefinedDomains() == 1
    assert [d[0].name() for d in operator.getAllDomainStats()] == ["web-1"]
    assert [p.name() for p in operator.listAllStoragePools()] == ["images"]
    assert operator.listStoragePools() == ["images"]
    assert operator.numOfStoragePools() == 1
    assert sorted(d.name() for d in operators.root.listAllDomains()) == ["db-1", "web-1"]
    assert operators.root.numOfStoragePools() == 2


def test_statistics_of_a_named_domain_are_shown_to_who_may_read_it(operator, operators):
    hidden = operators.root.lookupByName("db-1")
    shown = operator.lookupByName("web-1")
    request = wire_as(operators.peer, 1001)
    request.open("qemu:///system")
    for domain, count in ((hidden, 0), (shown, 1)):
        reply = request.call(344, wire.uint(1) + wire.domain(domain.name(), domain.UUID()) +
                             wire.uint(0) + wire.uint(0))
        assert reply.reader().uint() == count
    request.close()


def test_volumes_go_by_their_pool(operator, operators):
    pool = operator.storagePoolLookupByName("images")
    assert sorted(pool.listVolumes()) == ["a.img", "b.img"]
    assert pool.numOfVolumes() == 2
    denied(pool.storageVolLookupByName("a.img").delete, 0)
    operators.reload("deny user=1001 : all : storage_vol=images/b*\n" + OPERATORS)
    assert pool.listVolumes() == ["a.img"]
    assert pool.numOfVolumes() == 1
    assert [v.name() for v in pool.listAllVolumes()] == ["a.img"]
    denied(pool.storageVolLookupByName, "b.img")


def test_a_hidden_name_is_denied_like_one_that_is_not_there(operator, operators):
    images = operators.peer.path("images")
    denied(operator.lookupByName, "db-1")
    denied(operator.lookupByName, "db-2")
    denied(operator.lookupByID, 1)
    denied(operator.storagePoolLookupByName, "secret")
    denied(operator.storagePoolLookupByName, "nothing")
    denied(operator.storagePoolLookupByTargetPath, images + "-secret")
    denied(operator.storagePoolLookupByTargetPath, images + "/nothing")
    denied(operator.storageVolLookupByPath, images + "-secret/x")
    denied(operator.storageVolLookupByPath, images + "/nothing/x")


def test_a_name_that_the_rules_allow_and_that_is_not_there_is_not_found(operator):
    with pytest.raises(libvirt.libvirtError) as caught:
        operator.lookupByName("web-7")
    assert caught.value.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN


def test_a_domain_that_is_gone_is_not_found_by_uuid(operator):
    with pytest.raises(libvirt.libvirtError) as caught:
        operator.lookupByUUIDString(POOL)
    assert caught.value.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN


def test_the_name_that_a_client_sends_with_a_uuid_is_not_looked_at(operator, operators):
    request = wire_as(operators.peer, 1001)
    request.open("qemu:///system")
    for name in ("db-1", "web-1", "*"):
        reply = request.call(9, wire.domain(name, uuid_bytes(DB)))  # virDomainCreate
        assert reply.error()[0] == ACCESS_DENIED
    request.close()


def test_an_operator_operates_and_does_not_define(operator, operators):
    domain = operator.lookupByName("web-1")
    domain.create()
    try:
        domain.suspend()
        domain.resume()
        denied(domain.setMemory, 8192)
        denied(domain.undefine)
        denied(domain.XMLDesc, libvirt.VIR_DOMAIN_XML_SECURE)
        denied(domain.save, operators.peer.path("saved"))
        denied(domain.coreDump, operators.peer.path("core"))
    finally:
        domain.destroy()
    denied(operator.defineXML, domain_xml("web-1", WEB))
    denied(operator.createXML, domain_xml("web-8", POOL))
    denied(operator.storagePoolDefineXML, pool_xml("/nonexistent", "images"))


def test_definitions_go_by_the_name_in_the_document(operators):
    operators.reload("allow user=root : all\nallow user=1002 : connect.getattr\n"
                     "allow user=1002 : all : domain=web-*")
    with AsUser(1002):
        connection = open_connection(operators.peer.uri())
    domain = connection.defineXML(domain_xml("web-5", POOL))
    denied(connection.defineXML, domain_xml("db-5", WEB))
    denied(connection.createXML, domain_xml("db-5", WEB))
    denied(connection.defineXML, domain_xml("web-7", DB))  # whose uuid is another's
    denied(domain.rename, "db-5")
    domain.rename("web-6")
    domain.undefine()
    connection.close()


def test_rules_go_by_uuid_across_names(operators):
    operators.reload("allow user=root : all\nallow user=1003 : connect.getattr\n"
                     "allow user=1003 : view : uuid=%s" % DB)
    with AsUser(1003):
        connection = open_connection(operators.peer.uri())
    assert connection.lookupByName("db-1").UUIDString() == DB
    denied(connection.lookupByName, "web-1")
    denied(connection.lookupByName, "nothing")
    connection.close()


# ---- who

def who_may_connect(operators, **parts):
    reply = wire_as(operators.peer, **parts)
    try:
        return reply.call(wire.CONNECT_OPEN, OPEN).status == wire.OK
    finally:
        reply.close()


def test_groups_are_those_of_the_process_at_the_other_end(operators):
    operators.reload("allow user=root : all\nallow group=1500 : all\n")
    assert who_may_connect(operators, uid=1004, gid=1500)
    assert who_may_connect(operators, uid=1004, gid=1004, groups=[7, 1500])
    assert not who_may_connect(operators, uid=1004, gid=1004, groups=[7])
    operators.reload("allow user=root : all\ndeny group=1500 : all\nallow anybody : all\n")
    assert not who_may_connect(operators, uid=1004, gid=1004, groups=[7, 1500])
    assert who_may_connect(operators, uid=1004, gid=1004, groups=[7])


def test_users_go_by_name(operators):
    operators.reload("allow user=root user=nobody : all\n")
    assert who_may_connect(operators, uid=65534)
    assert not who_may_connect(operators, uid=65533)


def test_read_only_connections_are_told_apart(operators):
    operators.reload("allow user=root : all\nallow anybody mode=read-only : view\n")
    assert who_may_connect(operators, uid=1004, readonly=True)
    assert not who_may_connect(operators, uid=1004)


def test_a_connection_that_asks_to_be_read_only_is_judged_as_one(operators):
    operators.reload("allow user=root : all\nallow user=1004 mode=read-write : all\n")
    connection = wire_as(operators.peer, 1004)
    open_readonly = wire.optional(wire.string("qemu:///system")) + wire.uint(1)
    assert connection.call(wire.CONNECT_OPEN, open_readonly).status == wire.OK
    assert connection.call(wire.CONNECT_GET_TYPE).error()[0] == ACCESS_DENIED
    connection.close()


def test_root_has_nothing_that_the_file_does_not_give(operators):
    operators.reload("allow user=1001 : all\n")
    assert not who_may_connect(operators, uid=0)
    operators.reload(OPERATORS)
    assert who_may_connect(operators, uid=0)


# ---- reloading

def test_a_reload_changes_what_an_open_connection_may_do(operator, operators):
    operator.lookupByName("web-1")
    operators.reload("allow user=root : all\n")
    denied(operator.lookupByName, "web-1")
    operators.reload(OPERATORS)
    operator.lookupByName("web-1")


def test_a_broken_file_changes_nothing_and_the_log_says_where(operators):
    operators.reload("allow user=root : all\nallow user=1001 : domain.strat\n")
    assert "access.conf:2: there is no permission 'domain.strat'; the rules that were in force " \
           "still are" in operators.peer.log_text()
    assert who_may_connect(operators, uid=1001)


def test_a_file_that_is_gone_or_open_to_all_changes_nothing(operators):
    operators.reload("allow user=root : all\n")
    os.chmod(operators.path(), 0o666)
    operators.reload()
    assert "must be a file that only its owner" in operators.peer.log_text()
    os.unlink(operators.path())
    operators.reload()
    assert not who_may_connect(operators, uid=1001)
    operators.reload(OPERATORS)


def start_fails(rules=None, link=None, **configuration):
    daemon = peers.make_peer()
    try:
        daemon.configuration = configuration
        if link is not None:
            os.symlink(link, daemon.path("etc/libvirt/access.conf"))
        if rules is not None:
            with open(daemon.path("etc/libvirt/access.conf"), "w") as stream:
                stream.write(rules)
        with pytest.raises(AssertionError) as caught:
            daemon.start()
        assert "the daemon ended at once" in str(caught.value)
        return str(caught.value)
    finally:
        daemon.process = None
        daemon.close()


def test_a_daemon_does_not_start_with_rules_that_it_can_not_follow():
    assert "access.conf:1: a rule begins with" in start_fails(rules="nonsense\n")
    assert "cannot read the access rules" in start_fails(link="/nonexistent")
    assert "must be a file that only its owner" in start_fails(link="/dev/null")
    assert "one of the two must go" in start_fails(rules="allow anybody : all\n",
                                                   access_drivers='[ "none" ]')
    assert "there is no file of access rules" in start_fails(access_drivers='[ "rules" ]')
    assert "the access drivers of this daemon are" in start_fails(access_drivers='[ "polkit" ]')


# ---- events

def test_events_of_hidden_domains_are_not_told(operator, operators):
    Loop.start()
    seen = []
    with AsUser(1001):
        listening = open_connection(operators.peer.uri())
    listening.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                     lambda c, d, event, detail, o: seen.append(d.name()), None)
    for name, uuid in (("db-1", DB), ("web-1", WEB)):
        operators.root.defineXML(domain_xml(name, uuid))
    peers.wait_until(lambda: "web-1" in seen, "an event")
    assert "db-1" not in seen
    operators.reload(OPERATORS.replace("domain=web-*", "domain=db-*"))
    for name, uuid in (("web-1", WEB), ("db-1", DB)):
        operators.root.defineXML(domain_xml(name, uuid))
    peers.wait_until(lambda: "db-1" in seen, "an event")
    assert seen.count("web-1") == 1
    operators.reload(OPERATORS)
    listening.close()


def test_a_console_ends_with_the_permission_to_have_it_open(operators):
    allowed = ("allow user=root : all\nallow user=1001 user=1002 : connect.getattr\n"
               "allow user=1001 : view domain.open_device : domain=talker\n")
    operators.reload(allowed)
    guest = operators.root.createXML(domain_xml("talker", TALKER).replace(
        "</os>", "</os><devices><serial type='pty'/></devices>"))
    with AsUser(1001):
        theirs = open_connection(operators.peer.uri())
    domain = theirs.lookupByUUIDString(TALKER)
    console = theirs.newStream(libvirt.VIR_STREAM_NONBLOCK)
    domain.openConsole(None, console)

    def code():
        """Of the error that has ended the console; 0 while it is open."""
        assert domain.isActive()  # what was sent before is there
        try:
            console.recv(1024)
            return 0
        except libvirt.libvirtError as error:
            return error.get_error_code()

    operators.reload("# nothing that counts has changed\n" + allowed)
    assert code() == 0
    operators.reload(allowed.replace(" domain.open_device", ""))
    peers.wait_until(code, "the end of the console")
    assert code() == ACCESS_DENIED
    own = operators.root.newStream()
    guest.openConsole(None, own)  # it is free again
    own.abort()
    theirs.close()
    guest.destroy()
    operators.reload(OPERATORS)


# ---- the record

def test_a_denial_is_on_record_with_who_what_which_and_why(operator, operators):
    before = len(operators.denials())
    denied(operator.lookupByName("web-1").undefine)
    line = operators.denials()[before]
    assert re.search(r"client \d+ transport=unix mode=read-write uid=1001 gid=1001 pid=%d: "
                     r"virDomainUndefine: domain.delete domain=\"web-1\" uuid=%s: no rule allows it"
                     % (os.getpid(), WEB), line), line


def test_a_denial_by_a_rule_names_its_line(operators):
    operators.reload("allow user=root : all\ndeny user=1001 : domain.* : domain=db*\n"
                     "allow user=1001 : all\n")
    with AsUser(1001):
        connection = open_connection(operators.peer.uri())
    before = len(operators.denials())
    denied(connection.lookupByName, "db-1")
    assert operators.denials()[before].endswith("access.conf:2")
    connection.close()


def test_what_a_client_sends_does_not_break_the_lines_of_the_record(operator, operators):
    before = len(operators.denials())
    denied(operator.lookupByName, "x\nallowed: \"y\"")
    lines = operators.denials()
    assert len(lines) == before + 1
    assert 'domain="x\\x0aallowed: \\x22y\\x22"' in lines[before]


def test_a_flood_of_denials_is_bounded_and_counted(operators):
    operators.reload(OPERATORS)
    before = len(operators.denials())
    flood = wire_as(operators.peer, 40001)
    for _ in range(2000):
        flood.call(wire.CONNECT_OPEN, OPEN)
    flood.close()
    counted = r"denied: client \d+: (\d+) more that were not told"
    peers.wait_until(lambda: 2000 == sum(
        int(found[1]) if (found := re.search(counted, line)) else 1
        for line in operators.denials()[before:]), "the count")
    assert len(operators.denials()) - before < 1000


# ---- virsh, and acl-check

def test_virsh_of_an_operator_sees_and_starts_what_is_his(operators):
    operators.reload(OPERATORS)
    assert "web-1" in operators.virsh(1001, "list", "--all").stdout
    assert "db-1" not in operators.virsh(1001, "list", "--all").stdout
    assert "started" in operators.virsh(1001, "start", "web-1").stdout
    assert "destroyed" in operators.virsh(1001, "destroy", "web-1").stdout
    assert "access denied: 'QEMU' denied access" in operators.virsh(1001, "undefine",
                                                                    "web-1").stderr
    assert operators.virsh(1002, "list").stderr.endswith("error: access denied\n")


def acl_check(operators, *arguments):
    done = subprocess.run([*peers.WRAPPER, peers.BINARY, "acl-check", "-f", operators.path(), *arguments],
                          capture_output=True, text=True)
    return done.returncode, (done.stdout or done.stderr).strip().replace(operators.path(), "FILE")


def test_acl_check_answers_as_the_daemon_does(operators):
    operators.reload(OPERATORS)
    for arguments, answer in [
            (("user=1001", "domain.start", "web-1"), (0, "allowed by FILE:6")),
            (("user=1001", "domain.stop", "web-9"), (1, "denied by FILE:5")),
            (("user=1001", "domain.start", "domain=db-1"), (1, "denied: no rule of FILE allows it")),
            (("user=1001", "connect.getattr"), (0, "allowed by FILE:4")),
            (("user=1001", "storage_vol.read", "images/a.img"), (0, "allowed by FILE:7")),
            (("user=0 mode=read-only", "domain.start", "uuid=" + DB), (0, "allowed by FILE:2")),
            (("dn=CN=x, O=y", "connect.getattr"), (1, "denied: no rule of FILE allows it")),
            (("user=1001", "domain.strat", "web-1"),
             (2, "acl-check: there is no permission 'domain.strat'")),
            (("users=1001", "domain.start", "web-1"),
             (2, "acl-check: there is no condition 'users'")),
            (("user=no-such", "domain.start", "web-1"),
             (2, "acl-check: there is no user 'no-such'"))]:
        assert acl_check(operators, *arguments) == answer


def test_acl_check_knows_each_way_of_being_somebody(operators):
    operators.write("allow user=root : all\nallow group=1500 : connect.read\n"
                    "allow sasl=ann transport=tls : connect.read\n")
    for arguments, answer in [
            (("user=1001 group=1500", "connect.read"), (0, "allowed by FILE:2")),
            (("group=1500", "connect.read"), (0, "allowed by FILE:2")),
            (("user=1001", "connect.read"), (1, "denied: no rule of FILE allows it")),
            (("sasl=ann transport=tls", "connect.read"), (0, "allowed by FILE:3")),
            (("sasl=ann transport=unix", "connect.read"), (1, "denied: no rule of FILE allows it")),
            (("sasl=bob transport=tls", "connect.read"), (1, "denied: no rule of FILE allows it")),
            (("group=no-such", "connect.read"), (2, "acl-check: there is no group 'no-such'")),
            (("mode=read", "connect.read"), (2, "acl-check: there is no mode 'read'")),
            (("ann", "connect.read"), (2, "acl-check: not KEY=VALUE: 'ann'"))]:
        assert acl_check(operators, *arguments) == answer
    status, text = acl_check(operators, "user=1001")
    assert status == 2 and text.startswith("Usage: nanovirtd acl-check")
    operators.reload(OPERATORS)


def test_acl_check_tells_what_is_wrong_with_a_file(operators):
    operators.write("allow\n")
    status, text = acl_check(operators, "user=1001", "domain.start", "web-1")
    assert status == 2 and "FILE:1: the rule does not say who may" in text
    os.unlink(operators.path())
    assert acl_check(operators, "anybody", "connect.read") == (0, "allowed: there are no rules in FILE")
    operators.reload(OPERATORS)
